"""Each fault that a configuration file can have: told once, with its line, and with a remedy.

Over 500 lines, because it is one table of faults.
"""

from pathlib import Path
from textwrap import dedent, indent

import pytest

from service.config import Fault, check, format_faults

HEAD = """\
regions:
  - {code: "370000", name: 山东省}
enterprises:
  - id: huarui
    name: 华瑞
    region: "370000"
    gateways: [{id: gw1, name: 网关}]
    units:
      - id: tankfarm
        name: 罐区
        tags:
"""


def faults_of(folder: Path, text: str, name: str = "site.yaml") -> list[Fault]:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return check([path], {})


def line_of(text: str, mark: str = "# HERE") -> int:
    return next(number for number, line in enumerate(text.splitlines(), start=1) if mark in line)


def with_tag(body: str) -> str:
    """A site file with one tag, given as the lines of its mapping."""
    lines = indent(dedent(body).strip("\n"), " " * 12)
    return HEAD + " " * 10 + "- " + lines.lstrip() + "\n"


TAG_FAULTS = {
    "unknown key": ("tag: T1\nmeasurand: flow\nlimit: 5 # HERE", "limit", "unknown key", "Did you mean `limits`?"),
    "missing key": ("tag: T1 # HERE", "measurand", "`measurand` is missing", "Add `measurand"),
    "unknown measurand": ("tag: T1\nmeasurand: h2ss # HERE", "measurand", "unknown measurand", "Did you mean `h2s`?"),
    "reserved measurand": ("tag: T1\nmeasurand: canary # HERE", "measurand", "reserved", "another measurand"),
    "slash in a tag": ("tag: A/B # HERE\nmeasurand: flow", "tag", "/ + or #", "Use letters"),
    "blank in a tag": ("tag: A B # HERE\nmeasurand: flow", "tag", "spaces", "Use letters"),
    "tag as number": ("tag: 101 # HERE\nmeasurand: flow", "tag", "must be text", "quotes"),
    "reserved tag": ("tag: '@gw1' # HERE\nmeasurand: flow", "tag", "reserved", "another name"),
    "unknown gateway": ("tag: T1\nmeasurand: flow\ngateway: gw2 # HERE", "gateway", "no gateway 'gw2'", "gw1"),
    "duration without unit": ("tag: T1\nmeasurand: flow\nperiod: '15' # HERE", "period", "not a duration", "15s"),
    "duration of unknown unit": ("tag: T1\nmeasurand: flow\nperiod: 1 week # HERE", "period", "unit of time", "7d"),
    "zero period": ("tag: T1\nmeasurand: flow\nperiod: 0 # HERE", "period", "zero", "longer"),
    "negative delay": ("tag: T1\nmeasurand: flow\non_delay: -5 # HERE", "on_delay", "between 0", "15s"),
    "range not a pair": ("tag: T1\nmeasurand: flow\nrange: [1] # HERE", "range", "two numbers", "[0, 100]"),
    "range upside down": ("tag: T1\nmeasurand: flow\nrange: [9, 1] # HERE", "range", "not below", "[0, 100]"),
    "range not finite": ("tag: T1\nmeasurand: flow\nrange: [0, .inf] # HERE", "range", "finite", "[0, 100]"),
    "limit as text": ("tag: T1\nmeasurand: flow\nlimits:\n  H: '5' # HERE", "limits.H", "must be a number", "quotes"),
    "limit without value": ("tag: T1\nmeasurand: flow\nlimits:\n  H: # HERE", "limits.H", "no value", "off"),
    "limit not finite": (
        "tag: T1\nmeasurand: flow\nlimits:\n  H: .nan # HERE",
        "limits.H.setpoint",
        "finite",
        "number",
    ),
    "limit of unknown level": (
        "tag: T1\nmeasurand: flow\nlimits:\n  HHH: 5 # HERE",
        "limits.HHH",
        "unknown key",
        "`HH`",
    ),
    "limits out of order": (
        "tag: T1\nmeasurand: flow\nlimits:\n  HH: 5\n  H: 6 # HERE\n  L: 1",
        "limits.H",
        "limit H 6 is not below limit HH 5",
        "must rise",
    ),
    "limits out of order, middle left out": (
        "tag: T1\nmeasurand: flow\nlimits:\n  LL: 7 # HERE\n  HH: 5",
        "limits.LL",
        "limit LL 7 is not below limit HH 5",
        "must rise",
    ),
    "limit above an inherited one": (
        "tag: T1\nmeasurand: h2s\nengineering_unit: ppm\nlimits: {H: 15} # HERE",
        "limits.H",
        "limit HH 14 (the default of its measurand)",
        "Give HH a value of your own",
    ),
    "setpoint outside the range": (
        "tag: T1\nmeasurand: flow\nrange: [0, 10]\nlimits:\n  H: 11 # HERE",
        "limits.H",
        "outside the range [0, 10]",
        "Correct the limit",
    ),
    "inherited setpoint outside the range": (
        "tag: T1 # HERE\nmeasurand: h2s\nengineering_unit: mg/m3\nrange: [0, 15]",
        "limits.HH",
        "limit HH 20 (the default of its measurand) lies outside",
        "`HH: off` removes",
    ),
    "inherited named rule outside the range": (
        "tag: T1 # HERE\nmeasurand: ch4_face\nengineering_unit: '%vol'\nrange: [0, 2.5]",
        "rules",
        "limit CH4-RED 3",
        "setpoint: off",
    ),
    "deadband as wide as the span": (
        "tag: T1\nmeasurand: flow\nrange: [0, 10]\nlimits:\n  H: {setpoint: 9, deadband: 10} # HERE",
        "limits.H.deadband",
        "not smaller than the span",
        "smaller `deadband`",
    ),
    "deadband below the range": (
        "tag: T1\nmeasurand: flow\nrange: [0, 10]\nlimits:\n  H: {setpoint: 4, deadband: 5} # HERE",
        "limits.H.deadband",
        "can never clear",
        "smaller `deadband`",
    ),
    "inherited deadband above the range": (
        "tag: T1\nmeasurand: flow\nrange: [0, 100]\nlimits: {L: 96} # HERE",
        "limits.L.deadband",
        "deadband 5 can never clear",
        "smaller `deadband`",
    ),
    "negative deadband": ("tag: T1\nmeasurand: flow\ndeadband: -1 # HERE", "deadband", "greater than", "bound"),
    "unit of another kind": (
        "tag: T1\nmeasurand: h2s\nengineering_unit: kPa # HERE",
        "engineering_unit",
        "default limits of h2s are in mg/m3 or ppm",
        "limits of your own",
    ),
    "no unit for default limits": (
        "tag: T1 # HERE\nmeasurand: oxygen",
        "engineering_unit",
        "no engineering unit",
        "%vol",
    ),
    "rate without limit": (
        "tag: T1\nmeasurand: flow\nrate:\n  rise: {per: 1s} # HERE",
        "rate.rise.limit",
        "missing",
        "Add",
    ),
    "rate of zero": (
        "tag: T1\nmeasurand: flow\nrate:\n  fall: {limit: 0} # HERE",
        "rate.fall.limit",
        "greater",
        "bound",
    ),
    "rate window shorter than the period": (
        "tag: T1\nmeasurand: flow\nperiod: 3min\nrate:\n  rise: {limit: 1, window: 1min} # HERE",
        "rate.rise.window",
        "shorter than the tag's period",
        "several periods",
    ),
    "rate beyond the range": (
        "tag: T1\nmeasurand: flow\nrange: [0, 10]\nrate:\n  rise: {limit: 1} # HERE",
        "rate.rise",
        "never sound",
        "smaller rate",
    ),
    "rate with a deadband of its limit": (
        "tag: T1\nmeasurand: flow\nrate:\n  rise: {limit: 1, deadband: 1} # HERE",
        "rate.rise.deadband",
        "steady value",
        "smaller than the limit",
    ),
    "reserved rule key": (
        "tag: T1\nmeasurand: flow\nrules:\n  - {key: HH, setpoint: 5} # HERE",
        "rules[0].key",
        "reserved",
        "under `limits`",
    ),
    "doubled rule key": (
        "tag: T1\nmeasurand: flow\nrules:\n  - {key: A, setpoint: 5}\n  - {key: A, setpoint: 6} # HERE",
        "rules[1].key",
        "second rule",
        "of its own",
    ),
    "unknown grade": (
        "tag: T1\nmeasurand: flow\nrules:\n  - {key: A, setpoint: 5, grade: purple} # HERE",
        "rules[0].grade",
        "must be one of",
        "'orange'",
    ),
    "level against kind": (
        "tag: T1\nmeasurand: flow\nrules:\n  - {key: A, kind: low, level: HH, setpoint: 5} # HERE",
        "rules[0].level",
        "does not go with kind low",
        "L or LL",
    ),
    "window of a limit": (
        "tag: T1\nmeasurand: flow\nrules:\n  - {key: A, setpoint: 5, window: 5s} # HERE",
        "rules[0].window",
        "rate rules only",
        "kind: rise",
    ),
    "negative setpoint of a rate rule": (
        "tag: T1\nmeasurand: flow\nrules:\n  - {key: A, kind: fall, setpoint: -5} # HERE",
        "rules[0].setpoint",
        "above 0",
        "positive",
    ),
    "named rule outside the range": (
        "tag: T1\nmeasurand: flow\nrange: [0, 1]\nrules:\n  - {key: A, setpoint: 5} # HERE",
        "rules[0]",
        "outside the range",
        "Correct",
    ),
    "stale before the next reading": (
        "tag: T1\nmeasurand: flow\nperiod: 5s\nstale: 5s # HERE",
        "stale",
        "period",
        "three",
    ),
}


@pytest.mark.parametrize("case", TAG_FAULTS)
def test_fault_of_a_tag(case: str, tmp_path: Path) -> None:
    body, field, message, remedy = TAG_FAULTS[case]
    text = with_tag(body)
    found = faults_of(tmp_path, text)
    assert len(found) == 1, format_faults(found)
    fault = found[0]
    assert fault.line == line_of(text)
    assert fault.column > 0
    assert fault.field == f"enterprises[0].units[0].tags[0].{field}"
    assert message in fault.message
    assert remedy in fault.remedy


SITE_FAULTS = {
    "unknown top-level key": (
        HEAD + "          []\nenterprise: [] # HERE\n",
        "enterprise",
        "unknown key",
        "`enterprises`",
    ),
    "unknown region": (
        HEAD.replace('region: "370000"', 'region: "370001" # HERE') + "          []\n",
        "enterprises[0].region",
        "no region '370001'",
        "`370000`",
    ),
    "unknown parent": (
        HEAD.replace("name: 山东省}", 'name: 山东省, parent: "370009"} # HERE') + "          []\n",
        "regions[0].parent",
        "no region '370009'",
        "Did you mean",
    ),
    "region that is no code": (
        HEAD.replace("enterprises:", "  - {code: shandong, name: x} # HERE\nenterprises:") + "          []\n",
        "regions[1].code",
        "6 digits",
        "full name",
    ),
    "region within itself": (
        HEAD.replace("name: 山东省}", 'name: 山东省, parent: "370000"} # HERE') + "          []\n",
        "regions[0].parent",
        "its own superior",
        "province",
    ),
    "doubled region": (
        HEAD.replace("enterprises:", '  - {code: "370000", name: 山东省} # HERE\nenterprises:') + "          []\n",
        "regions[1].code",
        "given already",
        "once",
    ),
    "reserved enterprise": (
        HEAD.replace("id: huarui", "id: anshao # HERE") + "          []\n",
        "enterprises[0].id",
        "reserved",
        "another id",
    ),
    "topic word as enterprise": (
        HEAD.replace("id: huarui", "id: data # HERE") + "          []\n",
        "enterprises[0].id",
        "reserved",
        "another id",
    ),
    "capital letter in an enterprise": (
        HEAD.replace("id: huarui", "id: Huarui # HERE") + "          []\n",
        "enterprises[0].id",
        "letters a-z",
        "full name",
    ),
    "reserved unit": (
        HEAD.replace("id: tankfarm", "id: gateways # HERE") + "          []\n",
        "enterprises[0].units[0].id",
        "reserved",
        "another id",
    ),
    "doubled gateway": (
        HEAD.replace("gateways: [{id: gw1, name: 网关}]", "gateways: [{id: gw1, name: 甲}, {id: gw1, name: 乙}] # HERE")
        + "          []\n",
        "enterprises[0].gateways[1].id",
        "gateway 'gw1' is given already",
        "rename",
    ),
    "unknown payload format": (
        HEAD.replace("name: 网关}]", "name: 网关, format: ansaho}] # HERE") + "          []\n",
        "enterprises[0].gateways[0].format",
        "unknown payload format",
        "Did you mean `anshao`?",
    ),
    "unknown clock": (
        HEAD.replace("name: 网关}]", "name: 网关, clock: gps}] # HERE") + "          []\n",
        "enterprises[0].gateways[0].clock",
        "must be one of 'live' or 'source'",
        "Write one",
    ),
    "hazard level 5": (
        HEAD.replace("name: 罐区", "name: 罐区\n        hazard_level: 5 # HERE") + "          []\n",
        "enterprises[0].units[0].hazard_level",
        "less than or equal to 4",
        "bound",
    ),
    "doubled unit": (
        HEAD + "          []\n      - {id: tankfarm, name: 又一罐区} # HERE\n",
        "enterprises[0].units[1].id",
        "unit 'tankfarm' is given already",
        "rename",
    ),
    "doubled tag": (
        HEAD + "          - {tag: A, measurand: flow}\n          - {tag: A, measurand: flow} # HERE\n",
        "enterprises[0].units[0].tags[1].tag",
        "given already at",
        "unique",
    ),
    "tag in a list of texts": (
        HEAD + "          - A # HERE\n",
        "enterprises[0].units[0].tags[0]",
        "must be a mapping",
        "key: value",
    ),
    "tags no list": (
        HEAD + "          {tag: A} # HERE\n",
        "enterprises[0].units[0].tags",
        "must be a list",
        "- ",
    ),
    "no gateway": (
        HEAD.replace("  - id: huarui", "  - id: huarui # HERE").replace("    gateways: [{id: gw1, name: 网关}]\n", "")
        + "          - {tag: A, measurand: flow}\n",
        "enterprises[0]",
        "tags and no gateway",
        "Add `gateways",
    ),
    "several gateways": (
        HEAD.replace("name: 网关}", "name: 甲}, {id: gw2, name: 乙}")
        + "          - {tag: A, measurand: flow} # HERE\n",
        "enterprises[0].units[0].tags[0].gateway",
        "has several",
        "gw1, gw2",
    ),
    "missing point table": (
        HEAD + "          []\n        tag_tables: [points.csv] # HERE\n",
        "enterprises[0].units[0].tag_tables[0]",
        "cannot read",
        "Correct the path",
    ),
    "no enterprise": ("regions: [] # HERE\n", "", "nothing would be watched", "Add one"),
}


@pytest.mark.parametrize("case", SITE_FAULTS)
def test_fault_of_a_site(case: str, tmp_path: Path) -> None:
    text, field, message, remedy = SITE_FAULTS[case]
    found = faults_of(tmp_path, text)
    assert len(found) == 1, format_faults(found)
    fault = found[0]
    assert (fault.line, fault.field) == (line_of(text), field)
    assert message in fault.message
    assert remedy in fault.remedy


YAML_FAULTS = {
    "bracket left open": ("regions: [a\nenterprises: [] # HERE\n", "did not find"),
    "tab": ("regions:\n\t- x # HERE\n", "a tab"),
    "at sign": ("regions: @x # HERE\n", "cannot start"),
    "doubled key": ("regions: []\nregions: [] # HERE\n", "given twice, first in line 1"),
    "doubled number as key": ("replay: {columns: {1: A,\n  01: B}} # HERE\n", "key `1` is given twice"),
    "type tag": ("regions: !!python/object:os.system x # HERE\n", "type tag"),
    "unknown tag handle": ("regions: !x!y z # HERE\n", "tag"),
    "alias without anchor": ("regions: *secret # HERE\n", "alias"),
    "doubled anchor": ("regions: &a []\nenterprises: &a [] # HERE\n", "anchor"),
    "value within itself": ("regions: &a [*a] # HERE\n", "contains itself"),
    "merge of no mapping": ("regions: {<<: 5} # HERE\n", "merge key"),
    "list as key": ("? [a, b] # HERE\n: 1\n", "single word"),
    "two documents": ("regions: []\n--- # HERE\nregions: []\n", "more than one document"),
    "control character": ("regions: \x01 # HERE\n", "control character"),
    "too deep": ("regions: " + "[" * 5_000 + " # HERE\n", "nested deeper"),
}


@pytest.mark.parametrize("case", YAML_FAULTS)
def test_fault_of_yaml(case: str, tmp_path: Path) -> None:
    text, message = YAML_FAULTS[case]
    found = faults_of(tmp_path, text)
    assert len(found) == 1, format_faults(found)
    assert found[0].line == line_of(text)
    assert message in found[0].message
    assert "secret" not in found[0].message
    assert found[0].remedy


def test_text_that_is_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_bytes("regions: []\n# 山东".encode("gbk"))
    assert [(fault.line, fault.message) for fault in check([path], {})] == [(2, "not UTF-8 text")]


def test_empty_file(tmp_path: Path) -> None:
    assert [fault.message for fault in faults_of(tmp_path, "# nothing\n")] == ["the file is empty"]


@pytest.mark.parametrize("name", ["absent.yaml", ".", "nul\0.yaml"])
def test_file_that_cannot_be_read(name: str, tmp_path: Path) -> None:
    found = check([tmp_path / name], {})
    assert len(found) == 1
    assert "cannot read" in found[0].message


def test_file_of_neither_kind(tmp_path: Path) -> None:
    assert "neither a main file nor a site file" in faults_of(tmp_path, "a: 1\n")[0].message
    assert "neither a main file nor a site file" in faults_of(tmp_path, "- 1\n")[0].message
    assert "belongs to a unit" in faults_of(tmp_path, "tag,measurand\n", "points.csv")[0].message


def test_faults_of_all_parts_are_told_at_once(tmp_path: Path) -> None:
    text = HEAD + (
        "          - {tag: A, measurand: flow, period: soon}\n"
        "          - {tag: B, measurand: flow, limits: {L: 5, H: 4}}\n"
        "          - {tag: C, measurand: flow, period: 1s}\n"
        "          - {tag: C, measurand: glow}\n"
        "      - id: reactor\n"
        "        name: 5\n"
        "        tags:\n"
        "          - {tag: D, measurand: h2s, engineering_unit: kPa}\n"
        "  - id: tianze\n"
        "    name: 天泽\n"
        '    region: "370001"\n'
        "    units:\n"
        "      - {id: u, name: 车间, tags: [{tag: E}]}\n"
    )
    found = [(fault.line, fault.field.rpartition(".")[2]) for fault in faults_of(tmp_path, text)]
    assert found == [
        (12, "period"),
        (13, "L"),
        (15, "tag"),
        (15, "measurand"),
        (17, "name"),
        (19, "engineering_unit"),
        (22, "region"),
        (24, "measurand"),
    ]


def test_fault_within_a_merged_mapping_points_to_its_own_line(tmp_path: Path) -> None:
    text = (
        "regions: [{code: 370000, name: 山东省}]\n"
        "enterprises:\n"
        "  - id: e\n    name: e\n    region: 370000\n    gateways: [{id: g, name: g}]\n"
        "    units:\n      - id: u\n        name: u\n        tags:\n"
        "          - &like {tag: A, measurand: flow,\n              period: 1 x} # HERE\n"
        "          - {<<: *like, tag: B}\n"
    )
    found = faults_of(tmp_path, text)
    assert [fault.line for fault in found] == [line_of(text)] * 2
    assert [fault.field[-14:] for fault in found] == ["tags[0].period", "tags[1].period"]


def test_site_files_are_checked_as_one_site(tmp_path: Path) -> None:
    regions = "regions:\n  - {code: 370000, name: 山东省}\n"
    one, other = tmp_path / "one.yaml", tmp_path / "other.yaml"
    one.write_text(regions + "enterprises: [{id: a, name: a, region: 370000}]\n", encoding="utf-8")
    other.write_text(regions + "enterprises: [{id: b, name: b, region: 370000}]\n", encoding="utf-8")
    assert check([one, other], {}) == []
    other.write_text(
        regions.replace("山东", "山西") + "enterprises: [{id: a, name: a, region: 370000}]\n", encoding="utf-8"
    )
    assert [(fault.line, fault.field) for fault in check([one, other], {})] == [
        (2, "regions[0].code"),
        (3, "enterprises[0].id"),
    ]


def test_a_flood_of_faults_is_cut_and_counted(tmp_path: Path) -> None:
    rows = "".join(f"T{number},glow\n" for number in range(12_000))
    (tmp_path / "points.csv").write_text("tag,measurand\n" + rows, encoding="utf-8")
    found = faults_of(tmp_path, HEAD + "          []\n        tag_tables: [points.csv]\n")
    assert len(found) == 10_001
    assert "2000 further faults" in found[-1].message
    shown = format_faults(found)
    assert "… and 9801 more" in shown
    assert shown.endswith("10001 faults in 1 file")


def test_faults_are_written_for_a_terminal() -> None:
    fault = Fault("site.yaml", 3, 5, "tags[0].limits.H", "not a number", "Write a number.")
    assert format_faults([fault]) == (
        "site.yaml:3:5: tags[0].limits.H\n    not a number\n    -> Write a number.\n1 fault in 1 file"
    )
    assert format_faults([]) == "no faults"


def test_what_an_unreadable_file_may_have_held_is_not_missed(tmp_path: Path) -> None:
    regions, site = tmp_path / "regions.yaml", tmp_path / "site.yaml"
    regions.write_text("regions: [\n", encoding="utf-8")
    site.write_text("enterprises: [{id: a, name: a, region: 370000}]\n", encoding="utf-8")
    assert [fault.file for fault in check([regions, site], {})] == [str(regions)]


@pytest.mark.parametrize("key", ["tag_tables: [", "tags: ["])
def test_invisible_characters_are_refused(key: str, tmp_path: Path) -> None:
    text = HEAD.replace("        tags:\n", f'        {key}"a\\0b"]\n')
    assert len(faults_of(tmp_path, text)) == 1
