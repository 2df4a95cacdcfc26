"""首出: which process alarm of a unit came first.

An alarm is first-out if it enters while no other process alarm of its unit is in or unacknowledged. Instrument and
communication faults, suppressed alarms and those that have been in for more than a day are left aside. Of several that
one block brings, the earliest source time counts, and of equal ones the order of arrival.
"""

from collections.abc import Iterable, Sequence

from alerting.incidents.casebook import UnitKey
from alerting.records import Alarm
from domain.scales import Level


class FirstOut:
    """Process alarms that are present, by unit."""

    def __init__(self) -> None:
        self._present: dict[UnitKey, dict[int, Alarm]] = {}
        self._awaited: dict[UnitKey, int] = {}
        """Units -> the earliest source time of a process alarm that the block may raise."""
        self._raised: dict[UnitKey, list[tuple[int, int]]] = {}
        """Units that were calm -> (source time, id) of the alarms that the block has raised in them so far."""
        self._found: dict[UnitKey, int] = {}
        """Units whose first alarm of the block is found, and its id."""

    def keep(self, alarm: Alarm) -> None:
        """An alarm is as it is now."""
        if alarm.level is Level.FAULT:
            return
        key = alarm.unit_key
        if alarm.is_annunciated and not alarm.stale and (alarm.condition or alarm.is_unacknowledged):
            self._present.setdefault(key, {})[alarm.id] = alarm
        elif (present := self._present.get(key)) is not None:
            present.pop(alarm.id, None)
            if not present:
                del self._present[key]

    def begin(self, entering: Iterable[tuple[UnitKey, int]]) -> None:
        """A block of transitions follows: units and source times of the process alarms that it may raise."""
        self._forget()
        for key, at in entering:
            self._awaited[key] = min(at, self._awaited.get(key, at))

    def enters(self, alarm: Alarm) -> bool:
        """Whether an alarm that enters is the first. To be asked before ``keep``, and only once."""
        if alarm.level is Level.FAULT or alarm.suppression is not None:
            return False
        key = alarm.unit_key
        if alarm.first_out and alarm.id in self._present.get(key, ()):
            return True  # again, and nothing was calm since
        raised = self._raised.get(key)
        if raised is None:
            if not self.is_calm(alarm):
                return False
            raised = self._raised[key] = []
        if key in self._found:
            return False
        raised.append((alarm.entered_at, alarm.id))
        if alarm.entered_at > self._awaited.get(key, alarm.entered_at):
            return False
        self._found[key] = alarm.id
        return True

    def shows(self, alarm: Alarm) -> bool:
        """Whether an alarm that is annunciated now, and was in before, is the first."""
        return alarm.level is not Level.FAULT and (self._found.get(alarm.unit_key) == alarm.id or self.is_calm(alarm))

    def is_calm(self, alarm: Alarm) -> bool:
        """No other process alarm of the unit is present."""
        present = self._present.get(alarm.unit_key)
        return not present or present.keys() == {alarm.id}

    def end(self) -> Sequence[int]:
        """The block is over: ids of alarms that are first after all, for what was awaited did not come."""
        first = [
            min(raised, key=lambda one: one[0])[1] for key, raised in self._raised.items() if key not in self._found
        ]
        self._forget()
        return first

    def _forget(self) -> None:
        self._awaited.clear()
        self._raised.clear()
        self._found.clear()
