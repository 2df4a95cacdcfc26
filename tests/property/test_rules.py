"""The vectorised engine does what the rules mean, for any stream and any split of it into blocks."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.scales import Level, RuleKind
from domain.site import Rule
from tests.property.long_streams import LongStream
from tests.property.oracle import KINDS, by_rule
from tests.property.plants import (
    FAULTS,
    LATENESS,
    LIMITS,
    PLAYED_AGAIN,
    RATES,
    SET_BACK,
    START,
    TAGS,
    TICKS,
    TOLERANCE,
    Arrival,
    Cut,
    Happening,
    Plant,
    Tick,
    agree,
    arrivals_of,
    block,
    newest,
    plants,
    run_engine,
    run_oracle,
    streams,
)


@settings(max_examples=500)
@given(plants(LIMITS), streams(TICKS + PLAYED_AGAIN))
def test_limits_agree_with_the_oracle(plant: Plant, stream: list[Happening]) -> None:
    agree(plant, stream)


@settings(max_examples=500)
@given(plants(RATES), streams(TICKS + PLAYED_AGAIN))
def test_rates_agree_with_the_oracle(plant: Plant, stream: list[Happening]) -> None:
    agree(plant, stream)


@settings(max_examples=500)
@given(plants(LIMITS, RATES, FAULTS), streams(TICKS + PLAYED_AGAIN))
def test_all_kinds_together_agree_with_the_oracle(plant: Plant, stream: list[Happening]) -> None:
    agree(plant, stream)


@settings(max_examples=200)
@given(plants(LIMITS, RATES), streams(SET_BACK))
def test_what_a_rule_did_stays_in_order_when_the_service_clock_is_set_back(
    plant: Plant, stream: list[Happening]
) -> None:
    arrivals = arrivals_of(stream)
    found = by_rule(plant.engine().evaluate(block(arrivals)))
    assert found == by_rule(run_oracle(plant.oracle(), arrivals))


@settings(max_examples=200)
@given(plants(LIMITS, RATES, FAULTS), streams())
def test_the_split_into_blocks_changes_nothing(plant: Plant, stream: list[Happening]) -> None:
    arrivals = arrivals_of(stream)
    in_blocks = by_rule(run_engine(plant.engine(), stream))
    assert by_rule(run_engine(plant.engine(), arrivals)) == in_blocks
    one_by_one = [item for arrival in arrivals for item in (arrival, Cut())]
    assert by_rule(run_engine(plant.engine(), one_by_one)) == in_blocks


@settings(max_examples=200)
@given(plants(LIMITS, RATES, FAULTS), streams(), st.randoms(use_true_random=False))
def test_how_the_tags_of_a_block_are_mixed_does_not_matter(
    plant: Plant, stream: list[Happening], random: Random
) -> None:
    arrivals = arrivals_of(stream)
    waiting = [[a for a in arrivals if a.tag == tag] for tag in range(TAGS)]
    mixed = []
    while any(waiting):
        mixed.append(random.choice([queue for queue in waiting if queue]).pop(0))
    one, other = plant.engine(), plant.engine()
    assert by_rule(one.evaluate(block(arrivals))) == by_rule(other.evaluate(block(mixed)))
    assert newest(one) == newest(other)


@settings(max_examples=200)
@given(plants(LIMITS, RATES, FAULTS), streams(), st.data())
def test_redelivery_changes_nothing(plant: Plant, stream: list[Happening], data: st.DataObject) -> None:
    """Source times no further ahead than the tolerance, so that a sample's time is its own both times."""
    known = [replace(a, source=min(a.source, a.received + TOLERANCE)) for a in arrivals_of(stream)]
    engine = plant.engine()
    engine.evaluate(block(known))
    inside, latest = engine.inside().tolist(), newest(engine)
    if known:
        again = data.draw(st.lists(st.sampled_from(known), max_size=20), label="delivered again")
        later = [replace(a, received=a.received + 5_000) for a in again]
        assert engine.evaluate(block(known + again + later)) == []
    assert engine.inside().tolist() == inside
    assert newest(engine) == latest


@settings(max_examples=200)
@given(plants(LIMITS), streams())
def test_a_block_delivered_twice_with_its_own_received_times_changes_nothing(
    plant: Plant, stream: list[Happening]
) -> None:
    """However far ahead the gateway's clock is: as the spool gives samples back after a crash."""
    engine = plant.engine()
    arrivals = block(arrivals_of(stream))
    engine.evaluate(arrivals)
    inside = engine.inside().tolist()
    assert engine.evaluate(arrivals) == []
    assert engine.inside().tolist() == inside


@settings(max_examples=200)
@given(plants(LIMITS, FAULTS), streams(TICKS), st.integers(0, 45))
def test_a_restart_continues_where_it_stopped(plant: Plant, stream: list[Happening], at: int) -> None:
    """Without delays and rates, and with samples in order: the conditions are all that is remembered."""
    plant = replace(plant, rules=tuple(replace(rule, on_delay=0, off_delay=0) for rule in plant.rules))
    in_order = _each_later_than_the_last(stream)
    before, after = in_order[:at], in_order[at:]
    uninterrupted = plant.engine()
    uninterrupted.await_readings(START)
    run_engine(uninterrupted, before)
    restarted = plant.engine()
    restarted.restore(uninterrupted.inside())
    now = max([START, *(START + a.received for a in arrivals_of(before))])
    restarted.await_readings(now)
    uninterrupted.await_readings(now)
    assert by_rule(run_engine(restarted, after)) == by_rule(run_engine(uninterrupted, after))
    assert restarted.inside().tolist() == uninterrupted.inside().tolist()


def _each_later_than_the_last(stream: Sequence[Happening]) -> list[Happening]:
    """The same, with each thing 1 ms later than it was to the one before, and source times as the received ones."""
    shifted: list[Happening] = []
    for index, item in enumerate(stream):
        if isinstance(item, Arrival):
            shifted.append(replace(item, source=item.received + index, received=item.received + index))
        else:
            shifted.append(replace(item, now=item.now + index) if isinstance(item, Tick) else item)
    return shifted


@settings(max_examples=200)
@given(plants(LIMITS), streams())
def test_late_samples_are_split_off_and_no_other(plant: Plant, stream: list[Happening]) -> None:
    arrivals = arrivals_of(stream)
    live, late = plant.engine().split_late(block(arrivals))
    too_late = [a for a in arrivals if a.received - a.source > LATENESS and plant.live_clocks[a.tag]]
    on_time = [a for a in arrivals if a not in too_late]
    for part, expected in ((live, on_time), (late, too_late)):
        assert part.tag.tolist() == [a.tag for a in expected]
        assert part.source_time.tolist() == [START + a.source for a in expected]
        assert np.array_equal(part.value, np.array([a.value for a in expected]), equal_nan=True)


@pytest.mark.parametrize("largest_block", [1_500, 100, 8])
def test_long_streams_agree_with_the_oracle(largest_block: int) -> None:
    """Hundreds of readings in a window, dozens of tags in a block: what small examples do not reach."""
    random = np.random.default_rng(largest_block)
    tags, samples = 40, 9_000
    rules = []
    for tag in range(tags):
        on, off = (int(d) for d in random.choice([0, 0, 30, 200], 2))
        rules += [
            Rule(tag, "H", RuleKind.HIGH, Level.H, 3.0, 0.5, on, off),
            Rule(tag, "LL", RuleKind.LOW, Level.LL, -5.0, 1.0),
            Rule(tag, "RISE", RuleKind.RISE, Level.H, 3.90625, 2.0, on, off, int(random.choice([100, 500, 1000]))),
            Rule(tag, "FALL", RuleKind.FALL, Level.H, 10.0, 4.0, 0, off, int(random.choice([100, 250]))),
            Rule(tag, "BAD", RuleKind.BAD, Level.FAULT, on_delay=off),
            Rule(tag, "STALE", RuleKind.STALE, Level.FAULT, window=1_500),
        ][: 1 + tag % 6]
    stream = LongStream(random, rules, tags, samples)
    # In steps of a half, so that many values stand on a limit; or slopes whose rate is on the limit.
    uneasy = np.round(8 * np.sin((stream.received - START) / 300.0 + stream.heard) + random.normal(0, 2, samples)) / 2
    slopes = np.abs((stream.source - START) % 6_000 - 3_000) / 256
    value = np.where(stream.heard % 2 == 0, uneasy, slopes)
    found = stream.agreed(value, [192] * 6 + [64, 0], largest_block)
    assert {RuleKind(int(stream.table.kind[t.rule])) for t in found} >= {RuleKind.HIGH, RuleKind.RISE, RuleKind.BAD}


def test_the_oracle_knows_every_kind_of_the_engine() -> None:
    """A kind that is added to the vocabulary and not to the oracle would never be compared."""
    assert set(KINDS) == set(RuleKind) - {RuleKind.SYSTEM}
