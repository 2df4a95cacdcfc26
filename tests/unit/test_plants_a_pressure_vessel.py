"""The pressure vessel against what is known: Gay-Lussac, adiabatic blowdown, choked flow, pop and reseat pressures."""

import math

import numpy as np
import pytest

from domain.gases import GAS_CONSTANT
from simulators.plants.pressure_vessel import ATMOSPHERE, PressureVessel

PLAIN = {"variation": 0.0}
SHUT = PLAIN | {"outlet_area": 0.0, "relief_area": 0.0, "heat_loss": 0.0}
R, M, GAMMA = GAS_CONSTANT, 0.02801, 1.4


def vessel(**parameters: float) -> PressureVessel:
    plant = PressureVessel(1, np.random.default_rng(1), parameters)
    plant.set("feed", 0.0)
    return plant


def test_heating_at_constant_volume_follows_gay_lussac_and_the_heat_balance() -> None:
    plant = vessel(**SHUT, relief_set=1e5, strength=1e5)
    amount, kelvin, pressure = plant.amount[0], plant.kelvin[0], plant.pressure[0]
    plant.set("heating", 50.0)
    for _ in range(600):
        plant.step(1.0)
    cv = R / (GAMMA - 1.0)
    assert plant.kelvin[0] == pytest.approx(kelvin + 50e3 * 600.0 / (amount * cv), rel=1e-12)
    assert plant.pressure[0] / pressure == pytest.approx(plant.kelvin[0] / kelvin, rel=1e-12)
    assert plant.amount[0] == amount


def test_filling_an_insulated_vessel_heats_by_gamma() -> None:
    # Much gas of T into a small rest of it: the temperature tends to gamma T (flow work)
    plant = vessel(**SHUT, pressure=0.0, temperature=20.0, relief_set=1e5, strength=1e6)
    plant.set("feed", 20_000.0)
    plant.set("feed_temperature", 20.0)
    begun = plant.amount[0]
    for _ in range(3000):
        plant.step(1.0)
    fed = plant.amount[0] - begun
    expected = (begun + GAMMA * fed) / (begun + fed) * 293.15
    assert plant.kelvin[0] == pytest.approx(expected, rel=1e-9)
    assert plant.kelvin[0] > 1.35 * 293.15


def test_mass_and_heat_balance_to_rounding_while_everything_moves() -> None:
    plant = PressureVessel(3, np.random.default_rng(2), {"heat_loss": 0.0, "relief_set": 820.0, "outlet_area": 500.0})
    plant.set("heating", 200.0)
    plant.set("outlet_blocked", 0.8)
    begun = plant.amount.copy()
    moved = np.zeros(3)
    for _ in range(300):
        plant.step(1.0)
        read = plant.read()
        moved += (read["feed_flow"] - read["outlet_flow"] - read["relief_flow"]) / 3600.0 / M
    assert plant.openings.min() >= 1
    np.testing.assert_allclose(plant.amount - begun, moved, atol=1e-8 * begun.max())


def test_an_insulated_vessel_blows_down_along_the_isentrope() -> None:
    # p/p0 = (1 + (gamma - 1) / 2 t / tau)^(-2 gamma / (gamma - 1)) while choked, tau = V / (c A k sqrt(R T0 / M))
    area, volume, coefficient = 200.0, 5.0, 0.975
    plant = vessel(**(SHUT | {"relief_area": area, "volume": volume, "pressure": 3000.0, "relief_set": 1e5}))
    plant.set("relief_leak", 1.0)
    kelvin, pressure = plant.kelvin[0], plant.pressure[0]
    choke = math.sqrt(GAMMA) * (2.0 / (GAMMA + 1.0)) ** ((GAMMA + 1.0) / (2.0 * (GAMMA - 1.0)))
    tau = volume / (coefficient * area * 1e-6 * choke * math.sqrt(R * kelvin / M))
    for second in range(1, 121):
        for _ in range(10):
            plant.step(0.1)
        fallen = (1.0 + 0.5 * (GAMMA - 1.0) * second / tau) ** (-2.0 * GAMMA / (GAMMA - 1.0))
        assert plant.pressure[0] / pressure == pytest.approx(fallen, rel=2e-3)
        # T / T0 = (p / p0)^((gamma - 1) / gamma)
        assert plant.kelvin[0] / kelvin == pytest.approx(fallen ** (1.0 - 1.0 / GAMMA), rel=2e-3)
    assert plant.pressure[0] > 2.0 * ATMOSPHERE  # choked to the end


def test_choked_flow_is_that_of_the_handbooks() -> None:
    # Air-like gas at 1000 kPa and 300 K: 0.6847 p sqrt(M / (R T)) = 2295 kg/s/m2 (nitrogen, gamma 1.4)
    plant = vessel(**(SHUT | {"relief_area": 100.0, "pressure": 1000.0 - 101.325, "temperature": 26.85, "volume": 1e5}))
    plant.set("relief_leak", 1.0)
    plant.step(0.1)
    flow = plant.read()["relief_flow"][0] / 3600.0
    assert flow == pytest.approx(0.6847 * 1e6 * math.sqrt(M / (R * 300.0)) * 0.975 * 1e-4, rel=1e-3)


def test_flow_below_the_critical_ratio_is_that_of_the_isentropic_nozzle_and_ends_at_equal_pressures() -> None:
    plant = vessel(**(SHUT | {"relief_area": 100.0, "pressure": 50.0, "temperature": 20.0, "volume": 1e4}))
    plant.set("relief_leak", 1.0)
    plant.step(0.1)
    pressure, ratio = 50e3 + ATMOSPHERE, ATMOSPHERE / (50e3 + ATMOSPHERE)
    shape = math.sqrt(2.0 * GAMMA / (GAMMA - 1.0) * (ratio ** (2.0 / GAMMA) - ratio ** ((GAMMA + 1.0) / GAMMA)))
    expected = 0.975 * 1e-4 * pressure * shape * math.sqrt(M / (R * 293.15))
    assert plant.read()["relief_flow"][0] / 3600.0 == pytest.approx(expected, rel=1e-3)
    small = vessel(**(SHUT | {"relief_area": 5000.0, "pressure": 50.0, "volume": 1.0}))
    small.set("relief_leak", 1.0)
    for _ in range(60):
        small.step(1.0)
    # Emptied within one step: backward Euler cools a little more than the isentrope
    assert small.pressure[0] == pytest.approx(ATMOSPHERE, rel=5e-3)


def test_the_valve_pops_at_its_set_pressure_and_reseats_by_its_blowdown() -> None:
    plant = PressureVessel(1, np.random.default_rng(1), PLAIN | {"relief_set": 1000.0, "blowdown": 0.07})
    plant.set("outlet_blocked", 1.0)
    pressures, lifts = [], []
    for _ in range(3000):
        plant.step(0.1)
        read = plant.read()
        pressures.append(read["pressure"][0])
        lifts.append(read["relief_lift"][0])
    pressure, lift = np.array(pressures), np.array(lifts)
    assert 2 <= plant.openings[0] <= 10
    assert pressure.max() == pytest.approx(1000.0, abs=3.0)
    popped = np.flatnonzero((lift[1:] > 0.0) & (lift[:-1] == 0.0))
    closed = np.flatnonzero((lift[1:] == 0.0) & (lift[:-1] > 0.0))
    np.testing.assert_allclose(pressure[popped], 1000.0, atol=3.0)
    # The valve feels 2 % less than the vessel while it is open
    np.testing.assert_allclose(pressure[closed + 1], 1000.0 * (1.0 - 0.07 + 0.02), atol=6.0)


def test_an_inlet_line_that_loses_more_than_the_blowdown_makes_the_valve_chatter() -> None:
    def openings(loss: float) -> int:
        plant = PressureVessel(1, np.random.default_rng(1), PLAIN | {"blowdown": 0.07, "inlet_loss": loss})
        plant.set("outlet_blocked", 1.0)
        for _ in range(300):
            plant.step(1.0)
        return int(plant.openings[0])

    assert openings(0.03) <= 10
    assert openings(0.15) > 100


def test_a_stuck_valve_does_not_open_and_the_vessel_bursts() -> None:
    plant = PressureVessel(1, np.random.default_rng(1), PLAIN | {"strength": 2000.0})
    plant.set("outlet_blocked", 1.0)
    plant.set("relief_stuck", 1.0)
    plant.set("heating", 2000.0)
    highest = 0.0
    for _ in range(600):
        plant.step(1.0)
        highest = max(highest, plant.read()["pressure"][0])
    assert highest > 1900.0
    assert plant.burst[0]
    assert plant.openings[0] == 0
    assert plant.read()["pressure"][0] == pytest.approx(0.0, abs=1e-6)


def test_the_controller_holds_the_pressure_and_finds_a_new_setpoint() -> None:
    plant = PressureVessel(1, np.random.default_rng(1), PLAIN)
    for _ in range(300):
        plant.step(1.0)
    assert plant.read()["pressure"][0] == pytest.approx(800.0, abs=3.0)
    plant.set("setpoint", 700.0)
    for _ in range(1800):
        plant.step(1.0)
    assert plant.read()["pressure"][0] == pytest.approx(700.0, abs=3.0)


def test_a_sticking_outlet_valve_makes_the_pressure_swing_without_end() -> None:
    def swing(stiction: float) -> tuple[float, int]:
        plant = PressureVessel(1, np.random.default_rng(1), PLAIN)
        plant.set("outlet_stiction", stiction)
        plant.set("setpoint", 805.0)
        rows = []
        for _ in range(3600):
            plant.step(1.0)
            rows.append(plant.read())
        later = rows[1800:]
        pressure = np.array([row["pressure"][0] for row in later])
        valve = np.array([row["outlet_valve"][0] for row in later])
        return float(np.ptp(pressure)), int(np.count_nonzero(np.diff(valve)))

    steady, _ = swing(0.0)
    swinging, slips = swing(4.0)
    assert steady < 0.01
    assert swinging > 4.0
    assert 4 <= slips < 100


def test_a_vessel_goes_the_same_way_whatever_its_neighbours_do() -> None:
    alone = PressureVessel(1, np.random.default_rng(1), PLAIN)
    together = PressureVessel(3, np.random.default_rng(1), PLAIN)
    together.set("outlet_blocked", 1.0, slice(1, 3))
    for _ in range(400):
        alone.step(1.0)
        together.step(1.0)
    assert together.openings[1] > 0
    for name, value in alone.read().items():
        assert value[0] == together.read()[name][0]
