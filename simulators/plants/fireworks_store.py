"""Fireworks store: temperature and humidity behind walls, through days and seasons."""

import math
from collections.abc import Mapping

import numpy as np

from domain.gases import GAS_CONSTANT
from domain.samples import Float64
from simulators.instruments import Wander
from simulators.plants.air import HEAT, WATER, ZERO, density, dew_point, saturation, two_nodes, well_mixed
from simulators.plants.columns import ColumnPlant
from simulators.plants.protocol import Input, Output, Parameter, Parameters

KIND = "fireworks_store"

_HOUR = 3600.0
_DAY = 86_400.0
_YEAR = 365.25
"""Days."""

_PLACE = ("latitude", "start_day", "start_hour", "mean", "yearly", "daily", "warmest", "dryness")


def declination(day: float) -> float:
    """Angle in rad of the sun above the equator's plane on day 1 to 365: 23.45° sin(360° (284 + n) / 365) (Cooper)."""
    return math.radians(23.45) * math.sin(2.0 * math.pi * (284.0 + day) / 365.0)


def sun(latitude: float, day: float, hour: float) -> float:
    """Sine of the sun's height at a latitude (°), on a day of the year, at an hour of solar time; below 0 at night."""
    phi, delta = math.radians(latitude), declination(day)
    turned = math.cos(math.pi / 12.0 * (hour - 12.0))
    return math.sin(phi) * math.sin(delta) + math.cos(phi) * math.cos(delta) * turned


def clear_sky(height: float) -> float:
    """W/m² on level ground under a clear sky, the sine of the sun's height being h: 1098 h exp(-0.059 / h).

    B. Haurwitz, Journal of Meteorology 2 (1945) 154-166.
    """
    return 1098.0 * height * math.exp(-0.059 / height) if height > 0.0 else 0.0


class FireworksStore(ColumnPlant):
    """Heat and water vapour of n stores, whose weather has a daily and a yearly cycle.

    Heat: the shell takes up sun and outside air by its sol-air temperature, T_sa = T_out + a I / h (ASHRAE
    Fundamentals), C_shell S' = UA_out (T_sa - S) + UA_in (T - S); the inside (air and goods together)
    C_in T' = UA_in (S - T) + rho cp Q (T_out - T) + heating - cooling. The balance holds to rounding (``stored``
    against ``gained``).

    Water: w, kg/m³ of vapour; B V w' = Q (w_out - w) + what leaks in - what a dehumidifier takes; B is the effective
    capacitance that walls, paper and cardboard add to that of the air. What would pass saturation condenses. Relative
    humidity and dew point follow Magnus' formula.

    Weather: the day's mean runs through the year with its greatest on ``warmest`` (mean + yearly cos(...)), the
    day with its greatest at 15 h solar time; slow weather lies over both. The outside dew point is the day's mean less
    ``dryness``, and never above the air. Sun: Cooper's declination, Haurwitz' clear sky, thinned by cloud as
    1 - 0.75 n^3.4 (Kasten and Czeplak 1980). The roof takes it all, walls their share by ``absorbing_area``.

    Figures for the climate are those of a county in Hunan: 17.5 °C mean, 24 K between January and July [K].
    """

    outputs: Mapping[str, Output] = {
        "temperature": Output("temperature", "°C", "库内温度", "temperature in the store"),
        "humidity": Output("humidity", "%RH", "库内湿度", "relative humidity in the store"),
        "dew_point": Output("temperature", "°C", "库内露点", "dew point in the store"),
        "shell_temperature": Output("temperature", "°C", "墙体温度", "temperature of the shell"),
        "outside_temperature": Output("temperature", "°C", "室外温度", "outside temperature"),
        "outside_humidity": Output("humidity", "%RH", "室外湿度", "relative humidity outside"),
    }
    inputs: Mapping[str, Input] = {
        "warming": Input("K", 0.0, "天气偏差", "how much warmer it is outside than usual", -30.0, 30.0),
        "cloud": Input("", 0.4, "云量", "share of the sky that is covered"),
        "heating": Input("kW", 0.0, "发热", "heat within: goods that decompose, a lamp, a fire", high=1e5),
        "cooling": Input("kW", 0.0, "空调制冷", "heat taken out", high=1e3),
        "ventilation": Input("", 0.0, "通风", "doors, windows and fan, share open"),
        "dehumidifier": Input("", 0.0, "除湿机", "dehumidifier, share of its capacity"),
        "water": Input("g/s", 0.0, "渗水", "water that leaks in and evaporates", high=1e3),
    }
    parameters: Mapping[str, Parameter] = {
        "volume": Parameter("m3", 600.0, "容积", "volume of the store", 5.0, 1e6, 0.05),
        "goods": Parameter("MJ/K", 40.0, "内部热容", "heat capacity of goods, racks and floor", 0.0, 1e5, 0.15),
        "shell": Parameter("MJ/K", 140.0, "围护热容", "heat capacity, 400 m² of 240 mm brick", 0.01, 1e5, 0.1),
        "shell_outside": Parameter("kW/K", 1.9, "外表面换热", "UA from outside to the middle of it", 0.001, 1e3, 0.05),
        "shell_inside": Parameter("kW/K", 1.4, "内表面换热", "UA from there inwards", 0.001, 1e3, 0.05),
        "absorbing": Parameter("", 0.65, "太阳吸收率", "absorptance of the surface", 0.0, 1.0, 0.05),
        "absorbing_area": Parameter("", 0.5, "受照份额", "of the shell that takes the sun's full share", 0.0, 1.0),
        "film": Parameter("W/m2/K", 17.0, "外表面放热系数", "outside film coefficient", 1.0, 100.0, 0.0, "ASHRAE [K]"),
        "air_changes": Parameter("1/h", 0.3, "换气次数", "air changes, all closed", 0.0, 100.0, 0.1),
        "open_changes": Parameter("1/h", 6.0, "通风换气", "air changes, all open", 0.0, 200.0),
        "buffer": Parameter("", 6.0, "吸湿倍数", "vapour held by goods and walls, times that of the air", 1.0, 100.0),
        "dehumidifier": Parameter("g/s", 0.5, "除湿量", "water it takes at 60 %RH", 0.0, 1e3),
        "latitude": Parameter("°", 28.0, "纬度", "latitude, north", -66.0, 66.0),
        "start_day": Parameter("d", 196.0, "起始日", "day of the year at the start, 1 to 365", 1.0, 366.0),
        "start_hour": Parameter("h", 0.0, "起始时刻", "hour of solar time at the start", 0.0, 24.0),
        "mean": Parameter("°C", 17.5, "年均气温", "mean of the year outside", -30.0, 40.0, 0.0, "Hunan [K]"),
        "yearly": Parameter("K", 12.0, "年较差之半", "half of coldest to warmest day", 0.0, 40.0, 0.0, "Hunan [K]"),
        "daily": Parameter("K", 4.5, "日较差之半", "half of night to afternoon", 0.0, 25.0, 0.0, "Hunan [K]"),
        "warmest": Parameter("d", 204.0, "最热日", "warmest day of the year", 1.0, 366.0),
        "dryness": Parameter("K", 4.0, "露点差", "outside dew point below the day's mean", 0.0, 40.0),
    }

    LONGEST = 300.0
    """s of one step inside."""

    def __init__(self, count: int, rng: np.random.Generator, parameters: Parameters | None = None) -> None:
        super().__init__(KIND, count, rng, parameters)
        p = self._p
        variation = self._variation
        # One weather and one calendar lie over all instances; these parameters have no spread
        self._place = {name: float(p[name][0]) for name in _PLACE}
        self._weather = Wander(rng, 2.0 * variation, 2.0 * _DAY, 1)
        self._sky = Wander(rng, 0.2 * variation, 3.0 * _HOUR, 1)
        self._wind = Wander(rng, 0.2 * variation, 0.5 * _HOUR, count)
        self.time = 0.0
        """s since the start."""
        self._capacity = p["goods"] * 1e6 + p["volume"] * density(p["mean"]) * HEAT
        self._shell_capacity = p["shell"] * 1e6
        self.gained: Float64 = np.zeros(count)
        """J that have come in since the start."""
        self.condensed: Float64 = np.zeros(count)
        """kg of water that have condensed since the start."""
        daily = self._daily_mean()
        self.temperature: Float64 = daily + 2.0
        """°C inside; a warm shell keeps it above the day's mean."""
        self.shell: Float64 = daily + 2.0
        """°C of the shell."""
        self.vapour: Float64 = _vapour(saturation(daily - p["dryness"]), self.temperature)
        """kg/m³ of vapour inside."""
        self._outside: Float64 = daily
        self._outside_pressure: Float64 = saturation(daily - p["dryness"])
        self._surroundings()

    @property
    def stored(self) -> Float64:
        """J in shell and inside above 0 °C."""
        return self._shell_capacity * self.shell + self._capacity * self.temperature

    def _daily_mean(self) -> Float64:
        at = self._place
        day = at["start_day"] + (at["start_hour"] + self.time / _HOUR) / 24.0
        turned = math.cos(2.0 * math.pi / _YEAR * (day - at["warmest"]))
        return at["mean"] + at["yearly"] * turned + self._inputs["warming"] + self._weather.value

    def _surroundings(self) -> Float64:
        """The sol-air temperature in °C; outside temperature and vapour pressure are set on the way."""
        p, at = self._p, self._place
        days, hour = divmod(at["start_hour"] + self.time / _HOUR, 24.0)
        mean = self._daily_mean()
        self._outside = mean + at["daily"] * math.cos(math.pi / 12.0 * (hour - 15.0))
        self._outside_pressure = np.minimum(saturation(mean - at["dryness"]), saturation(self._outside))
        shining = clear_sky(sun(at["latitude"], 1.0 + (at["start_day"] + days - 1.0) % _YEAR, hour))
        if shining == 0.0:
            return self._outside
        covered = np.minimum(np.maximum(self._inputs["cloud"] + self._sky.value, 0.0), 1.0)
        heated = p["absorbing"] * p["absorbing_area"] / p["film"] * shining
        return np.asarray(self._outside + heated * (1.0 - 0.75 * covered**3.4))

    def _step(self, dt: float) -> None:
        given, p = self._inputs, self._p
        # Flows of the step are those of its middle
        self.time += 0.5 * dt
        self._weather.step(dt)
        self._sky.step(dt)
        sol_air = self._surroundings()
        self.time += 0.5 * dt
        changes = p["air_changes"] + given["ventilation"] * p["open_changes"]
        air = changes * (1.0 + self._wind.step(dt)) * p["volume"] / _HOUR
        carried = air * density(self._outside) * HEAT
        into, inwards = p["shell_outside"] * 1e3, p["shell_inside"] * 1e3
        # An air conditioner cools nothing below 0 °C
        cooling = np.where(self.temperature > 0.0, given["cooling"], 0.0)
        gain = carried * self._outside + (given["heating"] - cooling) * 1e3
        (self.shell, self.temperature), (shell, inside) = two_nodes(
            (self.shell, self.temperature),
            (self._shell_capacity, self._capacity),
            (into * sol_air, gain),
            (into, carried),
            inwards,
            dt,
        )
        self.gained += dt * (into * (sol_air - shell) + gain - carried * inside)
        self._water(dt, air)

    def _water(self, dt: float, air: Float64) -> None:
        given, p = self._inputs, self._p
        full = _vapour(saturation(self.temperature), self.temperature)
        # It takes in proportion to the vapour there is, 0.6 of saturation being its rating
        dried = given["dehumidifier"] * p["dehumidifier"] * 1e-3 / (0.6 * full)
        outside = _vapour(self._outside_pressure, self._outside)
        held = p["buffer"] * p["volume"]
        later, _ = well_mixed(self.vapour, held, air + dried, air * outside + given["water"] * 1e-3, dt)
        self.vapour = np.minimum(later, full)
        self.condensed += (later - self.vapour) * held

    def read(self) -> Mapping[str, Float64]:
        """The true values by output name."""
        pressure = self.vapour * (GAS_CONSTANT / WATER) * (self.temperature + ZERO)
        return {
            "temperature": self.temperature.copy(),
            "humidity": np.minimum(100.0 * pressure / saturation(self.temperature), 100.0),
            "dew_point": dew_point(pressure),
            "shell_temperature": self.shell.copy(),
            "outside_temperature": self._outside.copy(),
            "outside_humidity": np.minimum(100.0 * self._outside_pressure / saturation(self._outside), 100.0),
        }


def _vapour(pressure: Float64, temperature: Float64) -> Float64:
    """kg/m³ of water vapour at its pressure in Pa and °C: p M / (R T)."""
    return pressure * (WATER / GAS_CONSTANT) / (temperature + ZERO)
