"""The batch reactor against what is known: Fogler's Example 9-2, adiabatic rise, time to maximum rate, Semenov."""

import math

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp

from simulators.plants.batch_reactor import BatchReactor, Phase

FOGLER = {
    "variation": 0.0,
    "oncb": 9.0448,
    "ammonia": 33.0,
    "water": 103.7,
    "temperature": 448.0 - 273.15,
    # The book's exchanger is at the coolant's temperature at once
    "jacket": 1e-3,
    "coolant": 1e5,
    "strength": 1e6,
}
ADIABATIC = FOGLER | {"exchange": 0.0, "coolant": 0.0, "heating": 0.0}
CALORIE = 4.184
R = 1.987204 * CALORIE  # J/mol/K


def reactor(parameters: dict[str, float]) -> BatchReactor:
    plant = BatchReactor(1, np.random.default_rng(1), parameters)
    plant.set("setpoint", 448.0 - 273.15)
    plant.set("coolant_temperature", 298.0 - 273.15)
    plant.set("disc_blocked", 1.0)
    return plant


def run(plant: BatchReactor, seconds: float, dt: float = 1.0) -> None:
    for _ in range(round(seconds / dt)):
        plant.step(dt)


def book(_: float, state: tuple[float, float]) -> list[float]:
    """The POLYMATH program of Fogler's Example 9-2 (Table E9-2.1), in kcal, kmol, K and minutes."""
    temperature, conversion = state
    volume, charge, ammonia = 3.265 + 1.854, 9.0448, 33.0
    k = 0.00017 * math.exp(11273.0 / 1.987 * (1.0 / 461.0 - 1.0 / temperature))
    rate = k * charge**2 * (1.0 - conversion) * (ammonia / charge - 2.0 * conversion) / volume**2
    removed = 35.83 * (temperature - 298.0)
    return [(rate * volume * 590_000.0 - removed) / 2504.0, rate * volume / charge]


def test_fogler_example_9_2_ten_minutes_without_cooling_run_away() -> None:
    plant = reactor(FOGLER)
    run(plant, 45 * 60)
    assert plant.read()["conversion"][0] == pytest.approx(3.3, abs=0.1)  # the book: X = 0.033
    assert plant.kelvin[0] == pytest.approx(448.0, abs=0.1)
    plant.set("cooling_failure", 1.0)
    run(plant, 10 * 60)
    # The book: T = 467.992 K, X = 0.0424, Qg = 6591 kcal/min against Qr = 6093 kcal/min at full cooling
    assert plant.kelvin[0] == pytest.approx(467.992, abs=0.3)
    assert plant.read()["conversion"][0] == pytest.approx(4.24, abs=0.1)
    assert plant.generation[0] * 60.0 / CALORIE == pytest.approx(6591.0, rel=0.015)
    plant.set("cooling_failure", 0.0)
    plant.set("setpoint", 0.0)
    begun = (float(plant.kelvin[0]), float(plant.read()["conversion"][0]) / 100.0)
    # From here the same road as the book's program: the plateau, then runaway at about 119 min
    minutes = np.arange(1.0, 61.0)
    expected = solve_ivp(book, (0.0, 60.0), begun, t_eval=minutes, rtol=1e-9, atol=1e-9, method="LSODA").y[0]
    seen = []
    for _ in minutes:
        run(plant, 60)
        seen.append(plant.kelvin[0])
    assert expected[9] - begun[0] < 5.0
    assert expected[-1] > 520.0
    # A small difference at the plateau grows as the runaway does: compare the time at which both pass 500 K
    assert np.interp(500.0, seen, minutes) == pytest.approx(np.interp(500.0, expected, minutes), abs=0.5)
    np.testing.assert_allclose(seen[:40], expected[:40], atol=0.3)


def test_fogler_the_normal_charge_survives_ten_minutes_without_cooling() -> None:
    plant = reactor(FOGLER | {"oncb": 3.17, "ammonia": 43.0, "water": 103.6})
    run(plant, 45 * 60)
    plant.set("cooling_failure", 1.0)
    run(plant, 600)
    hottest = plant.kelvin[0]
    plant.set("cooling_failure", 0.0)
    run(plant, 3600)
    assert hottest > 450.0
    assert plant.kelvin[0] == pytest.approx(448.0, abs=3.0)


def test_fogler_without_the_failure_the_accidents_charge_is_held() -> None:
    plant = reactor(FOGLER)
    run(plant, 5400)
    assert plant.kelvin[0] == pytest.approx(448.0, abs=0.2)


def test_an_opened_disc_quenches_the_reaction() -> None:
    plant = reactor(FOGLER)
    plant.set("disc_blocked", 0.0)
    plant.set("cooling_failure", 1.0)
    hottest = 0.0
    for _ in range(4500):
        plant.step(1.0)
        hottest = max(hottest, plant.kelvin[0])
    assert plant.vented[0] > 1.0
    assert not plant.burst[0]
    assert hottest < 510.0
    assert plant.kelvin[0] < 400.0


def test_the_adiabatic_rise_is_heat_by_heat_capacity() -> None:
    plant = reactor(ADIABATIC | {"oncb": 0.5, "temperature": 180.0, "rate": 0.01})
    heat_capacity = CALORIE * (0.5 * 40.0 + 33.0 * 8.38 + 103.7 * 18.0)
    rise = 590_000.0 * CALORIE * 0.5 / heat_capacity
    assert plant.adiabatic_rise[0] == pytest.approx(rise, rel=1e-12)
    assert plant.mtsr[0] == pytest.approx(180.0 + rise, rel=1e-12)
    run(plant, 3600)
    assert plant.read()["conversion"][0] > 99.9
    done = plant.read()["conversion"][0] / 100.0
    # The jacket's own content, 1 J/K, is all that is heated beside the batch
    assert plant.kelvin[0] - 453.15 == pytest.approx(rise * done, rel=1e-5)
    assert plant.mtsr[0] == pytest.approx(180.0 + rise, rel=1e-4)


def test_heat_that_the_reaction_gives_is_what_the_batch_and_the_coolant_take() -> None:
    plant = BatchReactor(1, np.random.default_rng(1), {"variation": 0.0, "exchange": 50.0, "jacket": 100.0})
    capacity = CALORIE * (3.17 * 40.0 + 43.0 * 8.38 + 103.6 * 18.0)
    begun, cold = plant.kelvin[0], plant.read()["jacket_temperature"][0]
    made, taken = plant.amounts["c"][0], 0.0
    for _ in range(1800):
        plant.step(1.0)
        read = plant.read()
        taken += read["coolant_flow"][0] / 3.6 * 4.186 * (read["jacket_temperature"][0] - 25.0)
    given = 590_000.0 * CALORIE * (plant.amounts["c"][0] - made)
    stored = capacity * (plant.kelvin[0] - begun) + 100.0 * (plant.read()["jacket_temperature"][0] - cold)
    assert given == pytest.approx(taken + stored, rel=1e-9)


def test_matter_is_kept() -> None:
    plant = reactor(FOGLER)
    run(plant, 3600)
    amounts = plant.amounts
    assert amounts["a"][0] + amounts["c"][0] == pytest.approx(9.0448, rel=1e-12)
    assert amounts["b"][0] + 2.0 * amounts["c"][0] == pytest.approx(33.0, rel=1e-12)
    assert amounts["w"][0] == 103.7


def test_the_time_to_maximum_rate_is_that_of_the_quadrature_and_near_its_zero_order_formula() -> None:
    plant = reactor(ADIABATIC)
    formula = plant.tmr_ad[0]
    rise = plant.adiabatic_rise[0]
    activation = 11_273.0 * CALORIE

    def seconds_per_kelvin(kelvin: float) -> float:
        done = (kelvin - 448.0) / rise
        k = 0.00017 / 60.0 * math.exp(activation / R * (1.0 / 461.0 - 1.0 / kelvin))
        rate = k * 9.0448 * (1.0 - done) * (33.0 - 2.0 * 9.0448 * done) / 5.119
        return float((9.0448 * 40.0 + 33.0 * 8.38 + 103.7 * 18.0) / (rate * 590_000.0))

    # As far as 1000 K: what is left of the time is seconds
    exact, _ = quad(seconds_per_kelvin, 448.0, 1000.0)
    passed = 0.0
    while plant.kelvin[0] < 1000.0:
        plant.step(1.0)
        passed += 1.0
    assert passed == pytest.approx(exact, rel=2e-3)
    # The formula takes exp(-E/RT) as an exponential of T and forgets consumption: short by 2 e + 6 e² + ... with
    # e = R T / E = 0.079, and by the fifth of the charge that has reacted meanwhile
    assert formula == pytest.approx(448.0**2 * R / activation / (4092.0 / 2504.9) * 60.0, rel=1e-3)
    assert 0.75 * passed < formula < 0.85 * passed


def test_semenovs_critical_cooling_parts_ignition_from_safety() -> None:
    # Critical where heat removed touches heat generated: T - T_c = R T² / E and UA = q'(T), of zero order. So much
    # heat from so little conversion (adiabatic rise 18 000 K) that consumption does not shift the limit
    ratio, coolant = 11_273.0 * CALORIE / R, 368.15
    critical = (ratio - math.sqrt(ratio * ratio - 4.0 * ratio * coolant)) / 2.0
    k = 0.002 / 60.0 * math.exp(ratio * (1.0 / 461.0 - 1.0 / critical))
    slope = k * 9.0448 * 33.0 / 5.119 * 5e6 * CALORIE * ratio / critical**2  # kW/K
    hottest, burst = {}, {}
    for share in (0.93, 1.07):
        chosen = {"exchange": share * slope * 60.0 / CALORIE, "heat": 5e6, "rate": 0.002, "temperature": 95.0}
        plant = reactor(FOGLER | chosen)
        plant.set("setpoint", 0.0)
        plant.set("coolant_temperature", 95.0)
        hottest[share] = coolant
        for _ in range(60):
            run(plant, 60)
            hottest[share] = max(hottest[share], float(plant.kelvin[0]))
            burst[share] = bool(plant.burst[0])
            if burst[share]:
                break
    assert burst[0.93]
    assert not burst[1.07]
    assert hottest[1.07] < critical


def test_a_batch_is_charged_heated_reacted_cooled_and_discharged() -> None:
    quick = {"phase": 0.0, "charging": 300.0, "reacting": 200.0, "discharging": 200.0, "waiting": 100.0}
    quick |= {"exchange": 1000.0, "heating": 100.0}
    plant = BatchReactor(2, np.random.default_rng(1), quick)
    seen: list[int] = []
    reacting = 0.0
    for _ in range(250):
        plant.step(10.0)
        phase = int(plant.read()["phase"][0])
        reacting += 10.0 * (phase == Phase.REACT)
        if not seen or seen[-1] != phase:
            seen.append(phase)
    assert reacting == pytest.approx(200.0 * seen.count(Phase.REACT), abs=20.0)
    assert seen[:7] == [Phase.CHARGE, Phase.HEAT, Phase.REACT, Phase.COOL, Phase.DISCHARGE, Phase.WAIT, Phase.CHARGE]
    plant = BatchReactor(1, np.random.default_rng(1), {"variation": 0.0, "phase": 0.0})
    run(plant, 1810)
    assert plant.read()["level"][0] == pytest.approx(100.0 * 5.119 / 7.0, rel=1e-3)
    assert plant.amounts["w"][0] == pytest.approx(103.6, rel=1e-3)


def test_the_example_pressure_of_500_psi_at_the_normal_charge() -> None:
    plant = BatchReactor(1, np.random.default_rng(1), {"variation": 0.0})
    assert plant.read()["pressure"][0] == pytest.approx(500.0 * 6.895, rel=0.02)


@pytest.mark.parametrize(("celsius", "kilopascal"), [(175.0, 892.0), (220.0, 2318.0), (265.0, 5085.0)])
def test_water_alone_has_the_pressure_of_the_steam_tables(celsius: float, kilopascal: float) -> None:
    water = {"variation": 0.0, "oncb": 0.0, "ammonia": 0.0, "temperature": celsius}
    plant = BatchReactor(1, np.random.default_rng(1), water)
    air = 101.325 * (celsius + 273.15) / 298.15
    assert plant.read()["pressure"][0] + 101.325 - air == pytest.approx(kilopascal, rel=0.01)


def test_a_reactor_goes_the_same_way_whatever_its_neighbours_do() -> None:
    alone = BatchReactor(1, np.random.default_rng(1), FOGLER)
    together = BatchReactor(2, np.random.default_rng(1), FOGLER)
    together.set("cooling_failure", 1.0, 1)
    for _ in range(1500):
        alone.step(1.0)
        together.step(1.0)
    assert abs(together.kelvin[1] - together.kelvin[0]) > 20.0
    for name, value in alone.read().items():
        assert value[0] == together.read()[name][0]
