"""The directory of contacts as a table: CSV (UTF-8) or .xlsx, one contact a row, faults by sheet, row and column.

Column names are understood in English and in Chinese. An address on a channel of its own stands in a column
``address.<channel>``.
"""

import csv
import io
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol

import openpyxl
from pydantic_core import PydanticCustomError

from alerting.response.contacts import LANGUAGES, Contact
from domain.site import SERVICE_ENTERPRISE, Enterprise, Region
from service.config.faults import Fault, FaultList
from service.config.quantities import check_identifier, check_region_code, refusal
from service.config.response_sections import check_contact_id, parse_day, parse_time_of_day
from service.config.validation import suggestion
from service.config.workbook_guard import DAMAGE, DAMAGED, Bounds, GuardedReader, refusal_of

COLUMNS = {
    "id": "编号",
    "name": "姓名",
    "post": "岗位",
    "title": "职务",
    "organisation": "单位",
    "enterprise": "企业",
    "region": "辖区",
    "phone": "电话",
    "mail": "邮箱",
    "language": "语言",
    "quiet": "免打扰时段",
    "updated": "更新日期",
}
"""Column -> its Chinese name."""
ADDRESS = "address."
"""Beginning of the column that holds the addresses on one channel."""
REQUIRED = ("id", "name", "post")
MOST_ROWS = 20_000
LONGEST_CELL = 400
MOST_COLUMNS = 100
XLSX = ".xlsx"
_BY_CHINESE = {chinese: column for column, chinese in COLUMNS.items()}
_DIVIDE = "Divide the directory, or delete empty rows and columns."
_BOUNDS = Bounds(size=20_000_000, unpacked=100_000_000, cells=600_000, remedy=_DIVIDE)
"""Of an .xlsx file [ours]."""
_TABLE_REMEDY = f"Begin it with a row of column names: {','.join(COLUMNS)}."


class Places(Protocol):
    """What contacts belong to: a site, or one that is being put together."""

    @property
    def regions(self) -> Mapping[str, Region]:
        """By code."""
        ...

    @property
    def enterprises(self) -> Mapping[str, Enterprise]:
        """By id."""
        ...


@dataclass(frozen=True, slots=True)
class _Row:
    """One row with its place; cells by column."""

    file: str
    number: int
    header: Sequence[str]
    cells: dict[str, str]

    def fault(self, column: str, message: str, remedy: str) -> Fault:
        at = self.header.index(column) + 1 if column in self.header else 0
        return Fault(self.file, self.number, at, column, message, remedy)


def read_contacts(content: bytes, path: Path, faults: FaultList, site: Places | None = None) -> tuple[Contact, ...]:
    """Contacts of a table, .xlsx by the name of the file, else CSV; rows with faults are left out and reported.

    ``site``: enterprises and regions must be its. Pure: nothing is read but ``content``.
    """
    rows = _xlsx_rows(content, path, faults) if path.suffix.lower() == XLSX else _csv_rows(content, path, faults)
    found: dict[str, Contact] = {}
    places: dict[str, str] = {}
    for count, row in enumerate(rows, start=1):
        if count > MOST_ROWS:
            faults.add(Fault(row.file, row.number, 0, "", f"more than {MOST_ROWS} contacts", "Divide the directory."))
            break
        contact = _contact(row, faults, site)
        if contact is None:
            continue
        if contact.id in found:
            message = f"contact {contact.id!r} is given already at {places[contact.id]}"
            faults.add(row.fault("id", message, "Give each id once: rename or delete one of the two."))
            continue
        found[contact.id] = contact
        places[contact.id] = f"{row.file}:{row.number}"
    return tuple(found.values())


def write_contacts(contacts: Iterable[Contact], suffix: str = ".csv") -> bytes:
    """A table as ``read_contacts`` reads it: ``.csv`` with English, ``.xlsx`` with Chinese names of columns."""
    listed = list(contacts)
    channels = sorted({channel for contact in listed for channel in contact.addresses})
    rows = [[*_cells(contact), *(contact.addresses.get(channel, "") for channel in channels)] for contact in listed]
    addresses = [f"{ADDRESS}{channel}" for channel in channels]
    if suffix != XLSX:
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\r\n").writerows([[*COLUMNS, *addresses], *rows])
        return text.getvalue().encode("utf-8-sig")  # Excel takes UTF-8 without its mark for GBK
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("contacts")  # as its document is called, by which a revision knows it
    for row in [[*COLUMNS.values(), *addresses], *rows]:
        sheet.append([_text_cell(sheet, cell) for cell in row])
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()


def _text_cell(sheet: Any, text: str) -> Any:
    """A cell that Excel shows as it is: no formula, no number whose zeros fall off."""
    cell = openpyxl.cell.WriteOnlyCell(sheet, text)
    cell.data_type = "s"
    cell.number_format = "@"
    return cell


def _cells(contact: Contact) -> list[str]:
    return [
        contact.id,
        contact.name,
        contact.post,
        contact.title,
        contact.organisation,
        contact.enterprise or "",
        contact.region,
        contact.phone,
        contact.mail,
        contact.language,
        quiet_text(contact),
        contact.updated.isoformat() if contact.updated else "",
    ]


def quiet_text(contact: Contact) -> str:
    """Quiet hours as the table has them; empty: none."""
    return "" if contact.quiet is None else "-".join(map(_time_text, contact.quiet))


def _time_text(milliseconds: int) -> str:
    return f"{milliseconds // 3_600_000:02}:{milliseconds // 60_000 % 60:02}"


# ---- rows


def _csv_rows(content: bytes, path: Path, faults: FaultList) -> Iterator[_Row]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        faults.add(Fault(str(path), line, 0, "", "not UTF-8 text", "Save the file as CSV UTF-8 in Excel."))
        return
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[tuple[int, list[str]]] = []
    line = 1
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append((line, row))
            if len(rows) > MOST_ROWS + 1:  # the header, and one more than is taken: that there are more is told
                break
            line = reader.line_num + 1
    except csv.Error as error:
        remedy = "Close every quotation mark in the row, and double those inside a text."
        faults.add(Fault(str(path), line, 0, "", f"not readable as CSV: {error}", remedy))
        return
    if not rows:
        faults.add(Fault(str(path), 0, 0, "", "the table is empty", _TABLE_REMEDY))
        return
    yield from _named(str(path), rows, faults)


def _xlsx_rows(content: bytes, path: Path, faults: FaultList) -> Iterator[_Row]:
    sheets: list[_Sheet] | None = []
    try:
        refusal = refusal_of(content, _BOUNDS)
        if refusal is None:
            sheets = _sheets(content)
    except DAMAGED:
        refusal = DAMAGE
    if sheets is None:
        refusal = f"more than {MOST_ROWS} rows in the workbook, empty ones between others included", _DIVIDE
    elif not sheets and refusal is None:
        refusal = "the workbook is empty", _TABLE_REMEDY
    if refusal is not None:
        faults.add(Fault(str(path), 0, 0, "", *refusal))
    for title, rows in sheets or ():
        yield from _named(f"{path}[{title}]", rows, faults)


_Sheet = tuple[str, list[tuple[int, list[str]]]]
"""Title, and filled rows by their number."""


def _sheets(content: bytes) -> list[_Sheet] | None:
    """The sheets that hold anything; None: more rows than are taken. Raises DAMAGED."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl tells what it leaves out of a file: styles, validation, drawings
        reader = GuardedReader(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        reader.read()
    found = []
    left = MOST_ROWS + len(reader.wb.worksheets)  # with their headers
    try:
        for sheet in reader.wb.worksheets:
            rows = []
            for number, row in enumerate(
                sheet.iter_rows(values_only=True, max_col=MOST_COLUMNS, max_row=left + 1), start=1
            ):
                left -= 1
                if left < 0:
                    return None
                texts = [_cell_text(cell) for cell in row]
                if any(text.strip() for text in texts):
                    rows.append((number, texts))
            width = max((index + 1 for _, row in rows for index, cell in enumerate(row) if cell), default=0)
            if width:
                found.append((str(sheet.title), [(number, row[:width]) for number, row in rows]))
    finally:
        reader.wb.close()
    return found


def _cell_text(value: Any) -> str:
    """Text of a cell: a phone number that Excel took for a number is whole again, a date has no time."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, date) else str(value)


def _named(file: str, filled: Sequence[tuple[int, Sequence[str]]], faults: FaultList) -> Iterator[_Row]:
    """Rows under the header, which is the first. None of them is blank."""
    number, first = filled[0]
    header = [_BY_CHINESE.get(cell.strip(), cell.strip()) for cell in first]
    if not _check_header(file, number, header, faults):
        return
    for number, row in filled[1:]:
        if len(row) != len(header):
            message = f"{len(row)} cells in this row, {len(header)} in the header"
            remedy = "Give each row as many cells as the header; quote a text that holds a comma."
            faults.add(Fault(file, number, 0, "", message, remedy))
            continue
        yield _Row(file, number, header, {name: cell.strip() for name, cell in zip(header, row, strict=True)})


def _check_header(file: str, line: int, header: Sequence[str], faults: FaultList) -> bool:
    known = len(faults)
    for number, name in enumerate(header, start=1):
        if name in header[: number - 1]:
            message, remedy = f"column `{name[:40]}` is given twice", "Keep one of the two."
        elif name not in COLUMNS and not (name.startswith(ADDRESS) and len(name) > len(ADDRESS)):
            message, remedy = f"unknown column `{name[:40]}`", suggestion(name[:40], [*COLUMNS, f"{ADDRESS}<channel>"])
        else:
            continue
        faults.add(Fault(file, line, number, name[:40], message, remedy))
    for name in REQUIRED:
        if name not in header:
            faults.add(Fault(file, line, 0, name, f"column `{name}` ({COLUMNS[name]}) is missing", "Add the column."))
    return len(faults) == known


# ---- one contact


def _contact(row: _Row, faults: FaultList, site: Places | None) -> Contact | None:
    known = len(faults)
    values: dict[str, Any] = {}
    for column, text in row.cells.items():
        try:
            values[column] = _value(column, text)
        except PydanticCustomError as error:
            context = error.context or {}
            faults.add(row.fault(column, str(context["message"]), str(context["remedy"])))
    if site is not None and len(faults) == known:
        _check_place(row, values, faults, site)
    if len(faults) > known:
        return None
    if not (values.get("region") or values.get("enterprise")):
        faults.add(row.fault("region", "neither a region nor an enterprise", "Give one of the two."))
        return None
    addresses = {name.removeprefix(ADDRESS): text for name, text in values.items() if name.startswith(ADDRESS) and text}
    fields = {name: value for name, value in values.items() if name in COLUMNS}
    if site is not None and not fields.get("region") and fields["enterprise"] in site.enterprises:
        fields["region"] = site.enterprises[fields["enterprise"]].region
    return Contact(**fields, addresses=addresses)


def _value(column: str, text: str) -> Any:
    """A cell as the field of a contact. Raises ``refusal``."""
    if len(text) > LONGEST_CELL or not text.isprintable():
        raise refusal("too long a text, or one with invisible characters", "Shorten it, or delete them.")
    if text.startswith("="):
        raise refusal("a text that begins with =, which Excel takes for a formula", "Delete the =.")
    if column in REQUIRED and not text:
        raise refusal(f"`{column}` ({COLUMNS[column]}) is empty", "Fill the cell.")
    parse = _PARSERS.get(column)
    return text if parse is None else parse(text)


def _mail(text: str) -> str:
    if text and ("@" not in text or " " in text):
        raise refusal("not a mail address", "Write for example wang.fang@example.cn.")
    return text


def _language(text: str) -> str:
    language = {"": LANGUAGES[0], "中文": "zh", "英文": "en"}.get(text, text)
    if language not in LANGUAGES:
        raise refusal(f"unknown language {text[:20]!r}", f"Write {' or '.join(LANGUAGES)}.")
    return language


def _quiet(text: str) -> tuple[int, int] | None:
    if not text:
        return None
    begin, separator, end = text.replace("—", "-").replace("～", "-").replace("~", "-").partition("-")
    if not separator:
        raise refusal("not a span of time", "Write it as 22:00-07:00, in local time.")
    span = parse_time_of_day(begin.strip()), parse_time_of_day(end.strip())
    if span[0] == span[1]:
        raise refusal("quiet hours that never end", "Write when they end, for example 22:00-07:00.")
    return span


_PARSERS: Mapping[str, Callable[[str], Any]] = {
    "id": check_contact_id,
    "post": check_identifier,
    "region": lambda text: check_region_code(text) if text else "",
    "enterprise": lambda text: text or None,
    "mail": _mail,
    "language": _language,
    "quiet": _quiet,
    "updated": lambda text: parse_day(text.replace("/", "-")) if text else None,
}
"""By column; the others are taken as they are."""


def _check_place(row: _Row, values: dict[str, Any], faults: FaultList, site: Places) -> None:
    enterprise, region = values.get("enterprise"), values.get("region")
    if enterprise is not None and enterprise not in {*site.enterprises, SERVICE_ENTERPRISE}:
        known = [*site.enterprises, SERVICE_ENTERPRISE]
        faults.add(row.fault("enterprise", f"no enterprise {enterprise[:40]!r}", suggestion(enterprise[:40], known)))
    if region and region not in site.regions:
        faults.add(row.fault("region", f"no region {region!r}", suggestion(region, list(site.regions))))
