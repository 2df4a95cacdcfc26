"""What does not loosen a rule costs no alarm: whenever the old condition is in, the new one is in, since no later."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.components import ComponentModel
from domain.samples import SampleBlock
from domain.scales import Level, Quality, RuleKind
from domain.site import ModeLimit, Reference, Rule, RuleExtra, RuleTable, Selector
from rules.engine import RuleEngine, TagColumns
from rules.expressions import parse
from service.changes.loosening import loosened_by
from service.config.tuned import TUNABLE, Figures

START = 1_750_000_000_000
TAGS = 3
MODES = (ModeLimit("low", 6.0), ModeLimit("off", None), ModeLimit("own", 4.0, 1.0))
SELECTOR = Selector("works/unit", 2, (("low", 0.0, 2.0), ("off", 3.0, 4.0), ("own", 5.0, 6.0)))

MODEL = ComponentModel(
    names=("A", "B", "C"),
    units=("",) * 3,
    mean=np.full(3, 6.0),
    scale=np.full(3, 3.0),
    loadings=np.linalg.qr(np.array([[2.0, 1.0, 0.0], [1.0, -2.0, 1.0], [1.0, 0.0, 3.0]]))[0],
    eigenvalues=np.array([1.6, 1.0, 0.4]),
    retained=2,
    smoothing=1.0,
    period=1_000,
    t2_limit=1.7,
    spe_limit=1.7,
    digest="loosening",
)

grid = st.integers(0, 8).map(float)
delays = st.sampled_from([0, 0, 1_000, 2_500, 5_000])
windows = st.sampled_from([1_000, 3_000, 6_000])
kinds = st.sampled_from([kind for kind in TUNABLE if kind is not RuleKind.DEVIATION]) | st.just(RuleKind.DEVIATION)
readings = st.lists(
    st.tuples(
        st.sampled_from([0, 0, 0, 0, 1, 2]),
        st.sampled_from([500, 1_000, 1_000, 3_000]),
        st.integers(0, 9).map(float),
        st.sampled_from([Quality.GOOD] * 8 + [Quality.UNCERTAIN, Quality.BAD]),
    ),
    min_size=4,
    max_size=40,
)
"""Tag, ms since the reading before, value, quality."""


@st.composite
def cases(draw: st.DrawFn) -> tuple[RuleKind, RuleExtra | None, Figures, Figures]:
    """A rule, and its figures before and after."""
    kind = draw(kinds)
    known = TUNABLE[kind]
    of: dict[str, st.SearchStrategy[Any]] = {
        "setpoint": grid.map(lambda value: value / 4) if kind in (RuleKind.RISE, RuleKind.FALL) else grid,
        "deadband": st.sampled_from([0.0, 0.5, 1.0, 3.0]),
        "on_delay": delays,
        "off_delay": delays,
        "window": windows,
    }

    def figures() -> dict[str, Any]:
        return {name: draw(strategy) for name, strategy in of.items() if name in known}

    before = figures()
    # Most changes of people touch one or two figures.
    after = {**before, **{name: value for name, value in figures().items() if draw(st.booleans())}}
    extra: RuleExtra | None = None
    if kind is RuleKind.VOTE:
        extra = RuleExtra(inputs=(0, 1, 2), needed=draw(st.integers(1, 3)), low=draw(st.booleans()))
    elif kind is RuleKind.EXPRESSION:
        extra = RuleExtra(inputs=(0, 1), expression="A > 5 or B > 7")
    elif kind is RuleKind.DEVIATION:
        references = st.sampled_from(
            [Reference("constant", 5.0), Reference("tag", tag=1), Reference("median", window=6_000)]
        )
        extra = RuleExtra(side=draw(st.sampled_from(["both", "above", "below"])), reference=draw(references))
    elif kind.is_early_warning:
        extra = RuleExtra(inputs=(0, 1, 2), model=MODEL)
    elif kind in (RuleKind.HIGH, RuleKind.LOW) and draw(st.booleans()):
        extra = RuleExtra(selector=0, modes=MODES)
    return kind, extra, Figures(**before), Figures(**after)


def engine_of(kind: RuleKind, extra: RuleExtra | None, figures: Figures) -> RuleEngine:
    """The rule alone, and silence of the tags besides."""
    limit = {"setpoint": MODEL.t2_limit, "deadband": 0.5} if kind.is_early_warning else {}
    rule = Rule(0, "X", kind, Level.H, extra=extra, **limit, **figures.given())  # type: ignore[arg-type]
    silences = [Rule(tag, "STALE", RuleKind.STALE, Level.FAULT, window=7_000) for tag in range(1, TAGS)]
    table = RuleTable.build([rule, *silences], TAGS)
    tags = TagColumns(np.full(TAGS, 1_000, dtype=np.int64), np.ones(TAGS, dtype=np.bool_))
    programs = {}
    if kind is RuleKind.EXPRESSION:
        programs = {0: parse("A > 5 or B > 7", {"A", "B"}.__contains__)}
    made = RuleEngine(table, tags, 600_000, 5_000, programs, [SELECTOR])
    made.await_readings(START)
    return made


@given(case=cases(), stream=readings)
def test_what_does_not_loosen_costs_no_alarm(
    case: tuple[RuleKind, RuleExtra | None, Figures, Figures], stream: list[tuple[int, int, float, int]]
) -> None:
    kind, extra, before, after = case
    assume(not loosened_by(kind, before, after, extra))
    old, new = engine_of(kind, extra, before), engine_of(kind, extra, after)
    since: dict[str, int] = {}
    now = START
    for tag, gap, value, quality in stream:
        for tick in range(now, now + gap, 500):
            _compare([(name, engine.advance(tick)) for name, engine in (("old", old), ("new", new))], since)
            assert set(old.inside().tolist()) - {1, 2} <= set(new.inside().tolist())
        now += gap
        block = SampleBlock.of([tag], [now], [now], [value], [quality], [0])
        _compare([(name, engine.evaluate(block)) for name, engine in (("old", old), ("new", new))], since)
        assert set(old.inside().tolist()) - {1, 2} <= set(new.inside().tolist())


def _compare(found: list[tuple[str, list[Any]]], since: dict[str, int]) -> None:
    """Of the rule, row 0: each alarm of the old came no later in the new."""
    for name, transitions in found:
        for transition in transitions:
            if transition.rule == 0:
                if transition.entered:
                    since[name] = transition.source_time
                else:
                    since.pop(name, None)
    if "old" in since:
        assert "new" in since
        assert since["new"] <= since["old"]


LOW_VOTE = RuleExtra(inputs=(0, 1), needed=1, low=True)
INHERITING = RuleExtra(selector=0, modes=(ModeLimit("low", 6.0),))
BEFORE = Figures(5.0, 1.0, 2_000, 2_000, 4_000)
DIRECTIONS: list[tuple[RuleKind, RuleExtra | None, Figures, tuple[str, ...]]] = [
    (RuleKind.HIGH, None, Figures(setpoint=6.0), ("setpoint",)),
    (RuleKind.HIGH, None, Figures(setpoint=4.0), ()),
    (RuleKind.LOW, None, Figures(setpoint=4.0), ("setpoint",)),
    (RuleKind.LOW, None, Figures(setpoint=6.0), ()),
    (RuleKind.RISE, None, Figures(setpoint=6.0), ("setpoint",)),
    (RuleKind.DEVIATION, None, Figures(setpoint=4.0), ()),
    (RuleKind.VOTE, LOW_VOTE, Figures(setpoint=4.0), ("setpoint",)),
    (RuleKind.STUCK, None, Figures(setpoint=4.0), ("setpoint",)),
    (RuleKind.STUCK, None, Figures(setpoint=6.0), ()),
    (RuleKind.HIGH, None, Figures(deadband=0.5), ("deadband",)),
    (RuleKind.HIGH, None, Figures(deadband=2.0), ()),
    (RuleKind.HIGH, None, Figures(setpoint=4.0, deadband=0.5), ()),
    (RuleKind.HIGH, INHERITING, Figures(setpoint=4.0, deadband=0.5), ("deadband",)),
    (RuleKind.LOW, None, Figures(setpoint=6.0, deadband=2.5), ()),
    (RuleKind.LOW, None, Figures(deadband=0.0), ("deadband",)),
    (RuleKind.HIGH, None, Figures(on_delay=3_000), ("on_delay",)),
    (RuleKind.HIGH, None, Figures(on_delay=1_000), ()),
    (RuleKind.HIGH, None, Figures(off_delay=1_000), ("off_delay",)),
    (RuleKind.HIGH, None, Figures(off_delay=3_000), ()),
    (RuleKind.FALL, None, Figures(window=3_000), ("window",)),
    (RuleKind.FALL, None, Figures(window=5_000), ("window",)),
    (RuleKind.STUCK, None, Figures(window=3_000), ()),
    (RuleKind.STALE, None, Figures(window=5_000), ("window",)),
    (RuleKind.HIGH, None, Figures(6.0, 0.0, 3_000, 0), ("setpoint", "on_delay", "off_delay")),
]


@pytest.mark.parametrize(("kind", "extra", "edit", "expected"), DIRECTIONS)
def test_which_figures_loosen(
    kind: RuleKind, extra: RuleExtra | None, edit: Figures, expected: tuple[str, ...]
) -> None:
    known = {name: value for name, value in BEFORE.given().items() if name in TUNABLE[kind]}
    before = Figures(**known)  # type: ignore[arg-type]
    assert loosened_by(kind, before, edit.over(before), extra) == expected


@given(case=cases())
def test_a_change_and_its_opposite_are_not_both_harmless_unless_they_change_nothing(
    case: tuple[RuleKind, RuleExtra | None, Figures, Figures],
) -> None:
    kind, extra, before, after = case
    assume(before != after)
    there, back = loosened_by(kind, before, after, extra), loosened_by(kind, after, before, extra)
    assert there or back
    assert not loosened_by(kind, before, replace(before), extra)
