"""The engine as a whole: many tags, tags without rules, no rules, restart."""

import numpy as np
import pytest

from domain.samples import SampleBlock
from domain.scales import Level, Quality, RuleKind
from domain.site import Rule, RuleTable
from rules.engine import RuleEngine, TagColumns
from rules.scan import AGAINST, FOR, ConditionState, scan

GOOD, BAD = Quality.GOOD, Quality.BAD
START = 1_750_000_000_000


def an_engine(*rules: Rule, tags: int = 3) -> RuleEngine:
    columns = TagColumns(np.full(tags, 1000), np.ones(tags, dtype=np.bool_))
    return RuleEngine(RuleTable.build(rules, tags), columns, 600_000, 5_000)


def a_block(*samples: tuple[int, int, float, Quality]) -> SampleBlock:
    """Tag, ms after the start, value, quality."""
    tag, time, value, quality = zip(*samples, strict=True) if samples else ((), (), (), ())
    at = [START + t for t in time]
    return SampleBlock.of(tag, at, at, value, quality, [0] * len(tag))


H0 = Rule(0, "H", RuleKind.HIGH, Level.H, 80.0)
HH0 = Rule(0, "HH", RuleKind.HIGH, Level.HH, 90.0)
BAD2 = Rule(2, "BAD", RuleKind.BAD, Level.FAULT)
RISE2 = Rule(2, "RISE", RuleKind.RISE, Level.H, 1.0, window=1_000)
STALE2 = Rule(2, "STALE", RuleKind.STALE, Level.FAULT, window=3_000)


def test_an_engine_without_rules_says_nothing_and_remembers_the_newest_readings() -> None:
    engine = an_engine()
    assert engine.evaluate(a_block((0, 1, 1e9, GOOD), (1, 1, 5.0, BAD))) == []
    assert engine.advance(START + 10**9) == []
    assert engine.inside().tolist() == []
    engine.restore(np.empty(0, dtype=np.int64))
    assert engine.latest.value[:2].tolist() == [1e9, 5.0]


def test_a_site_without_tags_has_an_engine() -> None:
    engine = an_engine(tags=0)
    assert engine.evaluate(a_block()) == []
    assert engine.advance(START) == []


def test_tags_without_rules_are_remembered_and_raise_nothing() -> None:
    engine = an_engine(H0)
    assert engine.evaluate(a_block((1, 1, 1e9, GOOD), (2, 1, -np.inf, GOOD), (1, 2, np.nan, BAD))) == []
    assert engine.latest.quality[:].tolist() == [0, BAD, GOOD]
    assert engine.latest.source_time[:].tolist() == [0, START + 2, START + 1]


def test_a_condition_of_the_service_is_no_business_of_the_engine() -> None:
    engine = an_engine(Rule(0, "DOWN", RuleKind.SYSTEM, Level.FAULT))
    assert engine.evaluate(a_block((0, 1, 1.0, BAD))) == []
    engine.restore(np.array([0]))
    assert engine.inside().tolist() == []


def test_an_empty_block_changes_nothing() -> None:
    assert an_engine(H0).evaluate(SampleBlock.empty()) == []


def test_what_a_block_shows_is_told_by_received_time_then_rule() -> None:
    engine = an_engine(H0, HH0, BAD2)
    found = engine.evaluate(a_block((2, 5, 0.0, BAD), (0, 5, 95.0, GOOD), (0, 6, 10.0, GOOD), (2, 6, 0.0, GOOD)))
    assert [(t.received_time - START, t.rule, t.entered) for t in found] == [
        (5, 0, True),
        (5, 1, True),
        (5, 2, True),
        (6, 0, False),
        (6, 1, False),
        (6, 2, False),
    ]


def test_a_restart_knows_what_was_in_and_neither_raises_it_again_nor_clears_it() -> None:
    rules = (H0, HH0, BAD2, RISE2, STALE2)
    engine = an_engine(*rules)
    engine.await_readings(START)
    engine.evaluate(a_block((0, 1, 85.0, GOOD), (2, 1, 0.0, GOOD), (2, 2, 500.0, GOOD), (2, 3, 500.0, BAD)))
    engine.advance(START + 4_000)
    inside = engine.inside()
    assert inside.tolist() == [0, 2, 3, 4]

    restarted = an_engine(*rules)
    restarted.restore(inside)
    restarted.await_readings(START + 5_000)
    assert restarted.inside().tolist() == [0, 2, 3, 4]
    assert restarted.advance(START + 60_000) == []
    assert restarted.evaluate(a_block((0, 60_000, 85.0, GOOD), (2, 60_000, 0.0, BAD)))[0].rule == 4
    left = restarted.evaluate(a_block((0, 61_000, 50.0, GOOD), (2, 61_000, 0.0, GOOD)))
    assert [(t.rule, t.entered) for t in left] == [(0, False), (2, False)]


def test_a_restart_in_the_middle_of_an_on_delay_begins_it_anew() -> None:
    slow = Rule(0, "H", RuleKind.HIGH, Level.H, 80.0, on_delay=10_000)
    engine = an_engine(slow)
    engine.evaluate(a_block((0, 1, 85.0, GOOD)))
    engine.restore(np.array([0]))
    assert engine.evaluate(a_block((0, 2, 85.0, GOOD))) == []
    assert engine.evaluate(a_block((0, 3, 10.0, GOOD)))[0].entered is False


def test_time_that_passes_ends_on_delays_of_many_tags_at_once() -> None:
    rules = [Rule(tag, "H", RuleKind.HIGH, Level.H, 80.0, on_delay=1_000 * (tag + 1)) for tag in range(3)]
    engine = an_engine(*rules)
    engine.evaluate(a_block((0, 1, 85.0, GOOD), (1, 1, 10.0, GOOD), (2, 1, 86.0, GOOD)))
    assert [(t.rule, t.source_time - START) for t in engine.advance(START + 3_001)] == [(0, 1_001), (2, 3_001)]


@pytest.mark.parametrize("conditions", [1, 2**21 + 5])
def test_millions_of_conditions_in_one_scan_stay_apart(conditions: int) -> None:
    """Far in the future and with a delay of a century, so that a key of group and time would overflow."""
    century = 100 * 365 * 86_400_000
    state = ConditionState.out(conditions)
    condition = np.repeat(np.arange(conditions), 2)
    time = np.tile(np.array([2**42, 2**42 + 10]), conditions)
    verdict = np.full(2 * conditions, FOR, dtype=np.uint8)
    verdict[-1] = AGAINST
    on_delay = np.full(conditions, century)
    on_delay[-1] = 4
    off_delay = np.zeros(conditions, dtype=np.int64)
    toggles = scan(state, on_delay, off_delay, condition, time, time, time.astype(np.float64), verdict)
    assert toggles.condition.tolist() == [conditions - 1] * 2
    assert toggles.source_time.tolist() == [2**42 + 4, 2**42 + 10]
    assert not state.inside.any()
    assert int((state.since == 2**42).sum()) == conditions - 1
