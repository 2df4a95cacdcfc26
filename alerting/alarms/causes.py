"""What alarms follow from: a tag is silent because its gateway is lost; a rule names the condition it follows from.

An alarm with a cause is annunciated under it. The silence of a lost gateway's tags belongs to the incident of the
link, however many they are. When the gateway is back they have a while to be heard again before each stands for
itself; and what fell silent a while before the loss was found out belongs to it, too.
"""

from alerting.alarms.relations import LINK, Relations, link_path
from alerting.alarms.roll import Roll
from alerting.alarms.timers import Timers
from alerting.records import Alarm, Change, drill_prefix
from domain.scales import RuleKind

CAUSE = "cause"
"""Kind of timer: a gateway has been back for a while, by the path of its link."""


class Causes:
    """Finds and renews the causes of alarms. ``grace`` in ms."""

    def __init__(self, relations: Relations, roll: Roll, timers: Timers, grace: int) -> None:
        self.relations = relations
        self._roll = roll
        self._timers = timers
        self._grace = grace
        self._back: set[str] = set()

    def of(self, alarm: Alarm) -> str | None:
        """What an alarm that enters now follows from."""
        prefix = drill_prefix(alarm.drill)
        if alarm.kind is RuleKind.STALE:
            gateway = self.relations.gateway_of(alarm.enterprise, alarm.tag)
            link = None if gateway is None else prefix + link_path(alarm.enterprise, gateway)
            if link is not None and self._roll.is_in(link):
                return link
        parent = self.relations.parent_of(alarm.rule_path)
        return prefix + parent if parent is not None and self._roll.is_in(prefix + parent) else None

    def changed(self, alarm: Alarm, now: int, change: Change) -> None:
        """A condition has entered or left: what follows from it is so no more, or from now on."""
        path = alarm.path
        if alarm.kind is RuleKind.SYSTEM and alarm.rule == LINK:
            if alarm.condition:
                self._adopt(alarm, now, change)
            elif any(other.cause == path for other in self._silent(alarm)):
                self._timers.set((CAUSE, 0, path), now + self._grace)
        prefix = drill_prefix(alarm.drill)
        for child_path in self.relations.children_of(alarm.rule_path):
            child = self._roll.by_path.get(prefix + child_path)
            if child is None or not child.condition:
                continue
            if alarm.condition and child.cause is None:
                self._roll.regroup(child, path, now, change)
            elif not alarm.condition and child.cause == path:
                self._roll.regroup(child, None, now, change)

    def come_due(self, link: str, now: int, change: Change) -> None:
        """A gateway has been back for a while: tags that are silent still are so by themselves."""
        if self._roll.is_in(link):
            return
        for silent in self._roll.silent.values():
            for alarm in [alarm for alarm in silent.values() if alarm.cause == link]:
                self._roll.regroup(alarm, self.of(alarm), now, change)

    def load(self) -> None:
        """The roll is as the ledger had it: gateways that are back have a while from the first look at the clock on."""
        self._back = {
            alarm.cause
            for silent in self._roll.silent.values()
            for alarm in silent.values()
            if alarm.follows_lost_link and alarm.cause is not None and not self._roll.is_in(alarm.cause)
        }

    def begin(self, now: int) -> None:
        """The first look at the clock, if it is that."""
        for link in sorted(self._back):
            if not self._roll.is_in(link):
                self._timers.set((CAUSE, 0, link), now + self._grace)
        self._back.clear()

    def renew(self, alarm: Alarm, now: int, change: Change) -> None:
        """The site may have changed: bring an alarm up to what it says."""
        if not alarm.condition:
            return
        cause = self.of(alarm)
        if cause is None and alarm.cause is not None and alarm.follows_lost_link:
            gateway = self.relations.gateway_of(alarm.enterprise, alarm.tag)
            if gateway is not None and alarm.cause.endswith(link_path(alarm.enterprise, gateway)):
                return  # its while is not over yet
        if cause != alarm.cause:
            self._roll.regroup(alarm, cause, now, change)

    def _adopt(self, link: Alarm, now: int, change: Change) -> None:
        self._timers.cancel((CAUSE, 0, link.path))
        gateway = self.relations.gateway_of(link.enterprise, link.tag)
        for alarm in [other for other in self._silent(link) if other.cause is None]:
            is_of_it = self.relations.gateway_of(alarm.enterprise, alarm.tag) == gateway
            if is_of_it and alarm.entered_at >= link.entered_at - self._grace:
                self._roll.regroup(alarm, link.path, now, change)

    def _silent(self, like: Alarm) -> list[Alarm]:
        silent = self._roll.silent.get(like.enterprise, {})
        return [alarm for alarm in silent.values() if alarm.drill == like.drill]
