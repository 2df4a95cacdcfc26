"""The grade of an alarm and of an incident, by a table that is data (``grading.yaml``), with the reasons kept."""

import itertools
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from alerting.incidents.closed_loop import ClosedLoopRules, GradeName
from alerting.records import Alarm
from domain.scales import Grade, Level, RuleKind

TAGS_NAMED = 8
"""How many tags a reason names at the most."""

JOINT = frozenset({RuleKind.VOTE, RuleKind.EXPRESSION, RuleKind.T2, RuleKind.SPE})
"""Kinds that look at tags which have rules of their own: no independent tag is behind them."""
HIGHEST_EARLY_WARNING = Grade.YELLOW
"""What alarms of statistics (T2, SPE) may make at the most, alone or with others. No table can raise it."""

Gas = Literal["flammable", "toxic", "oxygen", "methane"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AlarmGrades(_Model):
    """Grade of an alarm by the level of its rule."""

    first: GradeName
    second: GradeName
    fault: GradeName

    def of(self, level: Level) -> Grade:
        """Grade of an alarm of this level."""
        if level.is_second:
            return self.second
        return self.first if level.is_first else self.fault


class Count(_Model):
    """How many active alarms of a kind there must be."""

    grade: GradeName | None = None
    level: Literal["first", "second", "fault"] | None = None
    exact: list[Level] | None = None
    gas: list[Gas] | None = None
    persists: float = Field(0, ge=0)
    of: Literal["alarms", "tags"] = "alarms"
    at_least: int = Field(1, ge=1)

    def matches(self, alarm: Alarm) -> bool:
        """Whether an alarm counts, its time apart."""
        level = alarm.level
        first, second, fault = level.is_first, level.is_second, level is Level.FAULT
        return (
            self.grade in {None, alarm.grade}
            and (self.level is None or {"first": first, "second": second, "fault": fault}[self.level])
            and (self.exact is None or level in self.exact)
            and (self.gas is None or (alarm.gas in self.gas if self.gas else alarm.gas is None))
            and not (self.of == "tags" and alarm.kind in JOINT)
        )


class Says(_Model):
    """How a row of a site's own is said to the officer; ``{tags}`` and ``{count}`` stand for what it matched."""

    zh: str
    en: str

    def of(self, tags: list[str], count: int) -> dict[str, str]:
        """The words for what was matched."""
        named = {"{tags}": ", ".join(tags), "{count}": str(count)}
        words = {"zh": self.zh, "en": self.en}
        for place, value in named.items():
            words = {language: text.replace(place, value) for language, text in words.items()}
        return words


class UnitRow(_Model):
    """A row of the unit's table."""

    name: str
    grade: GradeName
    counts: list[Count] = Field(min_length=1)
    says: Says | None = None


class HazardSource(_Model):
    """How much higher major hazard sources count."""

    levels: list[int]
    steps: int = Field(ge=0)


class GradingTable(_Model):
    """The whole table."""

    version: int
    alarm: AlarmGrades
    unit: list[UnitRow]
    hazard_source: HazardSource
    hold: float = Field(ge=0)
    closed_loop: ClosedLoopRules = ClosedLoopRules()


def load_grading(path: Path | None = None) -> GradingTable:
    """Table from a file, or the one that is shipped. Raises OSError, yaml.YAMLError, pydantic.ValidationError."""
    return _table_of(path.read_text("utf-8")) if path else _shipped()


@cache
def _shipped() -> GradingTable:
    return _table_of(resources.files("alerting.incidents").joinpath("grading.yaml").read_text("utf-8"))


def _table_of(text: str) -> GradingTable:
    return GradingTable.model_validate(yaml.safe_load(text))


@dataclass(slots=True)
class _Tally:
    """The active alarms of one unit that one count matches."""

    received: dict[int, int] = field(default_factory=dict)
    """Alarm id -> when the service knew of it."""
    tags: dict[str, int] = field(default_factory=dict)
    """Tag -> number of its alarms."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The grade that a unit's active alarms make now, and why; ``recheck_at``: when it may rise by time alone."""

    grade: Grade | None
    reasons: list[dict[str, Any]]
    recheck_at: int | None


@dataclass(slots=True)
class _Group:
    """The active alarms of one cause, which count once: as the gravest, of those the first."""

    by_grade: dict[Grade, dict[int, Alarm]] = field(default_factory=lambda: {grade: {} for grade in Grade})
    counted: Alarm | None = None
    counted_as: Grade = Grade.BLUE

    def gravest(self) -> Alarm | None:
        for grade in reversed(Grade):
            if self.by_grade[grade]:
                return next(iter(self.by_grade[grade].values()))
        return None


class UnitGrading:
    """The active alarms of one unit, counted as they come and go, so that grading costs the same at any number.

    Alarms that follow from one condition (``Alarm.cause``), and that condition's own, count once together.
    """

    def __init__(self, table: GradingTable, hazard_level: int | None) -> None:
        self._table = table
        self._hazard_level = hazard_level
        self._groups: dict[str, _Group] = {}
        self._places: dict[int, tuple[str, Grade]] = {}
        """Alarm id -> its group and grade."""
        self._alarms: dict[int, Alarm] = {}
        """Those that count."""
        self._grades: dict[Grade, dict[int, None]] = {grade: {} for grade in Grade}
        self._tallies = [[_Tally() for _ in row.counts] for row in table.unit]
        self._warnings: dict[int, None] = {}
        """Those of them that are early warnings by statistics."""
        self._tallies_of: dict[tuple[Grade, Level, str | None, bool], list[_Tally]] = {}
        """Those that alarms of a grade, level and gas count in: all that ``Count.matches`` looks at."""

    def __len__(self) -> int:
        return len(self._places)

    @property
    def newest(self) -> int:
        """Id of the alarm that was raised last; 0: there is none."""
        return max(self._places, default=0)

    def add(self, alarm: Alarm) -> None:
        """An alarm's condition has entered. One that is counted as it is already changes nothing."""
        path = alarm.cause or alarm.path
        if alarm.kind.is_early_warning:
            path = f"early warning {path}"  # never counted in place of what they only warn of
        as_before = self._places.get(alarm.id) == (path, alarm.grade)
        if as_before and self._groups[path].by_grade[alarm.grade].get(alarm.id) is alarm:
            return
        self.remove(alarm)
        self._places[alarm.id] = (path, alarm.grade)
        group = self._groups.setdefault(path, _Group())
        group.by_grade[alarm.grade][alarm.id] = alarm
        self._choose(group)

    def remove(self, alarm: Alarm) -> None:
        """An alarm's condition has left."""
        place = self._places.pop(alarm.id, None)
        if place is None:
            return
        path, grade = place
        group = self._groups[path]
        del group.by_grade[grade][alarm.id]
        self._choose(group)
        if group.counted is None:
            del self._groups[path]

    def _choose(self, group: _Group) -> None:
        """Count the group's gravest alarm, and no other."""
        chosen = group.gravest()
        if chosen is group.counted:
            return
        if group.counted is not None:
            self._uncount(group.counted, group.counted_as)
        group.counted = chosen
        if chosen is not None:
            group.counted_as = chosen.grade
            self._count(chosen)

    def _count(self, alarm: Alarm) -> None:
        self._alarms[alarm.id] = alarm
        self._grades[alarm.grade][alarm.id] = None
        if alarm.kind.is_early_warning:
            self._warnings[alarm.id] = None
        for tally in self._matching(alarm):
            tally.received[alarm.id] = alarm.received_at
            tally.tags[alarm.tag] = tally.tags.get(alarm.tag, 0) + 1

    def _uncount(self, alarm: Alarm, grade: Grade) -> None:
        del self._alarms[alarm.id]
        del self._grades[grade][alarm.id]
        self._warnings.pop(alarm.id, None)
        for tally in itertools.chain.from_iterable(self._tallies):
            if tally.received.pop(alarm.id, None) is None:
                continue
            left = tally.tags[alarm.tag] - 1
            if left:
                tally.tags[alarm.tag] = left
            else:
                del tally.tags[alarm.tag]

    def verdict(self, now: int) -> Verdict:
        """Grade and reasons at ``now`` (ms). The reasons are those that make the grade, not all that hold.

        Early warnings by statistics count where they do not lead beyond yellow, and for nothing else.
        """
        if not self._warnings:
            return self._graded(now, {}, Grade.RED)
        firm = self._graded(now, self._warnings, Grade.RED)
        warned = self._graded(now, {}, HIGHEST_EARLY_WARNING)
        recheck = min((at for at in (firm.recheck_at, warned.recheck_at) if at is not None), default=None)
        if warned.grade is None or (firm.grade is not None and firm.grade >= warned.grade):
            return Verdict(firm.grade, firm.reasons, recheck)
        params = {
            "grade": warned.grade.label,
            "highest": HIGHEST_EARLY_WARNING.label,
            "tags": self._tags_of(self._warnings),
        }
        return Verdict(warned.grade, [*warned.reasons, {"rule": "early_warning", "params": params}], recheck)

    def _graded(self, now: int, without: Collection[int], highest: Grade) -> Verdict:
        """What the table makes of the alarms but some; rows and steps above ``highest`` do not count."""
        grade = max((grade for grade, members in self._grades.items() if _others(members, without)), default=None)
        if grade is None:
            return Verdict(None, [], None)
        own = (each for each in self._grades[grade] if each not in without)
        reasons = [{"rule": "own_grade", "params": {"grade": grade.label, "tags": self._tags_of(own)}}]
        recheck: list[int] = []
        for row, tallies in zip(self._table.unit, self._tallies, strict=True):
            if row.grade > highest:
                continue
            counted = list(zip(row.counts, tallies, strict=True))
            holds = [self._holds(count, tally, now, recheck, without) for count, tally in counted]
            if not all(holds) or row.grade < grade:
                continue
            if row.grade > grade:
                grade = row.grade
                reasons = []
            tags = self._tags_of(each for tally in tallies for each in tally.received if each not in without)
            count = sum(_others(tally.received, without) for tally in tallies)
            params: dict[str, Any] = {"grade": grade.label, "count": count, "tags": tags}
            persists = max(each.persists for each in row.counts)
            if persists:
                params["seconds"] = persists
            if row.says is not None:
                params |= row.says.of(tags, count)
            reasons.append({"rule": row.name, "params": params})
        source = self._table.hazard_source
        if self._hazard_level in source.levels and source.steps and grade < highest:
            raised = Grade(min(grade + source.steps, highest))
            steps = {"level": self._hazard_level, "steps": raised - grade, "from": grade.label, "grade": raised.label}
            reasons.append({"rule": "hazard_source", "params": steps})
            grade = raised
        return Verdict(grade, reasons, min(recheck, default=None))

    def _matching(self, alarm: Alarm) -> Iterable[_Tally]:
        alike = (alarm.grade, alarm.level, alarm.gas, alarm.kind in JOINT)
        found = self._tallies_of.get(alike)
        if found is None:
            found = self._tallies_of[alike] = [
                tally
                for row, tallies in zip(self._table.unit, self._tallies, strict=True)
                for count, tally in zip(row.counts, tallies, strict=True)
                if count.matches(alarm)
            ]
        return found

    def _holds(self, count: Count, tally: _Tally, now: int, recheck: list[int], without: Collection[int]) -> bool:
        if count.persists:
            due = {
                identity: received + int(count.persists * 1000)
                for identity, received in tally.received.items()
                if identity not in without
            }
            recheck.extend(at for at in due.values() if at > now)
            ripe = [identity for identity, at in due.items() if at <= now]
            tags = {self._alarms[identity].tag for identity in ripe}
            return len(tags if count.of == "tags" else ripe) >= count.at_least
        # No early warning is among the tags: see ``JOINT``.
        return (len(tally.tags) if count.of == "tags" else _others(tally.received, without)) >= count.at_least

    def _tags_of(self, members: Iterable[int]) -> list[str]:
        """Tags of some alarms, the first few of them, in the order in which they entered."""
        tags: dict[str, None] = {}
        for identity in members:
            tags[self._alarms[identity].tag] = None
            if len(tags) == TAGS_NAMED:
                break
        return list(tags)


def _others(members: Collection[int], without: Collection[int]) -> int:
    """How many members there are but some; costs the same at any number of members."""
    return len(members) - sum(each in members for each in without)
