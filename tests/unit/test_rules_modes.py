"""Limits that a mode of operation chooses."""

from datetime import datetime, timedelta, timezone
from math import nan

import pytest

from domain.scales import Level, RuleKind
from domain.site import ModeLimit, ModeSpan, Reference, Rule, RuleExtra, Selector
from tests.watched_tag import MIDNIGHT, seconds
from tests.watched_tags import BAD, WatchedTags, stale

BY_TAG = Selector("works/unit", 1, (("startup", 1, 1), ("stopped", 2, 3)))
"""B tells the mode."""
HOUR = 3_600_000


def limited(kind: RuleKind = RuleKind.HIGH, *, on: float = 0, **modes: float | None) -> Rule:
    """A limit of 80, or of other values in some modes."""
    extra = RuleExtra(selector=0, modes=tuple(ModeLimit(mode, setpoint) for mode, setpoint in modes.items()))
    return Rule(0, "H", kind, Level.H, 80.0, 2.0, seconds(on), extra=extra)


def test_a_mode_tag_chooses_the_limit_of_what_comes_after_it() -> None:
    unit = WatchedTags(limited(startup=120), selectors=[BY_TAG])
    assert unit.reads(1, A=90) == ["H entered at 1 s"], "the mode is not known: the rule's own limit"
    assert unit.reads(2, A=90, B=1) == []
    assert unit.is_in() == ["H"], "a mode says nothing by itself"
    assert unit.reads(3, A=90) == ["H left at 3 s"]
    assert unit.reads(4, A=120) == ["H entered at 4 s"]
    assert unit.reads(5, A=118) == [], "the rule's deadband holds in a mode that gives none"
    assert unit.reads(6, B=7, A=100) == [], "no mode has 7: the limit is 80 again"
    assert unit.reads(7, A=77) == ["H left at 7 s"]


def test_a_mode_that_changes_within_a_block_changes_what_follows_it() -> None:
    unit = WatchedTags(limited(startup=120), limited_c(), selectors=[BY_TAG])
    assert unit.reads(1, C=90, B=1, A=90) == ["C entered at 1 s"]
    assert unit.reads(2, A=90, B=0, C=90) == []
    assert unit.reads(3, B=1, A=70, C=70) == ["C left at 3 s"]


def limited_c() -> Rule:
    """The same of C."""
    extra = RuleExtra(selector=0, modes=(ModeLimit("startup", 120.0),))
    return Rule(2, "C", RuleKind.HIGH, Level.H, 80.0, extra=extra)


def test_a_mode_without_the_limit_lets_it_leave_with_the_next_good_reading() -> None:
    unit = WatchedTags(limited(stopped=None), selectors=[BY_TAG])
    unit.reads(1, A=90)
    unit.reads(2, B=2)
    assert unit.reads(3, BAD, A=nan) == []
    assert unit.reads(4, A=1e9) == ["H left at 4 s"]
    assert unit.reads(5, A=float("inf")) == []
    unit.reads(6, B=0)
    assert unit.reads(7, A=90) == ["H entered at 7 s"]


@pytest.mark.parametrize("fault", ["bad", "stale"])
def test_a_mode_tag_in_fault_leaves_the_rule_its_own_limit(fault: str) -> None:
    unit = WatchedTags(limited(stopped=None), stale("B", 3), selectors=[BY_TAG])
    unit.reads(1, B=2, A=90)
    assert unit.is_in() == []
    if fault == "bad":
        unit.reads(2, BAD, B=nan)
    else:
        unit.waits_until(10)
    assert unit.reads(11, A=90)[-1:] == ["H entered at 11 s"]


def test_an_on_delay_begins_anew_only_where_the_new_limit_says_otherwise() -> None:
    unit = WatchedTags(limited(startup=120, on=10), selectors=[BY_TAG])
    unit.reads(1, A=130)
    unit.reads(5, B=1)
    assert unit.reads(11, A=130) == ["H entered at 11 s"], "130 is beyond both limits"
    unit.reads(12, A=10)
    unit.reads(13, B=0)
    unit.reads(14, A=90)
    unit.reads(20, B=1)
    assert unit.waits_until(60) == [], "90 is not beyond 120"


@pytest.mark.parametrize(
    ("rule", "calm", "wild"),
    [
        (limited(RuleKind.LOW, startup=20), 50, 20),
        (
            Rule(
                0,
                "H",
                RuleKind.DEVIATION,
                Level.H,
                10,
                extra=RuleExtra(
                    reference=Reference("constant", 50), selector=0, modes=(ModeLimit("startup", 40.0, 1.0),)
                ),
            ),
            80,
            90,
        ),
    ],
)
def test_other_kinds_have_modes_too(rule: Rule, calm: float, wild: float) -> None:
    unit = WatchedTags(rule, selectors=[BY_TAG])
    assert unit.reads(1, A=calm) == ["H entered at 1 s"]
    unit.reads(2, B=1)
    assert unit.reads(3, A=calm) == ["H left at 3 s"]
    assert unit.reads(4, A=wild) == ["H entered at 4 s"]


def at(weekday: int, hour: float) -> float:
    """Second of a story at which it is so late in Shanghai; Monday is 0."""
    shanghai = timezone(timedelta(hours=8))
    local = datetime.fromtimestamp(MIDNIGHT / 1000, shanghai)
    days = (weekday - local.weekday()) % 7
    return days * 86_400 + (hour - local.hour - local.minute / 60) * 3_600


@pytest.mark.parametrize(
    ("weekday", "hour", "mode"),
    [
        (1, 8, "day"),
        (1, 19.99, "day"),
        (1, 20, "night"),
        (2, 3, "night"),
        (2, 7.99, "night"),
        (5, 12, None),
        (5, 7, "night"),
        (6, 1, None),
    ],
)
def test_a_schedule_goes_by_the_clock_in_shanghai(weekday: int, hour: float, mode: str | None) -> None:
    working = (0, 1, 2, 3, 4)
    schedule = (ModeSpan("day", working, 8 * HOUR, 20 * HOUR), ModeSpan("night", working, 20 * HOUR, 8 * HOUR))
    unit = WatchedTags(limited(night=60), selectors=[Selector("works/unit", schedule=schedule)])
    second = at(weekday, hour) + 7 * 86_400
    unit.waits_until(second)
    assert unit.engine.modes == [mode]
    assert unit.reads(second + 1, A=70) == ([f"H entered at {second + 1:g} s"] if mode == "night" else [])


def test_a_schedule_holds_for_readings_by_the_time_they_were_received() -> None:
    schedule = (ModeSpan("night", (), 20 * HOUR, 8 * HOUR),)
    unit = WatchedTags(limited(night=60), selectors=[Selector("works/unit", schedule=schedule)])
    evening = at(1, 20) + 7 * 86_400
    assert unit.reads(evening - 1, A=70) == []
    assert unit.reads(evening, A=70) == [f"H entered at {evening:g} s"]
