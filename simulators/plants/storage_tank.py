"""Storage tank: filled and drawn, blanketed with nitrogen, and overfilled when nothing stops the filling."""

from collections.abc import Mapping

import numpy as np

from domain.gases import GAS_CONSTANT
from domain.samples import Float64
from simulators.instruments import Wander
from simulators.plants.columns import ColumnPlant
from simulators.plants.protocol import Input, Output, Parameter, Parameters

KIND = "storage_tank"

_GRAVITY = 9.80665
"""m/s², standard."""
_ATMOSPHERE = 101.325
"""kPa."""
_ZERO = 273.15
_MOLAR_VOLUME = 0.0224140
"""m³ of gas per mol at 0 °C and 101.325 kPa, in which gas flows are told."""
_DISCHARGE = 0.61
"""Discharge coefficient of a sharp-edged hole (Perry's Chemical Engineers' Handbook, section 10)."""


class StorageTank(ColumnPlant):
    """Balances of liquid, heat and blanket gas of n tanks.

    Liquid: V' = F_in - F_out - F_leak - F_spill; what would pass 100 % runs over (F_spill). Filling and drawing
    follow what is wanted with a first-order lag. A leak at the bottom flows by Torricelli's law with the
    blanket's pressure on top, F_leak = c A sqrt(2 (g h + p / rho)), integrated exactly over a step.

    Heat: rho c V T' = rho c F_in (T_in - T) + Q - UA (T - T_ambient), backward Euler on the heat content, so that
    what comes in, goes out and is stored balances to rounding whatever the step.

    Blanket: n moles in the space above the liquid, p = n R T / V_gas - p_atmosphere; nitrogen enters in proportion
    to p_set - p (up to its capacity), the breather lets out in proportion to p - p_breather and lets in air below
    -p_vacuum; backward Euler, so that stiff regulators stay stable. A roof that is pressed or sucked beyond its
    strength opens for good.

    Filling ends at ``stop_level`` and begins again at ``start_level``, unless ``stop_failure``.
    """

    outputs: Mapping[str, Output] = {
        "level": Output("tank_level", "%", "液位", "level"),
        "temperature": Output("temperature", "°C", "温度", "temperature"),
        "pressure": Output("pressure", "kPa", "氮封压力", "blanket pressure, gauge"),
        "filling_flow": Output("flow", "m3/h", "进料流量", "filling flow"),
        "drawing_flow": Output("flow", "m3/h", "出料流量", "drawing flow"),
        "vent_flow": Output("flow", "m3/h", "呼吸阀排气量", "gas let out, at 0 °C and 101.325 kPa"),
        "spill_flow": Output("flow", "m3/h", "溢流量", "liquid running over"),
        "leak_flow": Output("flow", "m3/h", "泄漏量", "liquid leaking at the bottom"),
    }
    inputs: Mapping[str, Input] = {
        "filling": Input("m3/h", 120.0, "进料量", "filling while the tank receives", high=1e4),
        "drawing": Input("m3/h", 60.0, "出料量", "drawing", high=1e4),
        "fill_temperature": Input("°C", 20.0, "来料温度", "temperature of what is filled in", -50.0, 250.0),
        "ambient_temperature": Input("°C", 20.0, "环境温度", "ambient temperature", -60.0, 60.0),
        "heating": Input("kW", 0.0, "加热", "heating, or a fire beside the tank", high=1e5),
        "leak_diameter": Input("mm", 0.0, "泄漏孔径", "diameter of a hole at the bottom", high=500.0),
        "stop_failure": Input("", 0.0, "高位停料失效", "filling does not stop at its level (0.5 and above)"),
        "blanket_failure": Input("", 0.0, "氮封失效", "share of the nitrogen supply that fails"),
        "vent_blocked": Input("", 0.0, "呼吸阀堵塞", "share of the breather that is blocked"),
    }
    parameters: Mapping[str, Parameter] = {
        "capacity": Parameter("m3", 1000.0, "容积", "volume at 100 %", 1.0, 2e5, 0.02),
        "height": Parameter("m", 12.0, "高度", "liquid height at 100 %", 0.5, 50.0),
        "ullage": Parameter("", 0.05, "顶部余量", "gas space left at 100 %, by capacity", 0.01, 1.0),
        "density": Parameter("kg/m3", 791.0, "密度", "density", 300.0, 2500.0, 0.0, "methanol at 20 °C, NIST"),
        "heat_capacity": Parameter("J/kg/K", 2510.0, "比热", "heat capacity", 500.0, 1e4, 0.0, "methanol, NIST"),
        "heat_loss": Parameter("W/K", 350.0, "散热系数", "UA to the surroundings", 0.0, 1e6, 0.05),
        "level": Parameter("%", 50.0, "初始液位", "level at the start", 0.0, 100.0, 0.15),
        "temperature": Parameter("°C", 20.0, "初始温度", "temperature at the start", -50.0, 250.0),
        "start_level": Parameter("%", 30.0, "开始进料液位", "level at which filling begins", 0.0, 100.0, 0.05),
        "stop_level": Parameter("%", 75.0, "停止进料液位", "level at which filling ends", 0.0, 100.0, 0.02),
        "cutoff_level": Parameter("%", 2.0, "停泵液位", "level at which the pump draws no more", 0.0, 50.0),
        "lag": Parameter("s", 15.0, "流量时间常数", "time constant of valves and pumps", 0.0, 3600.0),
        "blanket": Parameter("kPa", 0.8, "氮封设定", "blanket pressure set", 0.0, 50.0, 0.05),
        "supply_gain": Parameter("mol/s/kPa", 10.0, "氮封增益", "nitrogen per kPa below the set pressure", 0.0, 1e4),
        "supply_capacity": Parameter("mol/s", 5.0, "氮封能力", "most nitrogen", 0.0, 1e4),
        "breather": Parameter("kPa", 1.3, "呼吸阀开启压力", "pressure at which the breather opens", 0.0, 50.0),
        "vacuum": Parameter("kPa", 0.3, "呼吸阀真空开启", "vacuum at which it lets in air", 0.0, 50.0),
        "breather_gain": Parameter("mol/s/kPa", 40.0, "呼吸阀增益", "breather's flow per kPa", 0.0, 1e4),
        "strength": Parameter("kPa", 6.0, "罐顶耐压", "pressure that opens the roof", 0.1, 90.0),
        "vacuum_strength": Parameter("kPa", 1.0, "罐顶耐真空", "vacuum that collapses it", 0.1, 90.0),
    }

    LONGEST = 10.0
    """s of one step inside."""

    def __init__(self, count: int, rng: np.random.Generator, parameters: Parameters | None = None) -> None:
        super().__init__(KIND, count, rng, parameters)
        p = self._p
        variation = self._variation
        self._weather = Wander(rng, 0.8 * variation, 3600.0, count)
        self._demand = Wander(rng, 0.03 * variation, 300.0, count)
        self._warmth = p["density"] * p["heat_capacity"]
        self._lag = np.maximum(p["lag"], 1e-6)
        self.volume: Float64 = p["level"] / 100.0 * p["capacity"]
        """m³ of liquid."""
        self.temperature: Float64 = p["temperature"].copy()
        """°C of liquid and gas."""
        self.gas: Float64 = self._moles(p["blanket"])
        """mol above the liquid."""
        self.pressure: Float64 = p["blanket"].copy()
        """kPa gauge."""
        self.breached = np.zeros(count, dtype=np.bool_)
        """Where the roof is open for good."""
        self._receiving = rng.random(count) < np.where(variation > 0.0, 0.5, 1.0)
        self._filling: Float64 = np.where(self._receiving, self._inputs["filling"], 0.0)
        self._drawing: Float64 = self._inputs["drawing"].copy()
        self._vented: Float64 = np.zeros(count)
        self._spilled: Float64 = np.zeros(count)
        self._leaked: Float64 = np.zeros(count)

    def _space(self) -> Float64:
        """m³ above the liquid."""
        return self._p["capacity"] * (1.0 + self._p["ullage"]) - self.volume

    def _moles(self, pressure: Float64 | float) -> Float64:
        kelvin = self.temperature + _ZERO
        return (_ATMOSPHERE + pressure) * 1e3 * self._space() / (GAS_CONSTANT * kelvin)

    @property
    def level(self) -> Float64:
        """Level, %."""
        return self.volume / self._p["capacity"] * 100.0

    def _step(self, dt: float) -> None:
        given, p, level = self._inputs, self._p, self.level
        stopped = (level >= p["stop_level"]) & (given["stop_failure"] < 0.5)  # noqa: PLR2004
        self._receiving = (self._receiving | (level <= p["start_level"])) & ~stopped
        keep = np.exp(-dt / self._lag)
        wanted = given["filling"] * self._receiving
        self._filling = wanted + (self._filling - wanted) * keep
        # The pump loses suction over the last percent above its cut-off
        suction = np.minimum(np.maximum(level - p["cutoff_level"], 0.0), 1.0)
        wanted = given["drawing"] * (1.0 + self._demand.step(dt)) * suction
        self._drawing = wanted + (self._drawing - wanted) * keep

        received = self._filling * (dt / 3600.0)
        held = self.volume + received
        drawn = np.minimum(self._drawing * (dt / 3600.0), held)
        leaked = np.minimum(self._leak(dt), held - drawn)
        left = held - drawn - leaked
        spilled = np.maximum(left - p["capacity"], 0.0)
        self._drawing = drawn * (3600.0 / dt)
        self._spilled = spilled * (3600.0 / dt)
        self._leaked = leaked * (3600.0 / dt)

        ambient = given["ambient_temperature"] + self._weather.step(dt)
        loss = dt * p["heat_loss"]
        heat = self._warmth * (self.volume * self.temperature + received * given["fill_temperature"])
        heat += dt * 1e3 * given["heating"] + loss * ambient
        # Liquid boils before it gets hotter than this; what evaporates is not followed
        self.temperature = np.minimum(heat / (self._warmth * np.maximum(held, 1e-6) + loss), 250.0)
        self.volume = left - spilled
        self._blanket(dt)

    def _leak(self, dt: float) -> Float64:
        """m³ that leak in ``dt``: with the head H = h + p / (rho g), sqrt(H) falls linearly (Torricelli)."""
        p = self._p
        diameter = self._inputs["leak_diameter"] * 1e-3
        if not diameter.any():
            return np.zeros(self.count)
        section = p["capacity"] / p["height"]
        height = self.volume / section
        head = np.maximum(height + self.pressure * 1e3 / (p["density"] * _GRAVITY), 0.0)
        rate = _DISCHARGE * 0.25 * np.pi * diameter * diameter / section * np.sqrt(2.0 * _GRAVITY)
        fallen = np.minimum(rate * dt, 2.0 * np.sqrt(head))
        volume: Float64 = np.minimum(fallen * np.sqrt(head) - 0.25 * fallen * fallen, height) * section
        return volume

    def _blanket(self, dt: float) -> None:
        given, p = self._inputs, self._p
        kelvin = self.temperature + _ZERO
        stiffness = GAS_CONSTANT * kelvin / self._space() * 1e-3
        alone = self.gas * stiffness - _ATMOSPHERE
        supply = p["supply_gain"] * (1.0 - given["blanket_failure"])
        breather = p["breather_gain"] * (1.0 - given["vent_blocked"])
        a, b = dt * stiffness * supply, dt * stiffness * breather
        short = p["blanket"] - alone
        entering = np.minimum(supply * np.maximum(short, 0.0) / (1.0 + a), p["supply_capacity"])
        mended = alone + dt * stiffness * entering
        over = np.maximum(mended - p["breather"], 0.0) / (1.0 + b)
        under = np.maximum(-p["vacuum"] - mended, 0.0) / (1.0 + b)
        self._vented = breather * over * (_MOLAR_VOLUME * 3600.0)
        self.gas = np.maximum(self.gas + dt * (entering + breather * (under - over)), 0.0)
        pressure = self.gas * stiffness - _ATMOSPHERE
        self.breached |= (pressure > p["strength"]) | (pressure < -p["vacuum_strength"])
        if self.breached.any():
            opened = self._moles(0.0)
            lost = np.maximum(self.gas - opened, 0.0) * (_MOLAR_VOLUME * 3600.0 / dt)
            self._vented = np.where(self.breached, self._vented + lost, self._vented)
            self.gas = np.where(self.breached, opened, self.gas)
            pressure = np.where(self.breached, 0.0, pressure)
        self.pressure = pressure

    def read(self) -> Mapping[str, Float64]:
        """The true values by output name."""
        return {
            "level": self.level,
            "temperature": self.temperature.copy(),
            "pressure": self.pressure.copy(),
            "filling_flow": self._filling.copy(),
            "drawing_flow": self._drawing.copy(),
            "vent_flow": self._vented.copy(),
            "spill_flow": self._spilled.copy(),
            "leak_flow": self._leaked.copy(),
        }
