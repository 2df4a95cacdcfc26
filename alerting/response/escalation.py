"""Escalation (升级上报): the clocks of open incidents, and whom each of their tiers tells.

A tier begins when an incident opens, when its grade rises, and when something escalates it. Its plan names who is told,
at once and later, and within what time both acknowledgement and feedback are to come. What is missing then raises the
tier; so does a step of the plan that reaches nobody. All of it runs on the time that is passed in, and stands in the
ledger: after a start it goes on where it was.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from alerting.alarms.register import Register
from alerting.desks.desks import lineage
from alerting.journal.journal import Journal
from alerting.ledger.response_schema import escalation as escalation_table
from alerting.notify.message import Message
from alerting.notify.messages import Messages
from alerting.records import SERVICE, Alarm, Change, Incident
from alerting.response.book import Recipient, ResponseBook
from alerting.response.calls import CallsBack
from alerting.response.facts import facts_of
from alerting.response.incident_clock import NEVER, IncidentClock
from alerting.response.plans import COMMAND, Due, Plan
from domain.scales import AlarmState, Grade
from domain.site import Site

Circle = Callable[[int], Collection[str]]
"""Ids of the contacts that a drill may tell, by the drill's id."""
REPEATED_FROM = Grade.ORANGE
"""Lowest grade at which those who were told last are told again [ours]."""


class Escalation:
    """The clocks. ``messages``: where it writes whom to tell. ``circle``: whom a drill may tell."""

    def __init__(
        self, book: ResponseBook, site: Site, register: Register, messages: Messages, circle: Circle = lambda _: ()
    ) -> None:
        self._book = book
        self._site = site
        self._register = register
        self._messages = messages
        self._circle = circle
        self._clocks: dict[int, IncidentClock] = {}
        self._members: dict[int, dict[int, Alarm]] = {}
        self._place: dict[int, int] = {}
        """Alarm -> the incident that it is a member of."""
        self.calls = CallsBack(register, self._note)
        self._next_due = self._seen_at = 0
        self._unknown = True
        """Incidents may be open that have no clock: right after a start."""
        self.is_watched: Callable[[], bool] = lambda: False
        """Whether a live client is told of everything: an incident counts as pushed then."""
        self._was_watched = False

    def reconfigure(self, book: ResponseBook, site: Site) -> None:
        """Take another book and site; tiers under way keep the plan that they began by."""
        self._book, self._site = book, site

    async def load(self, connection: AsyncConnection) -> None:
        """Take the clocks that run, and the calls back that are to be made, from the ledger."""
        plans = {plan.id: plan for plan in reversed(self._book.plans)}
        running = select(escalation_table).where(escalation_table.c.done_at.is_(None))
        for row in (await connection.execute(running)).mappings():
            plan = plans.get(row["plan"] or "")
            steps = 0 if plan is None else len(plan.schedule)
            clock = IncidentClock(
                incident=row["incident"],
                tier=row["tier"],
                grade=Grade(row["grade"]),
                began_at=row["began_at"],
                plan=plan,
                pending=[(index, at) for index, at in row["pending"] if index < steps],
                acknowledge_by=row["acknowledge_by"],
                feedback_by=row["feedback_by"],
            )
            self._clocks[clock.incident] = clock
        await self.calls.load(connection)
        for alarm in self._register.active.values():
            self._keep(alarm)

    @property
    def clocks(self) -> Mapping[int, IncidentClock]:
        """By incident."""
        return self._clocks

    # ---- each commit

    def take_part(self, change: Change, now: int) -> None:
        """See ``Participant``."""
        for alarm in change.alarms.values():
            self._keep(alarm)
        if self._unknown or now < self._seen_at:
            for clock in filter(lambda clock: clock.draw_near(now), self._clocks.values()):
                change.upsert("escalation", clock.row())
            self._next_due = 0
        self._seen_at = now
        touched = {entry.incident for entry in change.entries if entry.kind.startswith("incident.") and entry.incident}
        if self._unknown:
            self._unknown = False
            touched.update(self._register.incidents.keys() | self._clocks.keys())
        reopened = {entry.incident for entry in change.entries if entry.kind == "incident.reopened"}
        returned = {entry.incident for entry in change.entries if entry.kind == "incident.returned"}
        for identity in sorted(touched):
            if identity in reopened:
                self._clocks.pop(identity, None)
            self._follow(identity, now, change, returned=identity in returned)
        self._escalate_unreached(now, change)
        self._tell_newcomers(now, change)
        while now >= self._next_due:
            self._next_due = NEVER
            for clock in list(self._clocks.values()):
                if clock.due <= now:
                    self._run_out(clock, now, change)
            self.calls.advance(SERVICE, now, change)
            self._escalate_unreached(now, change)
            self._find_next_due()

    def _tell_newcomers(self, now: int, change: Change) -> None:
        """A live client that connects where none was is told of what is open."""
        watched = self.is_watched()
        if watched and not self._was_watched:
            for identity in list(self._register.incidents):
                self._register.casebook.push(identity, now, change)
        self._was_watched = watched

    def _follow(self, identity: int, now: int, change: Change, *, returned: bool) -> None:
        """Something was journaled about an incident."""
        incident = self._register.incidents.get(identity)
        clock = self._clocks.get(identity)
        if incident is None:
            if clock is not None:
                self._end(clock, now, change)
            return
        if clock is None:
            reason = "reopened" if incident.reopened else "opened"
            self._begin(incident, reason, now, change)
        elif incident.grade > clock.grade:
            self._begin(incident, "graded", now, change)
        elif incident.tier > clock.tier:
            self._begin(incident, "escalated", now, change)
        else:
            self._settle(clock, incident, now, change, returned=returned)

    def _settle(self, clock: IncidentClock, incident: Incident, now: int, change: Change, *, returned: bool) -> None:
        """Stop what need not be waited for any more."""
        before = clock.row()
        clock.grade = incident.grade
        if self._is_acknowledged(clock, incident):
            clock.acknowledge_by, clock.pending = None, []
        if incident.is_fed_back:
            clock.feedback_by = None
        elif returned and clock.plan is not None:
            clock.feedback_by = now + clock.plan.feedback
            self._register.casebook.set_deadlines(incident.id, incident.acknowledge_by, clock.feedback_by, change)
        self._repeat(clock, incident, now)
        if clock.row() != before:
            change.upsert("escalation", clock.row())
            self._next_due = min(self._next_due, clock.due)

    def _end(self, clock: IncidentClock, now: int, change: Change) -> None:
        del self._clocks[clock.incident]
        change.upsert("escalation", clock.row(now))
        self._messages.supersede(clock.incident, change)

    # ---- a tier

    def _begin(self, incident: Incident, reason: str, now: int, change: Change) -> None:
        """A tier begins: its plan is chosen, its clocks are set, and whom it names at once is told."""
        tier = max(incident.tier, int(incident.grade))
        plan = self._book.plan_for(tier, self._lineage(incident), self._hazards(incident))
        clock = IncidentClock(incident.id, tier, incident.grade, now, plan)
        before = self._clocks.get(incident.id)
        self._clocks[incident.id] = clock
        if plan is not None:
            if not incident.is_fed_back:
                clock.feedback_by = now + plan.feedback
                if before is not None and before.feedback_by is not None and before.feedback_by > now:
                    clock.feedback_by = min(before.feedback_by, clock.feedback_by)
            if not self._is_acknowledged(clock, incident):
                clock.acknowledge_by = now + plan.acknowledge
                clock.pending = [(index, now + due.after) for index, due in _steps(plan)]
            else:
                clock.pending = [(index, now) for index, due in _steps(plan) if due.parent < 0]
            self._register.casebook.set_deadlines(
                incident.id, clock.acknowledge_by or incident.acknowledge_by, clock.feedback_by, change
            )
            self._tell_due(clock, incident, reason, now, change)
            if plan.call_back:
                self.calls.ask(incident, now + plan.call_back, SERVICE, now, change)
        if self.is_watched():
            self._register.casebook.push(incident.id, now, change)
        change.upsert("escalation", clock.row())
        self._next_due = min([self._next_due, clock.due, *self.calls.due()])

    def _run_out(self, clock: IncidentClock, now: int, change: Change) -> None:
        """Steps of the plan fall due, or a time has run out."""
        incident = self._register.incidents[clock.incident]
        self._tell_due(clock, incident, "unanswered", now, change)
        reason = None
        if clock.acknowledge_by is not None and clock.acknowledge_by <= now:
            clock.acknowledge_by, reason = None, "not_acknowledged"
        if clock.feedback_by is not None and clock.feedback_by <= now:
            clock.feedback_by, reason = None, reason or "no_feedback"
        change.upsert("escalation", clock.row())
        if reason is not None:
            self._escalate(clock, incident, reason, now, change)

    def _escalate(self, clock: IncidentClock, incident: Incident, reason: str, now: int, change: Change) -> None:
        """Tell the next tier, if there is one."""
        if clock.tier >= COMMAND:
            return
        while incident.tier < clock.tier:  # the grade alone had raised it
            self._register.casebook.escalate(incident.id, reason, now, change)
        if self._register.casebook.escalate(incident.id, reason, now, change):
            self._begin(incident, reason, now, change)

    def _escalate_unreached(self, now: int, change: Change) -> None:
        """What is not delivered escalates as what is not acknowledged.

        A step that reaches none of those whom it names is followed at once by those that come after it. A tier is, by
        the next one, when it reaches nobody whose acknowledgement would be enough [ours].
        """
        while self._messages.unreached:
            found, self._messages.unreached = self._messages.unreached, []
            for identity in found:
                message = self._messages.find(identity)
                clock = self._clocks.get(message.incident or 0) if message is not None else None
                if message is None or clock is None or message.created_at < clock.began_at:
                    continue
                incident = self._register.incidents[clock.incident]
                if self._is_acknowledged(clock, incident):
                    continue
                if all(each.is_unreached for each in self._told(clock) if each.step == message.step):
                    self._hurry(clock, incident, message.step, now, change)
                told = self._told(clock)
                if not clock.steps_to_come and self._is_out_of_reach(clock, told):
                    data = {"tier": clock.tier, "messages": [each.id for each in told if each.is_unreached]}
                    self._note(incident, "delivery.escalated", data, now, change)
                    self._escalate(clock, incident, "not_delivered", now, change)

    def _told(self, clock: IncidentClock) -> list[Message]:
        """Messages of the tier."""
        return [each for each in self._messages.of_incident(clock.incident) if each.created_at >= clock.began_at]

    def _hurry(self, clock: IncidentClock, incident: Incident, step: int, now: int, change: Change) -> None:
        """Tell at once those who come after a step."""
        schedule = () if clock.plan is None else clock.plan.schedule
        after = [(index, at) for index, at in clock.pending if schedule[index].parent == step]
        if after:
            clock.pending = [(index, now if (index, at) in after else at) for index, at in clock.pending]
            self._tell_due(clock, incident, "unanswered", now, change)
            change.upsert("escalation", clock.row())
            self._next_due = min(self._next_due, clock.due)

    def _is_out_of_reach(self, clock: IncidentClock, told: Collection[Message]) -> bool:
        """Neither side is reached; where both have to acknowledge, one of them is not."""
        unreached = [
            all(each.is_unreached for each in told if each.side == side) for side in {each.side for each in told}
        ]
        if clock.tier >= COMMAND or not unreached:
            return False
        return any(unreached) if clock.plan is not None and clock.plan.both_sides else all(unreached)

    # ---- whom it tells

    def _tell_due(self, clock: IncidentClock, incident: Incident, reason: str, now: int, change: Change) -> None:
        due = [step for step in clock.pending if step[1] <= now]
        if not due or clock.plan is None:
            return
        clock.pending = [step for step in clock.pending if step[1] > now]
        told: set[str] = set()
        nobody: list[str] = []
        if clock.plan.schedule[due[0][0]].again:
            reason = "repeated"
        facts = self._facts(clock, incident, reason) if self._book.channels else {}
        for index, _ in due:
            step = clock.plan.schedule[index]
            if self._is_answered(clock, step):
                continue
            recipients = self._recipients(step, incident, now)
            if not recipients and incident.drill is None and not step.again:
                nobody.append(str(step.step.who))
            for recipient in recipients if self._book.channels else ():
                if recipient.contact.id not in told:
                    told.add(recipient.contact.id)
                    by = step.step.by or tuple(self._book.channels)
                    self._messages.queue(recipient, by, incident, reason, index, facts, now, change)
        if nobody and self._book.contacts:
            self._note(incident, "delivery.nobody", {"tier": clock.tier, "who": nobody}, now, change)
        if told:
            self._register.casebook.push(incident.id, now, change)
        self._repeat(clock, incident, now)

    def _repeat(self, clock: IncidentClock, incident: Incident, now: int) -> None:
        """All steps are made: who was told last is told again, unless the next tier is by then, or it is less grave."""
        if clock.plan is None or clock.steps_to_come:
            return
        if incident.grade < REPEATED_FROM or self._is_acknowledged(clock, incident):
            clock.pending = []
        elif not clock.pending:
            by = clock.acknowledge_by
            clock.pending = [
                (index, now + due.after)
                for index, due in enumerate(clock.plan.schedule)
                if due.again and (by is None or clock.tier >= COMMAND or now + due.after < by)
            ]

    def _recipients(self, due: Due, incident: Incident, now: int) -> tuple[Recipient, ...]:
        """Whom a step tells; of a drill nobody beyond its circle."""
        found = self._book.recipients(due.step.who, incident.enterprise, self._lineage(incident), now)
        if incident.drill is None:
            return found
        inside = self._circle(incident.drill)
        return tuple(each for each in found if each.contact.id in inside)

    def _is_answered(self, clock: IncidentClock, due: Due) -> bool:
        """Somebody whom the step before told has acknowledged: those after need not be told."""
        if due.parent < 0:
            return False
        return any(each.step == due.parent and each.acknowledged_at is not None for each in self._told(clock))

    def _facts(self, clock: IncidentClock, incident: Incident, reason: str) -> dict[str, Any]:
        members = [alarm for alarm in self._members.get(incident.id, {}).values() if alarm.suppression is None]
        return facts_of(self._book, self._site, incident, members, reason, clock.acknowledge_by, clock.tier)

    def _hazards(self, incident: Incident) -> frozenset[str]:
        """Gas classes and measurands of the alarms."""
        found: set[str] = set()
        for alarm in self._members.get(incident.id, {}).values():
            index = self._site.tag_index.get(f"{alarm.enterprise}/{alarm.tag}")
            found.update(filter(None, (alarm.gas, None if index is None else self._site.tags[index].measurand)))
        return frozenset(found)

    def _lineage(self, incident: Incident) -> tuple[str, ...]:
        return tuple(lineage(self._site.regions, incident.region))

    def _is_acknowledged(self, clock: IncidentClock, incident: Incident) -> bool:
        sides = (incident.desk_acknowledged_at is not None, incident.enterprise_acknowledged_at is not None)
        return all(sides) if clock.plan is not None and clock.plan.both_sides else any(sides)

    # ---- bookkeeping

    @property
    def _journal(self) -> Journal:
        return self._register.journal

    def _find_next_due(self) -> None:
        self._next_due = min([self._next_due, *(clock.due for clock in self._clocks.values()), *self.calls.due()])

    def _keep(self, alarm: Alarm) -> None:
        before = self._place.pop(alarm.id, None)
        if before is not None:
            self._members[before].pop(alarm.id, None)
            if not self._members[before]:
                del self._members[before]
        if alarm.incident is not None and alarm.state is not AlarmState.NORMAL:
            self._members.setdefault(alarm.incident, {})[alarm.id] = alarm
            self._place[alarm.id] = alarm.incident

    def _note(
        self,
        incident: Incident,
        kind: str,
        data: Mapping[str, Any],
        now: int,
        change: Change,
        actor: str = SERVICE,
    ) -> int:
        entry = self._journal.append(
            now,
            kind,
            actor,
            data if incident.drill is None else {**data, "drill": incident.drill},
            region=incident.region,
            enterprise=incident.enterprise,
            unit=incident.unit,
            incident=incident.id,
        )
        change.entries.append(entry)
        return entry.sequence


def _steps(plan: Plan) -> list[tuple[int, Due]]:
    """Steps of a plan with their indexes, but for the repetitions."""
    return [(index, due) for index, due in enumerate(plan.schedule) if not due.again]
