"""The kinds that look at more than a value: deviation, stuck value, vote, expression, and limits by mode."""

import numpy as np
import pytest
from hypothesis import given, settings

from domain.scales import Level, RuleKind
from domain.site import Reference, Rule, RuleExtra
from tests.property.long_streams import LongStream
from tests.property.oracle import by_rule
from tests.property.plants import (
    DEVIATIONS,
    EXPRESSIONS,
    FAULTS,
    LIMITS,
    MODES,
    PLAYED_AGAIN,
    RATES,
    SELECTORS,
    SET_BACK,
    START,
    STUCK,
    TICKS,
    VOTES,
    Cut,
    Happening,
    Plant,
    agree,
    arrivals_of,
    block,
    plants,
    run_engine,
    run_oracle,
    streams,
)

ALL = (LIMITS, RATES, FAULTS, DEVIATIONS, STUCK, VOTES, EXPRESSIONS, MODES)


@settings(max_examples=500)
@given(plants(DEVIATIONS, DEVIATIONS, FAULTS), streams(TICKS + PLAYED_AGAIN))
def test_deviations_agree_with_the_oracle(plant: Plant, stream: list[Happening]) -> None:
    agree(plant, stream)


@settings(max_examples=500)
@given(plants(STUCK, STUCK, FAULTS), streams(TICKS + PLAYED_AGAIN))
def test_stuck_values_agree_with_the_oracle(plant: Plant, stream: list[Happening]) -> None:
    agree(plant, stream)


@settings(max_examples=800)
@given(plants(VOTES, VOTES, FAULTS), streams(TICKS + PLAYED_AGAIN))
def test_votes_agree_with_the_oracle(plant: Plant, stream: list[Happening]) -> None:
    agree(plant, stream)


@settings(max_examples=500)
@given(plants(EXPRESSIONS, EXPRESSIONS, FAULTS), streams(TICKS + PLAYED_AGAIN))
def test_expressions_agree_with_the_oracle(plant: Plant, stream: list[Happening]) -> None:
    agree(plant, stream)


@settings(max_examples=800)
@given(plants(MODES, MODES, MODES, FAULTS, selectors=SELECTORS), streams(TICKS + PLAYED_AGAIN))
def test_limits_by_mode_agree_with_the_oracle(plant: Plant, stream: list[Happening]) -> None:
    agree(plant, stream)


@settings(max_examples=500)
@given(plants(*ALL, selectors=SELECTORS), streams(TICKS + PLAYED_AGAIN))
def test_all_kinds_together_agree_with_the_oracle(plant: Plant, stream: list[Happening]) -> None:
    agree(plant, stream)


@settings(max_examples=300)
@given(plants(*ALL, selectors=SELECTORS), streams(SET_BACK))
def test_a_service_clock_that_is_set_back_changes_nothing_else(plant: Plant, stream: list[Happening]) -> None:
    arrivals = arrivals_of(stream)
    found = by_rule(plant.engine().evaluate(block(arrivals)))
    assert found == by_rule(run_oracle(plant.oracle(), arrivals))


@settings(max_examples=300)
@given(plants(*ALL, selectors=SELECTORS), streams())
def test_the_split_into_blocks_changes_nothing(plant: Plant, stream: list[Happening]) -> None:
    arrivals = arrivals_of(stream)
    in_blocks = by_rule(run_engine(plant.engine(), stream))
    assert by_rule(run_engine(plant.engine(), arrivals)) == in_blocks
    one_by_one = [item for arrival in arrivals for item in (arrival, Cut())]
    assert by_rule(run_engine(plant.engine(), one_by_one)) == in_blocks


@pytest.mark.parametrize("largest_block", [1_500, 100, 8])
def test_long_streams_agree_with_the_oracle(largest_block: int) -> None:
    """Hundreds of readings in a window, dozens of tags and rules in a block: what small examples do not reach."""
    random = np.random.default_rng(largest_block)
    tags, samples = 24, 8_000
    rules: list[Rule] = []
    for tag in range(tags):
        on, off = (int(d) for d in random.choice([0, 0, 30, 200], 2))
        window = int(random.choice([100, 500, 1_000]))
        others = tuple(int(other) for other in random.permutation(tags)[: 2 + tag % 6])
        side = ("both", "above", "below")[tag % 3]
        constant, median = Reference("constant", 1.0), Reference("median", window=window)
        pair = Reference("tag", tag=(tag + 5) % tags)
        rules += [
            Rule(tag, "C", RuleKind.DEVIATION, Level.H, 4.0, 0.5, on, off, extra=RuleExtra(side, constant)),
            Rule(tag, "M", RuleKind.DEVIATION, Level.H, 2.5, 0.5, on, off, extra=RuleExtra(side, median)),
            Rule(tag, "P", RuleKind.DEVIATION, Level.H, 6.0, 1.0, on, off, extra=RuleExtra(side, pair)),
            Rule(tag, "STUCK", RuleKind.STUCK, Level.FAULT, float(tag % 4), window=window, off_delay=off),
            Rule(tag, "STALE", RuleKind.STALE, Level.FAULT, window=300),
            Rule(
                tag,
                "VOTE",
                RuleKind.VOTE,
                Level.HH,
                2.0,
                0.5,
                on,
                off,
                extra=RuleExtra(inputs=others, needed=1 + tag % len(others), low=tag % 2 == 0),
            ),
        ]
    stream = LongStream(random, rules, tags, samples)
    # In steps of a half, so that many values stand on a limit; some tags stand still for a while.
    phase = (stream.received - START) / 300.0 + stream.heard
    uneasy = np.round(8 * np.sin(phase) + random.normal(0, 2, samples)) / 2
    value = np.where(np.sin(phase / 3) > 0, uneasy, np.round(random.normal(0, 0.4, samples)))
    found = stream.agreed(value, [192] * 18 + [64, 0], largest_block)
    counts = {key: sum(stream.table.key[t.rule] == key for t in found) for key in ("C", "M", "P", "STUCK", "VOTE")}
    assert min(counts.values()) > 50, counts
