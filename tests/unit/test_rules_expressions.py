"""Expression rules in the engine: what is known decides, what is unknown holds."""

from math import nan

import numpy as np
import pytest

from domain.scales import Level, RuleKind
from domain.site import Rule, RuleExtra, RuleTable
from rules.engine import RuleEngine, TagColumns
from tests.watched_tags import BAD, UNCERTAIN, WatchedTags, expression, stale


def test_it_enters_and_leaves_with_any_of_its_tags() -> None:
    unit = WatchedTags(expression("A - B > 15 and C > 0.8"))
    assert unit.reads(1, A=40, B=20) == [], "C was never heard"
    assert unit.reads(2, C=1) == ["EXPRESSION entered at 2 s"]
    assert (unit.last[0].value, unit.inputs()) == (1.0, [{"A": 40.0, "B": 20.0, "C": 1.0}])
    assert unit.reads(3, B=30) == ["EXPRESSION left at 3 s"]
    assert unit.last[0].value == 0.0


def test_a_bad_tag_that_does_not_matter_keeps_nothing_back() -> None:
    unit = WatchedTags(expression("A > 90 or B > 90"))
    unit.reads(1, BAD, B=nan)
    assert unit.reads(2, A=95) == ["EXPRESSION entered at 2 s"]
    assert unit.reads(3, A=5) == [], "B might hold"
    assert unit.reads(4, B=5) == ["EXPRESSION left at 4 s"]


def test_an_uncertain_reading_raises_and_clears_nothing() -> None:
    unit = WatchedTags(expression("A > 90"))
    assert unit.reads(1, UNCERTAIN, A=95) == ["EXPRESSION entered at 1 s"]
    assert unit.reads(2, UNCERTAIN, A=5) == []
    assert unit.reads(3, A=5) == ["EXPRESSION left at 3 s"]


def test_a_reading_that_is_not_good_shows_no_return() -> None:
    unit = WatchedTags(expression("A > 90 and B > 90", off=5))
    unit.reads(1, A=95, B=95)
    assert unit.reads(2, A=5) == []
    assert unit.reads(8, BAD, B=nan) == []
    assert unit.reads(9, UNCERTAIN, B=5) == []
    assert unit.reads(10, A=5) == ["EXPRESSION left at 7 s"]


def test_what_has_become_stale_is_unknown() -> None:
    unit = WatchedTags(expression("A > 90 and B > 90"), stale("B", 3))
    unit.reads(1, A=5, B=95)
    unit.waits_until(10)
    assert unit.reads(11, A=95) == []
    assert unit.reads(12, B=95) == ["B-STALE left at 12 s", "EXPRESSION entered at 12 s"]


def test_silence_clears_nothing() -> None:
    unit = WatchedTags(expression("A > 90 and B > 90"), stale("A", 3), stale("B", 3))
    unit.reads(1, A=95, B=95)
    unit.waits_until(60)
    assert unit.is_in() == ["A-STALE", "B-STALE", "EXPRESSION"]


def test_an_on_delay_ends_by_time_and_counts_from_when_all_held() -> None:
    unit = WatchedTags(expression("A > 90 and B > 90", on=5))
    unit.reads(1, A=95)
    unit.reads(3, B=95)
    assert unit.waits_until(7) == []
    assert unit.waits_until(8) == ["EXPRESSION entered at 8 s"]


def test_the_instant_is_that_of_the_newest_input() -> None:
    unit = WatchedTags(expression("A > 90 and B > 90"))
    unit.reads(5, B=95)
    assert unit.reads(3, A=95) == ["EXPRESSION entered at 5 s"]


def test_an_expression_that_nobody_has_read_is_refused() -> None:
    extra = RuleExtra(expression="A > 1", inputs=(0,))
    rules = RuleTable.build([Rule(0, "X", RuleKind.EXPRESSION, Level.H, extra=extra)], 1)
    columns = TagColumns(np.array([1_000]), np.array([True]))
    with pytest.raises(KeyError):
        RuleEngine(rules, columns, 600_000, 5_000)
