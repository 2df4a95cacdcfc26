"""The register: every alarm that is not normal, in memory, as the ledger will have it; and the incidents.

All acts on it go through here one at a time; each fills a ``Change`` that is committed before the next begins and
before anybody is told. Nothing here reads across enterprises.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace

from alerting.grading import GradingTable
from alerting.incidents import Incidents, UnitKey
from alerting.journal import RETROSPECTIVE, Journal
from alerting.lifecycle import AlarmEvent, step
from alerting.records import SERVICE, Alarm, Change, Entry, Incident
from alerting.refusals import Conflict, NotFound
from domain.scales import AlarmState, Grade, RuleKind
from domain.site import Site
from domain.transitions import Transition


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
    ) -> None:
        self._site = site
        self._grading = grading
        self.journal = journal
        self._settled = dict(settled or {})
        self._by_path: dict[str, Alarm] = {}
        self._by_id: dict[int, Alarm] = {}
        self.casebook = Incidents(site, grading, journal, incidents)
        for alarm in alarms:
            self._keep(alarm)

    @property
    def active(self) -> Mapping[int, Alarm]:
        """Alarms that are not normal, by id."""
        return self._by_id

    @property
    def incidents(self) -> Mapping[int, Incident]:
        """Incidents that are open, by id."""
        return self.casebook.open

    def find(self, path: str) -> Alarm | None:
        """The alarm of a condition, unless it is normal."""
        return self._by_path.get(path)

    # ---- conditions

    def apply(self, transitions: Iterable[Transition], now: int, change: Change) -> None:
        """Carry transitions through the life cycle, in their order."""
        touched: dict[UnitKey, None] = {}
        risen: set[UnitKey] = set()
        for transition in transitions:
            if transition.retrospective:
                self._note_retrospective(transition, now, change)
                continue
            path = self._site.rule_path(transition.rule)
            if self._is_repeated(transition, path):
                continue
            if transition.entered:
                alarm = self._enter(transition, path, now, change)
            else:
                known = self._by_path.get(path)
                if known is not None and known.unit_key in risen:
                    risen.remove(known.unit_key)
                    self.casebook.grade_before_leaving(known.unit_key, now, change)
                alarm = self._leave(transition, path, now, change)
            if alarm is not None:
                self._settled.pop(path, None)
                touched[alarm.unit_key] = None
                if transition.entered:
                    risen.add(alarm.unit_key)
        for key in touched:
            self.casebook.regrade(key, now, change)

    def advance(self, now: int, change: Change) -> None:
        """Let time pass."""
        self.casebook.advance(now, change)

    def begin_anew(self, tags: Iterable[int]) -> None:
        """Take the next transitions of these tags for new ones, whatever their source times."""
        for tag in tags:
            for row in self._site.rules.of_tag(tag):
                self._settled.pop(self._site.rule_path(row), None)

    def withdraw_unknown(self, now: int, change: Change) -> None:
        """End alarms whose tag or rule the site file no longer has; the journal says why."""
        for path, alarm in list(self._by_path.items()):
            try:
                self._site.rule_row(path)
            except KeyError:
                alarm.state, alarm.condition, alarm.returned_at = AlarmState.NORMAL, False, now
                data = {"reason": "tag or rule removed from the site file"}
                self._record(alarm, self._entry(alarm, "alarm.withdrawn", SERVICE, data, now), change)
                self.casebook.regrade(alarm.unit_key, now, change)

    def note(self, now: int, kind: str, data: Mapping[str, object], change: Change) -> None:
        """Journal something that the service itself did."""
        change.entries.append(self.journal.append(now, kind, SERVICE, data))

    def _is_repeated(self, transition: Transition, path: str) -> bool:
        kind = self._site.rules.kind[transition.rule]
        if kind in {RuleKind.STALE, RuleKind.SYSTEM}:
            return False
        settled = self._settled.get(path)
        return settled is not None and (
            transition.source_time < settled[0] or (transition.source_time, transition.entered) == settled
        )

    def _enter(self, transition: Transition, path: str, now: int, change: Change) -> Alarm | None:
        known = self._by_path.get(path)
        if known is None:
            alarm = self._raise(transition, now, change)
        else:
            if step(known.state, AlarmEvent.ENTERS) is None:
                return None
            # By the rule as it is today: the site file may have changed since the alarm was raised.
            alarm = replace(
                self._make(known.id, transition),
                region=known.region,
                unit=known.unit,
                activations=known.activations + 1,
                incident=known.incident,
            )
        self._record(
            alarm, self._entry(alarm, "alarm.entered", SERVICE, _transition_data(alarm, transition), now), change
        )
        return alarm

    def _raise(self, transition: Transition, now: int, change: Change) -> Alarm:
        tag = self._site.tags[int(self._site.rules.tag[transition.rule])]
        alarm = self._make(self.casebook.next_alarm((tag.enterprise, tag.unit)), transition)
        self.casebook.join(alarm, now, change)
        return alarm

    def _make(self, identity: int, transition: Transition) -> Alarm:
        """The alarm that a condition makes on entering."""
        rule = self._site.rules.row(transition.rule)
        tag = self._site.tags[rule.tag]
        return Alarm(
            id=identity,
            region=self._site.region_of(tag.enterprise),
            enterprise=tag.enterprise,
            unit=tag.unit,
            tag=tag.name,
            rule=rule.key,
            kind=rule.kind,
            level=rule.level,
            grade=max(self._grading.alarm.of(rule.level), rule.grade or Grade.BLUE),
            state=AlarmState.UNACKNOWLEDGED,
            condition=True,
            latching=rule.latching,
            value=_number(transition.value),
            setpoint=rule.setpoint if rule.kind <= RuleKind.FALL else None,
            engineering_unit=tag.engineering_unit,
            description=tag.description,
            gas=tag.gas,
            rule_version=rule.version,
            entered_at=transition.source_time,
            received_at=transition.received_time,
            transition_at=transition.source_time,
        )

    def _leave(self, transition: Transition, path: str, now: int, change: Change) -> Alarm | None:
        alarm = self._by_path.get(path)
        if alarm is None:
            return None
        state = step(alarm.state, AlarmEvent.LEAVES_LATCHING if alarm.latching else AlarmEvent.LEAVES)
        if state is None:
            return None
        alarm.state = state
        alarm.condition = False
        alarm.returned_at = alarm.transition_at = transition.source_time
        entry = self._entry(alarm, "alarm.returned", SERVICE, _transition_data(alarm, transition), now)
        self._record(alarm, entry, change)
        return alarm

    def _note_retrospective(self, transition: Transition, now: int, change: Change) -> None:
        rule = self._site.rules.row(transition.rule)
        tag = self._site.tags[rule.tag]
        data = {
            "condition": transition.entered,
            "value": _number(transition.value),
            "setpoint": rule.setpoint,
            "source_time": transition.source_time,
            "received_time": transition.received_time,
            "rule_version": rule.version,
        }
        entry = self.journal.append(
            now,
            RETROSPECTIVE,
            SERVICE,
            data,
            region=self._site.region_of(tag.enterprise),
            enterprise=tag.enterprise,
            unit=tag.unit,
            tag=tag.name,
            rule=rule.key,
        )
        change.entries.append(entry)

    # ---- people's acts

    def acknowledge(self, identity: int, actor: str, name: str, comment: str, now: int, change: Change) -> Alarm:
        """Acknowledge an alarm. Raises NotFound (not in the register), Conflict (nothing to acknowledge)."""
        alarm = self._by_id.get(identity)
        if alarm is None:
            raise NotFound(f"alarm {identity} is not active")
        state = step(alarm.state, AlarmEvent.ACKNOWLEDGE)
        if state is None:
            raise Conflict(f"alarm {identity} is acknowledged already, by {alarm.acknowledged_by}")
        alarm.state = state
        alarm.acknowledged_at, alarm.acknowledged_by, alarm.comment = now, name, comment
        return self._act(alarm, "alarm.acknowledged", actor, name, comment, now, change)

    def reset(self, identity: int, actor: str, name: str, comment: str, now: int, change: Change) -> Alarm:
        """Reset a latched alarm. Raises NotFound, Conflict (not latched, or its condition is still in)."""
        alarm = self._by_id.get(identity)
        if alarm is None:
            raise NotFound(f"alarm {identity} is not active")
        state = step(alarm.state, AlarmEvent.RESET)
        if state is None:
            raise Conflict(f"alarm {identity} is not latched: only a latched alarm whose condition has left is reset")
        alarm.state = state
        return self._act(alarm, "alarm.reset", actor, name, comment, now, change)

    def _act(self, alarm: Alarm, kind: str, actor: str, name: str, comment: str, now: int, change: Change) -> Alarm:
        data = {"name": name, "comment": comment, "state": alarm.state.value}
        self._record(alarm, self._entry(alarm, kind, actor, data, now), change)
        self.casebook.regrade(alarm.unit_key, now, change)
        return alarm

    # ---- bookkeeping

    def _entry(self, alarm: Alarm, kind: str, actor: str, data: Mapping[str, object], now: int) -> Entry:
        return self.journal.append(
            now,
            kind,
            actor,
            data,
            region=alarm.region,
            enterprise=alarm.enterprise,
            unit=alarm.unit,
            tag=alarm.tag,
            rule=alarm.rule,
            alarm=alarm.id,
            incident=alarm.incident,
        )

    def _record(self, alarm: Alarm, entry: Entry, change: Change) -> None:
        """Put an alarm and what happened to it into the change, and keep or drop it."""
        alarm.sequence = entry.sequence
        change.entries.append(entry)
        change.alarms[alarm.id] = alarm
        self.casebook.touch(alarm, entry.sequence)
        self._keep(alarm)

    def _keep(self, alarm: Alarm) -> None:
        if alarm.state is AlarmState.NORMAL:
            self._by_id.pop(alarm.id, None)
            self._by_path.pop(alarm.path, None)
        else:
            self._by_path[alarm.path] = alarm
            self._by_id[alarm.id] = alarm
        self.casebook.keep(alarm)


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _transition_data(alarm: Alarm, transition: Transition) -> dict[str, object]:
    return {
        "state": alarm.state.value,
        "level": alarm.level.value,
        "grade": alarm.grade.label,
        "value": _number(transition.value),
        "setpoint": alarm.setpoint,
        "engineering_unit": alarm.engineering_unit,
        "source_time": transition.source_time,
        "received_time": transition.received_time,
        "rule_version": alarm.rule_version,
    }
