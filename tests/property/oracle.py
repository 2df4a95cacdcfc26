"""What the rules mean, one sample at a time: the machine that the vectorised engine is compared with.

Written from the semantics (the docstrings of ``rules``, docs/rules.md), with plain Python and no thought of speed. Each
rule is an object that is told of readings and of the passing of time and answers with its transitions.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from math import isfinite, isnan, nan
from typing import Protocol

from domain.samples import SampleBlock
from domain.scales import Quality, RuleKind
from domain.site import Rule
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
    """One rule."""

    inside: bool

    def read(self, sample: Sample) -> list[Transition]: ...

    def tick(self, now: int, tag: Watched) -> list[Transition]: ...


@dataclass
class Run:
    """An unbroken run of readings with one verdict."""

    verdict: Verdict
    began: int
    began_received: int
    last_value: float


@dataclass
class Delayed:
    """Deadband, on-delay and off-delay, for one condition; ``judge`` is what the kinds of rules differ in."""

    index: int
    rule: Rule
    inside: bool = False
    run: Run | None = None

    def judge(self, sample: Sample) -> tuple[Verdict, float] | None:
        """Verdict and the value that it was made on; None: the reading says nothing."""
        raise NotImplementedError

    def read(self, sample: Sample) -> list[Transition]:
        judged = self.judge(sample)
        if judged is None:
            return []
        verdict, value = judged
        found = []
        # The value held until now: the on-delay may have ended before this reading.
        ended = self.run is not None and self.run.verdict is not verdict
        if ended and self.run is not None and self.run.verdict is Verdict.FOR and not self.inside:
            due = self.run.began + self.rule.on_delay
            if due < sample.time:
                found.append(self._toggle(due, sample.received_time, self.run.last_value))
        if self.run is None or ended:
            self.run = Run(verdict, sample.time, sample.received_time, value)
        self.run.last_value = value
        if verdict is Verdict.FOR and not self.inside:
            due = self.run.began + self.rule.on_delay
            if sample.time >= due:
                found.append(self._toggle(due, sample.received_time, value))
        elif verdict is Verdict.AGAINST and self.inside:
            due = self.run.began + self.rule.off_delay
            if sample.time >= due:
                found.append(self._toggle(due, sample.received_time, value))
        return found

    def tick(self, now: int, tag: Watched) -> list[Transition]:
        """Without a reading an on-delay ends by the service's clock, once the next reading has been awaited."""
        if self.inside or self.run is None or self.run.verdict is not Verdict.FOR:
            return []
        delay_over = self.run.began_received + self.rule.on_delay <= now
        waited = tag.heard + min(tag.period, PATIENCE) <= now
        if not (delay_over and waited):
            return []
        return [self._toggle(self.run.began + self.rule.on_delay, now, self.run.last_value)]

    def begin_anew(self) -> None:
        """A run under way is broken."""
        self.run = None

    def _toggle(self, source_time: int, received_time: int, value: float) -> Transition:
        self.inside = not self.inside
        return Transition(self.index, self.inside, source_time, received_time, value)


class High(Delayed):
    """Value at or above the setpoint."""

    def judge(self, sample: Sample) -> tuple[Verdict, float] | None:
        if sample.value >= self.rule.setpoint:
            verdict = Verdict.FOR
        elif sample.value < self.rule.setpoint - self.rule.deadband:
            verdict = Verdict.AGAINST
        else:
            verdict = Verdict.NEITHER
        return _as_far_as_quality_allows(sample, verdict)


class Low(Delayed):
    """Value at or below the setpoint."""

    def judge(self, sample: Sample) -> tuple[Verdict, float] | None:
        if sample.value <= self.rule.setpoint:
            verdict = Verdict.FOR
        elif sample.value > self.rule.setpoint + self.rule.deadband:
            verdict = Verdict.AGAINST
        else:
            verdict = Verdict.NEITHER
        return _as_far_as_quality_allows(sample, verdict)


def _as_far_as_quality_allows(sample: Sample, verdict: Verdict) -> tuple[Verdict, float] | None:
    if sample.quality is Quality.BAD or isnan(sample.value):
        return None
    if sample.quality is Quality.UNCERTAIN and verdict is not Verdict.FOR:
        return None
    return verdict, sample.value


@dataclass
class Rate(Delayed):
    """Rise (or, of the value with its sign turned, fall) per second over the window."""

    readings: list[Sample] = field(default_factory=list)

    def begin_anew(self) -> None:
        super().begin_anew()
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
        change = rate if self.rule.kind is RuleKind.RISE else -rate
        reaches_back = elapsed >= window or base is not self.readings[0]
        if elapsed == 0:
            return Verdict.NEITHER, rate
        if change >= self.rule.setpoint:
            return Verdict.FOR, rate
        if change < self.rule.setpoint - self.rule.deadband and reaches_back:
            return Verdict.AGAINST, rate
        return Verdict.NEITHER, rate


class Bad(Delayed):
    """Quality BAD."""

    def judge(self, sample: Sample) -> tuple[Verdict, float] | None:
        verdicts = {Quality.BAD: Verdict.FOR, Quality.GOOD: Verdict.AGAINST, Quality.UNCERTAIN: Verdict.NEITHER}
        return verdicts[sample.quality], sample.value


@dataclass
class Stale:
    """No reading for longer than the window, in received time."""

    index: int
    rule: Rule
    inside: bool = False

    def read(self, sample: Sample) -> list[Transition]:
        if not self.inside:
            return []
        self.inside = False
        when = sample.received_time
        return [Transition(self.index, entered=False, source_time=when, received_time=when, value=nan)]

    def tick(self, now: int, tag: Watched) -> list[Transition]:
        if self.inside or now - tag.heard <= self.rule.window:
            return []
        self.inside = True
        when = tag.heard + self.rule.window
        return [Transition(self.index, entered=True, source_time=when, received_time=now, value=nan)]


KINDS: dict[RuleKind, type[Delayed] | type[Stale]] = {
    RuleKind.HIGH: High,
    RuleKind.LOW: Low,
    RuleKind.RISE: Rate,
    RuleKind.FALL: Rate,
    RuleKind.STALE: Stale,
    RuleKind.BAD: Bad,
}


class Oracle:
    """All rules of a site. ``rules`` in the order of the rule table."""

    def __init__(
        self, rules: Sequence[Rule], periods: Sequence[int], live_clocks: Sequence[bool], clock_tolerance: int
    ) -> None:
        self.tags = [Watched(period, live) for period, live in zip(periods, live_clocks, strict=True)]
        self.rules: list[tuple[Rule, Machine]] = [
            (rule, KINDS[rule.kind](index, rule)) for index, rule in enumerate(rules) if rule.kind in KINDS
        ]
        self.tolerance = clock_tolerance

    def evaluate(self, block: SampleBlock) -> list[Transition]:
        """The samples of a block one after the other."""
        found = []
        for tag, source, received, value, quality in zip(
            block.tag.tolist(),
            block.source_time.tolist(),
            block.received_time.tolist(),
            block.value.tolist(),
            block.quality.tolist(),
            strict=True,
        ):
            found += self.read(tag, source, received, value, Quality(quality))
        return found

    def read(self, tag: int, source: int, received: int, value: float, quality: Quality) -> list[Transition]:
        """One sample."""
        watched = self.tags[tag]
        believed = min(source, received + self.tolerance) if watched.live_clock else source
        sample = watched.take(Sample(tag, source, received, value, quality, believed))
        if sample is None:
            return []
        return [t for rule, machine in self.rules if rule.tag == tag for t in machine.read(sample)]

    def begin_anew(self, tags: Sequence[int]) -> None:
        """What comes next of these tags is newer than all before; the conditions stay as they are."""
        for tag in tags:
            self.tags[tag].begin_anew()
        for rule, machine in self.rules:
            if rule.tag in tags and isinstance(machine, Delayed):
                machine.begin_anew()

    def advance(self, now: int, *, connected: bool = True) -> list[Transition]:
        """Let time pass; without a connection silence says nothing."""
        if not connected:
            return []
        return [t for rule, machine in self.rules for t in machine.tick(now, self.tags[rule.tag])]

    def await_readings(self, now: int) -> None:
        """Silence is measured from ``now`` on."""
        for tag in self.tags:
            tag.awaited_since = now


def by_rule(transitions: Iterable[Transition]) -> dict[int, list[tuple[object, ...]]]:
    """What each rule did, in order, in a form that compares equal where values are not numbers."""
    story: dict[int, list[tuple[object, ...]]] = {}
    for t in transitions:
        value = "none" if isnan(t.value) else t.value
        story.setdefault(t.rule, []).append((t.entered, t.source_time, t.received_time, value, t.retrospective))
    return story
