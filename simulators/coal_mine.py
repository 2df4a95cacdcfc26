"""Coal mine: methane and carbon monoxide by ventilation balance, main fans, belts, drainage of gas and water."""

import numpy as np

from domain.samples import Float64
from simulators.instruments import Point, Wander

ENTERPRISE = "heishan"

FACES = ("1201", "1203")
"""Longwall faces."""
HEADINGS = ("1205", "1207")
BELTS = ("1", "2")
FANS = ("1", "2")
"""Main fans; the first runs, the second stands by."""
SUMPS = ("1", "2")


def _points() -> list[Point]:
    methane = {"noise": 0.004, "decimals": 2, "lag": 6.0, "drift": 0.005, "floor": 0.0}
    monoxide = {"noise": 0.15, "decimals": 1, "lag": 13.0, "drift": 0.2, "floor": 0.0}
    points: list[Point] = []
    for suffix in ("T0", "T1", "T2", "T3"):
        points += [_point(f"CH4-{f}-{suffix}", "gw2", methane) for f in FACES]
    points += [_point(f"CO-{f}", "gw2", monoxide) for f in FACES]
    points += [Point(f"O2-{f}", "gw2", noise=0.02, decimals=2, lag=6.5, drift=0.03) for f in FACES]
    points += [Point(f"TI-{f}", "gw2", noise=0.05, decimals=1, lag=60.0) for f in FACES]
    points += [Point(f"WS-{f}", "gw2", noise=0.03, decimals=2, lag=2.0, floor=0.0) for f in FACES]
    for suffix in ("T1", "T2"):
        points += [_point(f"CH4-{h}-{suffix}", "gw2", methane) for h in HEADINGS]
    points += [_point(f"CO-{h}", "gw2", monoxide) for h in HEADINGS]
    points += [Point(f"TI-{h}", "gw2", noise=0.05, decimals=1, lag=60.0) for h in HEADINGS]
    points += [Point(f"WS-{h}", "gw2", noise=0.02, decimals=2, lag=2.0, floor=0.0) for h in HEADINGS]
    points += [Point(f"YI-{h}", "gw2", decimals=0) for h in HEADINGS]
    points += [
        _point("CH4-R01", "gw2", methane),
        _point("CO-R01", "gw2", monoxide),
        Point("WS-R01", "gw2", noise=0.05, decimals=2, lag=2.0, floor=0.0),
        Point("TI-R01", "gw2", noise=0.05, decimals=1, lag=60.0),
    ]
    points += [Point(f"SI-B{b}", "gw2", noise=0.02, decimals=2, floor=0.0) for b in BELTS]
    points += [Point(f"II-B{b}", "gw2", noise=1.0, decimals=1, floor=0.0) for b in BELTS]
    points += [Point(f"TI-B{b}", "gw2", noise=0.1, decimals=1, lag=60.0) for b in BELTS]
    points += [_point(f"CO-B{b}", "gw2", monoxide) for b in BELTS]
    points += [Point(f"PI-F{f}", "gw1", noise=8.0, decimals=0, lag=1.0) for f in FANS]
    points += [Point(f"FI-F{f}", "gw1", noise=0.5, decimals=1, lag=1.0, floor=0.0) for f in FANS]
    points += [Point(f"II-F{f}", "gw1", noise=0.3, decimals=1, floor=0.0) for f in FANS]
    points += [Point(f"EI-F{f}", "gw1", noise=0.01, decimals=2) for f in FANS]
    points += [Point(f"VI-F{f}", "gw1", noise=0.08, decimals=2, floor=0.0) for f in FANS]
    points += [Point(f"TI-F{f}A", "gw1", noise=0.05, decimals=1, lag=60.0) for f in FANS]
    points += [Point(f"TI-F{f}B", "gw1", noise=0.05, decimals=1, lag=60.0) for f in FANS]
    points += [Point(f"SI-F{f}", "gw1", noise=0.5, decimals=0, floor=0.0) for f in FANS]
    points += [
        Point("AI-G01", "gw1", noise=0.1, decimals=1, lag=10.0),
        Point("FI-G01", "gw1", noise=0.3, decimals=1, lag=1.0, floor=0.0),
        Point("PI-G01", "gw1", noise=0.1, decimals=1, lag=1.0),
        Point("TI-G01", "gw1", noise=0.05, decimals=1, lag=30.0),
        Point("II-G01", "gw1", noise=0.3, decimals=1, floor=0.0),
    ]
    points += [Point(f"LI-S{s}", "gw1", noise=0.05, decimals=2, lag=2.0) for s in SUMPS]
    points += [Point(f"FI-S{s}", "gw1", noise=0.5, decimals=1, lag=1.0, floor=0.0) for s in SUMPS]
    points += [Point(f"II-S{s}", "gw1", noise=0.3, decimals=1, floor=0.0) for s in SUMPS]
    return points


def _point(tag: str, gateway: str, kind: dict[str, float]) -> Point:
    return Point(
        tag,
        gateway,
        noise=kind["noise"],
        decimals=int(kind["decimals"]),
        lag=kind["lag"],
        drift=kind["drift"],
        floor=kind["floor"],
    )


class CoalMine:
    """Ventilation balance of each working place: V C' = Q (C_in - C) + E, with C in %vol, Q = speed x section.

    E, the gas given off, is a steady seepage plus what cutting frees; it follows the shearer's cycle of about
    40 minutes with a time constant of 4 minutes. Return air mixes all places. Carbon monoxide (ppm) is a trace of
    seam oxidation carried by the same air. The sumps fill with seepage and are pumped between two levels.
    Sections and quantities are those of a middle-sized mine: 12 m2 and 1.8 m/s at a longwall, 10 m2 and 0.9 m/s at
    a heading.
    """

    enterprise = ENTERPRISE
    points = tuple(_points())

    SECTION = np.array([12.0, 12.0, 10.0, 10.0])
    """m2 of the two faces and the two headings."""
    SPEED = np.array([1.8, 1.7, 0.9, 0.95])
    """Mean air speed, m/s."""
    SPACE = np.array([2400.0, 2200.0, 900.0, 800.0])
    """m3 of air exchanged by each working place."""
    SEEPAGE = np.array([0.045, 0.035, 0.018, 0.015])
    """m3/s of methane without cutting."""
    CUTTING = np.array([0.050, 0.042, 0.018, 0.016])
    """m3/s of methane that cutting adds."""
    CYCLE = 2400.0
    """s from one cut to the next, of which 60 % is cutting."""

    PUMP_START = 65.0
    PUMP_STOP = 35.0
    """Sump levels, %."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._draught = Wander(rng, 0.03, 120.0, 4)
        self._burst = Wander(rng, 0.06, 90.0, 4)
        self._slow = Wander(rng, 1.0, 900.0, 24)
        self._offset = rng.uniform(0.0, self.CYCLE, 4)
        self.time = 0.0
        self.released: Float64 = self.SEEPAGE.copy()
        """m3/s of methane into each working place."""
        self.intake = 0.05
        """%vol of methane in the intake air."""
        self.methane: Float64 = self.intake + self.SEEPAGE / (self.SECTION * self.SPEED) * 100.0
        """%vol in the air that leaves each working place."""
        self.sump: Float64 = np.array([45.0, 55.0])
        self._pumping = np.array([False, True])
        self._belt = np.full(len(BELTS), 38.0)

    def step(self, dt: float) -> Float64:
        """Advance by ``dt`` s; the true values in the order of ``points``."""
        self.time += dt
        cutting: Float64 = (((self.time + self._offset) % self.CYCLE) < 0.6 * self.CYCLE).astype(np.float64)
        speed = self.SPEED * (1.0 + self._draught.step(dt))
        quantity = speed * self.SECTION
        given = (self.SEEPAGE + self.CUTTING * cutting) * (1.0 + self._burst.step(dt))
        self.released += (given - self.released) * -np.expm1(-dt / 240.0)
        settled = self.intake + self.released / quantity * 100.0
        self.methane = settled + (self.methane - settled) * np.exp(-dt * quantity / self.SPACE)
        slow = self._slow.step(dt)
        faces, headings = self.methane[:2], self.methane[2:]
        monoxide = 3.0 + 0.4 * slow[0:4] + 1.5 * cutting
        warmth = np.array([23.0, 23.4, 22.0, 22.5]) + 0.3 * slow[4:8]
        total = float(quantity.sum()) * 1.6
        mixed = (float((self.methane * quantity).sum()) + self.intake * (total - float(quantity.sum()))) / total
        return np.concatenate(
            [
                # The upper corner holds what leaks from the goaf; the face itself sees less than the return
                self.intake + 1.12 * (faces - self.intake),
                self.intake + 0.80 * (faces - self.intake),
                faces,
                np.full(2, self.intake),
                monoxide[:2],
                20.9 - 0.35 * faces,
                warmth[:2],
                speed[:2],
                self.intake + 0.85 * (headings - self.intake),
                headings,
                monoxide[2:],
                warmth[2:],
                speed[2:],
                np.ones(len(HEADINGS)),
                [mixed, 2.5 + 0.3 * slow[8], total / 18.0, 21.5 + 0.2 * slow[9]],
                self._belts(dt, cutting[:2], slow[10:12]),
                self._fans(total, slow[12:18]),
                self._drainage(slow[18:22]),
                self._sumps(dt, slow[22:24]),
            ]
        )

    def _belts(self, dt: float, loaded: Float64, slow: Float64) -> Float64:
        current = 62.0 + 48.0 * loaded + 3.0 * slow
        self._belt += (22.0 + 0.2 * current - self._belt) * -np.expm1(-dt / 1200.0)
        return np.concatenate([np.full(2, 3.15), current, self._belt, 2.0 + 0.3 * slow])

    def _fans(self, total: float, slow: Float64) -> Float64:
        """Suction Pa, volume m3/s, current A, voltage kV, vibration mm/s, two bearing temperatures, speed 1/min."""
        suction = 1.05 * total * total / 6.0 + 600.0
        current = suction * total / 0.72 / (np.sqrt(3.0) * 6000.0 * 0.86)
        runs = np.array([1.0, 0.0])
        return np.concatenate(
            [
                runs * suction,
                runs * total,
                runs * current,
                6.05 + 0.03 * slow[0:2],
                0.1 + runs * (2.1 + 0.1 * slow[2]),
                21.0 + runs * (29.0 + 0.6 * slow[3]),
                21.0 + runs * (31.0 + 0.6 * slow[4]),
                runs * (741.0 + 0.5 * slow[5]),
            ]
        )

    def _drainage(self, slow: Float64) -> Float64:
        """Gas drainage: methane %vol, flow m3/min, suction kPa, temperature, pump current A."""
        return np.array(
            [
                42.0 + 1.2 * slow[0],
                58.0 + 1.0 * slow[1],
                -24.0 + 0.6 * slow[2],
                26.0 + 0.3 * slow[3],
                118.0 + 1.0 * slow[1],
            ]
        )

    def _sumps(self, dt: float, slow: Float64) -> Float64:
        """Level %, pump flow m3/h, pump current A of each sump of 900 m3."""
        self._pumping = np.where(self._pumping, self.sump > self.PUMP_STOP, self.sump >= self.PUMP_START)
        flow = 280.0 * self._pumping
        self.sump = self.sump + dt * (95.0 + 4.0 * slow - flow) / 3600.0 / 900.0 * 100.0
        return np.concatenate([self.sump, flow, 84.0 * self._pumping])
