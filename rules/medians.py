"""Distance of a value from the moving median of its own tag.

The reference is the median of the readings of the window of source time before the reading, itself left out, as far as
they are of good quality and finite; of an even number of them the mean of the two in the middle. With fewer than three
nothing is said. What the distance does: ``deviations``.

Nearly all readings change nothing. While the readings of a window lie closer together than the least setpoint of their
tag, no condition that is out can enter, and the median itself need not be known.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import Self

import numpy as np

from domain.samples import Bool, Float64, Int64
from domain.site import RuleTable
from rules.arrivals import BAD, GOOD, Readings
from rules.conditions import Conditions, Family
from rules.deviations import deviations_from, distances, verdict_of
from rules.histories import of_tags, same_rings, spelled_out
from rules.inputs import SILENT
from rules.scan import Toggles, group_begins, together

LEAST = 3
"""Readings that a median is taken of, at the least."""
RARE = 32
"""A stretch of a length that fewer than one in so many have is sorted by itself [ours, measured]."""
AT_ONCE = 1_000_000
"""Readings that are sorted at once, about."""


class MedianDeviations(Family):
    """All deviations from the own moving median. ``period``: expected ms between readings of each tag."""

    def __init__(self, rules: RuleTable, period: Int64) -> None:
        rows, references = deviations_from(rules, "median")
        self.conditions = Conditions(rules, rows, len(period))
        self._setpoints = distances(rules, self.conditions)
        self._window = np.array([max(reference.window, 1) for reference in references], dtype=np.int64)
        self._ring, self._histories = of_tags(self.conditions.tag, self._window, period)
        rings = int(self._ring.max(initial=-1)) + 1
        self._least = np.full(rings, np.inf)
        """The least setpoint of a tag."""
        self._busy = np.zeros(rings, dtype=np.bool_)
        self.settle(np.arange(len(rows)))
        if len(rows):
            import scipy.ndimage  # noqa: F401, PLC0415 - takes long: not when the first large block of a tag is here

    def evaluate(self, readings: Readings) -> Toggles | None:
        """Carry the conditions over the readings; None where nothing toggles."""
        if not len(self.conditions.rows):
            return None
        looked_at = (self._ring[readings.tag] >= 0) & (readings.quality != BAD) & ~np.isnan(readings.value)
        if not looked_at.any():
            return None
        readings = readings.where(looked_at)
        parts = list(readings.by_tag())
        if len(parts) > 1:
            return together([self.evaluate(part) for part in parts])
        ring = self._ring[readings.tag[readings.begins]]
        kept = (readings.quality == GOOD) & np.isfinite(readings.value)
        if readings.is_tall and kept.any():
            return self._along(readings, kept)
        number = self._keep(readings, ring, kept)
        with np.errstate(over="ignore", invalid="ignore"):
            stirs = (self._spread(readings, ring) >= self._least[ring]) | self._busy[ring]
            return self._run(readings, number, stirs) if stirs.any() else None

    def _keep(self, readings: Readings, ring: Int64, kept: Bool) -> Int64:
        """Append the readings that a mask picks; returns for all how many of their ring came before."""
        before: Int64 = np.cumsum(kept) - kept
        number = (self._histories.next(ring) - before[readings.begins]).repeat(readings.counts) + before
        if kept.any():
            own = readings.where(kept)
            asked_from = readings.time[readings.begins][np.logical_or.reduceat(kept, readings.begins)]
            own_ring = self._ring[own.tag[own.begins]]
            self._histories.append(own_ring, own.begins, own.counts, own.time, own.value, asked_from)
        return number

    def _spread(self, readings: Readings, ring: Int64) -> Float64:
        """At least the greatest distance of a new reading from any of its window."""
        low, high = self._histories.bounds(ring)
        low = np.minimum(low, np.minimum.reduceat(readings.value, readings.begins))
        high = np.maximum(high, np.maximum.reduceat(readings.value, readings.begins))
        return high - low

    def _run(self, readings: Readings, number: Int64, stirs: Bool) -> Toggles | None:
        """Evaluate the tags that a mask, one entry a tag, picks."""
        number = number[stirs.repeat(readings.counts)]
        readings = readings.of_tags(stirs)
        reading, condition = self.conditions.pairs(readings.tag)
        ring = self._ring[readings.tag[reading]]
        since = readings.time[reading] - self._window[condition]
        first = self._histories.first_not_before(ring, number[reading], since)
        distance = readings.value[reading] - self._medians(ring, first, number[reading])
        verdict = verdict_of(self._setpoints, condition, distance, readings.quality[reading] == GOOD)
        said = verdict != SILENT
        toggles = self.conditions.run(
            condition[said],
            readings.time[reading[said]],
            readings.received_time[reading[said]],
            distance[said],
            verdict[said],
        )
        self.settle(np.unique(condition))
        return toggles

    def _along(self, readings: Readings, kept: Bool) -> Toggles | None:
        """The same of many readings of one tag; a mask picks those that medians are taken of."""
        tag = int(readings.tag[0])
        ring = int(self._ring[tag])
        asked_from = int(readings.time[0])
        _, time, value = self._histories.along(ring, readings.time[kept], readings.value[kept], asked_from)
        lowest, highest = min(value.min(), readings.value.min()), max(value.max(), readings.value.max())
        own = self.conditions.of_tag(tag)
        found = []
        with np.errstate(over="ignore", invalid="ignore"):
            if highest - lowest < self._least[ring] and not self._busy[ring]:
                return None
            end = len(time) - int(kept.sum()) + np.cumsum(kept) - kept
            for condition in own:
                first = np.minimum(np.searchsorted(time, readings.time - self._window[condition]), end)
                distance = readings.value - rolling_medians(value, first, end)
                verdict = verdict_of(self._setpoints, condition, distance, readings.quality == GOOD)
                said = verdict != SILENT
                columns = (readings.time, readings.received_time, distance, verdict)
                found.append(self.conditions.along(condition, *(column[said] for column in columns)))
        self.settle(np.array(own, dtype=np.int64))
        return together(found)

    def _medians(self, ring: Int64, first: Int64, end: Int64) -> Float64:
        """Median of the readings ``first`` to before ``end`` of each of some rings; NaN of fewer than three."""
        count = end - first
        medians = np.full(len(ring), np.nan)
        for part in _parts(np.flatnonzero(count >= LEAST), count):
            owner, value = self._histories.between(ring[part], first[part], end[part])
            medians[part] = _sorted_medians(owner, value, count[part])
        return medians

    def limit(self, condition: Int64, setpoint: Float64, deadband: Float64) -> None:
        """Set other setpoints, NaN for no limit."""
        self._setpoints.change(condition, setpoint, deadband)
        self.settle(condition)

    def settle(self, condition: Int64) -> None:
        """Note which tags have a condition that is in or has a run under way, and what can enter one."""
        if not len(condition):
            return
        tag, begins, condition = self.conditions.of_same_tags(condition)
        ring = self._ring[tag]
        self._least[ring] = np.minimum.reduceat(self._setpoints.enter[condition], begins)
        self._busy[ring] = np.logical_or.reduceat(self.conditions.busy(condition), begins)

    def begin_anew(self, tag: Int64) -> None:
        """Forget the readings of these tags."""
        ring = self._ring[tag]
        self._histories.forget(ring[ring >= 0])
        super().begin_anew(tag)

    def take_over(self, old: Self, tags: Int64, rows: Int64) -> Int64:
        """Go on where another left off, with its readings."""
        self._histories.take_over(old._histories, *same_rings(old._ring, self._ring, tags))
        return super().take_over(old, tags, rows)


def rolling_medians(value: Float64, first: Int64, end: Int64) -> Float64:
    """Median of the values ``first`` to before ``end``, for each of many stretches; NaN of fewer than three.

    Most stretches are equally long, where readings come at even intervals: a rank filter goes over all of those.
    """
    count = end - first
    medians = np.full(len(count), np.nan)
    rest = count >= LEAST
    for length in np.flatnonzero(np.bincount(count[rest]) >= max(len(count) // RARE, LEAST)).tolist():
        same = count == length
        low = _ranked(value, (length - 1) // 2, length)
        high = low if length % 2 else _ranked(value, length // 2, length)
        at = first[same] + length // 2
        medians[same] = low[at] if length % 2 else low[at] / 2 + high[at] / 2
        rest &= ~same
    if count[rest].sum() > AT_ONCE:
        medians[rest] = _sliding(value, first[rest], end[rest])
        return medians
    for part in _parts(np.flatnonzero(rest), count):
        owner, place = spelled_out(first[part], end[part])
        medians[part] = _sorted_medians(owner, value[place], count[part])
    return medians


def _sliding(value: Float64, first: Int64, end: Int64) -> list[float]:
    """The same of stretches whose ends never go back: one sorted list, into which readings come and from which they go.

    For readings at uneven intervals: to sort each long stretch by itself would hold up everything else for a minute.
    """
    values, held, medians = value.tolist(), list[float](), []
    begin = until = int(first[0])
    for low, high in zip(first.tolist(), end.tolist(), strict=True):
        for entry in values[until:high]:
            insort(held, entry)
        for entry in values[begin:low]:
            del held[bisect_left(held, entry)]
        begin, until = low, high
        count = len(held)
        middle = held[count // 2]
        medians.append(middle if count % 2 else held[count // 2 - 1] / 2 + middle / 2)
    return medians


def _ranked(value: Float64, rank: int, length: int) -> Float64:
    """At each place the value of a rank among the ``length`` values of which it is the middle one."""
    from scipy.ndimage import rank_filter  # noqa: PLC0415 - takes long, and few sites have medians

    ranked = np.empty_like(value)
    rank_filter(value, rank, size=length, output=ranked)
    return ranked


def _sorted_medians(owner: Int64, value: Float64, count: Int64) -> Float64:
    """Median of the values of each owner; ``count``: how many each has, at least one."""
    value = value[np.lexsort((value, owner))]
    begins = np.flatnonzero(group_begins(owner))
    low = begins + (count - 1) // 2
    high = begins + count // 2
    medians: Float64 = np.where(low == high, value[low], value[low] / 2 + value[high] / 2)
    return medians


def _parts(entries: Int64, size: Int64) -> Iterator[Int64]:
    """The entries in parts of bounded size together."""
    if len(entries):
        part = np.cumsum(size[entries]) // AT_ONCE
        yield from np.split(entries, np.flatnonzero(part[1:] != part[:-1]) + 1)
