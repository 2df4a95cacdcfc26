"""Faults of instruments, each on named tags, from ``begin`` until ``end`` (ms UTC, the end not included).

A fault changes the signal at one stage of its way from the process to the reading; within a stage faults act in the
order in which they were given. All of them work on a stretch of readings along time and remember what they need, so
cutting a stretch in two changes nothing.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from typing import ClassVar

import numpy as np
from scipy.signal import lfilter

from domain.samples import Float64, Int64, UInt8
from domain.scales import Quality, QualityReason
from simulators.faults.spell import TINY, Spell

DAY = 86_400_000
"""ms."""
_HOUR = 3600.0
_HUGE = 1e300
"""As the high end of what a parameter may be: finite."""
_SHOWS = ("held", "flagged", "bad")


class Stage(IntEnum):
    """Where on its way a fault takes hold of the signal."""

    SENSOR = 0
    """What the sensing element feels, before its own lag."""
    SIGNAL = 1
    """The analogue signal: further lag, errors, disturbance."""
    OUTPUT = 2
    """The number made of it: range and resolution."""
    SHOWN = 3
    """The number that is shown goes on being shown."""
    SENT = 4
    """What the control system makes of it: no value, or another."""


@dataclass(slots=True)
class Stretch:
    """Readings of one tag that follow each other; ``value``, ``quality`` and ``reason`` are changed in place."""

    times: Int64
    """ms UTC."""
    seconds: Float64
    """s since the reading before, 0 at the very first."""
    value: Float64
    quality: UInt8
    reason: UInt8


@dataclass(slots=True)
class Memory:
    """What a fault of one tag remembers from one stretch to the next."""

    rng: np.random.Generator
    held: tuple[float, int, int] | None = None
    """Value, quality and reason of the last reading before the fault, as it was at the fault's stage."""
    level: float | None = None
    """State of a lag."""
    until: float = -math.inf
    """ms UTC until which a dropout lasts."""


def recur(rows: Float64, seconds: Float64, tau: Float64, state: Float64, *, noise: bool = False) -> None:
    """First-order lag of each row along time, in place: y = a y' + b x with a = exp(-dt/tau).

    ``rows``: (r, steps). ``seconds``: (steps,), the time before each step. ``tau``: (r,), s, above 0. ``state``: (r,),
    y before the first step, changed to that of the last. b is 1 - a, which is exact for an input that has held since
    the step before; with ``noise`` it is sqrt(1 - a^2), which keeps the variance of white noise at 1.
    """
    current = state.copy()
    cuts = np.flatnonzero(np.diff(seconds)) + 1
    edges = [0, *cuts.tolist(), len(seconds)]
    for begin, end in pairwise(edges):
        keep = np.exp(-seconds[begin] / tau)
        take = np.sqrt(1.0 - keep * keep) if noise else -np.expm1(-seconds[begin] / tau)
        if end - begin == 1:
            rows[:, begin] = keep * current + take * rows[:, begin]
        else:
            for one in np.unique(tau):
                same = np.flatnonzero(tau == one)
                a, b = float(keep[same[0]]), float(take[same[0]])
                rest = (a * current[same])[:, None]
                rows[same, begin:end], _ = lfilter([b], [1.0, -a], rows[same, begin:end], zi=rest)
        current = rows[:, end - 1].copy()
    state[...] = current


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault(Spell):
    """A fault of an instrument."""

    stage: ClassVar[Stage]
    tags: tuple[str, ...]

    def apply(self, stretch: Stretch, memory: Memory) -> None:
        """Change the readings of a stretch, all of them within the fault's time."""
        raise NotImplementedError

    def _elapsed(self, stretch: Stretch) -> Float64:
        """Time since the fault began, ms."""
        return (stretch.times - self.begin).astype(np.float64)


def _chance(stretch: Stretch, per_hour: float) -> Float64:
    """Probability that something which happens so often happens between a reading and the one before."""
    return np.asarray(-np.expm1(-stretch.seconds * (per_hour / _HOUR)))


def _hold(stretch: Stretch, memory: Memory) -> tuple[float, int, int]:
    """What was shown before the fault; if nothing was, its first reading."""
    if memory.held is None:
        memory.held = (float(stretch.value[0]), int(stretch.quality[0]), int(stretch.reason[0]))
    return memory.held


@dataclass(frozen=True, slots=True, kw_only=True)
class Poisoning(Fault):
    """中毒, a detector loses its sensitivity: silicones or sulphur on a catalytic bead, a cell that runs dry.

    The sensitivity s = r + (1 - r) 2^(-t / half_life) falls from 1 towards ``residual``; what is felt is the value
    times s. At the fault's end the sensor has been replaced.
    """

    stage: ClassVar[Stage] = Stage.SENSOR
    half_life: float
    """h."""
    residual: float = 0.0
    """Share of the sensitivity that is left in the end."""

    def check(self) -> None:
        """See ``Fault``."""
        self._within(half_life=(TINY, math.inf), residual=(0.0, 1.0))

    def apply(self, stretch: Stretch, memory: Memory) -> None:  # noqa: ARG002 - the same for all faults
        """See ``Fault``."""
        lost = np.exp2(-self._elapsed(stretch) / (self.half_life * _HOUR * 1000.0))
        stretch.value *= self.residual + (1.0 - self.residual) * lost


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag(Fault):
    """滞后, a further first-order lag: a clogged impulse line, a filter that has been set too long."""

    stage: ClassVar[Stage] = Stage.SIGNAL
    seconds: float
    """Time constant, s."""

    def check(self) -> None:
        """See ``Fault``."""
        self._within(seconds=(TINY, math.inf))

    def apply(self, stretch: Stretch, memory: Memory) -> None:
        """See ``Fault``."""
        if memory.level is None:
            memory.level = _hold(stretch, memory)[0]
        state = np.array([memory.level])
        recur(stretch.value[None, :], stretch.seconds, np.array([self.seconds]), state)
        memory.level = float(state[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration(Fault):
    """标定误差, calibrated wrongly: value times ``gain`` plus ``offset``."""

    stage: ClassVar[Stage] = Stage.SIGNAL
    offset: float = 0.0
    """Engineering units."""
    gain: float = 1.0

    def check(self) -> None:
        """See ``Fault``."""
        self._within(offset=(-_HUGE, _HUGE), gain=(-_HUGE, _HUGE))

    def apply(self, stretch: Stretch, memory: Memory) -> None:  # noqa: ARG002
        """See ``Fault``."""
        stretch.value *= self.gain
        stretch.value += self.offset


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift(Fault):
    """漂移, the zero point moves steadily; at the fault's end it has been set right."""

    stage: ClassVar[Stage] = Stage.SIGNAL
    per_day: float
    """Engineering units a day, below 0: downwards."""

    def check(self) -> None:
        """See ``Fault``."""
        self._within(per_day=(-_HUGE, _HUGE))

    def apply(self, stretch: Stretch, memory: Memory) -> None:  # noqa: ARG002
        """See ``Fault``."""
        stretch.value += self._elapsed(stretch) * (self.per_day / DAY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise(Fault):
    """噪声, white noise beyond the instrument's own: a loose terminal, an inverter next to the cable."""

    stage: ClassVar[Stage] = Stage.SIGNAL
    std: float
    """Standard deviation, engineering units."""

    def check(self) -> None:
        """See ``Fault``."""
        self._within(std=(0.0, _HUGE))

    def apply(self, stretch: Stretch, memory: Memory) -> None:
        """See ``Fault``."""
        stretch.value += self.std * memory.rng.standard_normal(len(stretch.times))


@dataclass(frozen=True, slots=True, kw_only=True)
class Spikes(Fault):
    """尖峰, single readings far off: switching nearby, a bad contact. They come as a Poisson process.

    The height of each is spread evenly from half to one and a half times ``height``.
    """

    stage: ClassVar[Stage] = Stage.SIGNAL
    per_hour: float
    height: float
    """Engineering units, below 0: downwards."""
    both: bool = False
    """Half of them the other way."""

    def check(self) -> None:
        """See ``Fault``."""
        self._within(per_hour=(0.0, _HUGE), height=(-_HUGE, _HUGE))

    def apply(self, stretch: Stretch, memory: Memory) -> None:
        """See ``Fault``."""
        comes, size, turned = memory.rng.random((len(stretch.times), 3)).T
        sign = np.where(turned < 0.5, -1.0, 1.0) if self.both else 1.0  # noqa: PLR2004 - half of them
        stretch.value += np.where(comes < _chance(stretch, self.per_hour), sign * self.height * (0.5 + size), 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Saturation(Fault):
    """饱和, the range set is too narrow for the process; what lies beyond its ends is shown as the end, UNCERTAIN."""

    stage: ClassVar[Stage] = Stage.OUTPUT
    low: float = -math.inf
    high: float = math.inf
    """Ends of the range, engineering units."""

    def check(self) -> None:
        """See ``Fault``."""
        if not self.low < self.high:
            raise ValueError(f"high: {self.high:g} is not above low, {self.low:g}; give the ends of a range")

    def apply(self, stretch: Stretch, memory: Memory) -> None:  # noqa: ARG002
        """See ``Fault``."""
        beyond = (stretch.value < self.low) | (stretch.value > self.high)
        np.clip(stretch.value, self.low, self.high, out=stretch.value)
        stretch.quality[beyond] = Quality.UNCERTAIN
        stretch.reason[beyond] = QualityReason.OUT_OF_RANGE


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantisation(Fault):
    """量化, a resolution too coarse: an 8-bit converter, a register of whole numbers."""

    stage: ClassVar[Stage] = Stage.OUTPUT
    step: float
    """Engineering units."""

    def check(self) -> None:
        """See ``Fault``."""
        self._within(step=(TINY, _HUGE))

    def apply(self, stretch: Stretch, memory: Memory) -> None:  # noqa: ARG002
        """See ``Fault``."""
        stretch.value[:] = np.rint(stretch.value / self.step) * self.step


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuck(Fault):
    """卡死, the last value goes on being shown as if it were new, or the value that is named here."""

    stage: ClassVar[Stage] = Stage.SHOWN
    value: float | None = None
    """Engineering units; None: whatever was shown last."""

    def check(self) -> None:
        """See ``Fault``."""
        if self.value is not None:
            self._within(value=(-_HUGE, _HUGE))

    def apply(self, stretch: Stretch, memory: Memory) -> None:
        """See ``Fault``."""
        if self.value is not None:
            stretch.value[:] = self.value
            return
        stretch.value[:], stretch.quality[:], stretch.reason[:] = _hold(stretch, memory)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropout(Fault):
    """断线, no value: all the time, or for ``seconds`` at a time, ``per_hour`` times an hour (a Poisson process)."""

    stage: ClassVar[Stage] = Stage.SENT
    per_hour: float | None = None
    """None: all the time."""
    seconds: float = 10.0
    """How long each lasts."""
    reason: int = QualityReason.SENSOR_FAULT
    """``QualityReason`` that is sent."""

    def check(self) -> None:
        """See ``Fault``."""
        self._within(seconds=(TINY, _HUGE))
        if self.per_hour is not None:
            self._within(per_hour=(0.0, _HUGE))
        if self.reason not in list(QualityReason):
            known = ", ".join(f"{one.value} ({one.name})" for one in QualityReason)
            raise ValueError(f"reason: {self.reason} is no reason; give one of {known}")

    def apply(self, stretch: Stretch, memory: Memory) -> None:
        """See ``Fault``."""
        if self.per_hour is None:
            gone = np.ones(len(stretch.times), dtype=np.bool_)
        else:
            begins = memory.rng.random(len(stretch.times)) < _chance(stretch, self.per_hour)
            until = np.where(begins, stretch.times + self.seconds * 1000.0, -math.inf)
            until = np.maximum(np.maximum.accumulate(until), memory.until)
            memory.until = float(until[-1])
            gone = stretch.times < until
        stretch.value[gone] = math.nan
        stretch.quality[gone] = Quality.BAD
        stretch.reason[gone] = self.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Bypass(Fault):
    """检修旁路, the point is being worked on and the control system sends something in its place.

    ``shows``: ``held``, the last value as if it were good, as many systems do; ``flagged``, the last value,
    UNCERTAIN; ``bad``, no value.
    """

    stage: ClassVar[Stage] = Stage.SENT
    shows: str = "held"

    def check(self) -> None:
        """See ``Fault``."""
        if self.shows not in _SHOWS:
            raise ValueError(f"shows: {self.shows!r} is not known; give one of {', '.join(_SHOWS)}")

    def apply(self, stretch: Stretch, memory: Memory) -> None:
        """See ``Fault``."""
        if self.shows == "bad":
            stretch.value[:], stretch.quality[:], stretch.reason[:] = math.nan, Quality.BAD, QualityReason.GATEWAY_FLAG
            return
        stretch.value[:], stretch.quality[:], stretch.reason[:] = _hold(stretch, memory)
        if self.shows == "flagged":
            stretch.quality[:] = np.minimum(stretch.quality, Quality.UNCERTAIN)
            stretch.reason[:] = QualityReason.GATEWAY_FLAG


FAULTS: Mapping[str, type[Fault]] = {
    "noise": Noise,
    "lag": Lag,
    "drift": Drift,
    "stuck": Stuck,
    "spikes": Spikes,
    "saturation": Saturation,
    "quantisation": Quantisation,
    "calibration": Calibration,
    "dropout": Dropout,
    "poisoning": Poisoning,
    "bypass": Bypass,
}
"""By the name that scenarios use. Parameters are the fields of the class beside ``tags``, ``begin`` and ``end``."""
