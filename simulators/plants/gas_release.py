"""Gas release: what escapes drifts with the wind as a chain of Gaussian slugs past an array of detectors."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from domain.gases import SPECIES, UNITS, NotConvertible, Species, convert
from domain.samples import Float64, Int64
from simulators.dispersion import briggs, slug
from simulators.instruments import Wander
from simulators.plants.columns import ColumnPlant, number
from simulators.plants.protocol import Input, Output, Parameter, Parameters, PlantFault

KIND = "gas_release"
MOST_DETECTORS = 64

_TOXIC = {
    "H2S": "h2s",
    "Cl2": "cl2",
    "NH3": "nh3",
    "CO": "co",
    "SO2": "so2",
    "NO2": "no2",
    "HCN": "hcn",
    "HCl": "hcl",
    "HF": "hf",
    "COCl2": "phosgene",
    "C6H6": "benzene",
    "CH3OH": "methanol",
}
"""Measurands of single gases; of others, what burns is flammable gas."""
_CALM = 0.5
"""m/s; a Gaussian plume means nothing in less wind."""


@dataclass(slots=True)
class _Slugs:
    """What has been let out, oldest first; arrays of shape (slugs, instances) or (slugs, instances, 2).

    A slug lies on the line between where the wind has carried its first and its last gas: the wind's displacement
    since then. So none is moved; only ``drift`` and ``path`` of the wind grow.
    """

    mass: Float64
    """mg."""
    first: Float64
    """Displacement of the wind (east, north; m) when its release began."""
    last: Float64
    """The same when it ended."""
    begun: Float64
    """Path of the wind (m) when its release began."""
    ended: Float64
    stability: Int64

    @classmethod
    def none(cls, count: int) -> "_Slugs":
        flat, pair = np.zeros((0, count)), np.zeros((0, count, 2))
        return cls(flat, pair, pair, flat, flat, np.zeros((0, count), dtype=np.int64))

    def take(self, rows: Int64 | slice, instances: Int64 | slice = slice(None)) -> "_Slugs":
        return _Slugs(
            self.mass[rows][:, instances],
            self.first[rows][:, instances],
            self.last[rows][:, instances],
            self.begun[rows][:, instances],
            self.ended[rows][:, instances],
            self.stability[rows][:, instances],
        )

    def add(self, more: "_Slugs") -> "_Slugs":
        return _Slugs(
            np.concatenate([self.mass, more.mass]),
            np.concatenate([self.first, more.first]),
            np.concatenate([self.last, more.last]),
            np.concatenate([self.begun, more.begun]),
            np.concatenate([self.ended, more.ended]),
            np.concatenate([self.stability, more.stability]),
        )

    def merged(self, path: Float64, share: float) -> "_Slugs":
        """Neighbours joined in pairs, where in every instance both are shorter than ``share`` of their width."""
        pairs = len(self.mass) // 2
        older, younger = slice(0, 2 * pairs, 2), slice(1, 2 * pairs, 2)
        length = self.ended[younger] - self.begun[older]
        width, _ = briggs(path - 0.5 * (self.ended[younger] + self.begun[older]), self.stability[older])
        joins = (length <= share * width) & (self.ended[older] == self.begun[younger])
        empty = (self.mass[older] == 0.0) & (self.mass[younger] == 0.0)
        joined = (empty | (joins & (self.stability[older] == self.stability[younger]))).all(axis=1)
        if not joined.any():
            return self
        first = np.flatnonzero(joined) * 2
        whole = self.take(slice(None))
        whole.mass[first] += whole.mass[first + 1]
        whole.last[first] = whole.last[first + 1]
        whole.ended[first] = whole.ended[first + 1]
        kept = np.ones(len(self.mass), dtype=np.bool_)
        kept[first + 1] = False
        return whole.take(np.flatnonzero(kept))


class GasRelease(ColumnPlant):
    """Concentrations at fixed detectors round n sources of one gas.

    Every second what escapes becomes one slug (a Gaussian puff drawn out along the way that the wind made in that
    second); it drifts with the wind, which may turn, and widens with its path by Briggs' open-country curves of the
    stability class in which it was let out, sigma² = briggs(path)² + source_size². Concentrations are the sum over
    slugs with reflection at the ground (``simulators.dispersion``). Neighbouring slugs join when they are much
    shorter than wide. In a steady wind the sum is the Gaussian plume q / (2 pi u s_y s_z) ...; mass is kept.

    East and north are in m from the source; ``wind_from`` is where the wind comes from, clockwise from north. Not
    modelled: gas heavier than air (chlorine in quantity keeps to the ground and spreads against the wind), jets,
    buildings, winds below 0.5 m/s.

    Parameters beside the numbers: ``species`` (H2S, Cl2, NH3, CH4, or any other of ``domain.gases``), ``unit`` of
    the detectors (ppm, mg/m3, %LEL, %vol), ``detectors`` (how many) and, for each, ``detector_1_east``,
    ``detector_1_north``, ``detector_1_height``. Without places they stand on a circle of 20 m, the first in the east.
    """

    outputs: Mapping[str, Output]
    inputs: Mapping[str, Input] = {
        "release_rate": Input("g/s", 0.0, "泄漏速率", "what escapes", high=1e6),
        "wind_speed": Input("m/s", 2.5, "风速", "wind speed", _CALM, 40.0),
        "wind_from": Input("°", 270.0, "风向（来向）", "direction that the wind comes from", -360.0, 720.0),
        "stability": Input("", 4.0, "大气稳定度", "stability class, 1 (A) to 6 (F)", 1.0, 6.0),
    }
    parameters: Mapping[str, Parameter]

    LONGEST = 1.0
    """s of gas in one slug."""
    SHARE = 0.5
    """Slugs join while both together are shorter than this share of their width, so that only changes of the release
    are lost that mixing has wiped out already."""
    KEPT = (4.0, 200.0)
    """Slugs are forgotten once they have gone so many times the farthest detector's distance, and so many m more."""

    def __init__(self, count: int, rng: np.random.Generator, parameters: Parameters | None = None) -> None:
        given = dict(parameters or {})
        self.species = _species(given.pop("species", "H2S"))
        unit = given.pop("unit", "mg/m3" if self.species.formula in _TOXIC or self.species.lel is None else "%LEL")
        self._unit, self._factor, self._most = _unit(unit, self.species)
        wanted = given.pop("detectors", 5.0)
        detectors = int(number(KIND, "detectors", wanted, 1.0, MOST_DETECTORS))
        self.parameters = declared(detectors)
        self.outputs = shown(detectors, self.species, self._unit)
        super().__init__(KIND, count, rng, given)
        p = self._p
        variation = self._variation
        self._gusts = Wander(rng, 0.12 * variation, 30.0, count)
        self._veering = Wander(rng, 6.0 * variation, 60.0, count)
        names = [f"detector_{i + 1}" for i in range(detectors)]
        self._places = np.stack(
            [np.stack([p[f"{n}_east"], p[f"{n}_north"], p[f"{n}_height"]], axis=-1) for n in names], axis=1
        )
        self._source = p["source_height"]
        self._size = p["source_size"]
        self._background = p["background"]
        times, more = self.KEPT
        self._reach = times * np.hypot(self._places[..., 0], self._places[..., 1]).max(axis=1) + more
        self._drift: Float64 = np.zeros((count, 2))
        self._path: Float64 = np.zeros(count)
        self._slugs = _Slugs.none(count)
        self._speed: Float64 = self._inputs["wind_speed"].copy()
        self._let_out = 0

    def _step(self, dt: float) -> None:
        given = self._inputs
        self._speed = np.maximum(given["wind_speed"] * (1.0 + self._gusts.step(dt)), _CALM)
        toward = np.radians(given["wind_from"] + self._veering.step(dt))
        way = self._speed * dt
        drift = self._drift - np.stack([np.sin(toward) * way, np.cos(toward) * way], axis=-1)
        path = self._path + way
        mass = given["release_rate"] * (1e3 * dt)
        if mass.any():
            stability = np.rint(given["stability"]).astype(np.int64) - 1
            new = _Slugs(mass[None], self._drift[None], drift[None], self._path[None], path[None], stability[None])
            self._slugs = self._slugs.add(new)
            self._let_out += 1
            if self._let_out % 8 == 0:
                self._slugs = self._slugs.merged(path, self.SHARE)
        self._drift, self._path = drift, path
        if len(self._slugs.mass):
            gone = (path - self._slugs.ended > self._reach).all(axis=1)
            if gone[0]:
                self._slugs = self._slugs.take(np.flatnonzero(~gone))

    def _concentrations(self) -> Float64:
        """mg/m³, shape (instances, detectors)."""
        result = np.zeros(self._places.shape[:2])
        live = np.flatnonzero((self._slugs.mass > 0.0).any(axis=0))
        if not len(live):
            return result
        slugs = self._slugs.take(slice(None), live)
        head = self._drift[live] - slugs.first
        tail = self._drift[live] - slugs.last
        line = head - tail
        length = np.maximum(np.hypot(line[..., 0], line[..., 1]), 1e-3)
        unit = line / length[..., None]
        flat, up = briggs(self._path[live] - 0.5 * (slugs.begun + slugs.ended), slugs.stability)
        size = self._size[live]
        widths = (np.hypot(flat, size)[..., None], np.hypot(up, size)[..., None])
        middle = 0.5 * (head + tail)
        east = self._places[live, :, 0] - middle[..., 0, None]
        north = self._places[live, :, 1] - middle[..., 1, None]
        along = east * unit[..., 0, None] + north * unit[..., 1, None]
        across = north * unit[..., 0, None] - east * unit[..., 1, None]
        height = self._places[live, :, 2]
        each = slug(along, across, height, length[..., None], widths, self._source[live, None])
        result[live] = (slugs.mass[..., None] * each).sum(axis=0)
        return result

    @property
    def airborne(self) -> Float64:
        """Mass still followed, g."""
        return np.asarray(self._slugs.mass.sum(axis=0) * 1e-3)

    def read(self) -> Mapping[str, Float64]:
        """The true values by output name."""
        seen = self._concentrations() * self._factor + self._background[:, None]
        seen = np.minimum(seen, self._most)
        values = {f"detector_{i + 1}": seen[:, i].copy() for i in range(seen.shape[1])}
        values["wind_speed"] = self._speed.copy()
        values["release_rate"] = self._inputs["release_rate"].copy()
        return values


def _species(value: object) -> Species:
    species = SPECIES.get(value) if isinstance(value, str) else None
    if species is None:
        raise PlantFault(f"{KIND}: species is {value!r}: use one of {', '.join(SPECIES)}")
    return species


def _unit(value: object, species: Species) -> tuple[str, float, float]:
    """The unit, its figure for 1 mg/m³ and that of pure gas."""
    if not isinstance(value, str):
        raise PlantFault(f"{KIND}: unit is {value!r}: use one of {', '.join(UNITS)}")
    try:
        return value, convert(1.0, "mg/m3", value, species), convert(100.0, "%vol", value, species)
    except NotConvertible as fault:
        raise PlantFault(f"{KIND}: unit is {value!r}: {fault}. {fault.remedy}") from None


def declared(detectors: int) -> Mapping[str, Parameter]:
    """The numbers that a release with so many detectors takes."""
    parameters = {
        "source_height": Parameter("m", 0.5, "泄漏源高度", "height of the source", 0.0, 200.0),
        "source_size": Parameter("m", 0.3, "泄漏源尺度", "initial standard deviation of the cloud", 0.01, 50.0),
        "background": Parameter("", 0.0, "本底", "what detectors see without a release, in their unit", 0.0, 1e6),
    }
    for i in range(detectors):
        angle = 2.0 * math.pi * i / detectors
        places = (("east", 20.0 * math.cos(angle), "东向坐标"), ("north", 20.0 * math.sin(angle), "北向坐标"))
        for side, default, zh in places:
            name = f"detector_{i + 1}_{side}"
            parameters[name] = Parameter("m", default, f"探测器{i + 1}{zh}", f"detector {i + 1}, {side}", -1e4, 1e4)
        what = f"detector_{i + 1}_height"
        parameters[what] = Parameter("m", 0.5, f"探测器{i + 1}高度", f"detector {i + 1}, height", 0.0, 200.0)
    return parameters


def shown(detectors: int, species: Species, unit: str) -> Mapping[str, Output]:
    """The outputs of a release with so many detectors."""
    burns = "concentration" if species.lel is None else "flammable_gas"
    measurand = _TOXIC.get(species.formula, burns)
    outputs = {
        f"detector_{i + 1}": Output(measurand, unit, f"{species.zh}探测器{i + 1}", f"{species.en}, detector {i + 1}")
        for i in range(detectors)
    }
    outputs["wind_speed"] = Output("wind_speed", "m/s", "风速", "wind speed")
    outputs["release_rate"] = Output("flow", "g/s", "泄漏速率", "what escapes")
    return outputs


GasRelease.parameters = declared(5)
GasRelease.outputs = shown(5, SPECIES["H2S"], "mg/m3")
