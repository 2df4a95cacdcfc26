"""Point tables: CSV files with one tag a row, read in blocks of columns.

Limits (``LL``, ``L``, ``H``, ``HH``) are numbers, ``off`` or empty (inherited); ``rise`` and ``fall`` are written
``5/min``, ``5/10s`` or as a bare number per second.
"""

import csv
import io
import math
from array import array
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from pydantic_core import PydanticCustomError

from domain.samples import Float64
from service.config.document import Document, Loc
from service.config.drafts import RATES, Drafts, blank_drafts
from service.config.faults import Fault, FaultList
from service.config.measurands import LEVEL_KEYS
from service.config.quantities import parse_duration, parse_number, parse_positive_duration, parse_rate, refusal
from service.config.site_file import NOT_GIVEN, RATE_WINDOW, parse_stale_time
from service.config.validation import suggestion

if TYPE_CHECKING:
    import _csv

BLOCK = 10_000
"""Rows read and completed at a time: bounds the memory that text cells take."""
COLUMNS = (
    "tag",
    "measurand",
    "engineering_unit",
    "low",
    "high",
    "period",
    "gateway",
    "description",
    "LL",
    "L",
    "H",
    "HH",
    "deadband",
    "on_delay",
    "off_delay",
    "rise",
    "fall",
    "rate_window",
    "latching",
    "stale",
)
_REQUIRED = ("tag", "measurand")
_TEXTS = {
    "tag": "name",
    "measurand": "measurand",
    "engineering_unit": "engineering_unit",
    "gateway": "gateway",
    "description": "description",
}
"""Column of texts -> field of ``Drafts``."""
_REPEATED = ("measurand", "engineering_unit", "gateway")
"""Texts that many tags have in common: kept once."""
_CELLS = {"range": "low", "RISE.window": "rate_window", "FALL.window": "rate_window", "RISE": "rise", "FALL": "fall"}

Value = TypeVar("Value")


class _TableOrigin:
    """Rows of one block of a table."""

    def __init__(self, path: Path, header: Sequence[str], lines: Sequence[int], faults: FaultList) -> None:
        self._path = path
        self._header = header
        self._lines = lines
        self._faults = faults

    def fault(self, row: int, name: str, message: str, remedy: str) -> None:
        """Report a fault of one row; a limit without a column of its own is blamed on the tag's measurand."""
        head, _, rest = name.partition(".")
        cell = _CELLS.get(name) or (rest if head in LEVEL_KEYS and rest else head)
        if cell not in self._header:
            cell = head if head in self._header else "measurand"
        column = self._header.index(cell) + 1
        self._faults.add(Fault(str(self._path), self._lines[row], column, cell, message, remedy))

    def place(self, row: int) -> str:
        """``file:line`` of one row."""
        return f"{self._path}:{self._lines[row]}"


def table_drafts(path: Path, faults: FaultList, named_by: tuple[Document, Loc]) -> Iterator[Drafts]:
    """Drafts of all rows of a table, block by block; faults name file, line and cell."""
    try:
        raw = named_by[0].documents.read(path)
    except (OSError, ValueError) as error:
        told = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        remedy = "Correct the path (relative paths start from the folder of this file)."
        named_by[0].fault(named_by[1], f"cannot read {str(path)!r}: {told}", remedy)
        return
    with io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8-sig", newline="") as file:
        try:
            yield from _blocks(path, csv.reader(file, strict=True), faults)
        except UnicodeDecodeError:
            line = _first_undecodable(raw)
            faults.add(Fault(str(path), line, 0, "", "not UTF-8 text", "Save the file as CSV UTF-8 in Excel."))


def _blocks(path: Path, reader: "_csv.Reader", faults: FaultList) -> Iterator[Drafts]:
    rows: list[list[str]] = []
    lines = array("q")
    header: list[str] | None = None
    line = 1
    try:
        for row in reader:
            if header is None:
                header = [cell.strip() for cell in row]
                if not _check_header(path, header, line, faults):
                    return
            elif row:
                if len(row) == len(header):
                    rows.append(row)
                    lines.append(line)
                else:
                    message = f"{len(row)} cells in this row, {len(header)} in the header"
                    remedy = "Give each row as many cells as the header; quote a text that holds a comma."
                    faults.add(Fault(str(path), line, 0, "", message, remedy))
                if len(rows) == BLOCK:
                    yield _drafts(path, header, rows, lines, faults)
                    rows, lines = [], array("q")
            line = reader.line_num + 1
    except csv.Error as error:
        remedy = "Close every quotation mark in the row, and double those inside a text."
        faults.add(Fault(str(path), line, 0, "", f"not readable as CSV: {error}", remedy))
        return
    if header is None:
        remedy = f"Begin it with a row of column names: {','.join(COLUMNS)}."
        faults.add(Fault(str(path), 0, 0, "", "the point table is empty", remedy))
    elif rows:
        yield _drafts(path, header, rows, lines, faults)


def _check_header(path: Path, header: list[str], line: int, faults: FaultList) -> bool:
    known = len(faults)
    for number, name in enumerate(header, start=1):
        if name in header[: number - 1]:
            message, remedy = f"column `{name}` is given twice", "Keep one of the two."
        elif name not in COLUMNS:
            message, remedy = f"unknown column `{name[:40]}`", suggestion(name[:40], COLUMNS)
        else:
            continue
        faults.add(Fault(str(path), line, number, name[:40], message, remedy))
    for name in _REQUIRED:
        if name not in header:
            remedy = f"Add the column; cells are separated by commas. Known: {', '.join(COLUMNS)}."
            faults.add(Fault(str(path), line, 0, name, f"column `{name}` is missing", remedy))
    return len(faults) == known


class _Cells:
    """Text cells of one block, column by column."""

    def __init__(self, header: Sequence[str], rows: Sequence[Sequence[str]], drafts: Drafts) -> None:
        self._texts = dict(zip(header, zip(*rows, strict=True), strict=True))
        self._drafts = drafts

    def convert(self, column: str, parse: Callable[[str], Value], empty: Value) -> list[Value] | None:
        """Each cell of a column converted; None where there is no such column. Equal cells are converted once."""
        texts = self._texts.get(column)
        if texts is None:
            return None
        values: dict[str, Value] = {}
        refused: dict[str, PydanticCustomError] = {}
        for text in set(texts):
            stripped = text.strip()
            try:
                values[text] = parse(stripped) if stripped else empty
            except PydanticCustomError as error:
                values[text] = empty
                refused[text] = error
        if refused:
            for row, text in enumerate(texts):
                if text in refused:
                    context = refused[text].context or {}
                    self._drafts.fault(row, column, context["message"], context["remedy"])
        return [values[text] for text in texts]

    def texts(self, column: str) -> list[str] | None:
        """Cells of a column without blanks around them; None where there is no such column."""
        texts = self._texts.get(column)
        return None if texts is None else [text.strip() for text in texts]

    def numbers(self, column: str, parse: Callable[[str], float]) -> Float64 | None:
        """As ``convert``, NaN for empty cells; a column of nothing but plain numbers takes a shorter way."""
        texts = self._texts.get(column)
        if texts is not None:
            try:
                numbers = np.array([float(text) if text else math.nan for text in texts])
            except ValueError:
                pass
            else:
                if np.count_nonzero(np.isfinite(numbers)) == len(texts) - texts.count(""):
                    return numbers
        values = self.convert(column, parse, math.nan)
        return None if values is None else np.array(values)


def _drafts(path: Path, header: list[str], rows: list[list[str]], lines: Sequence[int], faults: FaultList) -> Drafts:
    """One block of rows as drafts."""
    drafts = blank_drafts(len(rows), _TableOrigin(path, header, lines, faults))
    cells = _Cells(header, rows, drafts)
    for column, name in _TEXTS.items():
        if (texts := cells.convert(column, str, "") if name in _REPEATED else cells.texts(column)) is not None:
            setattr(drafts, name, texts)
    _set_numbers(drafts, cells)
    _set_shared(drafts, cells)
    _set_stale(drafts, cells)
    return drafts


def _set_numbers(drafts: Drafts, cells: _Cells) -> None:
    """Range, period, limits and rates."""
    if (low := cells.numbers("low", parse_number)) is not None:
        drafts.low = low
    if (high := cells.numbers("high", parse_number)) is not None:
        drafts.high = high
    if (period := cells.convert("period", _duration(parse_positive_duration), 1_000)) is not None:
        drafts.period[:] = period
    for index, level in enumerate(LEVEL_KEYS):
        if (setpoints := cells.numbers(level, _limit)) is not None:
            drafts.off[:, index] = np.isinf(setpoints)
            drafts.setpoint[:, index] = np.where(np.isinf(setpoints), np.nan, setpoints)
    for index, name in enumerate(RATES):
        if (rates := cells.convert(name.lower(), _positive_rate, math.nan)) is not None:
            drafts.rate[:, index] = rates


def _set_shared(drafts: Drafts, cells: _Cells) -> None:
    """Columns that hold for all limits of a row, or for both rates."""
    if (deadband := cells.convert("deadband", _non_negative, math.nan)) is not None:
        drafts.deadband[:] = np.array(deadband)[:, np.newaxis]
    if (on_delay := cells.convert("on_delay", _duration(parse_duration), NOT_GIVEN)) is not None:
        drafts.on_delay[:] = np.array(on_delay)[:, np.newaxis]
    if (off_delay := cells.convert("off_delay", _duration(parse_duration), NOT_GIVEN)) is not None:
        drafts.off_delay[:] = np.array(off_delay)[:, np.newaxis]
    if (window := cells.convert("rate_window", _duration(parse_positive_duration), RATE_WINDOW)) is not None:
        drafts.rate_window[:] = np.array(window)[:, np.newaxis]
    if (latching := cells.convert("latching", _flag, 0)) is not None:
        drafts.latching[:] = np.array(latching)[:, np.newaxis]
        drafts.rate_latching[:] = np.array(latching)[:, np.newaxis]


def _set_stale(drafts: Drafts, cells: _Cells) -> None:
    """Time to staleness, or ``off``."""
    if (stale := cells.convert("stale", _duration(parse_stale_time), NOT_GIVEN)) is not None:
        drafts.stale[:] = stale


def _duration(parse: Callable[[object], int]) -> Callable[[str], int]:
    """A cell of digits alone is a number of ms, as in YAML."""
    return lambda text: parse(int(text) if text.isascii() and text.isdigit() and len(text) < 16 else text)  # noqa: PLR2004


def _limit(text: str) -> float:
    """Infinity stands for ``off``, which no finite limit can be."""
    return float("inf") if text.lower() == "off" else parse_number(text)


def _non_negative(text: str) -> float:
    number = parse_number(text)
    if number < 0:
        raise refusal("must not be negative", "Write a number from 0 on.")
    return number


def _positive_rate(text: str) -> float:
    rate = parse_rate(text)
    if rate <= 0:
        raise refusal("a rate must be above 0", "Write the speed as a positive number, for `fall` as well: 5/min.")
    return rate


def _flag(text: str) -> int:
    flags = {"true": 1, "yes": 1, "1": 1, "是": 1, "false": 0, "no": 0, "0": 0, "否": 0}
    if text.lower() not in flags:
        raise refusal(f"must be true or false, not {text[:40]!r}", "Write true or false.")
    return flags[text.lower()]


def _first_undecodable(raw: bytes) -> int:
    for number, line in enumerate(io.BytesIO(raw), start=1):
        try:
            line.decode("utf-8-sig")
        except UnicodeDecodeError:
            return number
    return 0
