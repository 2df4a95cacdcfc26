"""Readings of several tags at common instants: what rules over a unit see, from a recording.

At each instant a tag has its newest reading that was not later (sample and hold, as the live rules have it), if that is
GOOD, finite and not older than ``HELD`` of the tag's or the grid's period, whichever is longer.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from domain.samples import Bool, Float64, Int64
from domain.scales import Quality
from tuning.readings.recording import Recording

HELD = 3
"""Periods that a reading stands for, as STALE has it by default."""
MOST_CELLS = 10_000_000
"""Instants times tags: 80 MB [ours]."""
_LOOKED_AT = 2_000
"""Readings of a tag from which its own period is told."""


class AlignmentError(Exception):
    """What cannot be brought together; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows at common instants.

    time: int64, r, ms UTC, ascending; value: float64, r x n, NaN where there is none
    """

    time: Int64
    value: Float64
    period: int
    """ms between instants; a longer step is a gap."""

    def __len__(self) -> int:
        return len(self.time)

    def where(self, kept: Bool) -> "Table":
        """Some rows."""
        return Table(self.time[kept], self.value[kept], self.period)

    def tags(self, kept: Sequence[int]) -> "Table":
        """Some columns."""
        return Table(self.time, self.value[:, kept], self.period)


def usual_period(recording: Recording, tags: Sequence[int], begin: int, end: int) -> int:
    """Median over the tags of the median time between their readings, ms. Raises AlignmentError if none has two."""
    steps = []
    for tag in tags:
        time = next(iter(recording.read_tag(tag, begin, end)), None)
        if time is not None and len(time) > 1:
            steps.append(float(np.median(np.diff(np.sort(time.source_time[:_LOOKED_AT])))))
    if not steps:
        raise AlignmentError("no tag has two readings in the span: look at --from and --to, and at the tags' names")
    return max(int(np.median(steps)), 1)


def align(
    recording: Recording,
    tags: Sequence[int],
    begin: int,
    end: int,
    period: int,
    progress: Callable[[int], None] = lambda _: None,
) -> Table:
    """Rows of these tags (indices into the recording's) from ``begin`` to before ``end``, every ``period`` ms.

    ``progress`` is called with the number of readings read since the last call. Raises AlignmentError.
    """
    count = max(-((begin - end) // period), 0)
    if not count:
        raise AlignmentError("the span holds no time: look at --from and --to")
    if count * len(tags) > MOST_CELLS:
        enough = -(-(end - begin) * len(tags) // MOST_CELLS)
        raise AlignmentError(
            f"{count} instants of {len(tags)} tags are more than memory should hold: give a shorter span, "
            f"or --period {-(-enough // 1000)}s or longer"
        )
    time = begin + np.arange(count, dtype=np.int64) * period
    value = np.full((count, len(tags)), np.nan)
    for column, tag in enumerate(tags):
        longest = HELD * max(period, recording.tags[tag].period)
        reach = begin - longest
        carried: tuple[int, float] | None = None
        for block in recording.read_tag(tag, reach, end):
            progress(len(block))
            order = np.argsort(block.source_time, kind="stable")
            at = block.source_time[order]
            known = (block.quality[order] == Quality.GOOD) & np.isfinite(block.value[order])
            read = np.where(known, block.value[order], np.nan)
            if carried is not None:
                at, read = np.append(carried[0], at), np.append(carried[1], read)
            carried = int(at[-1]), float(read[-1])
            first = int(np.searchsorted(time, at[0]))
            newest = np.searchsorted(at, time[first:], side="right") - 1
            held = time[first:] - at[newest] <= longest
            value[first:, column] = np.where(held, read[newest], np.nan)
    return Table(time, value, period)
