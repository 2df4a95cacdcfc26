"""Workplace beside blast-furnace gas: carbon monoxide that leaks from a flange or through a water seal."""

from collections.abc import Mapping

import numpy as np

from domain.gases import SPECIES, molar_volume
from domain.samples import Float64
from simulators.instruments import Wander
from simulators.plants.air import GRAVITY, OXYGEN, ZERO, two_nodes
from simulators.plants.columns import ColumnPlant
from simulators.plants.protocol import Input, Output, Parameter, Parameters

KIND = "gas_workplace"

_HOUR = 3600.0
_PPM = 1e6
_CO = SPECIES["CO"]
_MG = _CO.molar_mass / molar_volume()
"""mg/m³ in one ppm at 20 °C and 101.325 kPa."""
_WATER = 998.2
"""kg/m³ at 20 °C."""
_ATMOSPHERE = 101.325
"""kPa."""
_GAS = 1.30
"""kg/m³ of blast-furnace gas at 0 °C and 101.325 kPa: about 25 % CO, 20 % CO2, 3 % H2, the rest nitrogen [K]."""
_HOLE = 0.61
"""Discharge coefficient of a sharp-edged hole (Perry's Chemical Engineers' Handbook, section 10)."""


class GasWorkplace(ColumnPlant):
    """Carbon monoxide in n workplaces, in two linked spaces: near the leak, and the rest of the room.

    Two-zone model of M. Nicas (American Industrial Hygiene Association Journal 57, 1996, 542-550):
    V_near N' = G + beta (F - N) and V_far F' = beta (N - F) + Q (c_out - F), with G in m³/s of CO, beta the air
    that moves between the two, Q the ventilation. At rest F = c_out + G/Q and N = F + G/beta. With beta large both are
    one well-mixed room, c(t) = G/Q (1 - e^(-Q t/V)). Solved so that the balance holds to rounding (``held``,
    ``released``, ``removed``). What leaks displaces no air: it is too little to matter until it kills.

    Leak: gas of pressure p flows from a flange's gap by Q = c A sqrt(2 p / rho). A water seal holds as long as its
    water, rho_w g h, does; then gas blows through it by the same law, with what p is above that and the seal's free
    section. The seal loses ``seal_loss`` mm an hour (evaporation, a drain that drips) and gets ``refill``, up to its
    overflow. Its height is the working pressure's plus 500 mm by default (GB 6222 [K]). Gas at the main's
    temperature; its volume is told at 20 °C.
    """

    outputs: Mapping[str, Output] = {
        "co": Output("co_metallurgy", "ppm", "一氧化碳", "carbon monoxide in the room"),
        "co_near": Output("co_metallurgy", "ppm", "泄漏点旁一氧化碳", "carbon monoxide near the leak"),
        "co_mass": Output("co_metallurgy", "mg/m3", "一氧化碳（质量浓度）", "carbon monoxide in the room, as mg/m³"),
        "oxygen": Output("oxygen", "%vol", "氧气", "oxygen in the room"),
        "gas_pressure": Output("pressure", "kPa", "煤气压力", "pressure of the gas main, gauge"),
        "seal_level": Output("level", "mm", "水封液位", "effective height of the water seal"),
        "leak_flow": Output("flow", "m3/h", "煤气泄漏量", "gas that escapes, at 20 °C and 101.325 kPa"),
        "air_changes": Output("flow", "1/h", "换气次数", "air changes an hour"),
    }
    inputs: Mapping[str, Input] = {
        "pressure": Input("kPa", 12.0, "煤气压力", "pressure of the gas main, gauge", high=400.0),
        "gap": Input("mm2", 0.0, "法兰缝隙", "gap of a flange that leaks", high=1e5),
        "seal_loss": Input("mm/h", 0.0, "水封失水", "water that the seal loses", high=1e5),
        "refill": Input("mm/h", 20.0, "水封补水", "water that is added", high=1e5),
        "fan": Input("", 0.0, "轴流风机", "exhaust fan, share of its capacity"),
        "doors": Input("", 0.0, "门窗开启", "doors and windows, share open"),
        "outside_co": Input("ppm", 1.0, "室外一氧化碳", "carbon monoxide outside", high=1e5),
    }
    parameters: Mapping[str, Parameter] = {
        "volume": Parameter("m3", 1500.0, "空间", "volume of the room without the near zone", 10.0, 1e6, 0.05),
        "near": Parameter("m3", 30.0, "近区空间", "volume near the leak", 1.0, 1e5),
        "mixing": Parameter("m3/s", 0.6, "近远区换气", "air between the two zones (beta)", 0.001, 1e4, 0.1),
        "air_changes": Parameter("1/h", 1.5, "自然换气", "air changes, all closed", 0.0, 200.0, 0.1),
        "fan_changes": Parameter("1/h", 10.0, "风机换气", "air changes by the fan", 0.0, 200.0),
        "door_changes": Parameter("1/h", 8.0, "门窗换气", "air changes by doors and windows", 0.0, 200.0),
        "share": Parameter("%vol", 25.0, "煤气CO含量", "CO in blast-furnace gas", 0.1, 100.0, 0.03, "[K]"),
        "gas_temperature": Parameter("°C", 60.0, "煤气温度", "temperature of the gas", -20.0, 400.0),
        "seal_height": Parameter("mm", 1725.0, "水封高度", "12 kPa and 500 mm of water", 10.0, 5e4, 0.0, "GB 6222 [K]"),
        "seal_section": Parameter("mm2", 2000.0, "水封通流面积", "section of a seal that blows through", 1.0, 1e6),
    }

    LONGEST = 1.0
    """s of one step inside."""

    def __init__(self, count: int, rng: np.random.Generator, parameters: Parameters | None = None) -> None:
        super().__init__(KIND, count, rng, parameters)
        p = self._p
        variation = self._variation
        self._main = Wander(rng, 0.04 * variation, 120.0, count)
        self._draught = Wander(rng, 0.15 * variation, 600.0, count)
        outside = self._inputs["outside_co"] / _PPM
        self.far: Float64 = outside.copy()
        self.near: Float64 = outside.copy()
        """Volume shares of CO in the room and near the leak."""
        self.seal: Float64 = p["seal_height"].copy()
        """mm of water."""
        self.pressure: Float64 = self._inputs["pressure"] * (1.0 + self._main.value)
        """kPa gauge."""
        self.leaking: Float64 = np.zeros(count)
        """m³/s of gas at 20 °C and 101.325 kPa."""
        self.released: Float64 = np.zeros(count)
        self.removed: Float64 = np.zeros(count)
        """m³ of CO that have come in by the leak and gone with the air (less what came with it) since the start."""
        self._air: Float64 = p["air_changes"] * p["volume"] / _HOUR

    @property
    def held(self) -> Float64:
        """m³ of CO in both spaces."""
        return self._p["volume"] * self.far + self._p["near"] * self.near

    def _step(self, dt: float) -> None:
        given, p = self._inputs, self._p
        self.pressure = given["pressure"] * (1.0 + self._main.step(dt))
        refilled = self.seal + (given["refill"] - given["seal_loss"]) * (dt / _HOUR)
        self.seal = np.minimum(np.maximum(refilled, 0.0), p["seal_height"])
        self.leaking = self._leak()
        changes = p["air_changes"] + given["fan"] * p["fan_changes"] + given["doors"] * p["door_changes"]
        self._air = changes * (1.0 + self._draught.step(dt)) * p["volume"] / _HOUR
        outside = given["outside_co"] / _PPM
        escaping = self.leaking * p["share"] / 100.0
        (self.far, self.near), (between, _) = two_nodes(
            (self.far, self.near),
            (p["volume"], p["near"]),
            (self._air * outside, escaping),
            (self._air, np.zeros(self.count)),
            p["mixing"],
            dt,
        )
        self.released += dt * escaping
        self.removed += dt * self._air * (between - outside)

    def _leak(self) -> Float64:
        given, p = self._inputs, self._p
        over = np.maximum(self.pressure - _WATER * GRAVITY * self.seal * 1e-6, 0.0)
        # kg/m³ of the gas as it is in the main, and what a m³ of it becomes outside
        pressed = (_ATMOSPHERE + self.pressure) / _ATMOSPHERE
        heavy = _GAS * pressed * ZERO / (p["gas_temperature"] + ZERO)
        told = pressed * (20.0 + ZERO) / (p["gas_temperature"] + ZERO)
        flange = given["gap"] * np.sqrt(2e3 * self.pressure / heavy)
        seal = p["seal_section"] * np.sqrt(2e3 * over / heavy)
        return np.asarray(_HOLE * 1e-6 * told * (flange + seal))

    def read(self) -> Mapping[str, Float64]:
        """The true values by output name."""
        far = np.minimum(self.far, 1.0)
        return {
            "co": far * _PPM,
            "co_near": np.minimum(self.near, 1.0) * _PPM,
            "co_mass": far * (_PPM * _MG),
            "oxygen": OXYGEN * (1.0 - np.minimum(far / (self._p["share"] / 100.0), 1.0)),
            "gas_pressure": self.pressure.copy(),
            "seal_level": self.seal.copy(),
            "leak_flow": self.leaking * _HOUR,
            "air_changes": self._air * _HOUR / self._p["volume"],
        }
