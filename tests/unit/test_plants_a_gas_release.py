"""The gas release against what is known: the Gaussian puff's peak and mass, the plume, Briggs' curves, turning wind."""

import math

import numpy as np
import pytest

from domain.gases import SPECIES, convert
from domain.samples import Float64
from service.config.measurands import shipped
from simulators.dispersion import CLASSES, briggs, slug
from simulators.plants.gas_release import GasRelease
from simulators.plants.protocol import PlantFault

PLAIN: dict[str, float | str] = {"variation": 0.0, "unit": "mg/m3", "source_size": 0.01, "source_height": 0.0}


def release(*places: tuple[float, float], **parameters: float | str) -> GasRelease:
    """One source with detectors on the ground at places (east, north) in m."""
    given = PLAIN | {"detectors": len(places)} | parameters
    for i, (east, north) in enumerate(places):
        given |= {f"detector_{i + 1}_east": east, f"detector_{i + 1}_north": north, f"detector_{i + 1}_height": 0.0}
    return GasRelease(1, np.random.default_rng(1), given)


def run(plant: GasRelease, seconds: int) -> Float64:
    """What the detectors see after each second, shape (seconds, detectors)."""
    rows = []
    for _ in range(seconds):
        plant.step(1.0)
        rows.append([values[0] for name, values in plant.read().items() if name.startswith("detector")])
    return np.array(rows)


@pytest.mark.parametrize(
    ("stability", "at_100_m", "at_1_km"),
    # Briggs' open-country formulas (Hanna, Briggs and Hosker, Handbook on Atmospheric Diffusion, 1982), by hand
    [
        ("A", (21.9, 20.0), (209.8, 200.0)),
        ("B", (15.9, 12.0), (152.6, 120.0)),
        ("C", (10.95, 7.92), (104.9, 73.0)),
        ("D", (7.96, 5.60), (76.3, 37.9)),
        ("E", (5.97, 2.91), (57.2, 23.1)),
        ("F", (3.98, 1.55), (38.1, 12.3)),
    ],
)
def test_briggs_open_country_curves(
    stability: str, at_100_m: tuple[float, float], at_1_km: tuple[float, float]
) -> None:
    across, up = briggs(np.array([100.0, 1000.0]), CLASSES.index(stability))
    np.testing.assert_allclose(np.stack([across, up], axis=1), [at_100_m, at_1_km], rtol=4e-3)


def test_a_slug_holds_all_of_its_mass() -> None:
    axis = np.arange(-60.0, 60.0, 1.0)
    height = np.arange(0.25, 60.0, 0.5)
    along, across, up = np.meshgrid(axis, axis, height, indexing="ij")
    of_grid = slug(along, across, up, np.array(20.0), (np.array(8.0), np.array(5.0)), np.array(4.0))
    assert of_grid.sum() * 1.0 * 1.0 * 0.5 == pytest.approx(1.0, rel=1e-3)
    assert of_grid.min() >= 0.0


def test_a_short_slug_is_the_gaussian_puff() -> None:
    place = (np.array(30.0), np.array(-12.0), np.array(3.0))
    flat, up, source = 20.0, 9.0, 2.0
    puff = math.exp(-0.5 * (30.0 / flat) ** 2) * math.exp(-0.5 * (12.0 / flat) ** 2)
    puff *= math.exp(-0.5 * ((3.0 - source) / up) ** 2) + math.exp(-0.5 * ((3.0 + source) / up) ** 2)
    puff /= (2.0 * math.pi) ** 1.5 * flat * flat * up
    of_slug = slug(*place, np.array(0.5), (np.array(flat), np.array(up)), np.array(source))
    assert float(of_slug) == pytest.approx(puff, rel=1e-4)


@pytest.mark.parametrize("stability", [2, 4, 6])
def test_the_peak_of_a_puff_passing_is_that_of_its_formula(stability: int) -> None:
    # Ground release, ground detector on the way: C = 2 Q / ((2 pi)^1.5 s_y² s_z) as the middle passes
    plant = release((500.0, 0.0))
    plant.set("wind_speed", 2.0)
    plant.set("stability", stability)
    plant.set("release_rate", 1000.0)
    plant.step(1.0)
    plant.set("release_rate", 0.0)
    assert plant.airborne[0] == pytest.approx(1000.0)
    seen = run(plant, 400)[:, 0]
    across, up = briggs(np.array([500.0]), stability - 1)
    peak = 2.0 * 1e6 / ((2.0 * math.pi) ** 1.5 * across[0] ** 2 * up[0])
    # The middle of what was let out in the first second is there at 250.5 s, between two readings
    assert 0.5 * (seen[248] + seen[249]) == pytest.approx(peak, rel=2e-3)
    # A puff widens as it passes, so that its front is denser than its back
    assert peak < seen.max() < 1.15 * peak


@pytest.mark.parametrize("stability", range(1, 7))
def test_a_steady_release_in_a_steady_wind_is_the_gaussian_plume(stability: int) -> None:
    # C = q / (pi u s_y s_z) exp(-y² / 2 s_y²), both on the ground
    places = [(50.0, 0.0), (200.0, 0.0), (200.0, 10.0), (800.0, 0.0), (-50.0, 0.0)]
    plant = release(*places)
    plant.set("stability", stability)
    plant.set("release_rate", 10.0)
    for _ in range(600):
        plant.step(1.0)
    seen = np.array([plant.read()[f"detector_{i + 1}"][0] for i in range(5)])
    x, y = np.array(places)[:4].T
    across, up = briggs(x, stability - 1)
    plume = 1e4 / (math.pi * 2.5 * across * up) * np.exp(-0.5 * (y / across) ** 2)
    np.testing.assert_allclose(seen[:4], plume, rtol=0.03)
    assert seen[4] < 1e-6 * plume[0]


def test_mass_is_kept_while_slugs_join_and_until_they_are_far_away() -> None:
    plant = release((20.0, 0.0), (300.0, 0.0))
    plant.set("release_rate", 5.0)
    for _ in range(500):
        plant.step(1.0)
    assert plant.airborne[0] == pytest.approx(2500.0, rel=1e-12)
    assert len(plant._slugs.mass) < 200  # 500 without joining
    plant.set("release_rate", 0.0)
    for _ in range(700):
        plant.step(1.0)
    assert plant.airborne[0] == 0.0


def test_gas_goes_where_the_wind_goes_and_follows_when_it_turns() -> None:
    plant = release((40.0, 0.0), (0.0, 40.0))
    plant.set("release_rate", 1.0)
    west = run(plant, 60)
    assert west[-1, 0] > 1.0
    assert west[-1, 1] < 1e-9
    plant.set("wind_from", 180.0)
    south = run(plant, 120)
    assert south[-1, 1] == pytest.approx(west[-1, 0], rel=0.02)
    assert south[-1, 0] < 1e-3 * west[-1, 0]
    # What was on its way is carried off sideways and does not vanish at once
    assert south[1, 0] > 0.1 * west[-1, 0]


def test_gas_arrives_when_the_wind_has_carried_it_there() -> None:
    plant = release((100.0, 0.0))
    plant.set("release_rate", 1.0)
    seen = run(plant, 120)[:, 0]
    half = int(np.flatnonzero(seen > 0.5 * seen[-1])[0]) + 1
    assert half == pytest.approx(100.0 / 2.5, abs=3.0)


@pytest.mark.parametrize("species", ["H2S", "Cl2", "NH3", "CH4"])
@pytest.mark.parametrize("unit", ["ppm", "mg/m3", "%LEL"])
def test_detectors_show_their_unit(species: str, unit: str) -> None:
    if species == "Cl2" and unit == "%LEL":
        with pytest.raises(PlantFault, match=r"unit is '%LEL'.*Use ppm"):
            release((30.0, 0.0), species=species, unit=unit)
        return
    mass = release((30.0, 0.0), species=species)
    told = release((30.0, 0.0), species=species, unit=unit)
    for plant in (mass, told):
        plant.set("release_rate", 0.5)
        run(plant, 40)
    expected = convert(float(mass.read()["detector_1"][0]), "mg/m3", unit, SPECIES[species])
    assert told.read()["detector_1"][0] == pytest.approx(expected, rel=1e-9)
    assert told.outputs["detector_1"].engineering_unit == unit


@pytest.mark.parametrize("formula", sorted(SPECIES))
def test_every_gas_has_a_measurand_that_knows_its_unit(formula: str) -> None:
    plant = GasRelease(1, np.random.default_rng(1), {"species": formula})
    output = plant.outputs["detector_1"]
    measurand = shipped().by_key[output.measurand]
    assert measurand.species in {None, formula}
    assert not measurand.units or output.engineering_unit in measurand.units


def test_no_detector_shows_more_than_pure_gas() -> None:
    plant = release((0.5, 0.0), unit="%vol")
    plant.set("release_rate", 1e6)
    assert run(plant, 10).max() == 100.0


def test_instances_have_winds_and_releases_of_their_own() -> None:
    plant = GasRelease(3, np.random.default_rng(1), PLAIN | {"detectors": 1, "detector_1_east": 30.0})
    plant.set("release_rate", 2.0, 1)
    plant.set("wind_from", 90.0, 2)
    plant.set("release_rate", 2.0, 2)
    for _ in range(60):
        plant.step(1.0)
    seen = plant.read()["detector_1"]
    assert seen[0] == 0.0
    assert seen[1] > 1.0
    assert seen[2] < 1e-9


def test_what_others_let_out_in_another_wind_shifts_a_reading_by_less_than_a_percent() -> None:
    # Slugs of all instances join together or not at all
    alone = release((60.0, 0.0))
    given = PLAIN | {"detectors": 1, "detector_1_east": 60.0, "detector_1_height": 0.0}
    together = GasRelease(2, np.random.default_rng(1), given)
    together.set("wind_speed", 9.0, 1)
    together.set("stability", 6.0, 1)
    for plant in (alone, together):
        plant.set("release_rate", 3.0)
    for _ in range(240):
        alone.step(1.0)
        together.step(1.0)
    assert len(together._slugs.mass) > len(alone._slugs.mass)
    assert together.read()["detector_1"][0] == pytest.approx(alone.read()["detector_1"][0], rel=0.01)
    idle = GasRelease(2, np.random.default_rng(1), given)
    idle.set("wind_speed", 9.0, 1)
    idle.set("release_rate", 3.0, 0)
    for _ in range(240):
        idle.step(1.0)
    assert idle.read()["detector_1"][0] == alone.read()["detector_1"][0]


def test_a_flange_leak_of_hydrogen_sulphide_reaches_two_of_five_detectors() -> None:
    places = [(15.0, 0.5), (25.0, -1.0), (-15.0, 4.0), (10.0, 14.0), (0.0, -25.0)]
    plant = release(*places, species="H2S", source_height=0.5, source_size=0.3)
    plant.set("release_rate", 0.4)
    seen = run(plant, 120)[-1]
    assert (seen > 10.0).tolist() == [True, True, False, False, False]


def test_unknown_species_and_too_many_detectors_are_refused_by_name() -> None:
    with pytest.raises(PlantFault, match="species is 'XY': use one of CH4"):
        GasRelease(1, np.random.default_rng(1), {"species": "XY"})
    with pytest.raises(PlantFault, match="detectors is 65: use 1 to 64"):
        GasRelease(1, np.random.default_rng(1), {"detectors": 65})
    with pytest.raises(PlantFault, match="unknown parameter 'detector_6_east'"):
        GasRelease(1, np.random.default_rng(1), {"detectors": 5, "detector_6_east": 1.0})
