"""The readings of the last minutes, as far back as rules look."""

from typing import Self

import numpy as np

from domain.samples import Float64, Int64
from rules.scan import earliest, group_begins

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

    def append(
        self,
        ring: Int64,
        begins: Int64,
        counts: Int64,
        time: Int64,
        value: Float64,
        asked_from: Int64 | None = None,
    ) -> Int64:
        """Add readings of some rings, each once in ``ring``; the i-th has ``counts[i]`` from ``begins[i]`` on.

        ``time`` and ``value`` have one entry a reading, in order of time within a ring. ``asked_from``: time of the
        earliest reading of each ring whose window will be asked for, if that may be one that is not added. Returns the
        readings' numbers.
        """
        start = time[begins] if asked_from is None else asked_from
        self._make_room(ring, counts, start)
        number = (self._next[ring] - begins).repeat(counts) + np.arange(len(time))
        place = self._offset[ring].repeat(counts) + (number & (self._capacity[ring] - 1).repeat(counts))
        self._time[place] = time
        self._value[place] = value
        self._next[ring] += counts
        self._widen(ring, start, np.minimum.reduceat(value, begins), np.maximum.reduceat(value, begins))
        return number

    def along(self, ring: int, time: Int64, value: Float64, asked_from: int) -> tuple[int, Int64, Float64]:
        """Add many readings of one ring; keep those that its window can reach from the last of them on.

        ``asked_from``: time of the earliest reading whose window will be asked for. Returns the number of the first,
        and time and value, of all readings of the window before it (and the one before that) and after, the new ones
        included.
        """
        who = np.array([ring])
        reached = self._search(who, self._next[who], np.array([asked_from]) - self._window[who])
        begin = np.maximum(reached - 1, self._oldest[who])
        _, _, times, values = self.since(who, begin)
        count = int(self._next[ring])
        times, values = np.concatenate([times, time]), np.concatenate([values, value])
        first = count - (len(times) - len(time))
        last = int(np.searchsorted(times, times[-1] - self._window[ring]))
        kept = slice(max(last - 1, 0), len(times))
        self._oldest[ring] = self._next[ring] = first + kept.start
        self._low[ring] = self._low_since_turn[ring] = np.inf
        self._high[ring] = self._high_since_turn[ring] = -np.inf
        one, all_ = np.zeros(1, dtype=np.int64), np.array([len(times) - kept.start])
        self.append(who, one, all_, times[kept], values[kept])
        return first, times, values

    def forget(self, ring: Int64) -> None:
        """Begin these rings anew."""
        self._oldest[ring] = self._next[ring] = self._turn[ring] = 0
        self._low[ring] = self._low_since_turn[ring] = np.inf
        self._high[ring] = self._high_since_turn[ring] = -np.inf

    def take_over(self, old: Self, there: Int64, here: Int64) -> None:
        """Take the readings that another has of its rings ``there`` into the empty rings ``here``."""
        owner, _, time, value = old.since(there, old.oldest(there))
        if len(owner):
            begins = np.flatnonzero(group_begins(owner))
            self.append(here[owner[begins]], begins, np.diff(begins, append=len(owner)), time, value)

    def next(self, ring: Int64) -> Int64:
        """The numbers that the next readings of these rings will have."""
        return self._next[ring]

    def last_value(self, ring: Int64) -> Float64:
        """The value of the last reading of each of these rings; NaN of none."""
        number = self._next[ring] - 1
        return np.where(number < 0, np.nan, self._value[self._place(ring, number)])

    def since(self, ring: Int64, number: Int64) -> tuple[Int64, Int64, Int64, Float64]:
        """All readings of these rings from ``number`` on: position in ``ring``, number, time and value of each."""
        owner, numbers = spelled_out(number, self._next[ring])
        place = self._place(ring[owner], numbers)
        return owner, numbers, self._time[place], self._value[place]

    def between(self, ring: Int64, begin: Int64, end: Int64) -> tuple[Int64, Float64]:
        """The readings ``begin`` to before ``end`` of each of these rings: position in ``ring`` and value of each."""
        owner, numbers = spelled_out(begin, end)
        return owner, self._value[self._place(ring[owner], numbers)]

    def first_not_before(self, ring: Int64, number: Int64, since: Int64) -> Int64:
        """Number of the oldest reading that is known and not before ``since``; ``number`` if none is before that."""
        return self._search(ring, number, since)

    def oldest(self, ring: Int64) -> Int64:
        """The number of the oldest reading that is known of each of these rings."""
        return self._oldest[ring]

    def spread(self, ring: Int64) -> Float64:
        """At least the greatest difference between the last reading and any of its window, or the one before it."""
        low, high = self.bounds(ring)
        spread: Float64 = high - low
        return spread

    def bounds(self, ring: Int64) -> tuple[Float64, Float64]:
        """Bounds of the readings of the window of each ring's last reading, or wider; inf and -inf of none."""
        return self._low[ring], self._high[ring]

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
        """Take in the lowest and highest of new readings; ``time`` is when the first window asked for ends."""
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

        The last reading is never dropped, nor the one before the window: it tells how the window begins.
        """
        full = (self._next[ring] - self._oldest[ring] + counts > self._capacity[ring]).nonzero()[0]
        if not len(full):
            return
        who = ring[full]
        last = self._next[who] - 1
        begin = self._search(who, last, time[full] - self._window[who])
        self._oldest[who] = np.maximum(begin - 1, self._oldest[who])
        needed = self._next[who] - self._oldest[who] + counts[full]
        tight = needed > self._capacity[who] - (self._capacity[who] >> 2)
        if tight.any():
            self._grow(who[tight], needed[tight])

    def _grow(self, ring: Int64, needed: Int64) -> None:
        """Move rings to the end of the columns with room for ``needed`` readings and as many again."""
        at, number, time, value = self.since(ring, self._oldest[ring])
        owner = ring[at]
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


def of_tags(tag: Int64, window: Int64, period: Int64) -> tuple[Int64, Histories]:
    """Histories for the tags of some conditions (``tag``, ``window``: of each condition, sorted by tag).

    ``period``: expected ms between readings of each tag there is. Returns the ring of each tag, -1 for none.
    """
    if not len(tag):
        nothing = np.empty(0, dtype=np.int64)
        return np.broadcast_to(np.int64(-1), (len(period),)), Histories(nothing, nothing)  # of no size in memory
    watched = np.unique(tag)
    ring = np.full(len(period), -1, dtype=np.int64)
    ring[watched] = np.arange(len(watched))
    longest = np.zeros(len(watched), dtype=np.int64)
    np.maximum.at(longest, ring[tag], window)
    return ring, Histories(longest, longest // np.maximum(period[watched], 1) + 2)


def same_rings(old: Int64, new: Int64, tags: Int64) -> tuple[Int64, Int64]:
    """Rings there and here of the same tags: ``old``, ``new`` are the rings of all tags, -1 for none.

    ``tags[i]`` is the index here of the tag i there, or -1.
    """
    kept = np.flatnonzero((tags >= 0) & (old >= 0))
    kept = kept[new[tags[kept]] >= 0]
    return old[kept], new[tags[kept]]


def spelled_out(begin: Int64, end: Int64) -> tuple[Int64, Int64]:
    """All numbers from ``begin`` to before ``end`` of each entry: its position, and the number."""
    held = end - begin
    owner = np.repeat(np.arange(len(begin)), held)
    return owner, np.repeat(begin - (np.cumsum(held) - held), held) + np.arange(len(owner))


def _power_of_two(least: Int64) -> Int64:
    """The least powers of two that are not less."""
    return np.left_shift(1, np.ceil(np.log2(least)).astype(np.int64))
