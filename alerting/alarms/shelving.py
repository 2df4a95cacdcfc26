"""搁置: a person takes an alarm off the list for a time, with a reason; it ends by itself.

At most eight hours, extended only with a new reason; never a red alarm nor one of a red incident, and a shelf ends
when its unit's incident turns red.
"""

from collections.abc import Mapping
from dataclasses import asdict

from alerting.alarms.limits import AlarmLimits
from alerting.alarms.roll import Roll
from alerting.alarms.suppression import Overlay, Shelf
from alerting.alarms.timers import Timers
from alerting.records import SERVICE, Alarm, Change, Incident, unit_key
from alerting.refusals import Conflict, NotFound
from domain.scales import Grade

SHELF = "shelf"
"""Kind of timer: a shelf's expiry, by path."""


class Shelving:
    """Acts on shelves, and their ends."""

    def __init__(self, overlay: Overlay, roll: Roll, timers: Timers, limits: AlarmLimits) -> None:
        self._overlay = overlay
        self._roll = roll
        self._timers = timers
        self.limits = limits
        for shelf in overlay.shelves.values():
            timers.set((SHELF, 0, shelf.path), shelf.until)
        roll.on_red.append((overlay.shelves, self._end_at_red))

    def shelve(self, identity: int, until: int, reason: str, actor: str, name: str, now: int, change: Change) -> Alarm:
        """Shelve an alarm until then (ms), or extend its shelf.

        Raises NotFound; Conflict: too long, it or its incident is red, the reason of an extension is not a new one.
        """
        alarm = self._roll.get(identity)
        self._refuse_red(alarm)
        longest = self.limits.longest_shelving
        if not now < until <= now + longest:
            raise Conflict(
                f"a shelf ends within {longest / 3_600_000:g} h and in the future; shelve for less, and extend it later"
            )
        before = self._overlay.shelves.get(alarm.path)
        if before is not None and before.reason.strip() == reason.strip():
            raise Conflict(f"alarm {identity} is shelved already, for this reason; give a new reason to extend it")
        shelf = Shelf(
            path=alarm.path,
            region=alarm.region,
            enterprise=alarm.enterprise,
            unit=alarm.unit,
            tag=alarm.tag,
            rule=alarm.rule,
            alarm=alarm.id,
            drill=alarm.drill,
            shelved_at=now,
            until=until,
            reason=reason,
            name=name,
        )
        self._overlay.shelves[shelf.path] = shelf
        self._timers.set((SHELF, 0, shelf.path), until)
        change.upsert("shelf", asdict(shelf))
        self._overlay.lay(alarm, self._overlay.over(alarm))
        data = {
            "name": name,
            "reason": reason,
            "until": until,
            "extended": before is not None,
            "state": alarm.state.value,
            "suppression": alarm.suppression and alarm.suppression.value,
        }
        self._roll.record(alarm, "alarm.shelved", actor, data, now, change)
        self._roll.settle(now, change)
        return alarm

    def unshelve(self, identity: int, actor: str, name: str, comment: str, now: int, change: Change) -> Shelf:
        """Take an alarm's condition off the shelf; ``identity`` may be that of an alarm that is over by now.

        Raises NotFound: neither an active alarm nor a shelf is of that number; Conflict: it is not shelved.
        """
        alarm = self._roll.by_id.get(identity)
        if alarm is not None:
            shelf = self._overlay.shelves.get(alarm.path)
            if shelf is None:
                raise Conflict(f"alarm {identity} is not shelved; GET /api/v1/suppressed lists what is")
        else:
            shelf = next((found for found in self._overlay.shelves.values() if found.alarm == identity), None)
            if shelf is None:
                raise NotFound(f"alarm {identity} is not active and not shelved")
        self._end(shelf, actor, {"why": "person", "name": name, "comment": comment}, now, change)
        self._roll.settle(now, change)
        return shelf

    def expire(self, path: str, now: int, change: Change) -> None:
        """A shelf's time is over."""
        shelf = self._overlay.shelves.get(path)
        if shelf is not None:
            self._end(shelf, SERVICE, {"why": "expired"}, now, change)

    def end_unknown(self, now: int, change: Change) -> None:
        """End shelves of rules that the site no longer has."""
        for shelf in list(self._overlay.shelves.values()):
            if self._overlay.relations.kind_of(f"{shelf.enterprise}/{shelf.tag}/{shelf.rule}") is None:
                self._end(shelf, SERVICE, {"why": "removed"}, now, change)

    def end_drill(self, drill: int, now: int, change: Change) -> None:
        """End the shelves of a drill."""
        for shelf in list(self._overlay.shelves.values()):
            if shelf.drill == drill:
                self._end(shelf, SERVICE, {"why": "drill"}, now, change)

    def end_red(self, path: str, now: int, change: Change) -> None:
        """A condition enters whose alarms are red by themselves: it is on no shelf."""
        shelf = self._overlay.shelves.get(path)
        if shelf is not None:
            self._end(shelf, SERVICE, {"why": "red"}, now, change)

    def _refuse_red(self, alarm: Alarm) -> None:
        incident = self._roll.casebook.open.get(alarm.incident or 0)
        if alarm.grade is Grade.RED or (incident is not None and incident.grade is Grade.RED):
            raise Conflict(f"alarm {alarm.id} or its incident is red: what is red is never shelved; acknowledge it")
        for other in self._roll.casebook.open.values():
            if other.grade is Grade.RED and other.unit_key == unit_key(alarm.enterprise, alarm.unit, alarm.drill):
                raise Conflict(f"the incident of unit {alarm.unit} is red: nothing of it is shelved; acknowledge it")

    def _end_at_red(self, incident: Incident, now: int, change: Change) -> None:
        for shelf in list(self._overlay.shelves.values()):
            alarm = self._roll.by_path.get(shelf.path)
            is_member = alarm is not None and alarm.incident == incident.id
            if is_member or unit_key(shelf.enterprise, shelf.unit, shelf.drill) == incident.unit_key:
                self._end(shelf, SERVICE, {"why": "red"}, now, change)

    def _end(self, shelf: Shelf, actor: str, data: Mapping[str, object], now: int, change: Change) -> None:
        del self._overlay.shelves[shelf.path]
        self._timers.cancel((SHELF, 0, shelf.path))
        shelf.ended_at = now
        change.upsert("shelf", asdict(shelf))
        alarm = self._roll.by_path.get(shelf.path)
        if alarm is not None:
            self._roll.record(alarm, "alarm.unshelved", actor, {**data, "state": alarm.state.value}, now, change)
            self._overlay.renew(alarm, now, change)
            return
        entry = self._roll.journal.append(
            now,
            "alarm.unshelved",
            actor,
            {**data, "state": "normal"} if shelf.drill is None else {**data, "state": "normal", "drill": shelf.drill},
            region=shelf.region,
            enterprise=shelf.enterprise,
            unit=shelf.unit,
            tag=shelf.tag,
            rule=shelf.rule,
            alarm=shelf.alarm,
        )
        change.entries.append(entry)
