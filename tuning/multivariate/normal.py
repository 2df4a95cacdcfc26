"""What of a recording is no normal operation: alarms of the unit, known events, spans that the engineer names."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from domain.samples import Bool
from domain.scales import RuleKind
from domain.site import Site
from tuning.backtest.run import backtest
from tuning.multivariate.alignment import Table
from tuning.readings.recording import Recording

MARGIN = 10
"""Rows around an alarm that are left out with it: what led to it, and what it left behind [ours]."""
_NO_ALARM = frozenset({RuleKind.STALE, RuleKind.BAD, RuleKind.SYSTEM, RuleKind.T2, RuleKind.SPE})
"""Missing readings are left out by themselves; the model is not to judge what it learns from."""


@dataclass(frozen=True, slots=True)
class Span:
    """A span of time, ms UTC, its end not in it; ``why`` is said where nothing else is left."""

    begin: int
    end: int
    why: str = "asked"


def alarm_spans(site: Site, recording: Recording, tags: Sequence[str]) -> list[Span]:
    """When an alarm over one of these tags (paths) was in, by the site's own rules over the recording."""
    found = backtest(site, recording, tags=tags)
    rules, episodes = site.rules, found.episodes
    spans = []
    for row, entered, left in zip(
        episodes.rule.tolist(), episodes.entered_at.tolist(), episodes.left_at.tolist(), strict=True
    ):
        if RuleKind(int(rules.kind[row])) not in _NO_ALARM:
            end = found.end if left < 0 else left
            spans.append(Span(entered - int(rules.on_delay[row]), end, site.rule_path(row)))
    return spans


def event_spans(recording: Recording, unit: str, tags: Sequence[str]) -> list[Span]:
    """The events that a recording knows of a unit (``enterprise/unit``) or of these tags (paths)."""
    named = set(tags)
    return [
        Span(event.begin, event.end, event.id)
        for event in recording.about.truth.events
        if unit in event.units or not named.isdisjoint(event.tags)
    ]


def within(table: Table, spans: Sequence[Span]) -> Bool:
    """Rows within one of the spans or near it."""
    inside = np.zeros(len(table), dtype=np.bool_)
    around = MARGIN * table.period
    for span in spans:
        first, last = np.searchsorted(table.time, [span.begin - around, span.end + around])
        inside[first:last] = True
    return inside


def most_named(spans: Sequence[Span]) -> str:
    """The few causes that make the longest spans, for a message."""
    length: Counter[str] = Counter()
    for span in spans:
        length[span.why] += span.end - span.begin
    return ", ".join(why for why, _ in length.most_common(3))
