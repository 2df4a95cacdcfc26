"""An engine that takes over from another says of all that is unchanged what the other would have said."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isnan
from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.scales import RuleKind
from domain.site import Reference, Rule, Selector
from domain.transitions import Transition
from rules.engine import RuleEngine
from tests.property.plants import (
    DEVIATIONS,
    EXPRESSIONS,
    FAULTS,
    LIMITS,
    MODES,
    PLAYED_AGAIN,
    RATES,
    SELECTORS,
    START,
    STUCK,
    TAGS,
    TICKS,
    VOTES,
    Arrival,
    Happening,
    Plant,
    PlayedAgain,
    plants,
    run_engine,
    streams,
)

KINDS = (LIMITS, RATES, FAULTS, DEVIATIONS, STUCK, VOTES, EXPRESSIONS, MODES)
Told = dict[int, list[tuple[object, ...]]]


@dataclass(frozen=True)
class Revision:
    """Another configuration of the same plant: tag i is now ``tags[i]``, rule j stands in ``rows[j]`` or is gone."""

    plant: Plant
    tags: list[int]
    rows: list[int]

    def moved(self, stream: Sequence[Happening]) -> list[Happening]:
        """What happens, in the new order of tags."""
        return [
            replace(item, tag=self.tags[item.tag]) if isinstance(item, Arrival | PlayedAgain) else item
            for item in stream
        ]

    def told(self, transitions: Sequence[Transition]) -> Told:
        """What the unchanged rules said, by their old rows and tags."""
        old_row = {new: old for old, new in enumerate(self.rows) if new >= 0}
        old_tag = {new: old for old, new in enumerate(self.tags)}
        back = [
            replace(t, rule=old_row[t.rule], inputs=tuple((old_tag[tag], value) for tag, value in t.inputs))
            for t in transitions
            if t.rule in old_row
        ]
        return told(back, set(old_row.values()))


def told(transitions: Sequence[Transition], rules: set[int]) -> Told:
    story: Told = {}
    for t in transitions:
        if t.rule in rules:
            numbers = [t.value, *(value for _, value in t.inputs)]
            seen = (
                t.entered,
                t.source_time,
                t.received_time,
                [None if isnan(number) else number for number in numbers],
            )
            story.setdefault(t.rule, []).append((*seen, [tag for tag, _ in t.inputs]))
    return story


def revise(plant: Plant, added: Sequence[Rule], random: Random) -> Revision:
    """Tags and rules in another order, a tag and some rules added, some removed, some changed."""
    tags = random.sample(range(TAGS + 1), TAGS)
    kept: list[tuple[int, Rule]] = []
    for row, rule in enumerate(plant.rules):
        moved = _moved(rule, tags)
        fate = "kept" if rule.kind is RuleKind.STALE else random.choice(["kept", "kept", "kept", "changed", "removed"])
        if fate == "kept":
            kept.append((row, moved))
        elif fate == "changed":
            kept.append((-1, replace(moved, setpoint=moved.setpoint + 1.0)))
    # A tag that becomes silent does so by the same rules as before.
    kept += [(-1, _moved(rule, tags)) for rule in added if rule.kind is not RuleKind.STALE]
    random.shuffle(kept)
    kept.sort(key=lambda pair: pair[1].tag)
    rows = [-1] * len(plant.rules)
    for new, (old, _) in enumerate(kept):
        if old >= 0:
            rows[old] = new
    columns: tuple[list[int], list[bool]] = ([77] * (TAGS + 1), [True] * (TAGS + 1))
    for old, new in enumerate(tags):
        columns[0][new], columns[1][new] = plant.periods[old], plant.live_clocks[old]
    revised = Plant(
        rules=tuple(rule for _, rule in kept),
        periods=tuple(columns[0]),
        live_clocks=tuple(columns[1]),
        selectors=tuple(_selector(selector, tags) for selector in plant.selectors),
    )
    return Revision(revised, tags, rows)


def _moved(rule: Rule, tags: Sequence[int]) -> Rule:
    extra = rule.extra
    if extra is not None:
        reference = extra.reference
        if reference is not None and reference.tag >= 0:
            reference = Reference("tag", tag=tags[reference.tag])
        extra = replace(extra, reference=reference, inputs=tuple(tags[tag] for tag in extra.inputs))
    return replace(rule, tag=tags[rule.tag], extra=extra)


def _selector(selector: Selector, tags: Sequence[int]) -> Selector:
    return selector if selector.tag < 0 else replace(selector, tag=tags[selector.tag])


@settings(max_examples=600)
@given(
    plants(*KINDS, selectors=SELECTORS),
    st.lists(st.one_of(*KINDS), max_size=3),
    streams(TICKS + PLAYED_AGAIN),
    st.integers(0, 45),
    st.randoms(use_true_random=False),
)
def test_what_is_unchanged_goes_on_as_if_nothing_had_happened(
    plant: Plant, added: list[Rule], stream: list[Happening], at: int, random: Random
) -> None:
    old, undisturbed = started(plant), started(plant)
    run_engine(old, stream[:at])
    run_engine(undisturbed, stream[:at])
    revision = revise(plant, added, random)
    new = revision.plant.engine()
    new.take_over(old, np.array(revision.tags), np.array(revision.rows))
    assert new.modes == undisturbed.modes
    rest = stream[at:]
    unchanged = {row for row, moved in enumerate(revision.rows) if moved >= 0}
    found = revision.told(run_engine(new, revision.moved(rest)))
    assert found == told(run_engine(undisturbed, rest), unchanged)
    inside = {revision.rows[row] for row in undisturbed.inside().tolist()} - {-1}
    assert inside == set(new.inside().tolist()) & set(revision.rows)


def started(plant: Plant) -> RuleEngine:
    engine = plant.engine()
    engine.await_readings(START)
    return engine
