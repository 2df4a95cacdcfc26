"""Recordings made from what readings are kept in elsewhere: tables of text, and the historian."""

from collections.abc import Callable, Sequence
from itertools import islice

import numpy as np

from domain.ranges import doubt
from domain.samples import Float64, Int64, SampleBlock, UInt8
from domain.scales import Quality
from domain.site import Site, Tag
from historian.protocol import Historian, Samples
from tuning.readings.recorded import Recorded, Row
from tuning.readings.recording import RecordedTag, RecordingWriter

ROWS = 4_096
"""Rows of a table that are written at once."""
PAGE = 200_000
"""Samples that the historian is asked for at once."""

Progress = Callable[[int], None]


def described(site: Site, path: str) -> RecordedTag:
    """A tag as a recording describes it; by its path alone where the site does not have it."""
    index = site.tag_index.get(path)
    if index is None:
        return RecordedTag(path)
    tag = site.tags[index]
    return RecordedTag(path, f"{tag.enterprise}/{tag.unit}", tag.engineering_unit, tag.measurand, tag.period)


def write_table(recorded: Recorded, paths: Sequence[str], site: Site, writer: RecordingWriter, done: Progress) -> None:
    """Write a table's readings; a cell without a number is a BAD reading, and ranges are those of the site.

    ``paths``: of the table's tags, in the order of its columns; ``done`` is called with the number of rows.
    """
    tags = [site.tags[site.tag_index[path]] if path in site.tag_index else None for path in paths]
    rows = iter(recorded)
    while chunk := list(islice(rows, ROWS)):
        writer.write(_block(chunk, tags))
        done(len(chunk))


async def write_history(
    historian: Historian, paths: Sequence[str], begin: int, end: int, writer: RecordingWriter, done: Progress
) -> None:
    """Write what the historian has of some tags with begin <= source time < end, in the order of its arrival.

    ``paths``: of all tags of the recording. The order is kept within ``PAGE`` samples of a tag. ``done`` is called with
    the ms of source time that are behind. Raises HistorianUnavailable.
    """
    for index, path in enumerate(paths):
        at = begin
        while at < end:
            samples = await historian.read(path, at, end, PAGE)
            if len(samples):
                writer.write_tag(_in_order(index, samples))
            following = int(samples.source_time[-1]) + 1 if len(samples) == PAGE else end
            done(following - at)
            at = following


def _in_order(tag: int, samples: Samples) -> SampleBlock:
    order: Int64 | slice = slice(None)
    if (samples.received_time[1:] < samples.received_time[:-1]).any():
        order = np.argsort(samples.received_time, kind="stable")
    return SampleBlock(
        np.full(len(samples), tag, dtype=np.int32),
        samples.source_time[order],
        samples.received_time[order],
        samples.value[order],
        samples.quality[order],
        samples.reason[order],
    )


def _block(rows: Sequence[Row], tags: Sequence[Tag | None]) -> SampleBlock:
    """Rows as readings, each received when it was made."""
    count, width = len(rows), len(tags)
    cells = [list(values.values()) for _, values in rows]
    value: Float64 = np.array(cells, dtype=np.float64).ravel()
    time = np.array([time for time, _ in rows], dtype=np.int64).repeat(width)
    quality: UInt8 = np.full(count * width, Quality.GOOD, dtype=np.uint8)
    reason: UInt8 = np.zeros(count * width, dtype=np.uint8)
    low = np.tile([tag.low if tag else -np.inf for tag in tags], count)
    high = np.tile([tag.high if tag else np.inf for tag in tags], count)
    doubt(value, quality, reason, low, high, np.isfinite(low) & np.isfinite(high))
    return SampleBlock(np.tile(np.arange(width, dtype=np.int32), count), time, time, value, quality, reason)
