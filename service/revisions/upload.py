"""Uploaded files as documents: workbooks sheet by sheet, tables in CSV, texts; their faults by the files' places."""

import csv
import io
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path, PurePosixPath

import yaml

from service.config.faults import Fault, FaultList
from service.config.point_table import COLUMNS
from service.config.validation import suggestion
from service.revisions.workbook import Sheet, place_of, read_workbook, sheet_names

SYNONYMS = Path(__file__).with_name("columns.yaml")
_REQUIRED = {"tag", "measurand"}
_RANGE = frozenset({"low", "high"})
_SAYS_LEAST = {"LL": "off", "L": "off", "H": "off", "HH": "off", "deadband": "0"}
"""By column; of the others an empty cell."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was sent. ``document``: what it is to become; None: told by its name."""

    name: str
    content: bytes
    document: str | None = None


@dataclass(slots=True)
class _Place:
    """Where the lines of a document came from."""

    file: str
    rows: Sequence[int] | None = None
    """Row of each line; None: the same."""


@dataclass(slots=True)
class Unpacked:
    """Documents of uploaded files. ``faults``: what could not be read of them."""

    documents: dict[str, bytes] = field(default_factory=dict)
    faults: FaultList = field(default_factory=FaultList)
    places: dict[str, _Place] = field(default_factory=dict)

    def located(self, found: Iterable[Fault]) -> list[Fault]:
        """All faults, those of documents by the uploaded file's own place; a cell's own fault hides what it causes."""
        own = self.faults.sorted()
        cells = {(fault.file, fault.line, fault.column) for fault in own}
        moved = []
        for fault in found:
            place = self.places.get(fault.file)
            if place is not None:
                rows = place.rows
                line = rows[fault.line] if rows is not None and fault.line < len(rows) else fault.line
                fault = replace(fault, file=place.file, line=line)  # noqa: PLW2901 - the same fault elsewhere
            if (fault.file, fault.line, fault.column) not in cells:
                moved.append(fault)
        return sorted({*own, *moved})

    def sound(self, faults: Iterable[Fault], held: Mapping[str, bytes]) -> dict[str, bytes]:
        """The documents with rows that have faults as they are in ``held``, or without them where they are new."""
        wrong: dict[str, set[int]] = {}
        for fault in faults:
            wrong.setdefault(fault.file, set()).add(fault.line)
        left: dict[str, bytes] = {}
        for name, content in self.documents.items():
            rows = wrong.get(self.places[name].file)
            if rows and name.endswith(".csv"):
                left[name] = _mended(content, self.places[name].rows, rows, held.get(name, b""))
            else:
                left[name] = content
        return left


def unpack(uploads: Sequence[Upload], held: Sequence[str]) -> Unpacked:
    """Documents of uploaded files. ``held``: the names of those that there are."""
    unpacked = Unpacked()
    tables = {sheet: name for name, sheet in sheet_names([n for n in held if n.endswith(".csv")]).items()}
    for upload in uploads:
        document = upload.document or (upload.name if upload.name in held else "")
        if document.lower().endswith(".xlsx"):  # a document that is a workbook itself, such as a directory of contacts
            unpacked.documents[document] = upload.content
            unpacked.places[document] = _Place(upload.name)
        elif upload.name.lower().endswith((".xlsx", ".xlsm", ".xls")):
            _take_book(upload, tables, unpacked)
        else:
            _take_text(upload, held, unpacked)
    return unpacked


def canonical_header(header: Sequence[str]) -> list[str] | None:
    """The columns that a point table's header stands for; None where it is no point table's."""
    synonyms = _synonyms()
    columns = [synonyms.get(_plain(cell), cell.strip()) for cell in header]
    return columns if _REQUIRED.issubset(columns) else None


def _take_book(upload: Upload, tables: Mapping[str, str], unpacked: Unpacked) -> None:
    sheets = read_workbook(upload.content, upload.name, unpacked.faults)
    for sheet in sheets:
        document = upload.document if len(sheets) == 1 and upload.document else tables.get(sheet.name)
        if document is None:
            message = f"no table is called {sheet.name[:40]!r}"
            remedy = f"Name the sheet as a table's file, or say which document it is. {suggestion(sheet.name, tables)}"
            unpacked.faults.add(Fault(place_of(upload.name, sheet.name), 0, 0, "", message, remedy))
            continue
        place = place_of(upload.name, sheet.name)
        unreadable = {(f.line, f.column) for f in unpacked.faults.sorted() if f.file == place}
        content, rows = _with_columns(sheet, unreadable).as_csv()
        unpacked.documents[document] = content
        unpacked.places[document] = _Place(place, rows)


def _with_columns(sheet: Sheet, unreadable: Collection[tuple[int, int]]) -> Sheet:
    """A sheet with its columns by their own names. In place of cells that could not be read stands what says least.

    So no fault follows from another one that is reported already.
    """
    (number, header), *rest = sheet.rows
    columns = canonical_header(header)
    if columns is None:
        return sheet
    rows = [(number, columns), *rest]
    wrong: dict[int, list[str]] = {}
    for row, column in unreadable:
        if 0 < column <= len(columns):
            wrong.setdefault(row, []).append(columns[column - 1])
    return Sheet(
        sheet.name, [(row, _filled(columns, cells, wrong[row]) if row in wrong else cells) for row, cells in rows]
    )


def _filled(columns: Sequence[str], cells: Sequence[str], wrong: Collection[str]) -> list[str]:
    fill = {column: _SAYS_LEAST.get(column, "") for column in wrong}
    if not _RANGE.isdisjoint(wrong):
        fill |= dict.fromkeys(_RANGE, "")
    return [fill.get(column, cell) for column, cell in zip(columns, cells, strict=True)]


def _take_text(upload: Upload, held: Sequence[str], unpacked: Unpacked) -> None:
    document = upload.document or _document_of(upload.name, held)
    if document is None:
        message = f"no document is called {upload.name[:100]!r}"
        remedy = f"Say which document it is, or name it as one. {suggestion(upload.name, held)}"
        unpacked.faults.add(Fault(upload.name, 0, 0, "", message, remedy))
        return
    try:
        text = upload.content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = upload.content.count(b"\n", 0, error.start) + 1
        remedy = "Save the file as UTF-8 (in Excel: CSV UTF-8)."
        unpacked.faults.add(Fault(upload.name, line, 0, "", "not UTF-8 text", remedy))
        return
    content = _csv_with_columns(text) if document.endswith(".csv") else None
    unpacked.documents[document] = upload.content if content is None else content
    unpacked.places[document] = _Place(upload.name)


def _document_of(name: str, held: Sequence[str]) -> str | None:
    if name in held:
        return name
    alike = [document for document in held if PurePosixPath(document).name == PurePosixPath(name).name]
    return alike[0] if len(alike) == 1 else None


def _csv_with_columns(text: str) -> bytes | None:
    """A table with its header's columns by their own names; None where they are that already, or it is none."""
    line, end, rest = text.partition("\n")
    try:
        header = next(csv.reader([line]), [])
    except csv.Error:
        return None
    columns = canonical_header(header)
    if columns is None or columns == [cell.strip() for cell in header]:
        return None
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(columns)
    return f"{out.getvalue()}{end}{rest}".encode()


def _mended(content: bytes, rows_of: Sequence[int] | None, wrong: set[int], held: bytes) -> bytes:
    """A table whose wrong rows are replaced by those of the same tag in another, or left out."""
    good: list[list[str]] = []
    bad: list[list[str]] = []
    reader = csv.reader(io.StringIO(content.decode("utf-8-sig", "replace"), newline=""))
    begin = 1
    for row in reader:
        number = rows_of[begin] if rows_of is not None and begin < len(rows_of) else begin
        (bad if number in wrong else good).append(row)
        begin = reader.line_num + 1
    header = [cell.strip() for cell in good[0]] if good else []
    if "tag" in header:
        at = header.index("tag")
        known = {row[at].strip() for row in good[1:] if len(row) > at}
        before = _by_tag(held)
        for row in bad:
            tag = row[at].strip() if len(row) > at else ""
            if tag in before and tag not in known:
                good.append([before[tag].get(column, "") for column in header])
                known.add(tag)
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(good)
    return out.getvalue().encode()


def _by_tag(table: bytes) -> dict[str, dict[str, str]]:
    reader = csv.reader(io.StringIO(table.decode("utf-8-sig", "replace"), newline=""))
    header = [cell.strip() for cell in next(reader, [])]
    rows = (dict(zip(header, row, strict=False)) for row in reader)
    return {row.get("tag", "").strip(): row for row in rows}


@cache
def _synonyms() -> dict[str, str]:
    listed = yaml.safe_load(SYNONYMS.read_text("utf-8"))
    named = {column: [column, *others] for column, others in listed.items()}
    known = {column: named.get(column, [column]) for column in COLUMNS}
    return {_plain(name): column for column, names in known.items() for name in names}


def _plain(text: str) -> str:
    """Without full-width forms, case, blanks, and what stands in brackets behind it."""
    folded = "".join(unicodedata.normalize("NFKC", text).casefold().split())
    return folded.partition("(")[0] or folded
