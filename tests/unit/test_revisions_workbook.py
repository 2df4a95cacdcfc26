"""Workbooks: point tables come in and go out as .xlsx, and whatever cannot be read of one is named by its cell."""

import csv
import datetime as dt
import io
import random
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from service.config import Fault, Settings, load
from service.config.faults import FaultList
from service.revisions.reviser import Checked, Proposal, _check
from service.revisions.upload import Upload, canonical_header, unpack
from service.revisions.workbook import read_workbook, sheet_names, write_workbook
from tests.running import main_file, site_of, write_yaml

HEADER = ["tag", "measurand", "engineering_unit", "low", "high", "period", "description", "L", "H", "HH", "deadband"]
TAGS = 5_000


def row_of(number: int) -> list[Any]:
    return [f"TI-{number:04}", "temperature", "°C", 0, 200, "1s", f"测点 {number}", 5, 80, 90.5, None]


def book_of(rows: Sequence[Sequence[Any]], name: str = "tanks", edit: Callable[[Any], None] | None = None) -> bytes:
    """A workbook of one sheet."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = name
    for row in rows:
        sheet.append(list(row))
    if edit is not None:
        edit(sheet)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def settings_of(folder: Path, rows: Sequence[Sequence[Any]]) -> Settings:
    """A configuration with one point table."""
    lines = [",".join("" if cell is None else str(cell) for cell in row) for row in (HEADER, *rows)]
    (folder / "points").mkdir()
    (folder / "points" / "tanks.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    write_yaml(folder / "site.yaml", site_of([{"id": "tanks", "name": "罐区", "tag_tables": ["points/tanks.csv"]}]))
    return load(write_yaml(folder / "anshao.yaml", main_file(historian={"kind": "duckdb"})), {})


def checked(settings: Settings, content: bytes, name: str = "tanks.xlsx", limit: int = 10_000) -> Checked:
    return _check(settings, Proposal(uploads=[Upload(name, content)]), limit)


def places(faults: Sequence[Fault]) -> list[tuple[str, int, int]]:
    return [(fault.file, fault.line, fault.column) for fault in faults]


PLANTED: tuple[tuple[str, Any], ...] = (
    ("tag", None),
    ("tag", "TI/7"),
    ("tag", "TI-0001"),
    ("tag", dt.datetime(2026, 1, 2)),  # noqa: DTZ001 - a cell has no zone
    ("measurand", None),
    ("measurand", "temprature"),
    ("low", "zero"),
    ("low", 200),
    ("high", dt.date(1900, 3, 20)),
    ("high", None),
    ("period", "soon"),
    ("period", 0),
    ("L", "5 °C"),
    ("H", "=A1+1"),
    ("H", True),
    ("H", 95),
    ("HH", "#REF!"),
    ("HH", dt.time(1, 30)),
    ("deadband", -1),
    ("deadband", "nan"),
)
"""Column and what stands there."""


def test_5000_tags_with_20_planted_faults(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, [row_of(number) for number in range(TAGS)])
    rows = [row_of(number) for number in range(TAGS)]
    for number in range(100, 600):
        rows[number][8] = 81  # 500 limits that the dry run shall show
    rows.append(["TI-NEW", *row_of(0)[1:]])
    dice = random.Random(7)
    expected = set()
    for (column, value), at in zip(PLANTED, sorted(dice.sample(range(700, TAGS), len(PLANTED))), strict=True):
        rows[at][HEADER.index(column)] = value
        # An end of the range that is missing is named at its beginning.
        blamed = "low" if (column, value) == ("high", None) else column
        expected.add(("tanks.xlsx [tanks]", at + 2, HEADER.index(blamed) + 1))
    found = checked(settings, book_of([HEADER, *rows]))
    assert set(places(found.faults)) == expected
    assert len(found.faults) == len(PLANTED)
    assert all(fault.message and fault.remedy for fault in found.faults)
    difference = found.difference
    assert difference is not None
    assert difference.counts["rule"]["changed"] == 500
    assert difference.counts["tag"] == {"added": 1, "removed": 4}  # those whose rows do not say what tag they are of
    changed = [item for item in difference.items if item.what == "rule"]
    assert {(change.name, change.old, change.new) for item in changed for change in item.fields} == {
        ("setpoint", 80.0, 81.0)
    }


def test_a_workbook_that_was_written_reads_as_it_was(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["101", "temperature", "°C", 0, 200, "1s", "=1+1", 5, 80, 90.5, 0.1],
        ["00102", "temperature", "°C", -12.25, 200, "500ms", '"quoted"', None, 80, "off", None],
        ["TI-3", "pressure", "kPa", 0, 1e6, "1s", "a b", 0.30000000000000004, 80, 1e5, 0.01],
    ]
    settings = settings_of(tmp_path, [])
    table = settings.documents.contents["points/tanks.csv"]
    assert checked(settings, write_workbook({"points/tanks.csv": table})).difference is not None
    out = io.StringIO()
    csv.writer(out).writerows([HEADER, *rows])
    (tmp_path / "points" / "tanks.csv").write_text(out.getvalue(), encoding="utf-8")
    settings = load(tmp_path / "anshao.yaml", {})
    found = checked(
        settings,
        write_workbook(
            dict(settings.documents.contents.items() - {("site.yaml", settings.documents.contents["site.yaml"])})
        ),
    )
    assert found.faults == ()
    assert found.difference is not None
    assert found.difference.items == ()


def test_chinese_headers_and_their_synonyms(tmp_path: Path) -> None:
    header = [
        "位号",
        "测量量",
        "单位",
        "量程下限",
        "量程上限",
        "采集周期",
        "描述",
        "低限",
        "高限（H）",
        "高高限",
        "死区",
    ]
    assert canonical_header(header) == HEADER
    settings = settings_of(tmp_path, [row_of(number) for number in range(3)])
    found = checked(settings, book_of([header, *(row_of(number) for number in range(3))]))
    assert (found.faults, found.difference and found.difference.items) == ((), ())
    found = checked(settings, book_of([header, [*row_of(0)[:8], "hot", *row_of(0)[9:]]]))
    assert places(found.faults) == [("tanks.xlsx [tanks]", 2, 9)]
    assert found.faults[0].field == "H"
    text = "\n".join([",".join(header), ",".join("" if cell is None else str(cell) for cell in row_of(0))]).encode()
    assert checked(settings, text, "tanks.csv").faults == ()


def test_rows_are_counted_as_the_sheet_has_them(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, [row_of(0)])
    rows = [[], HEADER, [], [*row_of(0)[:6], "two\nlines", *row_of(0)[7:]], [], ["TI-9", "nonsense"]]
    found = checked(settings, book_of(rows))
    assert places(found.faults) == [("tanks.xlsx [tanks]", 6, 2)]


def test_sheets_that_are_no_table_and_unknown_columns(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, [row_of(0)])
    assert places(checked(settings, book_of([HEADER], "other")).faults) == [("tanks.xlsx [other]", 0, 0)]
    found = checked(settings, book_of([[*HEADER, "colour"], [*row_of(0), "red"]]))
    assert places(found.faults) == [("tanks.xlsx [tanks]", 1, 12)]
    found = checked(settings, book_of([HEADER, [*row_of(0), "red"]]))
    assert places(found.faults) == [("tanks.xlsx [tanks]", 2, 12)]
    assert "without a header" in found.faults[0].message


def test_merged_cells_and_percentages(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, [row_of(0)])

    def edit(sheet: Any) -> None:
        sheet.merge_cells("B3:B4")

    found = checked(settings, book_of([HEADER, row_of(0), row_of(1), row_of(2)], edit=edit))
    assert places(found.faults) == [("tanks.xlsx [tanks]", 3, 2)]

    def percent(sheet: Any) -> None:
        sheet["I2"].number_format = "0%"
        sheet["I2"] = 0.8

    found = checked(settings, book_of([HEADER, row_of(0)], edit=percent))
    assert places(found.faults) == [("tanks.xlsx [tanks]", 2, 9)]
    assert "0.8" in found.faults[0].message


def faults_of(content: bytes) -> list[str]:
    faults = FaultList()
    assert read_workbook(content, "b.xlsx", faults) == []
    return [fault.message for fault in faults.sorted()]


def packed(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), content)
    return out.getvalue()


def replaced(content: bytes, part: str, edit: Callable[[bytes], bytes]) -> bytes:
    """A workbook with one part edited."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, edit(old.read(name)) if name == part else old.read(name))
    return out.getvalue()


SHEET = "xl/worksheets/sheet1.xml"
GOOD = book_of([HEADER, row_of(0)])


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "not a workbook"),
        (b"tag,measurand\n", "not a workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "password"),
        (b"PK\x03\x04" + bytes(100), "damaged"),
        (GOOD[: len(GOOD) // 2], "damaged"),
        (packed(readme=b"x"), "not a workbook"),
        (packed(xl__workbook_dot_xml=b"<x/>", xl__vbaProject_dot_bin=b"x"), "macros"),
        (packed(xl__workbook_dot_xml=b"<x/>", bomb=bytes(50_000_000)), "beyond measure"),
        (packed(xl__workbook_dot_xml=b"<x/>"), "damaged"),
        (replaced(GOOD, SHEET, lambda xml: b"<!DOCTYPE x [<!ENTITY a 'b'>]>" + xml), "document type"),
        (replaced(GOOD, SHEET, lambda xml: xml[:300]), "damaged"),
        (replaced(GOOD, "xl/workbook.xml", lambda _: b"<workbook/>"), "no table"),
        (replaced(GOOD, SHEET, lambda xml: xml.replace(b'r="2"', b'r="1048576"')), "more than 600000 rows"),
    ],
    ids=range(13),
)
def test_hostile_workbooks(content: bytes, told: str) -> None:
    (message,) = faults_of(content)
    assert told in message


def test_mutilated_workbooks_are_named_or_read_and_nothing_else() -> None:
    dice = random.Random(3)
    for _ in range(150):
        content = bytearray(GOOD)
        for _ in range(dice.choice((1, 3, 20))):
            content[dice.randrange(len(content))] = dice.randrange(256)
        read_workbook(bytes(content), "b.xlsx", FaultList())
    with zipfile.ZipFile(io.BytesIO(GOOD)) as archive:
        xml = archive.read(SHEET)
    for _ in range(150):
        at, end = sorted((dice.randrange(len(xml)), dice.randrange(len(xml))))
        edited = xml[:at] + dice.choice((b"", b"9" * 400, b"<c>", b'"', xml[at:end])) + xml[min(end, at + 30) :]
        read_workbook(replaced(GOOD, SHEET, lambda _, edited=edited: edited), "b.xlsx", FaultList())  # type: ignore[misc]


def test_names_of_sheets_are_told_apart() -> None:
    names = sheet_names(["a/points.csv", "b/points.csv", "c/" + "x" * 40 + ".csv", "d/a[1].csv"])
    assert names["a/points.csv"] == "points"
    assert names["b/points.csv"] == "points~2"
    assert all(len(name) <= 31 for name in names.values())
    assert len(set(names.values())) == 4


def test_texts_by_their_names_and_what_is_no_utf_8() -> None:
    unpacked = unpack([Upload("tanks.csv", "位号\n".encode("gbk")), Upload("no.yaml", b"")], ["points/tanks.csv"])
    messages = [(fault.file, fault.message) for fault in unpacked.faults.sorted()]
    assert messages == [("no.yaml", "no document is called 'no.yaml'"), ("tanks.csv", "not UTF-8 text")]


def many_sheets(rows: int) -> bytes:
    """Three sheets of ten columns and so many rows."""

    def edit(sheet: Any) -> None:
        for name in ("b", "c"):
            further = sheet.parent.create_sheet(name)
            for number in range(rows):
                further.append(list(range(number, number + 10)))

    return book_of([list(range(10)) for _ in range(rows)], "a", edit)


def test_cells_are_counted_over_all_sheets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.revisions.workbook.MOST_CELLS", 600)
    faults = FaultList()
    assert len(read_workbook(many_sheets(20), "x.xlsx", faults)) == 3
    assert not faults
    assert read_workbook(many_sheets(25), "x.xlsx", faults) == []
    (fault,) = faults.sorted()
    assert (fault.file, fault.message) == ("x.xlsx", "a workbook of more than 600 cells")
    assert "Split it" in fault.remedy


def test_cells_that_hold_nothing_count_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.revisions.workbook.MOST_CELLS", 600)
    faults = FaultList()
    empty = replaced(
        many_sheets(1), "xl/worksheets/sheet1.xml", lambda xml: xml.replace(b"</row>", b"<c/>" * 700 + b"</row>")
    )
    assert read_workbook(empty, "x.xlsx", faults) == []
    assert [fault.message for fault in faults.sorted()] == ["a workbook of more than 600 cells"]


def test_rows_are_counted_over_all_sheets_and_so_are_the_empty_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.revisions.workbook.MOST_ROWS", 60)
    faults = FaultList()
    assert len(read_workbook(many_sheets(20), "x.xlsx", faults)) == 3
    far = replaced(many_sheets(20), "xl/worksheets/sheet1.xml", lambda xml: xml.replace(b'r="20"', b'r="50"'))
    read_workbook(far, "x.xlsx", faults)
    (fault,) = faults.sorted()
    assert (fault.file, fault.message) == ("x.xlsx [b]", "more than 60 rows in the workbook")


def test_what_would_be_too_much_unpacked_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.revisions.workbook.LARGEST_UNPACKED", 2_000)
    faults = FaultList()
    assert read_workbook(many_sheets(20), "x.xlsx", faults) == []
    (fault,) = faults.sorted()
    assert "unpacked: at most" in fault.message
    assert "Split it" in fault.remedy


def test_a_part_that_stands_for_several_sheets_is_not_read_several_times() -> None:
    faults = FaultList()
    twice = replaced(
        many_sheets(2), "xl/_rels/workbook.xml.rels", lambda xml: xml.replace(b"sheet2.xml", b"sheet1.xml")
    )
    assert read_workbook(twice, "x.xlsx", faults) == []
    assert "damaged" in faults.sorted()[0].message
