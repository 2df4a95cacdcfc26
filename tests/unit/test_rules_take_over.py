"""A new engine goes on where the old one was: what is new in it, and what it must not believe."""

import numpy as np

from domain.scales import Level, RuleKind
from domain.site import ModeLimit, Rule, RuleExtra, Selector
from tests.watched_tags import BAD, UNCERTAIN, WatchedTags, expression, stale, vote

SAME_TAGS = np.arange(4)


def taken_over(old: WatchedTags, *rules: Rule, selectors: tuple[Selector, ...] = ()) -> WatchedTags:
    """A unit with other rules; those that are the same go on."""
    new = WatchedTags(*rules, selectors=selectors)
    known = [new.rules.row(row) for row in range(len(new.rules))]
    rows = [known.index(rule) if rule in known else -1 for rule in map(old.rules.row, range(len(old.rules)))]
    new.engine.take_over(old.engine, SAME_TAGS, np.array(rows, dtype=np.int64))
    return new


def high(name: int, key: str, setpoint: float, on_delay: int = 0) -> Rule:
    return Rule(name, key, RuleKind.HIGH, Level.H, setpoint, on_delay=on_delay)


def test_an_on_delay_that_is_under_way_runs_on() -> None:
    rule = high(0, "H", 80, on_delay=10_000)
    old = WatchedTags(rule, high(1, "OTHER", 5))
    old.reads(1, A=90)
    new = taken_over(old, rule)
    assert new.waits_until(11) == ["H entered at 11 s"]


def test_a_changed_rule_begins_out() -> None:
    old = WatchedTags(high(0, "H", 80))
    old.reads(1, A=90)
    new = taken_over(old, high(0, "H", 85))
    assert new.is_in() == []
    assert new.reads(2, A=90) == ["H entered at 2 s"]


def test_what_was_seen_is_seen_no_second_time() -> None:
    old = WatchedTags(high(0, "H", 80))
    old.reads(5, A=90)
    new = taken_over(old, high(0, "H", 70))
    assert new.reads(5, A=90) == []
    assert new.engine.latest.value[0] == 90


def test_a_new_vote_knows_what_its_tags_said_last() -> None:
    old = WatchedTags(stale("C", 3))
    old.reads(1, A=25, B=5, C=5)
    old.waits_until(10)
    new = taken_over(old, stale("C", 3), vote(2, 20))
    assert new.reads(11, B=25) == ["VOTE entered at 11 s"]
    assert [{**found, "C": None} for found in new.inputs()] == [{"A": 25.0, "B": 25.0, "C": None}]
    assert new.reads(12, UNCERTAIN, A=5) == []
    assert new.reads(13, A=5) == [], "C is stale: B alone is enough"
    assert new.reads(14, B=5) == ["VOTE left at 14 s"]


def test_a_new_expression_knows_what_its_tags_said_last() -> None:
    old = WatchedTags()
    old.reads(1, A=95, B=5)
    old.reads(2, BAD, B=95)
    new = taken_over(old, expression("A > 90 and B > 90"))
    assert new.reads(3, A=96) == [], "B was bad"
    assert new.reads(4, B=95) == ["EXPRESSION entered at 4 s"]


def test_a_new_tag_is_awaited_from_now_on() -> None:
    old = WatchedTags(stale("A", 3))
    old.waits_until(3)
    old.reads(3, A=5)
    new = WatchedTags(stale("A", 3), stale("B", 3))
    new.engine.take_over(old.engine, np.array([0, -1, -1, -1]), np.array([0]))
    assert new.waits_until(5.9) == []
    assert new.waits_until(6.1) == ["A-STALE entered at 6 s", "B-STALE entered at 6 s"]


def test_a_mode_goes_on() -> None:
    extra = RuleExtra(selector=0, modes=(ModeLimit("startup", 120.0),))
    rule = Rule(0, "H", RuleKind.HIGH, Level.H, 80.0, on_delay=5_000, extra=extra)
    selector = Selector("works/unit", 1, (("startup", 1, 1),))
    old = WatchedTags(rule, selectors=[selector])
    old.reads(1, B=1)
    old.reads(2, A=130)
    new = taken_over(old, rule, selectors=(selector,))
    assert new.engine.modes == ["startup"]
    assert new.waits_until(60) == ["H entered at 7 s"]


def test_an_instant_goes_on_and_a_recording_that_plays_again_takes_its_own_part_back() -> None:
    old = WatchedTags(expression("A > 90 and B > 90"))
    old.reads(3, B=95)
    old.reads(5, A=5)
    new = taken_over(old, expression("A > 90 and B > 90"))
    new.engine.begin_anew(np.array([0]))
    assert new.reads(1, A=95) == ["EXPRESSION entered at 3 s"]


def test_a_detector_that_dies_after_the_change_had_still_voted_before() -> None:
    rule = vote(1, 20, names="AB")
    old = WatchedTags(rule)
    old.reads(1, A=25, B=5)
    new = taken_over(old, rule)
    new.reads(2, BAD, A=25)
    assert new.reads(3, B=5) == []
    assert new.reads(4, A=5) == ["VOTE left at 4 s"]


def test_a_detector_that_was_never_heard_may_still_be_why_it_is_in() -> None:
    rules = (vote(1, 20, names="AB"), stale("A", 3))
    old = WatchedTags(*rules)
    old.engine.restore(np.array([old.rules.key.index("VOTE")]))
    new = taken_over(old, *rules)
    assert new.waits_until(10) == ["A-STALE entered at 3 s"]
    assert new.reads(11, B=5) == []
    assert new.reads(12, A=5) == ["A-STALE left at 12 s", "VOTE left at 12 s"]
