"""A value that does not move."""

import numpy as np

from domain.scales import Level, RuleKind
from domain.site import Rule
from tests.watched_tag import seconds
from tests.watched_tags import BAD, UNCERTAIN, WatchedTags, stale


def stuck(band: float, window: float) -> Rule:
    return Rule(0, "STUCK", RuleKind.STUCK, Level.FAULT, band, window=seconds(window))


def test_it_enters_when_the_whole_window_lies_within_the_band_and_leaves_with_a_move() -> None:
    unit = WatchedTags(stuck(0.5, 10))
    assert unit.reads(0, A=7) == []
    assert [unit.reads(second, A=20.0 + second % 2 / 2) for second in range(1, 11)] == [[]] * 10
    assert unit.reads(11, A=20.25) == ["STUCK entered at 11 s"]
    assert unit.last[0].value == 0.5
    assert unit.reads(12, A=20.5) == []
    assert unit.reads(13, A=20.51) == ["STUCK left at 13 s"]
    assert unit.last[0].value > 0.5


def test_a_slow_drift_is_a_move() -> None:
    unit = WatchedTags(stuck(1.0, 10))
    assert [said for second in range(60) if (said := unit.reads(second, A=second * 0.11))] == []


def test_a_band_of_nothing_finds_the_very_same_value() -> None:
    unit = WatchedTags(stuck(0.0, 5))
    assert [said for second in range(20) if (said := unit.reads(second, A=3.0))] == [["STUCK entered at 5 s"]]


def test_the_beginning_of_the_window_must_be_known() -> None:
    unit = WatchedTags(stuck(1.0, 10))
    for second in range(10):
        assert unit.reads(second, A=5) == []
    assert unit.reads(10, A=5) == ["STUCK entered at 10 s"]


def test_bad_and_uncertain_readings_neither_prove_nor_break_it() -> None:
    unit = WatchedTags(stuck(1.0, 5))
    for second in range(5):
        unit.reads(second, A=5)
    assert unit.reads(5, BAD, A=90) == []
    assert unit.reads(6, UNCERTAIN, A=90) == []
    assert unit.reads(7, A=5) == ["STUCK entered at 7 s"]
    assert unit.reads(8, UNCERTAIN, A=90) == []


def test_silence_is_no_proof() -> None:
    unit = WatchedTags(stuck(1.0, 5), stale("A", 3))
    unit.reads(0, A=5)
    unit.waits_until(60)
    assert unit.reads(61, A=5) == ["A-STALE left at 61 s"]
    assert [unit.reads(61 + second, A=5) for second in range(1, 5)] == [[]] * 4
    assert unit.reads(66, A=5) == ["STUCK entered at 66 s"]


def test_after_a_restart_it_stays_in_until_it_moves() -> None:
    unit = WatchedTags(stuck(1.0, 60))
    unit.engine.restore(np.array([0]))
    assert [unit.reads(second, A=5) for second in range(5)] == [[]] * 5
    assert unit.reads(6, A=7) == ["STUCK left at 6 s"]
