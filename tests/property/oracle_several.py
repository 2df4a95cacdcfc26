"""The machines of rules over several tags, one sample at a time: see ``oracle``."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from math import isnan, nan

from domain.scales import Quality
from domain.site import Rule
from domain.transitions import Transition
from tests.property.oracle_machines import Delayed, OwnDeviation, Sample, Verdict, as_far_as_quality_allows

Meaning = Callable[[Sequence[float | None]], bool | None]
"""What an expression says of values, None where unknown."""


@dataclass
class Several(Delayed):
    """Evaluated with each sample of an input, the others held at their newest.

    ``newest``: of each input; no value: bad, stale or never heard. Its instant is the greatest time among them so far.
    """

    newest: dict[int, Sample] = field(default_factory=dict)
    times: dict[int, int] = field(default_factory=dict)
    instant: int = 0
    known_before: tuple[tuple[int, float], ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        self.tags = self._inputs()

    def _inputs(self) -> tuple[int, ...]:
        assert self.rule.extra is not None
        return self.rule.extra.inputs

    def read(self, sample: Sample) -> list[Transition]:
        self.known_before = self.told(before=False)
        if sample.quality is Quality.BAD or isnan(sample.value):
            self.newest.pop(sample.tag, None)
        else:
            self.newest[sample.tag] = sample
        self.times[sample.tag] = sample.time
        self.instant = max(self.instant, sample.time)
        return super().read(replace(sample, time=self.instant))

    def fall_silent(self, silent: set[int], now: int) -> list[Transition]:
        del now
        for tag in silent:
            self.newest.pop(tag, None)
        return []

    def begin_anew(self, tags: list[int]) -> None:
        super().begin_anew(tags)
        for tag in tags:
            self.times.pop(tag, None)
        self.instant = max(self.times.values(), default=0)

    def told(self, *, before: bool) -> tuple[tuple[int, float], ...]:
        if before:
            return self.known_before
        return tuple((tag, self.newest[tag].value if tag in self.newest else nan) for tag in self.tags)


class PairDeviation(Several):
    """Distance of a tag from another."""

    worse = OwnDeviation.worse

    def _inputs(self) -> tuple[int, ...]:
        assert self.rule.extra is not None
        assert self.rule.extra.reference is not None
        return self.rule.tag, self.rule.extra.reference.tag

    def judge(self, sample: Sample) -> tuple[Verdict, float] | None:
        del sample
        if len(self.newest) < 2:
            return None
        value, reference = (self.newest[tag] for tag in self.tags)
        distance = value.value - reference.value
        return as_far_as_quality_allows(self.compare(distance), distance, value.quality, reference.quality)


@dataclass
class Vote(Several):
    """At least M of N tags beyond the setpoint; ``awaited``: those that are not bad before they are heard."""

    awaited: set[int] = field(default_factory=set)
    last_word: dict[int, Sample] = field(default_factory=dict)

    def worse(self, value: float) -> float:
        assert self.rule.extra is not None
        return -value if self.rule.extra.low else value

    def judge(self, sample: Sample) -> tuple[Verdict, float] | None:
        self.awaited.discard(sample.tag)
        if sample.tag in self.newest:
            self.last_word[sample.tag] = sample
        votes, enough, back = self._count()
        if votes >= enough:
            return Verdict.FOR, float(votes)
        if sample.quality is not Quality.GOOD or isnan(sample.value):
            return None
        if back:
            return Verdict.AGAINST, float(votes)
        standing = [tag for tag in self.tags if tag not in self._bad() and self._stands(tag)]
        return (Verdict.NEITHER, float(votes)) if len(standing) >= enough else None

    def fall_silent(self, silent: set[int], now: int) -> list[Transition]:
        super().fall_silent(silent, now)
        self.awaited -= silent
        votes, enough, _ = self._count()
        if votes < enough or not silent & set(self.tags) or not self.instant:
            return []  # none of its tags was heard since it began anew: there is no instant to enter at
        # As a reading would that comes now, at the condition's instant, and raises.
        return self.carry(Verdict.FOR, float(votes), self.instant, now)

    def _bad(self) -> set[int]:
        return set(self.tags) - set(self.newest) - self.awaited

    def _stands(self, tag: int) -> bool:
        """Until a good reading says that it is back."""
        word = self.last_word.get(tag)
        if word is None:
            return tag in self.awaited
        return not (word.quality is Quality.GOOD and self._compare(word) is Verdict.AGAINST)

    def _compare(self, sample: Sample) -> Verdict:
        worse, setpoint = self.worse(sample.value), self.worse(self.rule.setpoint)
        if worse >= setpoint:
            return Verdict.FOR
        return Verdict.AGAINST if worse < setpoint - self.rule.deadband else Verdict.NEITHER

    def _count(self) -> tuple[int, int, bool]:
        """Votes; how many are enough; whether so few stand that it is over."""
        assert self.rule.extra is not None
        bad = self._bad()
        votes = sum(self._compare(sample) is Verdict.FOR for sample in self.newest.values())
        standing = [tag for tag in self.tags if self._stands(tag)]
        lost = [tag for tag in bad if tag not in standing]
        enough = max(1, self.rule.extra.needed - len(bad))
        return votes, enough, len(standing) < max(1, self.rule.extra.needed - len(lost))


@dataclass
class Formula(Several):
    """An expression; ``meaning`` is given beside the rule."""

    meaning: Meaning = lambda _: None

    def judge(self, sample: Sample) -> tuple[Verdict, float] | None:
        known = [self.newest.get(tag) for tag in self.tags]
        if self.meaning([each.value if each else None for each in known]) is True:
            return Verdict.FOR, 1.0
        good = [each.value if each and each.quality is Quality.GOOD else None for each in known]
        decides = sample.quality is Quality.GOOD and not isnan(sample.value)
        if decides and self.meaning(good) is False:
            return Verdict.AGAINST, 0.0
        return None


def several(index: int, rule: Rule, has_stale: set[int], meaning: Meaning | None) -> Delayed:
    """The machine of a rule over several tags."""
    if meaning is not None:
        return Formula(index, rule, meaning=meaning)
    if rule.extra is not None and rule.extra.reference is not None:
        return PairDeviation(index, rule)
    machine = Vote(index, rule)
    machine.awaited = has_stale & set(machine.tags)
    return machine
