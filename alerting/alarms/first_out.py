"""首出: which process alarm of a unit came first.

Process alarms that come up in a calm contest it: those that enter, or are annunciated, in one block while no other
process alarm of the unit was in or unacknowledged when the first of them did. Of those that are still present when the
block is over the earliest source time is first-out, and of equal ones the alarm that was raised first. Instrument and
communication faults, suppressed alarms and those that have been in for more than a day are left aside.
"""

from collections.abc import Iterator

from alerting.incidents.casebook import UnitKey
from alerting.records import Alarm
from domain.scales import Level


class FirstOut:
    """Process alarms that are present, by unit, and those that contest the mark."""

    def __init__(self) -> None:
        self._present: dict[UnitKey, dict[int, Alarm]] = {}
        self._contests: dict[UnitKey, list[tuple[int, int]]] = {}
        """Units that were calm -> (source time, id) of the alarms that have come up in them since."""

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

    def comes_up(self, alarm: Alarm) -> bool:
        """Whether an alarm that enters or is annunciated is the first so far. To be asked once, before ``keep``."""
        if alarm.level is Level.FAULT or alarm.suppression is not None:
            return False
        key = alarm.unit_key
        one = (alarm.entered_at, alarm.id)
        if (contest := self._contests.get(key)) is not None:
            contest.append(one)
            return False
        present = self._present.get(key, {})
        if alarm.first_out and alarm.id in present:
            return True  # again, and nothing was calm since
        if present.keys() - {alarm.id}:
            return False
        self._contests[key] = [one]
        return True

    def decide(self) -> Iterator[tuple[int, bool]]:
        """The block is over: alarms that contested the mark, and whether each has it; the one that has comes last."""
        contests, self._contests = self._contests, {}
        for key, contest in contests.items():
            present = self._present.get(key, {})
            winner = min((one for one in contest if one[1] in present), default=(0, 0))[1]
            yield from ((identity, False) for identity in {one[1]: None for one in contest} if identity != winner)
            if winner:
                yield winner, True
