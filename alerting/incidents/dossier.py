"""What is put on record about an incident beside its loop: comments, links, attachments, the accident and its clock.

All of it is possible until the incident is archived, also after closing.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from alerting.incidents.accident import Figures, ReportStep, declare, mark_done, mark_overdue, pending
from alerting.incidents.casebook import Casebook
from alerting.incidents.grading import GradingTable
from alerting.incidents.persons import same_person
from alerting.journal.journal import Journal
from alerting.records import SERVICE, Change, Incident, IncidentLink
from alerting.refusals import Conflict, NotFound
from domain.clock import iso

MOST_LINKS = 50
"""Of one incident [ours]."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A file that is on disk, checked: what the row of table ``attachment`` says of it."""

    name: str
    type: str
    size: int
    sha256: str


class Dossier(Casebook):
    """Acts that don't move the loop."""

    def __init__(self, grading: GradingTable, journal: Journal, incidents: Iterable[Incident] = ()) -> None:
        super().__init__(grading, journal, incidents)
        self._clocks: set[int] = set()
        """Incidents whose accident is not reported in full."""
        for incident in (*self._open.values(), *self._closed.values()):
            self._wind_clock(incident)

    def comment(self, identity: int, actor: str, name: str, text: str, now: int, change: Change) -> Incident:
        """Say something that stands in the journal."""
        incident = self.find(identity)
        self._keep(incident, comments=incident.loop.get("comments", 0) + 1)
        self.note(incident, "incident.commented", actor, {"name": name, "comment": text}, now, change)
        return incident

    # ---- links

    def link(
        self, identity: int, other: int, actor: str, name: str, comment: str, now: int, change: Change
    ) -> Incident:
        """Say that two incidents belong together; both records say so."""
        one, two = self.find(identity), self.find(other)
        if one is two:
            raise Conflict(f"incident {identity} cannot be linked to itself; name another one")
        if one.drill != two.drill:
            raise Conflict("a drill's incident and a real one, or those of two drills, are never linked")
        if other in {found["incident"] for found in one.loop.get("links", [])}:
            raise Conflict(f"incidents {identity} and {other} are linked already")
        for incident in (one, two):
            links = incident.loop.get("links", [])
            if len(links) >= MOST_LINKS:
                raise Conflict(f"incident {incident.id} has {MOST_LINKS} links; unlink one first")
        for incident, partner in ((one, two), (two, one)):
            links = incident.loop.get("links", [])
            made = IncidentLink(incident=partner.id, name=name, at=now, comment=comment)
            self._keep(incident, links=[*links, made])
            data = {"other": partner.id, "name": name, "comment": comment}
            self.note(incident, "incident.linked", actor, data, now, change)
        return one

    def unlink(
        self, identity: int, other: int, actor: str, name: str, comment: str, now: int, change: Change
    ) -> Incident:
        """Take a link back, in both records; the other one may be archived meanwhile and stays as it was then."""
        one = self.find(identity)
        if other not in {found["incident"] for found in one.loop.get("links", [])}:
            raise Conflict(f"incidents {identity} and {other} are not linked")
        try:
            two = self.find(other)
        except NotFound:
            two = None
        for incident, partner in ((one, other), (two, identity)):
            if incident is None:
                continue
            links = [found for found in incident.loop.get("links", []) if found["incident"] != partner]
            self._keep(incident, links=links or None)
            data = {"other": partner, "name": name, "comment": comment}
            self.note(incident, "incident.unlinked", actor, data, now, change)
        return one

    # ---- attachments

    def refuse_attachment(self, identity: int) -> None:
        """Raise NotFound or Conflict if nothing more can be attached."""
        incident = self.find(identity)
        if len(incident.loop.get("attachments", [])) >= self.rules.attachments.count:
            raise Conflict(f"incident {identity} has {self.rules.attachments.count} attachments, which is the most")

    def attach(
        self, identity: int, stored: Stored, actor: str, name: str, comment: str, now: int, change: Change
    ) -> int:
        """Put a file on record. Returns its id, the number of the entry that says so."""
        self.refuse_attachment(identity)
        incident = self.find(identity)
        attachment = self._journal.sequence + 1
        self._keep(incident, attachments=[*incident.loop.get("attachments", []), attachment])
        data = {"attachment": attachment, "name": name, "comment": comment, "file": asdict(stored)}
        self.note(incident, "incident.attached", actor, data, now, change)
        change.insert("attachment", {"id": attachment, "incident": identity, "by": name, "at": now, **asdict(stored)})
        return attachment

    # ---- the accident and its clock

    def declare_accident(
        self, identity: int, figures: Figures, actor: str, name: str, comment: str, now: int, change: Change
    ) -> Incident:
        """Declare that it is an accident, or correct what was declared."""
        incident = self.find(identity)
        if figures.confirmed_at > now:
            raise Conflict("confirmed_at is in the future; give the time at which the accident was confirmed")
        before = incident.loop.get("accident")
        accident = declare(figures, name, comment, now, before)
        self._keep(incident, accident=accident)
        self._wind_clock(incident)
        data: dict[str, object] = {**accident, "comment": comment}
        if before is not None:
            data["before"] = {key: before[key] for key in ("accident_class", "dead", "injured", "loss", "confirmed_at")}
        self.note(incident, "incident.accident_declared", actor, data, now, change)
        return incident

    def report_accident(
        self, identity: int, step: ReportStep, at: int, actor: str, name: str, comment: str, now: int, change: Change
    ) -> Incident:
        """Record that a report was made at that time."""
        incident = self.find(identity)
        accident = incident.loop.get("accident")
        if accident is None:
            raise Conflict(f"no accident is declared for incident {identity}; declare it first")
        if not accident["confirmed_at"] <= at <= now:
            raise Conflict(f"a report is made between {iso(accident['confirmed_at'])} and now; correct the time")
        if step.value not in {report["step"] for report in pending(accident)}:
            asked = ", ".join(report["step"] for report in pending(accident)) or "nothing any more"
            raise Conflict(f"report {step.value} of incident {identity} is not due or done already; due: {asked}")
        accident = mark_done(accident, step, name, at)
        self._keep(incident, accident=accident)
        self._wind_clock(incident)
        (made,) = (report for report in accident["reports"] if report["step"] == step)
        data = {"step": step.value, "name": name, "comment": comment, "done_at": at, "due": made["due"]}
        self.note(incident, "incident.accident_reported", actor, data | {"late": made["overdue"]}, now, change)
        return incident

    def withdraw_accident(
        self, identity: int, second: str, actor: str, name: str, reason: str, now: int, change: Change
    ) -> Incident:
        """Say that it was no accident. What was declared and reported stays in the journal.

        ``second``: a different person, who agrees: an accident that is kept silent is an offence [ours].
        """
        incident = self.find(identity)
        accident = incident.loop.get("accident")
        if accident is None:
            raise Conflict(f"no accident is declared for incident {identity}; there is nothing to withdraw")
        if same_person(name, second):
            raise Conflict("a second, different person has to agree that it was no accident; name them in `second`")
        self._keep(incident, accident=None)
        self._wind_clock(incident)
        data = {"name": name, "second": second, "reason": reason, "accident": accident}
        self.note(incident, "incident.accident_withdrawn", actor, data, now, change)
        return incident

    def _look_at_clocks(self, now: int, change: Change) -> None:
        """Journal reports that have come to be overdue."""
        for identity in sorted(self._clocks):
            incident = self.find(identity)
            accident, overdue = mark_overdue(incident.loop["accident"], now)
            if overdue:
                self._keep(incident, accident=accident)
            for report in overdue:
                data = {"step": report["step"], "due": report["due"]}
                self.note(incident, "incident.report_overdue", SERVICE, data, now, change)

    def _wind_clock(self, incident: Incident) -> None:
        """The clock runs as long as a report is asked for and not made."""
        if pending(incident.loop.get("accident")):
            self._clocks.add(incident.id)
        else:
            self._clocks.discard(incident.id)

    def _refuse_unreported(self, incident: Incident) -> None:
        """Raise Conflict while a report that the law asks for is not made."""
        missing = [report["step"] for report in pending(incident.loop.get("accident"))]
        if missing:
            raise Conflict(f"the accident of incident {incident.id} is not reported yet: {', '.join(missing)}")
