"""M of N tags: bad and silent ones never make it harder to enter, nor easier to leave."""

from math import inf, isnan, nan

import numpy as np

from tests.watched_tags import BAD, UNCERTAIN, WatchedTags, stale, vote


def test_two_of_three_enter_and_the_second_that_is_back_clears() -> None:
    unit = WatchedTags(vote(2, 20, deadband=1))
    assert unit.reads(1, A=5, B=5, C=5) == []
    assert unit.reads(2, A=25) == []
    assert unit.reads(3, B=20) == ["VOTE entered at 3 s"]
    assert (unit.last[0].value, unit.inputs()) == (2.0, [{"A": 25.0, "B": 20.0, "C": 5.0}])
    assert unit.reads(4, B=19) == [], "inside the deadband"
    assert unit.reads(5, B=18.9) == ["VOTE left at 5 s"]
    assert (unit.last[0].value, unit.inputs()) == (1.0, [{"A": 25.0, "B": 18.9, "C": 5.0}])


def test_one_fault_makes_one_of_the_other_two_enough() -> None:
    unit = WatchedTags(vote(2, 20))
    unit.reads(1, A=5, B=5, C=5)
    assert unit.reads(2, BAD, C=nan) == []
    assert unit.reads(3, A=25) == ["VOTE entered at 3 s"]
    assert isnan(unit.inputs()[0]["C"])
    assert unit.reads(4, A=5) == ["VOTE left at 4 s"]


def test_a_detector_that_dies_while_it_votes_does_not_clear() -> None:
    unit = WatchedTags(vote(1, 20, names="AB"))
    unit.reads(1, A=5, B=5)
    assert unit.reads(2, A=25) == ["VOTE entered at 2 s"]
    assert unit.reads(3, BAD, A=nan) == []
    assert unit.reads(4, B=5) == [], "what A saw nobody knows"
    assert unit.reads(5, A=5) == ["VOTE left at 5 s"]


def test_a_detector_that_died_while_it_was_well_holds_nothing() -> None:
    unit = WatchedTags(vote(1, 20, names="AB"))
    unit.reads(1, A=5, B=5)
    unit.reads(2, BAD, A=nan)
    assert unit.reads(3, B=25) == ["VOTE entered at 3 s"]
    assert unit.reads(4, B=5) == ["VOTE left at 4 s"]


def test_with_all_bad_it_holds() -> None:
    unit = WatchedTags(vote(2, 20))
    unit.reads(1, A=25, B=25, C=5)
    assert unit.is_in() == ["VOTE"]
    assert unit.reads(2, BAD, A=nan, B=nan, C=nan) == []
    assert unit.is_in() == ["VOTE"]


def test_a_fault_of_the_healthy_one_can_raise_at_once() -> None:
    unit = WatchedTags(vote(2, 20))
    unit.reads(1, A=25, B=5, C=5)
    assert unit.reads(2, BAD, B=nan) == ["VOTE entered at 2 s"]


def test_an_uncertain_reading_raises_and_clears_nothing() -> None:
    unit = WatchedTags(vote(2, 20))
    unit.reads(1, A=25, B=5, C=5)
    assert unit.reads(2, UNCERTAIN, B=inf) == ["VOTE entered at 2 s"]
    assert unit.reads(3, UNCERTAIN, B=5) == []
    assert unit.reads(4, C=5) == [], "B is not certainly back"
    assert unit.reads(5, B=5) == ["VOTE left at 5 s"]


def test_a_reading_that_is_not_good_shows_no_return() -> None:
    unit = WatchedTags(vote(2, 20, off=5))
    unit.reads(1, A=25, B=25, C=5)
    assert unit.reads(2, A=5) == []
    assert unit.reads(8, BAD, C=nan) == []
    assert unit.reads(9, UNCERTAIN, A=5) == []
    assert unit.is_in() == ["VOTE"]


def test_silence_of_one_makes_the_other_enough_as_time_passes() -> None:
    unit = WatchedTags(vote(2, 20), stale("A", 3), stale("B", 3), stale("C", 30))
    unit.reads(1, A=5, B=5, C=25)
    assert unit.waits_until(4) == []
    assert unit.waits_until(4.1) == ["A-STALE entered at 4 s", "B-STALE entered at 4 s", "VOTE entered at 1 s"]
    assert unit.last[-1].received_time > unit.last[-1].source_time
    assert (isnan(unit.inputs()[-1]["A"]), unit.inputs()[-1]["C"]) == (True, 25.0)
    assert unit.reads(5, A=5, B=5) == ["A-STALE left at 5 s", "B-STALE left at 5 s", "VOTE left at 5 s"]


def test_silence_never_clears() -> None:
    unit = WatchedTags(vote(1, 20, names="AB", off=2), stale("A", 3), stale("B", 3))
    unit.reads(1, A=25, B=5)
    unit.reads(2, A=5)
    assert unit.waits_until(60) == ["A-STALE entered at 5 s", "B-STALE entered at 4 s"]
    assert unit.is_in() == ["A-STALE", "B-STALE", "VOTE"]


def test_at_the_start_a_single_detector_is_not_yet_the_only_one() -> None:
    unit = WatchedTags(vote(2, 20), *(stale(name, 3) for name in "ABC"))
    assert unit.reads(1, A=25) == [], "B and C have had no time to speak"
    assert unit.reads(1.5, B=5, C=5) == []
    assert unit.waits_until(3) == []


def test_a_detector_that_never_speaks_is_missing_once_it_is_stale() -> None:
    unit = WatchedTags(vote(2, 20), *(stale(name, 3) for name in "ABC"))
    unit.reads(1, A=5)
    unit.reads(2, A=25, B=5)
    assert unit.waits_until(3.5) == ["C-STALE entered at 3 s", "VOTE entered at 2 s"]


def test_one_that_nobody_watches_for_silence_is_missing_from_the_start() -> None:
    unit = WatchedTags(vote(2, 20))
    assert unit.reads(1, A=25) == ["VOTE entered at 1 s"]


def test_the_delay_runs_through_a_fault() -> None:
    unit = WatchedTags(vote(2, 20, on=5))
    unit.reads(1, A=25, B=25, C=5)
    unit.reads(3, BAD, C=nan)
    assert unit.reads(6, A=25) == ["VOTE entered at 6 s"]


def test_the_delay_ends_without_a_reading() -> None:
    unit = WatchedTags(vote(2, 20, on=5))
    unit.reads(1, A=25, B=25, C=5)
    unit.reads(5.5, A=25)
    assert unit.waits_until(6.4) == [], "the next reading may come yet"
    assert unit.waits_until(6.5) == ["VOTE entered at 6 s"]
    assert unit.inputs() == [{"A": 25.0, "B": 25.0, "C": 5.0}]


def test_a_value_that_held_until_the_delay_was_over_has_entered_with_what_was_known_then() -> None:
    unit = WatchedTags(vote(2, 20, on=5))
    unit.reads(1, A=25, B=25, C=5)
    assert unit.reads(8, B=5) == ["VOTE entered at 6 s", "VOTE left at 8 s"]
    assert unit.inputs() == [{"A": 25.0, "B": 25.0, "C": 5.0}, {"A": 25.0, "B": 5.0, "C": 5.0}]


def test_after_a_restart_it_stays_in_until_those_that_may_vote_are_back() -> None:
    unit = WatchedTags(vote(2, 20), *(stale(name, 3) for name in "ABC"))
    unit.engine.restore(np.array([unit.rules.key.index("VOTE")]))
    assert unit.reads(1, A=5) == []
    assert unit.reads(2, B=5) == ["VOTE left at 2 s"], "C alone is not enough, whatever it says"


def test_readings_count_in_the_order_of_arrival() -> None:
    one, other = (WatchedTags(vote(2, 20, names="AB")) for _ in range(2))
    one.reads(1, A=25, B=5)
    other.reads(1, A=25, B=5)
    assert one.reads(2, A=5, B=25) == []
    assert other.reads(2, B=25, A=5) == ["VOTE entered at 2 s", "VOTE left at 2 s"]
