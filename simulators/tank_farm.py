"""Tank farm: twelve tanks in six pairs, one of each pair filling while the other is drawn, and a leaking flange."""

import numpy as np

from domain.samples import Float64
from simulators.gas import Leak, Place, Plume
from simulators.instruments import Point, Wander

ENTERPRISE = "huarui"

TANKS = ("101", "102", "103", "104", "201", "202", "203", "204", "301", "302", "303", "304")
"""1xx sour crude, 2xx naphtha, 3xx methanol; neighbours are pairs."""
PUMPS = ("101", "102", "201", "202", "301", "302")
"""Pump j draws from the pair of tanks 2j, 2j + 1."""

FLANGE_LEAK = Leak(start=10.0, end=150.0, rate=200.0, initial=0.4, growth=100.0, drying=38.0)
"""The demo's leak: hydrogen sulphide from the suction flange of crude pump P-101."""

TOXIC = (
    Place(8.0, 0.55),
    Place(-9.0, 4.0),
    Place(12.0, 0.80),
    Place(16.0, 2.5),
    Place(-15.0, -6.0),
    Place(30.0, 5.0),
    Place(-30.0, 12.0),
    Place(60.0, -20.0),
)
"""GT-101 to GT-108, hydrogen sulphide."""
FLAMMABLE = (
    Place(7.0, 0.55),
    Place(-7.0, 3.0),
    Place(13.0, 1.0),
    Place(18.0, 5.0),
    Place(-18.0, -8.0),
    Place(35.0, 10.0),
    Place(80.0, 30.0),
    Place(80.0, 45.0),
    Place(95.0, 30.0),
    Place(95.0, 45.0),
    Place(-120.0, 30.0),
    Place(-120.0, 45.0),
    Place(-135.0, 30.0),
    Place(-135.0, 45.0),
)
"""GD-101 to GD-106 by the crude pumps, GD-201 to GD-204 by naphtha, GD-301 to GD-304 by methanol."""
WIND_FROM = 255.0
"""° from north: the prevailing wind, from land and along the coast."""
METHANOL_DETECTORS = ("301", "302", "303", "304")

HYDROCARBON_SHARE = 60.0
"""Hydrocarbon vapour per hydrogen sulphide in what escapes from sour crude, by mass (1.6 % H2S)."""
BUTANE_LEL = 43_500.0
"""1.8 %vol of butane in mg/m3 at 20 degC; the detectors are calibrated for butane."""

_GRAVITY = 9.81
_ATMOSPHERE = 101.3


def _points() -> list[Point]:
    points = [Point("WD-001", "gw2", noise=1.5, decimals=0, lag=1.0)]
    points += [Point(f"LI-{t}", "gw1", noise=0.03, decimals=2, lag=2.0) for t in TANKS]
    points += [Point(f"TI-{t}", "gw1", noise=0.03, decimals=2, lag=20.0) for t in TANKS]
    points += [Point(f"PI-{t}", "gw1", noise=0.004, decimals=3, lag=1.0) for t in TANKS]
    points += [Point(f"FI-{t}", "gw1", noise=0.4, decimals=1, lag=1.0, floor=0.0) for t in TANKS]
    points += [Point(f"FI-P{p}", "gw1", noise=0.6, decimals=1, lag=1.0, floor=0.0) for p in PUMPS]
    points += [Point(f"PI-P{p}", "gw1", noise=1.0, decimals=1, lag=0.5) for p in PUMPS]
    points += [Point(f"II-P{p}", "gw1", noise=0.2, decimals=1, floor=0.0) for p in PUMPS]
    points += [Point(f"VI-P{p}", "gw1", noise=0.08, decimals=2, floor=0.0) for p in PUMPS]
    points += [Point(f"TI-P{p}", "gw1", noise=0.05, decimals=1, lag=30.0) for p in PUMPS]
    # Electrochemical cells T90 30 s, catalytic beads T90 15 s
    points += [
        Point(f"GT-{101 + i}", "gw2", noise=0.08, decimals=1, lag=13.0, drift=0.1, floor=0.0) for i in range(len(TOXIC))
    ]
    names = ("101", "102", "103", "104", "105", "106", "201", "202", "203", "204", "301", "302", "303", "304")
    points += [Point(f"GD-{n}", "gw2", noise=0.15, decimals=1, lag=6.5, drift=0.3, floor=0.0) for n in names]
    points += [
        Point(f"GM-{n}", "gw2", noise=0.2, decimals=1, lag=13.0, drift=0.4, floor=0.0) for n in METHANOL_DETECTORS
    ]
    points += [
        Point("WS-001", "gw2", noise=0.1, decimals=1, lag=1.0, floor=0.0),
        Point("TI-001", "gw2", noise=0.05, decimals=1, lag=60.0),
        Point("HI-001", "gw2", noise=0.2, decimals=1, lag=60.0),
    ]
    return points


class TankFarm:
    """Mass, heat and blanket-gas balances of the tanks; pumps on their curves; gas in the open.

    Tanks (vectors of 12): dV/dt = filling - drawing. m c dT/dt = filling of fresh liquid + heater - UA (T - ambient).
    Blanket pressure: ideal gas compressed by the liquid, p' = P / V_gas * dV/dt - k (p - p_set), k the action of
    the nitrogen and vent regulators. A pair changes over when the filling tank reaches 68 % or the drawn one 32 %.

    Pumps (vectors of 6): head H0 - a Q^2 meets static head + b Q^2.
    """

    enterprise = ENTERPRISE
    points = tuple(_points())

    CAPACITY = 1000.0
    """m3 of each tank at 100 % level."""
    HEIGHT = 12.0
    """m of liquid at 100 % level."""
    FULL = 68.0
    EMPTY = 32.0
    """Levels at which a pair changes over, %."""
    BLANKET = 0.8
    """Blanket pressure set, kPa gauge."""

    def __init__(self, rng: np.random.Generator, leak: Leak | None = None) -> None:
        self._wind = Wander(rng, 0.15, 40.0, 1)
        self._gust = Wander(rng, 0.05, 15.0, 1)
        self._demand = Wander(rng, 0.02, 300.0, len(PUMPS))
        self._shake = Wander(rng, 0.12, 60.0, len(PUMPS))
        self._vapour = Wander(rng, 0.25, 600.0, len(TOXIC) + len(FLAMMABLE) + len(METHANOL_DETECTORS))
        self._weather = Wander(rng, np.array([0.8, 2.0]), 3600.0, 2)
        self._toxic = Plume(leak, TOXIC)
        self._flammable = Plume(leak, FLAMMABLE)
        self._density = np.array([870.0, 700.0, 792.0]).repeat(4)
        self._heat = np.array([2000.0, 2100.0, 2530.0]).repeat(4)
        self._fresh_temperature = np.array([42.0, 24.0, 23.0]).repeat(4)
        self._heated = np.array([45.0, 0.0, 0.0]).repeat(4)
        self.time = 0.0
        self._first_fills = rng.integers(0, 2, len(PUMPS)) == 0
        low, high = rng.uniform(36.0, 48.0, (2, len(PUMPS)))
        level = np.empty(len(TANKS))
        level[0::2], level[1::2] = low, 100.0 - high
        self.volume: Float64 = level / 100.0 * self.CAPACITY
        self.temperature: Float64 = np.where(self._heated > 0.0, 45.0, self._fresh_temperature)
        self.blanket: Float64 = np.full(len(TANKS), self.BLANKET)
        self.filling: Float64 = np.zeros(len(TANKS))
        """m3/h into each tank."""
        self.drawing: Float64 = np.zeros(len(TANKS))
        """m3/h out of each tank."""
        self._bearing = np.full(len(PUMPS), 48.0)

    @property
    def level(self) -> Float64:
        """Level of each tank, %."""
        return self.volume / self.CAPACITY * 100.0

    def step(self, dt: float) -> Float64:
        """Advance by ``dt`` s; the true values in the order of ``points``."""
        self.time += dt
        ambient, humidity = self._weather.step(dt) + np.array([21.0, 58.0])
        flow, pressure, power = self._pumps(dt)
        self._tanks(dt, flow, float(ambient))
        wind = 2.0 + float(self._wind.step(dt)[0])
        gust = float(self._gust.step(dt)[0])
        toxic = self._toxic.step(self.time, dt, wind, gust)
        flammable = self._flammable.step(self.time, dt, wind, gust) * HYDROCARBON_SHARE / BUTANE_LEL * 100.0
        gas = np.concatenate([toxic + 0.3, flammable + 1.5, np.full(len(METHANOL_DETECTORS), 1.5)])
        gas += self._vapour.step(dt)
        vibration = 2.0 + self._shake.step(dt)
        self._bearing += (ambient + 26.0 + 1.5 * (vibration - 2.0) - self._bearing) * -np.expm1(-dt / 900.0)
        current = power / (np.sqrt(3.0) * 0.38 * 0.88) + 12.0
        return np.concatenate(
            [
                [WIND_FROM + 12.0 * np.sin(self.time / 90.0)],
                self.level,
                self.temperature,
                self.blanket,
                self.filling,
                flow,
                pressure,
                current,
                vibration,
                self._bearing,
                gas,
                [wind, ambient, humidity],
            ]
        )

    def _pumps(self, dt: float) -> tuple[Float64, Float64, Float64]:
        """Flow m3/h, discharge pressure kPa and shaft power kW of each pump."""
        drawn = np.where(self._first_fills, self.level[1::2], self.level[0::2])
        density = self._density[0::2]
        static = 14.0 - drawn / 100.0 * self.HEIGHT
        resistance = np.array([5.0e-4, 8.0e-4, 1.1e-3]).repeat(2) * (1.0 + self._demand.step(dt))
        flow = np.sqrt((62.0 - static) / (1.6e-4 + resistance))
        head = 62.0 - 1.6e-4 * flow * flow
        suction = drawn / 100.0 * self.HEIGHT
        pressure = density * _GRAVITY * (head + suction) / 1000.0
        power = density * _GRAVITY * head * flow / 3600.0 / 1000.0 / 0.68
        return flow, pressure, power

    def _tanks(self, dt: float, flow: Float64, ambient: float) -> None:
        level = self.level
        first, second = level[0::2], level[1::2]
        filled = np.where(self._first_fills, first, second)
        drawn = np.where(self._first_fills, second, first)
        self._first_fills = self._first_fills ^ ((filled >= self.FULL) | (drawn <= self.EMPTY))
        # Receipts follow the pair's inventory, so that both together stay half full
        receipt = flow * (1.0 + 2.0 * (1.0 - (first + second) / 100.0))
        wanted_in, wanted_out = np.zeros(len(TANKS)), np.zeros(len(TANKS))
        wanted_in[0::2], wanted_in[1::2] = receipt * self._first_fills, receipt * ~self._first_fills
        wanted_out[0::2], wanted_out[1::2] = flow * ~self._first_fills, flow * self._first_fills
        valve = -np.expm1(-dt / 15.0)
        self.filling += (wanted_in - self.filling) * valve
        self.drawing += (wanted_out - self.drawing) * valve
        change = (self.filling - self.drawing) / 3600.0
        gas = self.CAPACITY * 1.1 - self.volume
        squeeze = (_ATMOSPHERE + self.blanket) / gas * change
        self.blanket += dt * (squeeze - 0.05 * (self.blanket - self.BLANKET))
        mass_heat = self.volume * self._density * self._heat
        fresh = self.filling / 3600.0 * self._density * self._heat * (self._fresh_temperature - self.temperature)
        heater = np.where(self._heated > 0.0, 60_000.0 * np.clip(self._heated - self.temperature, 0.0, 2.0), 0.0)
        loss = 350.0 * (self.temperature - ambient)
        self.temperature += dt * (fresh + heater - loss) / mass_heat
        self.volume += dt * change
