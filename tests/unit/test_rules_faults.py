"""Bad quality and silence: alarms of their own, told as stories of one tag."""

import math

from domain.scales import Quality
from tests.watched_tag import MIDNIGHT, WatchedTag, bad, high, seconds, stale

UNCERTAIN, BAD = Quality.UNCERTAIN, Quality.BAD


def test_bad_quality_enters_at_once_and_leaves_with_the_first_good_reading() -> None:
    tag = WatchedTag(bad())
    assert tag.reads(1, math.nan, BAD) == ["BAD entered at 1 s"]
    assert math.isnan(tag.last[0].value)
    assert tag.reads(2, math.nan, BAD) == []
    assert tag.reads(3, 50) == ["BAD left at 3 s"]


def test_uncertain_quality_neither_raises_nor_clears_a_fault() -> None:
    tag = WatchedTag(bad())
    assert tag.reads(1, 50, UNCERTAIN) == []
    tag.reads(2, math.nan, BAD)
    assert tag.reads(3, 50, UNCERTAIN) == []
    assert tag.is_in() == ["BAD"]


def test_a_flicker_of_bad_quality_within_the_on_delay_is_forgiven() -> None:
    tag = WatchedTag(bad(on=5))
    tag.reads(1, math.nan, BAD)
    assert tag.reads(3, 50) == []
    tag.reads(4, math.nan, BAD)
    assert tag.reads(8, math.nan, BAD) == []
    assert tag.reads(9, math.nan, BAD) == ["BAD entered at 9 s"]


def test_a_sensor_that_fails_and_then_falls_silent_is_in_fault_after_the_on_delay() -> None:
    tag = WatchedTag(bad(on=5))
    tag.reads(1, math.nan, BAD)
    assert tag.waits_until(6) == ["BAD entered at 6 s"]


def test_a_dangerous_reading_then_a_fault_leaves_both_alarms_standing() -> None:
    tag = WatchedTag(high("H", 80), bad())
    tag.reads(1, 85)
    assert tag.reads(2, 0, BAD) == ["BAD entered at 2 s"]
    assert tag.is_in() == ["H", "BAD"]


def test_a_tag_is_stale_only_after_its_window_and_not_at_its_end() -> None:
    tag = WatchedTag(stale(3))
    tag.reads(1, 50)
    assert tag.waits_until(4) == []
    assert tag.waits_until(4.2) == ["STALE entered at 4 s"]
    entered = tag.last[0]
    assert entered.received_time == MIDNIGHT + seconds(4.2)
    assert math.isnan(entered.value)
    assert tag.waits_until(60) == []


def test_any_newer_reading_ends_silence_even_a_bad_one() -> None:
    tag = WatchedTag(stale(3), bad())
    tag.waits_until(10)
    assert tag.reads(11, math.nan, BAD, received=12) == ["STALE left at 12 s", "BAD entered at 11 s"]
    assert tag.is_in() == ["BAD"]


def test_the_first_of_several_readings_ends_silence() -> None:
    tag = WatchedTag(stale(3))
    tag.waits_until(10)
    assert tag.reads_together([(10, 50, Quality.GOOD), (11, 50, Quality.GOOD)], received=11.5) == [
        "STALE left at 11.5 s"
    ]


def test_a_device_that_repeats_an_old_reading_falls_silent() -> None:
    tag = WatchedTag(stale(3))
    tag.reads(1, 50)
    for second in (2, 3, 4):
        assert tag.reads(1, 50, received=second) == []
    assert tag.waits_until(4.1) == ["STALE entered at 4 s"]
    assert tag.reads(1, 50, received=5) == []
    assert tag.is_in() == ["STALE"]


def test_a_tag_never_heard_is_stale_one_window_after_the_start() -> None:
    tag = WatchedTag(stale(3))
    assert tag.waits_until(3) == []
    assert tag.waits_until(3.1) == ["STALE entered at 3 s"]


def test_while_the_service_is_cut_off_nothing_becomes_stale_and_waiting_begins_anew_after() -> None:
    tag = WatchedTag(stale(3))
    tag.reads(1, 50)
    assert tag.waits_until(60, cut_off=True) == []
    tag.engine.await_readings(MIDNIGHT + seconds(60))
    assert tag.waits_until(62.9) == []
    assert tag.waits_until(63.1) == ["STALE entered at 63 s"]


def test_two_rules_of_silence_on_one_tag_enter_one_after_the_other_and_leave_together() -> None:
    tag = WatchedTag(stale(3), stale(60, key="LOST"))
    tag.reads(1, 50)
    assert tag.waits_until(5) == ["STALE entered at 4 s"]
    assert tag.waits_until(90) == ["LOST entered at 61 s"]
    assert tag.reads(91, 50) == ["STALE left at 91 s", "LOST left at 91 s"]
    assert tag.waits_until(95) == ["STALE entered at 94 s"]


def test_when_the_service_clock_is_set_back_silence_is_noticed_within_a_minute() -> None:
    tag = WatchedTag(stale(3))
    tag.reads(7200, 50)
    assert tag.waits_until(7201) == []
    assert tag.waits_until(3600) == []
    tag.reads(7201, 50, received=3601)
    assert [event for second in range(3602, 3670) for event in tag.waits_until(second)] == ["STALE entered at 3604 s"]


def test_the_figures_in_the_documents() -> None:
    tag = WatchedTag(bad(on=5))
    qualities = [BAD if letter == "B" else Quality.GOOD for letter in "GGBGBBBBBBG"]
    story = [event for second, quality in enumerate(qualities) for event in tag.reads(second, 50, quality)]
    assert story == ["BAD entered at 9 s", "BAD left at 10 s"]

    tag = WatchedTag(stale(3))
    for second in (1, 2, 3, 4):
        tag.reads(second, 50)
    assert [event for tenth in range(41, 100) for event in tag.waits_until(tenth / 10)] == ["STALE entered at 7 s"]
    assert tag.reads(10, 50) == ["STALE left at 10 s"]
