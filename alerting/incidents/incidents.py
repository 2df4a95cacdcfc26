"""The incidents of a site: the cases of its units, how they open, are graded, and open again.

A unit's alarms that are not normal and that nothing lies over are its members; those that count make its grade. The
first alarm of a unit opens its incident, or reopens the one that was closed not long before. What people do to
incidents is in ``handling`` and ``dossier``. Nothing here reads across enterprises.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from alerting.incidents.casebook import UnitKey
from alerting.incidents.closed_loop import LoopEvent, step
from alerting.incidents.grading import GradingTable, UnitGrading, Verdict
from alerting.incidents.handling import Handling
from alerting.journal.journal import Journal
from alerting.records import SERVICE, Alarm, Change, Decision, Incident, Loop
from alerting.refusals import Conflict
from domain.scales import Grade, IncidentState
from domain.site import Site

MOST_ARCHIVED = 200
"""Incidents that one commit archives by itself [ours]."""
_KEPT_ON_REOPENING = ("links", "attachments", "accident", "comments")
_MEMBERS_NAMED = 5


@dataclass(slots=True)
class _Unit:
    """The alarms of one unit that are not normal, and its open incident."""

    grading: UnitGrading
    members: dict[int, Alarm] = field(default_factory=dict)
    incident: Incident | None = None
    recheck_at: int | None = None
    active: set[int] = field(default_factory=set)
    """Members whose condition is in."""
    unacknowledged: set[int] = field(default_factory=set)
    present: dict[int, int] = field(default_factory=dict)
    """Alarms whose condition is in, whatever lies over them, and the incidents that they have come to."""

    def keep(self, alarm: Alarm) -> None:
        """An alarm is as it is now; one that is normal or suppressed is no member any more."""
        if alarm.condition and alarm.incident is not None:
            self.present[alarm.id] = alarm.incident
        else:
            self.present.pop(alarm.id, None)
        if not alarm.is_annunciated:
            self._leave(alarm.id)
            return
        self.members[alarm.id] = alarm
        for members, belongs in ((self.active, alarm.condition), (self.unacknowledged, alarm.is_unacknowledged)):
            if belongs:
                members.add(alarm.id)
            else:
                members.discard(alarm.id)

    def drop(self, identity: int) -> None:
        """An alarm belongs elsewhere."""
        self.present.pop(identity, None)
        self._leave(identity)

    def is_clear(self, incident: Incident) -> bool:
        """Whether none of an incident's alarms is in: what is only suppressed is no reason for its grade to fall."""
        return incident.id not in self.present.values()

    def _leave(self, identity: int) -> None:
        self.members.pop(identity, None)
        self.active.discard(identity)
        self.unacknowledged.discard(identity)


class Incidents(Handling):
    """Incidents, and what grades them. ``incidents`` are those in the ledger that are not archived."""

    def __init__(self, site: Site, grading: GradingTable, journal: Journal, incidents: Iterable[Incident] = ()) -> None:
        super().__init__(grading, journal, incidents)
        self._site = site
        self._units: dict[UnitKey, _Unit] = {}
        for incident in self.open.values():
            unit = self._unit(incident.unit_key)
            unit.incident = incident
            unit.recheck_at = 0  # what persists may have done so meanwhile
            if "required" not in incident.loop:  # of a ledger from before the loop was kept
                self._keep(incident)

    # ---- alarms come and go

    def next_alarm(self, key: UnitKey) -> int:
        """Number that the next alarm of a unit will have: that of the entry which raises it."""
        return self._journal.sequence + (2 if self._unit(key).incident is None else 1)

    def join(self, alarm: Alarm, now: int, change: Change) -> None:
        """An alarm is raised: it joins the incident of its unit, or opens one.

        What it does to the loop of an incident that is open is journaled once the alarm itself is: see ``regrade``.
        """
        unit = self._unit(alarm.unit_key)
        if alarm.counts:
            unit.grading.add(alarm)
        incident = unit.incident or self._begin(unit, alarm, now, change)
        alarm.incident = incident.id
        incident.alarms_total += 1

    def keep(self, alarm: Alarm) -> None:
        """An alarm is as it is now; one that is normal or suppressed is no member any more."""
        unit = self._unit(alarm.unit_key)
        unit.keep(alarm)
        if alarm.counts:
            unit.grading.add(alarm)
        else:
            unit.grading.remove(alarm)

    def drop(self, alarm: Alarm) -> None:
        """An alarm belongs to another unit's incident from now on; to be called before its ``unit_key`` changes."""
        unit = self._unit(alarm.unit_key)
        unit.drop(alarm.id)
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
            self._rise(unit, unit.incident, unit.grading.verdict(now), now, change)

    def regrade(self, key: UnitKey, now: int, change: Change) -> None:
        """Bring a unit's incident up to what its alarms are."""
        unit = self._unit(key)
        incident = unit.incident
        if incident is None:
            return
        verdict = unit.grading.verdict(now)
        unit.recheck_at = verdict.recheck_at
        is_clear = verdict.grade is None and unit.is_clear(incident)
        incident.cleared_at = (incident.cleared_at or now) if is_clear else None
        self._rise(unit, incident, verdict, now, change)
        self._take_up(unit, incident, now, change)
        incident.alarms_active = len(unit.active)
        incident.alarms_unacknowledged = len(unit.unacknowledged)
        incident.alarms_open = len(unit.members)
        incident.updated_at = now
        change.incidents[incident.id] = incident

    def advance(self, now: int, change: Change) -> None:
        """Let time pass.

        Grades rise because an alarm persists, and fall when all has been clear for long; reports of an accident come
        to be overdue; what was closed long ago is archived.
        """
        for key, unit in self._units.items():
            incident = unit.incident
            if incident is None:
                continue
            if unit.recheck_at is not None and unit.recheck_at <= now:
                self.regrade(key, now, change)
            held = incident.cleared_at is not None and now - incident.cleared_at >= self._grading.hold * 1000
            if held and incident.grade > _floor(incident):
                reasons = [{"rule": "cleared_and_held", "params": {"seconds": self._grading.hold}}]
                self._set_grade(incident, _floor(incident), reasons, now, change)
        self._look_at_clocks(now, change)
        self._archive_old(now, change)

    def reconfigure(self, site: Site, grading: GradingTable, now: int, change: Change) -> None:
        """Take another site and table. Open incidents are graded by the new one, and the journal says so.

        A grade that rests on what is in now becomes what the new table makes of it, also if that is lower. One that is
        held from before only rises.
        """
        before = {key: unit.grading.verdict(now).grade for key, unit in self._units.items()}
        self._site, self._grading = site, grading
        units, self._units = self._units, {}
        for key, old in units.items():
            unit = self._unit(key)
            unit.incident, unit.present = old.incident, old.present
            for alarm in old.members.values():
                unit.keep(alarm)
                if alarm.counts:
                    unit.grading.add(alarm)
            incident = unit.incident
            if incident is None:
                continue
            known = site.units.get((incident.enterprise, incident.unit))
            incident.hazard_level = known.hazard_level if known else incident.hazard_level
            verdict = unit.grading.verdict(now)
            rests_on_now = before[key] == incident.grade and _decision(incident) is None
            is_other = (verdict.grade, verdict.reasons) != (incident.grade, incident.reasons)
            if verdict.grade is not None and rests_on_now and is_other:
                self._set_grade(incident, verdict.grade, verdict.reasons, now, change)
            self._keep(incident)
            self.regrade(key, now, change)

    # ---- people's acts

    def decide(
        self, identity: int, grade: Grade, actor: str, name: str, reason: str, now: int, change: Change
    ) -> Incident:
        """Give a grade by a signed decision.

        A raised grade stays until another decision or the end. A lowered one covers the alarms that have been raised
        so far: when a further one is raised, or those grow graver than they were, what they make counts again.
        """
        incident = self.opened(identity)
        if grade is incident.grade:
            raise Conflict(f"incident {identity} is {grade.label} already; decide for another grade, or comment")
        verdict = self._unit(incident.unit_key).grading.verdict(now)
        before = incident.grade
        made = verdict.grade.label if verdict.grade else None
        data = {"name": name, "reason": reason, "from": before.label, "to": grade.label, "alarms_make": made}
        sequence = self.note(incident, "incident.decided", actor, data, now, change)
        decision = Decision(
            grade=grade.label,
            reason=reason,
            name=name,
            at=now,
            sequence=sequence,
            against=max(before, verdict.grade or before).label if grade < before else None,
            ended_at=None,
        )
        self._keep(incident, decision=decision)
        reasons = [{"rule": "decided", "params": {"grade": grade.label, "name": name, "reason": reason}}]
        self._set_grade(incident, grade, reasons, now, change, actor)
        return incident

    def close(self, identity: int, actor: str, name: str, comment: str, now: int, change: Change) -> Incident:
        """Close an incident: its alarms are normal, and the steps that its grade requires are done."""
        unit = self._units.get(self.opened(identity).unit_key)
        if unit is not None and unit.members:
            some = sorted(f"{alarm.tag} {alarm.rule}" for alarm in unit.members.values())[:_MEMBERS_NAMED]
            raise Conflict(
                f"incident {identity} has {len(unit.members)} alarms that are in, latched or not acknowledged: "
                f"{', '.join(some)}; close it when they are normal"
            )
        incident = super().close(identity, actor, name, comment, now, change)
        if unit is not None:
            unit.incident = None
        return incident

    def end_drill(self, drill: int, reason: str, now: int, change: Change) -> None:
        """Close and archive the incidents of a drill that is over, however far they have come.

        To be called when its alarms are withdrawn.
        """
        for incident in [each for each in self.open.values() if each.drill == drill]:
            incident.state = IncidentState.CLOSED
            incident.closed_at, incident.closed_by, incident.close_comment = now, SERVICE, reason
            self._keep(incident, proposal=None)
            data = {"reason": reason, "grade": incident.grade.label, "drill": drill}
            self.note(incident, "incident.closed", SERVICE, data, now, change)
            self._shelve(incident)
            self._units.pop(incident.unit_key, None)
        for incident in [each for each in self.closed.values() if each.drill == drill]:
            self.archive(incident.id, SERVICE, SERVICE, reason, now, change)

    # ---- bookkeeping

    def _begin(self, unit: _Unit, alarm: Alarm, now: int, change: Change) -> Incident:
        """Open an incident for an alarm, or reopen the one that was closed not long before."""
        verdict = unit.grading.verdict(now)
        grade = verdict.grade or alarm.grade
        last = self._closed.get(self._last_closed.get(alarm.unit_key, 0))
        if last is not None and now - (last.closed_at or 0) < self.rules.reopen_within * 1000:
            incident = self._reopen(last, grade, verdict, now, change)
        else:
            incident = self._open_anew(alarm, grade, verdict, now, change)
        self._open[incident.id] = incident
        unit.incident = incident
        return incident

    def _open_anew(self, alarm: Alarm, grade: Grade, verdict: Verdict, now: int, change: Change) -> Incident:
        enterprise, key = alarm.unit_key
        unit = key.partition("\0")[0]
        known = self._site.units.get((enterprise, unit))
        incident = Incident(
            id=self._journal.sequence + 1,
            region=alarm.region,
            enterprise=enterprise,
            unit=unit,
            hazard_level=known.hazard_level if known else None,
            grade=grade,
            peak_grade=grade,
            reasons=verdict.reasons,
            opened_at=now,
            updated_at=now,
            tier=int(grade),
            drill=alarm.drill,
        )
        self._keep(incident, table_version=self._grading.version)
        self.note(incident, "incident.opened", SERVICE, self._opening(incident), now, change)
        return incident

    def _reopen(self, incident: Incident, grade: Grade, verdict: Verdict, now: int, change: Change) -> Incident:
        closed = {"closed_at": incident.closed_at, "closed_by": incident.closed_by}
        self._forget(incident)
        incident.state = self._after(incident, LoopEvent.TRIGGER)
        incident.grade, incident.reasons = grade, verdict.reasons
        incident.peak_grade = max(incident.peak_grade, grade)
        incident.tier = int(grade)
        incident.closed_at = incident.closed_by = incident.close_comment = incident.cleared_at = None
        incident.desk_acknowledged_at = incident.desk_acknowledged_by = None
        incident.enterprise_acknowledged_at = incident.enterprise_acknowledged_by = None
        incident.acknowledge_by = incident.feedback_by = None
        incident.reopened += 1
        kept: dict[str, Any] = {key: value for key, value in incident.loop.items() if key in _KEPT_ON_REOPENING}
        incident.loop = Loop()
        self._keep(incident, **kept, reopened_at=now, table_version=self._grading.version)
        data = self._opening(incident) | closed | {"reopened": incident.reopened}
        self.note(incident, "incident.reopened", SERVICE, data, now, change)
        return incident

    def _opening(self, incident: Incident) -> dict[str, object]:
        opening: dict[str, object] = {
            "grade": incident.grade.label,
            "reasons": incident.reasons,
            "table_version": self._grading.version,
        }
        return opening if incident.drill is None else opening | {"drill": incident.drill}

    def _rise(self, unit: _Unit, incident: Incident, verdict: Verdict, now: int, change: Change) -> None:
        if verdict.grade is None or verdict.grade <= incident.grade:
            return
        decision = _decision(incident)
        if decision is not None and decision["against"] is not None:
            if verdict.grade <= Grade.parse(decision["against"]) and unit.grading.newest <= decision["sequence"]:
                return
            self._keep(incident, decision={**decision, "ended_at": now})
        self._set_grade(incident, verdict.grade, verdict.reasons, now, change)

    def _take_up(self, unit: _Unit, incident: Incident, now: int, change: Change) -> None:
        """A review that was accepted before further alarms were raised does not cover them."""
        state = step(incident.state, LoopEvent.TRIGGER)
        review = incident.loop.get("review")
        if state is None or state is incident.state or review is None:
            return
        if max(unit.members, default=0) > review["sequence"]:
            incident.state = state
            self._keep(incident, fed_back_at=None)
            self.note(incident, "incident.returned", SERVICE, {"reason": "triggered_again"}, now, change)

    def _archive_old(self, now: int, change: Change) -> None:
        due: list[int] = []
        for incident in self._closed.values():
            if len(due) == MOST_ARCHIVED or now - (incident.closed_at or 0) < self.rules.archive_after * 1000:
                break
            if incident.id not in self._clocks:
                due.append(incident.id)
        for identity in due:
            self.archive(identity, SERVICE, SERVICE, "", now, change)

    def _unit(self, key: UnitKey) -> _Unit:
        found = self._units.get(key)
        if found is None:
            enterprise, unit = key
            known = self._site.units.get((enterprise, unit.partition("\0")[0]))
            found = _Unit(UnitGrading(self._grading, known.hazard_level if known else None))
            self._units[key] = found
        return found


def _decision(incident: Incident) -> Decision | None:
    """The decision that holds."""
    decision = incident.loop.get("decision")
    return decision if decision is not None and decision["ended_at"] is None else None


def _floor(incident: Incident) -> Grade:
    """The grade below which waiting does not let it fall: what a person raised it to."""
    decision = _decision(incident)
    return Grade.BLUE if decision is None or decision["against"] is not None else Grade.parse(decision["grade"])
