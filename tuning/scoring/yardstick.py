"""What alarms are measured against. The figures are those of the live key figures, handed in by whoever composes."""

from collections.abc import Mapping
from dataclasses import dataclass

from domain.scales import Grade, Level
from domain.site import Rule


@dataclass(frozen=True, slots=True)
class Targets:
    """The part of the table of targets that readings alone can be measured against. Times in ms, shares 0 to 1."""

    graded_from_days: int
    average: float
    """Alarms per ten minutes that are acceptable."""
    busy_above: int
    """A ten-minute period with more alarms is busy."""
    busy_share: float
    flood_begins_above: int
    flood_ends_below: int
    flood_share: float
    top_ten_share: float
    chattering_transitions: int
    chattering_within: int
    fleeting_within: int
    stale_after: int
    stale_per_day: int
    priorities: Mapping[Grade, float]
    """Share of each grade; the gravest is to stay below its own."""
    priorities_tolerance: float


@dataclass(frozen=True, slots=True)
class Yardstick:
    """Targets, and the grade that an alarm has by its level where its rule gives it none."""

    targets: Targets
    grades: Mapping[Level, Grade]

    def grade_of(self, rule: Rule) -> Grade:
        """The grade that an alarm of this rule has by itself."""
        return self.grades[rule.level] if rule.grade is None else rule.grade
