"""The ticks of the service's clock between readings of the past.

Live, the engine is told a few times a second that time passes, and an on-delay may run out between two readings. Over
readings of the past it is asked, where a delay may have run out by the clock, whether that ticked while the next
reading had been awaited for longer than its patience: nearly never, where readings come on time.
"""

import numpy as np

from domain.samples import Int64
from rules.histories import spelled_out
from rules.scan import first_not_before

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
    """The ticks at which nothing new was heard of some owners (tags, or conditions over several) for too long.

    owner: each once and sorted, those that have readings; begins, counts: where their readings stand in ``received``
    received: ms, in order within an owner; heard: when each was heard before
    patience: ms that each is awaited
    """

    def __init__(
        self, owner: Int64, begins: Int64, counts: Int64, received: Int64, heard: Int64, patience: Int64
    ) -> None:
        self._owner, self._begins, self._ends = owner, begins, begins + counts
        self._received, self._heard, self._patience = received, heard, patience

    def after(self, owner: Int64, time: Int64, until: Int64 | None = None) -> Int64:
        """For each of some owners its first such tick that is not before ``time``; NEVER if there is none.

        ``until``: when something was heard of it that need not be looked beyond.
        """
        number = np.minimum(np.searchsorted(self._owner, owner), len(self._owner) - 1)
        begin, end = self._begins[number], np.where(self._owner[number] == owner, self._ends[number], 0)
        low = self._heard_from(begin, end, time + 1)
        if until is not None:
            end = np.minimum(self._heard_from(begin, end, until) + 1, end)
        asked, reading = spelled_out(low, np.maximum(low, end))
        tick = np.full(len(owner), NEVER)
        if len(reading):
            number = number[asked]
            own = reading > self._begins[number]
            heard = np.where(own, self._received[reading - own], self._heard[number])
            first = at_or_after(np.maximum(heard + self._patience[number], time[asked]))
            found = np.flatnonzero(first < self._received[reading])[::-1]
            tick[asked[found]] = first[found]  # the first of each is assigned last
        return tick

    def _heard_from(self, begin: Int64, end: Int64, time: Int64) -> Int64:
        return first_not_before(self._received, begin, end, time, ordered=len(self._owner) == 1)
