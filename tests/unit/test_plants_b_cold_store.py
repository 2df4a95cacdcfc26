"""Cold store: ammonia against the analytic well-mixed room, heat against its balance."""

import math

import numpy as np
import pytest

from domain.gases import SPECIES, convert
from simulators.plants import PLANTS
from simulators.plants.cold_store import ColdStore, ammonia_pressure

QUIET: dict[str, float | str] = {"variation": 0.0, "defrost_for": 0.0}


def store(count: int = 1, seed: int = 1, **parameters: float) -> ColdStore:
    return ColdStore(count, np.random.default_rng(seed), {**QUIET, **parameters})


def test_it_is_registered() -> None:
    assert PLANTS["cold_store"] is ColdStore


def test_ammonia_in_the_machine_room_follows_the_analytic_exponential() -> None:
    """Well-mixed room: c(t) = q/(Q+q) (1 - e^(-(Q+q) t/V)); 1 g/s of NH3 at 25 °C are 1.4366e-3 m³/s."""
    plant = store(machine_room=400.0, machine_room_air=3.0, fan_starts=1e6)
    plant.set("machine_room_leak", 1.0)
    q = 1.0 / 17.03 * 8.314462618 * 298.15 / 101_325.0
    through = 3.0 * 400.0 / 3600.0 + q
    for minute in range(1, 61):
        plant.step(60.0)
        expected = q / through * -math.expm1(-through * minute * 60.0 / 400.0)
        assert plant.read()["machine_room_ammonia"][0] == pytest.approx(expected * 1e6, rel=1e-9)


def test_it_comes_to_rest_at_leak_by_ventilation() -> None:
    """C = q/Q in mg/m³: 0.1 g/s into 1200 m³/h are 300 mg/m³, less what the leak itself adds to the air."""
    plant = store(machine_room_air=3.0, fan_starts=1e6)
    plant.set("machine_room_leak", 0.1)
    plant.step(20_000.0)
    ppm = float(plant.read()["machine_room_ammonia"][0])
    assert convert(ppm, "ppm", "mg/m3", SPECIES["NH3"], temperature=25.0) == pytest.approx(300.0, rel=1e-3)


def test_the_emergency_fan_starts_by_itself_clears_the_room_and_stops() -> None:
    plant = store()
    plant.set("machine_room_leak", 2.0)
    plant.step(120.0)
    plant.set("machine_room_leak", 0.0)
    high = float(plant.read()["machine_room_ammonia"][0])
    assert high > 150.0
    plant.step(60.0)
    after = float(plant.read()["machine_room_ammonia"][0])
    # 15 air changes an hour: a quarter of an e-fold a minute
    assert after / high == pytest.approx(math.exp(-15.0 / 60.0), rel=1e-6)
    failed = store()
    failed.set("exhaust_failure", 1.0)
    failed.set("machine_room_leak", 2.0)
    failed.step(120.0)
    failed.set("machine_room_leak", 0.0)
    begin = float(failed.read()["machine_room_ammonia"][0])
    failed.step(60.0)
    assert float(failed.read()["machine_room_ammonia"][0]) / begin == pytest.approx(math.exp(-3.0 / 60.0), rel=1e-6)


def test_a_leak_ends_with_the_charge() -> None:
    plant = store(charge=1.0)
    plant.set("leak", 10.0)
    plant.step(90.0)
    assert plant.charge[0] > 0.0
    plant.step(30.0)
    assert plant.charge[0] == 0.0
    peak = float(plant.read()["ammonia"][0])
    plant.step(600.0)
    assert float(plant.read()["ammonia"][0]) < peak


def test_the_heat_balance_holds_to_rounding() -> None:
    """Energy balance: J stored now less J stored then are the J that came in; with defrosting, doors, a failure."""
    plant = ColdStore(30, np.random.default_rng(3))
    begin = plant.stored
    for hour in range(10):
        plant.set("cooling_failure", 1.0 if 4 <= hour < 7 else 0.0)
        plant.step(3600.0)
    scale = np.abs(plant.stored).max()
    np.testing.assert_allclose(plant.stored - begin, plant.gained, rtol=1e-9, atol=scale * 1e-12)


def test_without_cooling_the_room_comes_to_rest_where_walls_carry_off_the_fans_heat() -> None:
    """At rest UA (T - T_out) = P: T = T_out + P / (UA + rho cp Q)."""
    plant = store(temperature=20.0, goods=0.1, fixtures=1.0, leakage=0.0, wall_loss=3000.0)
    plant.set("cooling_failure", 1.0)
    plant.step(36_000.0)
    assert float(plant.read()["temperature"][0]) == pytest.approx(25.0 + 3000.0 / 3000.0, abs=1e-3)


def test_the_thermostat_keeps_the_room_between_its_limits() -> None:
    plant = store()
    plant.step(10_800.0)
    seen = []
    for _ in range(240):
        plant.step(60.0)
        seen.append(float(plant.read()["temperature"][0]))
    # A minute's running on after the stop, and starting up after the start
    assert -18.3 < min(seen) < -17.9
    assert -17.1 < max(seen) < -16.7


def test_a_failure_of_the_cooling_warms_the_air_first_and_the_goods_slowly() -> None:
    plant = store()
    plant.step(7200.0)
    plant.set("cooling_failure", 1.0)
    plant.step(4 * 3600.0)
    now = plant.read()
    assert now["temperature"][0] > now["goods_temperature"][0] > -18.5
    assert now["cooling"][0] == pytest.approx(0.0, abs=0.1)
    assert now["suction_pressure"][0] > 70.0


def test_an_open_door_warms_the_room_as_the_formula_of_gosney_and_olama_says() -> None:
    """By hand, -20 and 20 °C, 2 m x 2.5 m: 0.221 · 5 · sqrt(9.81 · 2.5 · 0.1364) · 0.9646 = 1.95 m³/s."""
    plant = store(temperature=-20.0)
    plant.set("outside_temperature", 20.0)
    plant.step(0.01)
    assert float(plant.exchange()[0]) == pytest.approx(1.95, abs=0.01)
    equal = store(temperature=20.0)
    equal.set("outside_temperature", 20.0)
    equal.step(0.01)
    assert float(equal.exchange()[0]) == pytest.approx(0.0, abs=0.02)


def test_ammonia_boils_at_the_pressures_of_its_table() -> None:
    """Saturation pressure in kPa, NIST REFPROP (ASHRAE Fundamentals, R-717); Antoine's equation is within 2 %."""
    known = {-33.33: 101.3, -28.0: 131.5, -18.0: 207.6, 0.0: 429.4, 20.0: 857.5, 35.0: 1350.4}
    np.testing.assert_allclose(ammonia_pressure(np.array(list(known))), list(known.values()), rtol=0.02)


def test_doors_open_as_often_as_said() -> None:
    plant = ColdStore(200, np.random.default_rng(5))
    plant.set("traffic", 12.0)
    opened = 0.0
    before = np.zeros(200)
    for _ in range(3600):
        plant.step(1.0)
        door = plant.read()["door"]
        opened += float(((door > 0.0) & (before == 0.0)).sum())
        before = door
    # An opening that begins while the door is open cannot be seen: 12/h of 40 s hide e^(-12/90)
    assert opened / 200 == pytest.approx(12.0 * math.exp(-12.0 / 90.0), rel=0.05)


def test_an_open_door_loads_the_room_by_its_exchange_and_a_curtain_spares_most_of_it() -> None:
    shut, bare, curtained = store(), store(curtain=0.0), store(curtain=0.9)
    plants = (shut, bare, curtained)
    for plant in plants:
        plant.set("cooling_failure", 1.0)
        plant.step(600.0)
    before = [float(plant.gained[0]) for plant in plants]
    for plant in plants:
        plant.set("door_open", 0.0 if plant is shut else 1.0)
        plant.step(10.0)
    closed, *opened = [(float(p.gained[0]) - b) / 10.0 for p, b in zip(plants, before, strict=True)]
    loads = [one - closed for one in opened]
    flow = float(bare.exchange()[0])
    assert loads[0] == pytest.approx(flow * 1.184 * 1006.0 * 42.0, rel=0.15)
    assert loads[1] / loads[0] == pytest.approx(0.1, abs=0.03)
    assert bare.read()["door"][0] == 1.0


def test_condensing_pressure_follows_the_weather() -> None:
    """10 K above 30 °C: ammonia boils at 40 °C under 1555 kPa absolute (R-717 table)."""
    plant = store()
    plant.set("outside_temperature", 30.0)
    plant.set("set_temperature", -28.0)
    plant.step(1200.0)
    assert plant.read()["discharge_pressure"][0] + 101.3 == pytest.approx(1555.0, rel=0.02)
    assert plant.read()["suction_pressure"][0] + 101.3 == pytest.approx(131.5, rel=0.02)
