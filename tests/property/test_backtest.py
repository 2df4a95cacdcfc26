"""Readings of the past in tall blocks do what they did live, reading for reading."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.samples import SampleBlock
from domain.scales import Level, RuleKind
from domain.site import Enterprise, Gateway, Rule, Site, Tag, Unit
from rules.engine import RuleEngine
from rules.medians import LEAST, rolling_medians
from rules.past import Found, PastEngine
from rules.ticks import TICK
from tests.property.plants import (
    DEVIATIONS,
    EXPRESSIONS,
    FAULTS,
    GOOD,
    LATENESS,
    LIMITS,
    MODES,
    RATES,
    SELECTORS,
    START,
    STUCK,
    TOLERANCE,
    UNCERTAIN,
    VOTES,
    Arrival,
    Cut,
    Happening,
    Plant,
    block,
    plants,
    streams,
)
from tuning.backtest.result import Transitions
from tuning.backtest.run import backtest
from tuning.readings.recording import About, RecordedTag, Recording, RecordingWriter

ALL = (LIMITS, RATES, FAULTS, DEVIATIONS, STUCK, VOTES, EXPRESSIONS)
Story = dict[int, list[tuple[bool, int, int, float | None]]]


def live(engine: RuleEngine, arrivals: Sequence[Arrival], end: int, begin: int = START) -> Story:
    """As the service feeds it: what has arrived together, and four times a second that time passes."""
    engine.await_readings(begin)
    story: Story = {}
    waiting = list(arrivals)
    now = -(-begin // TICK) * TICK
    while now <= end or waiting:
        found = []
        while waiting and START + waiting[0].received <= min(now, end):
            together = [each for each in waiting if each.received == waiting[0].received]
            waiting = waiting[len(together) :]
            usual, _ = engine.split_late(block(together))
            found += engine.evaluate(usual)
        if now <= end:
            found += engine.advance(now)
        for each in found:
            value = None if math.isnan(each.value) else each.value
            story.setdefault(each.rule, []).append((each.entered, each.source_time, each.received_time, value))
        now += TICK
    return story


def past(engine: PastEngine, blocks: Sequence[SampleBlock], end: int) -> Story:
    engine.await_readings(START)
    for each in blocks:
        usual, _ = engine.split_late(each)
        engine.carry(usual)
    engine.finish(end)
    return story_of(engine.take())


def story_of(found: Found | Transitions) -> Story:
    story: Story = {}
    columns = (found.rule, found.entered, found.source_time, found.received_time, found.value)
    for rule, entered, source, received, value in zip(*(column.tolist() for column in columns), strict=True):
        story.setdefault(rule, []).append((entered, source, received, None if math.isnan(value) else value))
    return story


def blocks_of(stream: Sequence[Happening]) -> list[SampleBlock]:
    blocks: list[list[Arrival]] = [[]]
    for item in stream:
        if isinstance(item, Arrival):
            blocks[-1].append(item)
        elif isinstance(item, Cut):
            blocks.append([])
    return [block(each) for each in blocks if each]


def equal(plant: Plant, stream: Sequence[Happening], rest: int, tall: int) -> None:
    """``tall``: readings of one tag from which on they are evaluated along time."""
    arrivals = [item for item in stream if isinstance(item, Arrival)]
    end = START + max((each.received for each in arrivals), default=0) + rest
    then = live(plant.engine(), arrivals, end)
    with patch("rules.arrivals.TALL", tall), patch("rules.rates.PIECE", 2), patch("rules.rates.WORTH_SKIPPING", 3):
        assert past(plant.made(PastEngine), blocks_of(stream), end) == then


TALL = st.sampled_from([1, 1, 3, 1_000])
REST = st.sampled_from([0, 0, 249, 250, 5_000])


@settings(max_examples=200)
@given(plants(LIMITS, RATES, FAULTS), streams(), REST, TALL)
def test_limits_rates_and_faults_do_what_they_did_live(
    plant: Plant, stream: list[Happening], rest: int, tall: int
) -> None:
    equal(plant, stream, rest, tall)


@settings(max_examples=300)
@given(plants(*ALL), streams(), REST, TALL)
def test_all_kinds_do_what_they_did_live(plant: Plant, stream: list[Happening], rest: int, tall: int) -> None:
    equal(plant, stream, rest, tall)


@settings(max_examples=300)
@given(plants(MODES, MODES, MODES, FAULTS, *ALL, selectors=SELECTORS), streams(), REST, TALL)
def test_modes_of_operation_hold_when_they_held_live(
    plant: Plant, stream: list[Happening], rest: int, tall: int
) -> None:
    equal(plant, stream, rest, tall)


@settings(max_examples=25)
@given(st.integers(0, 2**32), st.sampled_from([1, 3, 32]), st.sampled_from([1, 40, 300]), st.sampled_from([300, 3_000]))
def test_rates_are_looked_for_in_all_stretches_where_they_may_be(seed: int, piece: int, worth: int, rows: int) -> None:
    """Long calm stretches with ramps, steps and pauses between them."""
    random = np.random.default_rng(seed)
    count = 3_000
    period = 100
    steps = random.normal(0, 0.05, count)
    for begin in random.integers(0, count, 4).tolist():
        steps[begin : begin + int(random.integers(1, 120))] += random.choice([-1, 1]) * random.choice([0.2, 0.5, 6])
    value = np.cumsum(steps - np.cumsum(steps) * random.choice([0, 0.01]))
    pauses = np.where(random.random(count) < 0.002, random.integers(1, 6_000), 0)
    source = np.cumsum(np.full(count, period) + pauses)
    received = np.maximum.accumulate(source + random.choice([0, 20, 60, 400], count, p=[0.6, 0.3, 0.09, 0.01]))
    rules = tuple(
        Rule(
            tag=0,
            key=f"R{number}",
            kind=kind,
            level=Level.H,
            setpoint=float(random.choice([0.5, 1.5, 3])),
            deadband=float(random.choice([0, 0.3])),
            on_delay=int(random.choice([0, 500, 2_000])),
            off_delay=int(random.choice([0, 700])),
            window=int(random.choice([250, 1_000, 5_000])),
        )
        for number, kind in enumerate([RuleKind.RISE, RuleKind.FALL, RuleKind.RISE])
    )
    plant = Plant(rules, (period,), (False,))
    quality = [GOOD if good else UNCERTAIN for good in (random.random(count) < 0.999).tolist()]
    rows_of = zip(source.tolist(), received.tolist(), value.tolist(), quality, strict=True)
    arrivals = [Arrival(0, *row) for row in rows_of]
    blocks = [block(arrivals[begin : begin + rows]) for begin in range(0, count, rows)]
    end = START + int(received[-1]) + 5_000
    with patch("rules.rates.PIECE", piece), patch("rules.rates.WORTH_SKIPPING", worth):
        assert past(plant.made(PastEngine), blocks, end) == live(plant.engine(), arrivals, end)


@given(
    st.lists(st.sampled_from([0.0, 1.0, 2.5, -3.0, 1e308, -1e308]), min_size=1, max_size=40),
    st.lists(st.tuples(st.integers(0, 39), st.integers(0, 8)), min_size=1, max_size=60),
    st.sampled_from([1, 4, 1_000]),
)
def test_medians_of_many_stretches(values: list[float], stretches: list[tuple[int, int]], rare: int) -> None:
    first = np.array([min(begin, len(values)) for begin, _ in stretches])
    end = np.minimum(first + [length for _, length in stretches], len(values))
    with patch("rules.medians.RARE", rare):
        found = rolling_medians(np.array(values), first, end)
    for median, begin, after in zip(found.tolist(), first.tolist(), end.tolist(), strict=True):
        own = sorted(values[begin:after])
        half = len(own) // 2
        expected = own[half] if len(own) % 2 else own[half - 1] / 2 + own[half] / 2 if own else math.nan
        assert median == expected if len(own) >= LEAST else math.isnan(median)


# ---- through a file


def site_of(plant: Plant) -> Site:
    """A site of the plant's tags A, B and C."""
    clocks = ["live" if live else "source" for live in plant.live_clocks]
    names = "ABC"[: len(plant.periods)]
    return Site(
        regions={},
        enterprises={"e": Enterprise("e", "e", "370000")},
        units={("e", "u"): Unit("e", "u", "u")},
        gateways={("e", name): Gateway("e", name, name, clock) for name, clock in zip(names, clocks, strict=True)},
        tags=[
            Tag("e", name, "u", name, "level", period=period) for name, period in zip(names, plant.periods, strict=True)
        ],
        rules=plant.table,
        revision="",
        selectors=plant.selectors,
    )


@settings(max_examples=60)
@given(plants(MODES, FAULTS, *ALL, selectors=SELECTORS), streams(), st.sampled_from([1, 3, 1_000]), st.booleans())
def test_a_recording_is_evaluated_as_its_stream_was(
    plant: Plant,
    stream: list[Happening],
    rows: int,
    live_clock: bool,  # noqa: FBT001
) -> None:
    """Written as it came, read back tag by tag and merged, and evaluated component by component."""
    if not live_clock:
        plant = replace(plant, live_clocks=(False,) * len(plant.live_clocks))
    arrivals = [
        replace(item, value=item.value if math.isfinite(item.value) else 7.0)
        for item in stream
        if isinstance(item, Arrival)
    ]
    begin = START + min((each.received for each in arrivals), default=0)
    end = START + max((each.received for each in arrivals), default=0)
    site = site_of(plant)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "stream.parquet"
        about = About(tuple(RecordedTag(tag.path) for tag in reversed(site.tags)), live_clock=live_clock)
        with RecordingWriter(path, about) as writer:
            for each in blocks_of([*arrivals[:3], Cut(), *arrivals[3:]]):
                writer.write(replace(each, tag=len(site.tags) - 1 - each.tag))
        with patch("tuning.readings.recording.LEAST_ROWS", rows), patch("tuning.readings.recording.MERGED_ROWS", 0):
            found = backtest(site, Recording(path), lateness=LATENESS, clock_tolerance=TOLERANCE, workers=1)
    if arrivals:
        assert story_of(found.transitions) == live(plant.engine(), arrivals, end, begin)
    else:
        assert not len(found.transitions)
