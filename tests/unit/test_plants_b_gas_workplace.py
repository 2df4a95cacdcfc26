"""Workplace beside blast-furnace gas: the two-zone model at rest, the one-room exponential, the water seal."""

import math

import numpy as np
import pytest
from scipy.linalg import expm

from domain.gases import SPECIES, convert
from simulators.plants import PLANTS
from simulators.plants.gas_workplace import GasWorkplace


def room(count: int = 1, seed: int = 1, **parameters: float) -> GasWorkplace:
    plant = GasWorkplace(count, np.random.default_rng(seed), {"variation": 0.0, **parameters})
    plant.set("outside_co", 0.0)
    plant.far[:] = plant.near[:] = 0.0
    return plant


def carbon_monoxide(plant: GasWorkplace) -> float:
    """m³/s that escape."""
    return float(plant.read()["leak_flow"][0]) / 3600.0 * 0.25


def test_it_is_registered() -> None:
    assert PLANTS["gas_workplace"] is GasWorkplace


def test_both_zones_come_to_rest_where_nicas_model_has_them() -> None:
    """Nicas (1996): far field G/Q, near field G/Q + G/beta; the well-mixed C = q/Q is the far field."""
    plant = room(volume=100.0, mixing=0.2, air_changes=6.0)
    plant.set("gap", 20.0)
    plant.step(10_800.0)
    g, q = carbon_monoxide(plant), 6.0 * 100.0 / 3600.0
    now = plant.read()
    assert now["co"][0] == pytest.approx(1e6 * g / q, rel=1e-4)
    assert now["co_near"][0] == pytest.approx(1e6 * (g / q + g / 0.2), rel=1e-4)


def test_on_the_way_there_it_follows_the_exact_solution() -> None:
    """The two balances are linear: c(t) = c_rest - expm(A t) c_rest."""
    plant = room()
    plant.set("gap", 50.0)
    q, beta, far, near = 1.5 * 1500.0 / 3600.0, 0.6, 1500.0, 30.0
    matrix = np.array([[-(q + beta) / far, beta / far], [beta / near, -beta / near]])
    for minute in range(1, 21):
        plant.step(60.0)
        g = carbon_monoxide(plant)
        rest = -np.linalg.solve(matrix, np.array([0.0, g / near]))
        expected = rest - expm(matrix * 60.0 * minute) @ rest
        now = plant.read()
        np.testing.assert_allclose([now["co"][0], now["co_near"][0]], expected * 1e6, rtol=1e-4)


def test_with_quick_mixing_it_is_one_room_that_fills_along_the_exponential() -> None:
    """c(t) = G/Q (1 - e^(-Q t/V)), the well-mixed room."""
    plant = room(volume=1000.0, near=1.0, mixing=1000.0)
    plant.set("gap", 50.0)
    plant.step(1800.0)
    g, q = carbon_monoxide(plant), 1.5 * 1000.0 / 3600.0
    expected = g / q * -math.expm1(-q * 1800.0 / 1001.0)
    assert plant.read()["co"][0] == pytest.approx(1e6 * expected, rel=2e-3)


def test_carbon_monoxide_is_neither_made_nor_lost() -> None:
    """Mass balance: held now less held then = released - removed."""
    plant = GasWorkplace(30, np.random.default_rng(2))
    begin = plant.held
    plant.set("gap", 200.0)
    plant.step(600.0)
    plant.set("fan", 1.0)
    plant.set("gap", 0.0)
    plant.step(3600.0)
    np.testing.assert_allclose(plant.held - begin, plant.released - plant.removed, atol=1e-10)


def test_a_seal_holds_what_its_water_weighs_and_no_more() -> None:
    """12 kPa stand against rho g h = 998.2 · 9.80665 · h: 1226 mm of water."""
    plant = room()
    plant.set("refill", 0.0)
    plant.set("seal_loss", 1800.0)
    tight = []
    for _ in range(3600):
        plant.step(1.0)
        now = plant.read()
        if now["leak_flow"][0] > 0.0:
            break
        tight.append(float(now["seal_level"][0]))
    assert min(tight) == pytest.approx(12_000.0 / (998.2 * 9.80665) * 1000.0, abs=0.6)
    plant.step(600.0)
    now = plant.read()
    assert now["leak_flow"][0] > 50.0
    assert now["co_near"][0] > now["co"][0] > 160.0
    plant.set("seal_loss", 0.0)
    plant.set("refill", 1e5)
    plant.step(60.0)
    assert plant.read()["leak_flow"][0] == 0.0


def test_gas_through_a_gap_flows_as_through_an_orifice() -> None:
    """Q = c A sqrt(2 p/rho): 100 mm², 12 kPa, 60 °C, rho 1.192: 0.61e-4 · 141.9 m/s, at 20 °C 0.984 of it."""
    plant = room()
    plant.set("gap", 100.0)
    plant.step(1.0)
    assert plant.read()["leak_flow"][0] == pytest.approx(0.61e-4 * 141.9 * 0.984 * 3600.0, rel=2e-3)


def test_ppm_and_mass_are_one_concentration() -> None:
    plant = room()
    plant.set("gap", 100.0)
    plant.step(600.0)
    now = plant.read()
    expected = convert(float(now["co"][0]), "ppm", "mg/m3", SPECIES["CO"])
    assert now["co_mass"][0] == pytest.approx(expected, rel=1e-9)
    # 24 ppm, the first level for metallurgy gas, are 27.9 mg/m³
    assert convert(24.0, "ppm", "mg/m3", SPECIES["CO"]) == pytest.approx(27.9, abs=0.05)


def test_the_fan_clears_the_room_at_its_air_changes() -> None:
    plant = room(near=1.0, mixing=1000.0)
    plant.far[:] = plant.near[:] = 500e-6
    plant.set("fan", 1.0)
    plant.step(600.0)
    assert plant.read()["co"][0] == pytest.approx(500.0 * math.exp(-11.5 / 6.0 * 1500.0 / 1501.0), rel=5e-3)
    assert plant.read()["air_changes"][0] == pytest.approx(11.5)


def test_a_closed_room_comes_to_what_is_outside_and_doors_hasten_it() -> None:
    shut, opened = room(), room()
    opened.set("doors", 1.0)
    for plant in (shut, opened):
        plant.set("outside_co", 40.0)
        plant.step(600.0)
    assert shut.read()["co"][0] < opened.read()["co"][0] < 40.0
    assert opened.read()["air_changes"][0] == pytest.approx(9.5)
    opened.step(7200.0)
    assert opened.read()["co"][0] == pytest.approx(40.0, abs=1e-3)


def test_the_pressure_wanders_about_what_is_set() -> None:
    plant = GasWorkplace(300, np.random.default_rng(2))
    plant.set("pressure", 10.0)
    plant.step(600.0)
    assert plant.read()["gas_pressure"].mean() == pytest.approx(10.0, abs=0.1)
    assert plant.read()["gas_pressure"].std() == pytest.approx(0.4, rel=0.2)
