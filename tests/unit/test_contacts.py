"""The directory of contacts as a table: every faulty cell by sheet, row and column; out and in again the same."""

import io
import tracemalloc
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.response.contacts import Contact
from service.config.contact_table import COLUMNS, MOST_ROWS, read_contacts, write_contacts
from service.config.faults import Fault, FaultList
from tests.watched_unit import make_site

SITE = make_site()
HEADER = "id,name,post,enterprise,region,phone,mail,quiet,updated"


def read(content: bytes | str, name: str = "contacts.csv", site: Any = SITE) -> tuple[tuple[Contact, ...], list[Fault]]:
    faults = FaultList()
    raw = content.encode() if isinstance(content, str) else content
    return read_contacts(raw, Path(name), faults, site), faults.sorted()


def workbook(*sheets: tuple[str, list[list[Any]]]) -> bytes:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.remove(book.active)
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()


def test_a_table_as_people_write_it() -> None:
    found, faults = read(
        f"{HEADER}\nwang,王芳,duty,,370783,13800000000,wang@county.cn,22:00-07:00,2026/06/01\nop,李工,operator,works,,,,,\n"
    )
    assert not faults
    assert found[0].quiet == (22 * 3_600_000, 7 * 3_600_000)
    assert found[0].updated == date(2026, 6, 1)
    assert (found[1].enterprise, found[1].region, found[1].side) == ("works", "370783", "enterprise")


def test_chinese_names_of_columns_and_numbers_as_excel_keeps_them() -> None:
    rows: list[list[Any]] = [
        ["编号", "姓名", "岗位", "辖区", "电话", "更新日期"],
        ["w", "王芳", "duty", 370783, 13800000000.0, date(2026, 6, 1)],
    ]
    found, faults = read(workbook(("通讯录", rows)), "contacts.xlsx")
    assert not faults
    assert (found[0].phone, found[0].region, found[0].updated) == ("13800000000", "370783", date(2026, 6, 1))


@pytest.mark.parametrize(
    ("column", "text", "told"),
    [
        ("id", "", "empty"),
        ("id", "a b", "without spaces"),
        ("name", "", "empty"),
        ("name", "x" * 401, "too long"),
        ("post", "值班", "an id is made of"),
        ("enterprise", "nobody", "no enterprise"),
        ("region", "37078", "6 digits"),
        ("region", "110000", "no region"),
        ("mail", "nobody", "not a mail address"),
        ("quiet", "22-7", "not a time of day"),
        ("quiet", "22:00", "not a span"),
        ("quiet", "22:00-22:00", "never end"),
        ("updated", "yesterday", "not a day"),
        ("updated", "2026-02-30", "calendar"),
    ],
)
@pytest.mark.parametrize("kind", [".csv", ".xlsx"])
def test_a_faulty_cell_is_named_by_sheet_row_and_column(column: str, text: str, told: str, kind: str) -> None:
    names = HEADER.split(",")
    good = ["a", "王芳", "duty", "", "370783", "", "", "", ""]
    bad = ["b", *good[1:]]
    bad[names.index(column)] = text
    rows = [names, good, bad, ["c", *good[1:]]]
    content = workbook(("县", rows)) if kind == ".xlsx" else "\n".join(",".join(row) for row in rows)
    found, (fault,) = read(content, f"contacts{kind}")
    assert [contact.id for contact in found] == ["a", "c"]
    assert fault.file == ("contacts.xlsx[县]" if kind == ".xlsx" else "contacts.csv")
    assert (fault.line, fault.column, fault.field) == (3, names.index(column) + 1, column)
    assert told in fault.message
    assert fault.remedy


def test_a_text_that_excel_would_take_for_a_formula_is_refused() -> None:
    _, (fault,) = read("id,name,post,region\na,=1+1,duty,370783")
    assert "formula" in fault.message


def test_twenty_faults_among_many_rows_are_exactly_named() -> None:
    rows = [["id", "name", "post", "region"]] + [[f"c{n}", f"人{n}", "duty", "370783"] for n in range(2_000)]
    wrong = set(range(7, 2_000, 100))
    for number in wrong:
        rows[number + 1][number % 4] = ""
    found, faults = read(workbook(("甲", rows[:1001]), ("乙", [rows[0], *rows[1001:]])), "contacts.xlsx")
    assert len(wrong) == len(faults) == 20
    assert len(found) == 1_980
    places = {(fault.file, fault.line) for fault in faults}
    expected = {
        ("contacts.xlsx[甲]", number + 2) if number < 1000 else ("contacts.xlsx[乙]", number - 1000 + 2)
        for number in wrong
    }
    assert places == expected


@pytest.mark.parametrize(
    ("content", "name", "told"),
    [
        (b"", "contacts.csv", "empty"),
        (b" \n , \n", "contacts.csv", "empty"),
        (b"\n" * 200_000, "contacts.csv", "empty"),
        (b"\xff\xfe\x00", "contacts.csv", "not UTF-8"),
        (b'id,name,post\n"a,b,c', "contacts.csv", "not readable as CSV"),
        (b"id,name\na,b", "contacts.csv", "column `post`"),
        (b"id,name,post,fone\na,b,c,d", "contacts.csv", "unknown column"),
        (b"id,name,post,id\na,b,c,d", "contacts.csv", "twice"),
        (b"id,name,post\na,b", "contacts.csv", "2 cells"),
        (b"id,name,post\na,b,c", "contacts.csv", "neither a region nor an enterprise"),
        (b"id,name,post,region\na,b,c,370783\na,b,c,370783", "contacts.csv", "given already at contacts.csv:2"),
        (b"no workbook", "contacts.xlsx", "not a workbook"),
        (b"PK\x03\x04broken", "contacts.xlsx", "damaged"),
        (workbook(("空", [])), "contacts.xlsx", "empty"),
        (workbook(("空", [[" "], [" ", None]])), "contacts.xlsx", "empty"),
    ],
)
def test_a_table_that_is_none_says_why(content: bytes, name: str, told: str) -> None:
    _, faults = read(content, name)
    assert told in faults[0].message
    assert all(fault.remedy for fault in faults)


def test_a_table_of_more_rows_than_are_taken() -> None:
    lines = ["id,name,post,region", *(f"c{number},n,duty,370783" for number in range(MOST_ROWS + 5))]
    found, (fault,) = read("\n".join(lines))
    assert len(found) == MOST_ROWS
    assert "more than" in fault.message


BOOK = workbook(("县", [["id", "name", "post", "region"], ["w", "王芳", "duty", "370783"]]))


def repacked(part: str, change: Callable[[bytes], bytes]) -> bytes:
    """``BOOK`` with one part of it changed."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(BOOK)) as book, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in book.namelist():
            archive.writestr(name, change(book.read(name)) if name == part else book.read(name))
    return packed.getvalue()


SHEET = "xl/worksheets/sheet1.xml"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (BOOK[:60] + b"\xff" * 20 + BOOK[80:], "damaged"),
        (repacked("[Content_Types].xml", lambda xml: xml.replace(b"PartName", b"Part")), "damaged"),
        (repacked("xl/workbook.xml", lambda xml: xml.replace(b"sheetId", b"sheet")), "damaged"),
        (repacked(SHEET, lambda xml: xml.replace(b"</row>", b"<c/>" * 600_000 + b"</row>")), "beyond measure"),
        (repacked(SHEET, lambda xml: xml.replace(b'r="2"', b'r="1048576"')), "more than 20000 rows"),
    ],
)
def test_a_workbook_that_is_damaged_or_too_much_is_refused(content: bytes, told: str) -> None:
    found, (fault,) = read(content, "contacts.xlsx")
    assert not found
    assert told in fault.message
    assert fault.remedy


def test_a_cell_far_to_the_right_makes_no_row_wider_than_is_taken() -> None:
    tracemalloc.start()
    far = b"".join(b'<row r="%d"><c r="XFD%d"><v>1</v></c></row>' % (row, row) for row in range(3, 2_000))
    read(repacked(SHEET, lambda xml: xml.replace(b"</sheetData>", far + b"</sheetData>")), "contacts.xlsx")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50_000_000


@given(st.binary(max_size=300), st.sampled_from(["contacts.csv", "contacts.xlsx"]))
def test_any_bytes_are_a_table_or_a_fault(content: bytes, name: str) -> None:
    found, faults = read(content, name)
    assert found or faults or content.strip()


words = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=12).filter(
    lambda text: not text.startswith("=")
)
contacts = st.builds(
    Contact,
    id=st.from_regex(r"[a-z][a-z0-9-]{0,10}", fullmatch=True),
    name=words,
    post=st.sampled_from(["duty", "operator", "head"]),
    region=st.just("370783"),
    enterprise=st.sampled_from([None, "works"]),
    organisation=words,
    title=words,
    phone=st.from_regex(r"0?[0-9+-]{3,15}", fullmatch=True),
    mail=st.just("a@b.cn"),
    addresses=st.dictionaries(st.sampled_from(["sms", "chat"]), words).map(MappingProxyType),
    language=st.sampled_from(["zh", "en"]),
    quiet=st.sampled_from([None, (22 * 3_600_000, 7 * 3_600_000)]),
    updated=st.none() | st.dates(date(2000, 1, 1), date(2099, 1, 1)),
)


@given(st.lists(contacts, min_size=1, max_size=5, unique_by=lambda contact: contact.id))
@pytest.mark.parametrize("kind", [".csv", ".xlsx"])
def test_out_and_in_again_it_is_the_same(kind: str, listed: list[Contact]) -> None:
    found, faults = read(write_contacts(listed, kind), f"contacts{kind}")
    assert not faults
    assert list(found) == listed


def test_an_export_begins_with_the_names_of_its_columns() -> None:
    assert write_contacts(()).decode("utf-8-sig").strip() == ",".join(COLUMNS)


def test_a_row_nobody_has_checked_for_a_month_is_old() -> None:
    contact = Contact("a", "王芳", "duty", "370783", updated=date(2026, 6, 1))
    noon = 1_780_286_400_000  # 2026-06-01 12:00 in Shanghai
    day = 86_400_000
    assert not contact.is_stale(noon + 31 * day, 31)
    assert contact.is_stale(noon + 32 * day, 31)
    assert Contact("a", "王芳", "duty", "370783").is_stale(noon, 31)


@pytest.mark.parametrize(
    ("quiet", "hour", "until"),
    [
        ((22, 7), 23, 31),
        ((22, 7), 3, 7),
        ((22, 7), 7, None),
        ((22, 7), 21, None),
        ((12, 14), 13, 14),
        ((12, 14), 14, None),
    ],
)
def test_quiet_hours_go_over_midnight(quiet: tuple[int, int], hour: int, until: int | None) -> None:
    hours = 3_600_000
    midnight = 1_780_243_200_000  # in Shanghai
    contact = Contact("a", "王芳", "duty", quiet=(quiet[0] * hours, quiet[1] * hours))
    expected = None if until is None else midnight + until * hours
    assert contact.quiet_until(midnight + hour * hours) == expected
