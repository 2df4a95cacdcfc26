"""Batch plant: six jacketed semi-batch chlorination reactors on staggered recipes, their utilities and detectors."""

from enum import IntEnum

import numpy as np

from domain.samples import Float64
from simulators.instruments import Point, Wander

ENTERPRISE = "tianze"

REACTORS = ("101", "102", "103", "104", "105", "106")
CHLORINE = ("101", "102", "103", "104", "105", "106")
CHLORIDE = ("101", "102")
FLAMMABLE = ("101", "102", "103", "104", "105", "106")
OXYGEN = ("101", "102")


class Phase(IntEnum):
    """Step of a reactor's recipe."""

    CHARGE = 0
    HEAT = 1
    DOSE = 2
    HOLD = 3
    COOL = 4
    DISCHARGE = 5
    WAIT = 6


def _points() -> list[Point]:
    points = [Point(f"TI-{r}", "gw1", noise=0.05, decimals=2, lag=8.0) for r in REACTORS]
    points += [Point(f"TI-{r}S", "gw1", noise=0.05, decimals=2, lag=5.0) for r in REACTORS]
    points += [Point(f"TI-{r}J", "gw1", noise=0.05, decimals=2, lag=5.0) for r in REACTORS]
    points += [Point(f"PI-{r}", "gw1", noise=0.15, decimals=1, lag=0.5) for r in REACTORS]
    points += [Point(f"LI-{r}", "gw1", noise=0.15, decimals=1, lag=3.0) for r in REACTORS]
    points += [Point(f"FI-{r}", "gw1", noise=0.8, decimals=1, lag=1.0, floor=0.0) for r in REACTORS]
    points += [Point(f"FI-{r}W", "gw1", noise=0.1, decimals=1, lag=1.0, floor=0.0) for r in REACTORS]
    points += [Point(f"SI-{r}", "gw1", noise=0.3, decimals=1, floor=0.0) for r in REACTORS]
    points += [Point(f"II-{r}", "gw1", noise=0.15, decimals=1, floor=0.0) for r in REACTORS]
    points += [Point(f"ZI-{r}", "gw1", noise=0.1, decimals=1, lag=2.0, floor=0.0, ceiling=100.0) for r in REACTORS]
    points += [
        Point("PI-201", "gw1", noise=1.0, decimals=1, lag=1.0),
        Point("TI-201", "gw1", noise=0.05, decimals=1, lag=20.0),
        Point("FI-201", "gw1", noise=1.5, decimals=1, lag=1.0, floor=0.0),
        Point("TI-301", "gw1", noise=0.05, decimals=2, lag=10.0),
        Point("PI-301", "gw1", noise=1.0, decimals=1, lag=0.5),
        Point("FI-301", "gw1", noise=0.8, decimals=1, lag=1.0, floor=0.0),
        Point("TI-302", "gw1", noise=0.05, decimals=2, lag=10.0),
        Point("PI-303", "gw1", noise=2.0, decimals=1, lag=0.5),
        Point("TI-303", "gw1", noise=0.1, decimals=1, lag=10.0),
        Point("PI-304", "gw1", noise=1.5, decimals=1, lag=0.5),
        Point("FI-401", "gw1", noise=0.3, decimals=1, lag=1.0, floor=0.0),
        Point("PI-401", "gw1", noise=0.02, decimals=2, lag=1.0),
        Point("II-401", "gw1", noise=0.1, decimals=1, floor=0.0),
        Point("CI-401", "gw1", noise=0.02, decimals=2, lag=30.0, floor=0.0),
    ]
    points += [Point(f"GC-{n}", "gw2", noise=0.015, decimals=2, lag=20.0, drift=0.02, floor=0.0) for n in CHLORINE]
    points += [Point(f"GH-{n}", "gw2", noise=0.06, decimals=1, lag=26.0, drift=0.1, floor=0.0) for n in CHLORIDE]
    points += [Point(f"GD-{n}", "gw2", noise=0.15, decimals=1, lag=6.5, drift=0.3, floor=0.0) for n in FLAMMABLE]
    points += [Point(f"GO-{n}", "gw2", noise=0.02, decimals=2, lag=6.5, drift=0.03, floor=0.0) for n in OXYGEN]
    return points


class BatchPlant:
    """Six reactors (vectors of 6) chlorinating toluene, each with its own phase of the same recipe.

    Moles: A toluene, B dissolved chlorine, C product; A + B -> C + HCl with r = k A B / V and
    k = K_REF exp(-E/R (1/T - 1/T_ref)) (Arrhenius).
    Heat: (m c) T' = H r V - UA (T - Tj) - dosing heat; jacket: (m c)j Tj' = w c (Ts - Tj) + UA (T - Tj).
    The supply Ts runs from chilled water to hot water by a split-range PI controller of the reactor temperature,
    and the coolant valve follows its output.
    Pressure: nitrogen pad + toluene's vapour pressure (Antoine, NIST WebBook: log10 p/bar = 4.07827 - 1343.943 /
    (T/K - 53.773), range 308-384 K) + back pressure of the HCl drawn off to the scrubber.
    Heat of ring chlorination about -130 kJ/mol (formation enthalpies); the rate constant and activation energy are
    of our own choice, so that dosed chlorine is consumed in a minute at 60 degC and gathers when it is colder.
    """

    enterprise = ENTERPRISE
    points = tuple(_points())

    CAPACITY = 6.0
    """m3 of a reactor at 100 % level."""
    BATCH = 4.0
    """m3 of toluene per batch."""
    HEEL = 0.3
    """m3 left after discharge."""
    DENSITY = 866.0
    HEAT_CAPACITY = 1750.0
    MOLES_PER_M3 = DENSITY / 0.09214
    DOSE = 1.6
    """mol/s of chlorine while dosing."""
    DOSED = 17_000.0
    """mol of chlorine per batch: 45 % of the toluene, so mono-chlorination prevails."""
    REACTION_HEAT = 130_000.0
    """J/mol."""
    K_REF = 2.0e-6
    """m3/(mol s) at T_REF."""
    T_REF = 333.15
    ACTIVATION = 70_000.0
    """J/mol."""
    UA = 6_500.0
    """W/K wetted in full."""
    SETPOINT = 60.0
    """degC while a batch reacts."""
    AT_SETPOINT = 1.0
    COLD = 32.0
    """degC at which a batch is discharged."""
    HOLDING = 1800.0
    """s of after-reaction."""
    WAITING = 1200.0
    """s between two batches."""
    FULL_OUTPUT = 100.0
    GAIN = 8.0
    """% of output per K."""
    RESET = 600.0
    """Integral time of the controller, s."""
    JACKET_FLOW = 12.0
    """kg/s round the jacket."""
    JACKET_MASS = 900.0
    CHILLED = 8.0
    HOT = 85.0

    def __init__(self, rng: np.random.Generator) -> None:
        n = len(REACTORS)
        self._shake = Wander(rng, 1.0, 120.0, n)
        self._supply = Wander(rng, np.array([4.0, 0.4, 6.0, 0.4, 3.0, 8.0, 5.0]), 240.0, 7)
        self._vapour = Wander(rng, np.concatenate([np.full(6, 0.03), np.full(2, 0.15), np.full(6, 0.4)]), 600.0, 14)
        self._air = Wander(rng, 0.03, 900.0, len(OXYGEN))
        self.phase = np.array([Phase.DOSE, Phase.CHARGE, Phase.HOLD, Phase.DOSE, Phase.WAIT, Phase.DISCHARGE])
        self._since = np.array([0.0, 0.0, 300.0, 0.0, 900.0, 0.0])
        charged = self.phase <= Phase.DISCHARGE
        self.volume: Float64 = np.where(charged, self.BATCH, self.HEEL)
        self.volume[1] = 1.2
        warm = (self.phase == Phase.DOSE) | (self.phase == Phase.HOLD)
        self.temperature: Float64 = np.where(warm, self.SETPOINT, 28.0)
        self.jacket: Float64 = np.where(warm, 40.0, 26.0)
        self.toluene: Float64 = self.volume * self.MOLES_PER_M3
        self.chlorine: Float64 = np.zeros(n)
        self.product: Float64 = np.zeros(n)
        self.dosed: Float64 = np.where(self.phase == Phase.DOSE, rng.uniform(0.1, 0.8, n) * self.DOSED, 0.0)
        self.toluene -= self.dosed
        self.product += self.dosed
        self._integral = np.where(warm, -30.0, 0.0)
        self._hot = np.full(n, 30.0)
        self._agitator = np.where(self.volume > 1.0, 85.0, 0.0)
        self._dosing = np.zeros(n)

    def step(self, dt: float) -> Float64:
        """Advance by ``dt`` s; the true values in the order of ``points``."""
        self._recipe(dt)
        output = self._control(dt)
        hydrogen_chloride = self._reaction(dt)
        kelvin = self.temperature + 273.15
        vapour = 100.0 * 10.0 ** (4.07827 - 1343.943 / (kelvin - 53.773))
        pressure = 12.0 + vapour + 6.0 * hydrogen_chloride
        stirring = self.volume > 1.0
        self._agitator += (np.where(stirring, 85.0, 0.0) - self._agitator) * -np.expm1(-dt / 6.0)
        load = self._agitator / 85.0
        current = load * (18.0 + 2.5 * self.volume / self.BATCH + 0.4 * self._shake.step(dt))
        valve = np.clip(-output, 0.0, 100.0)
        coolant = valve / 100.0 * self.JACKET_FLOW * 3.6
        dosing = self._dosing * 0.0709 * 3600.0
        return np.concatenate(
            [
                self.temperature,
                self._hot,
                self.jacket,
                pressure,
                self.volume / self.CAPACITY * 100.0,
                dosing,
                coolant,
                self._agitator,
                current,
                valve,
                self._utilities(dt, float(dosing.sum()), float(coolant.sum()), float(hydrogen_chloride.sum())),
                self._gas(dt),
            ]
        )

    def _recipe(self, dt: float) -> None:
        """Move each reactor on when its step is done."""
        self._since += dt
        phase, since = self.phase, self._since
        done = np.select(
            [phase == p for p in Phase],
            [
                self.volume >= self.BATCH,
                np.abs(self.temperature - self.SETPOINT) < self.AT_SETPOINT,
                self.dosed >= self.DOSED,
                since >= self.HOLDING,
                self.temperature <= self.COLD,
                self.volume <= self.HEEL,
                since >= self.WAITING,
            ],
            default=False,
        )
        self.phase = np.where(done, (phase + 1) % len(Phase), phase)
        since[done] = 0.0
        self.dosed[done & (phase == Phase.WAIT)] = 0.0

    def _control(self, dt: float) -> Float64:
        """Split-range output: +100 hot water, -100 chilled water."""
        held = np.isin(self.phase, (Phase.HEAT, Phase.DOSE, Phase.HOLD))
        target = np.where(held, self.SETPOINT, 27.0)
        error = target - self.temperature
        wanted = self.GAIN * error + self._integral
        output = np.clip(wanted, -self.FULL_OUTPUT, self.FULL_OUTPUT)
        self._integral += np.where(output == wanted, dt * self.GAIN * error / self.RESET, 0.0)
        supply = np.where(
            output < 0.0,
            30.0 + output / 100.0 * (30.0 - self.CHILLED),
            30.0 + output / 100.0 * (self.HOT - 30.0),
        )
        self._hot += (supply - self._hot) * -np.expm1(-dt / 25.0)
        return output

    def _reaction(self, dt: float) -> Float64:
        """Advance masses and temperatures; HCl made, mol/s."""
        phase = self.phase
        filling = np.where(phase == Phase.CHARGE, 4.0 / 1200.0, 0.0)
        emptying = np.where(phase == Phase.DISCHARGE, 4.0 / 900.0, 0.0)
        wanted = np.where(phase == Phase.DOSE, self.DOSE, 0.0)
        self._dosing += (wanted - self._dosing) * -np.expm1(-dt / 8.0)
        kelvin = self.temperature + 273.15
        constant = self.K_REF * np.exp(-self.ACTIVATION / 8.314 * (1.0 / kelvin - 1.0 / self.T_REF))
        # Exact for first order in chlorine over the step, so that a stiff rate stays stable
        speed = constant * self.toluene / self.volume
        reacted = np.minimum((self.chlorine + self._dosing * dt) * -np.expm1(-speed * dt), self.toluene)
        self.chlorine += self._dosing * dt - reacted
        self.toluene += filling * self.MOLES_PER_M3 * dt - reacted
        self.product += reacted
        self.dosed += self._dosing * dt
        drained = emptying * dt / self.volume
        self.toluene *= 1.0 - drained
        self.chlorine *= 1.0 - drained
        self.product *= 1.0 - drained
        heat = self.volume * self.DENSITY * self.HEAT_CAPACITY
        exchange = self.UA * np.minimum(1.0, self.volume / self.BATCH) * (self.temperature - self.jacket)
        fresh = filling * self.DENSITY * self.HEAT_CAPACITY * (25.0 - self.temperature)
        self.temperature += (self.REACTION_HEAT * reacted + dt * (fresh - exchange)) / heat
        supply = self.JACKET_FLOW * 4186.0 * (self._hot - self.jacket)
        self.jacket += dt * (supply + exchange) / (self.JACKET_MASS * 4186.0)
        self.volume += dt * (filling - emptying)
        return np.asarray(reacted / dt)

    def _utilities(self, dt: float, dosing: float, coolant: float, hydrogen_chloride: float) -> Float64:
        """Chlorine supply, cooling, steam, nitrogen, scrubber, in the order of their points."""
        w = self._supply.step(dt)
        return np.array(
            [
                420.0 + w[0] - 0.02 * dosing,
                48.0 + w[1],
                dosing,
                7.5 + w[3],
                350.0 + w[2] - 0.3 * coolant,
                coolant,
                29.0 + 2.0 * w[1],
                600.0 + w[5],
                164.0 + 0.1 * w[5],
                500.0 + w[6],
                62.0 + 0.2 * w[4],
                -1.2 + 0.02 * w[4] + 0.01 * hydrogen_chloride,
                14.0 + 0.05 * w[4],
                15.0 - 0.2 * hydrogen_chloride + 0.1 * w[1],
            ]
        )

    def _gas(self, dt: float) -> Float64:
        """Background at the detectors of a plant that does not leak."""
        vapour = self._vapour.step(dt) + np.concatenate([np.full(6, 0.06), np.full(2, 0.4), np.full(6, 2.0)])
        return np.concatenate([np.maximum(vapour, 0.0), 20.8 + self._air.step(dt)])
