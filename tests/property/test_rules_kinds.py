"""The kinds that look at more than a value: deviation, stuck value, vote, expression, and limits by mode."""

from hypothesis import given, settings

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
