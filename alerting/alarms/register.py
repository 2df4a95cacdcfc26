"""The register: every alarm that is not normal, in memory, as the ledger will have it; and the incidents.

All acts on it go through here one at a time; each fills a ``Change`` that is committed before the next begins and
before anybody is told. Nothing here reads across enterprises.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from alerting.alarms.causes import CAUSE, Causes
from alerting.alarms.chattering import Chattering
from alerting.alarms.conditions import Conditions, number
from alerting.alarms.lifecycle import AlarmEvent, step
from alerting.alarms.limits import AlarmLimits
from alerting.alarms.maintenance import WINDOW, Maintenance
from alerting.alarms.overlaid import Overlaid
from alerting.alarms.relations import Relations, RuleFacts
from alerting.alarms.roll import Roll
from alerting.alarms.shelving import SHELF, Shelving
from alerting.alarms.sound import SILENCE, Sound
from alerting.alarms.suppression import Overlay
from alerting.alarms.timers import Timers
from alerting.incidents.grading import GradingTable
from alerting.incidents.incidents import Incidents
from alerting.journal.journal import RETROSPECTIVE, Journal
from alerting.records import SERVICE, Alarm, Change, Incident, drill_prefix
from alerting.refusals import Conflict, NotFound
from domain.scales import AlarmState, RuleKind
from domain.site import Site
from domain.transitions import Transition

_TIMELESS = frozenset({RuleKind.STALE, RuleKind.SYSTEM})
"""Kinds whose transitions bear the service's own time."""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What came of one alarm of a bulk acknowledgement: the alarm, or why it was not done."""

    id: int
    alarm: Alarm | None
    refusal: str | None


class Register:
    """Alarms and incidents of a site.

    ``alarms`` are those in the ledger that are not normal; ``incidents`` those that are open. ``settled`` gives, for
    conditions that toggled not long before the start, source time and direction of the last transition: an earlier one
    that is found again in what the spool holds or the broker delivers again changes nothing. From a condition's first
    new transition on it is the rules that admit no reading twice; what they say then counts at whatever time, for a
    reading that comes late may show that a condition left before the instant at which waiting alone made it enter.
    """

    def __init__(
        self,
        site: Site,
        grading: GradingTable,
        journal: Journal,
        alarms: Iterable[Alarm] = (),
        incidents: Iterable[Incident] = (),
        settled: Mapping[str, tuple[int, bool]] | None = None,
        overlaid: Overlaid | None = None,
        limits: AlarmLimits | None = None,
    ) -> None:
        self.journal = journal
        self.limits = limits = limits or AlarmLimits()
        overlaid = overlaid or Overlaid()
        self._settled = dict(settled or {})
        self.casebook = Incidents(site, grading, journal, incidents)
        self._roll = roll = Roll(journal, self.casebook)
        self._timers: Timers = Timers()
        self._relations = relations = Relations(site)
        self.overlay = Overlay(relations, roll, overlaid.shelves, overlaid.windows)
        self.shelving = Shelving(self.overlay, roll, self._timers, limits)
        self.maintenance = Maintenance(self.overlay, roll, self._timers, limits)
        self.sound = Sound(roll, self._timers, limits, overlaid.silences)
        self._causes = Causes(relations, roll, self._timers, limits.cause_grace)
        self._conditions = Conditions(
            relations=relations,
            grading=grading,
            limits=limits,
            roll=roll,
            overlay=self.overlay,
            shelving=self.shelving,
            causes=self._causes,
            chattering=Chattering(limits.chattering_transitions, limits.chattering_within, overlaid.toggles),
            timers=self._timers,
        )
        roll.load(alarms)
        self._conditions.load()
        self._causes.load()

    @property
    def site(self) -> Site:
        """What is watched."""
        return self._relations.site

    @property
    def active(self) -> Mapping[int, Alarm]:
        """Alarms that are not normal, by id; those that are suppressed among them."""
        return self._roll.by_id

    @property
    def incidents(self) -> Mapping[int, Incident]:
        """Incidents that are open, by id."""
        return self.casebook.open

    def find(self, path: str) -> Alarm | None:
        """The alarm of a condition, unless it is normal."""
        return self._roll.by_path.get(path)

    # ---- conditions

    def apply(self, transitions: Sequence[Transition], now: int, change: Change) -> None:
        """Carry transitions through the life cycle, in their order."""
        by_path, conditions = self._roll.by_path, self._conditions
        for transition in transitions:
            facts = self._relations.of_row(transition.rule)
            if transition.retrospective:
                self._note_retrospective(transition, facts, now, change)
                continue
            path = facts.path if transition.drill is None else drill_prefix(transition.drill) + facts.path
            if self._settled and self._is_repeated(transition, facts, path):
                continue
            known = by_path.get(path)
            if transition.entered:
                alarm = conditions.enter(transition, facts, path, known, now, change)
            else:
                alarm = conditions.leave(transition, path, known, now, change)
            if alarm is not None:
                self._settled.pop(path, None)
        self._roll.settle(now, change)

    def advance(self, now: int, change: Change) -> None:
        """Let time pass."""
        self._causes.begin(now)
        self.sound.look_at_clock(now, change)
        self.maintenance.retry(now, change)
        instant = None
        for at, key in self._timers.take_due(now):
            if at != instant:
                self._roll.settle(now, change)
                instant = at
            self._come_due(*key, now, change)
        self._roll.settle(now, change)
        self.casebook.advance(now, change)
        self._roll.settle(now, change)

    def begin_anew(self, tags: Iterable[int]) -> None:
        """Take the next transitions of these tags for new ones, whatever their source times."""
        paths = [self.site.rule_path(row) for row in self.site.rules.looking_at(tags)]
        for path in paths:
            self._settled.pop(path, None)
        self._conditions.chattering.forget(paths)

    def withdraw_unknown(self, now: int, change: Change) -> None:
        """End alarms whose tag or rule the site no longer has, or has as one of another kind; the journal says why.

        For a start, perhaps by another site file: what is left stays suppressed by nothing, and follows from nothing,
        that is no more.
        """
        self._withdraw_unknown(now, change)
        for alarm in list(self._roll.by_id.values()):
            if alarm.cause is not None:
                self._causes.renew(alarm, now, change)
            self.overlay.renew(alarm, now, change)
        self._roll.settle(now, change)

    def withdraw_drill(self, drill: int, now: int, change: Change) -> None:
        """End all alarms of a drill: it is over."""
        self.shelving.end_drill(drill, now, change)
        for alarm in [alarm for alarm in self._roll.by_id.values() if alarm.drill == drill]:
            self._conditions.withdraw(alarm, "the drill is over", now, change)
        self._roll.settle(now, change)

    def reconfigure(self, site: Site, grading: GradingTable, now: int, change: Change) -> None:
        """Watch another site from now on, mostly the same: what did not change loses nothing."""
        relations = Relations(site)
        self._relations = relations
        self.overlay.relations = self._causes.relations = self._conditions.relations = relations
        self._conditions.grading = grading
        self.casebook.reconfigure(site, grading, now, change)
        self._withdraw_unknown(now, change)
        for alarm in list(self._roll.by_id.values()):
            self._causes.renew(alarm, now, change)
            self.overlay.renew(alarm, now, change)
            self._conditions.schedule(alarm)
        self._roll.settle(now, change)

    def note(self, now: int, kind: str, data: Mapping[str, object], change: Change) -> None:
        """Journal something that the service itself did."""
        change.entries.append(self.journal.append(now, kind, SERVICE, data))

    def _withdraw_unknown(self, now: int, change: Change) -> None:
        for alarm in list(self._roll.by_id.values()):
            kind = self._relations.kind_of(alarm.rule_path)
            if kind is None:
                self._conditions.withdraw(alarm, "tag or rule removed from the site file", now, change)
            elif kind is not alarm.kind:
                self._conditions.withdraw(alarm, "rule replaced by one of another kind", now, change)
        self.shelving.end_unknown(now, change)
        self.maintenance.end_unknown(now, change)

    def _come_due(self, kind: str, number: int, path: str, now: int, change: Change) -> None:
        if kind == SHELF:
            self.shelving.expire(path, now, change)
        elif kind == CAUSE:
            self._causes.come_due(path, now, change)
        elif kind == WINDOW:
            self._roll.settle(now, change)  # it depends on what is red
            self.maintenance.come_due(number, now, change)
        elif kind == SILENCE:
            self.sound.expire(number, now, change)
        else:
            self._conditions.come_due(kind, number, now, change)

    def _is_repeated(self, transition: Transition, facts: RuleFacts, path: str) -> bool:
        settled = self._settled.get(path)
        if settled is None or facts.rule.kind in _TIMELESS:
            return False
        return transition.source_time < settled[0] or (transition.source_time, transition.entered) == settled

    def _note_retrospective(self, transition: Transition, facts: RuleFacts, now: int, change: Change) -> None:
        data = {
            "condition": transition.entered,
            "value": number(transition.value),
            "setpoint": facts.rule.setpoint,
            "source_time": transition.source_time,
            "received_time": transition.received_time,
            "rule_version": facts.rule.version,
        }
        entry = self.journal.append(
            now,
            RETROSPECTIVE,
            SERVICE,
            data,
            region=facts.region,
            enterprise=facts.tag.enterprise,
            unit=facts.tag.unit,
            tag=facts.tag.name,
            rule=facts.rule.key,
        )
        change.entries.append(entry)

    # ---- people's acts

    def acknowledge(self, identity: int, actor: str, name: str, comment: str, now: int, change: Change) -> Alarm:
        """Acknowledge an alarm. Raises NotFound (not in the register), Conflict (nothing to acknowledge)."""
        alarm = self._acknowledge(identity, actor, name, comment, now, change)
        self._roll.settle(now, change)
        return alarm

    def acknowledge_all(
        self, identities: Iterable[int], actor: str, name: str, comment: str, now: int, change: Change
    ) -> list[Acknowledged]:
        """Acknowledge a selection of alarms, each by itself: what cannot be done keeps back none of the others."""
        results = []
        for identity in dict.fromkeys(identities):
            try:
                alarm = self._acknowledge(identity, actor, name, comment, now, change)
            except (NotFound, Conflict) as refusal:
                results.append(Acknowledged(identity, None, str(refusal)))
            else:
                results.append(Acknowledged(identity, alarm, None))
        self._roll.settle(now, change)
        return results

    def reset(self, identity: int, actor: str, name: str, comment: str, now: int, change: Change) -> Alarm:
        """Reset a latched alarm. Raises NotFound, Conflict (not latched, or its condition is still in)."""
        alarm = self._roll.get(identity)
        state = step(alarm.state, AlarmEvent.RESET)
        if state is None:
            raise Conflict(f"alarm {identity} is not latched: only a latched alarm whose condition has left is reset")
        alarm.state = state
        self._note_act(alarm, "alarm.reset", actor, name, comment, now, change)
        self._roll.settle(now, change)
        return alarm

    def comment(self, alarm: Alarm, actor: str, name: str, comment: str, now: int, change: Change) -> Alarm:
        """Say something of an alarm, which may be over by now: ``alarm`` as the ledger has it then."""
        alarm = self._roll.by_id.get(alarm.id, alarm)
        alarm.comment = comment
        self._note_act(alarm, "alarm.commented", actor, name, comment, now, change)
        self._roll.settle(now, change)
        return alarm

    def _acknowledge(self, identity: int, actor: str, name: str, comment: str, now: int, change: Change) -> Alarm:
        alarm = self._roll.get(identity)
        state = step(alarm.state, AlarmEvent.ACKNOWLEDGE)
        if state is None:
            raise Conflict(f"alarm {identity} is acknowledged already, by {alarm.acknowledged_by}")
        alarm.state = state
        alarm.acknowledged_at, alarm.acknowledged_by, alarm.comment = now, name, comment
        self._note_act(alarm, "alarm.acknowledged", actor, name, comment, now, change)
        if alarm.state is AlarmState.ACKNOWLEDGED:
            self._conditions.acknowledged(alarm)
        return alarm

    def _note_act(self, alarm: Alarm, kind: str, actor: str, name: str, comment: str, now: int, change: Change) -> None:
        data = {"name": name, "comment": comment, "state": alarm.state.value}
        self._roll.record(alarm, kind, actor, data, now, change)
