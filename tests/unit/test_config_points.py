"""Point tables: CSV rows become tags with rules, and each faulty cell is named by file, line and column."""

from pathlib import Path

import pytest

from domain.scales import RuleKind
from domain.site import Rule, RuleExtra, Site
from service.config import Fault, check, format_faults, load_site, point_table
from service.config.faults import FaultList
from service.config.point_table import table_drafts

SITE = """\
regions: [{code: "370000", name: 山东省}]
enterprises:
  - id: e
    name: 企业
    region: "370000"
    gateways: [{id: g1, name: 甲}, {id: g2, name: 乙}]
    units: [{id: u, name: 装置, tag_tables: [points.csv]}]
"""


def write(folder: Path, table: str | bytes) -> Path:
    (folder / "site.yaml").write_text(SITE, encoding="utf-8")
    (folder / "points.csv").write_bytes(table if isinstance(table, bytes) else table.encode())
    return folder / "site.yaml"


def site_of(folder: Path, table: str | bytes) -> Site:
    return load_site([write(folder, table)])


def faults_of(folder: Path, table: str | bytes) -> list[Fault]:
    return check([write(folder, table)], {})


def rules_of(site: Site, path: str) -> dict[str, Rule]:
    return {site.rules.key[index]: site.rules.row(index) for index in site.rules.of_tag(site.tag_index[path])}


def test_every_column(tmp_path: Path) -> None:
    site = site_of(
        tmp_path,
        "tag,measurand,engineering_unit,low,high,period,gateway,description,LL,L,H,HH,"
        "deadband,on_delay,off_delay,rise,fall,rate_window,latching,stale\n"
        'TI-1,temperature,°C,-20,80,2s,g2,"一层, 东侧",-10,0,40,50,0.5,5s,500,6/min,0.2,2min,true,20s\n'
        "TI-2,temperature,°C,-20,80,2s,g2,,,,,,,,,,,,,off\n"
        "TI-3,temperature,°C,-20,80,2s,g2,,,,,,,,,,,,,\n",
    )
    tag = site.tags[site.tag_index["e/TI-1"]]
    assert (tag.unit, tag.gateway, tag.measurand, tag.engineering_unit) == ("u", "g2", "temperature", "°C")
    assert (tag.low, tag.high, tag.period, tag.description, tag.gas) == (-20, 80, 2000, "一层, 东侧", None)
    rules = rules_of(site, "e/TI-1")
    assert list(rules) == ["HH", "H", "L", "LL", "RISE", "FALL", "STALE", "BAD"]
    assert [rules[key].setpoint for key in ("LL", "L", "H", "HH")] == [-10, 0, 40, 50]
    for key in ("LL", "L", "H", "HH"):
        rule = rules[key]
        assert (rule.deadband, rule.on_delay, rule.off_delay, rule.latching) == (0.5, 5000, 500, True)
        assert (rule.level, rule.default) == (key, False)
    assert (rules["RISE"].kind, rules["RISE"].setpoint, rules["RISE"].window) == (RuleKind.RISE, 0.1, 120_000)
    assert (rules["FALL"].kind, rules["FALL"].setpoint, rules["FALL"].latching) == (RuleKind.FALL, 0.2, True)
    assert (rules["STALE"].window, rules["BAD"].on_delay) == (20_000, 5000)
    assert "STALE" not in rules_of(site, "e/TI-2")
    assert rules_of(site, "e/TI-3")["STALE"].window == 6000


def test_columns_of_gas_stuck_and_re_alarm(tmp_path: Path) -> None:
    site = site_of(
        tmp_path,
        "tag,measurand,engineering_unit,gateway,low,high,H,latching,species,stuck,re_alarm\n"
        "A,flammable_gas,ppm,g1,0,50000,,true,CH4,5/10min,30min\n"
        "B,temperature,°C,g1,0,100,50,,,on,off\nC,temperature,°C,g1,0,100,50,,,off,\n"
        "D,temperature,°C,g1,0,100,50,,,,1000\n",
    )
    rules = rules_of(site, "e/A")
    assert site.tags[0].species == "CH4"
    assert [(key, rule.setpoint, rule.default) for key, rule in rules.items() if key in "HH"] == [
        ("HH", 25_000, True),
        ("H", 12_500, True),
    ]
    assert rules["H"].extra == RuleExtra(re_alarm=1_800_000, given="25 %LEL")
    stuck = rules["STUCK"]
    assert (stuck.kind, stuck.setpoint, stuck.window, stuck.latching) == (RuleKind.STUCK, 5, 600_000, True)
    assert (stuck.extra, rules["BAD"].extra) == (None, None)
    stuck = rules_of(site, "e/B")["STUCK"]
    assert (stuck.setpoint, stuck.window, stuck.default) == (0.05, 3_600_000, True)
    assert rules_of(site, "e/B")["H"].extra is None
    assert "STUCK" not in rules_of(site, "e/C")
    assert rules_of(site, "e/D")["H"].extra == RuleExtra(re_alarm=1_000)


def test_rows_from_anywhere_with_places_of_their_own() -> None:
    """As a sheet of a workbook has them: numbered by itself, its cells named by letters."""
    faults = FaultList()
    rows = [
        (4, ["tag", "measurand", "H"]),
        (5, ["A", "flow", "5"]),
        (6, []),
        (7, ["B", "flow"]),
        (9, ["C", "flow", "x"]),
    ]
    drafts = list(table_drafts(rows, lambda row, column: ("points.xlsx 位号", row, column + 100), faults))
    assert [name for block in drafts for name in block.name] == ["A", "C"]
    assert drafts[0].origin.place(1) == "points.xlsx 位号:9"
    assert [(fault.file, fault.line, fault.column, fault.field) for fault in faults.sorted()] == [
        ("points.xlsx 位号", 7, 100, ""),
        ("points.xlsx 位号", 9, 103, "H"),
    ]
    faults = FaultList()
    assert list(table_drafts([(4, ["tag", "limit"])], lambda row, column: ("s", row, column), faults)) == []
    assert [(fault.line, fault.column, fault.field) for fault in faults.sorted()] == [
        (4, 0, "measurand"),
        (4, 2, "limit"),
    ]


def test_empty_cells_inherit_and_off_removes(tmp_path: Path) -> None:
    site = site_of(
        tmp_path,
        "tag,measurand,engineering_unit,gateway,low,high,H,HH\n"
        "A,h2s,ppm,g1,0,100,,off\nB,h2s,mg/m³,g1,,,12,\nC,level,%,g1,0,200,150,\nD,flow,,g1,,,,\n",
    )
    assert {key: (rule.setpoint, rule.default) for key, rule in rules_of(site, "e/A").items() if key in "HH"} == {
        "H": (7, True)
    }
    assert {key: (rule.setpoint, rule.default) for key, rule in rules_of(site, "e/B").items() if key in "HH"} == {
        "HH": (20, True),
        "H": (12, False),
    }
    assert (rules_of(site, "e/C")["H"].deadband, rules_of(site, "e/C")["H"].on_delay) == (10, 60_000)
    assert not site.has_limits(site.tag_index["e/D"])
    assert site.tags[site.tag_index["e/D"]].low == float("-inf")


def test_as_excel_saves_it(tmp_path: Path) -> None:
    table = (
        "\ufefftag,measurand,gateway,description\r\n甲-1,flow, g1 ,一\r\n\r\n"
        '乙-2,flow,g2,"两\r\n行"\r\n丙-3,flow,g2,三\r\n'
    )
    site = site_of(tmp_path, table)
    assert [tag.name for tag in site.tags[:3]] == ["甲-1", "乙-2", "丙-3"]
    assert [tag.gateway for tag in site.tags[:3]] == ["g1", "g2", "g2"]
    found = faults_of(tmp_path, table.replace("丙-3,flow", "丙-3,glow"))
    assert [(fault.line, fault.column) for fault in found] == [(6, 2)]


@pytest.mark.parametrize("block", [1, 2, 7, 1000])
def test_blocks_make_no_difference(block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    header = "tag,measurand,engineering_unit,gateway,low,high,H,species,stuck,re_alarm\n"
    kinds = ("h2s,mg/m3", "ch4_face,%vol", "temperature,°C", "tank_level,%", "flammable_gas,%vol")
    table = header + "".join(
        f"T{n},{kinds[n % 5]},g{n % 2 + 1},0,100,{'' if n % 3 else 'off'},{'CH4' if n % 5 == 4 else ''},"
        f"{'0.1/5min' if n % 4 else 'off'},{'' if n % 7 else '10min'}\n"
        for n in range(24)
    )
    whole = site_of(tmp_path, table)
    monkeypatch.setattr(point_table, "BLOCK", block)
    split = site_of(tmp_path, table)
    assert whole.tags == split.tags
    assert whole.revision == split.revision
    rows = range(len(whole.rules))
    assert [whole.rules.row(index) for index in rows] == [split.rules.row(index) for index in rows]
    assert len(whole.rules.extras) > 10
    found = faults_of(tmp_path, table + "T0,flow,,g1,,,,,,\n")
    assert "is given already at" in found[0].message
    assert "points.csv:2" in found[0].message


HEADER = (
    "tag,measurand,engineering_unit,low,high,period,gateway,LL,L,H,HH,deadband,on_delay,rise,rate_window,latching,"
    "species,stuck,re_alarm"
)
GOOD = "T0,flow,m3/h,0,10,1s,g1,,,5,,,,,,,,,"
CELL_FAULTS = {
    "delay of days": ("on_delay", "25h", "a delay of more than 24 h", "24h at most"),
    "window of months": ("rate_window", "32d", "a window of more than 31 days", "31d at most"),
    "stuck for months": ("stuck", "0.1/32d", "a window of more than 31 days", "31d at most"),
    "empty tag": ("tag", "", "empty name", "Use letters"),
    "slash in a tag": ("tag", "A/B", "/ + or #", "Use letters"),
    "reserved tag": ("tag", "@g1", "reserved", "Use letters"),
    "doubled tag": ("tag", "T0", "given already", "unique"),
    "unknown measurand": ("measurand", "flwo", "unknown measurand", "`flow`"),
    "no measurand": ("measurand", "", "no measurand", "Use one of"),
    "unit of another kind": ("measurand=h2s,engineering_unit", "kPa", "are in mg/m3 or ppm", "limits of your own"),
    "low as text": ("low", "zero", "not a number", "plain number"),
    "low not finite": ("low", "nan", "not a finite", "plain number"),
    "one end of a range": ("high=,low", "0", "only one end", "both"),
    "range upside down": ("low", "10", "not below", "lower end"),
    "period without unit": ("period", "1x", "unit of time", "15s"),
    "period zero": ("period", "0", "zero", "longer"),
    "no gateway": ("gateway", "", "has several", "g1, g2"),
    "unknown gateway": ("gateway", "g3", "no gateway 'g3'", "g1, g2"),
    "limit as text": ("H", "5 m3/h", "not a number", "plain number"),
    "limits out of order": ("HH=4,H", "5", "limit H 5 is not below limit HH 4", "must rise"),
    "limit outside the range": ("H", "11", "outside the range", "Correct"),
    "deadband too wide": ("deadband", "10", "not smaller than the span", "smaller"),
    "deadband negative": ("deadband", "-1", "negative", "from 0"),
    "delay negative": ("on_delay", "-1", "not a duration", "15s"),
    "rate by an unknown unit": ("rise", "1/fortnight", "unit of time", "7d"),
    "rate by nothing": ("rise", "1/", "not a duration", "15s"),
    "rate of zero": ("rise", "0/s", "above 0", "5/min"),
    "rate beyond the range": ("rise", "1", "never sound", "smaller rate"),
    "window too short": ("rise=0.01,rate_window", "500ms", "shorter than", "several periods"),
    "unknown species": ("measurand=concentration,species", "XX", "unknown species 'XX'", "CH4"),
    "species of another gas": ("measurand=h2s,engineering_unit=ppm,H=,species", "CO", "is H2S", "another measurand"),
    "stuck by a word": ("stuck", "always", "not a stuck value", "0.1/30min"),
    "stuck for no time": ("stuck", "0.1/", "not a duration", "15s"),
    "stuck below nothing": ("stuck", "-1/5min", "negative", "from 0"),
    "stuck within a wide band": ("stuck", "10/5min", "as wide as the range", "smaller band"),
    "stuck too soon": ("stuck", "1/2s", "at a period of 1000 ms", "3 periods"),
    "stuck without a band": ("measurand=status,stuck", "on", "status has no band", "band: 0.1"),
    "re-alarm as text": ("re_alarm", "later", "not a duration", "15s"),
    "latching as text": ("latching", "perhaps", "true or false", "Write true"),
}


@pytest.mark.parametrize("case", CELL_FAULTS)
def test_fault_of_a_cell(case: str, tmp_path: Path) -> None:
    where, value, message, remedy = CELL_FAULTS[case]
    *others, column = where.split(",")
    names = HEADER.split(",")
    row = dict(zip(names, GOOD.replace("T0", "T1").split(","), strict=True))
    row |= dict(other.split("=") for other in others) | {column: value}
    found = faults_of(tmp_path, "\n".join([HEADER, GOOD, ",".join(row.values()), GOOD.replace("T0", "T2")]))
    assert len(found) == 1, format_faults(found)
    fault = found[0]
    assert fault.file.endswith("points.csv")
    assert (fault.line, fault.column, fault.field) == (3, names.index(column) + 1, column)
    assert message in fault.message
    assert remedy in fault.remedy


TABLE_FAULTS: dict[str, tuple[str | bytes, int, str]] = {
    "empty": ("", 0, "the point table is empty"),
    "unknown column": ("tag,measurand,setpoint\n", 1, "unknown column `setpoint`"),
    "doubled column": ("tag,measurand,tag\n", 1, "column `tag` is given twice"),
    "missing column": ("tag,gateway\n", 1, "column `measurand` is missing"),
    "short row": ("tag,measurand,gateway\nA,flow\n", 2, "2 cells in this row, 3 in the header"),
    "long row": ("tag,measurand,gateway\nA,flow,g1,x\n", 2, "4 cells in this row, 3 in the header"),
    "quote left open": ('tag,measurand,gateway\nA,flow,g1\nB,"flow,g1\n', 3, "not readable as CSV"),
    "quote within": ('tag,measurand,gateway\nA,"fl"ow,g1\n', 2, "not readable as CSV"),
    "endless cell": ("tag,measurand,gateway\nA,flow," + "g" * 140_000, 2, "not readable as CSV"),
    "not UTF-8": ("tag,measurand,gateway\nA,flow,g1\n乙,flow,g1\n".encode("gbk"), 3, "not UTF-8 text"),
}


@pytest.mark.parametrize("case", TABLE_FAULTS)
def test_fault_of_a_table(case: str, tmp_path: Path) -> None:
    table, line, message = TABLE_FAULTS[case]
    found = faults_of(tmp_path, table)
    assert len(found) == 1, format_faults(found)
    assert found[0].line == line
    assert message in found[0].message
    assert found[0].remedy


def test_semicolons_are_told_to_be_commas(tmp_path: Path) -> None:
    found = faults_of(tmp_path, "tag;measurand\nA;flow\n")
    assert any("separated by commas" in fault.remedy for fault in found)


def test_a_sole_row_without_a_tag(tmp_path: Path) -> None:
    found = faults_of(tmp_path, "tag,measurand,gateway\n,flow,g1\n")
    assert [(fault.line, fault.field, fault.message) for fault in found] == [(2, "tag", "an empty name")]
