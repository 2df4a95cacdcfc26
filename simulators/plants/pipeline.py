"""Pipeline: a pumped liquid line with a leak, its flows and pressures at both ends and the line pack between them."""

from collections.abc import Mapping

import numpy as np

from domain.samples import Float64
from simulators.instruments import Wander
from simulators.plants.columns import ColumnPlant, pieces
from simulators.plants.protocol import Input, Output, Parameter, Parameters

KIND = "pipeline"

_DISCHARGE = 0.61
"""Discharge coefficient of a sharp-edged hole (Perry's Chemical Engineers' Handbook, section 10)."""
_LEAST_DROP = 100.0
"""Pa; below it pump, valve and hole pass in proportion, so that their conductance stays finite."""


def conductance(
    drop: Float64, length: Float64, diameter: Float64, roughness: Float64, density: Float64, viscosity: Float64
) -> Float64:
    """Flow per pressure drop of pipes, m³/s/Pa, for a drop in Pa; lengths in m, viscosity (kinematic) in m²/s.

    Darcy-Weisbach, drop = f L / D rho v² / 2. Given the drop, v sqrt(f) is known and Colebrook's
    1 / sqrt(f) = -2 log10(eps / 3.7 D + 2.51 / (Re sqrt(f))) needs no iteration. Where Hagen-Poiseuille's
    f = 64 / Re gives less flow, it holds: below a Reynolds number of about 1000.
    """
    section = 0.25 * np.pi * diameter * diameter
    size = np.maximum(np.abs(drop), 1e-3)
    laminar = section * diameter * diameter / (32.0 * density * viscosity * length)
    shear = np.sqrt(2.0 * diameter * size / (density * length))
    rough = roughness / (3.7 * diameter) + 2.51 * viscosity / (diameter * shear)
    turbulent = -2.0 * section * shear * np.log10(np.minimum(rough, 0.99)) / size
    return np.asarray(np.minimum(laminar, turbulent))


class Pipeline(ColumnPlant):
    """n lines in two stretches, from the pump to the place of the leak and on to the outlet valve.

    Pressures p_A at the inlet, p_L at the leak, p_B at the outlet; each place packs half of its stretches' liquid:

        C_A p_A' = Q_pump - Q_1       C_L p_L' = Q_1 - Q_2 - Q_leak       C_B p_B' = Q_2 - Q_outlet

    with C = A L / (rho a²), a the speed of a pressure wave. Stretches by Darcy-Weisbach with Colebrook's friction
    (``conductance``); pump: head falls with the square of its flow, with a check valve; leak: an orifice,
    Q = c A sqrt(2 p / rho); outlet valve Q = k opening sqrt(p_B - p_delivery), with a check valve. Backward Euler
    with the conductances of the step before: pressures stay between those at the ends, volumes balance to rounding
    and the steady state is exact. Pressure waves themselves (under a minute for 40 km) are not resolved.
    """

    outputs: Mapping[str, Output] = {
        "inlet_pressure": Output("pressure", "kPa", "首站出站压力", "inlet pressure, gauge"),
        "middle_pressure": Output("pressure", "kPa", "阀室压力", "pressure at the leak's place, gauge"),
        "outlet_pressure": Output("pressure", "kPa", "末站进站压力", "outlet pressure, gauge"),
        "inlet_flow": Output("flow", "m3/h", "首站流量", "inlet flow"),
        "outlet_flow": Output("flow", "m3/h", "末站流量", "outlet flow"),
        "imbalance": Output("flow", "m3/h", "输差", "inlet flow less outlet flow"),
        "leak_flow": Output("flow", "m3/h", "泄漏量", "what leaks"),
    }
    inputs: Mapping[str, Input] = {
        "pump_speed": Input("", 1.0, "泵转速", "speed of the pump, by its rated one", high=1.2),
        "valve_opening": Input("", 0.5, "末站阀开度", "opening of the outlet valve"),
        "delivery_pressure": Input("kPa", 300.0, "末站背压", "pressure behind the outlet valve, gauge", high=2e4),
        "leak_diameter": Input("mm", 0.0, "泄漏孔径", "diameter of the hole", high=1000.0),
        "blockage": Input("", 0.0, "堵塞", "share of the second stretch's flow that is blocked"),
    }
    parameters: Mapping[str, Parameter] = {
        "length": Parameter("km", 40.0, "管长", "length", 0.01, 5000.0, 0.02),
        "diameter": Parameter("mm", 300.0, "内径", "inner diameter", 5.0, 2000.0),
        "roughness": Parameter("mm", 0.046, "粗糙度", "roughness", 0.0, 10.0, 0.1, "commercial steel, Moody 1944"),
        "density": Parameter("kg/m3", 740.0, "密度", "density; petrol", 300.0, 2000.0),
        "viscosity": Parameter("mm2/s", 0.6, "运动粘度", "kinematic viscosity; petrol", 0.05, 1e5),
        "wave_speed": Parameter("m/s", 1000.0, "压力波速", "speed of a pressure wave", 100.0, 2000.0),
        "leak_position": Parameter("", 0.4, "泄漏位置", "place of the leak, by length", 0.01, 0.99),
        "suction_pressure": Parameter("kPa", 300.0, "进泵压力", "suction pressure, gauge", 0.0, 5000.0),
        "shutoff": Parameter("kPa", 2000.0, "关死点扬程", "rise of the pump without flow", 1.0, 50_000.0, 0.01),
        "rated_flow": Parameter("m3/h", 300.0, "额定流量", "flow at which the rise is a sixth less", 0.1, 1e5),
        "valve": Parameter("m3/h/kPa^0.5", 23.0, "阀门流通能力", "flow of the open valve by root of drop", 0.01, 1e5),
    }

    LONGEST = 2.0
    """s of one step inside."""

    def __init__(self, count: int, rng: np.random.Generator, parameters: Parameters | None = None) -> None:
        super().__init__(KIND, count, rng, parameters)
        p = self._p
        self._demand = Wander(rng, 0.01 * self._variation, 300.0, count)
        length, diameter = p["length"] * 1e3, p["diameter"] * 1e-3
        first = length * p["leak_position"]
        self._pipe = (diameter, p["roughness"] * 1e-3, p["density"], p["viscosity"] * 1e-6)
        self._stretches = (first, length - first)
        pack = 0.25 * np.pi * diameter * diameter / (p["density"] * p["wave_speed"] ** 2)
        self._packs = np.stack([0.5 * pack * first, 0.5 * pack * length, 0.5 * pack * (length - first)])
        self._suction = p["suction_pressure"] * 1e3
        self._shutoff = p["shutoff"] * 1e3
        # Pa per (m3/s)²
        self._curve = self._shutoff / 6.0 / (p["rated_flow"] / 3600.0) ** 2
        self._valve = p["valve"] / 3600.0 / np.sqrt(1e3)
        self._hole = _DISCHARGE * 0.25 * np.pi * np.sqrt(2.0 / p["density"])
        # First the line stands still at the delivery's pressure, then it is let settle in long implicit steps
        self._pressures: Float64 = np.tile(self._inputs["delivery_pressure"] * 1e3, (3, 1))
        self._flows: Float64 = np.zeros((3, count))
        for _ in range(80):
            self._advance(1e4, self._inputs["valve_opening"])

    @property
    def packed(self) -> Float64:
        """Liquid packed by pressure above the line's content at 0 kPa gauge, m³."""
        return np.asarray((self._packs * self._pressures).sum(axis=0))

    def step(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        count, dt = pieces(KIND, seconds, self.LONGEST)
        passed = np.zeros_like(self._flows)
        for _ in range(count):
            self._advance(dt, self._inputs["valve_opening"] * (1.0 + self._demand.step(dt)))
            passed += self._flows
        if count:
            self._flows = passed / count

    def _advance(self, dt: float, opening: Float64) -> None:
        given = self._inputs
        inlet, leak, outlet = self._pressures
        source = self._suction + self._shutoff * given["pump_speed"] ** 2
        delivery = given["delivery_pressure"] * 1e3
        drop = source - inlet
        pump = np.where(drop > 0.0, 1.0 / np.sqrt(self._curve * np.maximum(drop, _LEAST_DROP)), 0.0)
        first = conductance(inlet - leak, self._stretches[0], *self._pipe)
        second = conductance(leak - outlet, self._stretches[1], *self._pipe) * (1.0 - given["blockage"])
        diameter = given["leak_diameter"] * 1e-3
        hole = self._hole * diameter * diameter / np.sqrt(np.maximum(leak, _LEAST_DROP))
        drop = outlet - delivery
        valve = np.where(drop > 0.0, self._valve * opening / np.sqrt(np.maximum(drop, _LEAST_DROP)), 0.0)

        for _ in range(2):
            inlet, leak, outlet = self._solved(dt, (pump, first, second, valve), hole, (source, delivery))
            entering, leaving = pump * (source - inlet), valve * (outlet - delivery)
            shut = (entering < 0.0) | (leaving < 0.0)
            if not shut.any():
                break
            # A check valve closes within this step: once more without what would flow back
            pump, valve = np.where(entering < 0.0, 0.0, pump), np.where(leaving < 0.0, 0.0, valve)
        self._pressures = np.stack([inlet, leak, outlet])
        self._flows = np.stack([entering, hole * leak, leaving])

    def _solved(
        self, dt: float, along: tuple[Float64, Float64, Float64, Float64], hole: Float64, ends: tuple[Float64, Float64]
    ) -> tuple[Float64, Float64, Float64]:
        """Pressures ``dt`` s later, by the conductances from source to delivery: Thomas' algorithm for three places."""
        pump, first, second, valve = along
        source, delivery = ends
        inlet, leak, outlet = self._pressures
        packs = self._packs / dt
        a = packs[0] + pump + first
        b = packs[1] + first + second + hole - first * first / a
        c = packs[2] + second + valve - second * second / b
        at_a = packs[0] * inlet + pump * source
        at_b = packs[1] * leak + first / a * at_a
        at_c = packs[2] * outlet + valve * delivery + second / b * at_b
        outlet = at_c / c
        leak = (at_b + second * outlet) / b
        return (at_a + first * leak) / a, leak, outlet

    def read(self) -> Mapping[str, Float64]:
        """The true values by output name; flows are means over the last step."""
        inlet, leak, outlet = self._pressures * 1e-3
        entering, leaking, leaving = self._flows * 3600.0
        return {
            "inlet_pressure": inlet,
            "middle_pressure": leak,
            "outlet_pressure": outlet,
            "inlet_flow": entering,
            "outlet_flow": leaving,
            "imbalance": entering - leaving,
            "leak_flow": leaking,
        }
