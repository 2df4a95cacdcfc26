"""The incidents of a site: the open cases of its units, in memory, as the ledger will have them.

A unit's alarms that are not normal are its members; those that count make its grade. The first alarm of a unit opens
its incident. Nothing here reads across enterprises.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from alerting.grading import GradingTable, UnitGrading, Verdict
from alerting.journal import Journal
from alerting.records import SERVICE, Alarm, Change, Incident
from alerting.refusals import Conflict, NotFound
from domain.scales import AlarmState, Grade, IncidentState
from domain.site import Site

UnitKey = tuple[str, str]
"""Enterprise and unit."""


@dataclass(slots=True)
class _Unit:
    """The alarms of one unit that are not normal, and its open incident."""

    grading: UnitGrading
    members: dict[int, Alarm] = field(default_factory=dict)
    incident: Incident | None = None
    recheck_at: int | None = None


class Incidents:
    """Open incidents, and what grades them. ``incidents`` are those in the ledger that are open."""

    def __init__(self, site: Site, grading: GradingTable, journal: Journal, incidents: Iterable[Incident] = ()) -> None:
        self._site = site
        self._grading = grading
        self._journal = journal
        self._units: dict[UnitKey, _Unit] = {}
        self._open: dict[int, Incident] = {}
        for incident in incidents:
            if not incident.is_open:
                continue
            self._open[incident.id] = incident
            unit = self._unit((incident.enterprise, incident.unit))
            unit.incident = incident
            unit.recheck_at = 0  # what persists may have done so meanwhile

    @property
    def open(self) -> Mapping[int, Incident]:
        """Incidents that are open, by id."""
        return self._open

    # ---- alarms come and go

    def next_alarm(self, key: UnitKey) -> int:
        """Number that the next alarm of a unit will have: that of the entry which raises it."""
        return self._journal.sequence + (2 if self._unit(key).incident is None else 1)

    def join(self, alarm: Alarm, now: int, change: Change) -> None:
        """An alarm is raised: it joins the incident of its unit, or opens one."""
        unit = self._unit(alarm.unit_key)
        if alarm.counts:
            unit.grading.add(alarm)
        incident = unit.incident or self._begin(unit, alarm, now, change)
        alarm.incident = incident.id
        incident.alarms_total += 1

    def keep(self, alarm: Alarm) -> None:
        """An alarm is as it is now; one that is normal or suppressed is no member any more."""
        unit = self._unit(alarm.unit_key)
        if alarm.is_annunciated:
            unit.members[alarm.id] = alarm
        else:
            unit.members.pop(alarm.id, None)
        if alarm.counts:
            unit.grading.add(alarm)
        else:
            unit.grading.remove(alarm)

    def drop(self, alarm: Alarm) -> None:
        """An alarm belongs to another unit's incident from now on; to be called before its ``unit_key`` changes."""
        unit = self._unit(alarm.unit_key)
        unit.members.pop(alarm.id, None)
        unit.grading.remove(alarm)

    def touch(self, alarm: Alarm, sequence: int) -> None:
        """An entry of the journal is about an alarm: the newest of its incident."""
        if alarm.incident is not None and alarm.incident in self._open:
            self._open[alarm.incident].sequence = sequence

    def grade_before_leaving(self, key: UnitKey, now: int, change: Change) -> None:
        """Give a unit the grade that its alarms make while one that leaves now is still in, however short that was."""
        unit = self._units[key]
        if unit.incident is not None:
            unit.incident.cleared_at = None
            self._rise(unit.incident, unit.grading.verdict(now), now, change)

    def regrade(self, key: UnitKey, now: int, change: Change) -> None:
        """Bring a unit's incident up to what its alarms are."""
        unit = self._unit(key)
        incident = unit.incident
        if incident is None:
            return
        verdict = unit.grading.verdict(now)
        unit.recheck_at = verdict.recheck_at
        if verdict.grade is None:
            incident.cleared_at = incident.cleared_at or now
        else:
            incident.cleared_at = None
            self._rise(incident, verdict, now, change)
        incident.alarms_active = len(unit.grading)
        incident.alarms_unacknowledged = sum(alarm.is_unacknowledged for alarm in unit.members.values())
        incident.updated_at = now
        change.incidents[incident.id] = incident

    def advance(self, now: int, change: Change) -> None:
        """Let time pass: grades that rise because an alarm persists, and fall when all has been clear for long."""
        for key, unit in self._units.items():
            incident = unit.incident
            if incident is None:
                continue
            if unit.recheck_at is not None and unit.recheck_at <= now:
                self.regrade(key, now, change)
            held = incident.cleared_at is not None and now - incident.cleared_at >= self._grading.hold * 1000
            if held and incident.grade > Grade.BLUE:
                reasons = [{"rule": "cleared_and_held", "params": {"seconds": self._grading.hold}}]
                self._set_grade(incident, Grade.BLUE, reasons, now, change)

    # ---- people's acts

    def close(self, identity: int, actor: str, name: str, comment: str, now: int, change: Change) -> Incident:
        """Close an incident. Raises NotFound, Conflict (a member is not normal yet)."""
        incident = self._open.get(identity)
        if incident is None:
            raise NotFound(f"incident {identity} is not open")
        unit = self._units[incident.unit_key]
        if unit.members:
            open_ = ", ".join(sorted(f"{alarm.tag} {alarm.rule}" for alarm in unit.members.values())[:5])
            raise Conflict(
                f"incident {identity} has {len(unit.members)} alarms that are in, latched or not acknowledged: {open_}"
            )
        incident.state = IncidentState.CLOSED
        incident.closed_at, incident.closed_by, incident.close_comment = now, name, comment
        data = {"name": name, "comment": comment, "grade": incident.grade.label}
        self.note(incident, "incident.closed", actor, data, now, change)
        del self._open[identity]
        unit.incident = None
        return incident

    def note(
        self, incident: Incident, kind: str, actor: str, data: Mapping[str, object], now: int, change: Change
    ) -> None:
        """Journal something about an incident."""
        entry = self._journal.append(
            now,
            kind,
            actor,
            data,
            region=incident.region,
            enterprise=incident.enterprise,
            unit=incident.unit,
            incident=incident.id,
        )
        incident.sequence = entry.sequence
        change.entries.append(entry)
        change.incidents[incident.id] = incident

    # ---- bookkeeping

    def _begin(self, unit: _Unit, alarm: Alarm, now: int, change: Change) -> Incident:
        verdict = unit.grading.verdict(now)
        grade = verdict.grade or alarm.grade
        data = {"grade": grade.label, "reasons": verdict.reasons, "table_version": self._grading.version}
        entry = self._journal.append(
            now,
            "incident.opened",
            SERVICE,
            data,
            region=alarm.region,
            enterprise=alarm.enterprise,
            unit=alarm.unit,
            incident=0,
        )
        incident = Incident(
            id=entry.sequence,
            region=alarm.region,
            enterprise=alarm.enterprise,
            unit=alarm.unit,
            hazard_level=self._site.units[alarm.unit_key].hazard_level,
            grade=grade,
            peak_grade=grade,
            reasons=verdict.reasons,
            opened_at=now,
            updated_at=now,
            sequence=entry.sequence,
        )
        change.entries.append(entry)
        change.incidents[incident.id] = incident
        self._open[incident.id] = incident
        unit.incident = incident
        return incident

    def _rise(self, incident: Incident, verdict: Verdict, now: int, change: Change) -> None:
        if verdict.grade is not None and verdict.grade > incident.grade:
            self._set_grade(incident, verdict.grade, verdict.reasons, now, change)

    def _set_grade(
        self, incident: Incident, grade: Grade, reasons: list[dict[str, Any]], now: int, change: Change
    ) -> None:
        data = {
            "from": incident.grade.label,
            "to": grade.label,
            "reasons": reasons,
            "table_version": self._grading.version,
        }
        incident.grade = grade
        incident.peak_grade = max(incident.peak_grade, grade)
        incident.reasons = reasons
        incident.updated_at = now
        self.note(incident, "incident.graded", SERVICE, data, now, change)

    def _unit(self, key: UnitKey) -> _Unit:
        found = self._units.get(key)
        if found is None:
            known = self._site.units.get(key)
            found = _Unit(UnitGrading(self._grading, known.hazard_level if known else None))
            self._units[key] = found
        return found
