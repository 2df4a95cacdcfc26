"""What people do to open incidents: the closed loop, act by act; and what the clocks do in its course.

Each act takes ``actor`` (the caller's token), ``name`` (the person) and what it needs, journals it, and raises NotFound
or Conflict with a sentence that says what to do instead.
"""

from collections.abc import Sequence

from alerting.incidents.closed_loop import REMEDIES, LoopEvent, Result, Side, missing_steps, step
from alerting.incidents.dossier import Dossier
from alerting.incidents.persons import same_person
from alerting.records import SERVICE, Change, DisposalStep, Feedback, Incident, Review, Verification
from alerting.refusals import Conflict
from domain.scales import Grade

MOST_STEPS = 500
"""Disposal steps, and as many feedbacks, that one incident holds [ours]."""
HIGHEST_TIER = 5
"""The city takes command."""


class Handling(Dossier):
    """The closed loop's acts."""

    def acknowledge(
        self,
        identity: int,
        side: Side,
        actor: str,
        name: str,
        comment: str,
        now: int,
        change: Change,
        *,
        person: str | None = None,
        seen: Grade | None = None,
    ) -> Incident:
        """One side acknowledges. ``person``: of the enterprise, who told ``name`` of the desk so by telephone.

        ``seen``: the grade that was on the page. One that has risen since has been seen by nobody.
        """
        incident = self.opened(identity)
        if seen is not None and incident.grade > seen:
            raise Conflict(
                f"incident {identity} rose from {seen.label} to {incident.grade.label} meanwhile: look again, "
                f"then acknowledge it as {incident.grade.label}"
            )
        data: dict[str, object] = {"side": side.value, "name": name, "comment": comment}
        if side is Side.DESK:
            if incident.desk_acknowledged_at is not None:
                raise Conflict(
                    f"the desk has acknowledged incident {identity} already, by {incident.desk_acknowledged_by}"
                )
            incident.desk_acknowledged_at, incident.desk_acknowledged_by = now, name
            self._keep(incident, desk_comment=comment)
        else:
            if incident.enterprise_acknowledged_at is not None:
                raise Conflict(
                    f"the enterprise has acknowledged incident {identity} already, "
                    f"by {incident.enterprise_acknowledged_by}"
                )
            incident.state = self._after(incident, LoopEvent.ACKNOWLEDGE)
            incident.enterprise_acknowledged_at, incident.enterprise_acknowledged_by = now, person or name
            self._keep(incident, enterprise_comment=comment, enterprise_recorded_by=name if person else None)
            if person:
                data["person"] = person
        self.note(incident, "incident.acknowledged", actor, data, now, change)
        return incident

    def verify(
        self, identity: int, result: Result, actor: str, name: str, comment: str, now: int, change: Change
    ) -> Incident:
        """Say what it is. At orange or red false is a proposal, until a second person confirms it."""
        incident = self.opened(identity)
        state = self._after(incident, LoopEvent.VERIFY)
        verification = Verification(
            result=result.value, name=name, at=now, comment=comment, confirmed_by=None, confirmed_at=None
        )
        data = {"result": result.value, "name": name, "comment": comment}
        if self.rules.needs_second_person(result, incident.peak_grade):
            proposal = incident.loop.get("proposal")
            if proposal is not None and proposal["result"] == result:
                raise Conflict(
                    f"{proposal['name']} has proposed {result.value} for incident {identity} already; "
                    "a second person confirms or rejects it (verify/confirm, verify/reject)"
                )
            self._keep(incident, proposal=verification)
            self.note(incident, "incident.verification_proposed", actor, data, now, change)
            return incident
        incident.state = state
        self._keep(incident, verification=verification, proposal=None)
        self.note(incident, "incident.verified", actor, data, now, change)
        return incident

    def confirm_verification(
        self, identity: int, actor: str, name: str, comment: str, now: int, change: Change
    ) -> Incident:
        """A second, different person confirms what the first proposed."""
        incident = self.opened(identity)
        proposal = self._proposal(incident)
        if same_person(proposal["name"], name):
            raise Conflict(
                f"{proposal['name']} proposed it: a second, different person has to confirm that incident {identity} "
                f"is {proposal['result']}"
            )
        incident.state = self._after(incident, LoopEvent.VERIFY)
        confirmed: Verification = {**proposal, "confirmed_by": name, "confirmed_at": now}
        self._keep(incident, verification=confirmed, proposal=None)
        data = {
            "result": proposal["result"],
            "name": name,
            "comment": comment,
            "proposed_by": proposal["name"],
            "proposed_at": proposal["at"],
        }
        self.note(incident, "incident.verified", actor, data, now, change)
        return incident

    def reject_verification(
        self, identity: int, actor: str, name: str, comment: str, now: int, change: Change
    ) -> Incident:
        """Reject, or take back, what was proposed."""
        incident = self.opened(identity)
        proposal = self._proposal(incident)
        self._keep(incident, proposal=None)
        data = {"result": proposal["result"], "name": name, "comment": comment, "proposed_by": proposal["name"]}
        self.note(incident, "incident.verification_rejected", actor, data, now, change)
        return incident

    def handle(
        self, identity: int, disposal: str, actor: str, name: str, comment: str, now: int, change: Change
    ) -> Incident:
        """Record a disposal step: what is being done or was done."""
        incident = self.opened(identity)
        state = self._after(incident, LoopEvent.HANDLE)
        steps = incident.loop.get("steps", [])
        if len(steps) >= MOST_STEPS:
            raise Conflict(f"incident {identity} has {MOST_STEPS} disposal steps; put the rest into the feedback")
        incident.state = state
        self._keep(incident, steps=[*steps, DisposalStep(step=disposal, name=name, at=now)])
        data = {"step": disposal, "name": name, "comment": comment}
        self.note(incident, "incident.handled", actor, data, now, change)
        return incident

    def feed_back(
        self, identity: int, text: str, attachments: Sequence[int], actor: str, name: str, now: int, change: Change
    ) -> Incident:
        """Say what was done and found. ``attachments``: ids of files that were attached before."""
        incident = self.opened(identity)
        state = self._after(incident, LoopEvent.FEED_BACK)
        unknown = sorted(set(attachments) - set(incident.loop.get("attachments", [])))
        if unknown:
            raise Conflict(f"attachment {unknown[0]} does not belong to incident {identity}; upload it there first")
        given = incident.loop.get("feedback", [])
        if len(given) >= MOST_STEPS:
            raise Conflict(f"incident {identity} has {MOST_STEPS} feedbacks; review it")
        incident.state = state
        feedback = Feedback(text=text, attachments=list(attachments), name=name, at=now)
        self._keep(incident, feedback=[*given, feedback], fed_back_at=now, review=None)
        data = {"text": text, "attachments": list(attachments), "name": name}
        self.note(incident, "incident.fed_back", actor, data, now, change)
        return incident

    def review(
        self, identity: int, actor: str, name: str, comment: str, now: int, change: Change, *, accepted: bool
    ) -> Incident:
        """Accept the feedback, or return it: then the incident is to be handled and fed back again."""
        incident = self.opened(identity)
        incident.state = self._after(incident, LoopEvent.ACCEPT if accepted else LoopEvent.RETURN)
        kind = "incident.reviewed" if accepted else "incident.returned"
        sequence = self.note(incident, kind, actor, {"name": name, "comment": comment}, now, change)
        review = Review(accepted=accepted, name=name, at=now, comment=comment, sequence=sequence)
        self._keep(incident, review=review, **({} if accepted else {"fed_back_at": None}))
        return incident

    def close(self, identity: int, actor: str, name: str, comment: str, now: int, change: Change) -> Incident:
        """Close an incident for which the steps that its grade requires are done."""
        incident = self.opened(identity)
        state = self._after(incident, LoopEvent.CLOSE)
        missing = missing_steps(incident)
        if missing:
            what = "; ".join(REMEDIES[each] for each in missing)
            raise Conflict(f"incident {identity} was {incident.peak_grade.label} and is not ready to close: {what}")
        self._refuse_unreported(incident)
        incident.state = state
        incident.closed_at, incident.closed_by, incident.close_comment = now, name, comment
        self._keep(incident, proposal=None)
        data = {"name": name, "comment": comment, "grade": incident.grade.label}
        self.note(incident, "incident.closed", actor, data, now, change)
        self._shelve(incident)
        return incident

    def archive(self, identity: int, actor: str, name: str, comment: str, now: int, change: Change) -> Incident:
        """Archive a closed incident: nothing changes it any more."""
        incident = self.find(identity)
        state = self._after(incident, LoopEvent.ARCHIVE)
        if incident.drill is None:
            self._refuse_unreported(incident)
        self._clocks.discard(identity)
        incident.state = state
        incident.archived_at = now
        self.note(incident, "incident.archived", actor, {"name": name, "comment": comment}, now, change)
        self._forget(incident)
        return incident

    # ---- what the clocks do

    def push(self, identity: int, now: int, change: Change) -> bool:
        """Somebody has been told. False: somebody had been before. Raises NotFound, Conflict."""
        incident = self.opened(identity)
        state = step(incident.state, LoopEvent.PUSH)
        if state is None:
            return False
        incident.state = state
        self._keep(incident, pushed_at=now)
        self.note(incident, "incident.pushed", SERVICE, {"tier": incident.tier}, now, change)
        return True

    def escalate(self, identity: int, reason: str, now: int, change: Change) -> bool:
        """Tell the next tier. False: the highest is told already. Raises NotFound, Conflict."""
        incident = self.opened(identity)
        if incident.tier >= HIGHEST_TIER:
            return False
        data = {"from": incident.tier, "to": incident.tier + 1, "reason": reason}
        incident.tier += 1
        self.note(incident, "incident.escalated", SERVICE, data, now, change)
        return True

    def set_deadlines(
        self, identity: int, acknowledge_by: int | None, feedback_by: int | None, change: Change
    ) -> Incident:
        """Until when it is to be acknowledged and fed back (ms). Raises NotFound, Conflict."""
        incident = self.opened(identity)
        incident.acknowledge_by, incident.feedback_by = acknowledge_by, feedback_by
        change.incidents[incident.id] = incident
        return incident

    # ---- conditions of acts

    def _proposal(self, incident: Incident) -> Verification:
        proposal = incident.loop.get("proposal")
        if proposal is None:
            raise Conflict(f"nothing is proposed for incident {incident.id}; verify it")
        return proposal
