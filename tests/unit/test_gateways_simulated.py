"""Gateways of scenarios: when readings arrive, with which times, and that none is lost unless a fault says so."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.samples import Int64, SampleBlock
from domain.scales import Quality
from simulators.faults.gateway_faults import (
    ClockShift,
    Delay,
    Duplicates,
    GatewayFault,
    Outage,
    Reordering,
    Restart,
    SlowLink,
    WrongUnits,
)
from simulators.faults.gateways import Delivered, Gateway, Gateways
from simulators.faults.instruments import Measured

BEGIN = 1_750_000_000_000
TAGS = ("A", "B")


def at(second: float) -> int:
    return BEGIN + round(second * 1000)


def seconds(count: int) -> Int64:
    return BEGIN + np.arange(count, dtype=np.int64) * 1000


def matrix(count: int, first: int = 0) -> Measured:
    """Tag A reads its number, tag B the number plus 0.5."""
    value = np.arange(first, first + count)[:, None] + np.array([0.0, 0.5])
    return Measured(value, np.full(value.shape, Quality.GOOD, dtype=np.uint8), np.zeros(value.shape, dtype=np.uint8))


def delivered(count: int, *faults: GatewayFault, latency: float = 0.2, jitter: float = 0.0) -> Delivered:
    gateway = Gateway("gw", TAGS, 5, faults, latency=latency, jitter=jitter)
    return join([gateway.send(seconds(count), matrix(count)), gateway.finish()])


def join(parts: Sequence[Delivered]) -> Delivered:
    return Delivered(
        np.concatenate([p.source_time for p in parts]),
        np.concatenate([p.received_time for p in parts]),
        Measured(
            np.concatenate([p.measured.value for p in parts]),
            np.concatenate([p.measured.quality for p in parts]),
            np.concatenate([p.measured.reason for p in parts]),
        ),
    )


def numbers(got: Delivered) -> list[int]:
    np.testing.assert_array_equal(got.measured.value[:, 1], got.measured.value[:, 0] + 0.5)
    return [int(v) for v in got.measured.value[:, 0]]


def after(got: Delivered) -> list[float]:
    """Received times in s after the beginning."""
    return [round((int(t) - BEGIN) / 1000.0, 3) for t in got.received_time]


def test_a_sound_gateway_takes_its_latency_and_nothing_else() -> None:
    got = delivered(5)
    assert numbers(got) == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(got.source_time, seconds(5))
    assert after(got) == [0.2, 1.2, 2.2, 3.2, 4.2]


def test_what_has_not_arrived_yet_comes_with_a_later_chunk() -> None:
    gateway = Gateway("gw", TAGS, 5, latency=2.5)
    first = gateway.send(seconds(5), matrix(5))
    assert numbers(first) == [0, 1]
    second = gateway.send(seconds(8)[5:], matrix(3, 5))
    assert numbers(second) == [2, 3, 4]
    assert numbers(gateway.finish()) == [5, 6, 7]


def test_an_outage_is_sat_out_and_replayed_in_order_with_the_original_times() -> None:
    """Cut off from 10 to 20 s: ten messages replayed at 5/s from 20 s on, those read meanwhile behind them."""
    got = delivered(30, Outage(begin=at(10), end=at(20), rate=5.0), latency=0.0)
    assert numbers(got) == list(range(30))
    np.testing.assert_array_equal(got.source_time, seconds(30))
    assert after(got)[:10] == list(range(10))
    assert after(got)[10:20] == [20.0, 20.2, 20.4, 20.6, 20.8, 21.0, 21.2, 21.4, 21.6, 21.8]
    # 20 was read at 20 s and queued behind; the queue is empty when 23 is read
    assert after(got)[20:24] == [22.0, 22.2, 22.4, 23.0]
    assert after(got)[24:] == [24.0, 25.0, 26.0, 27.0, 28.0, 29.0]


def test_live_readings_may_go_before_the_stored_ones() -> None:
    got = delivered(30, Outage(begin=at(10), end=at(20), rate=2.0, live_first=True), latency=0.0)
    assert numbers(got)[:16] == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 11, 12, 21, 13]
    assert sorted(numbers(got)) == list(range(30))
    live = [t for n, t in zip(numbers(got), after(got), strict=True) if n >= 20]
    assert live == [float(n) for n in range(20, 30)]


def test_a_second_outage_cuts_a_replay_short_and_it_goes_on_afterwards() -> None:
    got = delivered(
        40, Outage(begin=at(5), end=at(15), rate=1.0), Outage(begin=at(17), end=at(30), rate=10.0), latency=0.0
    )
    assert numbers(got) == list(range(40))
    assert after(got)[:10] == [0, 1, 2, 3, 4, 15, 16, 30, 30.1, 30.2]
    assert not any(17.0 <= t < 30.0 for t in after(got))


def test_a_store_that_is_full_pushes_out_the_oldest_and_counts_them() -> None:
    gateway = Gateway("gw", TAGS, 5, [Outage(begin=at(10), end=at(20), store=4)], latency=0.0)
    got = join([gateway.send(seconds(25), matrix(25)), gateway.finish()])
    assert numbers(got) == [*range(10), 16, 17, 18, 19, *range(20, 25)]
    assert gateway.lost == 6
    without = Gateway("gw", TAGS, 5, [Outage(begin=at(10), end=at(20), store=0)], latency=0.0)
    assert numbers(without.send(seconds(25), matrix(25))) == [*range(10), *range(20, 25)]
    assert without.lost == 10


def test_a_slow_link_makes_a_queue_that_drains_afterwards() -> None:
    """Half a message a second for 10 s: the n-th of them arrives 2n s after the first."""
    got = delivered(20, SlowLink(begin=at(5), end=at(15), rate=0.5), latency=0.0)
    assert numbers(got) == list(range(20))
    assert after(got)[4:15] == [4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0, 18.0, 20.0, 22.0, 24.0]
    assert after(got)[15:] == [24.0] * 5


def test_a_wrong_clock_shifts_source_times_and_nothing_else() -> None:
    day = 86_400
    fast = ClockShift(begin=at(2), end=at(5), offset=90.0)
    got = delivered(7, fast)
    assert (got.source_time - seconds(7)).tolist() == [0, 0, 90_000, 90_000, 90_000, 0, 0]
    assert after(got) == [0.2, 1.2, 2.2, 3.2, 4.2, 5.2, 6.2]
    times = BEGIN + np.arange(4, dtype=np.int64) * day * 500
    slow = Gateway("gw", TAGS, 1, [ClockShift(begin=BEGIN, end=BEGIN + 2 * day * 1000, per_day=-4.0)])
    shifted = join([slow.send(times, matrix(4)), slow.finish()])
    assert (shifted.source_time - times).tolist() == [0, -2000, -4000, -6000]


def test_repeated_messages_come_twice_and_alike() -> None:
    got = delivered(1000, Duplicates(begin=at(0), end=at(1000), share=0.3, after=4.0))
    times = Counter(numbers(got))
    assert set(times) == set(range(1000))
    assert sum(n == 2 for n in times.values()) == pytest.approx(300, rel=0.15)
    assert max(times.values()) == 2
    assert (np.diff(got.received_time) >= 0).all()


def test_messages_that_are_held_up_are_overtaken() -> None:
    got = delivered(1000, Reordering(begin=at(0), end=at(1000), share=0.2, by=5.0))
    assert sorted(numbers(got)) == list(range(1000))
    assert sum(a > b for a, b in pairwise(numbers(got))) > 50
    delay = got.received_time - got.source_time
    assert delay.min() == 200
    assert 4000 < delay.max() <= 5200


def test_jitter_delays_but_does_not_reorder() -> None:
    got = delivered(5000, Delay(begin=at(0), end=at(5000), latency=1.0, jitter=0.4), jitter=0.1)
    assert numbers(got) == list(range(5000))
    delay = (got.received_time - got.source_time) / 1000.0
    assert delay.min() >= 1.2
    # The mean of independent delays is 1.7 s; waiting for the one before adds to it
    assert 1.7 < delay.mean() < 2.0


def test_wrong_units_touch_the_named_tags_only_and_leave_the_input_alone() -> None:
    truth = matrix(6)
    gateway = Gateway("gw", TAGS, 5, [WrongUnits(tags=("B",), begin=at(2), end=at(4), factor=1000.0, offset=1.0)])
    got = join([gateway.send(seconds(6), truth), gateway.finish()])
    np.testing.assert_allclose(got.measured.value[:, 0], [0, 1, 2, 3, 4, 5])
    np.testing.assert_allclose(got.measured.value[:, 1], [0.5, 1.5, 2501.0, 3501.0, 4.5, 5.5])
    np.testing.assert_array_equal(truth.value, matrix(6).value)


def test_what_a_wrong_unit_takes_beyond_the_range_is_uncertain() -> None:
    fault = WrongUnits(tags=("B",), begin=at(2), end=at(6), factor=10.0)
    gateway = Gateway("gw", TAGS, 5, [fault], ranges=[(0.0, 100.0), (25.0, 45.0)])
    got = join([gateway.send(seconds(8), matrix(8)), gateway.finish()])
    u, g = Quality.UNCERTAIN, Quality.GOOD
    assert got.measured.value[:, 1].tolist() == [0.5, 1.5, 25.0, 35.0, 45.0, 55.0, 6.5, 7.5]
    assert got.measured.quality[:, 1].tolist() == [g, g, g, g, g, u, g, g]
    assert set(got.measured.quality[:, 0]) == {g}
    tags = np.array([0, 1], dtype=np.int32)
    same = Gateway("gw", TAGS, 5, [fault], ranges=[(0.0, 100.0), (25.0, 45.0)])
    through = Gateways([same], np.zeros(2, dtype=np.int64))
    arrived = blocks(through.stream([Delivered(seconds(8), seconds(8), matrix(8)).block(tags)]))
    np.testing.assert_array_equal(arrived.quality, got.block(tags).quality)
    np.testing.assert_array_equal(arrived.value, got.block(tags).value)


def test_a_restart_loses_a_gap_and_then_repeats_old_values_at_new_times() -> None:
    gateway = Gateway("gw", TAGS, 5, [Restart(begin=at(5), end=at(12), gap=3.0)])
    got = join([gateway.send(seconds(15), matrix(15)), gateway.finish()])
    assert numbers(got) == [0, 1, 2, 3, 4, 4, 4, 4, 4, 12, 13, 14]
    assert got.source_time.tolist() == [at(n) for n in (0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 14)]
    assert gateway.lost == 3


def any_fault(draw: st.DrawFn, lossless: bool) -> GatewayFault:  # noqa: FBT001 - as drawn
    begin = at(draw(st.integers(-5, 60)))
    end = begin + draw(st.integers(1, 40)) * 1000
    when = {"begin": begin, "end": end}
    kinds: list[Callable[[], GatewayFault]] = [
        lambda: Outage(**when, rate=draw(st.sampled_from([0.7, 5.0, 40.0])), live_first=draw(st.booleans())),
        lambda: SlowLink(**when, rate=draw(st.sampled_from([0.4, 0.9, 3.0]))),
        lambda: ClockShift(**when, offset=draw(st.sampled_from([-30.0, 3600.0])), per_day=80.0),
        lambda: Duplicates(**when, share=0.4, after=6.0),
        lambda: Reordering(**when, share=0.4, by=6.0),
        lambda: Delay(**when, latency=draw(st.sampled_from([0.0, 4.0])), jitter=1.5),
        lambda: WrongUnits(**when, tags=("B",), factor=1000.0),
    ]
    if not lossless:
        kinds += [
            lambda: Restart(**when, gap=draw(st.floats(0.0, (end - begin) / 1000.0))),
            lambda: Outage(**when, rate=2.0, store=draw(st.integers(0, 9)), live_first=draw(st.booleans())),
        ]
    return draw(st.sampled_from(kinds))()


@st.composite
def lossless(draw: st.DrawFn) -> list[GatewayFault]:
    return [any_fault(draw, lossless=True) for _ in range(draw(st.integers(0, 5)))]


@st.composite
def faulty(draw: st.DrawFn) -> list[GatewayFault]:
    return [any_fault(draw, lossless=False) for _ in range(draw(st.integers(0, 6)))]


@settings(max_examples=150, deadline=None)
@given(lossless())
def test_nothing_is_lost_and_only_duplicates_are_added(faults: list[GatewayFault]) -> None:
    gateway = Gateway("gw", TAGS, 5, faults, jitter=0.1)
    got = join([gateway.send(seconds(70), matrix(70)), gateway.finish()])
    seen = Counter(int(v) for v in got.measured.value[:, 0])
    assert set(seen) == set(range(70))
    doubled = any(isinstance(fault, Duplicates) for fault in faults)
    assert max(seen.values()) <= (2 if doubled else 1)
    assert gateway.lost == 0
    assert (np.diff(got.received_time) >= 0).all()
    for outage in faults:
        if isinstance(outage, Outage):
            assert not ((got.received_time >= outage.begin) & (got.received_time < outage.end)).any()
    if not any(isinstance(f, Reordering | Duplicates) or (isinstance(f, Outage) and f.live_first) for f in faults):
        assert sorted(numbers_of(got)) == numbers_of(got)


def numbers_of(got: Delivered) -> list[int]:
    return [int(v) for v in got.measured.value[:, 0]]


@settings(max_examples=150, deadline=None)
@given(faulty())
def test_what_is_lost_is_counted(faults: list[GatewayFault]) -> None:
    gateway = Gateway("gw", TAGS, 5, [f for f in faults if not isinstance(f, Duplicates)], jitter=0.1)
    got = join([gateway.send(seconds(70), matrix(70)), gateway.finish()])
    assert len(got) == 70 - gateway.lost


@settings(max_examples=150, deadline=None)
@given(faulty(), st.lists(st.integers(0, 70), max_size=9))
def test_chunks_make_no_difference(faults: list[GatewayFault], cuts: list[int]) -> None:
    whole = Gateway("gw", TAGS, 5, faults, jitter=0.3)
    expected = join([whole.send(seconds(70), matrix(70)), whole.finish()])
    gateway = Gateway("gw", TAGS, 5, faults, jitter=0.3)
    edges = [0, *sorted(cuts), 70]
    parts = [gateway.send(seconds(70)[a:b], matrix(b - a, a)) for a, b in pairwise(edges)]
    got = join([*parts, gateway.finish()])
    np.testing.assert_array_equal(got.source_time, expected.source_time)
    np.testing.assert_array_equal(got.received_time, expected.received_time)
    np.testing.assert_array_equal(got.measured.value, expected.measured.value)
    assert gateway.lost == whole.lost


def one_by_one(times: list[float], links: Sequence[GatewayFault]) -> list[float]:
    """When messages arrive (s after the beginning) by the words of the documentation, one after the other."""
    last, floor, least = -1e9, -1e9, 0.0
    outages = sorted((o for o in links if isinstance(o, Outage)), key=lambda o: o.begin)
    arrived = []
    for ready in times:
        slow = [1.0 / f.rate for f in links if isinstance(f, SlowLink) and f.begin <= at(ready) < f.end]
        service = max([0.0, *slow])
        turn = max(ready, floor, last + max(service, least))
        if least and turn == ready:
            least = 0.0
            turn = max(ready, last + service)
        while hit := [o for o in outages if o.begin <= at(turn) < o.end]:
            least, floor = 1.0 / hit[0].rate, (hit[0].end - BEGIN) / 1000.0
            turn = max(floor, last + max(service, least))
        last = turn
        arrived.append(turn)
    return arrived


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(0, 60), st.integers(1, 30), st.sampled_from([0.25, 0.5, 2.0, 8.0])),
        max_size=5,
    )
)
def test_the_link_carries_messages_as_a_queue_served_one_by_one(drawn: list[tuple[bool, int, int, float]]) -> None:
    links: list[GatewayFault] = [
        Outage(begin=at(begin), end=at(begin + length), rate=rate)
        if outage
        else SlowLink(begin=at(begin), end=at(begin + length), rate=rate)
        for outage, begin, length, rate in drawn
    ]
    got = delivered(80, *links, latency=0.0)
    expected = one_by_one([float(n) for n in range(80)], links)
    np.testing.assert_allclose(after(got), expected, atol=1e-3)


def blocks(got: Iterable[SampleBlock]) -> SampleBlock:
    return SampleBlock.concatenate(list(got))


@settings(max_examples=100, deadline=None)
@given(faulty(), st.lists(st.integers(0, 140), max_size=9))
def test_blocks_arrive_as_matrices_do_wherever_they_are_cut(faults: list[GatewayFault], cuts: list[int]) -> None:
    tags = np.array([0, 1], dtype=np.int32)
    every = Delivered(seconds(70), seconds(70), matrix(70)).block(tags)
    gateway = Gateway("gw", TAGS, 5, faults, jitter=0.3)
    expected = join([gateway.send(seconds(70), matrix(70)), gateway.finish()]).block(tags)
    edges = [0, *sorted(cuts), 140]
    of_tag = np.zeros(2, dtype=np.int64)
    through = Gateways([Gateway("gw", TAGS, 5, faults, jitter=0.3)], of_tag)
    got = blocks(through.stream(every.take(slice(a, b)) for a, b in pairwise(edges)))
    for name in ("tag", "source_time", "received_time", "value", "quality", "reason"):
        np.testing.assert_array_equal(getattr(got, name), getattr(expected, name), err_msg=name)
    assert through.lost == {"gw": gateway.lost}


def test_the_gateways_of_a_stream_are_independent_and_arrive_merged() -> None:
    tags = np.array([0, 1], dtype=np.int32)
    every = Delivered(seconds(60), seconds(60), matrix(60)).block(tags)
    one = Gateway("one", TAGS, 5, [Outage(begin=at(10), end=at(40), rate=3.0)])
    two = Gateway("two", TAGS, 5, latency=1.5)
    through = Gateways([one, two], np.array([0, 1]))
    arrived = list(through.stream(every.take(slice(n, n + 7)) for n in range(0, 120, 7)))
    got = blocks(arrived)
    assert len(got) == 120
    assert (np.diff(got.received_time) >= 0).all()
    b = got.take(got.tag == 1)
    np.testing.assert_array_equal(b.received_time - b.source_time, 1500)
    a = got.take(got.tag == 0)
    np.testing.assert_array_equal(a.source_time, seconds(60))
    assert not ((a.received_time >= at(10)) & (a.received_time < at(40))).any()
    # Readings of the sound gateway don't wait for the other's outage
    assert len(arrived) > 10


def test_what_does_not_fit_is_refused_with_its_name() -> None:
    with pytest.raises(ValueError, match="'X', which gateway gw does not send"):
        Gateway("gw", TAGS, 1, [WrongUnits(tags=("X",), begin=0, end=1)])
    with pytest.raises(ValueError, match="latency, jitter: -1 and 0 s are not possible"):
        Gateway("gw", TAGS, 1, latency=-1.0)
    with pytest.raises(ValueError, match=r"latency, jitter: .* and nan"):
        Gateway("gw", TAGS, 1, jitter=math.nan)
    with pytest.raises(ValueError, match="ranges: 1 for 2 tags"):
        Gateway("gw", TAGS, 1, ranges=[(0.0, 1.0)])
    with pytest.raises(ValueError, match="rate: 0 is not possible; give a number above 0"):
        SlowLink(begin=0, end=1, rate=0.0)
    with pytest.raises(ValueError, match="gap: 2 is not possible; give a number from 0 to 1"):
        Restart(begin=0, end=1000, gap=2.0)
    with pytest.raises(ValueError, match="store: -1 is not possible"):
        Outage(begin=0, end=1, store=-1)
    with pytest.raises(ValueError, match="end: 1 is not after begin"):
        Outage(begin=1, end=1)
    gateway = Gateway("gw", TAGS, 1)
    gateway.send(seconds(2), matrix(2))
    with pytest.raises(ValueError, match="must ascend"):
        gateway.send(seconds(2), matrix(2))
    late = Gateway("gw", TAGS, 1)
    late.pass_on(SampleBlock.of([0], [5], [5], [1.0], [192], [0]), 5)
    with pytest.raises(ValueError, match="in the order of reading"):
        late.pass_on(SampleBlock.of([0], [4], [4], [1.0], [192], [0]), 5)
