"""Recorded files as streams of readings, whatever their separator, header and way of telling the time."""

import csv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from math import isfinite
from pathlib import Path
from typing import IO, Protocol
from zoneinfo import ZoneInfo

Row = tuple[int, dict[str, float | None]]
"""Source time in ms UTC and the values by tag; None where the cell holds no number."""

ENCODINGS = ("utf-8-sig", "gb18030")
"""Tried in this order; the second is what spreadsheets in China save."""


class RecordedError(Exception):
    """A file that its mapping does not fit; the message names the file and what is wrong with it."""


class Clocking(StrEnum):
    """What becomes of recorded times. The values are those of the command line."""

    SOURCE = "source"
    """Kept as they are."""
    ENDS_NOW = "ends-now"
    """Shifted so that the last row is now."""
    BEGINS_NOW = "begins-now"
    """Shifted so that the first row is now."""


class LineFormat(Protocol):
    """``format`` of a ``replay`` section."""

    @property
    def separator(self) -> str:
        """``whitespace`` (any run of it), ``tab``, or one character."""

    @property
    def header(self) -> bool:
        """The first line names the columns."""


class LineTime(Protocol):
    """``time`` of a ``replay`` section: a column, or a start and a period."""

    @property
    def column(self) -> int | str | None:
        """Number from 1, or name in the header."""

    @property
    def format(self) -> str | None:
        """As ``strptime`` reads it; None: ISO 8601."""

    @property
    def timezone(self) -> str:
        """Of times without an offset."""

    @property
    def start(self) -> datetime | None:
        """Time of the first row, with offset."""

    @property
    def period(self) -> int | None:
        """From row to row, ms."""


class ColumnMapping(Protocol):
    """A ``replay`` section, as the configuration's model of it has it."""

    @property
    def format(self) -> LineFormat:
        """How a line is split."""

    @property
    def time(self) -> LineTime:
        """Where source times come from."""

    @property
    def columns(self) -> Mapping[int | str, str]:
        """Number from 1, or name in the header -> tag."""


@dataclass(slots=True)
class Faults:
    """What a pass over the file could not use."""

    cells: int = 0
    """Cells without a number, delivered as None."""
    rows: int = 0
    """Rows without a readable time, left out."""


class Recorded:
    """One recorded file. Iterating reads it row by row, any number of times; nothing is kept in memory."""

    def __init__(self, path: Path, mapping: ColumnMapping, clocking: Clocking = Clocking.SOURCE, now: int = 0) -> None:
        """Look over the whole file once. ``now`` in ms UTC is what ``clocking`` refers to. Raises RecordedError."""
        self.path = path
        self.faults = Faults()
        """Of the latest iteration."""
        self._format = mapping.format
        self._clock = _RowClock(mapping.time)
        self._encoding = self._find_encoding()
        width, names = self._first_line()
        self._columns = [(self._position(column, width, names), tag) for column, tag in mapping.columns.items()]
        column = mapping.time.column
        self._time = None if column is None else self._position(column, width, names)
        self.rows, first, last = self._survey()
        self.shift = {Clocking.SOURCE: 0, Clocking.ENDS_NOW: now - last, Clocking.BEGINS_NOW: now - first}[clocking]
        """ms added to recorded times."""

    def __len__(self) -> int:
        """Number of rows that an iteration yields."""
        return self.rows

    def __iter__(self) -> Iterator[Row]:
        self.faults = faults = Faults()
        with self._lines() as lines:
            for number, cells in enumerate(lines):
                time = self._time_of(number, cells)
                if time is None:
                    faults.rows += 1
                    continue
                values = {tag: _value(cells, position) for position, tag in self._columns}
                faults.cells += sum(value is None for value in values.values())
                yield time + self.shift, values

    def _find_encoding(self) -> str:
        for encoding in ENCODINGS:
            try:
                with self.path.open(encoding=encoding) as file:
                    for _ in file:
                        pass
            except UnicodeDecodeError:
                continue
            except OSError as error:
                raise RecordedError(f"{self.path}: {error.strerror or error}") from error
            return encoding
        raise RecordedError(f"{self.path}: neither UTF-8 nor GB 18030 text")

    def _cells(self, file: IO[str]) -> Iterator[list[str]]:
        """Cells of each line that has any."""
        separator = self._format.separator
        if separator == "whitespace":
            yield from (cells for line in file if (cells := line.split()))
            return
        reader = csv.reader(file, delimiter="\t" if separator == "tab" else separator)
        try:
            for line in reader:
                cells = [cell.strip() for cell in line]
                if any(cells):
                    yield cells
        except csv.Error as error:
            raise RecordedError(f"{self.path}, line {reader.line_num}: {error}") from error

    @contextmanager
    def _lines(self) -> Iterator[Iterator[list[str]]]:
        """Lines of data, without the header."""
        with self.path.open(encoding=self._encoding, newline="") as file:
            lines = self._cells(file)
            if self._format.header:
                next(lines, None)
            yield lines

    def _first_line(self) -> tuple[int, list[str] | None]:
        """Number of columns and their names, if there are any."""
        with self.path.open(encoding=self._encoding, newline="") as file:
            first = next(self._cells(file), None)
        if first is None:
            raise RecordedError(f"{self.path}: the file is empty")
        return len(first), first if self._format.header else None

    def _position(self, column: int | str, width: int, names: list[str] | None) -> int:
        """Index of a mapped column."""
        if isinstance(column, int):
            if not 1 <= column <= width:
                hint = f"; is format.separator {self._format.separator!r} right?" if width == 1 else ""
                raise RecordedError(f"{self.path}: no column {column}: columns are counted 1 to {width}{hint}")
            return column - 1
        if names is None:
            raise RecordedError(f"{self.path}: no column {column!r}: format.header is false, so write its number")
        if column not in names:
            raise RecordedError(f"{self.path}: no column {column!r}: the header has {', '.join(map(repr, names))}")
        return names.index(column)

    def _survey(self) -> tuple[int, int, int]:
        """Number of rows with a time, the earliest time and the latest, ms."""
        rows, first, last, lines_seen = 0, 0, 0, 0
        with self._lines() as lines:
            for number, cells in enumerate(lines):
                lines_seen += 1
                time = self._time_of(number, cells)
                if time is not None:
                    first, last = (min(first, time), max(last, time)) if rows else (time, time)
                    rows += 1
        if not rows:
            reason = (
                f"none of {lines_seen} rows has a time that can be read" if lines_seen else "no rows below the header"
            )
            raise RecordedError(f"{self.path}: {reason}; look at format and time of the replay section")
        return rows, first, last

    def _time_of(self, number: int, cells: list[str]) -> int | None:
        if self._time is None:
            return self._clock.counted(number)
        return self._clock.read(cells[self._time]) if self._time < len(cells) else None


class _RowClock:
    """Times of rows, ms UTC."""

    def __init__(self, time: LineTime) -> None:
        self._pattern = time.format
        self._zone = ZoneInfo(time.timezone)
        self._start = 0 if time.start is None else _milliseconds(time.start)
        self._period = time.period or 0

    def counted(self, number: int) -> int:
        return self._start + number * self._period

    def read(self, text: str) -> int | None:
        try:
            pattern = self._pattern  # times without an offset get the zone below
            stamp = datetime.fromisoformat(text) if pattern is None else datetime.strptime(text, pattern)  # noqa: DTZ007
            return _milliseconds(stamp if stamp.tzinfo is not None else stamp.replace(tzinfo=self._zone))
        except (ValueError, OverflowError):
            return None


def _milliseconds(stamp: datetime) -> int:
    return round(stamp.timestamp() * 1000)


def _value(cells: list[str], position: int) -> float | None:
    """Number of a cell; None for a missing cell, text, or a number that is not finite."""
    try:
        value = float(cells[position])
    except (IndexError, ValueError):
        return None
    return value if isfinite(value) else None
