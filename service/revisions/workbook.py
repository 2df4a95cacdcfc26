"""Workbooks (.xlsx): sheets as tables of text, with every cell that cannot be one named; and tables as a workbook.

Nothing in a workbook is run, followed or trusted: formulas, macros, dates where numbers belong, merged cells and
percentages are faults, and so is whatever would take more memory than a point table of the whole country.
"""

import csv
import datetime as dt
import io
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import openpyxl
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.cell.read_only import EMPTY_CELL
from openpyxl.utils import get_column_letter
from openpyxl.utils.cell import coordinate_to_tuple

from service.config.faults import Fault, FaultList
from service.config.workbook_guard import CHUNK, DAMAGE, DAMAGED, Bounds, GuardedReader, refusal_of

LARGEST_BOOK = 64_000_000
"""Bytes of a workbook [ours]."""
LARGEST_UNPACKED = 250_000_000
"""Bytes of all its parts unpacked, its table of texts among them, which is held in memory [ours]."""
MOST_CELLS = 4_000_000
"""Cells of all its sheets, empty ones that it writes down included: reading a million takes seconds [ours]."""
MOST_ROWS = 600_000
"""Rows of all its sheets, empty ones between others included [ours]."""
MOST_COLUMNS = 64
_OVERLAP = 200
_SPLIT = "Split it into several workbooks, or delete empty rows and columns."
_LONGEST_NAME = 31
"""Characters that Excel allows a sheet's name."""
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]{1,3}[0-9]{1,7}):')
_FORBIDDEN = re.compile(rb"<!(?:DOCTYPE|ENTITY)")
_NUMERIC = frozenset({"low", "high", "LL", "L", "H", "HH", "deadband"})


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet as a table: ``rows`` of texts with the row of the sheet that each was, the header first."""

    name: str
    rows: Sequence[tuple[int, Sequence[str]]]

    def as_csv(self) -> tuple[bytes, list[int]]:
        """As CSV, and for each of its lines the row of the sheet; entry 0 is of no line."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        rows_of = [0]
        for number, cells in self.rows:
            writer.writerow(cells)
            rows_of.extend([number] * (1 + sum(cell.count("\n") for cell in cells)))
        return out.getvalue().encode(), rows_of


def place_of(book: str, sheet: str) -> str:
    """How faults name a sheet."""
    return f"{book} [{sheet}]"


def read_workbook(content: bytes, book: str, faults: FaultList) -> list[Sheet]:
    """All sheets that hold anything; cells with faults are empty, and named in ``faults`` by sheet, row and column."""
    try:
        refusal = refusal_of(content, Bounds(LARGEST_BOOK, LARGEST_UNPACKED, MOST_CELLS, _SPLIT))
        if refusal is None:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                known = len(faults)
                sheets = list(_sheets(content, archive, book, faults))
            if sheets or len(faults) > known:
                return sheets
            refusal = "the workbook holds no table", "Fill a sheet, with the header first."
    except DAMAGED:
        refusal = DAMAGE
    faults.add(Fault(book, 0, 0, "", *refusal))
    return []


def _sheets(content: bytes, archive: zipfile.ZipFile, book: str, faults: FaultList) -> Iterator[Sheet]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl tells what it leaves out of a file: styles, validation, drawings
        reader = GuardedReader(io.BytesIO(content), read_only=True, keep_links=False)
        reader.read()
        opened = reader.wb
        try:
            spent = _Spent()
            for sheet in opened.worksheets:
                reading = _SheetReading(sheet, book, faults, spent)
                known = len(faults)
                # openpyxl has no other word for where a sheet's part stands.
                reading.check_part(archive, str(sheet._worksheet_path))  # type: ignore[attr-defined]  # noqa: SLF001
                if len(faults) == known and not spent.is_over:
                    rows = list(reading.rows())
                    if rows and reading.is_whole:
                        yield Sheet(str(sheet.title), rows)
                if spent.is_over:
                    return
        finally:
            opened.close()


@dataclass(slots=True)
class _Spent:
    """What of the limits the sheets read so far have used."""

    rows: int = 0

    @property
    def is_over(self) -> bool:
        """The workbook is too large; no further sheet is looked at."""
        return self.rows > MOST_ROWS


class _SheetReading:
    """Reads one sheet."""

    def __init__(self, sheet: Any, book: str, faults: FaultList, spent: _Spent) -> None:
        self._sheet = sheet
        self._spent = spent
        self._place = place_of(book, str(sheet.title))
        self._faults = faults
        self.is_whole = True
        """All rows were read."""

    def check_part(self, archive: zipfile.ZipFile, path: str) -> None:
        """Look through the sheet's text for what openpyxl does not show while it streams."""
        before = b""
        with archive.open(path.lstrip("/")) as part:
            while chunk := part.read(CHUNK):
                text = before + chunk
                if b"<!" in text and _FORBIDDEN.search(text):
                    self._fault(0, 0, "", "a document type, which no workbook has", "Save it again in Excel or WPS.")
                    return
                for merged in _MERGED.finditer(text) if b"mergeCell" in text else ():
                    row, column = coordinate_to_tuple(merged[1].decode())
                    message = f"merged cells from {merged[1].decode()} on"
                    self._fault(row, column, "", message, "Unmerge them, and fill in each cell.")
                before = text[-_OVERLAP:]  # a fault that is found again in it is kept once

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Header and rows, without empty ones."""
        self._sheet.reset_dimensions()
        header: list[str] = []
        for number, cells in enumerate(self._sheet.iter_rows(max_col=MOST_COLUMNS + 1, max_row=MOST_ROWS + 1), 1):
            self._spent.rows += 1
            if self._spent.is_over:
                self.is_whole = False
                self._fault(number, 0, "", f"more than {MOST_ROWS} rows in the workbook", _SPLIT)
                return
            if all(cell is EMPTY_CELL for cell in cells):
                continue
            texts = [self._text(cell, number, column, header) for column, cell in enumerate(cells, 1)]
            while texts and not texts[-1]:
                texts.pop()
            if not texts:
                continue
            if not header:
                header = texts
                if len(header) > MOST_COLUMNS:
                    self.is_whole = False
                    self._fault(number, 0, "", f"more than {MOST_COLUMNS} columns", "Keep the columns that are needed.")
                    return
            elif len(texts) > len(header):
                message = f"a cell without a header, in column {get_column_letter(len(texts))}"
                self._fault(number, len(texts), "", message, "Give the column a header, or delete the cell.")
                texts = texts[: len(header)]
            yield number, texts + [""] * (len(header) - len(texts))

    def _text(self, cell: Any, row: int, column: int, header: Sequence[str]) -> str:
        """A cell as text; empty, with a fault, where it is none."""
        value = cell.value
        if value is None:
            return ""
        if cell.data_type == "f":
            message, remedy = "a formula", "Paste the value in its place (paste special, values)."
        elif cell.data_type == "e":
            message, remedy = f"an error: {str(value)[:20]}", "Write the value."
        elif isinstance(value, dt.date | dt.time | dt.timedelta):
            message, remedy = "a date or time", "Format the cell as text or as a plain number, and write it again."
        elif isinstance(value, bool):
            return str(value).lower()
        elif isinstance(value, int | float):
            if "%" not in str(cell.number_format):
                return str(value) if isinstance(value, int) else repr(value)
            message, remedy = f"a percentage: {value!r} is stored", "Format the cell as a plain number: 80, not 80 %."
        else:
            return str(value).replace("\r\n", "\n").replace("\r", "\n")
        self._fault(row, column, header[column - 1] if column <= len(header) else "", message, remedy)
        return ""

    def _fault(self, row: int, column: int, name: str, message: str, remedy: str) -> None:
        self._faults.add(Fault(self._place, row, column, name, message, remedy))


def sheet_names(documents: Sequence[str]) -> dict[str, str]:
    """Name of the sheet for each table of a configuration, by its document: its file's name, as Excel allows it."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for document in sorted(documents):
        stem = re.sub(r"[\[\]:*?/\\]", "_", PurePosixPath(document).stem)[:_LONGEST_NAME].strip("'") or "_"
        name, number = stem, 1
        while name.casefold() in taken:
            number += 1
            name = f"{stem[: _LONGEST_NAME - len(str(number)) - 1]}~{number}"
        taken.add(name.casefold())
        names[document] = name
    return names


def write_workbook(tables: Mapping[str, bytes]) -> bytes:
    """Tables in CSV, by document, as a workbook with a sheet each; numbers are numbers there."""
    book = openpyxl.Workbook(write_only=True)
    for document, name in sheet_names(list(tables)).items():
        sheet = book.create_sheet(name)
        sheet.freeze_panes = "A2"
        header: list[str] = []
        with io.TextIOWrapper(io.BytesIO(tables[document]), encoding="utf-8-sig", newline="") as file:
            for row in csv.reader(file):
                if not header:
                    header = [cell.strip() for cell in row]
                sheet.append([_cell(sheet, text, header, column) for column, text in enumerate(row)])
    if not book.worksheets:
        book.create_sheet("empty")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _cell(sheet: Any, text: str, header: Sequence[str], column: int) -> Any:
    if not text:
        return None
    if column < len(header) and header[column] in _NUMERIC and text not in header:
        try:
            number = float(text)
        except ValueError:
            pass
        else:
            plain = int(number) if number.is_integer() and "." not in text and "e" not in text else number
            # Excel keeps 15 digits; what needs more stays text.
            if str(plain) == text and float(f"{number:.15g}") == number:
                return plain
    cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("\ufffd", text))
    cell.data_type = "s"  # a text that begins with = is no formula
    return cell
