"""Principal components: the engine beside the oracle, on rows that are whole, torn, late, bad and missing."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.components import ComponentModel
from domain.scales import Level, RuleKind
from domain.site import Rule, RuleExtra
from rules.past import PastEngine
from tests.property.oracle import by_rule
from tests.property.plants import (
    BAD,
    GOOD,
    START,
    UNCERTAIN,
    Arrival,
    Cut,
    Happening,
    Link,
    Plant,
    PlayedAgain,
    Tick,
    agree,
    arrivals_of,
    block,
    run_engine,
)
from tests.property.test_backtest import live, past

TAGS = 5
VARIANCES = (2.4, 1.3, 0.8, 0.4, 0.1)


def model(seed: int, retained: int, smoothing: float, period: int) -> ComponentModel:
    loadings = np.linalg.qr(np.random.default_rng(seed).normal(size=(TAGS, TAGS)))[0]
    return ComponentModel(
        names=tuple("ABCDE"),
        units=("",) * TAGS,
        mean=np.array([10.0, 9.0, 11.0, 10.5, 0.0]),
        scale=np.array([1.0, 2.0, 0.5, 3.0, 5.0]),
        loadings=loadings,
        eigenvalues=np.array(VARIANCES),
        retained=retained,
        smoothing=smoothing,
        period=period,
        t2_limit=6.12345,
        spe_limit=2.34567,
        digest=f"{seed} {retained} {smoothing} {period}",
    )


MODELS = [
    model(seed, retained, smoothing, period)
    for seed, retained, smoothing, period in product((1, 2), (1, 3), (1.0, 0.3), (40, 300))
]
RULES = st.builds(
    lambda kind, made, deadband, delays: Rule(
        TAGS,
        "rule",
        kind,
        Level.H,
        made.t2_limit if kind is RuleKind.T2 else made.spe_limit,
        deadband,
        on_delay=delays[0],
        off_delay=delays[1],
        extra=RuleExtra(inputs=(3, 0, 4, 1, 2), model=made),
    ),
    st.sampled_from([RuleKind.T2, RuleKind.SPE]),
    st.sampled_from(MODELS),
    st.sampled_from([0.0, 0.5, 2.0]),
    st.sampled_from(list(product([0, 0, 40, 80, 600], [0, 0, 50]))),
)
SILENCE = [Rule(tag, "STALE", RuleKind.STALE, Level.FAULT, window=120) for tag in range(TAGS)]
PLANTS = st.builds(
    lambda rules, silences, periods, live: Plant((*SILENCE[:silences], *rules), (*periods, 1_000), (*live, False)),
    st.lists(RULES, min_size=1, max_size=3),
    st.integers(0, TAGS),
    st.tuples(*[st.sampled_from([10, 100, 5_000])] * TAGS),
    st.tuples(*[st.booleans()] * TAGS),
)

VALUE = st.sampled_from(
    [10.0, 9.0, 11.0, 10.5, 10.0, 9.0, 10.25, 11.0, 8.0, 13.0, 2.0, 1.7e308, float("nan"), float("-inf")]
)
QUALITY = st.sampled_from([GOOD] * 9 + [UNCERTAIN, BAD])
ROW = st.tuples(st.lists(VALUE, min_size=TAGS, max_size=TAGS), st.lists(QUALITY, min_size=TAGS, max_size=TAGS))
PASSING = st.sampled_from([0, 1, 20, 30, 40, 40, 40, 40, 100, 300, 900])
WHAT = st.one_of(
    st.tuples(st.sampled_from(["row"] * 4), PASSING, ROW, st.permutations(range(TAGS)), st.integers(2, TAGS)),
    st.tuples(st.just("row"), PASSING, ROW, st.permutations(range(TAGS)), st.just(TAGS)),
    st.tuples(st.just("tick"), PASSING, st.sampled_from([Link.UP, Link.UP, Link.UP, *Link])),
    st.tuples(st.just("cut"), st.just(0)),
    st.tuples(st.just("again"), st.just(0), st.integers(0, TAGS - 1)),
)


def happenings(drawn: Sequence[tuple[Any, ...]]) -> list[Happening]:
    """Rows of some or all tags in any order, a millisecond between their arrivals and now and then in their times."""
    now = 1_000
    found: list[Happening] = []
    for what, passing, *rest in drawn:
        now += passing
        if what == "row":
            (values, qualities), order, count = rest
            for place, tag in enumerate(order[:count]):
                source = now + (place if tag == 2 else 0)
                found.append(Arrival(tag, source, now + place, values[tag], qualities[tag]))
            now += count
        elif what == "tick":
            found.append(Tick(now, rest[0]))
        elif what == "cut":
            found.append(Cut())
        else:
            found.append(PlayedAgain(rest[0]))
    return found


STREAMS = st.lists(WHAT, min_size=1, max_size=25).map(happenings)


@settings(max_examples=400)
@given(PLANTS, STREAMS)
def test_they_agree_with_the_oracle(plant: Plant, stream: list[Happening]) -> None:
    agree(plant, stream)


@settings(max_examples=150)
@given(PLANTS, STREAMS)
def test_the_split_into_blocks_changes_nothing(plant: Plant, stream: list[Happening]) -> None:
    arrivals = arrivals_of(stream)
    in_blocks = by_rule(run_engine(plant.engine(), stream_without_time(stream)))
    assert by_rule(run_engine(plant.engine(), arrivals)) == in_blocks
    one_by_one = [item for arrival in arrivals for item in (arrival, Cut())]
    assert by_rule(run_engine(plant.engine(), one_by_one)) == in_blocks


@settings(max_examples=150)
@given(PLANTS, STREAMS, st.integers(0, 60))
def test_an_engine_that_takes_over_goes_on(plant: Plant, stream: list[Happening], at: int) -> None:
    old, undisturbed = plant.engine(), plant.engine()
    run_engine(old, stream[:at])
    run_engine(undisturbed, stream[:at])
    more = replace(plant.rules[-1], key="another", setpoint=plant.rules[-1].setpoint * 2)
    new = replace(plant, rules=(*plant.rules, more)).engine()
    rows = np.arange(len(plant.rules))
    new.take_over(old, np.arange(TAGS + 1), rows)
    found = [each for each in run_engine(new, stream[at:]) if each.rule < len(rows)]
    assert by_rule(found) == by_rule(run_engine(undisturbed, stream[at:]))
    assert set(new.inside().tolist()) & set(rows.tolist()) == set(undisturbed.inside().tolist())


@settings(max_examples=150)
@given(PLANTS, STREAMS, st.integers(1, 40))
def test_readings_of_the_past_do_what_they_did_live(plant: Plant, stream: list[Happening], tall: int) -> None:
    arrivals = arrivals_of(stream)
    if not arrivals:
        return
    end = START + arrivals[-1].received + 1_500
    blocks = [block(arrivals[begin : begin + tall]) for begin in range(0, len(arrivals), tall)]
    assert past(plant.made(PastEngine), blocks, end) == live(plant.engine(), arrivals, end)


def test_infinity_is_no_good_reading_in_whatever_block() -> None:
    """It comes while a round is whole but too early, so that it is judged by what a later block holds of it."""
    usual, good = [10.0] * TAGS, [GOOD] * TAGS
    order = list(range(TAGS))
    far, endless = [*usual[:4], 1.7e308], [*usual[:3], float("-inf"), usual[4]]
    rows = [("row", 0, (usual, good), order, count) for count in (2, 2, 5)]
    drawn = [*rows, ("row", 0, (far, good), order, TAGS), ("row", 30, (endless, good), order, TAGS)]
    rule = Rule(TAGS, "T2", RuleKind.T2, Level.H, 6.12345, extra=RuleExtra(inputs=(3, 0, 4, 1, 2), model=MODELS[0]))
    plant = Plant((rule,), (10,) * TAGS + (1_000,), (False,) * (TAGS + 1))
    arrivals = arrivals_of(happenings(drawn))
    one_by_one = [item for arrival in arrivals for item in (arrival, Cut())]
    assert by_rule(run_engine(plant.engine(), one_by_one)) == by_rule(run_engine(plant.engine(), arrivals))
    agree(plant, one_by_one)


def test_streams_reach_what_is_to_be_shown() -> None:
    """The draws above toggle conditions, with tags missing among them."""
    random = np.random.default_rng(3)
    drawn: list[tuple[Any, ...]] = []
    for step in range(400):
        values = [float(v) for v in random.choice([10.0, 9.0, 11.0, 10.5, 13.0, 10.0, 9.5], TAGS)]
        qualities = [BAD if random.random() < 0.1 else GOOD for _ in range(TAGS)]
        order = [int(tag) for tag in random.permutation(TAGS)]
        drawn.append(("row", 40, (values, qualities), order, TAGS if step % 3 else 4))
    rules = tuple(
        Rule(TAGS, f"{kind.name}{place}", kind, Level.H, limit, 0.1, extra=RuleExtra(inputs=(3, 0, 4, 1, 2), model=m))
        for place, m in enumerate(MODELS)
        for kind, limit in ((RuleKind.T2, m.t2_limit), (RuleKind.SPE, m.spe_limit))
    )
    plant = Plant(rules, (40,) * (TAGS + 1), (True,) * TAGS + (False,))
    stream = happenings(drawn)
    agree(plant, stream)
    found = run_engine(plant.engine(), stream)
    assert sum(each.entered for each in found) > 100
    assert sum(any(np.isnan(value) for _, value in each.inputs) for each in found) > 20
    assert all(sorted(each.shares, reverse=True) == list(each.shares) for each in found)
    assert all(abs(sum(each.shares) - 1) < 1e-9 for each in found if each.value > 0)


def stream_without_time(stream: Sequence[Happening]) -> list[Happening]:
    return [item for item in stream if isinstance(item, Arrival | Cut)]
