"""Recordings: readings in Parquet, tag by tag, with what has to be known of them.

One row group holds readings of one tag in the order of their arrival. Columns: ``tag`` (index into the tags of the
file's description), ``source_time`` and ``received_time`` (ms UTC), ``value`` (NaN: none), ``quality``, ``reason``,
``place`` (among the readings of all tags that were received in the same ms, as far as that is known).
Row groups of a tag follow each other in time; those of different tags may stand in any order. The description is JSON
under the key ``anshao`` of the file's metadata. Nothing in a file depends on when or where it was written, so the same
readings make the same bytes.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Self

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from domain.samples import Bool, Int32, Int64, SampleBlock
from domain.truth import Event, Expected, Truth
from tuning.readings.merging import Arrivals, merged

KEY = b"anshao"
FORMAT = 1
ROWS = 131_072
"""Readings in one row group at the most."""
MERGED_ROWS, LEAST_ROWS = 2_000_000, 2_048
"""Readings of several tags that are held to be put in order of arrival, all together; of one tag at the least."""
HELD = 4_000_000
"""Readings that a writer of blocks keeps in memory before it writes them."""

_SCHEMA = pa.schema(
    [
        ("tag", pa.int32()),
        ("source_time", pa.int64()),
        ("received_time", pa.int64()),
        ("value", pa.float64()),
        ("quality", pa.uint8()),
        ("reason", pa.uint8()),
        ("place", pa.int32()),
    ]
)
_TIMES = ("source_time", "received_time")
_MARKS = ("quality", "reason")
_READ = [*_TIMES, "value", *_MARKS]
_NO_PLACES = np.empty(0, dtype=np.int32)


class RecordingError(Exception):
    """A file that is no recording, or is damaged; the message names the file and what to do."""


@dataclass(frozen=True, slots=True)
class RecordedTag:
    """What is known of a tag beside its readings."""

    path: str
    """``enterprise/name``."""
    unit: str = ""
    engineering_unit: str = ""
    measurand: str = ""
    period: int = 1000
    """Expected ms between readings."""


@dataclass(frozen=True, slots=True)
class InForce:
    """The revision of the configuration that held from then on (ms UTC)."""

    since: int
    revision: int | None
    """None: there was no service, the readings were evaluated by nobody."""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class About:
    """The description of a recording."""

    tags: tuple[RecordedTag, ...]
    made_by: str = ""
    """``simulate SCENARIO seed 7``, ``record huarui``, …"""
    live_clock: bool = False
    """Source times were checked against the received times: late readings raise nothing."""
    in_force: tuple[InForce, ...] = ()
    truth: Truth = field(default_factory=Truth)

    def to_json(self) -> bytes:
        """As it is kept in a file."""
        return orjson.dumps({"format": FORMAT, **asdict(self)}, option=orjson.OPT_SORT_KEYS)

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """Raises ValueError, KeyError, TypeError for anything else."""
        data = orjson.loads(text)
        if data.pop("format") != FORMAT:
            raise ValueError("the recording is of another format: record it anew with this version")
        truth = data.pop("truth")
        return cls(
            tags=tuple(RecordedTag(**tag) for tag in data.pop("tags")),
            in_force=tuple(InForce(**each) for each in data.pop("in_force")),
            truth=Truth(
                events=tuple(_event(each) for each in truth["events"]),
                expected=tuple(Expected(**each) for each in truth["expected"]),
                never=tuple(truth["never"]),
            ),
            **data,
        )


class RecordingWriter:
    """Writes one recording; to be used as a context manager. On an error the file is removed.

    Another thread may be writing when the block is left by an error: it is waited for, and what it writes then fails.
    """

    def __init__(self, path: Path, about: About) -> None:
        """Raises OSError."""
        self.path = path
        self.about = about
        self.rows = 0
        self._held: list[SampleBlock] = []
        self._held_rows = 0
        self._turn = Lock()
        self._last_place = (-1, 0)
        """Received time of the last of the blocks, and its place."""
        self._writer = pq.ParquetWriter(
            path,
            _SCHEMA,
            compression="zstd",
            compression_level=1,
            use_dictionary=["tag", "value", "quality", "reason", "place"],
            column_encoding=dict.fromkeys(_TIMES, "DELTA_BINARY_PACKED"),
            write_statistics=["tag", *_TIMES, *_MARKS],
            store_schema=False,
            write_page_checksum=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is None:
            self.close()
            return
        try:
            with self._turn:
                self._writer.close()
        finally:
            self.path.unlink(missing_ok=True)

    def write_tag(self, block: SampleBlock, place: Int32 | None = None) -> None:
        """Write readings of one tag in the order of their arrival, after all that was written of it before.

        ``place``: of each among what was received in the same ms; without it tags come in the order of their index.
        """
        place = block.tag if place is None else place
        for begin in range(0, len(block), ROWS):
            part = block.take(slice(begin, begin + ROWS))
            columns = [part.tag, part.source_time, part.received_time, part.value, part.quality, part.reason]
            columns.append(place[begin : begin + ROWS])
            table = pa.Table.from_arrays([pa.array(c) for c in columns], schema=_SCHEMA)
            with self._turn:
                self._writer.write_table(table)
        self.rows += len(block)

    def write(self, block: SampleBlock) -> None:
        """Write readings of any tags in the order of their arrival; they are kept until there are enough of them."""
        self._held.append(block)
        self._held_rows += len(block)
        if self._held_rows >= HELD:
            self.flush()

    def flush(self) -> None:
        """Write what was kept, tag by tag."""
        if not self._held_rows:
            return
        block = SampleBlock.concatenate(self._held)
        self._held, self._held_rows = [], 0
        place = self._places(block.received_time)
        order = np.argsort(block.tag, kind="stable")
        begins = np.flatnonzero(np.diff(block.tag[order], prepend=-1))
        for part in np.split(order, begins[1:]):
            self.write_tag(block.take(part), place[part])

    def _places(self, received: Int64) -> Int32:
        """The place of each of these arrivals among those of its ms."""
        number = np.arange(len(received))
        same = np.flatnonzero(np.diff(received, prepend=received[0] - 1))
        begin = np.zeros(len(received), dtype=np.int64)
        begin[same] = same
        place = number - np.maximum.accumulate(begin)
        last, before = self._last_place
        first = received == received[0]
        if last == received[0]:
            place[: len(received) if first.all() else int(first.argmin())] += before + 1
        self._last_place = int(received[-1]), int(place[-1])
        return place.astype(np.int32)

    def describe(self, about: About) -> None:
        """Say something else of the recording; its tags stay the same."""
        self.about = about

    def close(self) -> None:
        """Finish the file."""
        self.flush()
        self._writer.add_key_value_metadata({KEY: self.about.to_json()})
        self._writer.close()


class Recording:
    """A recording to be read: one file, or a folder of files that follow each other in time.

    It can be handed to another process. Raises RecordingError.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        files = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
        if not files:
            raise RecordingError(f"{path}: no .parquet file in this folder")
        self._files = [_File(file) for file in files]
        self._files.sort(key=lambda file: file.begin)
        abouts = [file.about for file in self._files]
        tags = {tag.path: tag for about in abouts for tag in about.tags}
        self.about = About(
            tags=tuple(tags.values()),
            made_by="; ".join(dict.fromkeys(about.made_by for about in abouts)),
            live_clock=any(about.live_clock for about in abouts),
            in_force=tuple(sorted({each for about in abouts for each in about.in_force}, key=lambda one: one.since)),
            truth=Truth(
                events=tuple(event for about in abouts for event in about.truth.events),
                expected=tuple(each for about in abouts for each in about.truth.expected),
                never=tuple(dict.fromkeys(path for about in abouts for path in about.truth.never)),
            ),
        )
        self._index = {path: index for index, path in enumerate(tags)}
        for file in self._files:
            file.renumber(self._index)

    def __reduce__(self) -> tuple[Callable[[Path], "Recording"], tuple[Path]]:
        return Recording, (self.path,)

    @property
    def tags(self) -> tuple[RecordedTag, ...]:
        """The tags; ``tag`` of a block is an index into them."""
        return self.about.tags

    def index_of(self, path: str) -> int | None:
        """Index of a tag by its path."""
        return self._index.get(path)

    @cached_property
    def begin(self) -> int:
        """Earliest source time, ms; 0 if there are no readings."""
        return min((file.begin for file in self._files if file.rows), default=0)

    @cached_property
    def end(self) -> int:
        """After the latest source time, ms."""
        return max((file.end for file in self._files if file.rows), default=0)

    @cached_property
    def heard(self) -> tuple[int, int]:
        """Earliest and latest received time, ms; 0 if there are no readings."""
        groups = [group for file in self._files for group in file.groups]
        first = min((group.first_received for group in groups), default=0)
        return first, max((group.last_received for group in groups), default=0)

    @cached_property
    def counts(self) -> Int64:
        """Readings of each tag."""
        counts = np.zeros(len(self.tags), dtype=np.int64)
        for file in self._files:
            for group in file.groups:
                counts[group.tag] += group.rows
        return counts

    def read_tag(self, tag: int, begin: int | None = None, end: int | None = None) -> Iterator[SampleBlock]:
        """Readings of one tag in the order of their arrival, a row group at a time; begin <= source time < end (ms)."""
        for file, number in self._groups_of(tag, begin, end):
            for read, _ in file.read(number):
                inside = _inside(read, file.groups[number], begin, end)
                block = read if inside is None else read.take(inside)
                if len(block):
                    yield block

    def read_tags(self, tags: Sequence[int], begin: int | None = None, end: int | None = None) -> Iterator[SampleBlock]:
        """Readings of several tags in the order of their arrival, in blocks."""
        if len(tags) == 1:
            yield from self.read_tag(tags[0], begin, end)
            return
        rows = max(LEAST_ROWS, MERGED_ROWS // max(len(tags), 1))
        yield from merged({tag: self._arrivals(tag, begin, end, rows) for tag in tags})

    def _arrivals(self, tag: int, begin: int | None, end: int | None, rows: int) -> Iterator[Arrivals]:
        """Readings of one tag with their order among those of others."""
        clock = 0
        for file, number in self._groups_of(tag, begin, end):
            for block, place in file.read(number, rows):
                inside = _inside(block, file.groups[number], begin, end)
                arrivals = Arrivals.of(block, place, clock) if inside is None else None
                if inside is not None and inside.any():
                    arrivals = Arrivals.of(block.take(inside), place[inside], clock)
                if arrivals is not None:
                    clock = int(arrivals.clock[-1])
                    yield arrivals

    def _groups_of(self, tag: int, begin: int | None, end: int | None) -> Iterator[tuple["_File", int]]:
        """The row groups of a tag that may have readings with begin <= source time < end."""
        for file, number in self._of_tag.get(tag, ()):
            group = file.groups[number]
            if (begin is None or group.end > begin) and (end is None or group.begin < end):
                yield file, number

    @cached_property
    def _of_tag(self) -> Mapping[int, Sequence[tuple["_File", int]]]:
        """The row groups of each tag, in the order of time."""
        found: dict[int, list[tuple[_File, int]]] = {}
        for file in self._files:
            for number, group in enumerate(file.groups):
                found.setdefault(group.tag, []).append((file, number))
        return found


@dataclass(frozen=True, slots=True)
class _Group:
    tag: int
    rows: int
    begin: int
    end: int
    first_received: int
    last_received: int
    same: Mapping[str, int]
    """Columns in which all readings are the same, by the statistics of the file: they need not be read."""


class _File:
    """One Parquet file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._parquet = pq.ParquetFile(path, page_checksum_verification=True)
            metadata = self._parquet.metadata
            self.about = About.from_json((metadata.metadata or {})[KEY])
            self.groups = [_group(metadata.row_group(number)) for number in range(metadata.num_row_groups)]
            for group in self.groups:
                if not 0 <= group.tag < len(self.about.tags):
                    raise ValueError(f"it has readings of tag {group.tag}, and describes {len(self.about.tags)}")  # noqa: TRY301
        except OSError as error:
            raise RecordingError(f"{path}: {error}") from error
        except (pa.ArrowException, KeyError, ValueError, TypeError, AttributeError) as error:
            raise RecordingError(
                f"{path}: not a recording of AnShao ({error}); make one with anshao record or anshao simulate"
            ) from error
        self.rows = sum(group.rows for group in self.groups)
        self.begin = min((group.begin for group in self.groups), default=0)
        self.end = max((group.end for group in self.groups), default=0)
        self._renumbered = False

    def renumber(self, index: Mapping[str, int]) -> None:
        """Number tags as the whole recording does."""
        numbers = [index[tag.path] for tag in self.about.tags]
        self._renumbered = numbers != list(range(len(numbers)))
        self.groups = [replace(group, tag=numbers[group.tag]) for group in self.groups]

    def read(self, number: int, rows: int | None = None) -> Iterator[tuple[SampleBlock, Int32]]:
        """One row group, whole and without its places, or with them in parts of so many rows."""
        group = self.groups[number]
        try:
            if rows is None:
                names = [name for name in _READ if name not in group.same]
                table = self._parquet.read_row_group(number, columns=names, use_threads=False)
                yield self._block(table, group), _NO_PLACES
            else:
                names = [name for name in (*_READ, "place") if name not in group.same]
                for batch in self._parquet.iter_batches(rows, [number], names, use_threads=False):
                    yield self._block(batch, group), batch.column("place").to_numpy()
        except (pa.ArrowException, OSError) as error:
            raise RecordingError(f"{self.path}: row group {number} is damaged: {error}") from error

    def _block(self, table: Any, group: _Group) -> SampleBlock:
        columns: list[Any] = [
            np.full(table.num_rows, group.same[name], dtype=np.uint8)
            if name in group.same
            else table.column(name).to_numpy()
            for name in _READ
        ]
        return SampleBlock(np.full(table.num_rows, group.tag, dtype=np.int32), *columns)


def _inside(block: SampleBlock, group: _Group, begin: int | None, end: int | None) -> Bool | None:
    """Which readings of a row group have begin <= source time < end; None: all."""
    if (begin is None or group.begin >= begin) and (end is None or group.end <= end):
        return None
    inside = np.ones(len(block), dtype=np.bool_)
    if begin is not None:
        inside &= block.source_time >= begin
    if end is not None:
        inside &= block.source_time < end
    return inside


def _group(row_group: Any) -> _Group:
    statistics = dict(
        zip(_SCHEMA.names, (row_group.column(place).statistics for place in range(len(_SCHEMA))), strict=True)
    )
    tag, source_time, received = (statistics[name] for name in ("tag", *_TIMES))
    if tag.min != tag.max:
        raise ValueError("a row group holds several tags")
    same = {}
    for name in _MARKS:
        known = statistics[name]
        if known is not None and known.has_min_max and known.min == known.max:
            same[name] = known.min
    return _Group(tag.min, row_group.num_rows, source_time.min, source_time.max + 1, received.min, received.max, same)


def _event(data: dict[str, Any]) -> Event:
    return Event(**data | {"tags": tuple(data["tags"]), "units": tuple(data["units"])})
