"""Which samples count, and in what order.

* A sample counts if it is newer than all earlier ones of its tag: by source time, and by nothing else. Duplicates and
  samples out of order change nothing.
* Where the gateway's clock is checked, a source time further ahead of the received time than the clock tolerance
  counts as that far ahead, so that a clock that was ahead and is set back blinds the rules for no longer.
* A sample that is newer by the gateway's own clock counts even so, at the time of the newest before it if need be:
  several are held back to one instant, and a step back of the service's clock blinds no rule.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from domain.samples import Bool, Float64, Int64, SampleBlock, UInt8
from domain.scales import Quality
from rules.scan import group_begins

TALL = 256
"""Readings of one tag in a block from which on they are evaluated along time [ours, measured]."""
BAD, UNCERTAIN, GOOD = int(Quality.BAD), int(Quality.UNCERTAIN), int(Quality.GOOD)
"""As plain integers: numpy takes ten times as long to compare with an enumeration's members."""


@dataclass(slots=True)
class Latest:
    """The newest sample of each tag, in columns of length n; source_time 0 and value NaN where there was none."""

    source_time: Int64
    received_time: Int64
    value: Float64
    quality: UInt8
    reason: UInt8


_RECORD = np.dtype(
    [
        ("time", np.int64),
        ("source_time", np.int64),
        ("received_time", np.int64),
        ("value", np.float64),
        ("quality", np.uint8),
        ("reason", np.uint8),
    ],
    align=True,
)
"""What is kept of a tag, side by side: among 440,000 tags a sample then touches one place in memory and not six."""


@dataclass(frozen=True, slots=True)
class Readings:
    """The samples of a block that count, at least one, sorted by tag and from older to newer within it.

    time: source time, held back to the clock tolerance; the other columns as in ``SampleBlock``, with ``tag`` as int64
    position: place in the block, that is, in the order of arrival over all tags
    begins, counts: where each tag begins and how many readings it has (length: tags in the block)
    """

    tag: Int64
    time: Int64
    received_time: Int64
    value: Float64
    quality: UInt8
    position: Int64
    begins: Int64
    counts: Int64

    @classmethod
    def of(
        cls, tag: Int64, time: Int64, received_time: Int64, value: Float64, quality: UInt8, position: Int64
    ) -> "Readings":
        """Readings from columns in order."""
        if tag[0] == tag[-1]:
            begins = np.zeros(1, dtype=np.int64)
            return cls(tag, time, received_time, value, quality, position, begins, np.array([len(tag)]))
        begins = group_begins(tag).nonzero()[0]
        counts = np.empty_like(begins)
        np.subtract(begins[1:], begins[:-1], out=counts[:-1])
        counts[-1] = len(tag) - begins[-1]
        return cls(tag, time, received_time, value, quality, position, begins, counts)

    @property
    def is_tall(self) -> bool:
        """Many readings of one tag: what is told of each costs more than what is told of them all."""
        return len(self.begins) == 1 and len(self.time) >= TALL

    def by_tag(self) -> Iterator["Readings"]:
        """The readings of each tag by itself, where that are many."""
        if len(self.begins) == 1 or len(self.time) < TALL * len(self.begins):
            yield self
            return
        for begin, count in zip(self.begins.tolist(), self.counts.tolist(), strict=True):
            own = slice(begin, begin + count)
            yield Readings.of(
                self.tag[own],
                self.time[own],
                self.received_time[own],
                self.value[own],
                self.quality[own],
                self.position[own],
            )

    def of_tags(self, picked: Bool) -> "Readings":
        """All readings of some of the tags, by a mask with one entry a tag."""
        return self if picked.all() else self.where(picked.repeat(self.counts))

    def where(self, picked: Bool) -> "Readings":
        """Those readings that a mask picks, at least one."""
        at = picked.nonzero()[0]
        return Readings.of(
            self.tag[at], self.time[at], self.received_time[at], self.value[at], self.quality[at], self.position[at]
        )


class Arrivals:
    """Admits the samples that count and keeps the newest of each tag."""

    def __init__(self, live_clock: Bool, clock_tolerance: int) -> None:
        self._live_clock = live_clock
        self._tolerance = clock_tolerance
        self._records = records = np.zeros(len(live_clock), dtype=_RECORD)
        records["value"] = np.nan
        self._time = records["time"]
        self._ahead = np.zeros(len(live_clock), dtype=np.int64)
        """The latest source time that was held back."""
        self.latest = Latest(*(records[name] for name in Latest.__slots__))

    def admit(self, block: SampleBlock) -> Readings | None:
        """The samples of a block of at least one that count; None if none does."""
        if len(block) >= TALL and block.tag[0] == block.tag[-1] and (block.tag == block.tag[0]).all():
            readings = self._admit_in_order(block)
            if readings is not None:
                return readings
        key = (block.tag.astype(np.int64) << 32) | np.arange(len(block))
        key.sort()
        order = key & 0xFFFF_FFFF
        tag = key >> 32
        own = block.source_time[order]
        received = block.received_time[order]
        time = own
        ahead = own > received + self._tolerance
        if ahead.any():
            ahead &= self._live_clock[tag]
            time = np.where(ahead, received + self._tolerance, own)
        if not self._all_newer(tag, time):
            known = self._time[tag]
            before = _highest_before(tag, time, known)
            newer = (time > before) | (own > _highest_before(tag, own, np.maximum(known, self._ahead[tag])))
            if not newer.any():
                return None
            time = np.maximum(time, before)
            order, tag, own, received, time = order[newer], tag[newer], own[newer], received[newer], time[newer]
            ahead = ahead[newer]
        if ahead.any():
            np.maximum.at(self._ahead, tag[ahead], own[ahead])
        readings = Readings.of(tag, time, received, block.value[order], block.quality[order], order)
        self._remember(readings, own, block.reason[order])
        return readings

    def _admit_in_order(self, block: SampleBlock) -> Readings | None:
        """A block of one tag, if each sample is newer than the one before and none is ahead; else None."""
        tag, time = int(block.tag[0]), block.source_time
        if time[0] <= self._time[tag] or not (time[1:] > time[:-1]).all():
            return None
        if self._live_clock[tag] and (time > block.received_time + self._tolerance).any():
            return None
        tags = np.broadcast_to(np.int64(tag), time.shape)
        readings = Readings.of(tags, time, block.received_time, block.value, block.quality, np.arange(len(block)))
        self._remember(readings, time, block.reason)
        return readings

    def newest(self, tag: Int64) -> Readings | None:
        """The newest readings of these tags, each once in ``tag`` and sorted, as far as there are any."""
        tag = tag[self.latest.received_time[tag] != 0]
        if not len(tag):
            return None
        latest = self.latest
        return Readings.of(
            tag,
            self._time[tag],
            latest.received_time[tag],
            latest.value[tag],
            latest.quality[tag],
            np.arange(len(tag)),
        )

    def take_over(self, old: Self, tags: Int64) -> None:
        """Take what another has seen; ``tags[i]`` is the index here of its tag i, or -1."""
        kept = np.flatnonzero(tags >= 0)
        self._records[tags[kept]] = old._records[kept]
        self._ahead[tags[kept]] = old._ahead[kept]

    def forget_order(self, tag: Int64) -> None:
        """Whatever comes next of these tags is newer."""
        self._time[tag] = self._ahead[tag] = self.latest.source_time[tag] = 0

    def _all_newer(self, tag: Int64, time: Int64) -> bool:
        """Whether each sample has a later time than the one before: the usual case, and quick to see."""
        ascending = (time[1:] > time[:-1]) | (tag[1:] != tag[:-1])
        return bool((time > self._time[tag]).all() and ascending.all())

    def _remember(self, readings: Readings, own: Int64, reason: UInt8) -> None:
        last = readings.begins + readings.counts - 1
        tag = readings.tag[last]
        latest = self.latest
        self._time[tag] = readings.time[last]
        latest.source_time[tag] = own[last]
        latest.received_time[tag] = readings.received_time[last]
        latest.value[tag] = readings.value[last]
        latest.quality[tag] = readings.quality[last]
        latest.reason[tag] = reason[last]


def _highest_before(tag: Int64, column: Int64, known: Int64) -> Int64:
    """The highest of what is known of a tag and the entries of a column before each, for tags that are sorted."""
    ascending = np.argsort(column, kind="stable")
    rank = np.empty_like(ascending)
    rank[ascending] = np.arange(len(column))
    highest = np.maximum.accumulate((tag << 32) + rank) & 0xFFFF_FFFF
    before = known.copy()
    np.maximum(known[1:], column[ascending[highest[:-1]]], out=before[1:], where=tag[1:] == tag[:-1])
    return before
