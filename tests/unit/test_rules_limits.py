"""High and low limits with deadband and delays, told as stories of one tag."""

import math

import pytest

from domain.scales import Quality
from tests.watched_tag import MIDNIGHT, WatchedTag, high, low, seconds

GOOD, UNCERTAIN, BAD = Quality.GOOD, Quality.UNCERTAIN, Quality.BAD


def test_a_high_limit_enters_at_the_limit_itself_and_not_just_below() -> None:
    tag = WatchedTag(high("H", 80))
    assert tag.reads(1, math.nextafter(80, 0)) == []
    assert tag.reads(2, 80) == ["H entered at 2 s"]
    assert tag.last[0].value == 80
    assert tag.reads(3, 81) == []


def test_a_high_limit_leaves_below_the_deadband_and_not_at_its_end() -> None:
    tag = WatchedTag(high("H", 80, deadband=2))
    tag.reads(1, 80)
    assert tag.reads(2, 79) == []
    assert tag.reads(3, 78) == []
    assert tag.reads(4, math.nextafter(78, 0)) == ["H left at 4 s"]


def test_without_a_deadband_the_limit_itself_still_holds() -> None:
    tag = WatchedTag(high("H", 80))
    tag.reads(1, 80)
    assert tag.reads(2, 80) == []
    assert tag.reads(3, math.nextafter(80, 0)) == ["H left at 3 s"]


def test_a_low_limit_mirrors_the_high_one() -> None:
    tag = WatchedTag(low("L", 20, deadband=2))
    assert tag.reads(1, math.nextafter(20, 30)) == []
    assert tag.reads(2, 20) == ["L entered at 2 s"]
    assert tag.reads(3, 22) == []
    assert tag.reads(4, math.nextafter(22, 30)) == ["L left at 4 s"]


def test_a_jump_past_both_limits_enters_both_and_they_leave_one_by_one() -> None:
    tag = WatchedTag(high("H", 80, deadband=1), high("HH", 90, deadband=1))
    assert tag.reads(1, 95) == ["H entered at 1 s", "HH entered at 1 s"]
    assert tag.reads(2, 85) == ["HH left at 2 s"]
    assert tag.is_in() == ["H"]
    assert tag.reads(3, 70) == ["H left at 3 s"]


def test_a_swing_from_one_end_to_the_other_leaves_high_and_enters_low_at_once() -> None:
    tag = WatchedTag(low("L", 20), high("H", 80))
    tag.reads(1, 85)
    assert tag.reads(2, 15) == ["L entered at 2 s", "H left at 2 s"]


def test_an_on_delay_is_over_at_its_end_and_not_before() -> None:
    tag = WatchedTag(high("H", 80, on=3))
    for second in (1, 2, 3):
        assert tag.reads(second, 85) == []
    assert tag.reads(4, 86) == ["H entered at 4 s"]
    assert tag.last[0].value == 86


def test_a_peak_shorter_than_the_on_delay_raises_nothing() -> None:
    tag = WatchedTag(high("H", 80, deadband=2, on=3))
    tag.reads(1, 85)
    assert tag.reads(3, 70) == []
    assert tag.reads(5, 85) == []
    assert tag.reads(7, 85) == []
    assert tag.reads(8, 85) == ["H entered at 8 s"]


def test_a_value_that_dips_into_the_deadband_begins_the_on_delay_anew() -> None:
    tag = WatchedTag(high("H", 80, deadband=2, on=3))
    tag.reads(1, 85)
    assert tag.reads(3, 79) == []
    assert tag.reads(4, 85) == []
    assert tag.reads(6, 85) == []
    assert tag.reads(7, 85) == ["H entered at 7 s"]


def test_a_reading_that_ends_the_run_at_the_very_end_of_the_on_delay_prevents_it() -> None:
    tag = WatchedTag(high("H", 80, on=3))
    tag.reads(1, 85)
    assert tag.reads(4, 70) == []


def test_the_value_is_held_between_readings_so_the_on_delay_ends_before_a_later_return() -> None:
    tag = WatchedTag(high("H", 80, on=3))
    tag.reads(1, 85)
    assert tag.reads(9, 70) == ["H entered at 4 s", "H left at 9 s"]
    entered = tag.last[0]
    assert (entered.value, entered.received_time) == (85, MIDNIGHT + seconds(9))


def test_an_off_delay_must_pass_below_the_deadband_without_a_break() -> None:
    tag = WatchedTag(high("H", 80, deadband=2, off=10))
    tag.reads(1, 85)
    assert tag.reads(5, 70) == []
    assert tag.reads(14, 79) == []
    assert tag.reads(20, 70) == []
    assert tag.reads(29, 70) == []
    assert tag.reads(31, 70) == ["H left at 30 s"]


def test_silence_never_clears_an_alarm_even_after_its_off_delay() -> None:
    tag = WatchedTag(high("H", 80, off=10))
    tag.reads(1, 85)
    tag.reads(2, 70)
    assert tag.waits_until(3600) == []
    assert tag.is_in() == ["H"]
    assert tag.reads(3601, 70) == ["H left at 12 s"]


def test_silence_lets_an_on_delay_end_by_the_service_clock() -> None:
    tag = WatchedTag(high("H", 80, on=10))
    tag.reads(1, 85)
    assert tag.waits_until(10.9) == []
    assert tag.waits_until(11) == ["H entered at 11 s"]
    assert tag.last[0].value == 85
    assert tag.waits_until(12) == []
    assert tag.reads(13, 86) == []
    assert tag.reads(14, 70) == ["H left at 14 s"]


def test_a_reading_that_is_due_just_now_is_awaited_before_silence_counts() -> None:
    tag = WatchedTag(high("H", 80, on=3))
    for second in (1, 2, 3.5):
        tag.reads(second, 85)
    assert tag.waits_until(4.2) == []
    assert tag.reads(4.0, 70, received=4.3) == []
    assert tag.is_in() == []


def test_a_tag_that_reports_every_ten_minutes_is_awaited_for_two_seconds_only() -> None:
    tag = WatchedTag(high("H", 80, on=3), period=600)
    tag.reads(1, 85)
    assert tag.waits_until(3.9) == []
    assert tag.waits_until(4) == ["H entered at 4 s"]


def test_several_readings_of_one_tag_in_one_block_are_all_seen() -> None:
    tag = WatchedTag(high("H", 80))
    story = tag.reads_together([(1, 85, GOOD), (2, 70, GOOD), (3, 86, GOOD), (4, 87, GOOD), (5, 60, GOOD)])
    assert story == ["H entered at 1 s", "H left at 2 s", "H entered at 3 s", "H left at 5 s"]


@pytest.mark.parametrize("value", [70.0, 20.0, math.nan, 9999.9999])
def test_bad_quality_holds_the_condition_whatever_the_value(value: float) -> None:
    tag = WatchedTag(high("H", 80))
    tag.reads(1, 85)
    assert tag.reads(2, value, BAD) == []
    assert tag.is_in() == ["H"]
    assert tag.reads(3, 70) == ["H left at 3 s"]
    assert tag.reads(4, 9999.9999, BAD) == []


def test_bad_quality_neither_breaks_nor_shortens_an_on_delay() -> None:
    tag = WatchedTag(high("H", 80, on=4))
    tag.reads(1, 85)
    assert tag.reads(3, 0, BAD) == []
    assert tag.reads(5, 85) == ["H entered at 5 s"]


def test_uncertain_quality_may_raise_but_not_clear() -> None:
    tag = WatchedTag(high("H", 80))
    assert tag.reads(1, 120, UNCERTAIN) == ["H entered at 1 s"]
    assert tag.reads(2, 40, UNCERTAIN) == []
    assert tag.reads(3, 40) == ["H left at 3 s"]


def test_no_number_says_nothing_even_if_its_quality_claims_good() -> None:
    tag = WatchedTag(high("H", 80, on=4))
    tag.reads(1, 85)
    assert tag.reads(2, math.nan) == []
    assert tag.reads(5, 85) == ["H entered at 5 s"]
    assert tag.reads(6, math.nan) == []


def test_infinite_values_are_beyond_every_limit() -> None:
    tag = WatchedTag(low("L", 20), high("H", 80))
    assert tag.reads(1, math.inf) == ["H entered at 1 s"]
    assert tag.reads(2, -math.inf) == ["L entered at 2 s", "H left at 2 s"]


def test_two_limits_of_one_level_are_two_conditions() -> None:
    tag = WatchedTag(high("H", 80), high("CH4-2", 85))
    assert tag.reads(1, 82) == ["H entered at 1 s"]
    assert tag.reads(2, 86) == ["CH4-2 entered at 2 s"]


def test_the_figure_in_the_documents() -> None:
    tag = WatchedTag(high("H", 80, deadband=2, on=3, off=4))
    values = [70, 80, 80, 70, 86, 86, 86, 80, 80, 79, 70, 70, 70, 70, 70]
    story = [event for second, value in enumerate(values) for event in tag.reads(second, value)]
    assert story == ["H entered at 7 s", "H left at 14 s"]
