"""A change in shadow does what it would do in force: whatever is read, and whenever the watch begins."""

import asyncio
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from alerting.journal.journal import Journal
from alerting.records import Change
from domain.samples import SampleBlock
from domain.scales import Level, Quality, RuleKind
from domain.site import Enterprise, ModeLimit, Reference, Region, Rule, RuleExtra, RuleTable, Selector, Site, Tag, Unit
from domain.transitions import Transition
from rules.engine import RuleEngine, TagColumns
from rules.expressions import programs_of
from service.changes.book import ChangeBook
from service.changes.edits import changed_rules
from service.changes.shadow import Shadows
from service.changes.trial import part_with
from service.config.tuned import Figures, put
from tuning.backtest.parts import part_of

START = 1_750_000_000_000
NAMES = "ABCDE"
SELECTOR = Selector("works/u", 4, (("low", 0.0, 2.0),))


def site() -> Site:
    """Five tags with rules of all sorts, over one tag and over several."""
    tags = [Tag("works", name, "u", "gw1", "temperature", "°C", -100, 100, 1_000) for name in NAMES]
    tags.append(Tag("works", "@unit.u", "u", "", "status", system=True))
    rules = [
        Rule(0, "H", RuleKind.HIGH, Level.H, 6.0, 1.0, extra=RuleExtra(selector=0, modes=(ModeLimit("low", 3.0),))),
        Rule(0, "STALE", RuleKind.STALE, Level.FAULT, window=5_000),
        Rule(1, "H", RuleKind.HIGH, Level.H, 5.0),
        Rule(1, "RISE", RuleKind.RISE, Level.H, 2.0, 0.5, window=3_000),
        Rule(1, "STALE", RuleKind.STALE, Level.FAULT, window=5_000),
        Rule(2, "DEVIATION", RuleKind.DEVIATION, Level.H, 3.0, extra=RuleExtra(reference=Reference("tag", tag=1))),
        Rule(2, "STUCK", RuleKind.STUCK, Level.FAULT, 0.5, window=3_000),
        Rule(3, "L", RuleKind.LOW, Level.L, 2.0, 1.0, on_delay=2_000, off_delay=1_000),
        Rule(3, "BAD", RuleKind.BAD, Level.FAULT, on_delay=1_000),
        Rule(5, "VOTE", RuleKind.VOTE, Level.HH, 7.0, 1.0, extra=RuleExtra(inputs=(0, 1, 3), needed=2)),
        Rule(5, "BOTH", RuleKind.EXPRESSION, Level.H, extra=RuleExtra(inputs=(1, 2), expression="B > 4 and C > 4")),
    ]
    return Site(
        regions={"370000": Region("370000", "山东省")},
        enterprises={"works": Enterprise("works", "测试厂", "370000")},
        units={("works", "u"): Unit("works", "u", "装置")},
        gateways={},
        tags=tags,
        rules=RuleTable.build(rules, len(tags)),
        revision="test",
        selectors=(SELECTOR,),
    )


SITE = site()
EDITS: dict[str, Figures] = {
    "works/A/H": Figures(setpoint=4.0, on_delay=1_000),
    "works/B/RISE": Figures(window=5_000),
    "works/B/STALE": Figures(window=3_000),
    "works/C/DEVIATION": Figures(setpoint=1.0),
    "works/C/STUCK": Figures(setpoint=2.0),
    "works/D/L": Figures(deadband=0.0, on_delay=0),
    "works/D/BAD": Figures(on_delay=0),
    "works/@unit.u/VOTE": Figures(setpoint=5.0),
    "works/@unit.u/BOTH": Figures(off_delay=2_000),
}


def engine_of(part: Site) -> RuleEngine:
    tags = TagColumns(np.array([tag.period for tag in part.tags]), np.ones(len(part.tags), dtype=np.bool_))
    return RuleEngine(part.rules, tags, 600_000, 5_000, programs_of(part), part.selectors)


steps = st.lists(
    st.tuples(
        st.sampled_from([0, 500, 1_000, 2_500]),
        st.lists(
            st.tuples(
                st.integers(0, 4),
                st.integers(0, 8).map(float),
                st.sampled_from([Quality.GOOD] * 6 + [Quality.UNCERTAIN, Quality.BAD]),
            ),
            max_size=4,
        ),
    ),
    max_size=30,
)
"""ms that pass, and the readings that arrive together then: tag, value, quality."""


@given(
    edits=st.sets(st.sampled_from(sorted(EDITS)), min_size=1, max_size=3),
    before=steps,
    after=steps,
)
def test_a_change_in_shadow_does_what_it_would_do_in_force(
    edits: set[str], before: list[Any], after: list[Any]
) -> None:
    live = engine_of(SITE)
    live.await_readings(START)
    now = START
    for passed, readings in before:
        now = _step(live, now, passed, readings)[0]

    changed = part_of(SITE, range(len(SITE.tags)), range(len(SITE.rules))).site
    for path in edits:
        put(changed, changed.rule_row(path), EDITS[path])
    in_force = engine_of(changed)
    rows = np.arange(len(SITE.rules))
    rows[[SITE.rule_row(path) for path in edits]] = -1
    in_force.take_over(live, np.arange(len(SITE.tags)), rows)

    book, change = ChangeBook(Journal()), Change()
    rules = changed_rules(SITE, [(path, EDITS[path]) for path in sorted(edits)])
    made = book.propose(
        [replace(rule, loosened=()) for rule in rules],
        name="李工",
        actor="t",
        reason="因",
        revision=1,
        site=SITE,
        now=now,
        change=change,
    )
    book.approve(made.id, "张强", "t", "", SITE, now, change)
    shadows = Shadows(book, engine_of, lambda: live)
    road = shadows.prepare(SITE, book.find(made.id))
    assert shadows.begin(road, now)
    book.begin_shadow(made.id, now + 10**9, "张强", "t", "", SITE, now, change)
    shadows.open(road)

    expected: list[tuple[str, bool, int]] = []
    for passed, readings in after:
        at = now + passed
        found = live.advance(at)
        shadows.advance(at, connected=True, awaited_since=live.awaited_since, transitions=found)
        expected += _of(changed, in_force.advance(at), edits)
        if readings:
            block = _block(at, readings)
            found = live.evaluate(block)
            shadows.evaluate(block, found)
            expected += _of(changed, in_force.evaluate(block), edits)
        asyncio.run(shadows.catch_up())
        now = at
    watched = [(each["path"], each["entered"], each["at"]) for each in road.pending]
    assert sorted(watched) == sorted(expected)
    assert not road.ended
    assert sum(figures["shadow"] for figures in road.figures.values()) == sum(entered for _, entered, _ in expected)


def _step(engine: RuleEngine, now: int, passed: int, readings: list[Any]) -> tuple[int, list[Transition]]:
    at = now + passed
    found = engine.advance(at)
    if readings:
        found += engine.evaluate(_block(at, readings))
    return at, found


def _block(at: int, readings: list[Any]) -> SampleBlock:
    tags = [tag for tag, _, _ in readings]
    return SampleBlock.of(
        tags,
        [at + place for place in range(len(tags))],
        [at + place for place in range(len(tags))],
        [value for _, value, _ in readings],
        [quality for _, _, quality in readings],
        [0] * len(tags),
    )


def _of(where: Site, found: list[Transition], edits: set[str]) -> list[tuple[str, bool, int]]:
    named = [(where.rule_path(each.rule), each.entered, each.source_time) for each in found]
    return [each for each in named if each[0] in edits]


def test_the_part_that_a_change_needs_is_no_more_than_that() -> None:
    part = part_with(SITE, [SITE.rule_row("works/D/L")], {})
    assert [tag.name for tag in part.site.tags] == ["D"]
    vote = part_with(SITE, [SITE.rule_row("works/@unit.u/VOTE")], {"works/@unit.u/VOTE": Figures(setpoint=1.0)})
    assert [tag.name for tag in vote.site.tags] == ["A", "B", "D", "@unit.u"]
    assert float(SITE.rules.setpoint[SITE.rule_row("works/@unit.u/VOTE")]) == 7.0, "the site itself is not touched"
