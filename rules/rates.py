"""Rate of change over a window in source time.

The rate at a reading is its difference from the oldest reading inside the window before it, or, where the window
holds none, from the reading before; divided by the window's length, or by the time between the two where that is
longer. A change that is quicker than the window thus counts as spread over the window: noise between two neighbouring
readings is no rate, and a ramp at the limit enters within one window.
"""

import numpy as np

from domain.samples import Float64, Int64
from rules.scan import group_begins

FIRST_CAPACITY = 16


class Histories:
    """Recent readings of h tags, each in a ring of its own inside two shared columns.

    The readings of a ring are numbered on and on; number q stands at ``offset + q % capacity``. Capacities are powers
    of two and grow with what a window holds.
    """

    def __init__(self, count: int) -> None:
        self._offset = np.arange(count, dtype=np.int64) * FIRST_CAPACITY
        self._capacity = np.full(count, FIRST_CAPACITY, dtype=np.int64)
        self._oldest = np.zeros(count, dtype=np.int64)
        self._next = np.zeros(count, dtype=np.int64)
        self._time = np.zeros(count * FIRST_CAPACITY, dtype=np.int64)
        self._value = np.zeros(count * FIRST_CAPACITY, dtype=np.float64)
        self._used = count * FIRST_CAPACITY

    def append(self, ring: Int64, time: Int64, value: Float64) -> Int64:
        """Add readings (sorted by ring, in order of time); returns their numbers in their rings."""
        starts = np.flatnonzero(group_begins(ring))
        counts = np.diff(np.append(starts, len(ring)))
        who = ring[starts]
        needed = self._next[who] - self._oldest[who] + counts
        for index in np.flatnonzero(needed > self._capacity[who]).tolist():
            self._grow(int(who[index]), int(needed[index]))
        number = self._next[ring] + np.arange(len(ring)) - np.repeat(starts, counts)
        place = self._place(ring, number)
        self._time[place] = time
        self._value[place] = value
        self._next[who] += counts
        return number

    def base(self, ring: Int64, number: Int64, since: Int64) -> tuple[Int64, Float64]:
        """Time and value of the oldest reading not before ``since``, or else of the reading before ``number``.

        Where ``number`` is the first of its ring the base is itself.
        """
        low = self._search(ring, number, since)
        found = np.where(low == number, np.maximum(number - 1, self._oldest[ring]), low)
        place = self._place(ring, found)
        return self._time[place], self._value[place]

    def forget(self, ring: Int64, since: Int64) -> None:
        """Drop readings before ``since`` (one entry a ring), but never the last one."""
        self._oldest[ring] = self._search(ring, self._next[ring] - 1, since)

    def _search(self, ring: Int64, number: Int64, since: Int64) -> Int64:
        """Number of the oldest reading not before ``since``; ``number`` where there is none before it."""
        low = self._oldest[ring]
        high = number.copy()
        while True:
            open_ = low < high
            if not open_.any():
                return low
            middle = (low + high) >> 1
            early = self._time[self._place(ring, middle)] < since
            low = np.where(open_ & early, middle + 1, low)
            high = np.where(open_ & ~early, middle, high)

    def _place(self, ring: Int64, number: Int64) -> Int64:
        places: Int64 = self._offset[ring] + (number & (self._capacity[ring] - 1))
        return places

    def _grow(self, ring: int, needed: int) -> None:
        """Move one ring to the end of the columns with room for ``needed`` readings and as many again."""
        capacity = 1 << (2 * needed - 1).bit_length()
        numbers = np.arange(self._oldest[ring], self._next[ring])
        old = self._place(np.full(len(numbers), ring), numbers)
        if self._used + capacity > len(self._time):
            spare = np.zeros(max(capacity, len(self._time) // 2))
            self._time = np.concatenate([self._time, spare.astype(np.int64)])
            self._value = np.concatenate([self._value, spare])
        kept_time, kept_value = self._time[old], self._value[old]
        self._offset[ring] = self._used
        self._capacity[ring] = capacity
        self._used += capacity
        new = self._place(np.full(len(numbers), ring), numbers)
        self._time[new] = kept_time
        self._value[new] = kept_value
