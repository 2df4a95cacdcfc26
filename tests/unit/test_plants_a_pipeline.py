"""The pipeline against what is known: White's worked example, Colebrook, Hagen-Poiseuille, leak location, line pack."""

import math

import numpy as np
import pytest

from simulators.plants.pipeline import Pipeline, conductance

PLAIN = {"variation": 0.0}


def flow(drop: float, length: float, diameter: float, roughness: float, density: float, viscosity: float) -> float:
    """m³/s at a drop in Pa."""
    arguments = (np.array([x]) for x in (drop, length, diameter, roughness, density, viscosity))
    return float(conductance(*arguments)[0] * drop)


def read(plant: Pipeline) -> dict[str, float]:
    return {name: float(values[0]) for name, values in plant.read().items()}


def settled(plant: Pipeline, seconds: int = 3600) -> dict[str, float]:
    for _ in range(seconds // 2):
        plant.step(2.0)
    return read(plant)


def test_white_example_6_7() -> None:
    # F. M. White, Fluid Mechanics: oil, 900 kg/m3, 1e-5 m2/s, 0.2 m3/s through 500 m of 200 mm cast iron (0.26 mm):
    # Re 128 000, f 0.0225, head loss 117 m
    drop = 117.0 * 900.0 * 9.81
    assert flow(drop, 500.0, 0.2, 0.26e-3, 900.0, 1e-5) == pytest.approx(0.2, rel=5e-3)


@pytest.mark.parametrize("reynolds", [5e3, 1e5, 3e6])
@pytest.mark.parametrize("roughness", [0.0, 1e-4, 1e-2])
def test_turbulent_flow_solves_darcy_weisbach_with_colebrooks_friction(reynolds: float, roughness: float) -> None:
    diameter, length, density, viscosity = 0.3, 1000.0, 800.0, 1e-6
    speed = reynolds * viscosity / diameter
    friction = 0.02
    for _ in range(100):  # Colebrook by iteration
        friction = (-2.0 * math.log10(roughness / 3.7 + 2.51 / (reynolds * math.sqrt(friction)))) ** -2
    drop = friction * length / diameter * density * speed**2 / 2.0
    section = math.pi / 4.0 * diameter**2
    assert flow(drop, length, diameter, roughness * diameter, density, viscosity) == pytest.approx(
        speed * section, rel=1e-9
    )


def test_slow_flow_is_hagen_and_poiseuilles() -> None:
    diameter, length, density, viscosity = 0.1, 100.0, 900.0, 1e-4
    speed = 500.0 * viscosity / diameter
    drop = 32.0 * density * viscosity * length * speed / diameter**2
    section = math.pi / 4.0 * diameter**2
    assert flow(drop, length, diameter, 0.0, density, viscosity) == pytest.approx(speed * section, rel=1e-12)


def test_flow_never_falls_while_the_drop_rises() -> None:
    drops = np.logspace(-4, 8, 2000)
    passed = conductance(drops, *(np.full(2000, x) for x in (1e4, 0.3, 5e-5, 740.0, 6e-7))) * drops
    assert (np.diff(passed) > 0.0).all()


def test_a_tight_line_settles_where_pump_line_and_valve_agree() -> None:
    plant = Pipeline(1, np.random.default_rng(1), PLAIN)
    now = settled(plant)
    assert now["imbalance"] == pytest.approx(0.0, abs=1e-6)
    through = now["inlet_flow"] / 3600.0
    drop = (now["inlet_pressure"] - now["outlet_pressure"]) * 1e3
    assert flow(drop, 40e3, 0.3, 4.6e-5, 740.0, 6e-7) == pytest.approx(through, rel=1e-6)
    # Pump: 300 kPa and 2000 kPa less a sixth at 300 m3/h; valve: 23 m3/h by root of kPa, half open
    assert now["inlet_pressure"] == pytest.approx(2300.0 - 2000.0 / 6.0 * (now["inlet_flow"] / 300.0) ** 2, rel=1e-6)
    assert now["outlet_flow"] == pytest.approx(11.5 * math.sqrt(now["outlet_pressure"] - 300.0), rel=1e-6)


def test_a_leak_is_the_flow_that_is_missing_and_flows_as_through_an_orifice() -> None:
    plant = Pipeline(1, np.random.default_rng(1), PLAIN)
    before = settled(plant, 600)
    plant.set("leak_diameter", 20.0)
    after = settled(plant)
    hole = 0.61 * math.pi / 4.0 * 0.02**2 * math.sqrt(2.0 * after["middle_pressure"] * 1e3 / 740.0)
    assert after["leak_flow"] / 3600.0 == pytest.approx(hole, rel=1e-6)
    assert after["imbalance"] == pytest.approx(after["leak_flow"], rel=1e-6)
    assert after["inlet_flow"] > before["inlet_flow"]
    assert after["outlet_flow"] < before["outlet_flow"]
    assert after["inlet_pressure"] < before["inlet_pressure"]
    assert after["outlet_pressure"] < before["outlet_pressure"]


@pytest.mark.parametrize("position", [0.1, 0.4, 0.85])
def test_the_leak_is_where_the_gradients_of_both_stretches_meet(position: float) -> None:
    # The gradient method of leak location, with gradients by Colebrook from the two measured flows
    plant = Pipeline(1, np.random.default_rng(1), PLAIN | {"leak_position": position})
    plant.set("leak_diameter", 15.0)
    now = settled(plant)

    def gradient(through: float) -> float:
        speed = through / 3600.0 / (math.pi / 4.0 * 0.3**2)
        friction, reynolds = 0.02, speed * 0.3 / 6e-7
        for _ in range(100):
            friction = (-2.0 * math.log10(4.6e-5 / 0.3 / 3.7 + 2.51 / (reynolds * math.sqrt(friction)))) ** -2
        return friction / 0.3 * 740.0 * speed**2 / 2.0

    first, second = gradient(now["inlet_flow"]), gradient(now["outlet_flow"])
    drop = (now["inlet_pressure"] - now["outlet_pressure"]) * 1e3
    place = (drop - second * 40e3) / (first - second)
    assert place == pytest.approx(position * 40e3, rel=1e-3)


def test_volumes_balance_to_rounding_while_pressures_swing() -> None:
    plant = Pipeline(4, np.random.default_rng(3))
    packed = plant.packed
    moved = np.zeros(4)
    for second in range(2000):
        if second == 300:
            plant.set("leak_diameter", 60.0)
        if second == 600:
            plant.set("pump_speed", 0.0)
        if second == 1200:
            plant.set("pump_speed", 1.0)
            plant.set("valve_opening", 0.0)
        plant.step(1.0)
        now = plant.read()
        moved += (now["imbalance"] - now["leak_flow"]) / 3600.0
    np.testing.assert_allclose(plant.packed - packed, moved, atol=1e-9)


def test_closing_the_outlet_packs_the_line_at_the_rate_of_its_elasticity() -> None:
    # dp/dt = K Q / V with K = rho a²: the mean pressure of the line rises as liquid is forced in
    plant = Pipeline(1, np.random.default_rng(1), PLAIN)
    settled(plant, 600)
    plant.set("valve_opening", 0.0)
    before, inflow = plant.packed[0], 0.0

    def mean() -> float:
        now = read(plant)
        ends = 0.4 * now["inlet_pressure"] + now["middle_pressure"] + 0.6 * now["outlet_pressure"]
        return ends / 2.0 * 1e3

    start = mean()
    for _ in range(60):
        plant.step(1.0)
        inflow += read(plant)["inlet_flow"] / 3600.0
    content = math.pi / 4.0 * 0.3**2 * 40e3
    assert mean() - start == pytest.approx(740.0 * 1000.0**2 * inflow / content, rel=1e-9)
    assert plant.packed[0] - before == pytest.approx(inflow, rel=1e-9)


def test_a_stopped_pump_lets_nothing_back_and_the_line_drains_to_its_leak() -> None:
    plant = Pipeline(1, np.random.default_rng(1), PLAIN | {"suction_pressure": 0.0})
    plant.set("leak_diameter", 50.0)
    plant.set("pump_speed", 0.0)
    lowest = 0.0
    for _ in range(3600):
        plant.step(1.0)
        now = read(plant)
        lowest = min(lowest, now["inlet_flow"], now["outlet_flow"])
    assert lowest >= -1e-9
    assert read(plant)["inlet_pressure"] == pytest.approx(0.0, abs=1.0)


def test_a_blockage_raises_the_pressure_before_it_and_lowers_it_behind() -> None:
    plant = Pipeline(1, np.random.default_rng(1), PLAIN)
    before = settled(plant, 600)
    plant.set("blockage", 0.5)
    after = settled(plant)
    assert after["middle_pressure"] > before["middle_pressure"] + 50.0
    assert after["outlet_pressure"] < before["outlet_pressure"] - 50.0
    assert after["inlet_flow"] == pytest.approx(after["outlet_flow"], abs=1e-3)
