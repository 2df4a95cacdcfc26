"""Many instruments read together, in chunks of time: what a plant's true values look like in the control system.

The way of a value, for each tag: the sensing element and its lag; slow wander of the zero point; white noise; what the
transmitter can show at all; the resolution of the transmitted number. Faults (``instrument_faults``) take hold at their
stage of it. A value beyond the range is UNCERTAIN, as the service's decoder marks it.

Every tag has random numbers of its own, seeded by the seed and the tag's name. So what a tag reads depends on nothing
but its own truth, description and faults: not on other tags, and not on how time is cut into chunks.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

import numpy as np

from domain.samples import Float64, Int64, UInt8
from domain.scales import Quality, QualityReason
from simulators.faults.instrument_faults import Fault, Memory, Stage, Stretch, recur
from simulators.instruments import Instruments as DemoInstruments
from simulators.instruments import Point

UNDER = 0.0125
OVER = 0.03125
"""Share of the span that a transmitter still shows below and above its range: 3.8 and 20.5 mA (NAMUR NE 43) [K]."""
_STRIP = 256


@dataclass(frozen=True, slots=True)
class Measured:
    """Readings, each (steps, tags); a tag's column lies together in memory."""

    value: Float64
    """NaN where there is none."""
    quality: UInt8
    reason: UInt8


@dataclass(slots=True)
class _Running:
    """A fault at work on one tag."""

    fault: Fault
    tag: int
    memory: Memory


@dataclass(slots=True)
class _State:
    lag: Float64
    wander: Float64
    last: int | None = None
    """ms UTC of the last reading."""
    running: list[_Running] = field(default_factory=list)


def stream(seed: int, *names: str) -> np.random.Generator:
    """Random numbers that belong to the names under this seed, and to nothing else."""
    digest = blake2b("\x00".join(names).encode(), digest_size=16).digest()
    words = np.frombuffer(digest, dtype="<u4").tolist()
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence([seed, *words])))


class InstrumentArray:
    """The instruments of many tags.

    points: what each is like; its order is that of the columns. Points with a finite range show no more than the NAMUR
    NE 43 margins beyond it, unless their floor and ceiling say otherwise.
    faults: on tags among ``points``. Raises ValueError for one that is not.
    """

    def __init__(self, points: Sequence[Point], seed: int, faults: Iterable[Fault] = ()) -> None:
        self.points = tuple(points)
        where = {point.tag: column for column, point in enumerate(self.points)}
        if len(where) < len(self.points):
            raise ValueError("points: a tag is named twice; each has one instrument")
        names = [point.tag for point in self.points]
        self._noise = [(c, p.noise, stream(seed, "noise", p.tag)) for c, p in enumerate(self.points) if p.noise > 0.0]
        lag = np.array([p.lag for p in self.points])
        self._lagging = np.flatnonzero(lag > 0.0)
        self._lag = lag[self._lagging]
        drift = np.array([p.drift for p in self.points])
        self._wandering = np.flatnonzero(drift > 0.0)
        self._drift = drift[self._wandering]
        self._wander = [stream(seed, "wander", names[c]) for c in self._wandering]
        self._tau = np.full(len(self._wandering), DemoInstruments.DRIFT_TAU)
        self._ends = [_ends(p) for p in self.points]
        self._scale = [10.0**p.decimals for p in self.points]
        self._state = _State(
            lag=np.empty(len(self._lagging)),
            wander=np.array([float(rng.standard_normal()) for rng in self._wander]),
        )
        alike: Counter[tuple[str, str]] = Counter()
        for fault in sorted(faults, key=lambda one: one.stage):
            for tag in fault.tags:
                if tag not in where:
                    raise ValueError(f"tags: {type(fault).__name__} names {tag!r}, which has no instrument here")
                kind = type(fault).__name__
                rng = stream(seed, "fault", kind, str(alike[kind, tag]), tag)
                alike[kind, tag] += 1
                self._state.running.append(_Running(fault, where[tag], Memory(rng)))

    def read(self, times: Int64, truth: Float64) -> Measured:
        """The readings at ``times`` (steps,), ms UTC ascending, of ``truth`` (steps, tags) in engineering units.

        Chunks must follow each other in time. The first reading is that of settled instruments. Raises ValueError
        where times do not ascend or a true value is not finite.
        """
        steps, tags = truth.shape
        if len(times) != steps or tags != len(self.points):
            raise ValueError(f"truth: {truth.shape} does not fit {len(times)} times and {len(self.points)} tags")
        if steps == 0:
            none = np.empty((0, tags), dtype=np.uint8)
            return Measured(np.empty((0, tags)), none, none.copy())
        value = _columns(truth)
        self._check(times, value)
        state = self._state
        before = times[0] if state.last is None else state.last
        seconds = np.diff(times, prepend=before) / 1000.0
        if state.last is None:
            state.lag = value[self._lagging, 0]
        state.last = int(times[-1])
        quality = np.full(value.shape, Quality.GOOD, dtype=np.uint8)
        reason = np.zeros(value.shape, dtype=np.uint8)
        chunk = (times, seconds, value, quality, reason)
        self._faults(chunk, Stage.SENSOR)
        if len(self._lagging):
            felt = value[self._lagging]
            recur(felt, seconds, self._lag, state.lag)
            value[self._lagging] = felt
        if len(self._wandering):
            away = np.array([rng.standard_normal(steps) for rng in self._wander])
            recur(away, seconds, self._tau, state.wander, noise=True)
            value[self._wandering] += self._drift[:, None] * np.clip(away, -3.0, 3.0)
        self._faults(chunk, Stage.SIGNAL)
        for column, std, rng in self._noise:
            white = rng.standard_normal(steps)
            white *= std
            value[column] += white
        self._faults(chunk, Stage.OUTPUT)
        self._show(value)
        self._faults(chunk, Stage.SHOWN)
        self._doubt(value, quality, reason)
        self._faults(chunk, Stage.SENT)
        return Measured(value.T, quality.T, reason.T)

    def _check(self, times: Int64, value: Float64) -> None:
        last = self._state.last
        if (np.diff(times) <= 0).any() or (last is not None and times[0] <= last):
            raise ValueError("times: they must ascend, from one chunk to the next as well")
        finite = np.isfinite(value).all(axis=1)
        if not finite.all():
            tag = self.points[int(np.flatnonzero(~finite)[0])].tag
            raise ValueError(f"truth: a value of {tag} is not finite; a plant must always give one")

    def _faults(self, chunk: tuple[Int64, Float64, Float64, UInt8, UInt8], stage: Stage) -> None:
        times, seconds, value, quality, reason = chunk
        for one in self._state.running:
            fault, row = one.fault, one.tag
            if fault.stage != stage or fault.end <= times[0]:
                continue
            begin, end = np.searchsorted(times, (fault.begin, fault.end)).tolist()
            if begin > 0:
                one.memory.held = (
                    float(value[row, begin - 1]),
                    int(quality[row, begin - 1]),
                    int(reason[row, begin - 1]),
                )
            if begin < end:
                within = slice(begin, end)
                stretch = Stretch(
                    times[within], seconds[within], value[row, within], quality[row, within], reason[row, within]
                )
                fault.apply(stretch, one.memory)

    def _show(self, value: Float64) -> None:
        for row, (floor, ceiling), scale in zip(value, self._ends, self._scale, strict=True):
            np.clip(row, floor, ceiling, out=row)
            np.multiply(row, scale, out=row)
            np.rint(row, out=row)
            np.divide(row, scale, out=row)

    def _doubt(self, value: Float64, quality: UInt8, reason: UInt8) -> None:
        for row, point in enumerate(self.points):
            if point.low == -math.inf and point.high == math.inf:
                continue
            beyond = (value[row] < point.low) | (value[row] > point.high)
            if beyond.any():
                quality[row, beyond] = Quality.UNCERTAIN
                reason[row, beyond] = QualityReason.OUT_OF_RANGE


def _columns(truth: Float64) -> Float64:
    """The same as (tags, steps), which lies together by tag; in strips, because caches are small."""
    if truth.flags.f_contiguous:
        return truth.T.copy()
    value = np.empty(truth.shape[::-1])
    for begin in range(0, len(truth), _STRIP):
        value[:, begin : begin + _STRIP] = truth[begin : begin + _STRIP].T
    return value


def _ends(point: Point) -> tuple[float, float]:
    """The least and the most that is shown."""
    span = point.high - point.low
    if not math.isfinite(span):
        return point.floor, point.ceiling
    return max(point.floor, point.low - UNDER * span), min(point.ceiling, point.high + OVER * span)
