"""How conditions enter and leave: the life cycle of their alarms, with what damps, marks and overlays them."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from alerting.alarms.causes import Causes
from alerting.alarms.chattering import Chattering
from alerting.alarms.lifecycle import AlarmEvent, step
from alerting.alarms.limits import AlarmLimits
from alerting.alarms.relations import FAULTS, Relations, RuleFacts
from alerting.alarms.roll import Roll
from alerting.alarms.shelving import Shelving
from alerting.alarms.suppression import Overlay, suppression_data
from alerting.alarms.timers import Timers
from alerting.incidents.grading import HIGHEST_EARLY_WARNING, GradingTable
from alerting.records import SERVICE, Alarm, Change, drill_prefix
from domain.scales import AlarmState, Grade, RuleKind
from domain.site import Site
from domain.transitions import Transition

CALM, STALE, RE_ALARM = "calm", "stale", "re-alarm"
"""Kinds of timers, by alarm: chattering or damping ends; it has been in for long; it sounds again."""
SHARES_NAMED, SHARES_DESCRIBED = 8, 3
"""So many tags are named with their shares in a statistic: in the journal, in an alarm's description [ours]."""
_NO_SETPOINT = frozenset({RuleKind.STALE, RuleKind.BAD, RuleKind.SYSTEM, RuleKind.EXPRESSION})


@dataclass(slots=True)
class Conditions:
    """What happens to the alarm of a condition."""

    relations: Relations
    grading: GradingTable
    limits: AlarmLimits
    roll: Roll
    overlay: Overlay
    shelving: Shelving
    causes: Causes
    chattering: Chattering
    timers: Timers

    def load(self) -> None:
        """Set the timers of what the ledger held."""
        self.roll.on_normal = self._forget
        for alarm in self.roll.by_id.values():
            self.schedule(alarm)

    def schedule(self, alarm: Alarm) -> None:
        """Set an alarm's timers."""
        if alarm.condition and not alarm.stale:
            self.timers.set((STALE, alarm.id, ""), alarm.received_at + self.limits.stale_after + 1)
        if alarm.calm_at is not None:
            self.timers.set((CALM, alarm.id, ""), alarm.calm_at)
        after = self.relations.re_alarm_of(alarm.rule_path)
        if after and alarm.state is AlarmState.ACKNOWLEDGED and alarm.acknowledged_at is not None:
            self.timers.set((RE_ALARM, alarm.id, ""), alarm.acknowledged_at + after)
        else:
            self.timers.cancel((RE_ALARM, alarm.id, ""))

    def enter(
        self, transition: Transition, facts: RuleFacts, path: str, known: Alarm | None, now: int, change: Change
    ) -> Alarm | None:
        """A condition enters. None: it is in already."""
        if known is not None and known.rule_is_in:
            return None
        chatters = self.chattering.toggles(path, transition.source_time)
        if facts.rule.grade is Grade.RED:
            self.shelving.end_red(path, now, change)
        if known is not None and known.condition:
            return self._stay(known, transition, now, change)
        alarm = self._make(facts, transition, known)
        alarm.cause = self.causes.of(alarm)
        self.overlay.lay(alarm, self.overlay.over(alarm))
        if known is None:
            alarm.id = self._next_id(alarm)
        elif known.unit_key != alarm.unit_key:
            self.roll.leave_unit(known, now, change)
            alarm.incident = None
        alarm.first_out = self.roll.first_out.comes_up(alarm)
        if alarm.suppression is None:
            self.roll.join(alarm, now, change)
        data = transition_data(alarm, transition, self.relations.site)
        data["first_out"], data["cause"], data["suppression"] = alarm.first_out, alarm.cause, None
        if alarm.suppression is not None:
            data |= suppression_data(alarm)
        self.roll.record(alarm, "alarm.entered", SERVICE, data, now, change)
        if chatters or alarm.chattering:
            self._chatter(alarm, now, change)
        self.timers.set((STALE, alarm.id, ""), alarm.received_at + self.limits.stale_after + 1)
        self._changed(alarm, now, change)
        return alarm

    def leave(self, transition: Transition, path: str, known: Alarm | None, now: int, change: Change) -> Alarm | None:
        """A condition leaves. None: it is out already."""
        if known is None or not known.rule_is_in:
            return None
        if self.chattering.toggles(path, transition.source_time) or known.chattering:
            self._chatter(known, now, change)
        known.transition_at = transition.source_time
        if known.chattering and known.grade < Grade.ORANGE:
            known.returning_at = known.calm_at
            data = transition_data(known, transition, self.relations.site) | {
                "condition": False,
                "until": known.returning_at,
            }
            self.roll.record(known, "alarm.damped", SERVICE, data, now, change)
        else:
            self._go_out(known, transition_data(known, transition, self.relations.site), now, change)
        return known

    def withdraw(self, alarm: Alarm, reason: str, now: int, change: Change) -> None:
        """End an alarm whose condition is not watched any more."""
        was_in = alarm.condition
        alarm.state, alarm.condition, alarm.returned_at = AlarmState.NORMAL, False, now
        alarm.returning_at = alarm.calm_at = None
        alarm.chattering = alarm.stale = False
        data = {"reason": reason, "state": alarm.state.value}
        self.roll.record(alarm, "alarm.withdrawn", SERVICE, data, now, change)
        if was_in:
            self._changed(alarm, now, change)

    def acknowledged(self, alarm: Alarm) -> None:
        """An alarm was acknowledged: it may sound again."""
        if after := self.relations.re_alarm_of(alarm.rule_path):
            self.timers.set((RE_ALARM, alarm.id, ""), (alarm.acknowledged_at or 0) + after)

    def come_due(self, kind: str, identity: int, now: int, change: Change) -> None:
        """A timer of an alarm has run out; it may be that nothing is to do."""
        alarm = self.roll.by_id.get(identity)
        if alarm is None:
            return
        if kind == CALM and alarm.calm_at is not None:
            self._calm(alarm, now, change)
        elif kind == STALE and alarm.condition and not alarm.stale:
            alarm.stale = True
            data = {"state": alarm.state.value, "since": alarm.received_at}
            self.roll.record(alarm, "alarm.stale", SERVICE, data, now, change)
        elif kind == RE_ALARM and alarm.suppression is None:
            state = step(alarm.state, AlarmEvent.RE_ALARM)
            if state is not None:
                after = self.relations.re_alarm_of(alarm.rule_path)
                data = {"state": state.value, "after": after, "was": alarm.acknowledged_by or ""}
                alarm.state = state
                alarm.acknowledged_at = alarm.acknowledged_by = None
                self.roll.record(alarm, "alarm.realarmed", SERVICE, data, now, change)

    def _make(self, facts: RuleFacts, transition: Transition, known: Alarm | None) -> Alarm:
        """The alarm that a condition makes on entering, by the rule as it is today."""
        rule, tag = facts.rule, facts.tag
        grade = max(self.grading.alarm.of(rule.level), rule.grade or Grade.BLUE)
        if rule.kind.is_early_warning:
            grade = min(grade, HIGHEST_EARLY_WARNING)
        return Alarm(
            id=known.id if known else 0,
            region=known.region if known else facts.region,
            enterprise=tag.enterprise,
            unit=known.unit if known else tag.unit,
            tag=tag.name,
            rule=rule.key,
            kind=rule.kind,
            level=rule.level,
            grade=grade,
            state=AlarmState.UNACKNOWLEDGED,
            condition=True,
            latching=rule.latching,
            value=number(transition.value),
            setpoint=None if rule.kind in _NO_SETPOINT else rule.setpoint,
            engineering_unit=tag.engineering_unit,
            description=described(tag.description, transition, self.relations.site),
            gas=tag.gas,
            rule_version=rule.version,
            entered_at=transition.source_time,
            received_at=transition.received_time,
            transition_at=transition.source_time,
            activations=known.activations + 1 if known else 1,
            incident=known.incident if known else None,
            first_out=known.first_out if known else False,
            chattering=known.chattering if known else False,
            calm_at=known.calm_at if known else None,
            drill=transition.drill,
        )

    def _next_id(self, alarm: Alarm) -> int:
        """Number of the journal entry that will raise it."""
        if alarm.suppression is not None:
            return self.roll.journal.sequence + 1
        return self.roll.casebook.next_alarm(alarm.unit_key)

    def _stay(self, alarm: Alarm, transition: Transition, now: int, change: Change) -> Alarm:
        """A condition enters whose return was only damped: its alarm has been in all the while."""
        alarm.returning_at = None
        alarm.transition_at = transition.source_time
        alarm.value = number(transition.value)
        self._chatter(alarm, now, change)
        data = transition_data(alarm, transition, self.relations.site) | {"condition": True, "until": None}
        self.roll.record(alarm, "alarm.damped", SERVICE, data, now, change)
        return alarm

    def _chatter(self, alarm: Alarm, now: int, change: Change) -> None:
        """A condition toggles that chatters."""
        alarm.calm_at = now + self.limits.damping
        self.timers.set((CALM, alarm.id, ""), alarm.calm_at)
        if not alarm.chattering:
            alarm.chattering = True
            data = {"state": alarm.state.value, "damped": alarm.grade < Grade.ORANGE}
            self.roll.record(alarm, "alarm.chattering", SERVICE, data, now, change)
            self._renew_suppressed(alarm, now, change)

    def _calm(self, alarm: Alarm, now: int, change: Change) -> None:
        alarm.chattering, alarm.calm_at = False, None
        self.roll.record(alarm, "alarm.calm", SERVICE, {"state": alarm.state.value}, now, change)
        if alarm.returning_at is not None:
            data: dict[str, object] = {
                "value": alarm.value,
                "setpoint": alarm.setpoint,
                "engineering_unit": alarm.engineering_unit,
                "source_time": alarm.transition_at,
                "rule_version": alarm.rule_version,
                "damped": True,
            }
            self._go_out(alarm, data, now, change)
        else:
            self._renew_suppressed(alarm, now, change)

    def _go_out(self, alarm: Alarm, data: dict[str, object], now: int, change: Change) -> None:
        self.roll.before_less(alarm, now, change)
        if alarm.latching:
            event = AlarmEvent.LEAVES_LATCHING
        else:
            event = AlarmEvent.LEAVES if alarm.suppression is None else AlarmEvent.LEAVES_SUPPRESSED
        alarm.state = step(alarm.state, event) or alarm.state
        alarm.condition, alarm.stale = False, False
        alarm.returning_at = None
        alarm.returned_at = alarm.transition_at
        self.roll.record(alarm, "alarm.returned", SERVICE, data | {"state": alarm.state.value}, now, change)
        self._changed(alarm, now, change)

    def _changed(self, alarm: Alarm, now: int, change: Change) -> None:
        """A condition has entered or left: what it suppresses by design, and what follows from it."""
        self._renew_suppressed(alarm, now, change)
        self.causes.changed(alarm, now, change)

    def _renew_suppressed(self, alarm: Alarm, now: int, change: Change) -> None:
        """What a condition suppresses by design, and what leans on the readings of its tag if it is a fault of it."""
        suppressed = list(self.relations.suppressed_by(alarm.rule_path))
        if alarm.rule in FAULTS:
            suppressed += self.relations.leaning_on(f"{alarm.enterprise}/{alarm.tag}")
        if suppressed:
            self.overlay.renew_all(self._of(drill_prefix(alarm.drill), suppressed), now, change)

    def _of(self, prefix: str, paths: Iterable[str]) -> list[Alarm]:
        found = (self.roll.by_path.get(prefix + path) for path in paths)
        return [alarm for alarm in found if alarm is not None]

    def _forget(self, alarm: Alarm) -> None:
        """An alarm is normal: its timers mean nothing any more."""
        for kind in (CALM, STALE, RE_ALARM):
            self.timers.cancel((kind, alarm.id, ""))


def number(value: float) -> float | None:
    """A value as records have it: None where it is no number."""
    return value if math.isfinite(value) else None


def transition_data(alarm: Alarm, transition: Transition, site: Site) -> dict[str, object]:
    """What the journal says of a transition."""
    data: dict[str, object] = {
        "state": alarm.state.value,
        "level": alarm.level.value,
        "grade": alarm.grade.label,
        "value": number(transition.value),
        "setpoint": alarm.setpoint,
        "engineering_unit": alarm.engineering_unit,
        "source_time": transition.source_time,
        "received_time": transition.received_time,
        "rule_version": alarm.rule_version,
    }
    if transition.inputs:
        data["inputs"] = {site.tags[tag].name: number(value) for tag, value in transition.inputs}
    if transition.shares:
        data["contributions"] = contributions(transition, site)
    return data


def contributions(transition: Transition, site: Site) -> list[dict[str, object]]:
    """The tags that have the greatest shares in a statistic, the greatest first, with share (0 to 1) and value."""
    found = zip(transition.inputs[:SHARES_NAMED], transition.shares, strict=False)
    return [
        {"tag": site.tags[tag].name, "share": round(share, 4), "value": number(value)}
        for (tag, value), share in found
        if share > 0
    ]


def described(description: str, transition: Transition, site: Site) -> str:
    """The description of an alarm: of a statistic with the tags that have the greatest shares in it."""
    named = [f"{each['tag']} {each['share']:.0%}" for each in contributions(transition, site)[:SHARES_DESCRIBED]]
    return f"{description}：{'、'.join(named)}" if named else description
