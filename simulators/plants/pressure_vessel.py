"""Pressure vessel: a gas buffer that is fed, drawn by a pressure controller, and relieved by a spring-loaded valve."""

from collections.abc import Mapping

import numpy as np

from domain.gases import GAS_CONSTANT
from domain.samples import Bool, Float64, Int64
from simulators.instruments import Wander
from simulators.plants.columns import ColumnPlant, pieces
from simulators.plants.protocol import Input, Output, Parameter, Parameters

KIND = "pressure_vessel"

ATMOSPHERE = 101_325.0
"""Pa."""
_ZERO = 273.15
_HOTTEST = 2000.0
"""K; a vessel has failed long before, and ideal heat capacities mean nothing beyond."""
_LEAST = 1e-6
"""mol."""

Columns = dict[str, Float64]


class PressureVessel(ColumnPlant):
    """Ideal gas of n vessels at constant volume, with constant heat capacities.

    Amount: n' = feed - outlet - relief. Heat: (n c_v T)' = feed c_p T_feed - (outlet + relief) c_p T + Q
    - UA (T - T_ambient). Pressure: p = n R T / V. Outflow through an area A with coefficient c, into the open or into
    a line at ``back_pressure``: W = c A p sqrt(gamma M / (R T)) (2 / (gamma + 1))^((gamma + 1) / (2 (gamma - 1)))
    where it is choked, and the isentropic nozzle's share of that where it is not. The amount follows outflow
    exponentially and the heat by backward Euler: neither can become negative, and both balance to rounding.

    Relief valve: pops open when the pressure at its inlet reaches its set pressure and closes at
    (1 - blowdown) of it; the disc travels its lift within ``stroke``. At full lift the inlet line loses
    ``inlet_loss`` of the set pressure (API 520 Part II, §7: not above 3 %); where that is more than the blowdown,
    the open valve feels a pressure below its reseat pressure and chatters. Steps of 50 ms near its set pressure, of
    1 s otherwise, for each vessel by itself.

    The controller opens the outlet in proportion to the pressure above its setpoint, and with its integral. A valve
    with stiction stays where it is until it is to move by more than that, and then slips all the way: with integral
    action the pressure swings about its setpoint without end (Choudhury, Thornhill and Shah, Control Engineering
    Practice 13, 2005).
    """

    outputs: Mapping[str, Output] = {
        "pressure": Output("pressure", "kPa", "压力", "pressure, gauge"),
        "temperature": Output("temperature", "°C", "温度", "temperature"),
        "feed_flow": Output("flow", "kg/h", "进气流量", "feed flow"),
        "outlet_flow": Output("flow", "kg/h", "出气流量", "outlet flow"),
        "outlet_valve": Output("valve_position", "%", "出口调节阀阀位", "opening of the outlet valve"),
        "relief_flow": Output("flow", "kg/h", "安全阀泄放量", "flow through the relief valve"),
        "relief_lift": Output("valve_position", "%", "安全阀开度", "lift of the relief valve"),
    }
    inputs: Mapping[str, Input] = {
        "feed": Input("kg/h", 1000.0, "进气量", "feed", high=1e5),
        "feed_temperature": Input("°C", 30.0, "进气温度", "temperature of the feed", -150.0, 600.0),
        "setpoint": Input("kPa", 800.0, "压力设定", "setpoint of the pressure controller, gauge", high=2e4),
        "heating": Input("kW", 0.0, "受热", "heat from a heater or a fire", high=2e4),
        "ambient_temperature": Input("°C", 20.0, "环境温度", "ambient temperature", -60.0, 60.0),
        "outlet_blocked": Input("", 0.0, "出口堵塞", "share of the outlet that is blocked"),
        "outlet_stiction": Input(
            "%", 0.0, "调节阀粘滞", "what the outlet valve must be moved by before it moves", high=50.0
        ),
        "relief_stuck": Input("", 0.0, "安全阀卡死", "the relief valve does not open (0.5 and above)"),
        "relief_leak": Input("", 0.0, "安全阀内漏", "share of the relief valve's area that leaks when closed"),
        "relief_shift": Input("kPa", 0.0, "安全阀定压漂移", "shift of the set pressure", -2e4, 2e4),
    }
    parameters: Mapping[str, Parameter] = {
        "volume": Parameter("m3", 20.0, "容积", "volume", 0.01, 1e5, 0.02),
        "molar_mass": Parameter("g/mol", 28.01, "摩尔质量", "molar mass", 1.0, 300.0, 0.0, "nitrogen, IUPAC"),
        "gamma": Parameter("", 1.40, "绝热指数", "ratio of heat capacities", 1.05, 1.67, 0.0, "diatomic gas"),
        "pressure": Parameter("kPa", 800.0, "初始压力", "pressure at the start, gauge", 0.0, 2e4),
        "temperature": Parameter("°C", 30.0, "初始温度", "temperature at the start", -150.0, 600.0),
        "heat_loss": Parameter("W/K", 300.0, "散热系数", "UA to the surroundings", 0.0, 1e6, 0.05),
        "outlet_area": Parameter("mm2", 400.0, "出口面积", "area of the outlet valve, open", 0.0, 1e6, 0.02),
        "back_pressure": Parameter("kPa", 300.0, "出口背压", "pressure behind the outlet, gauge", 0.0, 2e4),
        "gain": Parameter("%/kPa", 0.5, "控制增益", "gain of the controller", 0.0, 100.0),
        "reset": Parameter("s", 120.0, "积分时间", "integral time of the controller", 0.1, 1e5),
        "relief_set": Parameter("kPa", 1000.0, "安全阀整定压力", "set pressure, gauge", 1.0, 1e5, 0.005),
        "blowdown": Parameter("", 0.07, "启闭压差", "share of the set pressure by which it reseats lower", 0.005, 0.5),
        "relief_area": Parameter("mm2", 300.0, "安全阀流道面积", "relief area", 0.0, 1e6),
        "coefficient": Parameter("", 0.975, "流量系数", "coefficient of discharge", 0.1, 1.0, 0.0, "API 520 Part I"),
        "inlet_loss": Parameter("", 0.02, "进口管压损", "inlet line's loss at full lift, by set pressure", 0.0, 0.5),
        "stroke": Parameter("s", 0.1, "启闭时间", "time in which the disc travels its lift", 0.0, 10.0),
        "strength": Parameter("kPa", 4000.0, "爆破压力", "pressure that bursts the vessel, gauge", 10.0, 1e6),
    }

    LONGEST = 1.0
    """s of one step away from the set pressure."""
    FINE = 0.05
    """s of one step near it."""
    NEAR = 0.98
    """Share of the set pressure from which steps are fine."""

    def __init__(self, count: int, rng: np.random.Generator, parameters: Parameters | None = None) -> None:
        super().__init__(KIND, count, rng, parameters)
        p = self._p
        self._unrest = Wander(rng, 0.02 * self._variation, 60.0, count)
        g, molar = p["gamma"], p["molar_mass"] * 1e-3
        choke = (2.0 / (g + 1.0)) ** ((g + 1.0) / (2.0 * (g - 1.0)))
        self._p = p | {
            "molar": molar,
            "cv": GAS_CONSTANT / (g - 1.0),
            "cp": GAS_CONSTANT * g / (g - 1.0),
            # mol/s per m2 Pa / sqrt(K) where choked; the pressure ratio where it begins; the nozzle's factor below
            "choked": p["coefficient"] * np.sqrt(g / (GAS_CONSTANT * molar)) * choke,
            "critical": (2.0 / (g + 1.0)) ** (g / (g - 1.0)),
            "nozzle": np.sqrt(2.0 / (g - 1.0)) / choke,
            "behind": p["back_pressure"] * 1e3 + ATMOSPHERE,
        }
        kelvin = p["temperature"] + _ZERO
        zero = np.zeros(count)
        self._state: Columns = {
            "amount": (p["pressure"] * 1e3 + ATMOSPHERE) * p["volume"] / (GAS_CONSTANT * kelvin),
            "kelvin": kelvin,
            "lift": zero,
            "popped": zero,
            "openings": zero,
            "opening": zero,
            "integral": zero,
            "fed": zero,
            "drawn": zero,
            "relieved": zero,
            "burst": zero,
        }
        self._state["pressure"] = self.amount * GAS_CONSTANT * kelvin / p["volume"]
        full = _passing(self._p, p["outlet_area"] * 1e-6, self.pressure, kelvin, self._p["behind"])
        wanted = self._inputs["feed"] / 3600.0 / molar
        settled = np.minimum(100.0 * wanted / np.maximum(full, 1e-9), 100.0)
        # The controller has found the opening that passes the feed before the story begins
        self._state |= {"integral": settled, "opening": settled}
        self._flows = {"fed": wanted, "drawn": wanted, "relieved": zero}
        self._close = np.zeros(count, dtype=np.bool_)

    @property
    def amount(self) -> Float64:
        """Gas in the vessel, mol."""
        return self._state["amount"]

    @property
    def kelvin(self) -> Float64:
        """Temperature of the gas, K."""
        return self._state["kelvin"]

    @property
    def pressure(self) -> Float64:
        """Pressure, Pa absolute."""
        return self._state["pressure"]

    @property
    def openings(self) -> Int64:
        """How often each relief valve has popped open."""
        return self._state["openings"].astype(np.int64)

    @property
    def burst(self) -> Bool:
        """Where the vessel has burst and stands open."""
        return self._state["burst"] > 0.0

    def step(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        begun = self._state
        super().step(seconds)
        if seconds:
            self._flows = {name: (self._state[name] - begun[name]) / seconds for name in self._flows}

    def _step(self, dt: float) -> None:
        given = self._inputs.columns
        restless = given | {"feed": given["feed"] * (1.0 + self._unrest.step(dt))}
        before, was_close = self._state, self._close
        self._state = _advance(self._p, restless, before, dt)
        close = self._near() | was_close
        if close.any():
            self._finely(np.flatnonzero(close), restless, before, dt)
            self._close = self._near()

    def _near(self) -> Bool:
        """Where the relief valve may move."""
        at = self.NEAR * 1e3 * (self._p["relief_set"] + self._inputs["relief_shift"])
        return np.asarray((self.pressure - ATMOSPHERE >= at) | (self._state["lift"] > 0.0))

    def _finely(self, rows: Int64, given: Columns, before: Columns, dt: float) -> None:
        """Go the same way again in fine steps, in these rows alone, so that no vessel depends on its neighbours."""
        picked = {name: column[rows] for name, column in self._p.items()}
        inputs = {name: column[rows] for name, column in given.items()}
        state = {name: column[rows] for name, column in before.items()}
        count, fine = pieces(KIND, dt, self.FINE)
        for _ in range(count):
            state = _advance(picked, inputs, state, fine)
        for name, column in state.items():
            # Columns that nothing changed are shared with the state before
            whole = self._state[name].copy()
            whole[rows] = column
            self._state[name] = whole

    def read(self) -> Mapping[str, Float64]:
        """The true values by output name; flows are means over the last step, the lift is that at its end."""
        state, hourly = self._state, 3600.0 * self._p["molar"]
        flows = self._flows
        return {
            "pressure": (self.pressure - ATMOSPHERE) * 1e-3,
            "temperature": state["kelvin"] - _ZERO,
            "feed_flow": flows["fed"] * hourly,
            "outlet_flow": flows["drawn"] * hourly,
            "outlet_valve": state["opening"].copy(),
            "relief_flow": flows["relieved"] * hourly,
            "relief_lift": state["lift"] * 100.0,
        }


def _passing(p: Columns, area: Float64, pressure: Float64, kelvin: Float64, behind: Float64 | float) -> Float64:
    """mol/s through areas in m² from ``pressure`` to ``behind``, both Pa absolute."""
    choked: Float64 = area * p["choked"] * pressure / np.sqrt(kelvin)
    ratio = behind / pressure
    if (ratio <= p["critical"]).all():
        return choked
    ratio = np.minimum(np.maximum(ratio, p["critical"]), 1.0)
    g = p["gamma"]
    below = np.maximum(ratio ** (2.0 / g) - ratio ** ((g + 1.0) / g), 0.0)
    return np.asarray(choked * np.minimum(p["nozzle"] * np.sqrt(below), 1.0))


def _spare(p: Columns, amount: Float64, pressure: Float64, behind: Float64 | float) -> Float64:
    """Gas in mol that leaves until the rest, expanding along the isentrope, has the pressure ``behind``."""
    return np.asarray(amount * (1.0 - np.minimum(behind / pressure, 1.0) ** (1.0 / p["gamma"])))


def _lifted(p: Columns, given: Columns, state: Columns, gauge: Float64, dt: float) -> tuple[Float64, Float64]:
    """Lift of the relief valves ``dt`` s later, and whether they have popped, at gauge pressures in kPa."""
    set_at = np.maximum(p["relief_set"] + given["relief_shift"], 1.0)
    lift, popped = state["lift"], state["popped"]
    if not (gauge >= set_at).any() and not popped.any() and not lift.any():
        return lift, popped
    felt = gauge - p["inlet_loss"] * set_at * lift**2
    popped = np.where(felt >= set_at, 1.0, np.where(felt <= set_at * (1.0 - p["blowdown"]), 0.0, popped))
    popped = np.where(given["relief_stuck"] >= 0.5, 0.0, popped)  # noqa: PLR2004
    travel = dt / np.maximum(p["stroke"], 1e-6)
    return np.minimum(np.maximum(popped, lift - travel), lift + travel), popped


def _advance(p: Columns, given: Columns, state: Columns, dt: float) -> Columns:
    """The state ``dt`` s later."""
    amount, kelvin, pressure = state["amount"], state["kelvin"], state["pressure"]
    gauge = (pressure - ATMOSPHERE) * 1e-3

    error = gauge - given["setpoint"]
    wanted = p["gain"] * error + state["integral"]
    ordered = np.minimum(np.maximum(wanted, 0.0), 100.0)
    integral = state["integral"] + np.where(ordered == wanted, dt * p["gain"] * error / p["reset"], 0.0)
    opening = ordered
    if given["outlet_stiction"].any():
        stuck = np.abs(ordered - state["opening"]) < given["outlet_stiction"]
        opening = np.where(stuck, state["opening"], ordered)
    lift, popped = _lifted(p, given, state, gauge, dt)

    area = p["outlet_area"] * (1e-8 * opening * (1.0 - given["outlet_blocked"]))
    outlet = _passing(p, area, pressure, kelvin, p["behind"])
    area = p["relief_area"] * (1e-6 * np.maximum(lift, given["relief_leak"]))
    relief = _passing(p, area, pressure, kelvin, ATMOSPHERE) if area.any() else area

    whole = state["burst"] == 0.0
    feed = np.where(whole, given["feed"] / 3600.0 / p["molar"], 0.0)
    flowing = np.maximum(outlet + relief, 1e-30)
    rate = flowing / amount
    if (rate * dt > 0.01).any():  # noqa: PLR2004 - so little cannot overshoot
        outlet = np.minimum(outlet, _spare(p, amount, pressure, p["behind"]) / dt + feed)
        relief = np.minimum(relief, _spare(p, amount, pressure, ATMOSPHERE) / dt + feed)
        flowing = np.maximum(outlet + relief, 1e-30)
        rate = flowing / amount
    mean = -np.expm1(-rate * dt) / rate
    left = np.maximum(amount + (feed - flowing) * mean, _LEAST)
    gone = np.maximum(amount + feed * dt - left, 0.0)
    loss = dt * p["heat_loss"]
    around = given["ambient_temperature"] + _ZERO
    heat = amount * p["cv"] * kelvin + feed * dt * p["cp"] * (given["feed_temperature"] + _ZERO)
    heat += dt * 1e3 * given["heating"] + loss * around
    hotter = np.minimum(heat / (left * p["cv"] + gone * p["cp"] + loss), _HOTTEST)

    after = left * GAS_CONSTANT * hotter / p["volume"]
    burst = ~whole | (after - ATMOSPHERE > 1e3 * p["strength"])
    if burst.any():
        left = np.where(burst, ATMOSPHERE * p["volume"] / (GAS_CONSTANT * around), left)
        hotter = np.where(burst, around, hotter)
        after = left * GAS_CONSTANT * hotter / p["volume"]
    out = gone / flowing
    return {
        "amount": left,
        "kelvin": hotter,
        "pressure": after,
        "lift": lift,
        "popped": popped,
        "openings": state["openings"] + (popped > state["popped"]),
        "opening": opening,
        "integral": integral,
        "fed": state["fed"] + feed * dt,
        "drawn": state["drawn"] + outlet * out,
        "relieved": state["relieved"] + relief * out,
        "burst": burst.astype(np.float64),
    }
