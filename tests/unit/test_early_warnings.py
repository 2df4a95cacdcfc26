"""An early warning by statistics: what its alarm says, and that it never makes more than yellow."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from alerting.incidents.grading import UnitGrading, load_grading
from alerting.incidents.reasons import explain
from alerting.records import Alarm
from domain.samples import SampleBlock
from domain.scales import Grade, Level, Quality, RuleKind
from domain.site import Rule, RuleExtra, RuleTable, Site, Tag
from domain.transitions import Transition
from rules.engine import RuleEngine, TagColumns
from tests.components_case import MEANS, NAMES, START, UNITS, model
from tests.unit.test_grading import alarm
from tests.watched_unit import MIDNIGHT, WatchedUnit, make_site

SHIPPED = load_grading()


def warning(identity: int, grade: Grade = Grade.BLUE) -> Alarm:
    kind = RuleKind.SPE if identity % 2 else RuleKind.T2
    return replace(alarm(identity, tag="@unit.tankfarm"), kind=kind, rule=f"W{identity}", grade=grade)


def graded(*alarms: Alarm, hazard_level: int | None = None) -> UnitGrading:
    unit = UnitGrading(SHIPPED, hazard_level)
    for each in alarms:
        unit.add(each)
    return unit


@pytest.mark.parametrize(
    ("alarms", "hazard_level", "grade"),
    [
        ([warning(1)], None, Grade.BLUE),
        ([warning(1, Grade.YELLOW)], None, Grade.YELLOW),
        ([warning(1), alarm(2), alarm(3), alarm(4)], None, Grade.YELLOW),  # four blue
        ([warning(n, Grade.YELLOW) for n in range(1, 8)], None, Grade.YELLOW),  # not three yellow
        ([warning(1, Grade.YELLOW), alarm(2, Level.HH), alarm(3)], None, Grade.YELLOW),
        ([warning(1, Grade.YELLOW), alarm(2, Level.HH), alarm(4, Level.HH)], None, Grade.ORANGE),  # of the two HH
        ([warning(1, Grade.YELLOW)], 1, Grade.YELLOW),  # no step for a major hazard source
        ([warning(1)], 1, Grade.YELLOW),
        ([warning(1), alarm(2), alarm(3), alarm(4)], 1, Grade.YELLOW),  # a step above yellow is none of its own
        ([warning(1), alarm(2, Level.HH)], 1, Grade.ORANGE),  # of the HH and the step
    ],
)
def test_grades(alarms: list[Alarm], hazard_level: int | None, grade: Grade) -> None:
    for order in itertools.islice(itertools.permutations(alarms), 24):
        assert graded(*order, hazard_level=hazard_level).verdict(0).grade is grade


def test_whatever_is_in_it_adds_nothing_beyond_yellow_and_takes_nothing_away() -> None:
    random = np.random.default_rng(1)
    levels = [Level.H, Level.HH, Level.LL, Level.FAULT]
    for _ in range(300):
        firm = [
            replace(
                alarm(number, levels[random.integers(4)], gas=["toxic", None][random.integers(2)]),
                cause=[None, "works/@gw1/LINK", "works/T-1/H"][random.integers(3)],
            )
            for number in range(1, int(random.integers(1, 7)))
        ]
        warned = [
            replace(warning(number, Grade(int(random.integers(1, 3)))), cause=[None, "works/T-1/H"][random.integers(2)])
            for number in range(50, 50 + int(random.integers(1, 5)))
        ]
        hazard_level = [None, 1][random.integers(2)]
        at = int(random.integers(0, 120_000))
        alone = graded(*firm, hazard_level=hazard_level).verdict(at).grade
        both = graded(*firm, *warned, hazard_level=hazard_level).verdict(at).grade
        assert both is not None
        assert both >= (alone or Grade.BLUE)
        assert both <= max(alone or Grade.BLUE, Grade.YELLOW)


def test_the_reasons_say_that_it_was_a_warning_and_how_far_it_goes() -> None:
    reasons = graded(warning(1, Grade.YELLOW), alarm(2)).verdict(0).reasons
    assert [reason["rule"] for reason in reasons] == ["own_grade", "early_warning"]
    assert reasons[1]["params"] == {"grade": "yellow", "highest": "yellow", "tags": ["@unit.tankfarm"]}
    assert explain(reasons[1]) == (
        "统计预警（T²/SPE）参与定级，自身最高黄色：@unit.tankfarm",
        "early warning by statistics (T2, SPE), yellow at the most by itself: @unit.tankfarm",
    )
    unit = graded(warning(1, Grade.YELLOW), alarm(2, Level.HH))
    assert [reason["rule"] for reason in unit.verdict(0).reasons] == ["own_grade"], "the HH makes it alone"
    unit.remove(warning(1, Grade.YELLOW))
    assert unit.verdict(0) == graded(alarm(2, Level.HH)).verdict(0)


def _site(grade: Grade | None = None) -> Site:
    """The story's site with an SPE rule of its tank farm, over five of its tags."""
    site = make_site()
    tag = len(site.tags)
    tags = [
        *site.tags,
        Tag("works", "@unit.tankfarm", "tankfarm", "", "status", description="罐区（联合规则）", system=True),
    ]
    extra = RuleExtra(inputs=(0, 1, 2, 3, 4), model=model())
    rule = Rule(tag, "SPE", RuleKind.SPE, Level.H, 9.0, 0.9, grade=grade, extra=extra)
    rules = [*(site.rules.row(row) for row in range(len(site.rules))), rule]
    return replace(site, tags=tags, rules=RuleTable.build(rules, len(tags)), tag_index={})


@pytest.mark.parametrize(("own", "grade"), [(None, "blue"), (Grade.YELLOW, "yellow"), (Grade.RED, "yellow")])
def test_the_alarm_names_the_tags_that_made_it(own: Grade | None, grade: str) -> None:
    unit = WatchedUnit(site=_site(own))
    row = unit.site.rule_row("works/@unit.tankfarm/SPE")
    inputs = ((3, 88.5), (0, 21.0), (1, float("nan")), (2, 5.0), (4, 1.0))
    shares = (0.61, 0.25, 0.14, 0.0, 0.0)
    unit.apply([Transition(row, True, MIDNIGHT, MIDNIGHT, 31.0, inputs, shares)], 0)  # noqa: FBT003 - it enters
    found = unit.alarm("@unit.tankfarm/SPE")
    assert found.description == "罐区（联合规则）：GT-4 61%、GT-1 25%、GT-2 14%"
    assert (found.grade.label, found.setpoint, found.value) == (grade, 9.0, 31.0)
    entered = next(body for body in unit.books.told() if body["kind"] == "alarm.entered")
    assert entered["data"]["contributions"] == [
        {"tag": "GT-4", "share": 0.61, "value": 88.5},
        {"tag": "GT-1", "share": 0.25, "value": 21.0},
        {"tag": "GT-2", "share": 0.14, "value": None},
    ]
    assert entered["data"]["inputs"]["GT-3"] == 5.0


def feed(engine: RuleEngine, second: float, value: dict[int, float], bad: tuple[int, ...] = ()) -> list[Transition]:
    at = START + int(second * 1000)
    quality = [Quality.BAD if tag in bad else Quality.GOOD for tag in value]
    count = len(value)
    return engine.evaluate(
        SampleBlock.of(list(value), [at] * count, [at] * count, list(value.values()), quality, [0] * count)
    )


def test_a_leak_of_correlation_raises_in_the_third_row_and_names_its_tag() -> None:
    made = model()
    extra = RuleExtra(inputs=tuple(range(5)), model=made)
    rule = Rule(5, "SPE", RuleKind.SPE, Level.H, made.spe_limit, made.spe_limit / 10, on_delay=20_000, extra=extra)
    stale = [Rule(tag, "STALE", RuleKind.STALE, Level.FAULT, window=30_000) for tag in range(5)]
    columns = TagColumns(np.full(6, 10_000), np.ones(6, dtype=np.bool_))
    engine = RuleEngine(RuleTable.build([*stale, rule], 6), columns, 600_000, 5_000)
    engine.await_readings(START)
    usual = dict(enumerate(MEANS.tolist()))
    off = usual | {0: MEANS[0] + 6.0}
    assert feed(engine, 0, usual) == []
    assert feed(engine, 10, off) == []
    assert feed(engine, 20, off) == []
    assert engine.advance(START + 29_000) == [], "a whole round is awaited before the delay ends without it"
    (entered,) = feed(engine, 30, off)
    assert entered.entered
    assert entered.source_time == START + 30_000
    assert NAMES[entered.inputs[0][0]] == "TI-1"
    assert entered.shares[0] == max(entered.shares) > 0.5
    assert len(UNITS) == len(entered.inputs) == 5
    # What is missing takes nothing back, be it just the tag that was wrong: its reading is bad, then it is silent.
    assert feed(engine, 40, usual, bad=(0,)) == []
    assert feed(engine, 50, {tag: value for tag, value in usual.items() if tag}) == []
    (left,) = feed(engine, 60, usual)
    assert not left.entered
    # With two of five missing nothing is said at all; with one the others speak for it.
    assert feed(engine, 70, {**off, 3: 0.0, 4: 0.0}, bad=(3, 4)) == []
    for second in (80, 90):
        assert feed(engine, second, {**off, 4: 0.0}, bad=(4,)) == []
    (again,) = feed(engine, 100, {**off, 4: 0.0}, bad=(4,))
    assert again.entered
    assert np.isnan(dict(again.inputs)[4])
