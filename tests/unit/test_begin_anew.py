"""A recording that is played again is taken for new, and clears nothing by itself."""

import numpy as np

from domain.samples import SampleBlock
from domain.scales import Level, Quality, RuleKind
from domain.site import Rule, RuleTable
from rules.engine import RuleEngine, TagColumns

BEGIN = 1_700_000_000_000


def engine() -> RuleEngine:
    """Two tags, each with a high limit, a delayed low one and a rate."""
    rules = [
        rule
        for tag in range(2)
        for rule in (
            Rule(tag, "H", RuleKind.HIGH, Level.H, 80.0),
            Rule(tag, "L", RuleKind.LOW, Level.L, 20.0, on_delay=5_000),
            Rule(tag, "RISE", RuleKind.RISE, Level.H, 10.0, window=2_000),
        )
    ]
    columns = TagColumns(np.array([1_000, 1_000]), np.array([False, False]))
    return RuleEngine(RuleTable.build(rules, 2), columns, 600_000, 5_000)


def play(rules: RuleEngine, values: list[float], tag: int = 0) -> list[tuple[int, bool, int]]:
    """One value a second from the beginning: (rule, entered, second)."""
    found = []
    for second, value in enumerate(values):
        at = BEGIN + second * 1_000
        block = SampleBlock.of([tag], [at], [at], [value], [Quality.GOOD], [0])
        found += [(t.rule, t.entered, (t.source_time - BEGIN) // 1_000) for t in rules.evaluate(block)]
    return found


def test_the_same_times_count_again() -> None:
    rules = engine()
    assert play(rules, [50, 55, 85]) == [(0, True, 2), (2, True, 2)]
    assert play(rules, [50, 55, 85]) == []
    rules.begin_anew(np.array([0]))
    # The limit's condition is still in, and leaves with the first reading; the rate has nothing to compare with.
    assert play(rules, [50, 55, 85]) == [(0, False, 0), (0, True, 2)]


def test_other_tags_go_on() -> None:
    rules = engine()
    play(rules, [50, 85], tag=1)
    rules.begin_anew(np.array([0]))
    assert play(rules, [50, 85], tag=1) == []


def test_a_delay_under_way_begins_again() -> None:
    rules = engine()
    play(rules, [50, 10, 10, 10])
    rules.begin_anew(np.array([0]))
    assert play(rules, [10, 10, 10, 10, 10]) == []
    assert play(rules, [10, 10, 10, 10, 10, 10]) == [(1, True, 5)]
