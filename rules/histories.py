"""The readings of the last minutes, as far back as the rate rules look."""

import numpy as np

from domain.samples import Float64, Int64
from rules.scan import earliest

SMALLEST, LARGEST = 8, 4096
"""Bounds of the room that a ring is given before its first reading; it grows as it needs."""


class Histories:
    """Recent readings of h tags, each in a ring of its own inside two shared columns.

    ``window`` (length h): ms for which a ring keeps its readings, and longer only the last; ``expected`` (length h):
    how many it will probably hold.

    The readings of a ring are numbered on and on from 0; number q stands at ``offset + q % capacity``. Capacities are
    powers of two.
    """

    def __init__(self, window: Int64, expected: Int64) -> None:
        count = len(window)
        self._window = window
        self._capacity = _power_of_two(np.clip(expected + expected // 2, SMALLEST, LARGEST))
        self._offset = np.cumsum(self._capacity) - self._capacity
        self._used = int(self._capacity.sum())
        self._oldest = np.zeros(count, dtype=np.int64)
        self._next = np.zeros(count, dtype=np.int64)
        self._time = np.zeros(self._used, dtype=np.int64)
        self._value = np.zeros(self._used, dtype=np.float64)
        # Bounds of the values since the turn, and since the turn before it: the second cover the window.
        self._turn = np.zeros(count, dtype=np.int64)
        self._low, self._low_since_turn = np.full((2, count), np.inf)
        self._high, self._high_since_turn = np.full((2, count), -np.inf)

    def append(self, ring: Int64, begins: Int64, counts: Int64, time: Int64, value: Float64) -> Int64:
        """Add readings of some rings, each once in ``ring``; the i-th has ``counts[i]`` from ``begins[i]`` on.

        ``time`` and ``value`` have one entry a reading, in order of time within a ring. Returns the readings' numbers.
        """
        self._make_room(ring, counts, time[begins])
        number = (self._next[ring] - begins).repeat(counts) + np.arange(len(time))
        place = self._offset[ring].repeat(counts) + (number & (self._capacity[ring] - 1).repeat(counts))
        self._time[place] = time
        self._value[place] = value
        self._next[ring] += counts
        self._widen(ring, time[begins], np.minimum.reduceat(value, begins), np.maximum.reduceat(value, begins))
        return number

    def forget(self, ring: Int64) -> None:
        """Begin these rings anew."""
        self._oldest[ring] = self._next[ring] = self._turn[ring] = 0
        self._low[ring] = self._low_since_turn[ring] = np.inf
        self._high[ring] = self._high_since_turn[ring] = -np.inf

    def spread(self, ring: Int64) -> Float64:
        """At least the greatest difference between the last reading and any of its window, or the one before it."""
        spread: Float64 = self._high[ring] - self._low[ring]
        return spread

    def base(self, ring: Int64, number: Int64, since: Int64) -> tuple[Int64, Int64, Float64]:
        """Number, time and value of the oldest reading not before ``since``, or else of that before ``number``.

        Where ``number`` is the first of its ring the base is itself.
        """
        low = self._search(ring, number, since)
        found = np.where(low == number, np.maximum(number - 1, self._oldest[ring]), low)
        place = self._place(ring, found)
        return found, self._time[place], self._value[place]

    def _search(self, ring: Int64, number: Int64, since: Int64) -> Int64:
        """Number of the oldest reading not before ``since``; ``number`` where there is none before it."""
        return earliest(lambda middle: self._time[self._place(ring, middle)], self._oldest[ring], number, since)

    def _place(self, ring: Int64, number: Int64) -> Int64:
        places: Int64 = self._offset[ring] + (number & (self._capacity[ring] - 1))
        return places

    def _widen(self, ring: Int64, time: Int64, low: Float64, high: Float64) -> None:
        """Take in the lowest and highest of new readings; ``time`` is that of the first of each ring."""
        turns = time - self._turn[ring] >= self._window[ring]
        if turns.any():
            turning = ring[turns]
            self._turn[turning] = time[turns]
            self._low[turning], self._low_since_turn[turning] = self._low_since_turn[turning], np.inf
            self._high[turning], self._high_since_turn[turning] = self._high_since_turn[turning], -np.inf
        self._low[ring] = np.minimum(self._low[ring], low)
        self._high[ring] = np.maximum(self._high[ring], high)
        self._low_since_turn[ring] = np.minimum(self._low_since_turn[ring], low)
        self._high_since_turn[ring] = np.maximum(self._high_since_turn[ring], high)

    def _make_room(self, ring: Int64, counts: Int64, time: Int64) -> None:
        """Where a ring is full, drop what is before the window of its next reading; give more room if that is little.

        The last reading is never dropped.
        """
        full = (self._next[ring] - self._oldest[ring] + counts > self._capacity[ring]).nonzero()[0]
        if not len(full):
            return
        who = ring[full]
        last = self._next[who] - 1
        self._oldest[who] = np.maximum(self._search(who, last, time[full] - self._window[who]), 0)
        needed = self._next[who] - self._oldest[who] + counts[full]
        tight = needed > self._capacity[who] - (self._capacity[who] >> 2)
        if tight.any():
            self._grow(who[tight], needed[tight])

    def _grow(self, ring: Int64, needed: Int64) -> None:
        """Move rings to the end of the columns with room for ``needed`` readings and as many again."""
        held = self._next[ring] - self._oldest[ring]
        owner = np.repeat(ring, held)
        number = np.repeat(self._oldest[ring] - (np.cumsum(held) - held), held) + np.arange(len(owner))
        old = self._place(owner, number)
        time, value = self._time[old], self._value[old]
        capacity = _power_of_two(2 * needed)
        ends = self._used + np.cumsum(capacity)
        if ends[-1] > len(self._time):
            spare = np.zeros(max(int(ends[-1]) - len(self._time), len(self._time) // 2))
            self._time = np.concatenate([self._time, spare.astype(np.int64)])
            self._value = np.concatenate([self._value, spare])
        self._offset[ring] = ends - capacity
        self._capacity[ring] = capacity
        self._used = int(ends[-1])
        new = self._place(owner, number)
        self._time[new] = time
        self._value[new] = value


def _power_of_two(least: Int64) -> Int64:
    """The least powers of two that are not less."""
    return np.left_shift(1, np.ceil(np.log2(least)).astype(np.int64))
