"""Plants and streams of readings for property tests of the rules, and what feeds engine and oracle with them."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import product
from typing import TypeVar

import numpy as np
from hypothesis import strategies as st

from domain.samples import SampleBlock
from domain.scales import Level, Quality, RuleKind
from domain.site import ModeLimit, ModeSpan, Reference, Rule, RuleExtra, RuleTable, Selector
from domain.transitions import Transition
from rules.engine import RuleEngine, TagColumns
from rules.expressions import Expression, parse
from tests.property.oracle import Meaning, Oracle, Watched, by_rule

START = 1_750_000_000_000
TOLERANCE = 100
LATENESS = 400
TAGS = 3

GOOD, UNCERTAIN, BAD = Quality.GOOD, Quality.UNCERTAIN, Quality.BAD


def _greater(value: float | None, limit: float) -> bool | None:
    return None if value is None or math.isinf(value) else value > limit


def _any(*parts: bool | None) -> bool | None:
    return True if True in parts else None if None in parts else False


def _all(*parts: bool | None) -> bool | None:
    return False if False in parts else None if None in parts else True


def _apart(one: float | None, other: float | None) -> bool | None:
    known = one is not None and other is not None and math.isfinite(one) and math.isfinite(other)
    return _greater(one - other, 5.0) if known and one is not None and other is not None else None


MEANINGS: dict[str, Meaning] = {
    "B > 10": lambda v: _greater(v[0], 10.0),
    "A > 9 or B > 19": lambda v: _any(_greater(v[0], 9.0), _greater(v[1], 19.0)),
    "C > 5 and A > 9 and B > 9": lambda v: _all(_greater(v[0], 5.0), _greater(v[1], 9.0), _greater(v[2], 9.0)),
    "A - C > 5": lambda v: _apart(v[0], v[1]),
}
"""What expressions say of the values of their tags, in the order of their names."""


Engine = TypeVar("Engine", bound=RuleEngine)


@dataclass(frozen=True)
class Plant:
    """Rules and tags under test, in the table's order."""

    rules: tuple[Rule, ...]
    periods: tuple[int, ...]
    live_clocks: tuple[bool, ...]
    selectors: tuple[Selector, ...] = ()

    @property
    def table(self) -> RuleTable:
        return RuleTable.build(self.rules, len(self.periods))

    def engine(self) -> RuleEngine:
        return self.made(RuleEngine)

    def made(self, kind: type[Engine]) -> Engine:
        tags = TagColumns(np.array(self.periods), np.array(self.live_clocks))
        return kind(self.table, tags, LATENESS, TOLERANCE, self._programs(), self.selectors)

    def oracle(self) -> Oracle:
        meanings = {row: MEANINGS[text] for row, text in self._expressions().items()}
        return Oracle(self.rules, self.periods, self.live_clocks, TOLERANCE, self.selectors, meanings)

    def _expressions(self) -> dict[int, str]:
        return {
            row: rule.extra.expression for row, rule in enumerate(self.rules) if rule.extra and rule.extra.expression
        }

    def _programs(self) -> dict[int, Expression]:
        return {row: parse(text, "ABC".__contains__) for row, text in self._expressions().items()}


@dataclass(frozen=True)
class Arrival:
    """One sample; ``received`` is ms after ``START``."""

    tag: int
    source: int
    received: int
    value: float
    quality: Quality


class Link(Enum):
    """The service's own connection to the broker."""

    UP = "up"
    DOWN = "down"
    UP_AGAIN = "up again"


@dataclass(frozen=True)
class Tick:
    """The service's clock stands at ``now`` ms after ``START``."""

    now: int
    link: Link = Link.UP


@dataclass(frozen=True)
class Cut:
    """A block ends."""


@dataclass(frozen=True)
class PlayedAgain:
    """The recording that a tag's samples come from begins anew."""

    tag: int


Happening = Arrival | Tick | Cut | PlayedAgain


def block(arrivals: Iterable[Arrival]) -> SampleBlock:
    rows = list(arrivals)
    return SampleBlock.of(
        [a.tag for a in rows],
        [START + a.source for a in rows],
        [START + a.received for a in rows],
        [a.value for a in rows],
        [a.quality for a in rows],
        [0] * len(rows),
    )


# Draws from short lists, few for each rule and each sample: quick, and even.
DELAYS = st.sampled_from(list(product([0, 0, 0, 1, 50, 100, 300, 10_000_000], repeat=2)))
LIMITS = st.builds(
    lambda rule, delays: replace(rule, on_delay=delays[0], off_delay=delays[1]),
    st.sampled_from(
        [
            Rule(tag, "rule", kind, Level.H, setpoint, deadband)
            for kind, setpoint in ((RuleKind.HIGH, 10.0), (RuleKind.LOW, 5.0), (RuleKind.HIGH, 20.0))
            for tag, deadband in product(range(TAGS), (0.0, 0.0, 1.0, 5.0, 1000.0))
        ]
    ),
    DELAYS,
)
RATES = st.builds(
    lambda rule, delays, window: replace(rule, on_delay=delays[0], off_delay=delays[1], window=window),
    st.sampled_from(
        [
            Rule(tag, "rule", kind, Level.H, setpoint, deadband)
            for kind, setpoint in product((RuleKind.RISE, RuleKind.FALL), (10.0, 50.0, 100.0, 0.0))
            for tag, deadband in product(range(TAGS), (0.0, 5.0, 50.0))
        ]
    ),
    DELAYS,
    st.sampled_from([100, 50, 200, 1000, 1, 0]),
)
FAULTS = st.builds(
    lambda rule, delays: replace(rule, on_delay=delays[0], off_delay=delays[1]),
    st.sampled_from(
        [
            Rule(tag, "rule", kind, Level.FAULT, window=window)
            for kind, tag, window in product((RuleKind.BAD, RuleKind.STALE), range(TAGS), (60, 300))
        ]
    ),
    DELAYS,
)

EXTRAS = {
    "A > 9 or B > 19": (0, 1),
    "B > 10": (1,),
    "C > 5 and A > 9 and B > 9": (2, 0, 1),
    "A - C > 5": (0, 2),
}
EXPRESSIONS = st.builds(
    lambda rule, delays: replace(rule, on_delay=delays[0], off_delay=delays[1]),
    st.sampled_from(
        [
            Rule(tag, "rule", RuleKind.EXPRESSION, Level.H, extra=RuleExtra(expression=text, inputs=inputs))
            for tag, (text, inputs) in product((0, TAGS - 1), EXTRAS.items())
        ]
    ),
    DELAYS,
)
VOTES = st.builds(
    lambda rule, delays: replace(rule, on_delay=delays[0], off_delay=delays[1]),
    st.sampled_from(
        [
            Rule(tag, "rule", RuleKind.VOTE, Level.HH, 10.0, deadband, extra=RuleExtra(inputs=seats, needed=m, low=low))
            for tag, deadband, low in product((0, TAGS - 1), (0.0, 1.0, 5.0), (False, True))
            for seats in ((0, 1, 2), (2, 0, 1), (1, 2))
            for m in range(1, len(seats) + 1)
        ]
    ),
    DELAYS,
)
REFERENCES = (
    Reference("constant", 10.0),
    *(Reference("tag", tag=tag) for tag in range(TAGS)),
    *(Reference("median", window=window) for window in (50, 200, 1000)),
)
DEVIATIONS = st.builds(
    lambda rule, delays: replace(rule, on_delay=delays[0], off_delay=delays[1]),
    st.sampled_from(
        [
            Rule(
                tag, "rule", RuleKind.DEVIATION, Level.H, 5.0, deadband, extra=RuleExtra(side=side, reference=reference)
            )
            for tag, deadband, side, reference in product(
                range(TAGS), (0.0, 1.0), ("both", "above", "below"), REFERENCES
            )
            if reference.tag != tag
        ]
    ),
    DELAYS,
)
STUCK = st.builds(
    lambda rule, delays: replace(rule, on_delay=delays[0], off_delay=delays[1]),
    st.sampled_from(
        [
            Rule(tag, "rule", RuleKind.STUCK, Level.FAULT, band, window=window)
            for tag, band, window in product(range(TAGS), (0.0, 1.0, 5.0), (0, 10, 100, 300))
        ]
    ),
    DELAYS,
)
MODES = st.builds(
    lambda rule, selector, modes: replace(
        rule, extra=replace(rule.extra or RuleExtra(), selector=selector, modes=modes)
    ),
    st.one_of(LIMITS, RATES, DEVIATIONS),
    st.sampled_from([0, 1]),
    st.sampled_from(
        [
            (ModeLimit("start", 20.0), ModeLimit("stop", None)),
            (ModeLimit("start", None), ModeLimit("stop", 9.0, 5.0)),
            (ModeLimit("stop", 10.0, 1.0),),
        ]
    ),
)
NO_SELECTORS: st.SearchStrategy[tuple[Selector, ...]] = st.just(())
SELECTORS: st.SearchStrategy[tuple[Selector, ...]] = st.tuples(
    st.sampled_from([Selector("u", tag, (("start", 9.0, 12.0), ("stop", -5.0, 10.0))) for tag in range(TAGS)]),
    st.sampled_from(
        [
            # START is 23:06:40 in Shanghai on a Sunday.
            Selector("u", schedule=(ModeSpan("start", days, begin, end), ModeSpan("stop", (), begin + 30, begin + 200)))
            for days in ((), (6,), (0, 6), (1,))
            for begin in (83_201_000, 83_201_100, 86_000_000)
            for end in (83_201_050, 83_201_500, 1_000)
        ]
    ),
)


def plants(
    *rules: st.SearchStrategy[Rule], selectors: st.SearchStrategy[tuple[Selector, ...]] = NO_SELECTORS
) -> st.SearchStrategy[Plant]:
    return st.builds(
        Plant,
        selectors=selectors,
        rules=st.lists(st.one_of(*rules), min_size=1, max_size=7).map(
            lambda drawn: tuple(sorted(drawn, key=lambda rule: rule.tag))
        ),
        periods=st.sampled_from(list(product([10, 100, 5000], repeat=TAGS))),
        live_clocks=st.sampled_from(list(product([True, False], repeat=TAGS))),
    )


ON_THE_LIMITS = [10.0, 20.0, 5.0, 9.0, 19.0, 15.0, 6.0]
BESIDE_THEM = [math.nextafter(10.0, 0.0), math.nextafter(9.0, 0.0), math.nextafter(5.0, 9.0), math.nextafter(5.0, 0.0)]
ELSEWHERE = [9.5, 0.0, 25.0, 12.0, 8.0, 1.7e308, -1.7e308, math.nan, math.inf, -math.inf]
# ms that pass before a sample comes, and how far its source time is from then: in order, late, ahead, far ahead.
PASSING = [0, 0, 0, 1, 10, 10, 50, 50, 100, 2500]
OFFSETS = [0, 0, 0, 0, 0, -10, -50, -LATENESS, -LATENESS - 1, 50, TOLERANCE, TOLERANCE + 1, 200, 300, 3000]
TIMES = list(product(PASSING, OFFSETS))
CUTS = [(0, None)] * 20
TICKS = list(product([0, 1, 50, 100, 300, 3000], [Link.UP, Link.UP, *Link]))
PLAYED_AGAIN = [(0, PlayedAgain(tag)) for tag in range(TAGS)] * 2
SET_BACK = list(product([-3, -70, -500], [Link.UP] * 5))
CONTENTS = list(
    product(
        [*ON_THE_LIMITS, *ON_THE_LIMITS, *BESIDE_THEM, *ELSEWHERE],
        [GOOD, GOOD, GOOD, UNCERTAIN, BAD],
        range(TAGS),
    )
)

TimeDraw = tuple[int, int | Link | PlayedAgain | None]
ContentDraw = tuple[float, Quality, int]


def streams(others: Sequence[TimeDraw] = ()) -> st.SearchStrategy[list[Happening]]:
    """Samples, with an end of a block and, from ``others``, a tick of the clock now and then."""
    drawn = st.tuples(st.sampled_from([*TIMES, *CUTS, *others]), st.sampled_from(CONTENTS))
    short, long = (st.lists(drawn, min_size=least, max_size=45) for least in (1, 20))
    return st.one_of(short, long).map(_happenings)


def _happenings(drawn: list[tuple[TimeDraw, ContentDraw]]) -> list[Happening]:
    """The clock runs through all that was drawn."""
    now = 1_000
    happenings: list[Happening] = []
    for (passing, what), (value, quality, tag) in drawn:
        now += passing
        if what is None:
            happenings.append(Cut())
        elif isinstance(what, Link):
            happenings.append(Tick(now, what))
        elif isinstance(what, PlayedAgain):
            happenings.append(what)
        else:
            happenings.append(Arrival(tag, now + what, now, value, quality))
    return happenings


def arrivals_of(stream: Sequence[Happening]) -> list[Arrival]:
    return [item for item in stream if isinstance(item, Arrival)]


def run_engine(engine: RuleEngine, stream: Sequence[Happening]) -> list[Transition]:
    """Feed a stream to an engine, block by block."""
    found: list[Transition] = []
    waiting: list[Arrival] = []

    def flush() -> None:
        came = engine.evaluate(block(waiting))
        assert came == sorted(came, key=lambda t: (t.received_time, t.rule)), "a block's transitions are in order"
        found.extend(came)
        waiting.clear()

    for item in stream:
        if isinstance(item, Arrival):
            waiting.append(item)
        else:
            flush()
            if isinstance(item, Tick):
                found.extend(pass_time(engine, item))
            elif isinstance(item, PlayedAgain):
                engine.begin_anew(np.array([item.tag]))
    flush()
    return found


def run_oracle(oracle: Oracle, stream: Sequence[Happening]) -> list[Transition]:
    """Feed the same stream to the oracle, one sample at a time."""
    found: list[Transition] = []
    for item in stream:
        if isinstance(item, Arrival):
            found += oracle.read(item.tag, START + item.source, START + item.received, item.value, item.quality)
        elif isinstance(item, Tick):
            found += pass_time(oracle, item)
        elif isinstance(item, PlayedAgain):
            oracle.begin_anew([item.tag])
    return found


def pass_time(machine: RuleEngine | Oracle, tick: Tick) -> list[Transition]:
    if tick.link is Link.UP_AGAIN:
        machine.await_readings(START + tick.now)
    return machine.advance(START + tick.now, connected=tick.link is not Link.DOWN)


def agree(plant: Plant, stream: Sequence[Happening]) -> None:
    engine, oracle = plant.engine(), plant.oracle()
    engine.await_readings(START)
    oracle.await_readings(START)
    assert by_rule(run_engine(engine, stream)) == by_rule(run_oracle(oracle, stream))
    assert engine.inside().tolist() == [index for index, (_, m) in enumerate(oracle.rules) if m.inside]
    assert newest(engine) == [newest_of(tag) for tag in oracle.tags]


def newest(engine: RuleEngine) -> list[tuple[int, int, float | None, int]]:
    latest = engine.latest
    columns = (latest.source_time, latest.received_time, latest.value, latest.quality)
    return [
        (source, received, None if math.isnan(value) else value, quality)
        for source, received, value, quality in zip(*(column.tolist() for column in columns), strict=True)
    ]


def newest_of(tag: Watched) -> tuple[int, int, float | None, int]:
    if tag.newest is None:
        return 0, 0, None, 0
    value = None if math.isnan(tag.newest.value) else tag.newest.value
    return tag.newest.source_time, tag.newest.received_time, value, tag.newest.quality
