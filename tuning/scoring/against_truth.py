"""Episodes against what really happened: found and missed events, expected conditions, false alarms."""

from collections.abc import Sequence

import numpy as np

from domain.samples import Bool
from domain.site import Site
from domain.truth import Event, Truth
from tuning.backtest.result import Episodes
from tuning.scoring.result import Outcome, Promise, Violation

NAMED = 20
"""Instants that a violation names [ours]."""


def place_of(site: Site, event: Event) -> Bool:
    """Which rules stand where an event happens: on its tags, over them, or in its units; all where it names none."""
    if not event.tags and not event.units:
        return np.ones(len(site.rules), dtype=np.bool_)
    here = np.zeros(len(site.rules), dtype=np.bool_)
    known = [site.tag_index[path] for path in event.tags if path in site.tag_index]
    here[site.rules.looking_at(known)] = True
    units = set(event.units)
    inside = [index for index, tag in enumerate(site.tags) if f"{tag.enterprise}/{tag.unit}" in units]
    here |= np.isin(site.rules.tag, inside)
    return here


def judge_event(site: Site, episodes: Episodes, event: Event, among: Bool | None = None) -> Outcome:
    """What became of one event. ``among``: rows of the rule table that may find it; None: all."""
    here = place_of(site, event)
    if among is not None:
        here &= among
    ours = here[episodes.rule]
    entered = episodes.entered_at
    during = np.flatnonzero(ours & (entered >= event.begin) & (entered <= event.end))
    before = ours & (entered < event.begin) & ((episodes.left_at < 0) | (episodes.left_at > event.begin))
    if not len(during):
        return Outcome(event, None, None, None, None, 0, int(before.sum()))
    first = during[np.lexsort((episodes.rule[during], entered[during]))[0]]
    at = int(entered[first])
    return Outcome(
        event=event,
        rule=site.rule_path(int(episodes.rule[first])),
        entered_at=at,
        delay=at - event.begin,
        lead=None if event.harm_at is None else event.harm_at - at,
        alarms=len(during),
        standing=int(before.sum()),
    )


def judge_promises(site: Site, episodes: Episodes, truth: Truth) -> tuple[Promise, ...]:
    """Whether each expected condition entered in its time, and when it did first."""
    promises = []
    for expected in truth.expected:
        row = row_of(site, expected.condition)
        at = episodes.entered_at[episodes.rule == row] if row is not None else episodes.entered_at[:0]
        at = at[(at >= expected.begin) & (at <= expected.end)]
        first = int(at.min()) if len(at) else None
        promises.append(Promise(expected.condition, expected.begin, expected.end, first, row is not None))
    return tuple(promises)


def find_violations(site: Site, episodes: Episodes, never: Sequence[str]) -> tuple[Violation, ...]:
    """Conditions that entered though they must not."""
    violations = []
    for condition in never:
        row = row_of(site, condition)
        if row is None:
            continue
        at = np.sort(episodes.entered_at[episodes.rule == row])
        if len(at):
            violations.append(Violation(condition, tuple(at[:NAMED].tolist()), len(at)))
    return tuple(violations)


def false_alarms(site: Site, episodes: Episodes, truth: Truth) -> Bool:
    """Which episodes are false: none of their time lies in an event of their place, and nobody expected them."""
    false = np.ones(len(episodes.rule), dtype=np.bool_)
    left = np.where(episodes.left_at < 0, np.iinfo(np.int64).max, episodes.left_at)
    for event in truth.events:
        false &= ~(place_of(site, event)[episodes.rule] & (episodes.entered_at <= event.end) & (left >= event.begin))
    for expected in truth.expected:
        row = row_of(site, expected.condition)
        if row is not None:
            within = (episodes.entered_at >= expected.begin) & (episodes.entered_at <= expected.end)
            false &= ~((episodes.rule == row) & within)
    return false


def row_of(site: Site, condition: str) -> int | None:
    """Row of the rule table; None where the rule set has no such rule."""
    try:
        return site.rule_row(condition)
    except KeyError:
        return None
