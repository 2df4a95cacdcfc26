"""What a desk's main screen shows, worked out from the register in memory.

What is orange or red stands alone and on top, always: an alarm of that grade, and a process alarm of an incident of
that grade. The rest is grouped: the alarms that follow from one cause together, whatever their units; the others by
unit, process alarms apart from those of instruments and lines, so that a fault of forty instruments covers no leak.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from alerting.records import Alarm
from domain.scales import Grade, RuleKind

INSTRUMENT_KINDS = frozenset({RuleKind.STALE, RuleKind.BAD, RuleKind.STUCK, RuleKind.SYSTEM})
"""Kinds that say something of the measuring and nothing of the process."""
STANDING = "standing"
"""Key under which the members that stand alone are paged."""


@dataclass(slots=True)
class Group:
    """Alarms that are shown as one line. ``key`` is stable for as long as it has members."""

    key: str
    enterprise: str
    unit: str
    """Of the first member; the members of a cause may be in several."""
    cause: str | None
    instrument: bool
    members: list[Alarm] = field(default_factory=list)
    grade: Grade = Grade.BLUE
    unacknowledged: int = 0
    units: set[str] = field(default_factory=set)

    @property
    def first_out(self) -> Alarm:
        """The member that was first: as it was marked, else by its time."""
        return min(self.members, key=lambda alarm: (not alarm.first_out, alarm.entered_at, alarm.id))

    @property
    def newest(self) -> Alarm:
        """The member that entered last."""
        return max(self.members, key=lambda alarm: (alarm.entered_at, alarm.id))


@dataclass(slots=True)
class Board:
    """The alarms of a desk that are annunciated, in order."""

    standing: list[Alarm]
    groups: list[Group]
    """Gravest first."""
    others: list[Alarm]
    """All that do not stand, gravest first."""
    drills: dict[int, list[Alarm]]
    """Alarms of drills, by drill; they are in none of the other lists."""
    suppressed: int
    unacknowledged: int
    by_grade: dict[Grade, int]

    def members(self, key: str) -> list[Alarm] | None:
        """The alarms of a group, or those that stand; None: there is no such group."""
        if key == STANDING:
            return self.standing
        return next((group.members for group in self.groups if group.key == key), None)


def board(alarms: Iterable[Alarm], regions: frozenset[str], grade_of: Callable[[int | None], Grade | None]) -> Board:
    """Arrange the alarms of some regions. ``grade_of``: the grade of an open incident."""
    standing: list[tuple[Grade, Alarm]] = []
    others: list[Alarm] = []
    groups: dict[str, Group] = {}
    drills: dict[int, list[Alarm]] = {}
    by_grade = dict.fromkeys(Grade, 0)
    suppressed = unacknowledged = 0
    incident_grades: dict[int | None, Grade | None] = {}
    for alarm in alarms:
        if alarm.region not in regions:
            continue
        if alarm.drill is not None:
            drills.setdefault(alarm.drill, []).append(alarm)
            continue
        if alarm.suppression is not None:
            suppressed += 1
            continue
        waits = alarm.is_unacknowledged
        unacknowledged += waits
        instrument = alarm.kind in INSTRUMENT_KINDS
        grade = alarm.grade
        if not instrument and alarm.cause is None:
            if alarm.incident not in incident_grades:
                incident_grades[alarm.incident] = grade_of(alarm.incident)
            grade = max(grade, incident_grades[alarm.incident] or grade)
        if grade >= Grade.ORANGE:
            by_grade[grade] += 1
            standing.append((grade, alarm))
            continue
        by_grade[alarm.grade] += 1
        others.append(alarm)
        key = _key(alarm, instrument=instrument)
        group = groups.get(key)
        if group is None:
            group = groups[key] = Group(key, alarm.enterprise, alarm.unit, alarm.cause, instrument)
        group.members.append(alarm)
        group.units.add(alarm.unit)
        group.unacknowledged += waits
        group.grade = max(group.grade, alarm.grade)
    _join_causes(groups)
    standing.sort(key=lambda found: (-found[0], -found[1].grade, *_order(found[1])))
    others.sort(key=lambda alarm: (-alarm.grade, *_order(alarm)))
    return Board(
        standing=[alarm for _, alarm in standing],
        groups=sorted(groups.values(), key=lambda group: (-group.grade, group.instrument, -len(group.members))),
        others=others,
        drills=drills,
        suppressed=suppressed,
        unacknowledged=unacknowledged,
        by_grade=by_grade,
    )


def _order(alarm: Alarm) -> tuple[bool, int, int]:
    return (not alarm.is_unacknowledged, -alarm.entered_at, -alarm.id)


def _key(alarm: Alarm, *, instrument: bool) -> str:
    if alarm.cause is not None:
        return f"cause:{alarm.cause}"
    return f"{'instrument' if instrument else 'process'}:{alarm.enterprise}/{alarm.unit}"


def _join_causes(groups: dict[str, Group]) -> None:
    """Put each causing alarm with what follows from it."""
    for group in list(groups.values()):
        if group.cause is not None or not group.instrument:
            continue
        for alarm in list(group.members):
            caused = groups.get(f"cause:{alarm.path}")
            if caused is None:
                continue
            group.members.remove(alarm)
            group.unacknowledged -= alarm.is_unacknowledged
            caused.members.append(alarm)
            caused.units.add(alarm.unit)
            caused.unacknowledged += alarm.is_unacknowledged
            caused.grade = max(caused.grade, alarm.grade)
        if not group.members:
            del groups[group.key]
        else:
            group.grade = max(alarm.grade for alarm in group.members)
