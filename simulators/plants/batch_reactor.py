"""Batch reactor: o-nitroaniline from o-nitrochlorobenzene and ammonia, with the cooling failure that made it famous."""

from collections.abc import Collection, Mapping
from enum import IntEnum

import numpy as np

from domain.gases import GAS_CONSTANT
from domain.samples import Bool, Float64, Int64
from simulators.instruments import Wander
from simulators.plants.columns import ColumnPlant
from simulators.plants.protocol import Input, Output, Parameter, Parameters

KIND = "batch_reactor"

_ZERO = 273.15
_ATMOSPHERE = 101.325
"""kPa."""
_CALORIE = 4.184
_FOGLER = "Fogler, Elements of Chemical Reaction Engineering, 3rd ed., Example 9-2"
_WATER = 4.186
"""kJ/kg/K of cooling water."""
_LATENT = 34_900.0
"""kJ per kmol of vapour let out: water at 200 °C (steam tables)."""
_EMPTY = 50.0
"""kJ/K of what stays in an empty vessel; keeps its temperature defined."""
_VAPOUR_MASS = 18.0
"""kg/kmol of vapour let out: water 18.02, ammonia 17.03."""

Columns = dict[str, Float64]


class Phase(IntEnum):
    """Step of the recipe."""

    CHARGE = 0
    HEAT = 1
    REACT = 2
    COOL = 3
    DISCHARGE = 4
    WAIT = 5


class BatchReactor(ColumnPlant):
    """n jacketed reactors, ClC6H4NO2 + 2 NH3 -> NH2C6H4NO2 + NH4Cl, on a recipe of batches.

    Kinetics and heat are those of Fogler's example, after R. Willey's study of the Monsanto plant at Sauget, which
    exploded on 8 August 1969: r = k C_A C_B, k = 0.00017 m³/(kmol min) exp(E/R (1/461 K - 1/T)),
    E = 11 273 cal/mol, heat of reaction -590 000 kcal/kmol, UA = 35.83 kcal/(min K), coolant at 25 °C.

        N c_p T' = (-dH) r V - UA (T - T_j) + charge - vent       C_j T_j' = w c (T_in - T_j) + UA (T - T_j)

    The normal charge is 3.17 kmol of o-nitrochlorobenzene, 43 of ammonia and 103.6 of water; the accident's was 9.044,
    33 and 103.7. Heat of reaction and heat capacities are constant, those of the products as of what they came from.

    Pressure: water by the steam tables' 892 kPa at 175 °C and 5.09 MPa at 265 °C (Clausius-Clapeyron between),
    ammonia by its boiling point and heat of vaporisation with an activity coefficient that gives the example's
    500 psi for the normal charge at 175 °C, and air. A rupture disc of 700 psi opens a vent: vapour flows out choked,
    and its heat of evaporation quenches the reaction. With the disc blocked the vessel bursts.

    A PI controller splits its output between coolant and heating medium. The reaction is advanced by its midpoint in
    steps of at most 0.5 K, for each reactor by itself; heat exchange by backward Euler of both temperatures.
    """

    outputs: Mapping[str, Output] = {
        "temperature": Output("temperature", "°C", "釜温", "reactor temperature"),
        "jacket_temperature": Output("temperature", "°C", "夹套温度", "jacket temperature"),
        "pressure": Output("pressure", "kPa", "釜压", "reactor pressure, gauge"),
        "level": Output("level", "%", "釜液位", "reactor level"),
        "coolant_flow": Output("flow", "m3/h", "冷却水流量", "coolant flow"),
        "coolant_valve": Output("valve_position", "%", "冷却水阀位", "coolant valve"),
        "conversion": Output("composition", "%", "转化率", "conversion"),
        "phase": Output(
            "status", "", "工步", "step of the recipe: 0 charge, 1 heat, 2 react, 3 cool, 4 discharge, 5 wait"
        ),
    }
    inputs: Mapping[str, Input] = {
        "setpoint": Input("°C", 175.0, "温度设定", "temperature setpoint while reacting", 0.0, 250.0),
        "cooling_failure": Input("", 0.0, "冷却失效", "share of the coolant flow that fails"),
        "agitator_failure": Input("", 0.0, "搅拌失效", "share of the stirring that fails"),
        "disc_blocked": Input("", 0.0, "爆破片失效", "the rupture disc does not open (0.5 and above)"),
        "coolant_temperature": Input("°C", 25.0, "冷却水温度", "temperature of the coolant", 0.0, 95.0),
        "hold": Input("", 0.0, "保持工步", "the recipe does not go on (0.5 and above)"),
    }
    parameters: Mapping[str, Parameter] = {
        "oncb": Parameter("kmol", 3.17, "邻硝基氯苯", "o-nitrochlorobenzene in a charge", 0.0, 1e3, 0.01, _FOGLER),
        "ammonia": Parameter("kmol", 43.0, "氨", "ammonia in a charge", 0.0, 1e4, 0.01, _FOGLER),
        "water": Parameter("kmol", 103.6, "水", "water in a charge", 0.0, 1e4, 0.01, _FOGLER),
        "volume": Parameter("m3", 5.119, "反应体积", "volume of a charge", 0.01, 1e3, 0.0, _FOGLER),
        "capacity": Parameter("m3", 7.0, "釜容积", "volume at 100 %", 0.01, 1e3),
        "rate": Parameter("m3/kmol/min", 0.00017, "速率常数", "rate constant at 188 °C", 0.0, 1.0, 0.0, _FOGLER),
        "activation": Parameter("cal/mol", 11_273.0, "活化能", "activation energy", 0.0, 1e5, 0.0, _FOGLER),
        "heat": Parameter("kcal/kmol", 590_000.0, "反应热", "heat that the reaction gives", 0.0, 5e6, 0.0, _FOGLER),
        "exchange": Parameter("kcal/min/K", 35.83, "传热系数UA", "UA of the jacket", 0.0, 1e4, 0.02, _FOGLER),
        "coolant": Parameter("kg/s", 30.0, "最大冷却水量", "most coolant", 0.0, 1e5),
        "jacket": Parameter("kJ/K", 100.0, "夹套热容", "heat capacity of the jacket's content", 1e-3, 1e6),
        "heating": Parameter("kg/s", 10.0, "最大热媒量", "most heating medium", 0.0, 1e5),
        "heating_temperature": Parameter("°C", 200.0, "热媒温度", "temperature of the heating medium", 30.0, 400.0),
        "gain": Parameter("1/K", 0.1, "控制增益", "gain of the controller", 0.0, 100.0),
        "reset": Parameter("s", 1200.0, "积分时间", "integral time of the controller", 1.0, 1e6),
        "temperature": Parameter("°C", 175.0, "初始温度", "temperature at the start", 0.0, 300.0),
        "conversion": Parameter("%", 0.0, "初始转化率", "conversion at the start", 0.0, 100.0),
        "phase": Parameter("", 2.0, "初始工步", "step of the recipe at the start", 0.0, 5.0),
        "charging": Parameter("s", 1800.0, "投料时间", "time of charging", 1.0, 1e6),
        "reacting": Parameter("s", 86_400.0, "反应时间", "time of reacting", 1.0, 1e7, 0.0, _FOGLER),
        "discharging": Parameter("s", 1800.0, "出料时间", "time of discharging", 1.0, 1e6),
        "waiting": Parameter("s", 3600.0, "批间等待", "time between batches", 0.0, 1e7),
        "cooled": Parameter("°C", 60.0, "出料温度", "temperature at which a batch is discharged", 30.0, 200.0),
        "disc": Parameter("kPa", 4826.0, "爆破片压力", "pressure of the rupture disc, gauge", 1.0, 1e6, 0.0, _FOGLER),
        "vent": Parameter("cm2", 50.0, "泄放面积", "area of the vent behind it", 0.0, 1e4),
        "strength": Parameter("kPa", 12_000.0, "釜体爆破压力", "pressure that bursts the vessel, gauge", 10.0, 1e7),
        "activity": Parameter("", 0.41, "氨活度系数", "activity coefficient of ammonia", 0.01, 10.0),
    }

    LONGEST = 1.0
    """s of one step while nothing is fast."""

    def __init__(self, count: int, rng: np.random.Generator, parameters: Parameters | None = None) -> None:
        super().__init__(KIND, count, rng, parameters)
        p = self._p
        self._supply = Wander(rng, 1.0 * self._variation, 1800.0, count)
        joule = GAS_CONSTANT / _CALORIE  # cal/mol/K
        self._p = p | {
            "kelvins": p["activation"] / joule,
            "rate": p["rate"] / 60.0,
            "heat": p["heat"] * _CALORIE,
            "exchange": p["exchange"] * _CALORIE / 60.0,
        }
        phase = np.rint(p["phase"])
        full = ((phase > Phase.CHARGE) & (phase < Phase.WAIT)).astype(np.float64)
        done = np.minimum(p["oncb"], 0.5 * p["ammonia"]) * p["conversion"] / 100.0
        kelvin = p["temperature"] + _ZERO
        self._state: Columns = {
            "a": full * (p["oncb"] - done),
            "b": full * (p["ammonia"] - 2.0 * done),
            "c": full * done,
            "w": full * p["water"],
            "volume": full * p["volume"],
            "kelvin": kelvin,
            "jacket": kelvin.copy(),
            "integral": np.zeros(count),
            "output": np.zeros(count),
            "flow": np.zeros(count),
            "phase": phase,
            "since": np.zeros(count),
            "open": np.zeros(count),
            "vented": np.zeros(count),
            "burst": np.zeros(count),
        }
        self._state |= _seen(self._p, self._state)
        self._present = set(phase.tolist())
        self._settle()

    def _settle(self) -> None:
        """Start with jacket and controller where they take off the heat that the reaction gives."""
        p, given, heat = self._p, self._inputs, self.generation
        coolant = given["coolant_temperature"] + _ZERO
        jacket = np.maximum(self.kelvin - heat / np.maximum(p["exchange"], 1e-9), coolant + 1.0)
        flow = heat / (_WATER * (jacket - coolant))
        output = -np.sqrt(np.minimum(flow / np.maximum(p["coolant"], 1e-9), 1.0))
        reacting = self._state["phase"] == Phase.REACT
        self._state["jacket"] = np.where(reacting, jacket, self.kelvin)
        self._state["integral"] = np.where(reacting, output, 0.0)
        self._state["output"] = self._state["integral"].copy()

    @property
    def kelvin(self) -> Float64:
        """Temperature, K."""
        return self._state["kelvin"]

    @property
    def amounts(self) -> Mapping[str, Float64]:
        """O-nitrochlorobenzene (a), ammonia (b), o-nitroaniline and as much ammonium chloride (c), water (w), kmol."""
        return {name: self._state[name] for name in ("a", "b", "c", "w")}

    @property
    def generation(self) -> Float64:
        """Heat that the reaction gives, kW."""
        return self._state["rate"] * self._p["heat"]

    @property
    def adiabatic_rise(self) -> Float64:
        """K by which what is left to react would heat the batch: (-dH) n / (N c_p)."""
        left = np.minimum(self._state["a"], 0.5 * self._state["b"])
        return np.asarray(left * self._p["heat"] / self._state["capacity"])

    @property
    def mtsr(self) -> Float64:
        """°C, the greatest temperature that the synthesis can reach by itself if cooling fails now."""
        return np.asarray(self.kelvin - _ZERO + self.adiabatic_rise)

    @property
    def tmr_ad(self) -> Float64:
        """Time to the greatest rate if cooling fails now, s: c_p R T² / (q E), of zero order (Stoessel, 2008)."""
        heating = self.generation / self._state["capacity"]
        with np.errstate(divide="ignore"):
            return np.asarray(self.kelvin**2 / (self._p["kelvins"] * heating))

    @property
    def burst(self) -> Bool:
        """Where the vessel has burst."""
        return self._state["burst"] > 0.0

    @property
    def vented(self) -> Float64:
        """Vapour let out through the disc, kmol."""
        return self._state["vented"]

    def _step(self, dt: float) -> None:
        given = self._inputs.columns
        given = given | {"coolant_temperature": given["coolant_temperature"] + self._supply.step(dt)}
        before = _recipe(self._p, given, self._state, dt, self._present)
        if before["phase"] is not self._state["phase"]:
            self._present = set(before["phase"].tolist())
        calm = _fitting(self._p, before, dt)
        self._state = _advance(self._p, given, before, np.full(self.count, dt))
        if (calm < dt).any():
            self._finely(np.flatnonzero(calm < dt), given, before, dt)

    def _finely(self, rows: Int64, given: Columns, before: Columns, dt: float) -> None:
        """Go the same way again where it is fast, each reactor in steps as short as it needs."""
        p = {name: column[rows] for name, column in self._p.items()}
        inputs = {name: column[rows] for name, column in given.items()}
        state = {name: column[rows] for name, column in before.items()}
        left = np.full(len(rows), dt)
        while left.any():
            piece = np.minimum(left, _fitting(p, state, dt))
            state = _advance(p, inputs, state, piece)
            left = left - piece
        for name, column in state.items():
            self._state[name][rows] = column

    def read(self) -> Mapping[str, Float64]:
        """The true values by output name."""
        s = self._state
        made = s["c"] / np.maximum(np.minimum(s["a"] + s["c"], 0.5 * s["b"] + s["c"]), 1e-9)
        return {
            "temperature": s["kelvin"] - _ZERO,
            "jacket_temperature": s["jacket"] - _ZERO,
            "pressure": s["pressure"] - _ATMOSPHERE,
            "level": np.minimum(100.0 * s["volume"] / self._p["capacity"], 100.0),
            "coolant_flow": s["flow"] * 3.6,
            "coolant_valve": 100.0 * np.maximum(-s["output"], 0.0),
            "conversion": 100.0 * made,
            "phase": s["phase"].copy(),
        }


def _capacity(s: Columns) -> Float64:
    """N c_p of a batch, kJ/K."""
    held = 40.0 * (s["a"] + s["c"]) + 8.38 * (s["b"] + 2.0 * s["c"]) + 18.0 * s["w"]
    return np.maximum(_CALORIE * held, _EMPTY)


def _rate(p: Columns, s: Columns, kelvin: Float64) -> Float64:
    """kmol/s of o-nitrochlorobenzene that react."""
    constant = p["rate"] * np.exp(p["kelvins"] * (1.0 / 461.0 - 1.0 / kelvin))
    return np.asarray(constant * s["a"] * s["b"] / np.maximum(s["volume"], 1e-6))


def _seen(p: Columns, s: Columns) -> Columns:
    """What follows from amounts and temperature: heat capacity, rate, pressure and its parts (kPa absolute)."""
    inverse = 1.0 / s["kelvin"]
    moles = np.maximum(s["a"] + s["b"] + 2.0 * s["c"] + s["w"], 1e-9)
    steam = s["w"] / moles * 892.0 * np.exp(4664.0 * (1.0 / 448.15 - inverse))
    ammonia = p["activity"] * s["b"] / moles * _ATMOSPHERE * np.exp(2808.0 * (1.0 / 239.8 - inverse))
    air = np.where(s["open"] + s["burst"] > 0.0, 0.0, _ATMOSPHERE / 298.15 * s["kelvin"])
    return {
        "capacity": _capacity(s),
        "rate": _rate(p, s, s["kelvin"]),
        "steam": steam,
        "ammonia": ammonia,
        "pressure": np.maximum(air + steam + ammonia, _ATMOSPHERE),
    }


def _venting(p: Columns, s: Columns) -> tuple[Float64, Float64]:
    """Water and ammonia that leave through the open disc, kmol/s: choked, less as the pressure is let off."""
    pressure, steam, ammonia = s["pressure"], s["steam"], s["ammonia"]
    speed = 0.6 * np.sqrt(_VAPOUR_MASS * 1e-3 / (GAS_CONSTANT * s["kelvin"]))  # s/m
    over = np.sqrt(np.maximum(1.0 - (_ATMOSPHERE / pressure) ** 2, 0.0))
    leaving = s["open"] * p["vent"] * 1e-4 * speed * pressure * 1e3 * over / _VAPOUR_MASS
    vapour = np.maximum(steam + ammonia, 1e-9)
    return leaving * steam / vapour, leaving * ammonia / vapour


def _fitting(p: Columns, s: Columns, dt: float) -> Float64:
    """Time in which reaction and vent change the temperature by at most 0.5 K; dt s at most, 1e-3 of it at least."""
    changing = s["rate"] * p["heat"]
    if s["open"].any():
        water, ammonia = _venting(p, s)
        changing = changing + _LATENT * (water + ammonia)
    fit = 0.5 * s["capacity"] / np.maximum(changing, 1e-9)
    return np.asarray(np.minimum(np.maximum(fit, 1e-3 * dt), dt))


def _recipe(p: Columns, given: Columns, s: Columns, dt: float, present: Collection[float]) -> Columns:
    """Move each reactor on when its step is done; ``present`` are the steps that any of them is at."""
    phase, since = s["phase"], s["since"] + dt
    celsius = s["kelvin"] - _ZERO
    ended = {
        Phase.CHARGE: lambda: s["volume"] >= p["volume"],
        Phase.HEAT: lambda: celsius >= given["setpoint"] - 1.0,
        Phase.REACT: lambda: since >= p["reacting"],
        Phase.COOL: lambda: celsius <= p["cooled"],
        Phase.DISCHARGE: lambda: s["volume"] <= 0.0,
        Phase.WAIT: lambda: since >= p["waiting"],
    }
    done = np.zeros(len(phase), dtype=np.bool_)
    for one in present:
        done |= (phase == one) & ended[Phase(int(one))]()
    if not done.any():
        return s | {"since": since}
    done &= (given["hold"] < 0.5) & (s["burst"] + s["open"] == 0.0)  # noqa: PLR2004
    return s | {
        "phase": np.where(done, (phase + 1.0) % len(Phase), phase),
        "since": np.where(done, 0.0, since),
    }


def _advance(p: Columns, given: Columns, s: Columns, dt: Float64) -> Columns:
    """The state ``dt`` s (of each reactor) later."""
    phase = s["phase"]
    if ((phase == Phase.CHARGE) | (phase == Phase.DISCHARGE)).any():
        s = _moved(p, s, dt)
    kelvin, jacket = s["kelvin"], s["jacket"]
    hot = ((phase == Phase.HEAT) | (phase == Phase.REACT)) & (s["open"] == 0.0)
    error = np.where(hot, given["setpoint"], 25.0) + _ZERO - kelvin
    wanted = p["gain"] * error + s["integral"]
    output = np.where(phase == Phase.WAIT, 0.0, np.minimum(np.maximum(wanted, -1.0), 1.0))
    integral = s["integral"] + np.where(output == wanted, dt * p["gain"] * error / p["reset"], 0.0)
    cold = np.maximum(-output, 0.0) ** 2 * p["coolant"] * (1.0 - given["cooling_failure"])
    warm = np.maximum(output, 0.0) * p["heating"]

    begun = s["capacity"]
    middle = kelvin + np.minimum(0.5 * dt * s["rate"] * p["heat"] / begun, 5.0)
    limit = np.maximum(np.minimum(s["a"], 0.5 * s["b"]), 1e-12)
    reacted = limit * -np.expm1(-dt * _rate(p, s, middle) / limit)

    a, c = s["a"] - reacted, s["c"] + reacted
    b, w = np.maximum(s["b"] - 2.0 * reacted, 0.0), s["w"]
    heat = begun * kelvin + p["heat"] * reacted
    volume = s["volume"]

    vented = s["vented"]
    if s["open"].any():
        steam, ammonia = _venting(p, s)
        steam, ammonia = np.minimum(dt * steam, 0.1 * w), np.minimum(dt * ammonia, 0.1 * b)
        w, b = w - steam, b - ammonia
        volume = np.maximum(volume - 0.018 * (steam + ammonia), 0.0)
        vented = vented + steam + ammonia
        heat -= _LATENT * (steam + ammonia) + _CALORIE * (18.0 * steam + 8.38 * ammonia) * kelvin

    ended = _capacity({"a": a, "b": b, "c": c, "w": w})
    # Backward Euler of both temperatures: what the jacket takes is what the batch gives
    exchange = dt * p["exchange"] * (1.0 - 0.9 * given["agitator_failure"]) * (volume > 0.0)
    flows = dt * _WATER * (cold + warm)
    entering = dt * _WATER * (cold * given["coolant_temperature"] + warm * p["heating_temperature"])
    held = p["jacket"] * jacket + entering + flows * _ZERO
    of_jacket = p["jacket"] + flows + exchange
    new = (heat + exchange * held / of_jacket) / (ended + exchange * (1.0 - exchange / of_jacket))
    new = np.maximum(new, _ZERO - 20.0)
    new_jacket = (held + exchange * new) / of_jacket
    state = {
        "a": a,
        "b": b,
        "c": c,
        "w": w,
        "volume": volume,
        "kelvin": new,
        "jacket": new_jacket,
        "integral": integral,
        "output": output,
        "flow": cold,
        "phase": phase,
        "since": s["since"],
        "open": s["open"],
        "vented": vented,
        "burst": s["burst"],
    }
    state |= _seen(p, state)
    gauge = state["pressure"] - _ATMOSPHERE
    state["open"] = np.maximum(s["open"], (gauge >= p["disc"]) & (given["disc_blocked"] < 0.5))  # noqa: PLR2004
    gone = (s["burst"] > 0.0) | (gauge >= p["strength"])
    return _emptied(p, state, gone) if gone.any() else state


def _moved(p: Columns, s: Columns, dt: Float64) -> Columns:
    """Charge and discharge, both at an even pace; what is charged has 25 °C."""
    phase, volume = s["phase"], s["volume"]
    share = np.where((phase == Phase.CHARGE) & (s["burst"] == 0.0), np.minimum(dt / p["charging"], 1.0), 0.0)
    gone = np.where(phase == Phase.DISCHARGE, dt / p["discharging"] * p["volume"], 0.0)
    kept = np.where(volume > gone, 1.0 - gone / np.maximum(volume, 1e-9), 0.0)
    kept = np.where(gone > 0.0, kept, 1.0)
    held = _capacity({name: s[name] * kept for name in "abcw"})
    left = s | {
        "a": s["a"] * kept + share * p["oncb"],
        "b": s["b"] * kept + share * p["ammonia"],
        "c": s["c"] * kept,
        "w": s["w"] * kept + share * p["water"],
        "volume": volume * kept + share * p["volume"],
    }
    mixed = _capacity(left)
    warm = (held * s["kelvin"] + np.maximum(mixed - held, 0.0) * 298.15) / np.maximum(mixed, held)
    left["kelvin"] = np.where(share > 0.0, warm, s["kelvin"])
    return left | _seen(p, left)


def _emptied(p: Columns, s: Columns, gone: Bool) -> Columns:
    """What is left of vessels that burst: nothing, at 25 °C."""
    nothing = {name: np.where(gone, 0.0, s[name]) for name in ("a", "b", "c", "w", "volume")}
    left = s | nothing | {"burst": gone.astype(np.float64), "kelvin": np.where(gone, 298.15, s["kelvin"])}
    return left | _seen(p, left)
