"""抑制, what lies over alarms: shelves, maintenance windows, suppression by design. The condition goes on beneath.

Which one shows, where several do: out of service before by design before shelved. It is decided anew from what is
so at the moment, never remembered, so that nothing depends on the order in which things came about.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from alerting.alarms.lifecycle import AlarmEvent, step
from alerting.alarms.relations import FAULTS, Relations
from alerting.alarms.roll import Roll
from alerting.records import SERVICE, Alarm, Change, Suppression, drill_prefix
from domain.scales import AlarmState, Level


@dataclass(slots=True)
class Shelf:
    """搁置: a condition that a person has shelved; a row of the table ``shelf``. Times in ms UTC."""

    path: str
    region: str
    enterprise: str
    unit: str
    tag: str
    rule: str
    alarm: int
    """The alarm of the condition that was shelved last."""
    drill: int | None
    shelved_at: int
    until: int
    reason: str
    name: str
    ended_at: int | None = None


@dataclass(slots=True)
class Window:
    """停用: a maintenance window over a tag, a unit or a gateway; a row of the table ``maintenance``.

    Its id is the number of the journal entry that announced it. ``state``: announced, running, ended or cancelled.
    """

    id: int
    scope: str
    enterprise: str
    target: str
    """Name of the tag, or id of the unit or gateway, within the enterprise."""
    region: str
    begins_at: int
    ends_at: int
    reason: str
    name: str
    state: str
    announced_at: int
    began_at: int | None = None
    ended_at: int | None = None
    ended_by: str | None = None

    @property
    def place(self) -> tuple[str, str, str]:
        """What it covers."""
        return self.scope, self.enterprise, self.target


@dataclass(frozen=True, slots=True)
class Lying:
    """What lies over an alarm."""

    suppression: Suppression
    until: int | None
    reason: str
    by: str


class Overlay:
    """All that lies over the alarms of a site."""

    def __init__(self, relations: Relations, roll: Roll, shelves: Iterable[Shelf], windows: Iterable[Window]) -> None:
        self.relations = relations
        self._roll = roll
        self.shelves = {shelf.path: shelf for shelf in shelves}
        self.windows = {window.id: window for window in windows}
        self._running: dict[tuple[str, str, str], list[Window]] = {}
        self.index()

    def index(self) -> None:
        """The windows have changed."""
        self._running = {}
        for window in self.windows.values():
            if window.state == "running":
                self._running.setdefault(window.place, []).append(window)

    @property
    def is_empty(self) -> bool:
        """Nothing lies over anything, by whatever a person has done."""
        return not self.shelves and not self._running

    def over(self, alarm: Alarm) -> Lying | None:
        """What lies over an alarm now."""
        if self._running and alarm.drill is None and (window := self._window_over(alarm)) is not None:
            return Lying(Suppression.OUT_OF_SERVICE, window.ends_at, window.reason, window.name)
        suppressors = self.relations.suppressors_of(alarm.rule_path)
        if suppressors:
            prefix = drill_prefix(alarm.drill)
            for path in suppressors:
                if self._suppresses(prefix, path):
                    return Lying(Suppression.BY_DESIGN, None, f"{path} is in", path)
        shelf = self.shelves.get(alarm.path) if self.shelves else None
        if shelf is not None:
            return Lying(Suppression.SHELVED, shelf.until, shelf.reason, shelf.name)
        return None

    def covers(self, window: Window, alarm: Alarm) -> bool:
        """Whether a window is over the place of an alarm. One over a gateway leaves process alarms alone."""
        return window.place in self._places(alarm)

    def lay(self, alarm: Alarm, lying: Lying | None) -> None:
        """Write it on an alarm."""
        alarm.suppression = lying.suppression if lying else None
        alarm.suppressed_until = lying.until if lying else None
        alarm.suppression_reason = lying.reason if lying else None
        alarm.suppressed_by = lying.by if lying else None

    def renew(self, alarm: Alarm, now: int, change: Change) -> None:
        """Bring an alarm that is not normal up to what lies over it now."""
        lying, before = self.over(alarm), alarm.suppression
        if lying == lying_of(alarm):
            return
        if before is None:
            self._roll.before_less(alarm, now, change)
        self.lay(alarm, lying)
        if lying is not None:
            self._roll.record(alarm, "alarm.suppressed", SERVICE, suppression_data(alarm), now, change)
            return
        state = step(alarm.state, AlarmEvent.ANNUNCIATE)
        data: dict[str, object] = {"was": before and before.value}
        if state is None:
            self._roll.join(alarm, now, change)
            self._roll.record(alarm, "alarm.unsuppressed", SERVICE, {**data, "state": alarm.state.value}, now, change)
            return
        alarm.state = state
        alarm.acknowledged_at = alarm.acknowledged_by = None
        alarm.first_out = self._roll.first_out.comes_up(alarm)
        self._roll.join(alarm, now, change)
        data |= {"state": state.value, "grade": alarm.grade.label, "level": alarm.level.value, "value": alarm.value}
        data |= {"setpoint": alarm.setpoint, "engineering_unit": alarm.engineering_unit, "first_out": alarm.first_out}
        self._roll.record(alarm, "alarm.annunciated", SERVICE, data, now, change)

    def renew_all(self, alarms: Iterable[Alarm], now: int, change: Change) -> None:
        """Bring several up to it, those of them that are not normal."""
        for alarm in list(alarms):
            if alarm.state is not AlarmState.NORMAL:
                self.renew(alarm, now, change)

    def _suppresses(self, prefix: str, path: str) -> bool:
        """Whether a condition is in, steadily, and by readings that can be trusted.

        One that chatters suppresses nothing, for its damping would hide what it lets through; nor does one that is in
        by the last word of a tag that fell silent or bad, for that might go on for ever.
        """
        alarm = self._roll.by_path.get(prefix + path)
        if alarm is None or not alarm.condition or alarm.chattering:
            return False
        tags = self.relations.looked_at_by(path)
        return not any(self._roll.is_in(f"{prefix}{tag}/{key}") for tag in tags for key in FAULTS)

    def _window_over(self, alarm: Alarm) -> Window | None:
        running = self._running
        found = [window for place in self._places(alarm) for window in running.get(place, ())]
        return max(found, key=lambda window: (window.ends_at, -window.id), default=None)

    def _places(self, alarm: Alarm) -> list[tuple[str, str, str]]:
        enterprise = alarm.enterprise
        places = [("tag", enterprise, alarm.tag), ("unit", enterprise, alarm.unit)]
        if alarm.level is Level.FAULT:
            gateway = self.relations.gateway_of(enterprise, alarm.tag)
            if gateway is not None:
                places.append(("gateway", enterprise, gateway))
        return places


def lying_of(alarm: Alarm) -> Lying | None:
    """What is written on an alarm."""
    if alarm.suppression is None:
        return None
    return Lying(alarm.suppression, alarm.suppressed_until, alarm.suppression_reason or "", alarm.suppressed_by or "")


def suppression_data(alarm: Alarm) -> dict[str, object]:
    """What the journal says of it."""
    if alarm.suppression is None:
        return {"suppression": None, "state": alarm.state.value}
    return {
        "suppression": alarm.suppression.value,
        "until": alarm.suppressed_until,
        "reason": alarm.suppression_reason,
        "by": alarm.suppressed_by,
        "state": alarm.state.value,
    }
