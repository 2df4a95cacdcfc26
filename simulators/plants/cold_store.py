"""Cold store with ammonia: room and goods, refrigeration with defrosting, doors, and ammonia that leaks."""

from collections.abc import Mapping

import numpy as np

from domain.gases import SPECIES
from domain.samples import Float64
from simulators.instruments import Wander
from simulators.plants.air import GRAVITY, HEAT, ZERO, density, gas_volume, two_nodes, well_mixed
from simulators.plants.columns import ColumnPlant
from simulators.plants.protocol import Input, Output, Parameter, Parameters

KIND = "cold_store"

_MOLAR_MASS = SPECIES["NH3"].molar_mass
_HOUR = 3600.0
_PPM = 1e6
_ATMOSPHERE = 101.325
"""kPa."""


def ammonia_pressure(temperature: Float64) -> Float64:
    """Absolute pressure in kPa over boiling ammonia at °C.

    Antoine's equation, log10(p/bar) = 4.86886 - 1113.928 / (T/K - 10.409), for -33.6 to 98 °C (NIST Chemistry WebBook
    after Stull 1947).
    """
    return np.asarray(100.0 * 10.0 ** (4.86886 - 1113.928 / (temperature + ZERO - 10.409)))


class ColdStore(ColumnPlant):
    """Heat of room air and goods, and ammonia in the room and in the machine room, of n cold stores.

    Heat: C_air T' = UA_walls (T_out - T) + rho cp Q_door (T_out - T) + P_fans + P_defrost - Q_cold + UA_goods (G - T)
    and C_goods G' = UA_goods (T - G), with Q_cold = r UA_coil (T - T_evaporating), r the running share of the
    compressor. A thermostat starts it ``differential`` above the set temperature and stops it there; it does not run
    while the coil is defrosted. The balance holds to rounding (``stored`` against ``gained``).

    Door: the exchange through an open door by buoyancy, after Gosney and Olama (1975) as in the ASHRAE Handbook,
    Refrigeration: Q = 0.221 A sqrt(g H (1 - rho_out/rho_in)) F, F = (2 / (1 + (rho_in/rho_out)^(1/3)))^1.5, times
    the share of it that a curtain lets pass. Somebody goes in and out ``traffic`` times an hour (a Poisson process,
    none with variation 0), 24 h a day.

    Ammonia: V c' = q + Q_in c_out - (Q_in + q) c of both rooms, well mixed, q the volume of what escapes at room
    temperature; steady at c = q / (Q + q). The emergency fans of both start when either has ``fan_starts`` and stop
    below a fifth of it. A leak ends when the charge has run out. Suction and discharge pressure follow the
    evaporating and condensing temperatures along ammonia's boiling curve.
    """

    outputs: Mapping[str, Output] = {
        "temperature": Output("temperature", "°C", "库温", "room temperature"),
        "goods_temperature": Output("temperature", "°C", "货物温度", "temperature of the goods"),
        "ammonia": Output("nh3", "ppm", "库内氨浓度", "ammonia in the room"),
        "machine_room_ammonia": Output("nh3", "ppm", "机房氨浓度", "ammonia in the machine room"),
        "suction_pressure": Output("pressure", "kPa", "吸气压力", "suction pressure, gauge"),
        "discharge_pressure": Output("pressure", "kPa", "排气压力", "discharge pressure, gauge"),
        "cooling": Output("power", "kW", "制冷量", "heat taken out by the coil"),
        "door": Output("status", "", "库门", "door, 1 open"),
    }
    inputs: Mapping[str, Input] = {
        "set_temperature": Input("°C", -18.0, "设定库温", "temperature that the thermostat keeps", -28.0, 15.0),
        "outside_temperature": Input("°C", 25.0, "室外温度", "outside temperature", -40.0, 50.0),
        "traffic": Input("1/h", 6.0, "开门频次", "door openings an hour", high=120.0),
        "door_open": Input("", 0.0, "库门常开", "share that the door stands open"),
        "cooling_failure": Input("", 0.0, "制冷失效", "share of the refrigeration that fails"),
        "leak": Input("g/s", 0.0, "库内氨泄漏", "ammonia that escapes into the room", high=2000.0),
        "machine_room_leak": Input("g/s", 0.0, "机房氨泄漏", "ammonia that escapes in the machine room", high=2000.0),
        "exhaust": Input("", 0.0, "事故排风", "emergency ventilation started by hand, share"),
        "exhaust_failure": Input("", 0.0, "排风失效", "share of the emergency ventilation that fails"),
    }
    parameters: Mapping[str, Parameter] = {
        "volume": Parameter("m3", 3000.0, "库容积", "volume of the room", 20.0, 1e6, 0.05),
        "wall_loss": Parameter("W/K", 325.0, "围护传热", "UA of the envelope, 0.25 W/m²K", 1.0, 1e5, 0.05),
        "fixtures": Parameter("MJ/K", 20.0, "设施热容", "heat capacity of coils, racks and floor", 0.0, 1e4),
        "goods": Parameter("t", 600.0, "货物质量", "mass of the goods", 0.1, 1e6, 0.2),
        "goods_heat": Parameter("kJ/kg/K", 1.9, "货物比热", "heat capacity, frozen", 0.5, 4.2, 0.0, "ASHRAE [K]"),
        "goods_link": Parameter("kW/K", 6.0, "货物换热", "UA between goods and air", 0.01, 1e3, 0.1),
        "coil": Parameter("kW/K", 6.0, "蒸发器换热", "UA of the coil, 60 kW at 10 K", 0.1, 1e3, 0.05),
        "evaporating": Parameter("°C", -28.0, "蒸发温度", "evaporating temperature", -33.0, 5.0),
        "condensing": Parameter("K", 10.0, "冷凝温差", "condensing above outside temperature", 2.0, 30.0),
        "differential": Parameter("K", 1.0, "温控回差", "the thermostat starts so much above its stop", 0.1, 5.0),
        "fans": Parameter("kW", 3.0, "库内风机", "heat of fans and light", 0.0, 100.0),
        "defrost_every": Parameter("h", 8.0, "融霜间隔", "from one defrosting to the next", 1.0, 1000.0),
        "defrost_for": Parameter("min", 25.0, "融霜时长", "how long it lasts", 0.0, 60.0),
        "defrost_heat": Parameter("kW", 10.0, "融霜热量", "of its heat what gets into the room", 0.0, 500.0),
        "door_width": Parameter("m", 2.0, "门宽", "width of the door", 0.1, 20.0),
        "door_height": Parameter("m", 2.5, "门高", "height of the door", 0.1, 10.0),
        "curtain": Parameter("", 0.7, "门帘效率", "share of the exchange that a curtain prevents", 0.0, 1.0),
        "opening": Parameter("s", 40.0, "开门时长", "how long one opening lasts", 1.0, 3600.0),
        "leakage": Parameter("1/h", 0.05, "库渗风", "air changes of the room, door closed", 0.0, 100.0),
        "room_exhaust": Parameter("1/h", 6.0, "库排风", "air changes by the room's emergency fan", 0.0, 100.0),
        "machine_room": Parameter("m3", 400.0, "机房容积", "volume of the machine room", 5.0, 1e5, 0.05),
        "machine_room_air": Parameter("1/h", 3.0, "机房换气", "its air changes", 0.0, 100.0, 0.0, "GB 50072 [K]"),
        "machine_room_exhaust": Parameter("1/h", 12.0, "机房事故换气", "by its emergency fan", 0.0, 200.0),
        "fan_starts": Parameter(
            "ppm", 150.0, "排风联锁", "ammonia that starts the fans", 1.0, 1e6, 0.0, "GB 50072 [K]"
        ),
        "charge": Parameter("kg", 3000.0, "充氨量", "ammonia in the plant", 1.0, 1e6),
        "temperature": Parameter("°C", -18.0, "初始库温", "of room and goods at the start", -30.0, 40.0),
    }

    LONGEST = 5.0
    """s of one step inside."""
    _COMPRESSOR = 60.0
    """Time constant of starting and stopping, s [ours]."""

    def __init__(self, count: int, rng: np.random.Generator, parameters: Parameters | None = None) -> None:
        super().__init__(KIND, count, rng, parameters)
        p = self._p
        variation = self._variation
        self._rng = rng
        self._weather = Wander(rng, 1.5 * variation, 7200.0, count)
        self._busy = 1.0 if variation > 0.0 else 0.0
        self._clock: Float64 = rng.random(count) * p["defrost_every"] * _HOUR * self._busy
        """s since the last defrosting began."""
        if not variation:
            self._clock += p["defrost_for"] * 60.0
        self.temperature: Float64 = p["temperature"].copy()
        """°C of the room."""
        self.goods: Float64 = p["temperature"].copy()
        """°C of the goods."""
        self.ammonia: Float64 = np.zeros(count)
        """Volume share in the room."""
        self.machine_room: Float64 = np.zeros(count)
        """Volume share in the machine room."""
        self.charge: Float64 = p["charge"] * 1e3
        """g of ammonia that are left."""
        self.gained: Float64 = np.zeros(count)
        """J that have come into room and goods since the start."""
        self._capacity = p["fixtures"] * 1e6 + p["volume"] * density(p["temperature"]) * HEAT
        self._goods_capacity = p["goods"] * p["goods_heat"] * 1e6
        self._calling = rng.random(count) < (0.5 if variation else 1.0)
        self._running: Float64 = self._calling.astype(np.float64)
        self._opened: Float64 = np.zeros(count)
        """s that the door still stays open."""
        self._open: Float64 = np.zeros(count)
        self._alarmed = np.zeros(count, dtype=np.bool_)
        self._evaporating: Float64 = np.where(self._calling, p["evaporating"], self.temperature)
        self._cooling: Float64 = np.zeros(count)
        self._outside: Float64 = self._inputs["outside_temperature"] + self._weather.value

    @property
    def stored(self) -> Float64:
        """J in room and goods above 0 °C."""
        return self._capacity * self.temperature + self._goods_capacity * self.goods

    def _step(self, dt: float) -> None:
        self._outside = self._inputs["outside_temperature"] + self._weather.step(dt)
        exchange = self._door(dt)
        self._heat(dt, exchange)
        self._ammonia(dt, exchange)

    def _door(self, dt: float) -> Float64:
        """m³/s that go in and out through the door."""
        given, p = self._inputs, self._p
        comes = self._rng.random(self.count) < given["traffic"] * (dt / _HOUR * self._busy)
        self._opened = np.where(comes, p["opening"], np.maximum(self._opened - dt, 0.0))
        self._open = np.maximum(given["door_open"], self._opened > 0.0)
        if not self._open.any():
            return np.zeros(self.count)
        return self._open * (1.0 - p["curtain"]) * self.exchange()

    def exchange(self) -> Float64:
        """m³/s through the wide open door without a curtain."""
        p = self._p
        inside, outside = density(self.temperature), density(self._outside)
        heavy, light = np.maximum(inside, outside), np.minimum(inside, outside)
        factor = (2.0 / (1.0 + np.cbrt(heavy / light))) ** 1.5
        drive = np.sqrt(GRAVITY * p["door_height"] * (1.0 - light / heavy))
        return np.asarray(0.221 * p["door_width"] * p["door_height"] * drive * factor)

    def _heat(self, dt: float, exchange: Float64) -> None:
        given, p = self._inputs, self._p
        every = p["defrost_every"] * _HOUR
        self._clock = np.where(self._clock + dt >= every, self._clock + dt - every, self._clock + dt)
        defrosting = self._clock < p["defrost_for"] * 60.0
        above = self.temperature - given["set_temperature"]
        self._calling = (self._calling | (above >= p["differential"])) & (above > 0.0)
        wanted = np.where(defrosting, 0.0, self._calling * (1.0 - given["cooling_failure"]))
        self._running = wanted + (self._running - wanted) * np.exp(-dt / self._COMPRESSOR)
        walls = p["wall_loss"] + (exchange + p["leakage"] * p["volume"] / _HOUR) * density(self._outside) * HEAT
        coil = np.where(self.temperature > p["evaporating"], p["coil"] * 1e3 * self._running, 0.0)
        gain = walls * self._outside + coil * p["evaporating"] + (p["fans"] + p["defrost_heat"] * defrosting) * 1e3
        (self.temperature, self.goods), (air, _) = two_nodes(
            (self.temperature, self.goods),
            (self._capacity, self._goods_capacity),
            (gain, np.zeros(self.count)),
            (walls + coil, np.zeros(self.count)),
            p["goods_link"] * 1e3,
            dt,
        )
        self.gained += dt * (gain - (walls + coil) * air)
        self._cooling = coil * (air - p["evaporating"]) * 1e-3
        boiling = self._running * p["evaporating"] + (1.0 - self._running) * self.temperature
        self._evaporating += (boiling - self._evaporating) * -np.expm1(-dt / 120.0)

    def _ammonia(self, dt: float, exchange: Float64) -> None:
        given, p = self._inputs, self._p
        leaking = given["leak"] + given["machine_room_leak"]
        if not (leaking.any() or self.ammonia.any() or self.machine_room.any()):
            return
        left = np.minimum(1.0, self.charge / np.maximum(leaking * dt, 1e-9))
        self.charge = np.maximum(self.charge - leaking * left * dt, 0.0)
        worst = np.maximum(self.ammonia, self.machine_room) * _PPM
        self._alarmed = (self._alarmed | (worst >= p["fan_starts"])) & (worst >= 0.2 * p["fan_starts"])
        fans = np.maximum(given["exhaust"], self._alarmed) * (1.0 - given["exhaust_failure"])
        air = exchange + (p["leakage"] + fans * p["room_exhaust"]) * p["volume"] / _HOUR
        escaping = gas_volume(given["leak"] * left, _MOLAR_MASS, self.temperature)
        self.ammonia, _ = well_mixed(self.ammonia, p["volume"], air + escaping, escaping, dt)
        air = (p["machine_room_air"] + fans * p["machine_room_exhaust"]) * p["machine_room"] / _HOUR
        escaping = gas_volume(given["machine_room_leak"] * left, _MOLAR_MASS, self._outside)
        self.machine_room, _ = well_mixed(self.machine_room, p["machine_room"], air + escaping, escaping, dt)

    def read(self) -> Mapping[str, Float64]:
        """The true values by output name."""
        condensing = self._running * self._p["condensing"] + np.maximum(self._outside, -33.0)
        return {
            "temperature": self.temperature.copy(),
            "goods_temperature": self.goods.copy(),
            "ammonia": self.ammonia * _PPM,
            "machine_room_ammonia": self.machine_room * _PPM,
            "suction_pressure": ammonia_pressure(self._evaporating) - _ATMOSPHERE,
            "discharge_pressure": ammonia_pressure(condensing) - _ATMOSPHERE,
            "cooling": self._cooling.copy(),
            "door": (self._open > 0.0).astype(np.float64),
        }
