"""Distance from a constant, from another tag, and from the tag's own moving median."""

import subprocess
import sys
from dataclasses import replace
from math import inf, nan

import numpy as np
import pytest

from domain.samples import SampleBlock
from domain.scales import Level, RuleKind
from domain.site import Reference, Rule, RuleExtra, RuleTable
from rules import medians
from rules.engine import RuleEngine, TagColumns
from tests.watched_tag import MIDNIGHT, seconds
from tests.watched_tags import BAD, GOOD, UNCERTAIN, WatchedTags, stale

FROM_FIFTY = Reference("constant", constant=50.0)
FROM_B = Reference("tag", tag=1)
FROM_MEDIAN = Reference("median", window=seconds(10))


def deviation(reference: Reference, setpoint: float, deadband: float = 0.0, side: str = "both", on: float = 0) -> Rule:
    extra = RuleExtra(side=side, reference=reference)
    return Rule(0, "DEV", RuleKind.DEVIATION, Level.H, setpoint, deadband, seconds(on), extra=extra)


@pytest.mark.parametrize(
    ("side", "value", "enters"),
    [
        ("both", 60, True),
        ("both", 40, True),
        ("both", 59.9, False),
        ("above", 60, True),
        ("above", 40, False),
        ("below", 60, False),
        ("below", 40, True),
        ("both", inf, True),
        ("below", -inf, True),
    ],
)
def test_from_a_constant(side: str, value: float, enters: bool) -> None:  # noqa: FBT001 - a table's column
    unit = WatchedTags(deviation(FROM_FIFTY, 10, side=side))
    assert unit.reads(1, A=value) == (["DEV entered at 1 s"] if enters else [])
    if enters:
        assert unit.last[0].value == value - 50
        assert unit.last[0].inputs == ()


def test_it_leaves_behind_the_deadband() -> None:
    unit = WatchedTags(deviation(FROM_FIFTY, 10, deadband=2))
    unit.reads(1, A=65)
    assert unit.reads(2, A=42) == [], "at 8 it is still inside the deadband"
    assert unit.reads(3, A=57.9) == ["DEV left at 3 s"]


def test_bad_holds_and_uncertain_may_only_raise() -> None:
    unit = WatchedTags(deviation(FROM_FIFTY, 10))
    assert unit.reads(1, UNCERTAIN, A=65) == ["DEV entered at 1 s"]
    assert unit.reads(2, UNCERTAIN, A=50) == []
    assert unit.reads(3, BAD, A=50) == []
    assert unit.reads(4, A=50) == ["DEV left at 4 s"]


def test_from_another_tag_either_may_bring_it() -> None:
    unit = WatchedTags(deviation(FROM_B, 10))
    assert unit.reads(1, A=70) == [], "nothing to compare with"
    assert unit.reads(2, B=65) == []
    assert unit.reads(3, B=55) == ["DEV entered at 3 s"]
    assert (unit.last[0].value, unit.inputs()) == (15.0, [{"A": 70.0, "B": 55.0}])
    assert unit.reads(4, BAD, B=nan) == []
    assert unit.reads(5, A=55) == [], "while the reference is bad nothing is said"
    assert unit.reads(6, B=55) == ["DEV left at 6 s"]


def test_a_stale_reference_says_nothing() -> None:
    unit = WatchedTags(deviation(FROM_B, 10), stale("B", 3))
    unit.reads(1, A=50, B=50)
    unit.waits_until(5)
    assert unit.reads(6, A=90) == []
    assert unit.reads(7, B=50) == ["DEV entered at 7 s", "B-STALE left at 7 s"]


def test_from_the_own_median_a_step_stands_out_until_it_is_the_usual() -> None:
    unit = WatchedTags(deviation(FROM_MEDIAN, 10))
    for second in range(8):
        assert unit.reads(second, A=50) == []
    assert unit.reads(8, A=65) == ["DEV entered at 8 s"]
    assert unit.last[0].value == 15.0
    said = [unit.reads(second, A=65) for second in range(9, 16)]
    assert [each for each in said if each] == [["DEV left at 13 s"]], "five of 50 and five of 65: 57.5"


def test_a_median_of_fewer_than_three_says_nothing() -> None:
    unit = WatchedTags(deviation(FROM_MEDIAN, 10))
    assert [unit.reads(second, A=value) for second, value in ((1, 0), (2, 0), (3, 90))] == [[], [], []]
    assert unit.reads(4, A=90) == ["DEV entered at 4 s"]


def test_what_is_not_good_makes_no_median() -> None:
    unit = WatchedTags(deviation(FROM_MEDIAN, 10))
    for second in range(3):
        unit.reads(second, A=50)
    for second in range(3, 9):
        unit.reads(second, UNCERTAIN, A=90)
    assert unit.is_in() == ["DEV"]
    assert unit.reads(9, A=90) == []
    assert unit.reads(9.5, A=50) == ["DEV left at 9.5 s"]


def test_readings_are_kept_for_the_earliest_that_asks_for_them() -> None:
    unit = WatchedTags(deviation(FROM_MEDIAN, 10))
    for quarter in range(32):
        unit.reads(quarter / 4, A=50)
    later = [MIDNIGHT + seconds(8), MIDNIGHT + seconds(17.9)]
    found = unit.engine.evaluate(SampleBlock.of([0, 0], later, later, [65, 50], [UNCERTAIN, GOOD], [0, 0]))
    assert [(t.entered, t.value) for t in found] == [(True, 15.0)]


def test_what_medians_of_many_readings_need_is_loaded_before_the_first_of_them() -> None:
    """It takes a third of a second, in which no alarm would be told."""
    said = """
import sys
import numpy as np
from domain.scales import Level, RuleKind
from domain.site import Reference, Rule, RuleExtra, RuleTable
from rules.medians import MedianDeviations
for rules in ((), (Rule(0, "D", RuleKind.DEVIATION, Level.H, 1.0, extra=RuleExtra(reference=Reference("median"))),)):
    MedianDeviations(RuleTable.build(rules, 1), np.array([1_000]))
    print("scipy.ndimage" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


@pytest.mark.parametrize("window", [30, 3_000])
def test_medians_of_uneven_stretches_are_those_of_each_by_itself(window: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(medians, "AT_ONCE", 1_000)
    random = np.random.default_rng(1)
    time = np.cumsum(random.integers(1, 200, 2_000))
    value = random.choice([1.7e308, -1.7e308, -0.0, *random.normal(size=50)], len(time))
    end = np.arange(len(time))
    first = np.minimum(np.searchsorted(time, time - window), end)
    found = medians.rolling_medians(value, first, end)
    for index in range(len(time)):
        own = np.sort(value[first[index] : end[index]])
        half = len(own) // 2
        expected = nan if len(own) < 3 else own[half] if len(own) % 2 else own[half - 1] / 2 + own[half] / 2
        np.testing.assert_equal(found[index], expected)


def test_a_large_block_of_several_tags_is_looked_at_tag_by_tag(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = [replace(deviation(FROM_MEDIAN, 5), tag=tag) for tag in (0, 1)]
    engines = [
        RuleEngine(RuleTable.build(rules, 2), TagColumns(np.full(2, 100), np.zeros(2, bool)), 0, 0) for _ in "ab"
    ]
    random, count = np.random.default_rng(2), 2_000
    time = MIDNIGHT + np.cumsum(random.integers(1, 200, count))
    tag, value = random.integers(0, 2, count).astype(np.int32), random.normal(10, 3, count)
    good, none = np.full(count, 192, dtype=np.uint8), np.zeros(count, dtype=np.uint8)
    whole = SampleBlock(tag, time, time, value, good, none)
    at_once = engines[0].evaluate(whole)
    one_by_one = [found for at in range(count) for found in engines[1].evaluate(whole.take(slice(at, at + 1)))]
    assert at_once == one_by_one
    assert len(at_once) > 20
    monkeypatch.setattr(medians.MedianDeviations, "_run", lambda *_: 1 // 0)
    engines[0].evaluate(SampleBlock(tag, time + 10**6, time + 10**6, value, good, none))
