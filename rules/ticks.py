"""The ticks of the service's clock between readings of the past.

Live, the engine is told a few times a second that time passes, and an on-delay may run out between two readings. Over
readings of the past it is told once, for each thing that is looked at, when the clock ticked while its next reading had
been awaited for longer than its patience: nearly never, where readings come on time.
"""

import numpy as np

from domain.samples import Int64
from rules.scan import earliest

TICK = 250
"""ms between two ticks, which fall on whole multiples since 1970: the service's own rhythm."""
LONGEST_PATIENCE = 2_000
"""ms: a tag's next reading is awaited for its period, but no longer, before an on-delay ends without it [ours]."""
NEVER = np.iinfo(np.int64).max


def at_or_after(time: Int64) -> Int64:
    """The first tick that is not before."""
    ticks: Int64 = -(-time // TICK) * TICK
    return ticks


def before(time: Int64) -> Int64:
    """The last tick before."""
    ticks: Int64 = (time - 1) // TICK * TICK
    return ticks


class Ticks:
    """Of ``count`` owners (tags, or conditions over several) the spans of ticks at which nothing new was heard of them.

    owner: each once, those that have readings; begins, counts: where their readings stand in ``received``
    received: ms, in order within an owner; heard: when each was heard before
    patience: ms that each is awaited
    """

    def __init__(
        self, count: int, owner: Int64, begins: Int64, counts: Int64, received: Int64, heard: Int64, patience: Int64
    ) -> None:
        self._count = count
        self._given = (owner, begins, counts, received, heard, patience)
        self._first: Int64 | None = None
        self._last = self._start = np.empty(0, dtype=np.int64)

    def after(self, owner: Int64, time: Int64) -> Int64:
        """For each of some owners its first such tick that is not before ``time``; NEVER if there is none."""
        if self._first is None:
            self._first = self._look()
        if not len(self._first):
            return np.full(len(owner), NEVER)
        low, high = self._start[owner], self._start[owner + 1]
        last, most = self._last, len(self._last) - 1
        found = earliest(lambda span: last[np.minimum(span, most)], low, high, time)
        span = np.minimum(found, most)
        return np.where(found < high, np.maximum(self._first[span], at_or_after(time)), NEVER)

    def _look(self) -> Int64:
        """Find the spans; returns the first tick of each. Most readings come before their time: few are looked at."""
        owner, begins, counts, received, heard, patience = self._given
        preceding = np.empty_like(received)
        preceding[1:] = received[:-1]
        preceding[begins] = heard
        waited = patience if len(begins) == 1 else patience.repeat(counts)
        at = np.flatnonzero(received - preceding > waited)
        number = np.searchsorted(begins, at, side="right") - 1
        first, last = at_or_after(preceding[at] + patience[number]), before(received[at])
        some = first <= last
        self._last = last[some]
        which = owner[number[some]]
        by_owner = np.argsort(which, kind="stable")
        self._last = self._last[by_owner]
        self._start = np.searchsorted(which[by_owner], np.arange(self._count + 1))
        return first[some][by_owner]
