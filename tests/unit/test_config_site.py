"""What a site file becomes: inherited limits, deadbands and delays, named rules, the service's own points."""

import hashlib
from pathlib import Path
from textwrap import dedent, indent

import pytest

from domain.samples import Int32
from domain.scales import Grade, Level, RuleKind
from domain.site import Gateway, Region, Rule, RuleTable, Site, Unit
from service.config import ConfigurationError, check, format_faults, load_replay, load_site, shipped
from service.config.quantities import parse_duration, parse_rate, parse_size

ROOT = Path(__file__).parents[2]
HEAD = """\
regions:
  - {code: "370000", name: 山东省}
  - {code: "370700", name: 潍坊市, parent: "370000"}
enterprises:
  - id: e
    name: 企业
    region: "370700"
    gateways: [{id: g1, name: 网关}]
    units:
      - id: u
        name: 装置
        hazard_level: 1
        tags:
"""


def write(folder: Path, *tags: str, tail: str = "") -> Path:
    body = "".join(indent("- " + indent(dedent(tag).strip("\n"), "  ").lstrip() + "\n", " " * 10) for tag in tags)
    path = folder / "site.yaml"
    path.write_text(HEAD + body + tail, encoding="utf-8")
    return path


def site_of(folder: Path, *tags: str, tail: str = "") -> Site:
    return load_site([write(folder, *tags, tail=tail)])


def rules_of(site: Site, path: str) -> dict[str, Rule]:
    return {site.rules.key[index]: site.rules.row(index) for index in site.rules.of_tag(site.tag_index[path])}


def rules_of_tag(folder: Path, tag: str) -> dict[str, Rule]:
    return rules_of(site_of(folder, "tag: T\n" + dedent(tag)), "e/T")


def setpoints(rules: dict[str, Rule]) -> dict[str, float]:
    return {key: rule.setpoint for key, rule in rules.items() if rule.kind <= RuleKind.LOW}


DEFAULTS = [
    ("flammable_gas", "%LEL", {"H": 25, "HH": 50}, "flammable"),
    ("flammable_gas_open_path", "LEL·m", {"H": 1, "HH": 2}, "flammable"),
    ("oxygen", "%vol", {"L": 19.5, "H": 23.5}, "oxygen"),
    ("h2s", "mg/m3", {"H": 10, "HH": 20}, "toxic"),
    ("h2s", "ppm", {"H": 7, "HH": 14}, "toxic"),
    ("co", "mg/m³", {"H": 20, "HH": 40}, "toxic"),
    ("co", "PPM", {"H": 17, "HH": 34}, "toxic"),
    ("co_metallurgy", "ppm", {"H": 24, "HH": 160}, "toxic"),
    ("nh3", "mg/m3", {"H": 20, "HH": 40}, "toxic"),
    ("nh3", "ppm", {"H": 28, "HH": 56}, "toxic"),
    ("cl2", "mg/m3", {"H": 1, "HH": 2}, "toxic"),
    ("cl2", "ppm", {"H": 0.34, "HH": 0.68}, "toxic"),
    ("so2", "mg/m3", {"H": 5, "HH": 10}, "toxic"),
    ("so2", "ppm", {"H": 1.9, "HH": 3.8}, "toxic"),
    ("no2", "mg/m3", {"H": 5, "HH": 10}, "toxic"),
    ("no2", "ppm", {"H": 2.6, "HH": 5.2}, "toxic"),
    ("hcn", "mg/m3", {"H": 1, "HH": 2}, "toxic"),
    ("hcn", "ppm", {"H": 0.89, "HH": 1.8}, "toxic"),
    ("hcl", "mg/m3", {"H": 7.5, "HH": 15}, "toxic"),
    ("hcl", "ppm", {"H": 4.9, "HH": 9.9}, "toxic"),
    ("hf", "mg/m3", {"H": 2, "HH": 4}, "toxic"),
    ("hf", "ppm", {"H": 2.4, "HH": 4.8}, "toxic"),
    ("phosgene", "mg/m3", {"H": 0.5, "HH": 1}, "toxic"),
    ("phosgene", "ppm", {"H": 0.12, "HH": 0.24}, "toxic"),
    ("benzene", "mg/m3", {"H": 6, "HH": 12}, "toxic"),
    ("benzene", "ppm", {"H": 1.8, "HH": 3.7}, "toxic"),
    ("methanol", "mg/m3", {"H": 25, "HH": 50}, "toxic"),
    ("methanol", "μmol/mol", {"H": 19, "HH": 38}, "toxic"),
    ("ch4_face", "%CH4", {"H": 1.0, "HH": 1.5, "CH4-ORANGE": 2.0, "CH4-RED": 3.0}, "methane"),
    ("ch4_return", "% Vol", {"H": 1.0, "HH": 1.0, "CH4-ORANGE": 2.0, "CH4-RED": 3.0}, "methane"),
    ("ch4_intake", "%vol", {"H": 0.5, "HH": 0.5, "CH4-ORANGE": 2.0, "CH4-RED": 3.0}, "methane"),
    ("tank_level", "%", {"LL": 10, "L": 20, "H": 80, "HH": 90}, None),
    ("temperature", "°C", {}, None),
    ("pressure", "kPa", {}, None),
    ("level", "%", {}, None),
    ("flow", "m3/h", {}, None),
]


@pytest.mark.parametrize(("measurand", "unit", "limits", "gas"), DEFAULTS)
def test_limits_by_measurand(
    measurand: str, unit: str, limits: dict[str, float], gas: str | None, tmp_path: Path
) -> None:
    site = site_of(tmp_path, f"tag: T\nmeasurand: {measurand}\nengineering_unit: '{unit}'\nrange: [0, 1000]")
    rules = rules_of(site, "e/T")
    assert setpoints(rules) == limits
    assert all(rules[key].default for key in limits)
    assert site.tags[0].gas == gas
    assert site.tags[0].engineering_unit == unit
    assert site.has_limits(0) == bool(limits)


def test_every_measurand_that_is_promised_is_there() -> None:
    wanted = {
        "temperature",
        "pressure",
        "level",
        "flow",
        "flammable_gas",
        "flammable_gas_open_path",
        "oxygen",
        "h2s",
        "co",
        "co_metallurgy",
        "nh3",
        "cl2",
        "so2",
        "no2",
        "hcn",
        "hcl",
        "hf",
        "phosgene",
        "benzene",
        "methanol",
        "ch4_face",
        "ch4_return",
        "ch4_intake",
        "wind_speed",
        "rotation",
        "current",
        "voltage",
        "vibration",
        "humidity",
        "concentration",
        "power",
        "composition",
        "valve_position",
        "acceleration",
        "status",
        "canary",
    }
    assert wanted <= set(shipped().by_key)


def test_every_default_limit_names_its_source_and_how_sure_it_is() -> None:
    for key, measurand in shipped().by_key.items():
        if measurand.limits or measurand.deadband:
            assert measurand.source, key
            assert measurand.confidence in ("P", "S", "K", "O"), key
        for rule in (*measurand.limits.values(), *(rule.setpoint for rule in measurand.rules)):
            assert set(rule) == set(measurand.units), key


@pytest.mark.parametrize(
    ("measurand", "deadband", "on_delay"),
    [("flow", 10, 15_000), ("level", 10, 60_000), ("pressure", 4, 15_000), ("temperature", 2, 60_000), ("power", 0, 0)],
)
def test_bare_limits_take_deadband_and_delay_of_the_measurand(
    measurand: str, deadband: float, on_delay: int, tmp_path: Path
) -> None:
    tag = f"measurand: {measurand}\nlimits: {{LL: 20, L: 40, H: 160, HH: 180}}\n"
    rules = rules_of_tag(tmp_path, tag + "range: [0, 200]")
    assert {rules[key].deadband for key in ("LL", "L", "H", "HH")} == {deadband}
    assert [rules[key].on_delay for key in ("LL", "L", "H", "HH")] == [0, on_delay, on_delay, 0]
    assert not any(rule.default for rule in rules.values())
    assert {rule.deadband for rule in rules_of_tag(tmp_path, tag).values()} == {0}


def test_what_is_given_wins_over_the_default_even_when_it_is_zero(tmp_path: Path) -> None:
    rules = rules_of_tag(
        tmp_path,
        """
        measurand: flow
        range: [0, 200]
        deadband: 0
        on_delay: 0
        off_delay: 3s
        latching: true
        limits:
          L: 20
          H: {setpoint: 150, deadband: 2, on_delay: 4s, off_delay: 0s, latching: false}
        """,
    )
    low, high = rules["L"], rules["H"]
    assert (low.deadband, low.on_delay, low.off_delay, low.latching) == (0, 0, 3000, True)
    assert (high.deadband, high.on_delay, high.off_delay, high.latching) == (2, 4000, 0, False)


def test_a_limit_replaces_or_removes_an_inherited_one(tmp_path: Path) -> None:
    tag = "measurand: h2s\nengineering_unit: mg/m3\n"
    assert setpoints(rules_of_tag(tmp_path, tag + "limits: {H: 6.5}")) == {"H": 6.5, "HH": 20}
    assert setpoints(rules_of_tag(tmp_path, tag + "limits: {H: off, HH: false}")) == {}
    assert setpoints(rules_of_tag(tmp_path, tag + "limits: {L: 1}")) == {"L": 1, "H": 10, "HH": 20}
    assert setpoints(rules_of_tag(tmp_path, tag + "limits: {H: 20}")) == {"H": 20, "HH": 20}
    own = "measurand: h2s\nengineering_unit: '%vol'\nlimits: {H: 0.1, HH: off}"
    assert setpoints(rules_of_tag(tmp_path, own)) == {"H": 0.1}


def test_power_at_the_face_is_restored_below_one_percent(tmp_path: Path) -> None:
    rules = rules_of_tag(tmp_path, "measurand: ch4_face\nengineering_unit: '%vol'\nrange: [0, 4]")
    assert rules["HH"].setpoint - rules["HH"].deadband == 1.0
    assert (rules["H"].deadband, rules["CH4-RED"].deadband) == (0, 0)
    assert [(rules[key].level, rules[key].grade) for key in ("CH4-ORANGE", "CH4-RED")] == [
        (Level.HH, Grade.ORANGE),
        (Level.HH, Grade.RED),
    ]


def test_named_rules_replace_and_remove_those_of_the_measurand(tmp_path: Path) -> None:
    rules = rules_of_tag(
        tmp_path,
        """
        measurand: ch4_return
        engineering_unit: '%vol'
        rules:
          - {key: CH4-ORANGE, setpoint: 1.8, level: HH, grade: orange}
          - {key: CH4-RED, setpoint: off}
          - {key: LOW-FLOW, kind: low, setpoint: -1}
          - {key: SURGE, kind: rise, setpoint: 6, per: 1min, deadband: 3, window: 30s, level: HH}
        """,
    )
    assert setpoints(rules) == {"HH": 1, "H": 1, "CH4-ORANGE": 1.8, "LOW-FLOW": -1}
    assert not rules["CH4-ORANGE"].default
    assert (rules["LOW-FLOW"].kind, rules["LOW-FLOW"].level) == (RuleKind.LOW, Level.L)
    surge = rules["SURGE"]
    assert (surge.kind, surge.level, surge.setpoint, surge.deadband) == (RuleKind.RISE, Level.HH, 0.1, 0.05)
    assert (surge.window, surge.on_delay) == (30_000, 0)


def test_named_limits_inherit_like_the_others(tmp_path: Path) -> None:
    tag = "measurand: flow\nrange: [0, 100]\nrules: [{key: A, setpoint: 90}, {key: B, setpoint: 90, level: HH}]\n"
    rules = rules_of_tag(tmp_path, tag)
    assert [(rules[key].deadband, rules[key].on_delay) for key in "AB"] == [(5, 15_000), (5, 0)]
    rules = rules_of_tag(tmp_path, tag + "deadband: 1\non_delay: 2s\nlatching: true")
    assert [(rules[key].deadband, rules[key].on_delay, rules[key].latching) for key in "AB"] == [(1, 2000, True)] * 2


def test_rates(tmp_path: Path) -> None:
    rules = rules_of_tag(
        tmp_path,
        """
        measurand: temperature
        latching: true
        deadband: 7
        rate:
          rise: {limit: 6, per: 1min, window: 2min, level: HH, deadband: 3, on_delay: 1s, off_delay: 2s, latching: no}
          fall: {limit: 0.5}
        """,
    )
    assert (rules["RISE"].kind, rules["FALL"].kind) == (RuleKind.RISE, RuleKind.FALL)
    rise, fall = rules["RISE"], rules["FALL"]
    assert (rise.kind, rise.setpoint, rise.window, rise.level, rise.deadband) == (
        RuleKind.RISE,
        0.1,
        120_000,
        "HH",
        0.05,
    )
    assert (rise.on_delay, rise.off_delay, rise.latching) == (1000, 2000, False)
    assert (fall.setpoint, fall.window, fall.level, fall.deadband) == (0.5, 60_000, "H", 0)
    assert (fall.on_delay, fall.latching) == (0, True)
    assert "RISE" not in rules_of_tag(tmp_path, "measurand: flow\nrate: {rise: off}")


def test_silence_and_bad_quality_are_watched_unless_switched_off(tmp_path: Path) -> None:
    rules = rules_of_tag(tmp_path, "measurand: flow\nperiod: 10s")
    stale, bad = rules["STALE"], rules["BAD"]
    assert (stale.kind, stale.level, stale.window, stale.on_delay) == (RuleKind.STALE, Level.FAULT, 30_000, 0)
    assert (bad.kind, bad.level, bad.on_delay, bad.window) == (RuleKind.BAD, Level.FAULT, 5_000, 0)
    rules = rules_of_tag(tmp_path, "measurand: flow\nstale: 2min\nbad: {on_delay: 0s}")
    assert (rules["STALE"].window, rules["BAD"].on_delay) == (120_000, 0)
    assert rules_of_tag(tmp_path, "measurand: flow\nstale: off\nbad: off") == {}


def test_the_site_around_the_tags(tmp_path: Path) -> None:
    site = site_of(tmp_path, "tag: T1\nmeasurand: flow", "tag: T2\nmeasurand: flow")
    assert site.regions["370700"] == Region("370700", "潍坊市", "370000")
    assert site.units["e", "u"] == Unit("e", "u", "装置", 1)
    assert site.gateways["e", "g1"] == Gateway("e", "g1", "网关")
    assert site.region_of("e") == "370700"
    paths = [tag.path for tag in site.tags]
    assert paths[:2] == ["e/T1", "e/T2"]
    assert site.revision == hashlib.sha256("\n".join(paths).encode()).hexdigest()[:16]
    assert [site.tag_index[path] for path in paths] == list(range(len(paths)))


def test_the_services_own_points(tmp_path: Path) -> None:
    site = site_of(tmp_path, "tag: T\nmeasurand: flow")
    own = {tag.path: tag for tag in site.tags if tag.enterprise == "anshao" or tag.system}
    keys = {path: sorted(rules_of(site, path)) for path in own}
    assert keys == {
        "e/@g1": ["CLOCK", "LINK"],
        "anshao/broker": ["DOWN"],
        "anshao/historian": ["DOWN"],
        "anshao/ledger": ["DOWN"],
        "anshao/spool": ["FILLING"],
        "anshao/canary": ["MISSING"],
        "anshao/canary-reading": ["CANARY"],
    }
    reading = own.pop("anshao/canary-reading")
    assert (reading.system, reading.measurand, reading.gateway, reading.unit) == (False, "canary", "canary", "service")
    canary = rules_of(site, reading.path)["CANARY"]
    assert (canary.kind, canary.setpoint, canary.deadband, canary.level) == (RuleKind.HIGH, 0.5, 0, Level.H)
    for path, tag in own.items():
        assert tag.system, path
        assert {(rule.kind, rule.level) for rule in rules_of(site, path).values()} == {(RuleKind.SYSTEM, Level.FAULT)}
    assert (own["e/@g1"].unit, site.units["e", "gateways"].name) == ("gateways", "网关")
    assert site.enterprises["anshao"].name == "安哨"
    assert site.region_of("anshao") == "370000"
    assert site.units["anshao", "service"].name == "安哨服务"
    assert ("anshao", "canary") in site.gateways


REPLAY = """
replay:
  gateway: e/g1
  format: {separator: whitespace, header: false}
  time: {start: 2026-01-01T00:00:00+08:00, period: 3min}
  columns: {1: T1, 7: T2}
"""
REPLAY_BY_NAME = """
replay:
  gateway: e/g1
  format: {separator: ;, header: true}
  time: {column: datetime, format: "%Y-%m-%d %H:%M:%S", timezone: Asia/Shanghai}
  columns: {Volume Flow: T1}
"""
TAGS = ("tag: T1\nmeasurand: flow", "tag: T2\nmeasurand: flow")


def test_replay(tmp_path: Path) -> None:
    replay = load_replay(write(tmp_path, *TAGS, tail=REPLAY))
    assert (replay.enterprise, replay.gateway, replay.format.separator) == ("e", "e/g1", "whitespace")
    assert replay.columns == {1: "T1", 7: "T2"}
    assert replay.time.start is not None
    assert (replay.time.start.isoformat(), replay.time.period) == ("2026-01-01T00:00:00+08:00", 180_000)
    replay = load_replay(write(tmp_path, *TAGS, tail=REPLAY_BY_NAME))
    assert (replay.format.header, replay.format.separator, replay.columns) == (True, ";", {"Volume Flow": "T1"})
    assert (replay.time.column, replay.time.timezone) == ("datetime", "Asia/Shanghai")
    with pytest.raises(ConfigurationError, match="no `replay` section"):
        load_replay(write(tmp_path, *TAGS))


REPLAY_FAULTS = {
    "unknown gateway": ("gateway: e/g1", "gateway: e/g2", "gateway", "no gateway 'e/g2'"),
    "unknown tag": ("7: T2", "7: T3", "columns.7", "no tag 'T3'"),
    "column 0": ("1: T1", "0: T1", "columns", "counted from 1"),
    "tag of two columns": ("7: T2", "7: T1", "columns.7", "two columns"),
    "name without header": ("7: T2", "flow: T2", "columns.flow", "without a header"),
    "time without an offset": ("+08:00", "", "time.start", "must be a time with its offset"),
    "time that is none": ("2026-01-01T00:00:00+08:00", "soon", "time.start", "date and time"),
    "no time": ("{start: 2026-01-01T00:00:00+08:00, period: 3min}", "{}", "time", "either `column`"),
    "column of times mapped": (
        "{start: 2026-01-01T00:00:00+08:00, period: 3min}",
        "{column: 7}",
        "time.column",
        "mapped",
    ),
    "unknown zone": ("period: 3min}", "period: 3min, timezone: Mars/Base}", "time.timezone", "unknown time zone"),
    "unknown separator": ("whitespace", "'|'", "format.separator", "must be one of"),
}


@pytest.mark.parametrize("case", REPLAY_FAULTS)
def test_fault_of_a_replay(case: str, tmp_path: Path) -> None:
    old, new, field, message = REPLAY_FAULTS[case]
    path = write(tmp_path, *TAGS, tail=REPLAY.replace(old, new))
    found = check([path], {})
    assert [fault.field for fault in found] == [f"replay.{field}"], format_faults(found)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert (new or "start:") in lines[found[0].line - 1]
    assert message in found[0].message


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("500ms", 500),
        ("15s", 15_000),
        ("10min", 600_000),
        ("1.5h", 5_400_000),
        ("7 d", 604_800_000),
        (250, 250),
        (0, 0),
    ],
)
def test_durations(text: object, milliseconds: int) -> None:
    assert parse_duration(text) == milliseconds


@pytest.mark.parametrize(
    "text", ["", "15", "-1s", "1.5ms", "1m", "s", True, 1.5, None, -1, "11y", 10**15, "9e9h", "٣s"]
)
def test_what_is_no_duration(text: object) -> None:
    with pytest.raises(ValueError, match=r"duration|time"):
        parse_duration(text)


@pytest.mark.parametrize(("text", "size"), [("16MB", 16 * 10**6), ("1GiB", 2**30), ("1.5kB", 1500), (4096, 4096)])
def test_sizes(text: object, size: int) -> None:
    assert parse_size(text) == size


def test_rates_per_time() -> None:
    assert [parse_rate(text) for text in ("0.5", "6/min", "6 / min", "5/10s", "36/h")] == [0.5, 0.1, 0.1, 0.5, 0.01]


def test_examples_are_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    for path in (Path("config/anshao.yaml"), Path("config/site.yaml")):
        assert check([path], {}) == []
    site = load_site([Path("config/site.yaml")])
    assert setpoints(rules_of(site, "huarui/LI-101")) == {"HH": 85, "H": 80, "L": 20}
    assert not site.has_limits(site.tag_index["huarui/TI-102"])
    needs_a_model = {kind for kind in RuleKind if kind.is_early_warning}
    shown = set(site.rules.kind.tolist())
    assert shown == set(RuleKind) - {RuleKind.FALL} - needs_a_model, "the example shows each kind of rule"


def test_a_table_from_columns_is_the_table_from_rules() -> None:
    rules = [
        Rule(2, "H", RuleKind.HIGH, Level.H, 5.0),
        Rule(0, "L", RuleKind.LOW, Level.L),
        Rule(2, "HH", RuleKind.HIGH, Level.HH),
    ]
    table = RuleTable.build(rules, 4)
    assert [table.row(index) for index in range(3)] == [rules[1], rules[0], rules[2]]
    assert [list(table.of_tag(tag)) for tag in range(4)] == [[0], [], [1, 2], []]
    columns = {name: getattr(table, name) for name in RuleTable.__slots__ if name != "start"}
    tag: Int32 = columns["tag"]
    again = RuleTable.from_columns(**columns, tag_count=4)
    assert again.tag.base is tag or again.tag is tag
    assert [again.row(index) for index in range(3)] == [table.row(index) for index in range(3)]
