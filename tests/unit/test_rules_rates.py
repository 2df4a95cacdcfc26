"""Rate of change over a window, told as stories of one tag; and the rings that readings are kept in."""

import math

import numpy as np
import pytest

from domain.scales import Quality
from rules.histories import LARGEST, SMALLEST, Histories
from tests.watched_tag import WatchedTag, fall, rise

BAD, UNCERTAIN = Quality.BAD, Quality.UNCERTAIN


def test_a_ramp_at_the_limit_enters_within_one_window() -> None:
    tag = WatchedTag(rise(2, window=10))
    story = [event for second in range(1, 40) for event in tag.reads(second, 50 + 2 * second)]
    assert story == ["RISE entered at 11 s"]
    assert tag.engine.latest.value[0] == 128


def test_a_ramp_just_below_the_limit_never_enters() -> None:
    tag = WatchedTag(rise(2, window=10))
    assert [event for second in range(1, 60) for event in tag.reads(second, 1.999 * second)] == []


def test_the_value_of_the_transition_is_the_rate_per_second() -> None:
    tag = WatchedTag(rise(2, window=10))
    tag.reads(1, 50)
    assert tag.reads(6, 75) == ["RISE entered at 6 s"]
    assert tag.last[0].value == 2.5


def test_noise_between_neighbouring_readings_is_no_rate() -> None:
    tag = WatchedTag(rise(2, window=10), fall(2, window=10))
    assert [event for second in range(1, 60) for event in tag.reads(second, 50 + 9 * (second % 2))] == []


def test_a_step_of_the_whole_change_enters_at_once() -> None:
    tag = WatchedTag(rise(2, window=10))
    tag.reads(1, 50)
    assert tag.reads(2, 69.9) == []
    assert tag.reads(3, 70) == ["RISE entered at 3 s"]


def test_a_slow_tag_is_compared_with_the_reading_before() -> None:
    """Readings a minute apart, and a window of ten seconds: the time between them counts."""
    tag = WatchedTag(rise(2, window=10), period=60)
    tag.reads(60, 50)
    assert tag.reads(120, 169) == []
    assert tag.reads(180, 289) == ["RISE entered at 180 s"]
    assert tag.last[0].value == 2


def test_fall_is_the_same_of_the_falling_value_and_its_rate_is_negative() -> None:
    tag = WatchedTag(rise(2, window=10), fall(2, window=10))
    tag.reads(1, 50)
    assert tag.reads(2, 30) == ["FALL entered at 2 s"]
    assert tag.last[0].value == -2


def test_a_rise_leaves_below_its_deadband() -> None:
    tag = WatchedTag(rise(2, window=10, deadband=0.5))
    tag.reads(0, 50)
    assert tag.reads(20, 90) == ["RISE entered at 20 s"]
    assert tag.reads(40, 120) == []
    assert tag.reads(60, 149.9) == ["RISE left at 60 s"]


def test_a_rise_must_last_for_its_on_delay() -> None:
    tag = WatchedTag(rise(2, window=10, on=5))
    readings = [event for second in range(1, 17) for event in tag.reads(second, 2 * second)]
    assert readings == ["RISE entered at 16 s"]


def test_only_good_readings_have_a_rate_and_serve_as_a_base() -> None:
    tag = WatchedTag(rise(2, window=10))
    tag.reads(1, 50)
    assert tag.reads(2, 500, BAD) == []
    assert tag.reads(3, 500, UNCERTAIN) == []
    assert tag.reads(4, math.inf) == []
    assert tag.reads(5, math.nan) == []
    assert tag.reads(6, 69) == []
    assert tag.reads(7, 70) == ["RISE entered at 7 s"]


def test_bad_readings_hold_a_rise() -> None:
    tag = WatchedTag(rise(2, window=10))
    tag.reads(1, 50)
    tag.reads(2, 80)
    assert tag.reads(60, 80, BAD) == []
    assert tag.is_in() == ["RISE"]


def test_the_first_window_after_a_start_clears_no_rise_that_was_in_before() -> None:
    """Its readings reach back too little: the rate that they show is less than the true one."""
    tag = WatchedTag(rise(2, window=10))
    tag.engine.restore(np.array([0]))
    assert [event for second in range(1, 11) for event in tag.reads(second, 3 * second)] == []
    assert tag.is_in() == ["RISE"]
    assert [event for second in range(11, 40) for event in tag.reads(second, 33)] == ["RISE left at 15 s"]


def test_the_first_reading_after_a_start_says_nothing_at_all() -> None:
    tag = WatchedTag(rise(0.5, window=10))
    tag.engine.restore(np.array([0]))
    assert tag.reads(1, 50) == []
    assert tag.reads(100, 50) == ["RISE left at 100 s"]


def test_a_fall_of_more_than_floating_point_holds_is_still_a_fall() -> None:
    tag = WatchedTag(fall(2, window=10))
    tag.reads(1, 1.7e308)
    assert tag.reads(2, -1.7e308) == ["FALL entered at 2 s"]
    assert tag.last[0].value == -math.inf


def test_a_rule_of_no_rise_at_all_is_in_while_the_value_stands_still() -> None:
    tag = WatchedTag(rise(0, window=10))
    tag.reads(1, 50)
    assert tag.reads(2, 50) == ["RISE entered at 2 s"]
    assert [event for second in range(3, 20) for event in tag.reads(second, 50 - second)] == ["RISE left at 11 s"]


class NaiveRing:
    """All readings of one ring, in lists."""

    def __init__(self) -> None:
        self.time: list[int] = []
        self.value: list[float] = []

    def base(self, number: int, since: int) -> tuple[int, int, float]:
        inside = [n for n in range(number) if self.time[n] >= since]
        found = inside[0] if inside else max(number - 1, 0)
        return found, self.time[found], self.value[found]


@pytest.mark.parametrize("expected", [0, 40, 10**9])
def test_rings_of_any_size_remember_their_window_whatever_comes(expected: int) -> None:
    random = np.random.default_rng(7)
    windows = np.array([50, 200, 1000, 5])
    histories = Histories(windows, np.full(4, expected))
    naive = [NaiveRing() for _ in windows]
    clock = np.full(4, 1_000)
    for _ in range(120):
        ring = np.flatnonzero(random.random(4) < 0.7)
        if not len(ring):
            continue
        counts = random.choice([1, 1, 1, 3, 20, 90], len(ring))
        begins = np.cumsum(counts) - counts
        owner = np.repeat(ring, counts)
        steps = random.choice([1, 1, 2, 30], len(owner))
        time = np.empty(len(owner), dtype=np.int64)
        for which in ring.tolist():
            mine = owner == which
            time[mine] = clock[which] + np.cumsum(steps[mine])
            clock[which] = time[mine][-1]
        value = random.normal(0, 1, len(owner))
        number = histories.append(ring, begins, counts, time, value)
        for which in ring.tolist():
            naive[which].time += time[owner == which].tolist()
            naive[which].value += value[owner == which].tolist()
        answers = histories.base(owner, number, time - windows[owner])
        for row, which in enumerate(owner.tolist()):
            base = naive[which].base(int(number[row]), int(time[row] - windows[which]))
            assert tuple(column[row] for column in answers) == base
        for which, spread in zip(ring.tolist(), histories.spread(ring).tolist(), strict=True):
            recent = [
                v
                for t, v in zip(naive[which].time, naive[which].value, strict=True)
                if t >= clock[which] - windows[which]
            ]
            assert spread >= max(recent) - min(recent)


def test_a_ring_that_is_read_as_expected_never_grows() -> None:
    window, period = 60_000, 1_000
    histories = Histories(np.array([window]), np.array([window // period + 2]))
    room = histories._capacity.copy()
    one, none = np.array([1]), np.array([0])
    for second in range(1, 1_000):
        histories.append(none, none, one, np.array([second * period]), np.array([0.0]))
    assert histories._capacity.tolist() == room.tolist() == [128]


def test_a_ring_grows_to_what_its_window_holds_and_no_further() -> None:
    histories = Histories(np.array([1_000]), np.array([2]))
    one, none = np.array([1]), np.array([0])
    assert histories._capacity[0] == SMALLEST
    for ms in range(1, 20_000):
        histories.append(none, none, one, np.array([ms]), np.array([0.0]))
    assert 1_000 < histories._capacity[0] <= LARGEST


def test_the_spread_narrows_again_two_windows_after_a_jump() -> None:
    histories = Histories(np.array([100]), np.array([10]))
    one, none = np.array([1]), np.array([0])
    for ms in range(1_000, 2_000, 10):
        histories.append(none, none, one, np.array([ms]), np.array([0.0 if ms < 1_500 else 50.0]))
        if ms in {1_500, 1_590}:
            assert histories.spread(none)[0] == 50
    assert histories.spread(none)[0] == 0
