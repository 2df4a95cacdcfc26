"""Scores, comparisons and sweeps against plain recomputations, one alarm and one reading at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.floods import find_floods
from domain.samples import SampleBlock
from domain.scales import Grade, Level, Quality, RuleKind
from domain.site import Enterprise, Gateway, Region, Rule, RuleExtra, RuleTable, Site, Tag, Unit
from domain.truth import Event, Truth
from service.changes.loosening import loosened_by
from service.cli.datasets import Rules
from service.config.tuned import TUNABLE, Figures
from tests.property.plants import DEVIATIONS, EXPRESSIONS, FAULTS, LIMITS, RATES, STUCK, VOTES
from tuning.backtest.result import Episodes
from tuning.backtest.run import backtest
from tuning.comparison import compare
from tuning.pairing import PairKind, pair_up
from tuning.readings.recording import About, RecordedTag, Recording, RecordingWriter
from tuning.scoring import Yardstick, score_episodes
from tuning.sweep.along import Quantity, TagReadings
from tuning.sweep.choice import loosens
from tuning.sweep.tally import Marks, tally

START = 1_750_000_000_000
TAGS = "ABC"
Spans = list[tuple[int, int]]


def yardstick() -> Yardstick:
    made = Rules(site_with([])).yardstick
    return replace(made, targets=replace(made.targets, chattering_within=60, fleeting_within=40, stale_after=500))


def site_with(rules: Sequence[Rule], period: int = 100) -> Site:
    tags = [Tag("e", name, "u", "g", "flow", low=-1e308, high=1e308, period=period) for name in TAGS]
    ordered = sorted(rules, key=lambda rule: rule.tag)
    named = [replace(rule, key=f"{rule.kind.name}{place}") for place, rule in enumerate(ordered)]
    return Site(
        regions={"1": Region("1", "r")},
        enterprises={"e": Enterprise("e", "e", "1")},
        units={("e", "u"): Unit("e", "u", "u")},
        gateways={("e", "g"): Gateway("e", "g", "g")},
        tags=tags,
        rules=RuleTable.build(named, len(tags)),
        revision="",
    )


def keyed(rules: Mapping[str, Rule], period: int = 100) -> Site:
    """A site whose rules have these keys."""
    site = site_with(sorted(rules.values(), key=lambda rule: rule.tag), period)
    keys = sorted(rules, key=lambda key: rules[key].tag)
    return replace(site, rules=replace(site.rules, key=keys))


# ---- matching alarms of two rule sets

LENGTHS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9)), max_size=9)


def spans_from(lengths: Sequence[tuple[int, int]], *, open_ended: bool) -> Spans:
    """Alarms of one condition: each ends before the next begins."""
    spans, at = [], 0
    for gap, length in lengths:
        at += gap + 1
        spans.append((at, at + length))
        at += length
    if spans and open_ended:
        spans[-1] = (spans[-1][0], -1)
    return spans


def overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    ends = [10**9 if span[1] < 0 else span[1] for span in (one, other)]
    return one[0] <= ends[1] and other[0] <= ends[0]


def columns(spans: Spans) -> tuple[np.ndarray, np.ndarray]:
    made = np.array(spans, dtype=np.int64).reshape(-1, 2)
    return made[:, 0], made[:, 1]


@given(before=LENGTHS, after=LENGTHS, old_open=st.booleans(), new_open=st.booleans())
def test_every_alarm_is_in_one_pair_and_named_for_what_the_other_set_has(
    *, before: list[tuple[int, int]], after: list[tuple[int, int]], old_open: bool, new_open: bool
) -> None:
    old, new = spans_from(before, open_ended=old_open), spans_from(after, open_ended=new_open)
    pairs = list(pair_up(columns(old), columns(new)))

    assert [pair.old for pair in pairs if pair.old is not None] == old
    assert [pair.new for pair in pairs if pair.new is not None] == new
    for pair in pairs:
        if pair.old is not None and pair.new is not None:
            assert overlap(pair.old, pair.new)
            shift = pair.new[0] - pair.old[0]
            expected = PairKind.EARLIER if shift < 0 else PairKind.LATER
            if shift == 0:
                ends = [10**9 if span[1] < 0 else span[1] for span in (pair.old, pair.new)]
                expected = (
                    PairKind.SAME if ends[0] == ends[1] else PairKind.LONGER if ends[1] > ends[0] else PairKind.SHORTER
                )
            assert pair.kind is expected
        elif pair.new is not None:
            alone = not any(overlap(pair.new, each) for each in old)
            assert pair.kind is (PairKind.ADDED if alone else PairKind.SPLIT)
        elif pair.old is not None:
            alone = not any(overlap(pair.old, each) for each in new)
            assert pair.kind is (PairKind.REMOVED if alone else PairKind.MERGED)


# ---- scores

EPISODES = st.lists(
    st.tuples(st.integers(0, 3), st.lists(st.tuples(st.integers(0, 300), st.integers(0, 700)), max_size=6)), max_size=4
)
SCORED = keyed(
    {
        "H": Rule(0, "", RuleKind.HIGH, Level.H),
        "HH": Rule(0, "", RuleKind.HIGH, Level.HH),
        "L": Rule(1, "", RuleKind.LOW, Level.L),
        "V": Rule(2, "", RuleKind.VOTE, Level.H, extra=RuleExtra(inputs=(0, 1), needed=1), grade=Grade.RED),
    }
)
EVENTS = st.lists(
    st.tuples(st.integers(0, 2000), st.integers(0, 900), st.sampled_from([(), ("e/A",), ("e/B",), ("e/C", "e/B")])),
    max_size=3,
)


@given(drawn=EPISODES, events=EVENTS, still_in=st.booleans())
def test_a_score_is_what_counting_by_hand_gives(
    *, drawn: list[tuple[int, list[tuple[int, int]]]], events: list[tuple[int, int, tuple[str, ...]]], still_in: bool
) -> None:
    of_rule = {row: [(START + a, START + b) for a, b in spans_from(spans, open_ended=False)] for row, spans in drawn}
    if still_in and of_rule.get(0):
        of_rule[0][-1] = (of_rule[0][-1][0], -1)
    rows = sorted((span[0], row, span[1]) for row, spans in of_rule.items() for span in spans)
    rule, entered_at, left_at = (np.array([each[place] for each in rows], dtype=np.int64) for place in (1, 0, 2))
    episodes = Episodes(rule, entered_at, left_at, np.zeros(len(rows)))
    end = START + 9_000
    truth = Truth(
        tuple(
            Event(f"e{place}", {}, START + begin, START + begin + length, START + begin + 400, tags)
            for place, (begin, length, tags) in enumerate(events)
        )
    )
    told = score_episodes(SCORED, episodes, START, end, truth, yardstick())

    def looks_at(row: int, event: Event) -> bool:
        tags = {0: {"e/A"}, 1: {"e/A"}, 2: {"e/B"}, 3: {"e/A", "e/B", "e/C"}}[row]
        return not event.tags or bool(tags & set(event.tags))

    alarms = [(entered, row, end if left < 0 else left) for entered, row, left in rows]
    for outcome in told.outcomes:
        event = outcome.event
        found = [
            (entered, row) for entered, row, _ in alarms if looks_at(row, event) and event.begin <= entered <= event.end
        ]
        assert outcome.found is bool(found)
        assert outcome.alarms == len(found)
        if found:
            entered, row = min(found)
            assert (outcome.rule, outcome.delay) == (SCORED.rule_path(row), entered - event.begin)
            assert outcome.lead == event.begin + 400 - entered
    false = [
        (entered, row)
        for entered, row, left in alarms
        if not any(looks_at(row, e) and entered <= e.end and left >= e.begin for e in truth.events)
    ]
    assert told.false == (len(false) if truth.events else None)
    for figures in told.rules:
        own = [(entered, left) for entered, row, left in alarms if row == figures.row]
        ended = [left for _, row, left in rows if row == figures.row and left >= 0]
        moved = sorted([entered for entered, _ in own] + ended)
        in_row = {
            place + step
            for place in range(len(moved) - 2)
            if moved[place + 2] - moved[place] <= 60
            for step in range(3)
        }
        short = [s for s, left in zip(own, (r[2] for r in rows if r[1] == figures.row), strict=True) if left >= 0]
        assert figures.count == len(own)
        assert figures.time_in == sum(left - entered for entered, left in own)
        assert figures.chattering == len(in_row)
        assert figures.fleeting == sum(left - entered < 40 for entered, left in short)
        assert figures.stale == sum(left - entered > 500 for entered, left in own)
    assert {each.row for each in told.rules} == {row for _, row, _ in alarms}
    assert told.figures.priorities[Grade.RED] == sum(row == 3 for _, row, _ in alarms)
    assert told.figures.priorities[Grade.YELLOW] == sum(row == 1 for _, row, _ in alarms)


@given(st.lists(st.integers(0, 3_000_000), max_size=60))
def test_floods_are_those_of_a_count_at_every_instant(times: list[int]) -> None:
    end = 3_200_000
    ends = {at + 600_000 for at in times if at + 600_000 <= end}
    expected: list[tuple[int, int, int]] = []
    began: int | None = None
    for now in sorted({*times, *ends}):
        if began is not None and sum(now - 600_000 < at < now for at in times) < 2:
            expected.append((began, now, sum(began - 600_000 < at < now for at in times)))
            began = None
        if began is None and sum(now - 600_000 < at <= now for at in times) > 4:
            began = now
    if began is not None:
        expected.append((began, end, sum(began - 600_000 < at for at in times)))
    found = find_floods(sorted(times), end, 4, 2)
    assert [(each.began_at, each.ended_at, each.alarms) for each in found] == expected


# ---- readings

VALUES = [10.0, 20.0, 5.0, 9.0, 19.0, 15.0, 6.0, 9.5, 0.0, 25.0, 12.0, 8.0, float("nan"), float("inf")]
READING = st.tuples(
    st.sampled_from([1, 10, 50, 100, 100, 100, 300, 2500, -20, 0]),
    st.sampled_from(VALUES),
    st.sampled_from([Quality.GOOD, Quality.GOOD, Quality.GOOD, Quality.UNCERTAIN, Quality.BAD]),
    st.integers(0, 2),
)
STREAM = st.lists(READING, max_size=60)
TRANSIT = 7
"""ms that readings take to arrive."""


def recorded(folder: str, stream: Sequence[tuple[int, float, Quality, int]]) -> Recording:
    path = Path(folder) / "data.parquet"
    at = START + np.cumsum([each[0] for each in stream], dtype=np.int64)
    block = SampleBlock(
        np.array([each[3] for each in stream], dtype=np.int32),
        at,
        at + TRANSIT,
        np.array([each[1] for each in stream], dtype=np.float64),
        np.array([each[2] for each in stream], dtype=np.uint8),
        np.zeros(len(stream), dtype=np.uint8),
    )
    with RecordingWriter(path, About(tuple(RecordedTag(f"e/{name}") for name in TAGS), live_clock=True)) as writer:
        writer.write(block)
    return Recording(path)


def by_path(site: Site, episodes: Episodes) -> dict[str, Spans]:
    found: dict[str, Spans] = {}
    for rule, entered, left in zip(
        episodes.rule.tolist(), episodes.entered_at.tolist(), episodes.left_at.tolist(), strict=True
    ):
        found.setdefault(site.rule_path(rule), []).append((entered, left))
    return found


ALONG = st.one_of(LIMITS, LIMITS, RATES, DEVIATIONS)


@settings(max_examples=100)
@given(STREAM, st.lists(ALONG, min_size=1, max_size=6), st.sampled_from([10, 100, 5000]))
def test_versions_along_time_do_what_the_backtest_does(
    stream: list[tuple[int, float, Quality, int]], rules: list[Rule], period: int
) -> None:
    site = site_with(rules, period)
    with TemporaryDirectory() as folder:
        recording = recorded(folder, stream)
        truth = by_path(site, backtest(site, recording, workers=1).episodes)
        for row in range(len(site.rules)):
            rule = site.rules.row(row)
            readings = TagReadings.recorded(site, recording, rule.tag, None, None)
            assert readings is not None
            quantity = Quantity(readings, rule)
            if quantity.exact:
                entered, left = quantity.episodes(rule)
                spans = list(zip(entered.tolist(), left.tolist(), strict=True))
                assert spans == truth.get(site.rule_path(row), [])


KEYED = st.dictionaries(
    st.sampled_from(["K1", "K2", "K3", "K4"]),
    st.one_of(LIMITS, RATES, DEVIATIONS, STUCK, FAULTS, VOTES, EXPRESSIONS),
    min_size=1,
)


@settings(max_examples=80)
@given(STREAM, KEYED, KEYED, st.sets(st.sampled_from(["K1", "K2", "K3", "K4"])), st.sampled_from([100, 5000]))
def test_a_comparison_is_that_of_two_backtests(
    stream: list[tuple[int, float, Quality, int]],
    before: dict[str, Rule],
    after: dict[str, Rule],
    kept: set[str],
    period: int,
) -> None:
    after = after | {key: rule for key, rule in before.items() if key in kept}
    old, new = keyed(before), keyed(after, period)
    with TemporaryDirectory() as folder:
        recording = recorded(folder, stream)
        alone = [by_path(site, backtest(site, recording, workers=1).episodes) for site in (old, new)]
        found = compare(old, new, recording, yardstick(), whole=True, workers=1)
        assert by_path(old, found.old_episodes) == alone[0]
        assert by_path(new, found.new_episodes) == alone[1]
        changed = compare(old, new, recording, yardstick(), workers=1)
    paths = {change.path for change in changed.rules}
    assert by_path(old, changed.old_episodes) == {path: spans for path, spans in alone[0].items() if path in paths}
    assert by_path(new, changed.new_episodes) == {path: spans for path, spans in alone[1].items() if path in paths}
    for path in {*alone[0], *alone[1]} - paths:
        assert alone[0].get(path) == alone[1].get(path)
    for change in found.rules:
        told = sum(change.counts.values())
        gone = change.counts[PairKind.REMOVED] + change.counts[PairKind.MERGED]
        come = change.counts[PairKind.ADDED] + change.counts[PairKind.SPLIT]
        assert (change.old_alarms, change.new_alarms) == (told - come, told - gone)


@given(lengths=LENGTHS, events=EVENTS, still_in=st.booleans())
def test_a_sweep_counts_as_a_score_does(
    *, lengths: list[tuple[int, int]], events: list[tuple[int, int, tuple[str, ...]]], still_in: bool
) -> None:
    spans = spans_from([(gap * 40, length * 30) for gap, length in lengths], open_ended=still_in)
    spans = [(START + a, b if b < 0 else START + b) for a, b in spans]
    entered, left = columns(spans)
    end = START + 9_000
    truth = Truth(
        tuple(
            Event(f"e{place}", {}, START + begin, START + begin + length, None, tags)
            for place, (begin, length, tags) in enumerate(events)
        )
    )
    stick = yardstick()
    episodes = Episodes(np.zeros(len(spans), dtype=np.int64), entered, left, np.zeros(len(spans)))
    told = score_episodes(SCORED, episodes, START, end, truth, stick)
    counted = tally([(entered, left)], 1, Marks.of_truth(SCORED, 0, truth), end, stick.targets)
    assert int(counted.false[0]) == (told.false or 0)
    own = told.rules[0] if told.rules else None
    for name in ("time_in", "chattering", "fleeting", "stale"):
        assert int(getattr(counted, name)[0]) == (0 if own is None else getattr(own, name))
    here = [told.outcomes[number] for number in counted.marks.number.tolist()]
    assert counted.first[0].tolist() == [-1 if each.entered_at is None else each.entered_at for each in here]
    elsewhere = [each for number, each in enumerate(told.outcomes) if number not in counted.marks.number.tolist()]
    assert not any(each.found for each in elsewhere)


FIGURES = st.tuples(
    st.integers(0, 4), st.integers(0, 3), st.sampled_from([0, 5]), st.sampled_from([0, 5]), st.sampled_from([10, 20])
)
SWEPT_KINDS = st.sampled_from([RuleKind.HIGH, RuleKind.LOW, RuleKind.RISE, RuleKind.STUCK, RuleKind.DEVIATION])


@given(SWEPT_KINDS, FIGURES, FIGURES)
def test_a_sweep_calls_looser_what_change_control_does(
    kind: RuleKind, before: tuple[int, int, int, int, int], after: tuple[int, int, int, int, int]
) -> None:
    made = []
    for setpoint, deadband, on_delay, off_delay, window in (before, after):
        windowed = window if "window" in TUNABLE[kind] else 0
        made.append(Rule(0, "R", kind, Level.H, float(setpoint), float(deadband), on_delay, off_delay, windowed))
    old, new = (Figures.of(site_with([rule]), 0) for rule in made)
    assert loosens(*made) is bool(loosened_by(kind, old, new))


def test_all_kinds_of_pairs_are_met() -> None:
    kinds = {
        pair.kind
        for old, new in product([[(1, 9)], [(1, 3), (5, 6)], [(2, -1)], [(1, 4)]], repeat=2)
        for pair in pair_up(columns(old), columns(new))
    }
    assert kinds == {*PairKind}
