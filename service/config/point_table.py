"""Point tables: one tag a row, read in blocks of columns, from whatever holds rows of text cells.

Limits (``LL``, ``L``, ``H``, ``HH``) are numbers, ``off`` or empty (inherited); ``rise`` and ``fall`` are written
``5/min``, ``5/10s`` or as a bare number per second; ``stuck`` is ``on``, ``off`` or band and time: ``0.1/30min``.
"""

import math
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import numpy as np
from pydantic_core import PydanticCustomError

from domain.samples import Float64
from service.config.drafts import RATES, Drafts, StuckDraft, blank_drafts
from service.config.faults import Fault, FaultList
from service.config.measurands import LEVEL_KEYS
from service.config.quantities import (
    parse_delay,
    parse_number,
    parse_positive_duration,
    parse_rate,
    parse_window,
    refusal,
)
from service.config.rule_entries import NOT_GIVEN, RATE_WINDOW, is_off, is_on, parse_re_alarm, parse_stale_time
from service.config.validation import suggestion

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
    "species",
    "stuck",
    "re_alarm",
)
_REQUIRED = ("tag", "measurand")
_TEXTS = {
    "tag": "name",
    "measurand": "measurand",
    "engineering_unit": "engineering_unit",
    "gateway": "gateway",
    "description": "description",
    "species": "species",
}
"""Column of texts -> field of ``Drafts``."""
_REPEATED = ("measurand", "engineering_unit", "gateway", "species")
"""Texts that many tags have in common: kept once."""
_CELLS = {"range": "low", "RISE.window": "rate_window", "FALL.window": "rate_window", "RISE": "rise", "FALL": "fall"}

Value = TypeVar("Value")
Place = Callable[[int, int], tuple[str, int, int]]
"""File, line and column of a cell, as ``Fault`` tells them, by its row and column: both from 1, 0 the whole of them."""


class _TableOrigin:
    """Rows of one block of a table."""

    def __init__(self, place: Place, header: Sequence[str], numbers: Sequence[int], faults: FaultList) -> None:
        self._place = place
        self._header = header
        self._numbers = numbers
        self._faults = faults

    def fault(self, row: int, name: str, message: str, remedy: str) -> None:
        """Report a fault of one row; a limit without a column of its own is blamed on the tag's measurand."""
        head, _, rest = name.partition(".")
        cell = _CELLS.get(name) or (rest if head in LEVEL_KEYS and rest else head)
        if cell not in self._header:
            cell = head if head in self._header else "measurand"
        column = self._header.index(cell) + 1
        self._faults.add(Fault(*self._place(self._numbers[row], column), cell, message, remedy))

    def place(self, row: int) -> str:
        """``file:line`` of one row."""
        file, line, _ = self._place(self._numbers[row], 0)
        return f"{file}:{line}"


def table_drafts(rows: Iterable[tuple[int, Sequence[str]]], place: Place, faults: FaultList) -> Iterator[Drafts]:
    """Drafts of all rows of a table, block by block.

    ``rows``: number and cells of each, the header first; rows without any cell are passed over. Faults name the cell
    as ``place`` does.
    """
    block: list[Sequence[str]] = []
    numbers = array("q")
    header: list[str] | None = None
    for number, row in rows:
        if header is None:
            header = [cell.strip() for cell in row]
            if not _check_header(place, header, number, faults):
                return
        elif row:
            if len(row) == len(header):
                block.append(row)
                numbers.append(number)
            else:
                message = f"{len(row)} cells in this row, {len(header)} in the header"
                remedy = "Give each row as many cells as the header; quote a text that holds a comma."
                faults.add(Fault(*place(number, 0), "", message, remedy))
            if len(block) == BLOCK:
                yield _drafts(place, header, block, numbers, faults)
                block, numbers = [], array("q")
    if block and header is not None:
        yield _drafts(place, header, block, numbers, faults)


def _check_header(place: Place, header: list[str], row: int, faults: FaultList) -> bool:
    known = len(faults)
    for number, name in enumerate(header, start=1):
        if name in header[: number - 1]:
            message, remedy = f"column `{name}` is given twice", "Keep one of the two."
        elif name not in COLUMNS:
            message, remedy = f"unknown column `{name[:40]}`", suggestion(name[:40], COLUMNS)
        else:
            continue
        faults.add(Fault(*place(row, number), name[:40], message, remedy))
    for name in _REQUIRED:
        if name not in header:
            remedy = f"Add the column; cells are separated by commas. Known: {', '.join(COLUMNS)}."
            faults.add(Fault(*place(row, 0), name, f"column `{name}` is missing", remedy))
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


def _drafts(
    place: Place, header: list[str], rows: list[Sequence[str]], numbers: Sequence[int], faults: FaultList
) -> Drafts:
    """One block of rows as drafts."""
    drafts = blank_drafts(len(rows), _TableOrigin(place, header, numbers, faults))
    cells = _Cells(header, rows, drafts)
    for column, name in _TEXTS.items():
        if (texts := cells.convert(column, str, "") if name in _REPEATED else cells.texts(column)) is not None:
            setattr(drafts, name, texts)
    _set_numbers(drafts, cells)
    _set_shared(drafts, cells)
    _set_faults(drafts, cells)
    if (re_alarm := cells.convert("re_alarm", _duration(parse_re_alarm), NOT_GIVEN)) is not None:
        drafts.re_alarm[:] = re_alarm
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
    if (on_delay := cells.convert("on_delay", _duration(parse_delay), NOT_GIVEN)) is not None:
        drafts.on_delay[:] = np.array(on_delay)[:, np.newaxis]
    if (off_delay := cells.convert("off_delay", _duration(parse_delay), NOT_GIVEN)) is not None:
        drafts.off_delay[:] = np.array(off_delay)[:, np.newaxis]
    if (window := cells.convert("rate_window", _duration(parse_window), RATE_WINDOW)) is not None:
        drafts.rate_window[:] = np.array(window)[:, np.newaxis]
    if (latching := cells.convert("latching", _flag, 0)) is not None:
        drafts.latching[:] = np.array(latching)[:, np.newaxis]
        drafts.rate_latching[:] = np.array(latching)[:, np.newaxis]


def _set_faults(drafts: Drafts, cells: _Cells) -> None:
    """Time to staleness, or ``off``; band and time of a stuck value."""
    if (stale := cells.convert("stale", _duration(parse_stale_time), NOT_GIVEN)) is not None:
        drafts.stale[:] = stale
    for row, stuck in enumerate(cells.convert("stuck", _stuck, None) or ()):
        if stuck is not None:
            drafts.stuck.append(StuckDraft(row, *stuck, latching=bool(drafts.latching[row, 0])))


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


def _stuck(text: str) -> tuple[float, int] | None:
    """Band and time in ms; None: off."""
    if is_off(text):
        return None
    if is_on(text):
        return math.nan, NOT_GIVEN
    band, slash, time = text.partition("/")
    if not slash:
        raise refusal(f"not a stuck value: {text[:40]!r}", "Write on, off, or band and time: 0.1/30min.")
    return _non_negative(band), parse_window(time.strip())


def _flag(text: str) -> int:
    flags = {"true": 1, "yes": 1, "1": 1, "是": 1, "false": 0, "no": 0, "0": 0, "否": 0}
    if text.lower() not in flags:
        raise refusal(f"must be true or false, not {text[:40]!r}", "Write true or false.")
    return flags[text.lower()]
