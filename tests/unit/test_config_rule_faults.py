"""Each fault that rules beyond single limits can have: told once, with its line, its field and a remedy."""

from pathlib import Path

import pytest

from service.config import Fault, check, format_faults

HEAD = """\
regions: [{code: "370000", name: 山东省}]
enterprises:
  - id: e
    name: 企业
    region: "370000"
    gateways: [{id: gw1, name: 网关}]
    units:
      - id: u
        name: 罐区
"""
TAGS = """\
        tags:
          - {tag: T1, measurand: temperature, engineering_unit: °C, range: [0, 200], limits: {H: 80, HH: 100}}
          - {tag: T2, measurand: temperature, engineering_unit: ℃, range: [0, 200], limits: {H: 80}}
          - {tag: P1, measurand: pressure, engineering_unit: MPa, range: [0, 2], limits: {H: 1.5}}
          - {tag: MODE, measurand: status}
"""
X = "tag: X, measurand: temperature, engineering_unit: °C, range: [0, 200]"
GAS = "tag: X, measurand: concentration, engineering_unit: ppm"
MODES = "modes: {tag: MODE, values: {up: 1, down: 2}}"
VOTE = "key: V, kind: vote, tags: [T1, T2], needed: 1, high: 80"

# name: the tag's text, field, message, remedy
TAG_FAULTS = {
    "no reference": (f"{X}, deviation: {{setpoint: 5}}", "deviation.from", "`from` is missing", "Add `from"),
    "reference of another kind": (f"{X}, deviation: {{setpoint: 5, from: [1]}}", "deviation.from", "nor median", "tag"),
    "unknown key of a deviation": (
        f"{X}, deviation: {{setpoint: 5, from: 1, form: 2}}",
        "deviation.form",
        "unknown key",
        "Did you mean `from`?",
    ),
    "no such tag": (f"{X}, deviation: {{setpoint: 5, from: T3}}", "deviation.from", "no tag 'T3'", "same enterprise"),
    "from itself": (f"{X}, deviation: {{setpoint: 5, from: X}}", "deviation.from", "from itself", "from: median"),
    "from another unit": (f"{X}, deviation: {{setpoint: 5, from: P1}}", "deviation.from", "'P1' is in MPa", "same eng"),
    "median without a window": (
        f"{X}, deviation: {{setpoint: 5, from: median}}",
        "deviation.window",
        "without its window",
        "window: 10min",
    ),
    "window without a median": (
        f"{X}, deviation: {{setpoint: 5, from: 3, window: 1min}}",
        "deviation.window",
        "a median only",
        "from: median",
    ),
    "window of two readings": (
        f"{X}, period: 1s, deviation: {{setpoint: 5, from: median, window: 2s}}",
        "deviation.window",
        "at a period of 1000 ms",
        "needs 3 readings",
    ),
    "deviation of zero": (f"{X}, deviation: {{setpoint: 0, from: 1}}", "deviation.setpoint", "greater than", "bound"),
    "deviation beyond the range": (
        f"{X}, deviation: {{setpoint: 201, from: T1}}",
        "deviation.setpoint",
        "never sound within the range",
        "smaller setpoint",
    ),
    "deviation beyond the range of a constant": (
        f"{X}, deviation: {{setpoint: 101, from: 100}}",
        "deviation.setpoint",
        "never sound within the range",
        "smaller setpoint",
    ),
    "deviation that never clears": (
        f"{X}, deviation: {{setpoint: 5, from: 1, deadband: 5}}",
        "deviation.deadband",
        "nothing clears it",
        "smaller than the setpoint",
    ),
    "stuck without a band": (
        "tag: X, measurand: h2s, engineering_unit: ppm, range: [0, 100], stuck: on",
        "stuck",
        "h2s has no band",
        "band: 0.1",
    ),
    "stuck without a range": (
        "tag: X, measurand: temperature, engineering_unit: °C, stuck: on",
        "stuck",
        "share of the range",
        "Give the tag a range",
    ),
    "band as wide as the range": (f"{X}, stuck: {{band: 200}}", "stuck.band", "as wide as the range", "smaller band"),
    "stuck within two readings": (f"{X}, period: 10s, stuck: {{for: 29s}}", "stuck.for", "29000 ms", "3 periods"),
    "stuck by a word": (f"{X}, stuck: always", "stuck", "mapping", "key: value"),
    "unknown species": (f"{GAS}, species: C2", "species", "unknown species 'C2'", "Did you mean"),
    "species of another gas": (
        "tag: X, measurand: h2s, engineering_unit: ppm, species: CO",
        "species",
        "the measurand h2s is H2S",
        "another measurand",
    ),
    "limit in a unit of no species": (
        f"{GAS}, limits: {{H: {{setpoint: 5, unit: '%LEL'}}}}",
        "limits.H.unit",
        "a limit in '%LEL' on a tag in 'ppm'",
        "species: CH4",
    ),
    "limit of a gas that does not burn": (
        f"{GAS}, species: Cl2, limits: {{H: {{setpoint: 5, unit: '%LEL'}}}}",
        "limits.H.unit",
        "no lower explosive limit is known of Cl2",
        "Use ppm, %vol or mg/m3",
    ),
    "limit in a unit of no gas": (
        f"{X}, limits: {{H: {{setpoint: 5, unit: K}}}}",
        "limits.H.unit",
        "a limit in 'K' on a tag in '°C'",
        "own unit",
    ),
    "named limit in a unit of no species": (
        f"{GAS}, rules: [{{key: N, setpoint: 5, unit: mg/m3}}]",
        "rules[0].unit",
        "a limit in 'mg/m3' on a tag in 'ppm'",
        "species: CH4",
    ),
    "unit without a setpoint": (
        f"{X}, limits: {{H: {{unit: K}}}}",
        "limits.H.unit",
        "a unit without a setpoint",
        "setpoint",
    ),
    "limit without a setpoint": (
        f"{X}, limits: {{H: {{deadband: 1}}}}",
        "limits.H",
        "limit H has no setpoint, and the measurand temperature gives none",
        "Add `setpoint",
    ),
    "unit of a rate": (
        f"{X}, rules: [{{key: N, kind: rise, setpoint: 5, unit: ppm}}]",
        "rules[0].unit",
        "limits only",
        "kind: high or low",
    ),
    "modes of a rate": (
        f"{X}, rules: [{{key: N, kind: fall, setpoint: 5, modes: {{up: 5}}}}]",
        "rules[0].modes",
        "limits only",
        "kind: high or low",
    ),
    "defaults of an unknown gas": (
        "tag: X, measurand: flammable_gas, engineering_unit: ppm",
        "engineering_unit",
        "default limits of flammable_gas are in %LEL",
        "species: CH4",
    ),
    "defaults of a gas that does not burn": (
        "tag: X, measurand: flammable_gas, species: SO2, engineering_unit: ppm",
        "engineering_unit",
        "default limits of flammable_gas are in %LEL",
        "limits of your own",
    ),
    "reserved key": (f"{X}, rules: [{{key: stuck, setpoint: 5}}]", "rules[0].key", "reserved", "own keys"),
    "unknown condition": (
        f"{X}, limits: {{H: {{setpoint: 5, suppressed_by: [T1/L]}}}}",
        "limits.H.suppressed_by",
        "no condition 'e/T1/L'",
        "TAG/KEY",
    ),
    "condition of an unknown tag": (
        f"{X}, limits: {{H: {{setpoint: 5, parent: T9/H}}}}",
        "limits.H.parent",
        "no condition 'e/T9/H'",
        "TAG/KEY",
    ),
    "condition of an unknown gateway": (
        f"{X}, limits: {{H: {{setpoint: 5, parent: '@gw2/LINK'}}}}",
        "limits.H.parent",
        "no condition 'e/@gw2/LINK'",
        "TAG/KEY",
    ),
    "condition without a key": (
        f"{X}, limits: {{H: {{setpoint: 5, suppressed_by: [T1]}}}}",
        "limits.H.suppressed_by[0]",
        "not the path of a condition",
        "PI-101/HH",
    ),
    "condition of another enterprise": (
        f"{X}, stale: {{suppressed_by: [f/T1/H]}}",
        "stale.suppressed_by",
        "another enterprise",
        "same enterprise",
    ),
    "suppressed by itself": (
        f"{X}, limits: {{H: {{setpoint: 5, suppressed_by: [X/H]}}}}",
        "limits.H.suppressed_by",
        "a circle of conditions: e/X/H -> e/X/H",
        "must not wait for itself",
    ),
    "circle of two": (
        f"{X}, limits: {{H: {{setpoint: 5, suppressed_by: [X/HH]}}, HH: {{setpoint: 50, parent: X/H}}}}",
        "limits.HH.parent",
        "a circle of conditions: e/X/HH -> e/X/H -> e/X/HH",
        "must not wait for itself",
    ),
    "delay of days": (
        f"{X}, limits: {{H: {{setpoint: 5, on_delay: 25h}}}}",
        "limits.H.on_delay",
        "24 h",
        "24h at most",
    ),
    "delay of days for all limits": (f"{X}, off_delay: 2d", "off_delay", "more than 24 h", "24h at most"),
    "delay of bad quality": (f"{X}, bad: {{on_delay: 25h}}", "bad.on_delay", "more than 24 h", "24h at most"),
    "window of months": (
        f"{X}, deviation: {{setpoint: 5, from: median, window: 32d}}",
        "deviation.window",
        "a window of more than 31 days",
        "31d at most",
    ),
    "stale after months": (f"{X}, stale: 32d", "stale", "more than 31 days", "31d at most"),
    "stuck for months": (f"{X}, stuck: {{band: 1, for: 32d}}", "stuck.for", "more than 31 days", "31d at most"),
    "re-alarm at once": (f"{X}, re_alarm: 0", "re_alarm", "zero", "longer"),
    "card that is no id": (
        f"{X}, limits: {{H: {{setpoint: 5, cards: [有毒]}}}}",
        "limits.H.cards[0]",
        "letters a-z",
        "another",
    ),
    "modes of a unit without any": (
        f"{X}, limits: {{H: {{setpoint: 5, modes: {{up: 6}}}}}}",
        "limits.H.modes",
        "unit 'u' has no modes",
        "Add `modes:` to the unit",
    ),
}


def faults_of(folder: Path, text: str) -> list[Fault]:
    path = folder / "site.yaml"
    path.write_text(text, encoding="utf-8")
    return check([path], {})


def assert_fault(found: list[Fault], line: int, field: str, message: str, remedy: str) -> None:
    assert len(found) == 1, format_faults(found)
    fault = found[0]
    assert fault.field == f"enterprises[0].units[0].{field}"
    assert message in fault.message
    assert remedy in fault.remedy
    assert fault.line == line
    assert fault.column > 0


@pytest.mark.parametrize("case", TAG_FAULTS)
def test_fault_of_a_tag(case: str, tmp_path: Path) -> None:
    tag, field, message, remedy = TAG_FAULTS[case]
    text = f"{HEAD}{TAGS}          - {{{tag}}}\n"
    assert_fault(faults_of(tmp_path, text), text.count("\n"), f"tags[4].{field}", message, remedy)


# name: the unit's text, field, message, remedy
UNIT_FAULTS = {
    "vote with a delay of days": (f"rules: [{{{VOTE}, on_delay: 25h}}]", "rules[0].on_delay", "24 h", "24h at most"),
    "no kind": ("rules: [{key: A}]", "rules[0].kind", "`kind` is missing", "vote or expression"),
    "kind of a tag": ("rules: [{key: A, kind: high}]", "rules[0].kind", "unknown kind 'high'", "vote or expression"),
    "kind that is no word": ("rules: [{key: A, kind: [1]}]", "rules[0].kind", "unknown kind", "vote or expression"),
    "rule that is no mapping": ("rules: [A]", "rules[0]", "must be a mapping", "key: value"),
    "two of one key": (f"rules: [{{{VOTE}}}, {{{VOTE}}}]", "rules[1].key", "a second rule of the key 'V'", "own"),
    "vote of one": ("rules: [{key: V, kind: vote, tags: [T1], needed: 1, high: 5}]", "rules[0].tags", "empty", "least"),
    "vote of an unknown tag": (
        f"rules: [{{{VOTE.replace('T2', 'T3')}}}]",
        "rules[0].tags[1]",
        "no tag 'T3'",
        "MODE, P1, T1, T2",
    ),
    "vote of a tag twice": (f"rules: [{{{VOTE.replace('T2', 'T1')}}}]", "rules[0].tags[1]", "two votes", "once"),
    "vote of unlike units": (
        f"rules: [{{{VOTE.replace('T2', 'P1')}}}]",
        "rules[0].tags[1]",
        "P1 is in MPa, T1 in °C",
        "one engineering unit",
    ),
    "more than all": (f"rules: [{{{VOTE.replace('needed: 1', 'needed: 3')}}}]", "rules[0].needed", "3 of 2", "Lower"),
    "vote without a side": (
        f"rules: [{{{VOTE.replace(', high: 80', '')}}}]",
        "rules[0]",
        "`high` or `low`",
        "high: 25",
    ),
    "vote on both sides": (f"rules: [{{{VOTE}, low: 3}}]", "rules[0]", "`high` or `low`", "low: 19.5"),
    "level of the other side": (f"rules: [{{{VOTE}, level: LL}}]", "rules[0].level", "level LL does not", "H or HH"),
    "vote outside the range": (
        f"rules: [{{{VOTE.replace('80', '300')}}}]",
        "rules[0].high",
        "300 lies outside the range [0, 200] of T1",
        "leave the tag out",
    ),
    "vote that never clears": (
        f"rules: [{{{VOTE}, deadband: 80}}]",
        "rules[0].deadband",
        "take back its vote",
        "small",
    ),
    "setpoint of a vote": (f"rules: [{{{VOTE}, setpoint: 5}}]", "rules[0].setpoint", "unknown key", "Use one of"),
    "expression that names no tag": (
        "rules: [{key: A, kind: expression, when: T1 > T3}]",
        "rules[0].when",
        "no tag 'T3' (character 6)",
        "same enterprise",
    ),
    "expression that compares unlike units": (
        "rules: [{key: A, kind: expression, when: T1 > P1}]",
        "rules[0].when",
        "°C and MPa cannot be compared (character 6)",
        "same engineering unit",
    ),
    "expression that cannot be read": (
        "rules: [{key: A, kind: expression, when: T1 >}]",
        "rules[0].when",
        "ends here (character 5)",
        "a tag, a number",
    ),
    "expression of a gateway": (
        "rules: [{key: A, kind: expression, when: '{@gw1} > 1'}]",
        "rules[0].when",
        "no tag '@gw1'",
        "same enterprise",
    ),
    "deadband of an expression": (
        "rules: [{key: A, kind: expression, when: T1 > 5, deadband: 1}]",
        "rules[0].deadband",
        "unknown key",
        "Use one of",
    ),
    "expression as a number": (
        "rules: [{key: A, kind: expression, when: 5}]",
        "rules[0].when",
        "must be text",
        "quotes",
    ),
    "rule suppressed by nothing known": (
        f"rules: [{{{VOTE}, suppressed_by: ['@unit.u/W']}}]",
        "rules[0].suppressed_by",
        "no condition 'e/@unit.u/W'",
        "TAG/KEY",
    ),
    "rule that is its own parent": (
        f"rules: [{{{VOTE}, parent: '@unit.u/V'}}]",
        "rules[0].parent",
        "a circle of conditions: e/@unit.u/V -> e/@unit.u/V",
        "must not wait",
    ),
    "unknown neighbour": ("neighbours: [w]", "neighbours[0]", "no unit 'e/w'", "Did you mean `e/u`?"),
    "neighbour of itself": ("neighbours: [e/u]", "neighbours[0]", "no neighbour of itself", "Delete"),
    "neighbour that is no path": ("neighbours: [a/b/c]", "neighbours[0]", "not the path of a unit", "enterprise/unit"),
    "modes without a chooser": ("modes: {}", "modes", "neither a tag nor a schedule", "tag: MODE-1"),
    "modes by tag and clock": (
        'modes: {tag: MODE, values: {up: 1}, schedule: [{mode: n, from: "1:00", to: "2:00"}]}',
        "modes",
        "or both",
        "schedule",
    ),
    "modes of a tag without values": ("modes: {tag: MODE}", "modes", "belong together", "values"),
    "modes of an unknown tag": (
        "modes: {tag: MODES, values: {up: 1}}",
        "modes.tag",
        "no tag 'MODES'",
        "same enterprise",
    ),
    "mode upside down": (
        "modes: {tag: MODE, values: {up: [2, 1]}}",
        "modes.values.up",
        "lowest and the highest",
        "[1, 2]",
    ),
    "mode of a word": ("modes: {tag: MODE, values: {up: on}}", "modes.values.up", "must be a number", "[1, 1]"),
    "no time of day": (
        'modes: {schedule: [{mode: n, from: "25:00", to: "2:00"}]}',
        "modes.schedule[0].from",
        "time",
        "06",
    ),
    "span of no length": (
        'modes: {schedule: [{mode: n, from: "2:00", to: "2:00"}]}',
        "modes.schedule[0].to",
        "same time",
        "24:00",
    ),
    "span from midnight's end": (
        'modes: {schedule: [{mode: n, from: "24:00", to: "2:00"}]}',
        "modes.schedule[0].from",
        "begin at 24:00",
        "00:00",
    ),
    "no day": (
        'modes: {schedule: [{mode: n, days: [monday], from: "1:00", to: "2:00"}]}',
        "modes.schedule[0].days",
        "not a day",
        "mon-fri",
    ),
    "days as text": (
        'modes: {schedule: [{mode: n, days: mon, from: "1:00", to: "2:00"}]}',
        "modes.schedule[0].days",
        "must be a list",
        "mon-fri",
    ),
    "card with a path": ("cards: [a/b]", "cards[0]", "letters a-z", "another"),
}


@pytest.mark.parametrize("case", UNIT_FAULTS)
def test_fault_of_a_unit(case: str, tmp_path: Path) -> None:
    unit, field, message, remedy = UNIT_FAULTS[case]
    text = f"{HEAD}        {unit}\n{TAGS}"
    assert_fault(faults_of(tmp_path, text), HEAD.count("\n") + 1, field, message, remedy)


# name: the tag's limits, field, message, remedy
MODE_FAULTS = {
    "unknown mode": ("{H: {setpoint: 80, modes: {upp: 90}}}", "H", "has no mode 'upp'", "Did you mean `up`?"),
    "beyond the range": ("{H: {setpoint: 80, modes: {up: 300}}}", "H", "300 of mode 'up' lies outside", "no limit in"),
    "never clears": (
        "{H: {setpoint: 80, modes: {up: {setpoint: 90, deadband: 90}}}}",
        "H",
        "deadband 90 can never clear",
        "smaller `deadband`",
    ),
    "low that never clears": (
        "{L: {setpoint: 20, modes: {up: {setpoint: 199, deadband: 1}}}}",
        "L",
        "deadband 1 can never clear",
        "smaller `deadband`",
    ),
    "out of order": (
        "{H: {setpoint: 80, modes: {up: 100}}, HH: 100}",
        "H",
        "limit H 100 is not below limit HH 100",
        "HH",
    ),
    "out of order above": (
        "{H: 80, HH: {setpoint: 100, modes: {down: off, up: 70}}}",
        "HH",
        "in mode 'up' limit H 80 is not below limit HH 70",
        "every mode",
    ),
    "value of a word": ("{H: {setpoint: 80, modes: {up: high}}}", "H", "must be a number", "without quotes"),
}


@pytest.mark.parametrize("case", MODE_FAULTS)
def test_fault_of_a_mode(case: str, tmp_path: Path) -> None:
    limits, key, message, remedy = MODE_FAULTS[case]
    text = f"{HEAD}        {MODES}\n{TAGS}          - {{{X}, limits: {limits}}}\n"
    found = faults_of(tmp_path, text)
    field = f"tags[4].limits.{key}.modes" + (".up" if case == "value of a word" else "")
    assert_fault(found, text.count("\n"), field, message, remedy)


def test_a_mode_may_switch_a_limit_off_that_would_be_out_of_order(tmp_path: Path) -> None:
    limits = "{H: {setpoint: 80, modes: {up: 120}}, HH: {setpoint: 100, modes: {up: off}}}"
    assert not faults_of(tmp_path, f"{HEAD}        {MODES}\n{TAGS}          - {{{X}, limits: {limits}}}\n")


def test_a_faulty_tag_is_not_reported_where_others_name_it(tmp_path: Path) -> None:
    """One fault, and not one for each rule that needs the tag."""
    unit = (
        "rules: [{key: V, kind: vote, tags: [T1, X], needed: 1, high: 5}, {key: E, kind: expression, when: X > P1},\n"
        "          {key: S, kind: expression, when: T1 > 5, suppressed_by: [X/H]}]\n"
        "        modes: {tag: X, values: {up: 1}}"
    )
    tag = "tag: X, measurand: temperature, limits: {H: x}"
    other = f"{X.replace('X', 'Y')}, deviation: {{setpoint: 5, from: X}}, limits: {{H: {{setpoint: 5, parent: X/H}}}}"
    found = faults_of(tmp_path, f"{HEAD}        {unit}\n{TAGS}          - {{{tag}}}\n          - {{{other}}}\n")
    assert [fault.field for fault in found] == ["enterprises[0].units[0].tags[4].limits.H"], format_faults(found)


@pytest.mark.parametrize("fault", ["measurand: temprature", "measurand: temperature, range: [0, 9], limits: {H: 10}"])
def test_a_tag_that_is_known_and_faulty_causes_no_further_fault(fault: str, tmp_path: Path) -> None:
    unit = (
        "rules: [{key: V, kind: vote, tags: [T1, X], needed: 1, high: 50}, {key: E, kind: expression, when: X > P1},\n"
        "          {key: S, kind: expression, when: T1 > 5, suppressed_by: [X/HH]}]"
    )
    text = f"{HEAD}        {unit}\n{TAGS}          - {{tag: X, {fault}}}\n"
    found = faults_of(tmp_path, text)
    assert [fault.field.rpartition(".")[0] for fault in found] in (
        ["enterprises[0].units[0].tags[4]"],
        ["enterprises[0].units[0].tags[4].limits"],
    ), format_faults(found)


def test_a_faulty_table_hides_no_other_fault_and_causes_none(tmp_path: Path) -> None:
    (tmp_path / "points.csv").write_text("tag,measurand\nX,flow,5\n", encoding="utf-8")
    unit = (
        "tag_tables: [points.csv]\n        neighbours: [w]\n"
        "        rules: [{key: V, kind: vote, tags: [T1, X], needed: 1, high: 5, parent: X/STALE}]"
    )
    found = faults_of(tmp_path, f"{HEAD}        {unit}\n{TAGS}")
    assert [(Path(fault.file).name, fault.field) for fault in found] == [
        ("points.csv", ""),
        ("site.yaml", "enterprises[0].units[0].neighbours[0]"),
    ], format_faults(found)


def test_each_circle_is_told_once(tmp_path: Path) -> None:
    tags = (
        f"          - {{{X}, limits: {{H: {{setpoint: 5, parent: Y/H}}, HH: {{setpoint: 9, parent: X/H}}}}}}\n"
        f"          - {{{X.replace('X', 'Y')}, limits: {{H: {{setpoint: 5, suppressed_by: [T1/H, X/H]}}}}}}\n"
        f"          - {{{X.replace('X', 'Z')}, limits: {{H: {{setpoint: 5, parent: Z/HH}},\n"
        "             HH: {setpoint: 9, parent: Z/H}}}\n"
    )
    found = faults_of(tmp_path, HEAD + TAGS + tags)
    assert [fault.message for fault in found] == [
        "a circle of conditions: e/X/H -> e/Y/H -> e/X/H",
        "a circle of conditions: e/Z/HH -> e/Z/H -> e/Z/HH",
    ], format_faults(found)


def test_cards_that_nobody_wrote(tmp_path: Path) -> None:
    """Shipped ones are known to every configuration; a site file that is checked alone may name those of any."""
    unit = "cards: [h2s, chlorine]\n        rules: [{key: E, kind: expression, when: T1 > 5, cards: [cl3]}]"
    tag = f"{X}, limits: {{H: {{setpoint: 80, cards: [co, c0]}}, HH: {{setpoint: 90, parent: X/H, cards: [c1]}}}}"
    text = f"{HEAD}        {unit}\n{TAGS}          - {{{tag}}}\n"
    assert not faults_of(tmp_path, text)
    main = tmp_path / "anshao.yaml"
    main.write_text("sites: [site.yaml]\nhistorian: {kind: duckdb}\n", encoding="utf-8")
    found = check([main], {})
    assert [(fault.field.removeprefix("enterprises[0].units[0]."), fault.message) for fault in found] == [
        ("cards[1]", "no response card 'chlorine'"),
        ("rules[0].cards[0]", "no response card 'cl3'"),
        ("tags[4].limits.H.cards", "no response card 'c0'"),
        ("tags[4].limits.HH.cards", "no response card 'c1'"),
    ]
    assert all("Did you mean" in fault.remedy or "Use one of" in fault.remedy for fault in found)
    (tmp_path / "cards").mkdir()
    (tmp_path / "response.yaml").write_text("cards: nowhere\n", encoding="utf-8")
    main.write_text("sites: [site.yaml]\nresponse: response.yaml\nhistorian: {kind: duckdb}\n", encoding="utf-8")
    assert {Path(fault.file).name for fault in check([main], {})} == {"response.yaml"}, "cards cannot be known then"
