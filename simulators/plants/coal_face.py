"""Coal face: methane in a longwall's air, with ventilation, extraction and the cycle of cutting."""

from collections.abc import Mapping

import numpy as np

from domain.samples import Float64
from simulators.instruments import Wander
from simulators.plants.air import OXYGEN, well_mixed
from simulators.plants.columns import ColumnPlant
from simulators.plants.protocol import Input, Output, Parameter, Parameters

KIND = "coal_face"

_PERCENT = 100.0
_CELLS = 3
"""Well-mixed spaces in series that stand for the return airway."""


class CoalFace(ColumnPlant):
    """Balance of methane in the air of n longwall faces: V c' = E + Q_in c_in - (Q_in + E) c in each space.

    Air comes by the intake airway. A share ``goaf_air`` of it leaks through the goaf behind the face and comes out at
    the upper corner, together with the goaf's gas and with a share ``corner_air`` of the face's own air; the rest goes
    along the face, into which seam and cut coal give their gas. All of it leaves by the return airway, three spaces in
    series. So at rest the return has c = (E + Q c_in) / (Q + E), whatever happens on the way. Spaces are exact for
    constant flows and hand on what they lose, so the balance of methane holds to rounding (``held``, ``given_off``,
    ``carried_in``, ``carried_out``).

    Gas: seam and goaf give off steadily; cutting adds ``cutting_gas`` while the shearer runs, which follows with a
    time constant of ``desorption``. The shearer cuts for 60 % of each cycle; where ``interlock`` is 1, 1.5 %vol at the
    face or in the return stop it and below 1.0 %vol it may start again (AQ 1029 [S]). Extraction takes
    ``extraction_share`` of all gas from the seam and the goaf before it gets into the air.

    Air: Q follows the fan with a time constant of ``inertia`` and is proportional to its speed (the affinity law of
    fans); with the fan at rest natural draught is left. ``short_circuit`` is the share of it that never reaches the
    face, because a ventilation door stands open.

    Section, speed and gas are those of a middle-sized mine, as in the demo's coal mine.
    """

    outputs: Mapping[str, Output] = {
        "methane": Output("ch4_face", "%vol", "工作面甲烷", "methane at the face"),
        "methane_corner": Output("ch4_face", "%vol", "上隅角甲烷", "methane at the upper corner"),
        "methane_return": Output("ch4_return", "%vol", "回风流甲烷", "methane in the return air"),
        "methane_intake": Output("ch4_intake", "%vol", "进风流甲烷", "methane in the intake air"),
        "oxygen": Output("oxygen", "%vol", "氧气", "oxygen at the face"),
        "air_speed": Output("wind_speed", "m/s", "风速", "air speed in the return airway"),
        "extraction_flow": Output("flow", "m3/min", "抽采流量", "gas extracted, air included"),
        "extraction_methane": Output("concentration", "%vol", "抽采浓度", "methane in the gas extracted"),
        "cutting": Output("status", "", "采煤机", "shearer, 1 cutting"),
    }
    inputs: Mapping[str, Input] = {
        "fan": Input("", 1.0, "主扇转速", "speed of the main fan, share of the rated one", high=1.2),
        "short_circuit": Input("", 0.0, "风流短路", "share of the air that does not reach the face"),
        "intake_methane": Input("%vol", 0.05, "进风甲烷", "methane in the intake air", high=100.0),
        "production": Input("", 1.0, "生产强度", "gas from cutting, share of the usual; 0: no cutting", high=3.0),
        "outburst": Input("m3/s", 0.0, "瓦斯涌出", "further gas at the face", high=50.0),
        "goaf_outburst": Input("m3/s", 0.0, "采空区涌出", "further gas from the goaf", high=50.0),
        "extraction": Input("", 1.0, "抽采", "extraction, share of the usual"),
        "interlock": Input("", 1.0, "瓦斯电闭锁", "methane stops the shearer (0.5 and above)"),
    }
    parameters: Mapping[str, Parameter] = {
        "airflow": Parameter("m3/s", 21.6, "风量", "air at rated fan speed, 12 m² at 1.8 m/s", 0.5, 500.0, 0.05),
        "section": Parameter("m2", 12.0, "断面", "section of the return airway", 1.0, 100.0),
        "natural": Parameter("", 0.03, "自然风", "share of the air that flows without a fan", 0.0, 0.5),
        "inertia": Parameter("s", 45.0, "风流惯性", "time constant of the air after the fan", 0.0, 3600.0),
        "face_volume": Parameter("m3", 1800.0, "工作面空间", "space at the face", 50.0, 1e5, 0.05),
        "corner_volume": Parameter("m3", 60.0, "上隅角空间", "space of the upper corner", 5.0, 1e4),
        "return_volume": Parameter("m3", 2400.0, "回风巷空间", "space of the return airway", 50.0, 1e6),
        "goaf_air": Parameter("", 0.08, "采空区漏风", "share of the air that leaks through the goaf", 0.0, 0.5),
        "corner_air": Parameter("", 0.12, "上隅角风流", "share that sweeps the upper corner", 0.01, 0.5),
        "seam_gas": Parameter("m3/s", 0.045, "煤壁涌出", "gas of the seam without cutting", 0.0, 10.0, 0.08),
        "goaf_gas": Parameter("m3/s", 0.030, "采空区瓦斯", "gas of the goaf", 0.0, 10.0, 0.08),
        "cutting_gas": Parameter("m3/s", 0.065, "落煤涌出", "gas that cutting adds", 0.0, 10.0, 0.08),
        "desorption": Parameter("s", 240.0, "解吸时间", "time constant of gas from cut coal", 1.0, 1e5),
        "cycle": Parameter("s", 2400.0, "循环时间", "from one cut to the next, 60 % of it cutting", 60.0, 1e5),
        "extraction_share": Parameter("", 0.35, "抽采率", "share of the gas that is extracted", 0.0, 0.95),
        "extraction_quality": Parameter("%vol", 38.0, "抽采浓度", "methane in it", 1.0, 100.0, 0.05),
    }

    LONGEST = 2.0
    """s of one step inside."""
    STOPS = 0.015
    STARTS = 0.010
    """Volume shares at which the interlock stops the shearer, and below which it may start again."""

    def __init__(self, count: int, rng: np.random.Generator, parameters: Parameters | None = None) -> None:
        super().__init__(KIND, count, rng, parameters)
        p = self._p
        variation = self._variation
        self._draught = Wander(rng, 0.03 * variation, 120.0, count)
        self._pressure = Wander(rng, 0.06 * variation, 90.0, count)
        self._phase: Float64 = rng.random(count) * p["cycle"] * (1.0 if variation else 0.0)
        self._stopped = np.zeros(count, dtype=np.bool_)
        self._cutting: Float64 = np.zeros(count)
        self._inertia = np.maximum(p["inertia"], 1e-6)
        self._return = p["return_volume"] / _CELLS
        self.fan: Float64 = np.ones(count)
        """Speed that the air follows, share of the rated one."""
        self.freed: Float64 = np.zeros(count)
        """m³/s of gas from cut coal."""
        self.airflow: Float64 = p["airflow"].copy()
        """m³/s of air that reaches the face."""
        self.extracted: Float64 = np.zeros(count)
        """m³/s of methane that extraction takes."""
        self.given_off: Float64 = np.zeros(count)
        """m³ of methane given off into the air since the start."""
        self.carried_in: Float64 = np.zeros(count)
        self.carried_out: Float64 = np.zeros(count)
        """m³ of methane that have come with the intake air and gone with the return air since the start."""
        intake = self._inputs["intake_methane"] / _PERCENT
        left = 1.0 - p["extraction_share"]
        seam, goaf = p["seam_gas"] * left, p["goaf_gas"] * left
        total = p["airflow"] + seam + goaf
        air, leaking = p["airflow"] * (1.0 - p["goaf_air"]), p["airflow"] * p["goaf_air"]
        self.face: Float64 = (air * intake + seam) / (air + seam)
        """Volume share at the face."""
        swept = p["corner_air"] / (1.0 - p["goaf_air"]) * (air + seam)
        self.corner: Float64 = (leaking * intake + goaf + swept * self.face) / (leaking + goaf + swept)
        """Volume share at the upper corner."""
        self.returned: list[Float64] = [(p["airflow"] * intake + seam + goaf) / total for _ in range(_CELLS)]
        """Volume shares along the return airway."""

    @property
    def held(self) -> Float64:
        """m³ of methane in the air of all spaces."""
        p = self._p
        along: Float64 = np.sum(self.returned, axis=0) * self._return
        return p["face_volume"] * self.face + p["corner_volume"] * self.corner + along

    def _step(self, dt: float) -> None:
        given, p = self._inputs, self._p
        self.fan = given["fan"] + (self.fan - given["fan"]) * np.exp(-dt / self._inertia)
        speed = p["natural"] + (1.0 - p["natural"]) * self.fan
        self.airflow = p["airflow"] * speed * (1.0 + self._draught.step(dt)) * (1.0 - given["short_circuit"])
        seam, goaf = self._gas(dt)
        intake = given["intake_methane"] / _PERCENT
        # Face: its share of the air, and the seam's gas
        air = self.airflow * (1.0 - p["goaf_air"])
        self.face, lost = well_mixed(self.face, p["face_volume"], air + seam, air * intake + seam, dt)
        # Upper corner: what leaks through the goaf, the goaf's gas, and part of what the face lets go
        leaking = self.airflow * p["goaf_air"]
        swept = p["corner_air"] / (1.0 - p["goaf_air"])
        through = leaking + goaf + swept * (air + seam)
        gain = leaking * intake + goaf + swept * lost
        self.corner, gone = well_mixed(self.corner, p["corner_volume"], through, gain, dt)
        # Return airway: all of it
        arriving = lost * (1.0 - swept) + gone
        total = self.airflow + seam + goaf
        for cell in range(_CELLS):
            self.returned[cell], arriving = well_mixed(self.returned[cell], self._return, total, arriving, dt)
        self.given_off += dt * (seam + goaf)
        self.carried_in += dt * self.airflow * intake
        self.carried_out += dt * arriving

    def _gas(self, dt: float) -> tuple[Float64, Float64]:
        """m³/s of methane into the air, of the face and of the goaf."""
        given, p = self._inputs, self._p
        self._phase = (self._phase + dt) % p["cycle"]
        worst = np.maximum(self.face, self.returned[-1])
        self._stopped = (self._stopped | (worst >= self.STOPS)) & (worst >= self.STARTS) & (given["interlock"] >= 0.5)  # noqa: PLR2004
        runs = (self._phase < 0.6 * p["cycle"]) & ~self._stopped & (given["production"] > 0.0)
        self._cutting = runs.astype(np.float64)
        wanted = p["cutting_gas"] * given["production"] * self._cutting
        self.freed = wanted + (self.freed - wanted) * np.exp(-dt / p["desorption"])
        burst = 1.0 + self._pressure.step(dt)
        seam = (p["seam_gas"] + self.freed) * burst + given["outburst"]
        goaf = p["goaf_gas"] * burst + given["goaf_outburst"]
        taken = p["extraction_share"] * given["extraction"]
        self.extracted = taken * (seam + goaf)
        return seam * (1.0 - taken), goaf * (1.0 - taken)

    def read(self) -> Mapping[str, Float64]:
        """The true values by output name."""
        given, p = self._inputs, self._p
        pumping = given["extraction"] > 0.0
        return {
            "methane": self.face * _PERCENT,
            "methane_corner": self.corner * _PERCENT,
            "methane_return": self.returned[-1] * _PERCENT,
            "methane_intake": given["intake_methane"].copy(),
            "oxygen": OXYGEN * (1.0 - self.face),
            "air_speed": self.airflow / p["section"],
            "extraction_flow": self.extracted / (p["extraction_quality"] / _PERCENT) * 60.0,
            "extraction_methane": np.where(pumping, p["extraction_quality"], 0.0),
            "cutting": self._cutting.copy(),
        }
