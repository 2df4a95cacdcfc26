"""The journal's entries as columns that figures are computed from: one pass over them, in their order.

What counts as an alarm here is what was annunciated to a person, as ``alerting.desks.floods`` has it: on entering, when
a suppression ends, when it sounds again. A drill's, what was suppressed and what follows from a cause are counted by
themselves and nowhere else. Kinds that are not known are passed over.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from alerting.records import Entry
from domain.scales import Grade

NEVER = -1
"""In place of an instant that has not come."""
ANNUNCIATING = frozenset({"alarm.entered", "alarm.annunciated", "alarm.realarmed"})
LEAVING = frozenset({"alarm.returned", "alarm.withdrawn"})
HIDING = frozenset({"alarm.shelved", "alarm.suppressed", "alarm.grouped"})
TOGGLING = frozenset({"alarm.chattering", "alarm.damped"})
SUPPRESSING = frozenset({"alarm.shelved", "maintenance.announced", "sound.silenced"})
"""Acts that take alarms from a person's sight or hearing: a name and a reason belong to each."""
CHANGING = ("config.", "revision.")
"""Beginnings of the kinds of entries about the configuration; the same belongs to each."""
KINDS = (
    ANNUNCIATING
    | LEAVING
    | HIDING
    | SUPPRESSING
    | TOGGLING
    | {"alarm.acknowledged", "alarm.retrospective", "alarm.unsuppressed"}
)
INCIDENT_KINDS = frozenset({"incident.opened", "incident.graded", "incident.acknowledged", "incident.fed_back"})


@dataclass(slots=True)
class Condition:
    """One condition, as ``enterprise/tag/rule``."""

    path: str
    enterprise: str
    region: str


@dataclass(slots=True)
class Case:
    """What is needed of one incident. Times in ms."""

    id: int
    enterprise: str
    region: str
    opened_at: int
    grade: Grade
    """The highest so far, until it was acknowledged."""
    sides: dict[str, int] = field(default_factory=dict)
    """Side -> when it acknowledged first."""
    acknowledged_at: int = NEVER
    fed_back_at: int = NEVER


@dataclass(slots=True)
class _Life:
    """An alarm that is not over, while the journal is read."""

    number: int
    """Of its condition."""
    grade: int
    in_since: int = NEVER
    """Source time; of a condition that is in."""
    listed_since: int = NEVER
    """Journal's time since which it has stood in the list of a person."""
    is_suppressed: bool = False
    """Something lies over it."""
    follows: bool = False
    """It follows from a cause."""
    was_called: bool = False
    """It was annunciated since it entered last."""

    @property
    def counts(self) -> bool:
        """It is in and visible."""
        return self.in_since != NEVER and not self.is_suppressed and not self.follows


@dataclass(slots=True)
class Records:
    """Columns as lists; those of one name are of equal length. Times in ms, ``number`` an index into ``conditions``."""

    conditions: list[Condition] = field(default_factory=list)
    # annunciations
    called_at: list[int] = field(default_factory=list)
    called_number: list[int] = field(default_factory=list)
    called_grade: list[int] = field(default_factory=list)
    called_acknowledged: list[int] = field(default_factory=list)
    """When the alarm was acknowledged after it; NEVER; of a later one before that, NEVER too."""
    called_is_first: list[bool] = field(default_factory=list)
    """Nobody was asked to acknowledge the alarm before."""
    # transitions of conditions that are not suppressed, by source time
    moved_at: list[int] = field(default_factory=list)
    moved_entered: list[int] = field(default_factory=list)
    """Journal's time."""
    moved_number: list[int] = field(default_factory=list)
    # stays: from entering to leaving, of those annunciated; source times
    stay_from: list[int] = field(default_factory=list)
    stay_to: list[int] = field(default_factory=list)
    stay_ended: list[int] = field(default_factory=list)
    """Journal's time of leaving."""
    stay_number: list[int] = field(default_factory=list)
    # spans in the list; journal's times, NEVER where one lasts
    listed_from: list[int] = field(default_factory=list)
    listed_to: list[int] = field(default_factory=list)
    listed_number: list[int] = field(default_factory=list)
    listed_grade: list[int] = field(default_factory=list)
    # gateways without link; source times, NEVER where it lasts
    lost_from: list[int] = field(default_factory=list)
    lost_to: list[int] = field(default_factory=list)
    lost_number: list[int] = field(default_factory=list)
    # found chattering by the service itself
    chattered_at: list[int] = field(default_factory=list)
    chattered_number: list[int] = field(default_factory=list)
    # left out, and done without a name or a reason: time, enterprise, region, kind
    drill: list[tuple[int, str, str]] = field(default_factory=list)
    suppressed: list[tuple[int, str, str]] = field(default_factory=list)
    followed: list[tuple[int, str, str]] = field(default_factory=list)
    retrospective: list[tuple[int, str, str]] = field(default_factory=list)
    unsigned_suppressions: list[tuple[int, str, str]] = field(default_factory=list)
    unsigned_changes: list[tuple[int, str, str]] = field(default_factory=list)
    cases: dict[int, Case] = field(default_factory=dict)
    entries: int = 0


class Reader:
    """Reads entries, in their order. ``finish`` gives the columns."""

    def __init__(self, both_sides: frozenset[Grade]) -> None:
        """``both_sides``: grades at which an incident is acknowledged when desk and enterprise have done it."""
        self._both_sides = both_sides
        self._records = Records()
        self._numbers: dict[str, int] = {}
        self._lives: dict[int, _Life] = {}
        self._waiting: dict[int, int] = {}
        """Alarm -> its annunciation that waits for an acknowledgement."""
        self._drills: set[int] = set()
        """Alarms and incidents of drills; their numbers come from one sequence."""

    def take_all(self, entries: Iterable[Entry]) -> None:
        """The next entries."""
        for entry in entries:
            self.take(entry)

    def take(self, entry: Entry) -> None:
        """The next entry."""
        kind = entry.kind
        if kind not in KINDS and kind not in INCIDENT_KINDS and not kind.startswith(CHANGING):
            return
        body: dict[str, Any] = orjson.loads(entry.body)
        data: dict[str, Any] = body.get("data") or {}
        self._records.entries += 1
        place = (entry.at, entry.enterprise or "", body.get("region") or "")
        if self._is_of_drill(entry, data):
            if kind == "alarm.entered":
                self._records.drill.append(place)
            return
        if kind in SUPPRESSING and not _is_signed(data):
            self._records.unsigned_suppressions.append(place)
        if kind in INCIDENT_KINDS:
            self._take_incident(kind, entry, body, data)
        elif kind.startswith(CHANGING):
            if kind == "config.diverged" or not _is_signed(data):
                self._records.unsigned_changes.append(place)
        elif kind == "alarm.retrospective":
            self._records.retrospective.append(place)
        elif entry.alarm is not None and body.get("tag"):
            self._take_alarm(kind, entry, body, data)

    def finish(self) -> Records:
        """The columns of all that was read; what still lasts has no end."""
        records = self._records
        for life in self._lives.values():
            self._unlist(life, NEVER)
            if life.in_since != NEVER and self._is_link(life.number):
                self._lose(life, NEVER)
        self._lives.clear()
        return records

    def _is_of_drill(self, entry: Entry, data: Mapping[str, Any]) -> bool:
        if data.get("drill") is not None:
            self._drills.update(number for number in (entry.alarm, entry.incident) if number is not None)
            return True
        return entry.alarm in self._drills or entry.incident in self._drills

    # ---- alarms

    def _take_alarm(self, kind: str, entry: Entry, body: Mapping[str, Any], data: Mapping[str, Any]) -> None:
        identity = entry.alarm or 0
        life = self._lives.get(identity)
        if kind == "alarm.entered":
            self._enter(identity, life, entry, body, data)
            return
        if life is None:
            if kind not in {"alarm.annunciated", "alarm.realarmed"}:
                return
            life = self._lives[identity] = _Life(self._number(entry, body), _grade(data), in_since=entry.at)
        if kind in ANNUNCIATING:
            self._annunciate(identity, life, kind, entry, data)
        elif kind in LEAVING:
            self._leave(life, entry, data)
            if kind == "alarm.withdrawn" or data.get("state") == "normal":
                self._end(identity)
        elif kind == "alarm.acknowledged":
            self._acknowledge(identity, life, entry.at, data)
        elif kind in TOGGLING:
            self._toggle(life, kind, entry, data)
        else:
            self._lay(life, kind, entry.at, data)

    def _toggle(self, life: _Life, kind: str, entry: Entry, data: Mapping[str, Any]) -> None:
        """It chatters, or moves beneath its damping."""
        if kind == "alarm.chattering":
            self._records.chattered_at.append(entry.at)
            self._records.chattered_number.append(life.number)
        elif life.counts:
            self._move(life, entry, _source_time(data, entry.at))

    def _lay(self, life: _Life, kind: str, at: int, data: Mapping[str, Any]) -> None:
        """What hides an alarm begins or ends."""
        if kind == "alarm.grouped":
            life.follows = data.get("cause") is not None
        elif kind == "alarm.unsuppressed":
            life.is_suppressed = False
        elif kind == "alarm.suppressed" or (kind == "alarm.shelved" and data.get("suppression", kind) is not None):
            life.is_suppressed = True  # one that was shelved when it was over has nothing laid over it
        if life.counts:
            self._list(life, at)
        else:
            self._unlist(life, at)

    def _annunciate(self, identity: int, life: _Life, kind: str, entry: Entry, data: Mapping[str, Any]) -> None:
        """What is heard again: a suppression has ended, or the alarm sounds once more."""
        if kind == "alarm.annunciated":
            life.grade = _grade(data, life.grade)
            life.is_suppressed = False
            self._list(life, entry.at)
        self._call(identity, life, entry.at)

    def _end(self, identity: int) -> None:
        self._lives.pop(identity, None)
        self._waiting.pop(identity, None)

    def _enter(
        self, identity: int, life: _Life | None, entry: Entry, body: Mapping[str, Any], data: Mapping[str, Any]
    ) -> None:
        number = self._number(entry, body)
        if life is None:
            life = self._lives[identity] = _Life(number, _grade(data))
        life.grade = _grade(data, life.grade)
        life.in_since = _source_time(data, entry.at)
        life.was_called = False
        life.is_suppressed = data.get("suppression") is not None
        life.follows = data.get("cause") is not None
        place = (entry.at, entry.enterprise or "", body.get("region") or "")
        if life.is_suppressed:
            self._records.suppressed.append(place)
            return
        if life.follows:
            self._records.followed.append(place)
            return
        self._move(life, entry)
        self._call(identity, life, entry.at)
        self._list(life, entry.at)

    def _leave(self, life: _Life, entry: Entry, data: Mapping[str, Any]) -> None:
        at = _source_time(data, entry.at)
        if life.in_since != NEVER:
            if life.counts and entry.kind == "alarm.returned" and not data.get("damped"):
                self._move(life, entry, at)
            if life.was_called and entry.kind == "alarm.returned":
                records = self._records
                records.stay_from.append(life.in_since)
                records.stay_to.append(at)
                records.stay_ended.append(entry.at)
                records.stay_number.append(life.number)
            if self._is_link(life.number):
                self._lose(life, at)
        life.in_since = NEVER
        self._unlist(life, entry.at)

    def _call(self, identity: int, life: _Life, at: int) -> None:
        """The alarm is annunciated."""
        records = self._records
        is_first = identity not in self._waiting
        if is_first:
            self._waiting[identity] = len(records.called_at)
        records.called_at.append(at)
        records.called_number.append(life.number)
        records.called_grade.append(life.grade)
        records.called_acknowledged.append(NEVER)
        records.called_is_first.append(is_first)
        life.was_called = True

    def _acknowledge(self, identity: int, life: _Life, at: int, data: Mapping[str, Any]) -> None:
        index = self._waiting.pop(identity, None)
        if index is not None:
            self._records.called_acknowledged[index] = at
        if data.get("state") == "normal":
            self._unlist(life, at)
            self._end(identity)

    def _list(self, life: _Life, at: int) -> None:
        if life.listed_since == NEVER:
            life.listed_since = at

    def _unlist(self, life: _Life, at: int) -> None:
        if life.listed_since == NEVER:
            return
        records = self._records
        records.listed_from.append(life.listed_since)
        records.listed_to.append(at)
        records.listed_number.append(life.number)
        records.listed_grade.append(life.grade)
        life.listed_since = NEVER

    def _move(self, life: _Life, entry: Entry, at: int | None = None) -> None:
        records = self._records
        records.moved_at.append(life.in_since if at is None else at)
        records.moved_entered.append(entry.at)
        records.moved_number.append(life.number)

    def _lose(self, life: _Life, at: int) -> None:
        records = self._records
        records.lost_from.append(life.in_since)
        records.lost_to.append(at)
        records.lost_number.append(life.number)

    def _number(self, entry: Entry, body: Mapping[str, Any]) -> int:
        path = f"{entry.enterprise}/{body['tag']}/{body.get('rule')}"
        number = self._numbers.get(path)
        if number is None:
            number = self._numbers[path] = len(self._records.conditions)
            self._records.conditions.append(Condition(path, entry.enterprise or "", body.get("region") or ""))
        return number

    def _is_link(self, number: int) -> bool:
        path = self._records.conditions[number].path
        return path.endswith("/LINK") and "/@" in path

    # ---- incidents

    def _take_incident(self, kind: str, entry: Entry, body: Mapping[str, Any], data: Mapping[str, Any]) -> None:
        identity = entry.incident or 0
        if kind == "incident.opened":
            self._records.cases[identity] = Case(
                identity, entry.enterprise or "", body.get("region") or "", entry.at, Grade(_grade(data))
            )
            return
        case = self._records.cases.get(identity)
        if case is None:
            return
        if kind == "incident.graded":
            if case.acknowledged_at == NEVER:
                case.grade = max(case.grade, Grade(_grade({"grade": data.get("to")}, case.grade)))
        elif kind == "incident.fed_back":
            case.fed_back_at = entry.at if case.fed_back_at == NEVER else case.fed_back_at
        else:
            case.sides.setdefault(str(data.get("side")), entry.at)
            needed = 2 if case.grade in self._both_sides and data.get("side") is not None else 1
            if case.acknowledged_at == NEVER and len(case.sides) >= needed:
                case.acknowledged_at = entry.at


def _is_signed(data: Mapping[str, Any]) -> bool:
    """Whether a person and a reason are named. What was changed in files, the first revision apart, nobody signed."""
    if data.get("source") == "files" and data.get("revision") != 1:
        return False
    return bool((data.get("name") or data.get("author")) and (data.get("reason") or data.get("comment")))


def _grade(data: Mapping[str, Any], otherwise: int = Grade.BLUE) -> int:
    name = data.get("grade")
    return Grade.parse(name) if isinstance(name, str) and name.upper() in Grade.__members__ else otherwise


def _source_time(data: Mapping[str, Any], otherwise: int) -> int:
    at = data.get("source_time")
    return at if isinstance(at, int) else otherwise
