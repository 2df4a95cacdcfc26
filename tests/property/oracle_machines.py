"""The machines of rules over one tag, one sample at a time: see ``oracle``."""

from dataclasses import dataclass, field, replace
from enum import Enum
from math import inf, isfinite, isnan, nan
from typing import Protocol

from domain.scales import Quality, RuleKind
from domain.site import ModeLimit, Rule
from domain.transitions import Transition

PATIENCE = 2_000


class Verdict(Enum):
    """What a reading says of a condition."""

    FOR = "for"
    AGAINST = "against"
    NEITHER = "neither"


@dataclass(frozen=True)
class Sample:
    """One sample; ``time`` is its source time as far as it is believed."""

    tag: int
    source_time: int
    received_time: int
    value: float
    quality: Quality
    time: int


@dataclass
class Watched:
    """What is remembered of a tag."""

    period: int
    live_clock: bool
    newest: Sample | None = None
    highest_time: int = 0
    highest_source_time: int = 0
    awaited_since: int = 0

    @property
    def heard(self) -> int:
        """Received time of the newest sample, or since when one is awaited."""
        return max(self.newest.received_time if self.newest else 0, self.awaited_since)

    def take(self, sample: Sample) -> Sample | None:
        """The sample, with a time not before the newest's, if it is newer than all before by either clock."""
        if sample.time <= self.highest_time and sample.source_time <= self.highest_source_time:
            return None
        self.highest_time = max(self.highest_time, sample.time)
        self.highest_source_time = max(self.highest_source_time, sample.source_time)
        self.newest = replace(sample, time=self.highest_time)
        return self.newest

    def begin_anew(self) -> None:
        """Whatever comes next is newer."""
        self.highest_time = self.highest_source_time = 0
        if self.newest is not None:
            self.newest = replace(self.newest, source_time=0)


class Machine(Protocol):
    """One rule. ``tags``: those that it looks at."""

    inside: bool
    tags: tuple[int, ...]

    def read(self, sample: Sample) -> list[Transition]: ...

    def tick(self, now: int, tags: list[Watched]) -> list[Transition]: ...

    def fall_silent(self, silent: set[int], now: int) -> list[Transition]: ...


@dataclass
class Run:
    """An unbroken run of readings with one verdict."""

    verdict: Verdict
    began: int
    began_received: int
    last_value: float


@dataclass
class Delayed:
    """Deadband, on-delay and off-delay, for one condition; ``judge`` is what the kinds of rules differ in.

    ``setpoint``: as the mode has it; None: there is no limit.
    """

    index: int
    rule: Rule
    inside: bool = False
    run: Run | None = None
    setpoint: float | None = field(init=False)
    deadband: float = field(init=False)
    tags: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.setpoint, self.deadband = self.rule.setpoint, self.rule.deadband
        self.tags = (self.rule.tag,)

    def judge(self, sample: Sample) -> tuple[Verdict, float] | None:
        """Verdict and the value that it was made on; None: the reading says nothing."""
        raise NotImplementedError

    def worse(self, value: float) -> float:
        """The value, turned so that more is worse."""
        return value

    def compare(self, value: float) -> Verdict:
        """The value against the setpoint."""
        worse = self.worse(value)
        if self.setpoint is None:
            return Verdict.AGAINST if worse < inf else Verdict.NEITHER
        setpoint = self.worse(self.setpoint) if self.rule.kind is RuleKind.LOW else self.setpoint
        if worse >= setpoint:
            return Verdict.FOR
        return Verdict.AGAINST if worse < setpoint - self.deadband else Verdict.NEITHER

    def switch(self, limit: ModeLimit | None) -> None:
        """Another mode holds. A run goes on if its last value says by the new limit what it said by the old."""
        if limit is None:
            self.setpoint, self.deadband = self.rule.setpoint, self.rule.deadband
        else:
            self.setpoint = limit.setpoint
            self.deadband = self.rule.deadband if limit.deadband is None else limit.deadband
        if self.run is not None and self.compare(self.run.last_value) is not self.run.verdict:
            self.run = None

    def read(self, sample: Sample) -> list[Transition]:
        judged = self.judge(sample)
        return [] if judged is None else self.carry(*judged, sample.time, sample.received_time)

    def carry(self, verdict: Verdict, value: float, time: int, received: int) -> list[Transition]:
        """A reading, with what it says of the condition."""
        found = []
        # The value held until now: the on-delay may have ended before this reading.
        ended = self.run is not None and self.run.verdict is not verdict
        if ended and self.run is not None and self.run.verdict is Verdict.FOR and not self.inside:
            due = self.run.began + self.rule.on_delay
            if due < time:
                found.append(self._toggle(due, received, self.run.last_value, before=True))
        if self.run is None or ended:
            self.run = Run(verdict, time, received, value)
        self.run.last_value = value
        if verdict is Verdict.FOR and not self.inside:
            due = self.run.began + self.rule.on_delay
            if time >= due:
                found.append(self._toggle(due, received, value))
        elif verdict is Verdict.AGAINST and self.inside:
            due = self.run.began + self.rule.off_delay
            if time >= due:
                found.append(self._toggle(due, received, value))
        return found

    def tick(self, now: int, tags: list[Watched]) -> list[Transition]:
        """Without a reading an on-delay ends by the service's clock, once the next reading has been awaited."""
        if self.inside or self.run is None or self.run.verdict is not Verdict.FOR:
            return []
        delay_over = self.run.began_received + self.rule.on_delay <= now
        heard = max(tags[tag].heard for tag in self.tags)
        waited = heard + min(PATIENCE, *(tags[tag].period for tag in self.tags)) <= now
        if not (delay_over and waited):
            return []
        return [self._toggle(self.run.began + self.rule.on_delay, now, self.run.last_value)]

    def fall_silent(self, silent: set[int], now: int) -> list[Transition]:
        """Tags have become stale."""
        del silent, now
        return []

    def begin_anew(self, tags: list[int]) -> None:
        """A run under way is broken; what these tags have told is of another recording."""
        del tags
        self.run = None

    def _toggle(self, source_time: int, received_time: int, value: float, *, before: bool = False) -> Transition:
        self.inside = not self.inside
        return Transition(self.index, self.inside, source_time, received_time, value, self.told(before=before))

    def told(self, *, before: bool) -> tuple[tuple[int, float], ...]:
        """What a rule over several tags knows of them, or knew before the newest sample."""
        del before
        return ()


def as_far_as_quality_allows(verdict: Verdict, value: float, *qualities: Quality) -> tuple[Verdict, float] | None:
    if isnan(value) or Quality.BAD in qualities:
        return None
    if Quality.UNCERTAIN in qualities and verdict is not Verdict.FOR:
        return None
    return verdict, value


class High(Delayed):
    """Value at or above the setpoint."""

    def judge(self, sample: Sample) -> tuple[Verdict, float] | None:
        return as_far_as_quality_allows(self.compare(sample.value), sample.value, sample.quality)


class Low(High):
    """Value at or below the setpoint."""

    def worse(self, value: float) -> float:
        return -value


@dataclass
class Rate(Delayed):
    """Rise (or, of the value with its sign turned, fall) per second over the window."""

    readings: list[Sample] = field(default_factory=list)

    def worse(self, value: float) -> float:
        return value if self.rule.kind is RuleKind.RISE else -value

    def begin_anew(self, tags: list[int]) -> None:
        super().begin_anew(tags)
        self.readings.clear()

    def judge(self, sample: Sample) -> tuple[Verdict, float] | None:
        if sample.quality is not Quality.GOOD or not isfinite(sample.value):
            return None
        self.readings.append(sample)
        *earlier, _ = self.readings
        if not earlier:
            return Verdict.NEITHER, 0.0
        window = max(self.rule.window, 1)
        inside = [r for r in earlier if r.time >= sample.time - window]
        base = inside[0] if inside else earlier[-1]
        elapsed = sample.time - base.time
        rate = (sample.value - base.value) * 1000.0 / max(elapsed, window)
        reaches_back = elapsed >= window or base is not self.readings[0]
        verdict = self.compare(rate)
        if elapsed == 0 or (verdict is Verdict.AGAINST and not reaches_back):
            return Verdict.NEITHER, rate
        return verdict, rate


class Bad(Delayed):
    """Quality BAD."""

    def judge(self, sample: Sample) -> tuple[Verdict, float] | None:
        verdicts = {Quality.BAD: Verdict.FOR, Quality.GOOD: Verdict.AGAINST, Quality.UNCERTAIN: Verdict.NEITHER}
        return verdicts[sample.quality], sample.value


@dataclass
class OwnDeviation(Delayed):
    """Distance from a constant, or from the median of the tag's own good readings of the window before."""

    readings: list[Sample] = field(default_factory=list)

    def worse(self, value: float) -> float:
        assert self.rule.extra is not None
        return {"above": value, "below": -value, "both": abs(value)}[self.rule.extra.side]

    def begin_anew(self, tags: list[int]) -> None:
        super().begin_anew(tags)
        self.readings.clear()

    def judge(self, sample: Sample) -> tuple[Verdict, float] | None:
        reference = self._reference(sample)
        if sample.quality is Quality.GOOD and isfinite(sample.value):
            self.readings.append(sample)
        if reference is None:
            return None
        distance = sample.value - reference
        return as_far_as_quality_allows(self.compare(distance), distance, sample.quality)

    def _reference(self, sample: Sample) -> float | None:
        assert self.rule.extra is not None
        reference = self.rule.extra.reference
        assert reference is not None
        if reference.kind == "constant":
            return reference.constant
        before = sorted(r.value for r in self.readings if r.time >= sample.time - max(reference.window, 1))
        if len(before) < 3:
            return None
        middle = len(before) // 2
        return before[middle] if len(before) % 2 else before[middle - 1] / 2 + before[middle] / 2


@dataclass
class Stuck(Delayed):
    """All readings of the window, and the one in force at its beginning, lie within the band."""

    readings: list[Sample] = field(default_factory=list)

    def begin_anew(self, tags: list[int]) -> None:
        super().begin_anew(tags)
        self.readings.clear()

    def fall_silent(self, silent: set[int], now: int) -> list[Transition]:
        del now
        if self.rule.tag in silent:
            self.readings.clear()
        return []

    def judge(self, sample: Sample) -> tuple[Verdict, float] | None:
        if sample.quality is not Quality.GOOD or not isfinite(sample.value):
            return None
        self.readings.append(sample)
        begin = sample.time - max(self.rule.window, 1)
        in_force = [r for r in self.readings if r.time <= begin][-1:]
        values = [r.value for r in in_force + [r for r in self.readings if r.time > begin]]
        spread = max(values) - min(values)
        if spread > self.rule.setpoint:
            return Verdict.AGAINST, spread
        return (Verdict.FOR if in_force else Verdict.NEITHER), spread


@dataclass
class Stale:
    """No reading for longer than the window, in received time."""

    index: int
    rule: Rule
    inside: bool = False
    tags: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.tags = (self.rule.tag,)

    def read(self, sample: Sample) -> list[Transition]:
        if not self.inside:
            return []
        self.inside = False
        when = sample.received_time
        return [Transition(self.index, entered=False, source_time=when, received_time=when, value=nan)]

    def tick(self, now: int, tags: list[Watched]) -> list[Transition]:
        heard = tags[self.rule.tag].heard
        if self.inside or now - heard <= self.rule.window:
            return []
        self.inside = True
        when = heard + self.rule.window
        return [Transition(self.index, entered=True, source_time=when, received_time=now, value=nan)]

    def fall_silent(self, silent: set[int], now: int) -> list[Transition]:
        del silent, now
        return []
