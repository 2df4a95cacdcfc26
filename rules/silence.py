"""Stale tags: no reading for longer than the rule's window, in received time.

Any reading that counts ends it, of whatever quality; a sample that is not newer than the tag's newest is no reading,
so a device that repeats an old one falls silent too.
"""

from typing import Self

import numpy as np

from domain.samples import Bool, Int64
from domain.scales import RuleKind
from domain.site import RuleTable
from domain.transitions import Transition
from rules.arrivals import Readings
from rules.ticks import NEVER, at_or_after

LONGEST_REST = 60_000
"""ms between two looks at the most."""
_NONE = np.empty(0, dtype=np.int64)
Columns = tuple[Int64, Bool, Int64, Int64]
_NOTHING: Columns = (_NONE, np.empty(0, dtype=np.bool_), _NONE, _NONE)


class Silence:
    """All STALE rules."""

    def __init__(self, rules: RuleTable, tag_count: int) -> None:
        self._rows = np.flatnonzero(rules.kind == RuleKind.STALE)
        self._tag = rules.tag[self._rows].astype(np.int64)
        self._after = rules.window[self._rows]
        self._inside = np.zeros(len(self._rows), dtype=np.bool_)
        self._silent = np.zeros(tag_count, dtype=np.bool_)
        self._apart = np.zeros(len(self._rows), dtype=np.bool_)
        self._shortest_apart = NEVER
        self._looked = 0
        self._due = 0
        """No tag can fall silent before: until then there is no need to look, unless the clock was set back."""

    @property
    def watched(self) -> Bool:
        """Which tags have a STALE rule."""
        watched = np.zeros(len(self._silent), dtype=np.bool_)
        watched[self._tag] = True
        return watched

    @property
    def silent(self) -> Int64:
        """The tags that are stale."""
        return np.flatnonzero(self._silent)

    def restore(self, inside: Int64) -> None:
        """Set the conditions of these rows of the rule table to in."""
        self._inside |= np.isin(self._rows, inside)
        self._silent[self._tag[self._inside]] = True

    def take_over(self, old: Self, rows: Int64) -> None:
        """Go on where another left off: ``rows[j]`` is the row here of its table's row j, or -1."""
        self.restore(rows[old.inside()])

    def inside(self) -> Int64:
        """Rows of the rule table whose condition is in."""
        return self._rows[self._inside]

    def hear(self, readings: Readings) -> list[Transition]:
        """Tags that were silent and are heard again: their conditions leave with the first reading."""
        again = self._silent[readings.tag[readings.begins]].nonzero()[0]
        if not len(again):
            return []
        first = readings.begins[again]
        tag = readings.tag[first]
        ended = np.flatnonzero(self._inside & np.isin(self._tag, tag))
        when = readings.received_time[first][np.searchsorted(tag, self._tag[ended])]
        self._inside[ended] = False
        self._silent[tag] = False
        self._due = min(self._due, int((when + self._after[ended]).min()))
        return [
            Transition(row, entered=False, source_time=at, received_time=at, value=float("nan"))
            for row, at in zip(self._rows[ended].tolist(), when.tolist(), strict=True)
        ]

    def leave_apart(self, minded: Int64) -> None:
        """Readings of the past: the silence of other tags than these means nothing but itself, see ``between``."""
        self._apart = ~np.isin(self._tag, minded)
        self._shortest_apart = int(self._after.min(initial=NEVER, where=self._apart))

    def between(self, readings: Readings, heard: Int64) -> Columns:
        """Entering and leaving between readings of the past of tags that are apart: see ``leave_apart``.

        ``heard``: when each tag was heard last before. Returns row, whether it entered, source and received time.
        """
        received = readings.received_time
        waited = np.empty_like(received)
        np.subtract(received[1:], received[:-1], out=waited[1:])
        waited[readings.begins] = received[readings.begins] - heard[readings.tag[readings.begins]]
        if waited.max() <= self._shortest_apart:
            return _NOTHING
        at = np.flatnonzero(waited > self._shortest_apart)
        before = received[at] - waited[at]
        low = np.searchsorted(self._tag, readings.tag[at], side="left")
        count = np.searchsorted(self._tag, readings.tag[at], side="right") - low
        at, before = at.repeat(count), before.repeat(count)
        rule = np.arange(len(at)) - (np.cumsum(count) - count - low).repeat(count)
        due = before + self._after[rule]
        tick = at_or_after(due + 1)
        first = np.zeros(len(readings.tag), dtype=np.bool_)
        first[readings.begins] = True
        enters = self._apart[rule] & (tick < readings.received_time[at]) & ~(first[at] & self._inside[rule])
        rule, due, tick, until = rule[enters], due[enters], tick[enters], readings.received_time[at[enters]]
        entered = np.tile([True, False], len(rule))
        source, received = np.stack([due, until]).T.ravel(), np.stack([tick, until]).T.ravel()
        return self._rows[rule].repeat(2), entered, source, received

    def trailing(self, heard: Int64, end: int) -> Columns:
        """Entering, until ``end``, of tags that are apart and were not heard any more; as ``between``."""
        due = heard[self._tag] + self._after
        tick = at_or_after(due + 1)
        rule = np.flatnonzero(self._apart & ~self._inside & (tick <= end))
        self._inside[rule] = True
        self._silent[self._tag[rule]] = True
        return self._rows[rule], np.ones(len(rule), dtype=np.bool_), due[rule], tick[rule]

    def falls(self, readings: Readings | None, heard: Int64, end: int) -> Int64:
        """The ticks before ``end`` at which tags that are not apart become stale, some perhaps more than once.

        ``heard``: when each tag was heard last before the readings.
        """
        rules = np.flatnonzero(~self._apart)
        until = np.full(len(heard), end)
        if readings is not None:
            until[readings.tag[readings.begins]] = readings.received_time[readings.begins]
        first = at_or_after(heard[self._tag[rules]] + self._after[rules] + 1)
        found = [first[first < until[self._tag[rules]]]]
        if readings is not None and len(rules):
            window = np.full(len(heard), NEVER)
            np.minimum.at(window, self._tag[rules], self._after[rules])
            following = np.append(readings.received_time[1:], end)
            following[readings.begins[1:] - 1] = end
            at = np.flatnonzero(following - readings.received_time > window[readings.tag])
            for rule in np.flatnonzero(~self._apart & np.isin(self._tag, readings.tag[at])).tolist():
                own = at[readings.tag[at] == self._tag[rule]]
                tick = at_or_after(readings.received_time[own] + self._after[rule] + 1)
                found.append(tick[tick < following[own]])
        return np.unique(np.concatenate(found))

    def advance(self, now: int, heard_at: Int64) -> tuple[list[Transition], Int64]:
        """Conditions that have entered by ``now``, and the tags that have become stale by that.

        ``heard_at`` is when each tag was heard last.
        """
        if self._looked <= now <= self._due:
            return [], _NONE
        self._looked = now
        due = heard_at[self._tag] + self._after
        waiting = ~(self._inside | self._apart)
        silent = np.flatnonzero((now > due) & waiting)
        waiting[silent] = False
        self._due = int(due.min(where=waiting, initial=now + LONGEST_REST))
        if not len(silent):
            return [], _NONE
        self._inside[silent] = True
        tag = np.unique(self._tag[silent])
        newly = tag[~self._silent[tag]]
        self._silent[newly] = True
        entered = [
            Transition(row, entered=True, source_time=since, received_time=now, value=float("nan"))
            for row, since in zip(self._rows[silent].tolist(), due[silent].tolist(), strict=True)
        ]
        return entered, newly
