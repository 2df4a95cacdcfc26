"""Stuck values: what is measured does not move.

At each reading the readings of the window of source time are looked at: those of the last ``window`` before it and the
one that was in force at the window's beginning. STUCK enters when all lie within the band (the rule's setpoint: highest
- lowest <= band), and leaves with a reading that makes them lie further apart. Without a reading from the window's
beginning it is not covered: that says nothing for being stuck. Only readings of good quality with a finite value
count. A tag that became stale is looked at anew from its next reading on: silence is STALE, and no proof of anything.

Of readings with the same value one after the other only the first is kept: the others tell nothing more.

Nearly all readings change nothing. Of a condition that is out it is known since when its readings lie within the band;
it need not be looked at before the window has passed since then. Of one that is in, the bounds of its readings are.
"""

from collections.abc import Iterator
from typing import Self

import numpy as np

from domain.samples import Bool, Float64, Int64, UInt8
from domain.scales import RuleKind
from domain.site import RuleTable
from rules.arrivals import GOOD, Readings
from rules.conditions import Conditions, Family
from rules.extremes import Extremes
from rules.histories import of_tags, same_rings
from rules.scan import AGAINST, FOR, NEITHER, Toggles

AT_ONCE = 200_000
"""Readings of histories that are looked at at once, about."""


class Stuck(Family):
    """All STUCK rules. ``period``: expected ms between readings of each tag."""

    def __init__(self, rules: RuleTable, period: Int64) -> None:
        rows = np.flatnonzero(rules.kind == RuleKind.STUCK)
        self.conditions = Conditions(rules, rows, len(period))
        self._band = rules.setpoint[rows]
        self._window = np.maximum(rules.window[rows], 1)
        self._ring, self._histories = of_tags(self.conditions.tag, self._window, period)
        self._due = np.zeros(len(rows), dtype=np.int64)
        """Source time before which a condition that is out cannot be for."""
        self._low = np.full(len(rows), -np.inf)
        self._high = np.full(len(rows), np.inf)
        """Bounds of the readings of the window of a condition that is in, or wider."""

    def evaluate(self, readings: Readings) -> Toggles | None:
        """Carry the conditions over the readings; None where nothing toggles."""
        if not len(self.conditions.rows):
            return None
        counts = (self._ring[readings.tag] >= 0) & (readings.quality == GOOD) & np.isfinite(readings.value)
        if not counts.any():
            return None
        readings = readings.where(counts)
        ring = self._ring[readings.tag[readings.begins]]
        number = self._keep(readings, ring)
        with np.errstate(over="ignore"):
            stirs = self._stirs(readings)
            return self._run(readings, number, stirs) if stirs.any() else None

    def _keep(self, readings: Readings, ring: Int64) -> Int64:
        """Append the readings that differ from the one before; returns for all the number of the last kept so far."""
        before = np.empty_like(readings.value)
        before[1:] = readings.value[:-1]
        before[readings.begins] = self._histories.last_value(ring)
        differs = readings.value != before
        kept: Int64 = np.cumsum(differs)
        first = kept[readings.begins] - differs[readings.begins]
        number: Int64 = (self._histories.next(ring) - first - 1).repeat(readings.counts) + kept
        if differs.any():
            own = readings.where(differs)
            asked_from = readings.time[readings.begins][np.logical_or.reduceat(differs, readings.begins)]
            own_ring = self._ring[own.tag[own.begins]]
            self._histories.append(own_ring, own.begins, own.counts, own.time, own.value, asked_from)
        return number

    def _stirs(self, readings: Readings) -> Bool:
        """Which tags of the readings have a condition that may change."""
        owner, condition = self.conditions.pairs(readings.tag[readings.begins])
        last = readings.time[readings.begins + readings.counts - 1]
        lowest = np.minimum.reduceat(readings.value, readings.begins)
        highest = np.maximum.reduceat(readings.value, readings.begins)
        self._low[condition] = np.minimum(self._low[condition], lowest[owner])
        self._high[condition] = np.maximum(self._high[condition], highest[owner])
        moves = self._high[condition] - self._low[condition] > self._band[condition]
        may = np.where(self.conditions.state.inside[condition], moves, last[owner] >= self._due[condition])
        may |= ~self.conditions.steady(condition)
        stirs = np.zeros(len(readings.begins), dtype=np.bool_)
        stirs[owner[may]] = True
        return stirs

    def _run(self, readings: Readings, number: Int64, stirs: Bool) -> Toggles | None:
        """Evaluate the tags that a mask, one entry a tag, picks."""
        number = number[stirs.repeat(readings.counts)]
        readings = readings.of_tags(stirs)
        reading, condition = self.conditions.pairs(readings.tag)
        tag = readings.tag[readings.begins]
        ring = self._ring[tag]
        place = np.repeat(np.arange(len(ring)), readings.counts)[reading]
        time = readings.time[reading]
        verdict = np.empty(len(reading), dtype=np.uint8)
        spread = np.empty(len(reading))
        held = self._histories.next(ring) - self._histories.oldest(ring)
        for begin, end in _parts(held):
            part = slice(*np.searchsorted(place, (begin, end)))
            verdict[part], spread[part] = self._look(
                ring[begin:end], place[part] - begin, number[reading[part]], time[part], condition[part]
            )
        received = readings.received_time[reading]
        return self.conditions.run(condition, time, received, spread, verdict)

    def _look(self, ring: Int64, place: Int64, number: Int64, time: Int64, condition: Int64) -> tuple[UInt8, Float64]:
        """Verdict and spread of readings, by their numbers and times; ``place`` is the position in ``ring``, sorted."""
        oldest = self._histories.oldest(ring)
        owner, _, kept_time, value = self._histories.since(ring, oldest)
        extremes = Extremes(value)
        begin = np.searchsorted(owner, np.arange(len(ring)))[place]
        at = begin + number - oldest[place]
        since = time - self._window[condition] + 1
        inside = self._histories.first_not_before(ring[place], number + 1, since)
        first = begin + inside - oldest[place]
        covered = first > begin
        first = np.maximum(first - 1, begin)
        low, high = extremes.between(first, at)
        spread = high - low
        within = spread <= self._band[condition]
        verdict = np.where(within, np.where(covered, np.uint8(FOR), np.uint8(NEITHER)), np.uint8(AGAINST))
        which, from_end = np.unique(condition[::-1], return_index=True)
        last = len(condition) - 1 - from_end
        self._low[which], self._high[which] = low[last], high[last]
        unmoved = extremes.within(at[last], begin[last], self._band[which])
        self._due[which] = kept_time[unmoved] + self._window[which]
        return verdict, spread

    def settle(self, condition: Int64) -> None:
        """Nothing is known of the readings of these conditions: look at them with the next."""
        self._due[condition] = 0
        self._low[condition], self._high[condition] = -np.inf, np.inf

    def begin_anew(self, tag: Int64) -> None:
        """Forget the readings of these tags."""
        self._forget(tag)
        super().begin_anew(tag)

    def minds_silence(self) -> Int64:
        """Its tags: a stuck value is proven anew after a silence."""
        return self.conditions.tag

    def fall_silent(self, tag: Int64, now: int) -> Toggles | None:
        """Forget the readings of tags that have become stale."""
        del now
        self._forget(tag)
        _, condition = self.conditions.pairs(tag)
        self.settle(condition)
        return None

    def _forget(self, tag: Int64) -> None:
        ring = self._ring[tag]
        self._histories.forget(ring[ring >= 0])

    def take_over(self, old: Self, tags: Int64, rows: Int64) -> Int64:
        """Go on where another left off, with its readings."""
        self._histories.take_over(old._histories, *same_rings(old._ring, self._ring, tags))
        return super().take_over(old, tags, rows)


def _parts(size: Int64) -> Iterator[tuple[int, int]]:
    """Begin and end of parts of bounded size together."""
    part = np.cumsum(size) // AT_ONCE
    ends = [*(np.flatnonzero(part[1:] != part[:-1]) + 1).tolist(), len(size)]
    yield from zip([0, *ends[:-1]], ends, strict=True)
