"""Site files' rules beyond single limits: deviation, stuck, votes, expressions, modes, references, units of gas."""

from pathlib import Path

import pytest

from domain.gases import SPECIES, convert
from domain.scales import Grade, Level, RuleKind
from domain.site import ModeLimit, ModeSpan, Reference, Rule, RuleExtra, Selector, Site
from rules.expressions import programs_of
from service.config import load_site, shipped

UNIT = """\
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
          - {tag: G1, measurand: h2s, engineering_unit: mg/m3, range: [0, 100]}
          - {tag: G2, measurand: h2s, engineering_unit: MG/M³, range: [0, 50]}
          - {tag: G3, measurand: h2s, engineering_unit: mg/m3, range: [0, 100]}
          - {tag: T1, measurand: temperature, engineering_unit: °C, range: [0, 200], limits: {H: 80, HH: 100}}
          - {tag: T2, measurand: temperature, engineering_unit: ℃, range: [0, 200], limits: {H: 80}}
          - {tag: P1, measurand: pressure, engineering_unit: MPa, range: [0, 2], limits: {H: 1.5}}
          - {tag: MODE, measurand: status}
"""


def load_text(folder: Path, text: str) -> Site:
    path = folder / "site.yaml"
    path.write_text(text, encoding="utf-8")
    return load_site([path])


def with_tag(folder: Path, tag: str, unit: str = "") -> Site:
    """A site with one tag more, and further keys of its unit."""
    return load_text(folder, f"{UNIT}{unit}{TAGS}          - {{{tag}}}\n")


def with_unit(folder: Path, unit: str) -> Site:
    """A site with further keys of its unit."""
    return load_text(folder, UNIT + unit + TAGS)


def rule_of(site: Site, path: str) -> Rule:
    return site.rules.row(site.rule_row(path))


def extra_of(site: Site, path: str) -> RuleExtra:
    extra = rule_of(site, path).extra
    assert extra is not None
    return extra


FLOW = "tag: X, measurand: temperature, engineering_unit: °C, range: [0, 200]"


@pytest.mark.parametrize(
    ("text", "reference", "side", "deadband"),
    [
        ("{setpoint: 5, from: 20, side: above}", Reference("constant", constant=20.0), "above", 0.5),
        ("{setpoint: 5, from: T2, deadband: 2}", Reference("tag", tag=4), "both", 2),
        ("{setpoint: 5, from: median, window: 10min}", Reference("median", window=600_000), "both", 0.5),
    ],
)
def test_a_deviation(text: str, reference: Reference, side: str, deadband: float, tmp_path: Path) -> None:
    rule = rule_of(with_tag(tmp_path, f"{FLOW}, deviation: {text}"), "e/X/DEVIATION")
    assert rule.extra == RuleExtra(side=side, reference=reference)
    assert (rule.kind, rule.level, rule.setpoint, rule.deadband) == (RuleKind.DEVIATION, Level.H, 5, deadband)
    assert (rule.on_delay, rule.off_delay, rule.window) == (0, 0, reference.window)


def test_a_deviation_with_everything(tmp_path: Path) -> None:
    text = (
        "{setpoint: 5, from: 20, side: below, level: HH, deadband: 0, on_delay: 5s, off_delay: 1s, latching: true, "
        "grade: red, suppressed_by: [T1/H], parent: T2/H, re_alarm: 10min, cards: [co]}"
    )
    site = with_tag(tmp_path, f"{FLOW}, deviation: {text}")
    rule = rule_of(site, "e/X/DEVIATION")
    assert (rule.level, rule.deadband, rule.on_delay, rule.off_delay) == (Level.HH, 0, 5_000, 1_000)
    assert (rule.latching, rule.grade) == (True, Grade.RED)
    assert rule.extra == RuleExtra(
        side="below",
        reference=Reference("constant", constant=20.0),
        suppressed_by=("e/T1/H",),
        parent="e/T2/H",
        re_alarm=600_000,
        cards=("co",),
    )
    assert site.has_limits(site.tag_index["e/X"])


def test_a_deviation_is_named_by_the_files_last_tag(tmp_path: Path) -> None:
    """References are looked up when all is read, and by the tag's number in the whole site."""
    text = UNIT + "        tags:\n          - {" + FLOW + ", deviation: {setpoint: 5, from: LAST}}\n"
    text += "          - {tag: LAST, measurand: temperature, engineering_unit: °C}\n"
    site = load_text(tmp_path, text)
    reference = extra_of(site, "e/X/DEVIATION").reference
    assert reference is not None
    assert site.tags[reference.tag].name == "LAST"


@pytest.mark.parametrize(
    ("text", "band", "window", "default"),
    [
        ("on", 0.1, 3_600_000, True),
        ("true", 0.1, 3_600_000, True),
        ("{}", 0.1, 3_600_000, True),
        ("{band: 0.3}", 0.3, 3_600_000, False),
        ("{for: 5min}", 0.1, 300_000, True),
        ("{band: 0, for: 5min}", 0, 300_000, False),
    ],
)
def test_a_stuck_value(text: str, band: float, window: int, default: bool, tmp_path: Path) -> None:  # noqa: FBT001 - drawn
    rule = rule_of(with_tag(tmp_path, f"{FLOW}, stuck: {text}"), "e/X/STUCK")
    assert (rule.kind, rule.level, rule.setpoint, rule.window) == (RuleKind.STUCK, Level.FAULT, band, window)
    assert (rule.default, rule.on_delay, rule.extra) == (default, 0, None)


def test_stuck_is_off_unless_it_is_asked_for(tmp_path: Path) -> None:
    site = with_tag(tmp_path, f"{FLOW}, stuck: off")
    assert RuleKind.STUCK not in site.rules.kind
    text = "{band: 1, for: 1h, on_delay: 1s, off_delay: 2s, latching: true, parent: X/BAD, cards: [co]}"
    rule = rule_of(with_tag(tmp_path, f"{FLOW}, stuck: {text}"), "e/X/STUCK")
    assert (rule.on_delay, rule.off_delay, rule.latching) == (1_000, 2_000, True)
    assert rule.extra == RuleExtra(parent="e/X/BAD", cards=("co",))


def test_no_gas_has_a_band_of_its_own() -> None:
    """A detector that shows zero for a month is in order."""
    for key, measurand in shipped().by_key.items():
        assert measurand.gas is None or measurand.stuck is None, key
        assert measurand.stuck is None or 0 < measurand.stuck.share < 0.01


def test_a_vote(tmp_path: Path) -> None:
    site = with_unit(
        tmp_path,
        "        rules:\n"
        "          - {key: V, kind: vote, tags: [G3, G1, G2], needed: 2, high: 20}\n"
        "          - {key: W, kind: vote, tags: [T1, T2], needed: 1, low: 5, level: LL, deadband: 1, on_delay: 7s,\n"
        "             off_delay: 3s, latching: true, grade: orange, cards: [co], re_alarm: 5min}\n"
        "          - {key: D, kind: vote, tags: [T1, T2], needed: 2, high: 90}\n",
    )
    rule = rule_of(site, "e/@unit.u/V")
    assert rule.extra == RuleExtra(inputs=(2, 0, 1), needed=2)
    assert (rule.kind, rule.level, rule.setpoint, rule.deadband) == (RuleKind.VOTE, Level.H, 20, 0)
    rule = rule_of(site, "e/@unit.u/W")
    assert rule.extra == RuleExtra(inputs=(3, 4), needed=1, low=True, re_alarm=300_000, cards=("co",))
    assert (rule.level, rule.setpoint, rule.deadband) == (Level.LL, 5, 1)
    assert (rule.on_delay, rule.off_delay, rule.latching, rule.grade) == (7_000, 3_000, True, Grade.ORANGE)
    rule = rule_of(site, "e/@unit.u/D")
    assert (rule.deadband, rule.on_delay) == (2, 60_000), "as a limit of the measurand has them"
    tag = site.tags[site.tag_index["e/@unit.u"]]
    assert (tag.unit, tag.system, tag.measurand, tag.description) == ("u", True, "status", "罐区（联合规则）")
    assert [tag.path for tag in site.tags].count("e/@unit.u") == 1


def test_an_expression(tmp_path: Path) -> None:
    when = "T1 - T2 > 15 and P1 > 0.8 or G2 >= 10"
    site = with_unit(
        tmp_path, f"        rules: [{{key: X, kind: expression, when: '{when}', level: HH, on_delay: 5s}}]\n"
    )
    rule = rule_of(site, "e/@unit.u/X")
    assert rule.extra == RuleExtra(inputs=(3, 4, 5, 1), expression=when)
    assert (rule.kind, rule.level, rule.on_delay) == (RuleKind.EXPRESSION, Level.HH, 5_000)
    programs = programs_of(site)
    assert list(programs) == [site.rule_row("e/@unit.u/X")]
    assert [program.names for program in programs.values()] == [("T1", "T2", "P1", "G2")]


def test_units_without_rules_have_no_tag_for_them(tmp_path: Path) -> None:
    assert not [tag for tag in with_unit(tmp_path, "").tags if tag.name.startswith("@unit")]


def test_each_units_rules_are_its_own(tmp_path: Path) -> None:
    rules = "        rules: [{key: X, kind: expression, when: 'T1 > 5'}]\n"
    text = UNIT + rules + TAGS
    text += "      - {id: v, name: 乙, rules: [{key: X, kind: expression, when: 'P1 > 1'}]}\n"
    site = load_text(tmp_path, text)
    assert extra_of(site, "e/@unit.u/X").inputs == (3,)
    assert extra_of(site, "e/@unit.v/X").inputs == (5,)
    assert site.tags[site.tag_index["e/@unit.v"]].unit == "v"
    assert rule_of(site, "anshao/canary-reading/CANARY").setpoint == 0.5, "the service's own rules stay whose they were"


def test_modes_by_a_tag(tmp_path: Path) -> None:
    site = with_tag(
        tmp_path,
        f"{FLOW}, limits: {{H: {{setpoint: 80, modes: {{up: {{setpoint: 95, deadband: 3}}, down: off}}}}, HH: 100}}, "
        "rules: [{key: N, setpoint: 70, modes: {up: 75}}]",
        "        modes: {tag: MODE, values: {up: 1, normal: [2, 3.5], down: 4}}\n",
    )
    values = (("up", 1.0, 1.0), ("normal", 2.0, 3.5), ("down", 4.0, 4.0))
    assert site.selectors == (Selector("e/u", tag=6, values=values),)
    modes = (ModeLimit("up", 95, 3), ModeLimit("down", None))
    assert extra_of(site, "e/X/H") == RuleExtra(modes=modes, selector=0)
    assert rule_of(site, "e/X/HH").extra is None
    assert extra_of(site, "e/X/N") == RuleExtra(modes=(ModeLimit("up", 75),), selector=0)


def test_modes_by_the_clock(tmp_path: Path) -> None:
    site = with_tag(
        tmp_path,
        f"{FLOW}, limits: {{H: {{setpoint: 80, modes: {{night: 60}}}}}}",
        '        modes: {schedule: [{mode: night, days: [mon-wed, sun], from: "22:00", to: "06:30"},\n'
        '          {mode: night, days: [sat-mon], from: "00:00", to: "24:00"},\n'
        '          {mode: day, from: "8:00", to: "17:00"}]}\n',
    )
    hour = 3_600_000
    spans = (
        ModeSpan("night", (0, 1, 2, 6), 22 * hour, 6 * hour + hour // 2),
        ModeSpan("night", (0, 5, 6), 0, 24 * hour),
        ModeSpan("day", (), 8 * hour, 17 * hour),
    )
    assert site.selectors == (Selector("e/u", schedule=spans),)


def test_what_any_rule_may_say(tmp_path: Path) -> None:
    more = "suppressed_by: [T1/H, e/T2/H, '@gw1/LINK'], parent: '@unit.u/X', re_alarm: 5min, cards: [co, h2s]"
    site = with_tag(
        tmp_path,
        f"{FLOW}, limits: {{H: {{setpoint: 80, {more}}}}}, rate: {{rise: {{limit: 1, {more}}}}}, "
        f"rules: [{{key: N, setpoint: 70, {more}}}], stale: {{after: 9s, {more}}}, bad: {{on_delay: 2s, {more}}}",
        "        rules: [{key: X, kind: expression, when: T1 > 5, suppressed_by: ['@gw1/CLOCK']}]\n",
    )
    for key in ("H", "RISE", "N", "STALE", "BAD"):
        assert extra_of(site, f"e/X/{key}") == RuleExtra(
            suppressed_by=("e/T1/H", "e/T2/H", "e/@gw1/LINK"),
            parent="e/@unit.u/X",
            re_alarm=300_000,
            cards=("co", "h2s"),
        )
    assert extra_of(site, "e/@unit.u/X").suppressed_by == ("e/@gw1/CLOCK",)
    assert (rule_of(site, "e/X/STALE").window, rule_of(site, "e/X/BAD").on_delay) == (9_000, 2_000)


def test_stale_with_attributes_and_without_a_time(tmp_path: Path) -> None:
    rule = rule_of(with_tag(tmp_path, f"{FLOW}, period: 2s, stale: {{cards: [co]}}"), "e/X/STALE")
    assert (rule.window, rule.extra) == (6_000, RuleExtra(cards=("co",)))


def test_the_tags_re_alarm_is_of_its_rules_on_the_value(tmp_path: Path) -> None:
    site = with_tag(
        tmp_path,
        f"{FLOW}, re_alarm: 30min, stuck: on, deviation: {{setpoint: 5, from: T1}}, rate: {{fall: {{limit: 1}}}}, "
        "limits: {HH: 100, H: {setpoint: 80, re_alarm: off}, L: {setpoint: 5, re_alarm: 1h, cards: [co]}}",
    )
    found = {site.rules.key[row]: site.rules.row(row).extra for row in site.rules.of_tag(site.tag_index["e/X"])}
    assert {key: extra.re_alarm if extra else 0 for key, extra in found.items()} == {
        "HH": 1_800_000,
        "H": 0,
        "L": 3_600_000,
        "FALL": 1_800_000,
        "STALE": 0,
        "BAD": 0,
        "DEVIATION": 1_800_000,
        "STUCK": 0,
    }
    assert extra_of(site, "e/X/L").cards == ("co",)


def test_neighbours_hold_both_ways(tmp_path: Path) -> None:
    text = (
        UNIT + "        neighbours: [v, f/w]\n        cards: [tank-overfill]\n" + TAGS + "      - {id: v, name: 乙}\n"
    )
    text += '  - {id: f, name: F, region: "370000", units: [{id: w, name: 丙, neighbours: [e/v]}]}\n'
    site = load_text(tmp_path, text)
    near = {unit.path: unit.neighbours for unit in site.units.values() if unit.enterprise in "ef" and unit.neighbours}
    assert near == {"e/u": ("e/v", "f/w"), "e/v": ("e/u", "f/w"), "f/w": ("e/u", "e/v")}
    assert site.units["e", "u"].cards == ("tank-overfill",)


@pytest.mark.parametrize(
    ("tag", "setpoints", "given"),
    [
        (
            "measurand: flammable_gas, species: CH4, engineering_unit: ppm",
            {"HH": 25_000, "H": 12_500},
            {"HH": "50 %LEL", "H": "25 %LEL"},
        ),
        ("measurand: flammable_gas, species: H2, engineering_unit: '%vol'", {"HH": 2, "H": 1}, {"HH": "50 %LEL"}),
        (
            "measurand: ch4_face, engineering_unit: '%LEL'",
            {"HH": 30, "H": 20, "CH4-ORANGE": 40, "CH4-RED": 60},
            {"H": "1 %vol", "CH4-RED": "3 %vol"},
        ),
        ("measurand: flammable_gas, species: CH4, engineering_unit: '%LEL'", {"HH": 50, "H": 25}, {}),
        ("measurand: h2s, engineering_unit: ppm", {"HH": 14, "H": 7}, {}),
        (
            "measurand: flammable_gas, species: CH4, engineering_unit: ppm, limits: {H: 5000, HH: off}",
            {"H": 5_000},
            {},
        ),
    ],
)
def test_defaults_in_another_unit_of_gas(
    tag: str, setpoints: dict[str, float], given: dict[str, str], tmp_path: Path
) -> None:
    site = with_tag(tmp_path, f"tag: X, {tag}")
    rules = [site.rules.row(row) for row in site.rules.of_tag(site.tag_index["e/X"])]
    assert {rule.key: rule.setpoint for rule in rules if rule.kind is RuleKind.HIGH} == setpoints
    told = {rule.key: rule.extra.given for rule in rules if rule.extra and rule.extra.given}
    assert told.items() >= given.items()
    assert bool(told) == bool(given)
    assert all(rule.default for rule in rules if rule.key in told)


def test_a_deadband_is_converted_as_its_limit_is(tmp_path: Path) -> None:
    site = with_tag(tmp_path, "tag: X, measurand: ch4_face, engineering_unit: ppm, range: [0, 40000]")
    assert rule_of(site, "e/X/HH").deadband == 5_000, "power returns below 1 %vol"


def test_a_limit_in_a_unit_of_its_own(tmp_path: Path) -> None:
    site = with_tag(
        tmp_path,
        "tag: X, measurand: flammable_gas, species: CH4, engineering_unit: ppm, range: [0, 50000], deadband: 100, "
        "limits: {H: {setpoint: 20, unit: '%lel', deadband: 1, modes: {up: {setpoint: 22, deadband: 2}, down: off}}, "
        "HH: {setpoint: 2, unit: '%vol'}, L: {setpoint: 200, unit: PPM}}, "
        "rules: [{key: N, setpoint: 60, unit: '%LEL'}]",
        "        modes: {tag: MODE, values: {up: 1, down: 4}}\n",
    )
    limit = rule_of(site, "e/X/H")
    assert (limit.setpoint, limit.deadband, limit.default) == (10_000, 500, False)
    assert limit.extra == RuleExtra(
        modes=(ModeLimit("up", 11_000, 1_000), ModeLimit("down", None)), selector=0, given="20 %lel"
    )
    limit = rule_of(site, "e/X/HH")
    assert (limit.setpoint, limit.deadband) == (20_000, 100), "the tag's own deadband is in the tag's unit"
    assert rule_of(site, "e/X/L").extra is None
    assert extra_of(site, "e/X/N").given == "60 %LEL"
    assert rule_of(site, "e/X/N").setpoint == 30_000


def test_an_inherited_limit_with_more_to_say(tmp_path: Path) -> None:
    site = with_tag(
        tmp_path,
        "tag: X, measurand: h2s, engineering_unit: ppm, range: [0, 100], limits: "
        "{H: {deadband: 0.5, re_alarm: 5min, cards: [h2s]}, HH: {on_delay: 3s, modes: {up: 50}}}",
        "        modes: {tag: MODE, values: {up: 1}}\n",
    )
    limit = rule_of(site, "e/X/H")
    assert (limit.setpoint, limit.deadband, limit.default) == (7, 0.5, True)
    assert limit.extra == RuleExtra(re_alarm=300_000, cards=("h2s",))
    limit = rule_of(site, "e/X/HH")
    assert (limit.setpoint, limit.on_delay, limit.default) == (14, 3_000, True)
    assert limit.extra == RuleExtra(modes=(ModeLimit("up", 50),), selector=0)


def test_species_of_tags(tmp_path: Path) -> None:
    site = with_tag(tmp_path, "tag: X, measurand: concentration, species: Cl2, engineering_unit: ppm, limits: {}")
    species = {tag.name: tag.species for tag in site.tags}
    assert (species["X"], species["G1"], species["T1"]) == ("Cl2", "H2S", None)


def test_measurands_of_one_gas_say_so_rightly() -> None:
    """The ppm figures that are shipped beside mg/m3 are of that species."""
    for key, measurand in shipped().by_key.items():
        for level, limits in measurand.limits.items():
            if {"mg/m3", "ppm"} <= limits.keys():
                assert measurand.species is not None, key
                exact = convert(limits["mg/m3"], "mg/m3", "ppm", SPECIES[measurand.species])
                assert limits["ppm"] == pytest.approx(exact, rel=0.03), (key, level)
