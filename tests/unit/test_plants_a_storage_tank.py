"""The storage tank against what is known: balances to rounding, Torricelli's emptying time, mixing, cooling."""

import math

import numpy as np
import pytest

from domain.gases import GAS_CONSTANT
from domain.samples import Float64
from simulators.plants.storage_tank import StorageTank

PLAIN = {"variation": 0.0, "lag": 0.0}
G = 9.80665


def tank(count: int = 1, **parameters: float) -> StorageTank:
    return StorageTank(count, np.random.default_rng(1), PLAIN | parameters)


def run(plant: StorageTank, seconds: int, dt: float = 1.0) -> dict[str, Float64]:
    """The readings of the first tank after each step."""
    rows = []
    for _ in range(int(seconds / dt)):
        plant.step(dt)
        rows.append({name: values[0] for name, values in plant.read().items()})
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def test_the_level_rises_linearly_with_what_is_filled_less_what_is_drawn() -> None:
    plant = tank(level=40.0, capacity=1000.0)
    plant.set("filling", 180.0)
    plant.set("drawing", 60.0)
    level = run(plant, 3600)["level"]
    # 120 m3/h into 1000 m3 are 12 % an hour
    np.testing.assert_allclose(level, 40.0 + 12.0 * np.arange(1, 3601) / 3600.0, rtol=1e-12)


def test_liquid_is_balanced_to_rounding_while_it_is_filled_drawn_leaking_and_running_over() -> None:
    plant = tank(level=95.0)
    plant.set("stop_failure", 1.0)
    plant.set("filling", 900.0)
    plant.set("leak_diameter", 40.0)
    before = plant.volume[0]
    read = run(plant, 3600)
    net = (read["filling_flow"] - read["drawing_flow"] - read["leak_flow"] - read["spill_flow"]).sum() / 3600.0
    assert read["spill_flow"].max() > 0.0
    assert plant.volume[0] - before == pytest.approx(net, abs=1e-8)


def test_filling_beyond_its_stop_runs_over_at_100_percent_when_it_must_and_not_before() -> None:
    plant = tank(level=70.0, capacity=1000.0, stop_level=75.0)
    plant.set("drawing", 0.0)
    plant.set("filling", 200.0)
    plant.set("stop_failure", 1.0)
    read = run(plant, 6000)
    # 300 m3 at 200 m3/h: 5400 s
    first = int(np.flatnonzero(read["spill_flow"] > 0.0)[0]) + 1
    assert first in {5400, 5401}
    assert read["spill_flow"][-1] == pytest.approx(200.0)
    assert read["level"].max() == 100.0


def test_filling_ends_at_its_stop_level_and_begins_again_at_its_start_level() -> None:
    plant = tank(level=60.0, start_level=30.0, stop_level=75.0, height=12.0)
    plant.set("filling", 1000.0)
    plant.set("drawing", 400.0)
    read = run(plant, 4 * 3600, 5.0)
    assert read["level"].max() == pytest.approx(75.0, abs=0.2)
    assert read["level"].min() == pytest.approx(30.0, abs=0.2)
    assert set(np.unique(read["filling_flow"]).round(6)) == {0.0, 1000.0}


def test_a_hole_empties_the_tank_in_torricellis_time() -> None:
    # t = A / (c a) sqrt(2 h / g), for a tank without pressure on top
    plant = tank(level=50.0, capacity=100.0, height=10.0, blanket=0.0, supply_gain=0.0, start_level=0.0)
    plant.breached[:] = True
    plant.set("filling", 0.0)
    plant.set("drawing", 0.0)
    plant.set("leak_diameter", 100.0)
    section, hole = 10.0, 0.25 * math.pi * 0.1**2
    emptied = section / (0.61 * hole) * math.sqrt(2.0 * 5.0 / G)
    half = run(plant, round(emptied / 2.0))["level"]
    # After half the time a quarter of the head is left, and the flow has fallen linearly
    assert half[-1] == pytest.approx(12.5, rel=2e-3)
    later = run(plant, round(emptied / 2.0) + 10)
    assert later["level"][-1] == 0.0
    assert np.flatnonzero(later["level"] == 0.0)[0] == pytest.approx(emptied / 2.0, abs=3.0)


def test_within_one_long_step_the_root_of_the_head_falls_linearly() -> None:
    plant = tank(level=50.0, capacity=100.0, height=10.0, blanket=0.0, supply_gain=0.0, start_level=0.0)
    plant.breached[:] = True
    plant.set("filling", 0.0)
    plant.set("drawing", 0.0)
    plant.set("leak_diameter", 300.0)
    plant.step(10.0)
    fall = 0.61 * math.pi / 4.0 * 0.3**2 / 10.0 * math.sqrt(2.0 * G) * 10.0 / 2.0
    assert plant.level[0] / 10.0 == pytest.approx((math.sqrt(5.0) - fall) ** 2, rel=1e-9)


def test_heating_raises_the_temperature_by_heat_over_heat_capacity() -> None:
    plant = tank(level=50.0, temperature=20.0, capacity=100.0, heat_loss=0.0, start_level=0.0)
    plant.set("filling", 0.0)
    plant.set("drawing", 0.0)
    plant.set("heating", 500.0)
    temperature = run(plant, 3600)["temperature"][-1]
    assert temperature == pytest.approx(20.0 + 500e3 * 3600.0 / (50.0 * 791.0 * 2510.0), rel=1e-12)


def test_what_is_filled_in_drives_as_much_gas_out_through_the_breather() -> None:
    plant = tank(level=40.0)
    plant.set("drawing", 0.0)
    plant.set("filling", 100.0)
    plant.set("stop_failure", 1.0)
    read = run(plant, 3600)
    # 100 m3/h at the blanket's pressure and 20 °C, told at 0 °C and 101.325 kPa
    driven = 100.0 * (101.325 + read["pressure"][-1]) / 101.325 * 273.15 / (read["temperature"][-1] + 273.15)
    assert read["vent_flow"][-1] == pytest.approx(driven, rel=1e-3)


def test_filling_hot_into_cold_gives_the_mixing_temperature() -> None:
    plant = tank(level=20.0, temperature=15.0, heat_loss=0.0, capacity=1000.0)
    plant.set("drawing", 0.0)
    plant.set("filling", 400.0)
    plant.set("fill_temperature", 60.0)
    plant.set("stop_failure", 1.0)
    temperature = run(plant, 3600)["temperature"][-1]
    assert temperature == pytest.approx((200.0 * 15.0 + 400.0 * 60.0) / 600.0, rel=1e-12)


def test_heat_is_balanced_to_rounding_and_cools_by_newtons_law() -> None:
    plant = tank(level=50.0, temperature=80.0, capacity=10.0, height=2.0, heat_loss=500.0, start_level=0.0)
    plant.set("filling", 0.0)
    plant.set("drawing", 0.0)
    plant.set("ambient_temperature", 10.0)
    read = run(plant, 7200)
    warmth = 5.0 * 791.0 * 2510.0
    seconds = np.arange(1, 7201)
    np.testing.assert_allclose(read["temperature"], 10.0 + 70.0 * np.exp(-seconds * 500.0 / warmth), atol=2e-3)
    lost = (500.0 * (read["temperature"] - 10.0)).sum()
    assert warmth * (80.0 - read["temperature"][-1]) == pytest.approx(lost, rel=1e-9)


def test_the_blanket_is_an_ideal_gas_when_nothing_lets_it_out() -> None:
    plant = tank(level=40.0, capacity=1000.0, blanket=1.0, strength=90.0, supply_gain=0.0, breather_gain=0.0)
    plant.set("drawing", 0.0)
    plant.set("filling", 300.0)
    plant.set("stop_failure", 1.0)
    begun = plant.gas[0]
    read = run(plant, 3600)
    # Isothermal compression from 650 to 350 m3
    assert read["pressure"][-1] + 101.325 == pytest.approx((1.0 + 101.325) * 650.0 / 350.0, rel=1e-9)
    assert plant.gas[0] == begun
    assert begun == pytest.approx((101.325 + 1.0) * 1e3 * 650.0 / (GAS_CONSTANT * 293.15), rel=1e-12)


def test_the_blanket_keeps_its_pressure_and_a_blocked_breather_bursts_the_roof() -> None:
    kept = tank(level=40.0)
    kept.set("filling", 240.0)
    pressure = run(kept, 1800)["pressure"]
    assert pressure.min() > 0.5
    assert pressure.max() < 1.5
    blocked = tank(level=40.0)
    blocked.set("filling", 240.0)
    blocked.set("vent_blocked", 1.0)
    pressure = run(blocked, 1800)["pressure"]
    assert 5.0 < pressure.max() <= 6.0
    assert blocked.breached[0]
    assert pressure[-1] == 0.0


def test_a_drawn_tank_without_nitrogen_sucks_in_air_at_its_vacuum_setting() -> None:
    plant = tank(level=60.0)
    plant.set("filling", 0.0)
    plant.set("drawing", 200.0)
    plant.set("blanket_failure", 1.0)
    pressure = run(plant, 1800)["pressure"]
    assert pressure[-1] == pytest.approx(-0.3, abs=0.1)
    assert not plant.breached[0]


def test_the_pump_draws_no_more_below_its_cut_off() -> None:
    plant = tank(level=5.0, start_level=0.0, cutoff_level=2.0)
    plant.set("filling", 0.0)
    plant.set("drawing", 600.0)
    read = run(plant, 3600)
    assert read["drawing_flow"][-1] < 1.0
    assert read["level"][-1] >= 2.0
