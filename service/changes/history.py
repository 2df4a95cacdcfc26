"""A stretch of the historian as a recording: what backtests of a running service read."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from domain.samples import SampleBlock
from domain.site import Tag
from historian.protocol import Historian, Samples
from tuning.readings.recording import ROWS, About, RecordedTag, RecordingWriter

Result = TypeVar("Result")

PAGE = 10_000
"""Readings asked for at once: an answer of this size is unpacked within about 10 ms [ours]."""
MOST_OF_TAG = 5_000_000
"""Readings of one tag, which are in memory at once, 65 bytes each [measured]: a day at 57 Hz [ours]."""


class TooMuch(Exception):
    """More readings than may be read; the message says so and what to do."""


@dataclass(frozen=True, slots=True)
class Span:
    """What there was of a tag. Source times in ms UTC, 0 if there was nothing."""

    readings: int
    first: int
    last: int


async def record(
    historian: Historian,
    tags: Sequence[Tag],
    begin: int,
    end: int,
    path: Path,
    most: int,
    progress: Callable[[float], None] | None = None,
) -> dict[str, Span]:
    """Write the readings of some tags, begin <= source time < end (ms), to a recording at ``path``.

    ``progress`` is called with the part that is done, 0 to 1. Returns what there was, by the tags' paths. Raises
    HistorianUnavailable, OSError, TooMuch beyond ``most`` readings or ``MOST_OF_TAG``; then there is no file.
    """
    told = progress or (lambda _: None)
    recorded = tuple(RecordedTag(tag.path, tag.unit, tag.engineering_unit, tag.measurand, tag.period) for tag in tags)
    spans: dict[str, Span] = {}
    left = most
    writer = await _to_its_end(RecordingWriter, path, About(recorded, "historian", live_clock=True))
    try:
        for number, tag in enumerate(tags):
            pages: list[Samples] = []
            at, own = begin, 0
            while at < end:
                page = await historian.read(tag.path, at, end, PAGE)
                left -= len(page)
                own += len(page)
                _refuse_too_many(left, most, tags, end - begin)
                _refuse_too_dense(own, tag, at - begin, end - begin)
                pages.append(page)
                if len(page) < PAGE:
                    break
                at = int(page.source_time[-1]) + 1
                told((number + (at - begin) / (end - begin)) / len(tags))
            spans[tag.path] = await _to_its_end(_write, writer, number, pages)
            told((number + 1) / len(tags))
        await _to_its_end(writer.close)
    except BaseException as error:
        writer.__exit__(type(error), error, None)
        raise
    return spans


async def _to_its_end(act: Callable[..., Result], *arguments: Any) -> Result:
    """Act in a thread. Who is cancelled waits for it: it goes on writing, and nobody may close its file meanwhile."""
    done = asyncio.ensure_future(asyncio.to_thread(act, *arguments))
    try:
        return await asyncio.shield(done)
    except asyncio.CancelledError:
        while not done.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([done])
        done.exception()  # looked at: it matters to nobody any more
        raise


def _refuse_too_many(left: int, most: int, tags: Sequence[Tag], length: int) -> None:
    if left < 0:
        raise TooMuch(
            f"more than {most:,} readings in {length / 86_400_000:.3g} days of {len(tags)} tags: "
            "ask for fewer days, or change fewer rules at a time"
        )


def _refuse_too_dense(own: int, tag: Tag, read: int, length: int) -> None:
    if own > MOST_OF_TAG:
        raise TooMuch(
            f"more than {MOST_OF_TAG:,} readings of {tag.path} in {length / 86_400_000:.3g} days, the first "
            f"{read / 86_400_000:.3g} hold as many: ask for fewer days"
        )


def _write(writer: RecordingWriter, tag: int, pages: list[Samples]) -> Span:
    """One tag, in the order of arrival: the historian orders by source time.

    Part by part, and ``pages`` is emptied: the service has millions of them in memory as seldom as may be.
    """
    count = sum(map(len, pages))
    if not count:
        return Span(0, 0, 0)
    received, source, value, quality, reason = (
        np.concatenate([getattr(page, name) for page in pages])
        for name in ("received_time", "source_time", "value", "quality", "reason")
    )
    pages.clear()
    order = np.argsort(received, kind="stable")
    for begin in range(0, count, ROWS):
        part = order[begin : begin + ROWS]
        tags = np.full(len(part), tag, dtype=np.int32)
        writer.write_tag(SampleBlock(tags, source[part], received[part], value[part], quality[part], reason[part]))
    return Span(count, int(source[0]), int(source[-1]))
