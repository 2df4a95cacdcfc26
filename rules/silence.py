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

LONGEST_REST = 60_000
"""ms between two looks at the most."""
_NONE = np.empty(0, dtype=np.int64)


class Silence:
    """All STALE rules."""

    def __init__(self, rules: RuleTable, tag_count: int) -> None:
        self._rows = np.flatnonzero(rules.kind == RuleKind.STALE)
        self._tag = rules.tag[self._rows].astype(np.int64)
        self._after = rules.window[self._rows]
        self._inside = np.zeros(len(self._rows), dtype=np.bool_)
        self._silent = np.zeros(tag_count, dtype=np.bool_)
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

    def advance(self, now: int, heard_at: Int64) -> tuple[list[Transition], Int64]:
        """Conditions that have entered by ``now``, and the tags that have become stale by that.

        ``heard_at`` is when each tag was heard last.
        """
        if self._looked <= now <= self._due:
            return [], _NONE
        self._looked = now
        due = heard_at[self._tag] + self._after
        silent = np.flatnonzero((now > due) & ~self._inside)
        waiting = ~self._inside
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
