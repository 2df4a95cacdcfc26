"""Fireworks store: heat against its frequency response and balance, humidity against Magnus, the sun's place."""

import math

import numpy as np
import pytest

from simulators.plants import PLANTS
from simulators.plants.air import WATER, density, saturation
from simulators.plants.fireworks_store import FireworksStore, clear_sky, declination, sun

QUIET: dict[str, float | str] = {"variation": 0.0}


def store(count: int = 1, seed: int = 1, **parameters: float) -> FireworksStore:
    return FireworksStore(count, np.random.default_rng(seed), {**QUIET, **parameters})


def test_it_is_registered() -> None:
    assert PLANTS["fireworks_store"] is FireworksStore


def test_the_sun_stands_where_the_almanac_has_it() -> None:
    """Declination 23.45° on 21 June, 0° about 22 March, -23.45° on 21 December; in the zenith over the tropic."""
    assert math.degrees(declination(172.0)) == pytest.approx(23.45, abs=0.01)
    assert math.degrees(declination(81.0)) == pytest.approx(0.0, abs=0.01)
    assert math.degrees(declination(355.0)) == pytest.approx(-23.45, abs=0.01)
    assert sun(23.45, 172.0, 12.0) == pytest.approx(1.0, abs=1e-6)
    up = sum(sun(28.0, 172.0, minute / 60.0) > 0.0 for minute in range(1440))
    # Day length: 24/pi acos(-tan phi tan delta), 13.8 h at 28° north on midsummer's day
    length = 24.0 / math.pi * math.acos(-math.tan(math.radians(28.0)) * math.tan(math.radians(23.45)))
    assert up / 60 == pytest.approx(length, abs=0.03)
    assert length == pytest.approx(13.8, abs=0.1)
    assert clear_sky(1.0) == pytest.approx(1098 * math.exp(-0.059))
    assert clear_sky(-0.2) == 0.0


def test_day_and_night_come_in_damped_and_late_as_the_frequency_response_says() -> None:
    """Two linear nodes under T_out = mean + A cos(w t): (C w i + K) X = F, solved in complex numbers."""
    plant = store(absorbing=0.0, yearly=0.0, start_hour=15.0, daily=6.0, mean=20.0, air_changes=0.0, goods=40.0)
    plant.step(40 * 86_400.0)
    seen, shell = [], []
    for _ in range(48):
        seen.append(float(plant.read()["temperature"][0]))
        shell.append(float(plant.read()["shell_temperature"][0]))
        plant.step(1800.0)
    w = 2.0 * math.pi / 86_400.0
    inside = 40e6 + 600.0 * float(density(np.array([20.0]))[0]) * 1006.0
    matrix = np.array([[1j * w * 140e6 + 1900.0 + 1400.0, -1400.0], [-1400.0, 1j * w * inside + 1400.0]])
    answer = np.linalg.solve(matrix, np.array([1900.0 * 6.0, 0.0]))
    turned = np.exp(1j * w * 1800.0 * np.arange(48))
    np.testing.assert_allclose(shell, 20.0 + (answer[0] * turned).real, atol=5e-3)
    np.testing.assert_allclose(seen, 20.0 + (answer[1] * turned).real, atol=5e-3)
    # 6 K outside are 0.3 K inside, half a day late
    assert 0.2 < abs(answer[1]) < 0.5


def test_the_heat_balance_holds_to_rounding() -> None:
    """Energy balance: J stored now less J stored then are the J that came in."""
    plant = FireworksStore(20, np.random.default_rng(3))
    begin = plant.stored
    for name, value in [("heating", 5.0), ("cooling", 8.0), ("ventilation", 1.0)]:
        plant.set(name, value)
        plant.step(8 * 3600.0)
    scale = np.abs(plant.stored).max()
    np.testing.assert_allclose(plant.stored - begin, plant.gained, atol=scale * 1e-11)


def test_heat_within_raises_it_to_where_the_walls_carry_it_off() -> None:
    """At rest P = K (T - T_out), K the two UA in series: 1 kW / (1/(1/1.9 + 1/1.4) kW/K) = 1.24 K."""
    plant = store(absorbing=0.0, yearly=0.0, daily=0.0, mean=15.0, air_changes=0.0, goods=5.0)
    plant.set("heating", 1.0)
    plant.step(30 * 86_400.0)
    assert plant.read()["temperature"][0] == pytest.approx(15.0 + 1 / 1.9 + 1 / 1.4, abs=1e-3)


def test_humidity_at_rest_is_that_of_the_outside_air_warmed() -> None:
    """Vapour density is that outside: RH = 100 e_out/e_sat(T) · (T/T_out), by Magnus; the dew point all but stays."""
    plant = store(absorbing=0.0, yearly=0.0, daily=0.0, mean=15.0, dryness=4.0, goods=5.0, buffer=1.0)
    plant.set("heating", 8.0)
    plant.set("ventilation", 0.3)
    plant.step(30 * 86_400.0)
    now = plant.read()
    t = float(now["temperature"][0])
    assert t > 17.0
    vapour = float(saturation(np.array([11.0]))[0])
    expected = 100.0 * vapour / float(saturation(np.array([t]))[0]) * (t + 273.15) / 288.15
    assert now["humidity"][0] == pytest.approx(expected, rel=1e-6)
    assert now["dew_point"][0] == pytest.approx(11.0, abs=0.5)
    assert now["outside_humidity"][0] == pytest.approx(100.0 * 1312.0 / 1704.0, rel=5e-3)


def test_humidity_follows_the_air_with_the_time_constant_of_air_and_buffer() -> None:
    """First order: w(t) = w_out + (w(0) - w_out) e^(-t Q/(B V)), here 0.3 changes an hour and B = 3: 10 h."""
    plant = store(absorbing=0.0, yearly=0.0, daily=0.0, buffer=3.0, air_changes=0.3)
    outside = float(saturation(np.array([13.5]))[0]) * WATER / 8.314462618 / 290.65
    plant.vapour[:] = 0.4 * outside
    plant.step(36_000.0)
    assert float(plant.vapour[0]) / outside == pytest.approx(1.0 - 0.6 * math.exp(-1.0), rel=1e-6)


def test_what_passes_saturation_condenses() -> None:
    plant = store()
    plant.set("water", 5.0)
    plant.step(86_400.0)
    now = plant.read()
    assert now["humidity"][0] == pytest.approx(100.0)
    assert now["dew_point"][0] == pytest.approx(float(now["temperature"][0]), abs=1e-6)
    assert plant.condensed[0] > 100.0


def test_summer_is_hot_winter_is_cold_and_afternoons_are_hotter_than_nights() -> None:
    warm, cold = store(start_day=196.0), store(start_day=15.0)
    for plant in (warm, cold):
        plant.step(5 * 86_400.0)
    # 24 K outside, and more sun on the roof
    assert 24.0 < warm.read()["temperature"][0] - cold.read()["temperature"][0] < 30.0
    day = []
    for _ in range(24):
        warm.step(3600.0)
        day.append(float(warm.read()["shell_temperature"][0]))
    assert 14 <= int(np.argmax(day)) + 1 <= 20
    assert 4 <= int(np.argmin(day)) + 1 <= 9


def test_a_year_passes_without_a_jump() -> None:
    plant = store(start_day=364.0, daily=0.0, absorbing=0.0)
    seen = []
    for _ in range(72):
        plant.step(3600.0)
        seen.append(float(plant.read()["outside_temperature"][0]))
    assert np.abs(np.diff(seen)).max() < 0.02


def test_cooling_drying_and_cloud_do_what_they_say() -> None:
    plain, cooled, dried, cloudy = (store() for _ in range(4))
    cooled.set("cooling", 3.0)
    dried.set("dehumidifier", 1.0)
    cloudy.set("cloud", 1.0)
    for plant in (plain, cooled, dried, cloudy):
        plant.step(3 * 86_400.0)
    usual = plain.read()
    # 3 kW through 0.81 kW/K of walls and 0.06 kW/K of air, three days into a time constant of two
    assert usual["temperature"][0] - cooled.read()["temperature"][0] == pytest.approx(3.0 / 0.87, rel=0.35)
    assert dried.read()["humidity"][0] < 0.8 * usual["humidity"][0]
    assert dried.read()["temperature"][0] == usual["temperature"][0]
    assert 1.0 < usual["temperature"][0] - cloudy.read()["temperature"][0] < 6.0


def test_a_heat_wave_comes_in_whole() -> None:
    """The model is linear in temperatures: 5 K more outside are 5 K more inside in the end."""
    usual, hot = store(start_day=100.0), store(start_day=100.0)
    hot.set("warming", 5.0)
    for plant in (usual, hot):
        plant.step(15 * 86_400.0)
    assert hot.read()["outside_temperature"][0] - usual.read()["outside_temperature"][0] == pytest.approx(5.0)
    assert hot.read()["temperature"][0] - usual.read()["temperature"][0] == pytest.approx(5.0, abs=0.05)
