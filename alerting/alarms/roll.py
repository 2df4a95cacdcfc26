"""The alarms that are not normal, in memory, as the ledger will have them; and how an act on one is written down."""

from collections.abc import Callable, Collection, Iterable, Mapping

from alerting.alarms.first_out import FirstOut
from alerting.incidents.casebook import UnitKey
from alerting.incidents.incidents import Incidents
from alerting.journal.journal import Journal
from alerting.records import SERVICE, Alarm, Change, Entry, Incident
from alerting.refusals import NotFound
from domain.scales import AlarmState, Grade, RuleKind

_MORE = frozenset({"alarm.entered", "alarm.annunciated", "alarm.grouped"})
"""Kinds of entries after which more may count."""

OnRed = Callable[[Incident, int, Change], None]


class Roll:
    """Alarms by id and by path, with the incidents that they belong to.

    ``record`` puts an alarm and what happened to it into a change. Whoever has recorded something calls ``settle`` in
    the end, which gives the units concerned their grades.
    """

    def __init__(self, journal: Journal, casebook: Incidents) -> None:
        self.journal = journal
        self.casebook = casebook
        self.by_path: dict[str, Alarm] = {}
        self.by_id: dict[int, Alarm] = {}
        self.first_out = FirstOut()
        self.silent: dict[str, dict[int, Alarm]] = {}
        """Enterprise -> its STALE alarms."""
        self.on_red: list[tuple[Collection[object], OnRed]] = []
        """Told of each incident that is red after a change, each as long as there is something in its collection."""
        self.on_normal: Callable[[Alarm], None] | None = None
        """Told of each alarm that is over."""
        self._touched: dict[UnitKey, None] = {}
        self._more: set[UnitKey] = set()
        """Units in which more has come to count since they were graded."""

    def load(self, alarms: Iterable[Alarm]) -> None:
        """Take what the ledger holds."""
        for alarm in alarms:
            self._keep(alarm)

    def get(self, identity: int) -> Alarm:
        """An alarm that is not normal. Raises NotFound."""
        alarm = self.by_id.get(identity)
        if alarm is None:
            raise NotFound(f"alarm {identity} is not active")
        return alarm

    def is_in(self, path: str) -> bool:
        """Whether a condition is in."""
        alarm = self.by_path.get(path)
        return alarm is not None and alarm.condition

    def record(
        self, alarm: Alarm, kind: str, actor: str, data: Mapping[str, object], now: int, change: Change
    ) -> Entry:
        """Journal something about an alarm, put it into the change, and keep or drop it."""
        entry = self.journal.append(
            now,
            kind,
            actor,
            data if alarm.drill is None else {**data, "drill": alarm.drill},
            region=alarm.region,
            enterprise=alarm.enterprise,
            unit=alarm.unit,
            tag=alarm.tag,
            rule=alarm.rule,
            alarm=alarm.id,
            incident=alarm.incident,
        )
        alarm.sequence = entry.sequence
        change.entries.append(entry)
        change.alarms[alarm.id] = alarm
        self.casebook.touch(alarm, entry.sequence)
        self._keep(alarm)
        key = alarm.unit_key
        self._touched[key] = None
        if kind in _MORE and alarm.counts:
            self._more.add(key)
        return entry

    def before_less(self, alarm: Alarm, now: int, change: Change) -> None:
        """An alarm is about to count no more: its unit gets the grade that it has with it, however short that was."""
        key = alarm.unit_key
        if key in self._more:
            self._more.remove(key)
            self.casebook.grade_before_leaving(key, now, change)

    def regroup(self, alarm: Alarm, cause: str | None, now: int, change: Change) -> None:
        """Say what an alarm follows from; it may belong to another incident then."""
        before = alarm.unit_key
        after = self._unit_after(alarm, cause)
        if after != before:
            self.leave_unit(alarm, now, change)
        alarm.cause = cause
        if after != before:
            alarm.incident = None
            if alarm.is_annunciated:
                self.casebook.join(alarm, now, change)
        self.record(alarm, "alarm.grouped", SERVICE, {"cause": cause, "state": alarm.state.value}, now, change)

    def leave_unit(self, alarm: Alarm, now: int, change: Change) -> None:
        """An alarm is about to belong to another unit's incident."""
        self.before_less(alarm, now, change)
        self.casebook.drop(alarm)
        self._touched[alarm.unit_key] = None

    def join(self, alarm: Alarm, now: int, change: Change) -> None:
        """See that an alarm which is annunciated belongs to an open incident."""
        if alarm.incident is None or alarm.incident not in self.casebook.open:
            self.casebook.join(alarm, now, change)

    def settle(self, now: int, change: Change) -> None:
        """Decide who is first-out, and grade the units that were touched; what red puts an end to may touch others."""
        while True:
            self._mark_first(now, change)
            touched, self._touched = self._touched, {}
            self._more.clear()
            for key in touched:
                self.casebook.regrade(key, now, change)
            watching = [tell for watched, tell in self.on_red if watched]
            for incident in list(change.incidents.values()) if watching else ():
                if incident.grade is Grade.RED and incident.closed_at is None:
                    for tell in watching:
                        tell(incident, now, change)
            if not self._touched:
                return

    def _mark_first(self, now: int, change: Change) -> None:
        for identity, is_first in list(self.first_out.decide()):
            alarm = self.by_id.get(identity)
            if alarm is not None and alarm.first_out is not is_first:
                alarm.first_out = is_first
                data = {"first_out": is_first, "state": alarm.state.value}
                self.record(alarm, "alarm.first_out", SERVICE, data, now, change)

    def _unit_after(self, alarm: Alarm, cause: str | None) -> UnitKey:
        known, alarm.cause = alarm.cause, cause
        key = alarm.unit_key
        alarm.cause = known
        return key

    def _keep(self, alarm: Alarm) -> None:
        if alarm.state is AlarmState.NORMAL:
            self.by_id.pop(alarm.id, None)
            self.by_path.pop(alarm.path, None)
            if self.on_normal is not None:
                self.on_normal(alarm)
        else:
            self.by_path[alarm.path] = alarm
            self.by_id[alarm.id] = alarm
        if alarm.kind is RuleKind.STALE:
            silent = self.silent.setdefault(alarm.enterprise, {})
            if alarm.condition and alarm.state is not AlarmState.NORMAL:
                silent[alarm.id] = alarm
            else:
                silent.pop(alarm.id, None)
        self.first_out.keep(alarm)
        self.casebook.keep(alarm)
