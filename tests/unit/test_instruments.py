"""Instruments of scenarios: what each property and each fault does to a known truth."""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.samples import Float64, Int64
from domain.scales import Quality, QualityReason
from simulators.faults.instrument_faults import (
    FAULTS,
    Bypass,
    Calibration,
    Drift,
    Dropout,
    Fault,
    Lag,
    Noise,
    Poisoning,
    Quantisation,
    Saturation,
    Spikes,
    Stuck,
)
from simulators.faults.instruments import OVER, UNDER, InstrumentArray, Measured
from simulators.instruments import Point

BEGIN = 1_750_000_000_000
HOUR = 3_600_000


def seconds(count: int, period: int = 1000) -> Int64:
    return BEGIN + np.arange(count, dtype=np.int64) * period


def point(tag: str = "A", **kind: float) -> Point:
    described = {"decimals": 6.0, **kind}
    return Point(
        tag,
        "gw",
        noise=described.get("noise", 0.0),
        decimals=int(described["decimals"]),
        lag=described.get("lag", 0.0),
        drift=described.get("drift", 0.0),
        floor=described.get("floor", -math.inf),
        ceiling=described.get("ceiling", math.inf),
        low=described.get("low", -math.inf),
        high=described.get("high", math.inf),
    )


def read(points: Sequence[Point], truth: Float64, *faults: Fault, seed: int = 7, period: int = 1000) -> Measured:
    return InstrumentArray(points, seed, faults).read(seconds(len(truth), period), truth)


def one(truth: Float64, *faults: Fault, period: int = 1000, **kind: float) -> Float64:
    return read([point("A", **kind)], truth[:, None], *faults, period=period).value[:, 0]


def window(begin: int, end: int) -> tuple[int, int]:
    return BEGIN + begin * 1000, BEGIN + end * 1000


ALL = ("A",)


def test_a_sound_instrument_shows_the_truth_to_its_resolution() -> None:
    truth = np.linspace(0.0, 10.0, 50)
    np.testing.assert_allclose(one(truth), truth, atol=5e-7)
    np.testing.assert_array_equal(one(truth, decimals=1), np.rint(truth * 10.0) / 10.0)


def test_a_step_reaches_63_percent_after_one_time_constant_whatever_the_period() -> None:
    """First-order step response: y(t) = 1 - exp(-t/tau), T90 = 2.303 tau."""
    for period in (100, 1000, 5000):
        count = 200_000 // period
        truth = np.ones(count)
        truth[0] = 0.0
        shown = one(truth, lag=20.0, period=period, decimals=9)
        time = np.arange(count) * period / 1000.0
        np.testing.assert_allclose(shown, -np.expm1(-time / 20.0), atol=1e-8)


def test_irregular_times_settle_as_regular_ones() -> None:
    times = BEGIN + np.cumsum([0, 1000, 1000, 250, 4000, 1000, 1000, 30])
    truth = np.ones((8, 2))
    truth[0] = 0.0
    shown = InstrumentArray([point("A", lag=5.0), point("B", lag=50.0)], 1).read(times, truth).value
    elapsed = (times - BEGIN) / 1000.0
    np.testing.assert_allclose(shown[:, 0], -np.expm1(-elapsed / 5.0), atol=1e-6)
    np.testing.assert_allclose(shown[:, 1], -np.expm1(-elapsed / 50.0), atol=1e-6)


def test_noise_is_white_and_as_strong_as_said() -> None:
    shown = one(np.zeros(100_000), noise=0.5)
    assert shown.std() == pytest.approx(0.5, rel=0.02)
    assert abs(float(np.corrcoef(shown[1:], shown[:-1])[0, 1])) < 0.02


def test_the_zero_point_wanders_slowly() -> None:
    """Ornstein-Uhlenbeck: correlation exp(-t/tau), here 900 s."""
    shown = read([point(str(n), drift=2.0) for n in range(200)], np.zeros((2000, 200))).value
    assert shown.std() == pytest.approx(2.0, rel=0.1)
    after = float(np.mean(shown[900:] * shown[:-900]) / np.mean(shown**2))
    assert after == pytest.approx(math.exp(-1.0), abs=0.12)


def test_beyond_the_range_is_uncertain_and_saturates_at_the_namur_margins() -> None:
    truth = np.array([-5.0, -0.5, 0.0, 50.0, 100.0, 102.0, 130.0])[:, None]
    measured = read([point(low=0.0, high=100.0)], truth)
    shown = [-100 * UNDER, -0.5, 0.0, 50.0, 100.0, 102.0, 100 * (1 + OVER)]
    np.testing.assert_allclose(measured.value[:, 0], shown)
    u, g = Quality.UNCERTAIN, Quality.GOOD
    np.testing.assert_array_equal(measured.quality[:, 0], [u, u, g, g, g, u, u])
    assert measured.reason[0, 0] == QualityReason.OUT_OF_RANGE
    assert measured.reason[2, 0] == QualityReason.NONE


def test_drift_is_steady_and_ends_with_the_fault() -> None:
    begin, end = window(10, 10 + 43_200)
    shown = one(np.zeros(43_220), Drift(tags=ALL, begin=begin, end=end, per_day=-4.0))
    assert shown[9] == shown[10] == 0.0
    assert shown[43_209] == pytest.approx(-2.0, abs=1e-4)
    assert shown[43_210] == 0.0


def test_a_stuck_transmitter_repeats_its_last_value_to_the_digit_and_comes_back() -> None:
    begin, end = window(50, 80)
    shown = one(np.arange(100.0), Stuck(tags=ALL, begin=begin, end=end), noise=0.3)
    assert set(shown[50:80]) == {shown[49]}
    assert shown[85] == pytest.approx(85.0, abs=2.0)
    assert set(one(np.arange(100.0), Stuck(tags=ALL, begin=begin, end=end, value=20.0))[50:80]) == {20.0}
    from_the_first = one(np.arange(9.0), Stuck(tags=ALL, begin=BEGIN - 1, end=BEGIN + 5000))
    np.testing.assert_array_equal(from_the_first, [0.0, 0.0, 0.0, 0.0, 0.0, 5.0, 6.0, 7.0, 8.0])


def test_spikes_come_as_often_and_as_high_as_said() -> None:
    begin, end = BEGIN, BEGIN + 50 * HOUR
    shown = one(np.zeros(50 * 3600), Spikes(tags=ALL, begin=begin, end=end, per_hour=60.0, height=8.0, both=True))
    spikes = shown[shown != 0.0]
    assert len(spikes) == pytest.approx(3000, rel=0.08)
    assert np.abs(spikes).min() >= 4.0
    assert np.abs(spikes).max() <= 12.0
    assert np.mean(spikes > 0.0) == pytest.approx(0.5, abs=0.05)


def test_a_range_set_too_narrow_hides_what_is_beyond() -> None:
    begin, end = window(0, 100)
    measured = read([point()], np.array([[5.0], [11.0], [10.0]]), Saturation(tags=ALL, begin=begin, end=end, high=10.0))
    np.testing.assert_array_equal(measured.value[:, 0], [5.0, 10.0, 10.0])
    np.testing.assert_array_equal(measured.quality[:, 0], [Quality.GOOD, Quality.UNCERTAIN, Quality.GOOD])


def test_calibration_resolution_and_a_further_lag() -> None:
    begin, end = window(0, 1000)
    wrong = Calibration(tags=ALL, begin=begin, end=end, gain=1.1, offset=-2.0)
    np.testing.assert_allclose(one(np.arange(5.0), wrong), np.arange(5) * 1.1 - 2)
    coarse = Quantisation(tags=ALL, begin=begin, end=end, step=0.25)
    np.testing.assert_allclose(one(np.array([0.1, 0.2, 0.9]), coarse), [0.0, 0.25, 1.0])
    step = np.ones(100)
    step[0] = 0.0
    slow = Lag(tags=ALL, begin=begin, end=end, seconds=10.0)
    np.testing.assert_allclose(one(step, slow), -np.expm1(-np.arange(100) / 10.0), atol=1e-6)
    loose = Noise(tags=ALL, begin=begin, end=BEGIN + HOUR, std=3.0)
    assert one(np.zeros(5000), loose)[:3600].std() == pytest.approx(3.0, rel=0.05)
    assert set(one(np.zeros(5000), loose)[3600:]) == {0.0}


def test_a_poisoned_detector_sees_half_after_its_half_life() -> None:
    begin, end = BEGIN, BEGIN + 10 * HOUR
    shown = one(np.full(4 * 3600, 20.0), Poisoning(tags=ALL, begin=begin, end=end, half_life=1.0, residual=0.1))
    assert shown[0] == 20.0
    assert shown[3600] == pytest.approx(20.0 * (0.1 + 0.9 / 2), abs=1e-3)
    assert shown[7200] == pytest.approx(20.0 * (0.1 + 0.9 / 4), abs=1e-3)


def test_a_dropout_is_bad_without_a_value() -> None:
    begin, end = window(3, 6)
    measured = read([point()], np.ones((10, 1)), Dropout(tags=ALL, begin=begin, end=end))
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(measured.value[:, 0])), [3, 4, 5])
    np.testing.assert_array_equal(np.flatnonzero(measured.quality[:, 0] == Quality.BAD), [3, 4, 5])
    assert measured.reason[4, 0] == QualityReason.SENSOR_FAULT
    some = Dropout(tags=ALL, begin=BEGIN, end=BEGIN + 100 * HOUR, per_hour=6.0, seconds=30.0)
    gone = np.isnan(one(np.ones(100 * 3600), some))
    assert np.mean(gone) == pytest.approx(6 * 30 / 3600, rel=0.15)
    begins = np.flatnonzero(gone[1:] & ~gone[:-1]) + 1
    ends = np.flatnonzero(~gone[1:] & gone[:-1]) + 1
    assert (ends[-len(begins) :] - begins[: len(ends)]).min() == 30


@pytest.mark.parametrize(
    ("shows", "value", "quality"),
    [("held", 4.0, Quality.GOOD), ("flagged", 4.0, Quality.UNCERTAIN), ("bad", math.nan, Quality.BAD)],
)
def test_a_bypassed_point_shows_what_the_system_puts_there(shows: str, value: float, quality: Quality) -> None:
    begin, end = window(5, 8)
    measured = read([point()], np.arange(10.0)[:, None], Bypass(tags=ALL, begin=begin, end=end, shows=shows))
    np.testing.assert_array_equal(measured.value[:, 0], [0, 1, 2, 3, 4, value, value, value, 8, 9])
    assert set(measured.quality[5:8, 0]) == {quality}
    assert set(measured.quality[8:, 0]) == {Quality.GOOD}


def test_a_tag_reads_the_same_whatever_else_is_read() -> None:
    truth = np.zeros((50, 2))
    alone = read([point("A", noise=1.0, drift=1.0)], truth[:, :1])
    among = read(
        [point("B", noise=1.0), point("A", noise=1.0, drift=1.0)], truth, Noise(tags=("B",), begin=0, end=1, std=1)
    )
    np.testing.assert_array_equal(alone.value[:, 0], among.value[:, 1])
    other = read([point("A", noise=1.0, drift=1.0)], truth[:, :1], seed=8)
    assert (alone.value != other.value).all()


def every_fault(draw: st.DrawFn, tags: Sequence[str]) -> list[Fault]:
    parameters: dict[str, dict[str, float | str]] = {
        "noise": {"std": 0.5},
        "lag": {"seconds": 7.0},
        "drift": {"per_day": 900.0},
        "stuck": {},
        "spikes": {"per_hour": 600.0, "height": 9.0},
        "saturation": {"low": -1.0, "high": 1.5},
        "quantisation": {"step": 0.5},
        "calibration": {"gain": 1.2, "offset": 0.3},
        "dropout": {"per_hour": 400.0, "seconds": 4.0},
        "poisoning": {"half_life": 0.01},
        "bypass": {"shows": "flagged"},
    }
    assert parameters.keys() == FAULTS.keys()
    faults: list[Fault] = []
    for kind in draw(st.lists(st.sampled_from(sorted(FAULTS)), max_size=6)):
        begin = BEGIN + draw(st.integers(-5, 60)) * 1000
        end = begin + draw(st.integers(1, 60)) * 1000
        named = tuple(draw(st.sets(st.sampled_from(tags), min_size=1)))
        faults.append(FAULTS[kind](tags=named, begin=begin, end=end, **parameters[kind]))
    return faults


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[Fault], Int64, list[int]]:
    gaps = draw(st.lists(st.sampled_from([1000, 1000, 1000, 1000, 500, 7000]), min_size=60, max_size=60))
    cuts = draw(st.lists(st.integers(0, 60), max_size=8))
    return every_fault(draw, ("A", "B", "C")), BEGIN + np.cumsum(gaps), sorted(cuts)


@settings(max_examples=60, deadline=None)
@given(cases())
def test_chunks_make_no_difference_to_the_last_bit(case: tuple[list[Fault], Int64, list[int]]) -> None:
    faults, times, cuts = case
    points = [
        point("A", noise=0.1, lag=3.0, drift=0.2, low=-2.0, high=2.0, decimals=3),
        point("B", lag=8.0, drift=0.1),
        point("C", noise=0.3, floor=0.0),
    ]
    truth = np.sin(np.arange(180.0).reshape(60, 3) / 5.0) * 3.0
    whole = InstrumentArray(points, 3, faults).read(times, truth)
    array = InstrumentArray(points, 3, faults)
    edges = [0, *cuts, 60]
    parts = [array.read(times[a:b], truth[a:b]) for a, b in pairwise(edges)]
    for name in ("value", "quality", "reason"):
        joined = np.concatenate([getattr(part, name) for part in parts])
        assert np.ascontiguousarray(joined).tobytes() == np.ascontiguousarray(getattr(whole, name)).tobytes(), name


def test_what_does_not_fit_is_refused_with_its_name() -> None:
    with pytest.raises(ValueError, match="'X', which has no instrument here"):
        InstrumentArray([point()], 1, [Stuck(tags=("X",), begin=0, end=1)])
    with pytest.raises(ValueError, match="end: 5 is not after begin"):
        Stuck(tags=ALL, begin=5, end=5)
    with pytest.raises(ValueError, match="half_life: 0 is not possible; give a number above 0"):
        Poisoning(tags=ALL, begin=0, end=1, half_life=0.0)
    with pytest.raises(ValueError, match="shows: 'ok' is not known"):
        Bypass(tags=ALL, begin=0, end=1, shows="ok")
    with pytest.raises(ValueError, match="residual: 2 is not possible; give a number from 0 to 1"):
        Poisoning(tags=ALL, begin=0, end=1, half_life=1.0, residual=2.0)
    array = InstrumentArray([point()], 1)
    with pytest.raises(ValueError, match="a value of A is not finite"):
        array.read(seconds(1), np.array([[math.nan]]))
    array.read(seconds(2), np.zeros((2, 1)))
    with pytest.raises(ValueError, match="must ascend, from one chunk to the next"):
        array.read(seconds(1), np.zeros((1, 1)))
