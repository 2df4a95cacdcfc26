"""Which samples count: duplicates, stragglers, late ones, and clocks that are wrong. Told as stories of one tag."""

import numpy as np

from domain.samples import SampleBlock
from domain.scales import Quality
from rules.arrivals import Arrivals
from tests.watched_tag import MIDNIGHT, WatchedTag, high, rise, seconds

GOOD = Quality.GOOD


def test_a_reading_delivered_twice_counts_once() -> None:
    tag = WatchedTag(high("H", 80))
    assert tag.reads(1, 85) == ["H entered at 1 s"]
    assert tag.reads(2, 70) == ["H left at 2 s"]
    assert tag.reads(1, 85, received=3) == []
    assert tag.reads(2, 85, received=3) == []
    assert tag.engine.latest.value[0] == 70


def test_an_older_reading_does_not_undo_a_newer_one() -> None:
    tag = WatchedTag(high("H", 80))
    tag.reads(10, 85)
    assert tag.reads(9, 20, received=11) == []
    assert tag.is_in() == ["H"]


def test_inside_one_block_stragglers_are_passed_over_too() -> None:
    tag = WatchedTag(high("H", 80))
    story = tag.reads_together(
        [(5, 85, GOOD), (3, 10, GOOD), (4, 10, GOOD), (5, 10, GOOD), (6, 86, GOOD), (5.5, 10, GOOD)]
    )
    assert story == ["H entered at 5 s"]
    assert tag.engine.latest.source_time[0] == MIDNIGHT + seconds(6)


def test_a_block_of_nothing_but_stragglers_changes_nothing() -> None:
    tag = WatchedTag(high("H", 80))
    tag.reads(10, 50)
    assert tag.reads_together([(8, 85, GOOD), (9, 85, GOOD)], received=11) == []
    assert tag.engine.latest.value[0] == 50


def test_a_clock_far_ahead_counts_as_the_tolerance_ahead() -> None:
    """Five seconds are tolerated; the story's times are the gateway's own."""
    tag = WatchedTag(high("H", 80))
    assert tag.reads(70, 85, received=10) == ["H entered at 15 s"]
    assert tag.engine.latest.source_time[0] == MIDNIGHT + seconds(70)


def test_a_clock_that_is_set_back_blinds_the_rules_for_no_longer_than_the_tolerance() -> None:
    tag = WatchedTag(high("H", 80))
    tag.reads(70, 50, received=10)
    assert tag.reads(11, 85, received=11) == []
    assert tag.reads(15, 85, received=15) == []
    assert tag.reads(16, 85, received=16) == ["H entered at 16 s"]


def test_readings_held_back_to_the_same_instant_still_come_one_after_the_other() -> None:
    tag = WatchedTag(high("H", 80))
    story = tag.reads_together([(60, 85, GOOD), (61, 20, GOOD), (62, 90, GOOD)], received=10)
    assert story == ["H entered at 15 s", "H left at 15 s", "H entered at 15 s"]
    assert [t.value for t in tag.last] == [85, 20, 90]


def test_of_readings_held_back_to_the_same_instant_an_older_or_repeated_one_does_not_count() -> None:
    tag = WatchedTag(high("H", 80))
    story = tag.reads_together([(61, 85, GOOD), (61, 20, GOOD), (60, 20, GOOD)], received=10)
    assert story == ["H entered at 15 s"]
    assert tag.reads(61, 20, received=10) == []
    assert tag.reads(62, 20, received=10) == ["H left at 15 s"]


def test_a_clock_that_is_set_back_but_still_ahead_brings_no_older_reading_back() -> None:
    tag = WatchedTag(high("H", 80))
    tag.reads(62, 50, received=10)
    assert tag.reads(40, 85, received=20) == ["H entered at 25 s"]
    assert tag.reads(50, 20, received=20) == []
    assert tag.reads(62, 20, received=20) == []
    assert tag.reads(63, 20, received=20) == ["H left at 25 s"]


def test_what_begins_anew_forgets_how_far_ahead_its_clock_was() -> None:
    tag = WatchedTag(high("H", 80))
    tag.reads(70, 50, received=10)
    tag.engine.begin_anew(np.array([0]))
    assert tag.reads_together([(60, 85, GOOD), (61, 20, GOOD)], received=10) == ["H entered at 15 s", "H left at 15 s"]


def test_a_change_in_no_time_has_no_rate() -> None:
    tag = WatchedTag(rise(1, window=10))
    assert tag.reads_together([(60, 0, GOOD), (61, 500, GOOD)], received=10) == []


def test_recorded_times_are_taken_as_they_are() -> None:
    tag = WatchedTag(high("H", 80), live_clock=False)
    assert tag.reads(1_000_000, 85, received=10) == ["H entered at 1e+06 s"]
    assert tag.reads(999_999, 20, received=11) == []


def test_late_samples_are_split_off_at_more_than_the_lateness() -> None:
    tag = WatchedTag(high("H", 80))
    at = MIDNIGHT + seconds(600)
    block = SampleBlock.of([0, 0, 0], [at, MIDNIGHT, MIDNIGHT - 1], [at] * 3, [1.0, 2.0, 3.0], [GOOD] * 3, [0] * 3)
    live, late = tag.engine.split_late(block)
    assert live.value.tolist() == [1, 2]
    assert late.value.tolist() == [3]
    live, late = tag.engine.split_late(live)
    assert (len(live), len(late)) == (2, 0)


def test_recorded_times_are_never_late() -> None:
    tag = WatchedTag(high("H", 80), live_clock=False)
    block = SampleBlock.of([0], [1], [MIDNIGHT], [1.0], [GOOD], [0])
    assert [len(part) for part in tag.engine.split_late(block)] == [1, 0]


def test_when_the_service_clock_is_set_back_what_a_rule_did_stays_in_order() -> None:
    tag = WatchedTag(high("H", 80))
    block = SampleBlock.of(
        [0, 0, 0],
        [MIDNIGHT + 1, MIDNIGHT + 2, MIDNIGHT + 3],
        [MIDNIGHT + 500, MIDNIGHT + 100, MIDNIGHT + 200],
        [85.0, 20.0, 90.0],
        [GOOD] * 3,
        [0] * 3,
    )
    found = tag.engine.evaluate(block)
    assert [(t.entered, t.received_time - MIDNIGHT) for t in found] == [(True, 500), (False, 100), (True, 200)]


def test_when_the_service_clock_is_set_back_new_readings_go_on_counting() -> None:
    """By five minutes: until the clock is there again their source times seem far ahead."""
    tag = WatchedTag(high("H", 80))
    tag.reads(1000, 50)
    assert tag.reads(1001, 85, received=701) == ["H entered at 1000 s"]
    assert tag.reads(1001, 20, received=702) == []
    assert tag.reads(1000, 20, received=702) == []
    assert tag.reads(1002, 20, received=702) == ["H left at 1000 s"]
    assert tag.reads(1400, 85, received=1400) == ["H entered at 1400 s"]


def test_more_than_a_million_tags_in_one_block_and_times_past_the_year_2200_stay_apart() -> None:
    """Sort keys hold 2**31 tags and samples a block; times are never part of one."""
    tags, year_2200 = 2**20 + 3, 7_258_118_400_000
    arrivals = Arrivals(np.zeros(tags, dtype=np.bool_), 0)
    count = tags + 2
    tag = np.append(np.arange(tags, dtype=np.int32)[::-1], np.array([tags - 1, 0], dtype=np.int32))
    source = np.full(count, year_2200)
    source[-2:] = [year_2200 - 1, year_2200 + 1]
    block = SampleBlock(
        tag,
        source,
        source,
        np.arange(count, dtype=np.float64),
        np.full(count, GOOD, dtype=np.uint8),
        np.zeros(count, dtype=np.uint8),
    )
    readings = arrivals.admit(block)
    assert readings is not None
    assert len(readings.tag) == count - 1
    assert readings.counts.tolist() == [2] + [1] * (tags - 1)
    assert arrivals.latest.value[[0, tags - 1]].tolist() == [count - 1, 0]
    assert arrivals.admit(block) is None
