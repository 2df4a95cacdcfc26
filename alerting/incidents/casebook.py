"""The incidents that are not archived, in memory, as the ledger will have them; and how the journal hears of them."""

from collections.abc import Iterable, Mapping
from typing import Any

from alerting.incidents.closed_loop import ClosedLoopRules, LoopEvent, Result, step
from alerting.incidents.grading import GradingTable
from alerting.journal.journal import Journal
from alerting.records import SERVICE, Change, Incident, Loop
from alerting.refusals import Conflict, NotFound
from domain.scales import Grade, IncidentState

UnitKey = tuple[str, str]
"""See ``records.unit_key``."""

_REMEDIES: dict[LoopEvent, str] = {
    LoopEvent.ACKNOWLEDGE: "the enterprise has acknowledged it already",
    LoopEvent.VERIFY: "its feedback is accepted; return the review first if the verification is wrong",
    LoopEvent.HANDLE: "verify it first; after an accepted review, return the review first",
    LoopEvent.FEED_BACK: "verify it first; after an accepted review, return the review first",
    LoopEvent.ACCEPT: "there is no feedback to review; feed back first",
    LoopEvent.RETURN: "there is no feedback to return; feed back first",
    LoopEvent.CLOSE: "it is not open",
    LoopEvent.ARCHIVE: "close it first",
}
"""What to say where an event is not possible."""


class Casebook:
    """Open and closed incidents, by id. ``incidents``: those in the ledger that are not archived."""

    def __init__(self, grading: GradingTable, journal: Journal, incidents: Iterable[Incident] = ()) -> None:
        self._grading = grading
        self._journal = journal
        self._open: dict[int, Incident] = {}
        self._closed: dict[int, Incident] = {}
        """In the order of their closing."""
        self._last_closed: dict[UnitKey, int] = {}
        known = list(incidents)
        self._open.update({incident.id: incident for incident in known if incident.is_open})
        for incident in sorted(known, key=lambda each: (each.closed_at or 0, each.id)):
            if not incident.is_open:
                self._shelve(incident)

    @property
    def open(self) -> Mapping[int, Incident]:
        """Incidents that are open, by id."""
        return self._open

    @property
    def closed(self) -> Mapping[int, Incident]:
        """Incidents that are closed and not archived, by id."""
        return self._closed

    @property
    def rules(self) -> ClosedLoopRules:
        """What of the closed loop is data."""
        return self._grading.closed_loop

    def find(self, identity: int) -> Incident:
        """An incident that is not archived. Raises NotFound."""
        incident = self._open.get(identity) or self._closed.get(identity)
        if incident is None:
            raise NotFound(f"there is no incident {identity}, or it is archived")
        return incident

    def opened(self, identity: int) -> Incident:
        """An incident that is open. Raises NotFound, Conflict (it is closed)."""
        incident = self.find(identity)
        if not incident.is_open:
            raise Conflict(
                f"incident {identity} is closed already, by {incident.closed_by}; a new alarm of its unit reopens it"
            )
        return incident

    def note(
        self, incident: Incident, kind: str, actor: str, data: Mapping[str, object], now: int, change: Change
    ) -> int:
        """Journal something about an incident, together with the state that it is in. Returns the entry's number."""
        entry = self._journal.append(
            now,
            kind,
            actor,
            {**data, "state": incident.state.value} | ({} if incident.drill is None else {"drill": incident.drill}),
            region=incident.region,
            enterprise=incident.enterprise,
            unit=incident.unit,
            incident=incident.id,
        )
        incident.sequence = entry.sequence
        incident.updated_at = now
        change.entries.append(entry)
        change.incidents[incident.id] = incident
        return entry.sequence

    # ---- for those who act on it

    def _after(self, incident: Incident, event: LoopEvent) -> IncidentState:
        """The state after an event. Raises Conflict: it is not possible."""
        state = step(incident.state, event)
        if state is None:
            raise Conflict(f"incident {incident.id} is {incident.state.value}: {_REMEDIES[event]}")
        return state

    def _keep(self, incident: Incident, **values: Any) -> None:
        """Keep something of the loop; None takes it away. The loop itself is never changed in place."""
        loop: dict[str, Any] = {**incident.loop, **values}
        incident.loop = Loop(**{key: value for key, value in loop.items() if value is not None})  # type: ignore[typeddict-item]
        incident.loop["required"] = self.rules.required_of(incident)

    def _shelve(self, incident: Incident) -> None:
        """An incident is closed: it waits to be reopened or archived."""
        self._open.pop(incident.id, None)
        self._closed[incident.id] = incident
        self._last_closed[incident.unit_key] = incident.id

    def _forget(self, incident: Incident) -> None:
        """A closed incident is reopened or archived."""
        del self._closed[incident.id]
        if self._last_closed.get(incident.unit_key) == incident.id:
            del self._last_closed[incident.unit_key]

    def _set_grade(
        self,
        incident: Incident,
        grade: Grade,
        reasons: list[dict[str, Any]],
        now: int,
        change: Change,
        actor: str = SERVICE,
    ) -> None:
        """Give a grade. Rising to orange or red has been seen by nobody yet: it is to be acknowledged anew."""
        data: dict[str, Any] = {
            "from": incident.grade.label,
            "to": grade.label,
            "reasons": reasons,
            "table_version": self._grading.version,
        }
        rises = grade > incident.grade
        incident.grade = grade
        incident.peak_grade = max(incident.peak_grade, grade)
        incident.tier = max(incident.tier, int(grade))
        incident.reasons = reasons
        if rises and grade >= self.rules.acknowledge_anew_from:
            incident.state = step(incident.state, LoopEvent.RISE) or incident.state
            incident.desk_acknowledged_at = incident.desk_acknowledged_by = None
            incident.enterprise_acknowledged_at = incident.enterprise_acknowledged_by = None
            self._keep(incident, desk_comment=None, enterprise_comment=None, enterprise_recorded_by=None)
            data["acknowledge_anew"] = True
        verification = incident.loop.get("verification")
        if verification is not None and not self.rules.verification_holds(verification, incident.peak_grade):
            # One person's word was enough at the lower grade.
            self._keep(incident, verification=None, proposal=verification)
            data["confirm_verification"] = Result(verification["result"]).value
        self._keep(incident, table_version=self._grading.version)
        self.note(incident, "incident.graded", actor, data, now, change)
