"""The simulated plants: reproducible, physically sane, in step with their site file, and quiet but for the leak."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from domain.samples import Float64
from simulators.batch_plant import BatchPlant, Phase
from simulators.coal_mine import CoalMine
from simulators.demo import CONFIGURATION, Demo
from simulators.gas import Leak, Place, Plume
from simulators.instruments import Instruments, Point
from simulators.tank_farm import FLANGE_LEAK, TankFarm

SITE = CONFIGURATION.parent / "site.yaml"
LIMITS = ("LL", "L", "H", "HH")
INHERITED = {
    "h2s": {"H": 10.0, "HH": 20.0},
    "methanol": {"H": 25.0, "HH": 50.0},
    "flammable_gas": {"H": 25.0, "HH": 50.0},
    "cl2": {"H": 1.0, "HH": 2.0},
    "hcl": {"H": 7.5, "HH": 15.0},
    "oxygen": {"L": 19.5, "H": 23.5},
    "co": {"H": 20.0, "HH": 40.0},
    "level": {"LL": 10.0, "L": 20.0, "H": 80.0, "HH": 90.0},
    "ch4_face": {"H": 1.0, "HH": 1.5},
    "ch4_return": {"H": 1.0, "HH": 1.0},
    "ch4_intake": {"H": 0.5, "HH": 0.5},
}
"""The strictest limits that a tag may inherit from its measurand."""


@dataclass(frozen=True)
class Described:
    """One tag as the site file describes it."""

    gateway: str
    low: float
    high: float
    limits: dict[str, float]


def described_tags(path: Path) -> Iterator[tuple[tuple[str, str], Described]]:
    site: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    for enterprise in site["enterprises"]:
        for unit in enterprise["units"]:
            rows = [
                {**tag, "low": tag["range"][0], "high": tag["range"][1], **tag.get("limits", {})}
                for tag in unit.get("tags", [])
            ]
            for table in unit.get("tag_tables", []):
                with (path.parent / table).open(encoding="utf-8", newline="") as file:
                    rows += csv.DictReader(file)
            for row in rows:
                limits = dict(INHERITED.get(row["measurand"], {}))
                for level in LIMITS:
                    given = row.get(level)
                    if given == "off":
                        limits.pop(level, None)
                    elif given not in {None, ""}:
                        limits[level] = float(given)
                yield (
                    (enterprise["id"], row["tag"]),
                    Described(row["gateway"], float(row["low"]), float(row["high"]), limits),
                )


def run(demo: Demo, seconds: int, dt: float = 1.0) -> tuple[list[tuple[str, str]], Float64]:
    rows = []
    names: list[tuple[str, str]] = []
    for _ in range(int(seconds / dt)):
        read = demo.advance(dt)
        names = names or [(r.enterprise, tag) for r in read for tag in r.values]
        rows.append([value for r in read for value in r.values.values()])
    return names, np.array(rows)


def test_the_site_describes_exactly_the_simulated_tags() -> None:
    site = list(described_tags(SITE))
    assert len({path for path, _ in site}) == len(site)
    assert {path: d.gateway for path, d in site} == {(e, p.tag): p.gateway for e, p in Demo().points}
    assert len(site) >= 200


def test_the_site_names_every_gateway_and_the_configuration_names_the_site() -> None:
    site = yaml.safe_load(SITE.read_text(encoding="utf-8"))
    named = [(e["id"], gateway["id"]) for e in site["enterprises"] for gateway in e["gateways"]]
    assert sorted(named) == sorted(Demo().gateways)
    configuration = yaml.safe_load(CONFIGURATION.read_text(encoding="utf-8"))
    assert [CONFIGURATION.parent / name for name in configuration["sites"]] == [SITE]
    assert configuration["console"]["host"] == "127.0.0.1"


def test_the_same_seed_gives_the_same_readings_and_another_seed_others() -> None:
    _, first = run(Demo(3), 30)
    _, again = run(Demo(3), 30)
    _, other = run(Demo(4), 30)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("seed", [7, 1, 2])
def test_the_leak_grows_over_both_levels_at_two_detectors_and_recovers(seed: int) -> None:
    names, readings = run(Demo(seed), 330)
    first = readings[:, names.index(("huarui", "GT-101"))]
    second = readings[:, names.index(("huarui", "GT-103"))]

    def entered(values: Float64, limit: float) -> int:
        return int(np.argmax(values >= limit)) + 1

    def left(values: Float64, limit: float) -> int:
        return len(values) - int(np.argmax(values[::-1] >= limit))

    assert first[:10].max() < 2.0
    assert 15 <= entered(first, 10.0) <= 25
    assert 25 <= entered(first, 20.0) <= 40
    assert 28 <= entered(second, 10.0) <= 45
    assert 60 <= entered(second, 20.0) <= 80
    assert max(first.max(), second.max()) < 100.0
    assert 180 <= left(first, 9.0) <= 285
    assert left(second, 9.0) <= 285
    for values in (first, second):
        for limit in (10.0, 20.0):
            assert np.count_nonzero(np.diff((values >= limit).astype(int)) == 1) == 1


def test_nothing_but_the_leak_crosses_a_limit_while_it_lasts() -> None:
    names, readings = run(Demo(), 330)
    limits = dict(described_tags(SITE))
    crossed = {
        name
        for name, column in zip(names, readings.T, strict=True)
        for level, limit in limits[name].limits.items()
        if (column >= limit if level in {"H", "HH"} else column <= limit).any()
    }
    assert crossed == {("huarui", "GT-101"), ("huarui", "GT-103")}


def test_hours_without_a_leak_stay_inside_limits_and_ranges() -> None:
    names, readings = run(Demo(11, leak=None), 2 * 3600, dt=2.0)
    assert np.isfinite(readings).all()
    limits = dict(described_tags(SITE))
    for name, low, high in zip(names, readings.min(axis=0), readings.max(axis=0), strict=True):
        tag = limits[name]
        assert tag.low <= low, (name, low)
        assert high <= tag.high, (name, high)
        spread = max(high - low, 1e-6)
        for level, limit in tag.limits.items():
            margin = limit - high if level in {"H", "HH"} else low - limit
            assert margin > 0.1 * spread, (name, level, limit, low, high)


def test_reactors_heat_slower_than_their_rate_limit() -> None:
    names, readings = run(Demo(5, leak=None), 2 * 3600, dt=2.0)
    for name in (f"TI-10{i}" for i in range(1, 7)):
        temperature = readings[:, names.index(("tianze", name))]
        assert (temperature[30:] - temperature[:-30]).max() < 5.0


def test_tanks_keep_what_flows_in_and_out() -> None:
    farm = TankFarm(np.random.default_rng(1))
    before, net = farm.volume.copy(), np.zeros(12)
    for _ in range(3600):
        farm.step(1.0)
        net += (farm.filling - farm.drawing) / 3600.0
    np.testing.assert_allclose(farm.volume - before, net, atol=1e-6)
    assert ((farm.level > 30.0) & (farm.level < 70.0)).all()


def test_reactors_keep_their_chlorine() -> None:
    plant = BatchPlant(np.random.default_rng(1))
    dosing = (plant.phase == Phase.DOSE).nonzero()[0]
    before = plant.chlorine + plant.product - plant.dosed
    for _ in range(600):
        plant.step(1.0)
    after = plant.chlorine + plant.product - plant.dosed
    np.testing.assert_allclose(after[dosing], before[dosing], atol=1e-6)
    assert (plant.product[dosing] > 500.0).all()


def test_methane_settles_where_ventilation_carries_off_what_is_given_off() -> None:
    mine = CoalMine(np.random.default_rng(1))
    for _ in range(4 * 2400):
        mine.step(1.0)
        settled = mine.intake + mine.released / (mine.SPEED * mine.SECTION) * 100.0
        np.testing.assert_allclose(mine.methane, settled, rtol=0.25)


def test_a_plume_thins_with_distance_and_spares_what_is_upwind() -> None:
    leak = Leak(start=0.0, end=1e9, rate=100.0, initial=1.0, growth=1.0, drying=10.0)
    plume = Plume(leak, [Place(5.0, 0.0), Place(10.0, 0.0), Place(10.0, 3.0), Place(-5.0, 0.0)])
    for second in range(60):
        seen = plume.step(float(second), 1.0, wind=2.0)
    near, far, aside, upwind = seen.tolist()
    assert near > 3.0 * far > 3.0 * aside > 0.0
    assert upwind == 0.0
    assert far == pytest.approx(100.0 / (np.pi * 2.0 * 0.8 * 0.6), rel=0.02)


def test_a_detector_shows_nine_tenths_after_its_t90() -> None:
    point = Point("X", "gw", lag=30.0 / 2.303, decimals=6)
    cell = Instruments([point], np.random.default_rng(0))
    cell.read(np.array([0.0]), 1.0)
    for _ in range(30):
        shown = cell.read(np.array([100.0]), 1.0)
    assert shown[0] == pytest.approx(90.0, abs=0.5)


def test_the_leak_is_closed_before_the_demo_is_three_minutes_old() -> None:
    assert FLANGE_LEAK.escaping(FLANGE_LEAK.start - 1.0) == 0.0
    assert FLANGE_LEAK.escaping(149.0) == FLANGE_LEAK.rate
    assert FLANGE_LEAK.escaping(150.0) == 0.0
