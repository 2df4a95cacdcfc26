"""Coal face: methane against dilution at rest, the analytic build-up after a fan stop, and its own balance."""

import math

import numpy as np
import pytest

from simulators.plants import PLANTS
from simulators.plants.coal_face import CoalFace


def face(count: int = 1, seed: int = 1, **parameters: float) -> CoalFace:
    return CoalFace(count, np.random.default_rng(seed), {"variation": 0.0, **parameters})


def test_it_is_registered() -> None:
    assert PLANTS["coal_face"] is CoalFace


def test_the_return_comes_to_rest_at_gas_by_air() -> None:
    """C = q/Q with the gas itself in the air: (E + Q c_in) / (Q + E), whatever leaks through the goaf on the way."""
    plant = face()
    plant.set("production", 0.0)
    plant.step(1.5 * 3600.0)
    gas = (0.045 + 0.030) * (1.0 - 0.35)
    expected = (gas + 21.6 * 0.0005) / (21.6 + gas)
    assert float(plant.read()["methane_return"][0]) == pytest.approx(100.0 * expected, rel=1e-9)
    face_gas, air = 0.045 * 0.65, 21.6 * 0.92
    assert float(plant.read()["methane"][0]) == pytest.approx(
        100 * (face_gas + air * 0.0005) / (air + face_gas), rel=1e-9
    )
    assert plant.read()["methane_corner"][0] > plant.read()["methane_return"][0] > plant.read()["methane"][0]


def test_after_a_sudden_stop_of_the_air_methane_builds_up_along_the_exponential() -> None:
    """One well-mixed space: V c' = E - (Q + E) c, c(t) = c_rest + (c(0) - c_rest) e^(-(Q + E) t / V)."""
    plant = face(inertia=0.0, natural=0.02, goaf_gas=0.0, goaf_air=0.0, extraction_share=0.0, face_volume=1800.0)
    plant.set("production", 0.0)
    plant.set("intake_methane", 0.0)
    plant.step(3600.0)
    begin = float(plant.read()["methane"][0]) / 100.0
    plant.set("fan", 0.0)
    through = 21.6 * 0.02 + 0.045
    rest = 0.045 / through
    for minute in range(1, 61):
        plant.step(60.0)
        expected = rest + (begin - rest) * math.exp(-through * minute * 60.0 / 1800.0)
        assert float(plant.read()["methane"][0]) == pytest.approx(100.0 * expected, rel=1e-9)
    # 5.4 %vol after an hour: explosive
    assert float(plant.read()["methane"][0]) > 5.0


def test_methane_is_neither_made_nor_lost() -> None:
    """Mass balance: held now less held then = given off + carried in - carried out, through a stop and a restart."""
    plant = CoalFace(25, np.random.default_rng(2))
    begin = plant.held
    for name, value in [("fan", 0.0), ("outburst", 2.0), ("fan", 1.0), ("outburst", 0.0), ("short_circuit", 0.7)]:
        plant.set(name, value)
        plant.step(600.0)
    plant.step(3600.0)
    np.testing.assert_allclose(plant.held - begin, plant.given_off + plant.carried_in - plant.carried_out, atol=1e-8)


def test_a_fan_stop_alarms_within_minutes_and_its_return_clears() -> None:
    plant = face(seed=4)
    plant.step(3600.0)
    assert plant.read()["methane"][0] < 1.0
    plant.set("fan", 0.0)
    plant.step(1800.0)
    stopped = plant.read()
    assert stopped["methane"][0] > 1.5
    assert stopped["air_speed"][0] == pytest.approx(0.03 * 1.8, rel=0.01)
    assert stopped["oxygen"][0] < 20.6
    plant.set("fan", 1.0)
    plant.step(1800.0)
    assert plant.read()["methane"][0] < 1.0


def test_without_extraction_its_share_of_the_gas_comes_into_the_air() -> None:
    plant = face()
    plant.set("production", 0.0)
    plant.step(3600.0)
    before = plant.read()
    plant.set("extraction", 0.0)
    plant.step(3600.0)
    after = plant.read()
    gained = (after["methane_return"][0] - 0.05) / (before["methane_return"][0] - 0.05)
    assert gained == pytest.approx(1.0 / 0.65, rel=0.01)
    assert before["extraction_flow"][0] == pytest.approx(0.075 * 0.35 / 0.38 * 60.0)
    assert after["extraction_flow"][0] == 0.0


def test_cutting_raises_methane_for_sixty_percent_of_a_cycle() -> None:
    plant = face()
    cutting, methane = [], []
    for _ in range(2 * 240):
        plant.step(10.0)
        now = plant.read()
        cutting.append(float(now["cutting"][0]))
        methane.append(float(now["methane"][0]))
    assert np.mean(cutting[240:]) == pytest.approx(0.6, abs=0.01)
    # First order in the coal and in the air: the peak comes as cutting ends, the trough as it begins again
    assert np.argmax(methane[240:]) == pytest.approx(144, abs=6)
    assert max(methane[240:]) > 1.5 * min(methane[240:])


def test_the_interlock_stops_the_shearer_at_one_and_a_half_percent_until_one() -> None:
    plant = face()
    plant.set("outburst", 0.6)
    plant.step(1200.0)
    now = plant.read()
    assert now["methane"][0] > 1.5
    assert now["cutting"][0] == 0.0
    plant.set("interlock", 0.0)
    plant.step(10.0)
    assert plant.read()["cutting"][0] == 1.0


def test_an_open_ventilation_door_doubles_what_half_the_air_must_carry() -> None:
    plant = face()
    plant.set("production", 0.0)
    plant.set("intake_methane", 0.2)
    plant.set("short_circuit", 0.5)
    plant.step(3 * 3600.0)
    gas, air = 0.075 * 0.65, 10.8
    assert plant.read()["methane_return"][0] == pytest.approx(100.0 * (gas + air * 0.002) / (air + gas), rel=1e-6)
    assert plant.read()["methane_intake"][0] == 0.2
    assert plant.read()["air_speed"][0] == pytest.approx(0.9)


def test_gas_from_the_goaf_shows_at_the_upper_corner_and_not_at_the_face() -> None:
    plant = face()
    plant.set("production", 0.0)
    plant.step(1800.0)
    before = plant.read()
    plant.set("goaf_outburst", 0.1)
    plant.step(1800.0)
    after = plant.read()
    assert after["methane"][0] == pytest.approx(before["methane"][0], rel=1e-6)
    # 0.065 m³/s more into a fifth of the air
    assert after["methane_corner"][0] - before["methane_corner"][0] == pytest.approx(
        100 * 0.065 / (21.6 * 0.2), rel=0.03
    )
