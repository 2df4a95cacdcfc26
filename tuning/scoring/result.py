"""What a score says. All instants and lengths are ms of source time, all shares from 0 to 1."""

from collections.abc import Mapping
from dataclasses import dataclass

from domain.floods import Flood
from domain.scales import Grade
from domain.truth import Event

DAY = 86_400_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one event of the truth."""

    event: Event
    rule: str | None
    """Path of the condition that found it first; None: missed."""
    entered_at: int | None
    delay: int | None
    """From the event's beginning to the first alarm."""
    lead: int | None
    """From the first alarm to the harm; None where it was missed or harms nobody; negative: too late."""
    alarms: int
    """That entered in its place while it lasted."""
    standing: int
    """That were in already when it began: they hide it rather than find it."""

    @property
    def found(self) -> bool:
        """An alarm entered in its place while it lasted."""
        return self.entered_at is not None


@dataclass(frozen=True, slots=True)
class Promise:
    """An expected condition, and when it entered within its time; None: not at all."""

    condition: str
    begin: int
    end: int
    entered_at: int | None
    known: bool
    """False: the rule set has no such rule."""

    @property
    def met(self) -> bool:
        """It entered in time."""
        return self.entered_at is not None


@dataclass(frozen=True, slots=True)
class Violation:
    """A condition that must not enter, and when it did."""

    condition: str
    entered_at: tuple[int, ...]
    """The first of them, ``NAMED`` at most."""
    count: int


@dataclass(frozen=True, slots=True)
class RuleFigures:
    """What one rule did."""

    row: int
    """Row of the rule table."""
    path: str
    grade: Grade
    count: int
    per_day: float
    time_in: int
    """ms that the condition was in."""
    longest: int
    """ms of the longest stay, whether it ended or not."""
    false: int | None
    """Alarms outside every event; None where no truth is known."""
    chattering: int
    """Transitions that stand in a row of too many within too short a time."""
    fleeting: int
    """Stays that ended in no time."""
    stale: int
    """Stays that were longer than an alarm may stand."""
    peak: int
    """Most alarms in one of the ten-minute periods."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One line of the table of key figures; ``value`` and ``target`` as numbers, by the name's own unit."""

    name: str
    value: float
    target: float
    met: bool


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of all rules together."""

    alarms: int
    per_day: float
    average: float
    """Alarms per ten minutes."""
    peak: int
    """Most alarms in one of the ten-minute periods from the beginning on."""
    busy_share: float
    floods: tuple[Flood, ...]
    flood_share: float
    top_ten_share: float
    chattering: int
    """Rules that chatter."""
    fleeting: int
    """Rules with fleeting alarms."""
    stale_per_day: int
    """Most alarms on one day that stood for too long in it."""
    priorities: Mapping[Grade, int]
    measures: tuple[Measure, ...]
    graded: bool
    """The data reach over as many days as the targets ask for."""
    ten_minutes: tuple[int, ...]
    """Alarms in each ten minutes from the beginning on."""


@dataclass(frozen=True, slots=True)
class Score:
    """A backtest, scored."""

    begin: int
    end: int
    outcomes: tuple[Outcome, ...]
    expected: tuple[Promise, ...]
    violations: tuple[Violation, ...]
    never: int
    """How many conditions must not enter."""
    false: int | None
    """Alarms outside every event; None where no truth is known."""
    rules: tuple[RuleFigures, ...]
    """Rules that raised anything, the most frequent first."""
    figures: Figures

    @property
    def days(self) -> float:
        """Length of the data."""
        return max(self.end - self.begin, 1) / DAY

    @property
    def found(self) -> int:
        """Events that were found."""
        return sum(outcome.found for outcome in self.outcomes)

    @property
    def missed(self) -> int:
        """Events that were not."""
        return len(self.outcomes) - self.found

    @property
    def false_per_day(self) -> float | None:
        """None where no truth is known."""
        return None if self.false is None else self.false / self.days

    @property
    def passed(self) -> bool:
        """Every event was found, every expected condition entered in its time, and none that must not."""
        return not self.missed and all(promise.met for promise in self.expected) and not self.violations
