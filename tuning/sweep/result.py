"""What a sweep found. Times in ms, rates per day over the length of the data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.site import Rule, Site
from tuning.sweep.grid import Grid, Point, Setting

DAY = 86_400_000


@dataclass(frozen=True, slots=True)
class PointResult:
    """What the swept rules did at one point, together."""

    point: Point
    alarms: int
    per_day: float
    false: int
    """Alarms outside every event; 0 where no truth is known or assumed."""
    false_per_day: float
    found: int
    missed: int
    delay: float | None
    """Mean over the events found; None: none was."""
    worst_delay: int | None
    least_lead: int | None
    """From the alarm to the harm, of the event for which it was least; None: nothing does harm, or all are missed."""
    time_in: int
    chattering: int
    """Transitions in rows of too many within too short a time."""
    fleeting: int
    stale: int


@dataclass(frozen=True, slots=True)
class Choice:
    """The recommended point, and why. ``point``: its number; None: none can be recommended.

    reason: a key of the reports' words, what holds its place there in ``figures``
    """

    point: int | None
    reason: str
    figures: dict[str, float]
    loosened: bool = False
    """It alarms later or less than the present rule would: a change that needs its backtest and a second person."""


@dataclass(frozen=True, slots=True)
class RuleChoice:
    """The point that would be recommended for one of the rules by itself."""

    row: int
    path: str
    choice: Choice
    present: PointResult
    chosen: PointResult | None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A multiple of setpoints that was asked for and that the swept rules cannot have.

    fault: ``beyond_range`` or ``past_limit``, explained by words of the reports with ``figures``
    """

    setting: Setting
    fault: str
    figures: Mapping[str, str]
    """``condition``, its ``setpoint``; and ``low``, ``high`` of the range, or ``other`` limit and what that ``is``."""

    def __str__(self) -> str:
        told = self.figures
        if self.fault == "beyond_range":
            return f"{told['condition']}: {told['setpoint']} lies outside the range [{told['low']}, {told['high']}]"
        return f"{told['condition']}: {told['setpoint']} is at or past {told['other']}, {told['is']}"


@dataclass(frozen=True, slots=True)
class Sweep:
    """A sweep of some rules over a grid. ``points[0]``: the rules as they are; the others: the grid's in its order."""

    site: Site
    rows: tuple[int, ...]
    """Rows of the rules that were swept together."""
    grid: Grid
    """Without what was left out."""
    left_out: tuple[LeftOut, ...]
    begin: int
    end: int
    readings: int
    events: int
    """Events in the place of a swept rule, and conditions expected of one."""
    assumed: bool
    """No truth was known: long alarms of the rules as they are stand for events."""
    least: int
    """ms that an alarm lasted that stands for an event."""
    least_lead: int
    """What was asked of the lead time."""
    points: tuple[PointResult, ...]
    front: tuple[int, ...]
    """Numbers of the points that no other beats in missed events, delay and false alarms at once, by delay."""
    choice: Choice
    by_rule: tuple[RuleChoice, ...]

    @property
    def days(self) -> float:
        """Length of the data."""
        return max(self.end - self.begin, 1) / DAY

    def rules(self) -> Sequence[Rule]:
        """The swept rules as they are."""
        return [self.site.rules.row(row) for row in self.rows]
