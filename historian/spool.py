"""The disk spool: every sample is here, synced, before the broker is told that it was taken.

Samples are numbered from 0 for the life of the spool; a position is the number of the next sample to forward. The
directory holds:

``<ordinal>-<revision>.seg``  segments, see ``historian.segment``
``tags-<revision>.json``      the tag paths that segments of this revision refer to, written before them
``cursor.json``               the forwarded position, replaced atomically; if lost, all that is kept is forwarded again
``lock``                      held by the process that has the spool open

What a crash leaves behind: all records whose append returned, perhaps records whose append did not return (their
messages come again from the broker; samples are idempotent by tag and source time), and a torn tail, which is cut.
"""

import contextlib
import errno
import fcntl
import json
import re
import threading
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import structlog

from domain.samples import SampleBlock
from historian.catalogue import REVISION, Catalogue
from historian.files import sync, sync_directory, write_all, write_whole
from historian.segment import Segment, decode, encode, record_bytes, records

log = structlog.get_logger(__name__)

_SEGMENT_NAME = re.compile(rf"(\d{{20}})-({REVISION.pattern})\.seg")
_SEGMENTS_A_READ = 8
_ALL = 1 << 62


class SpoolFull(Exception):
    """The size limit is reached and nothing forwarded is left to drop: nothing was appended."""


class SpoolBusy(Exception):
    """Another process has the spool open."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Samples to forward. ``block.tag`` is an index into ``paths``, the tags of the revision they were written under.

    ``paths`` is the same object for all batches of one revision. The block is empty where damage ate the samples
    before ``position``.
    """

    block: SampleBlock
    paths: Sequence[str]
    position: int
    """What to pass to ``advance`` when the batch is done, and to ``read`` for the one after it."""


class Spool:
    """Thread-safe: one thread may append while others read and advance. Times in ms UTC."""

    def __init__(
        self,
        directory: Path,
        tag_paths: Sequence[str],
        revision: str,
        *,
        max_bytes: int = 8_000_000_000,
        segment_bytes: int = 16_000_000,
        retention: int = 600_000,
    ) -> None:
        """Open or create. Raises SpoolBusy, OSError, ValueError (a revision that names another tag list).

        retention: how long forwarded samples are kept for ``recent``, by received time.
        """
        self.directory = directory
        self.max_bytes = max_bytes
        self.corrupt_samples = 0
        """Samples that damage on disk has made unreadable, since the spool was opened."""
        self.cut_bytes = 0
        """Length of the torn tail that was cut when the spool was opened."""
        self.on_append: Callable[[], None] | None = None
        """Called in the appending thread after each append."""
        self._segment_bytes = min(segment_bytes, max_bytes // 4)
        self._retention = retention
        self._appending = threading.Lock()
        self._reading = threading.Lock()
        self._state = threading.RLock()
        self._active: BinaryIO | None = None
        self._segments: list[Segment] = []
        self._bytes = 0
        self._next = 0
        self._cursor = 0
        self._received_now = -_ALL
        self._hint = (-1, 0, 0)
        directory.mkdir(parents=True, exist_ok=True)
        self._lock: BinaryIO | None = self._take_lock()
        try:
            self._catalogue = Catalogue(directory, tag_paths, revision)
            self._open_segments()
        except BaseException:
            self.close()
            raise
        self._counted = self._cursor
        self._resumable = bool(self._segments) and self._segments[-1].revision == revision

    # ---- opening and closing

    def _take_lock(self) -> BinaryIO:
        lock = (self.directory / "lock").open("ab")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise SpoolBusy(f"{self.directory} is open in another process") from None
        return lock

    def _open_segments(self) -> None:
        for path in sorted(self.directory.glob("*.seg")):
            if match := _SEGMENT_NAME.fullmatch(path.name):
                self._segments.append(Segment(path, int(match[1]), match[2], path.stat().st_size))
        if self._segments:
            self._cut_tail(self._segments[-1])
        filled = next((segment for segment in reversed(self._segments) if segment.end), None)
        self._received_now = self._latest(filled) if filled else -_ALL
        self._catalogue.keep({segment.revision for segment in self._segments})
        self._bytes = sum(segment.end for segment in self._segments)
        self._cursor = self._read_cursor()
        self._next = max(self._next, self._cursor)

    def _cut_tail(self, last: Segment) -> None:
        """Cut what follows the last sound record of the last segment."""
        end, self._next = 0, last.first
        with last.path.open("r+b", buffering=0) as file:
            for record in records(file, 0, last.end):
                if record.sound:
                    end, self._next = record.end, record.ordinal + record.count
            if end < last.end:
                self.cut_bytes = last.end - end
                log.warning("spool tail cut", file=last.path.name, cut_bytes=self.cut_bytes)
                file.truncate(end)
            sync(file)
        last.end = end

    def _read_cursor(self) -> int:
        path, oldest = self.directory / "cursor.json", self._segments[0].first if self._segments else 0
        try:
            return max(int(json.loads(path.read_bytes())["position"]), oldest)
        except FileNotFoundError:
            return oldest
        except (ValueError, KeyError, TypeError):
            log.warning("spool cursor unreadable, all that is kept is forwarded again", file=str(path))
            return oldest

    def close(self) -> None:
        """Let the files and the lock go. May be called twice; appending afterwards raises ValueError."""
        with self._appending:
            for file in (self._active, self._lock):
                if file:
                    file.close()
            self._active = self._lock = None

    # ---- appending

    def append(self, blocks: Sequence[SampleBlock]) -> None:
        """Write the blocks and sync. On return they are on disk; when it raises, they don't count as appended.

        ``tag`` is an index into the ``tag_paths`` of the constructor. Raises SpoolFull, OSError.
        """
        block = SampleBlock.concatenate(blocks)
        if not len(block):
            return
        size = record_bytes(len(block))
        with self._appending:
            if not self._lock:
                raise ValueError("the spool is closed")
            self._make_room(size)
            try:
                segment = self._write(block, size)
            except OSError as error:
                if error.errno != errno.ENOSPC or not self._give_way():
                    raise
                segment = self._write(block, size)
            with self._state:
                segment.end += size
                self._bytes += size
                self._next += len(block)
                latest = int(block.received_time.max())
                segment.received_max = latest if segment.received_max is None else max(latest, segment.received_max)
                self._received_now = max(self._received_now, latest)
        if callback := self.on_append:
            callback()

    def _write(self, block: SampleBlock, size: int) -> Segment:
        """Write and sync; returns the segment that the block is in."""
        file, segment = self._writable(size)
        try:
            write_all(file, encode(block, self._next))
            sync(file)
        except BaseException:
            self._abandon(segment)
            raise
        return segment

    def _give_way(self) -> bool:
        """The disk is full: drop all segments that are forwarded. Whether there were any."""
        with self._state:
            before = len(self._segments)
            self._drop(lambda _: True)
            return len(self._segments) < before

    def _make_room(self, size: int) -> None:
        with self._state:
            self._drop(lambda _: self._bytes + size > self.max_bytes)
            if self._bytes + size > self.max_bytes:
                raise SpoolFull(f"{self.directory} has reached its limit of {self.max_bytes} bytes")

    def _writable(self, size: int) -> tuple[BinaryIO, Segment]:
        """The file to append to. The last one of an earlier run goes on if its revision is ours."""
        if self._resumable:
            self._resumable = False
            self._active = self._segments[-1].path.open("r+b", buffering=0)
            self._active.seek(self._segments[-1].end)
        if self._active:
            segment = self._segments[-1]
            if not segment.end or segment.end + size <= self._segment_bytes:
                return self._active, segment
            self._active.close()
            self._active = None
        revision = self._catalogue.revision
        segment = Segment(self.directory / f"{self._next:020d}-{revision}.seg", self._next, revision, 0)
        with self._state:
            while self._segments and self._segments[-1].first == segment.first:
                self._segments.pop().path.unlink(missing_ok=True)  # empty: nothing was ever appended to it
        file = segment.path.open("wb", buffering=0)
        try:
            sync_directory(self.directory)
        except BaseException:
            file.close()
            raise
        with self._state:
            self._active = file
            self._segments.append(segment)
            self._purge()
        return file, segment

    def _abandon(self, segment: Segment) -> None:
        """After a failed write or sync the page cache can't be trusted: this file is not written to again."""
        file, self._active = self._active, None
        if file:
            with contextlib.suppress(OSError):
                file.truncate(segment.end)
            with contextlib.suppress(OSError):
                file.close()

    # ---- another list of tags

    def prepare(self, tag_paths: Sequence[str], revision: str) -> None:
        """Write a list of tags that ``rebase`` may take. Raises OSError, ValueError."""
        self._catalogue.add(tag_paths, revision)

    def rebase(self, revision: str, retention: int) -> None:
        """From now on ``append`` takes indices into the list of a revision that was prepared.

        What was appended before stays as it is and is forwarded by its own list.
        """
        with self._appending:
            self._retention = retention
            if revision == self._catalogue.revision:
                return
            self._catalogue.revision = revision
            self._resumable = False
            if self._active:
                self._active.close()
                self._active = None

    # ---- forwarding

    def read(self, max_samples: int, position: int | None = None) -> Batch | None:
        """The next samples from ``position`` on (by default the forwarded position); None: there are none.

        Damaged records are passed over and counted in ``corrupt_samples``. Raises OSError.
        """
        with self._reading:
            with self._state:
                start = self._cursor if position is None else max(position, self._cursor)
                if start >= self._next:
                    return None
                listed = self._listed(self._at(start), _SEGMENTS_A_READ)
            blocks: list[SampleBlock] = []
            left, revision = max_samples, listed[0][0].revision
            for segment, length, limit in listed:
                if segment.revision != revision or not left:
                    break
                offset = self._hint[1] if self._hint[0] == segment.first and self._hint[2] <= start else 0
                for at, ordinal, block in self._read_segment(segment, offset, length, (start, limit), left):
                    self._count_gap(segment, start, ordinal)
                    self._hint = (segment.first, at, ordinal)
                    blocks.append(block)
                    start, left = ordinal + len(block), left - len(block)
                if left:
                    self._count_gap(segment, start, limit)
                    start = limit
            return Batch(SampleBlock.concatenate(blocks), self._catalogue.paths(revision), start)

    def _at(self, position: int) -> int:
        """Index of the segment that a position is in."""
        return max(bisect_right(self._segments, position, key=lambda segment: segment.first) - 1, 0)

    def _listed(self, at: int, count: int) -> list[tuple[Segment, int, int]]:
        """Segments from an index on, each with its synced length and the ordinal after it. With the state lock held."""
        following = self._segments[at + 1 : at + count + 1]
        limits = [*(segment.first for segment in following), self._next]
        return [(s, s.end, limit) for s, limit in zip(self._segments[at : at + count], limits, strict=False)]

    def _read_segment(
        self, segment: Segment, offset: int, length: int, span: tuple[int, int], left: int
    ) -> Iterator[tuple[int, int, SampleBlock]]:
        """At most ``left`` samples of a span of ordinals: offset of the record, ordinal of the first, block."""
        start, limit = span
        if not self._catalogue.paths(segment.revision):
            return
        with contextlib.suppress(FileNotFoundError), segment.path.open("rb", buffering=0) as file:
            for record in records(file, offset, length, chunk=min(65_536 + left * 32, 1 << 20)):
                if record.ordinal >= limit or left <= 0:
                    return
                skip = max(start - record.ordinal, 0)
                if skip < record.count and record.sound:
                    block = decode(record).take(slice(skip, skip + left))
                    left -= len(block)
                    yield record.offset, record.ordinal + skip, block

    def _count_gap(self, segment: Segment, start: int, ordinal: int) -> None:
        lost = ordinal - max(start, self._counted)
        if lost > 0:
            self._counted = ordinal
            self.corrupt_samples += lost
            log.error("spool damaged, samples lost", file=segment.path.name, samples=lost)

    def advance(self, position: int) -> None:
        """Everything before ``position`` is forwarded. Raises OSError."""
        with self._state:
            if position > self._cursor:
                write_whole(self.directory / "cursor.json", b'{"position": %d}\n' % position, synced=False)
                self._cursor = position
                self._purge()

    # ---- the last minutes

    def recent(self, since: int) -> Iterator[SampleBlock]:
        """Samples received at ``since`` or later in the order of their arrival, forwarded or not.

        ``tag`` is an index into the ``tag_paths`` of the constructor; samples of tags that are gone are left out.
        """
        with self._state:
            listed = self._listed(0, len(self._segments))
        first = len(listed)
        while first and (not listed[first - 1][1] or self._latest(listed[first - 1][0]) >= since):
            first -= 1
        for segment, length, limit in listed[first:]:
            today = self._catalogue.today(segment.revision)
            for _, _, block in self._read_segment(segment, 0, length, (0, limit), _ALL):
                tag = block.tag if today is None else today[block.tag]
                kept = (block.received_time >= since) & (tag >= 0)
                if kept.any():
                    yield SampleBlock(
                        tag[kept],
                        block.source_time[kept],
                        block.received_time[kept],
                        block.value[kept],
                        block.quality[kept],
                        block.reason[kept],
                    )

    def _latest(self, segment: Segment) -> int:
        """Latest received time in a segment."""
        if segment.received_max is None:
            segment.received_max = -_ALL
            with contextlib.suppress(FileNotFoundError), segment.path.open("rb", buffering=0) as file:
                for record in records(file, 0, segment.end):
                    segment.received_max = max(segment.received_max, record.received_max)
        return segment.received_max

    # ---- size

    @property
    def newest(self) -> int:
        """Latest received time seen, ms UTC; 0 where there has been none."""
        return self._received_now if self._received_now > -_ALL else 0

    @property
    def size(self) -> int:
        """Bytes of all segments, forwarded and not."""
        return self._bytes

    @property
    def fill(self) -> float:
        """Share of the size limit that is taken by what is not yet forwarded; near 1.0 ``append`` raises SpoolFull."""
        with self._state:
            if self._next == self._cursor:
                return 0.0
            return sum(segment.end for segment in self._segments[self._at(self._cursor) :]) / self.max_bytes

    @property
    def backlog(self) -> int:
        """Samples not yet forwarded."""
        cursor = self._cursor
        return self._next - cursor

    @property
    def position(self) -> int:
        """The forwarded position."""
        return self._cursor

    def _purge(self) -> None:
        self._drop(lambda segment: self._latest(segment) < self._received_now - self._retention)

    def _drop(self, unwanted: Callable[[Segment], bool]) -> None:
        """Remove forwarded segments, the oldest first, while they are unwanted. With the state lock held."""
        while len(self._segments) > 1 and self._segments[1].first <= self._cursor and unwanted(self._segments[0]):
            segment = self._segments.pop(0)
            segment.path.unlink(missing_ok=True)
            self._bytes -= segment.end
            self._catalogue.keep({segment.revision for segment in self._segments})
