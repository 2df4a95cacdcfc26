"""Plots of a page: what the browser draws, as plain data.

A trend: readings of one tag, its limits, what happened, and the alarms in lanes above it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from domain.scales import RuleKind
from domain.site import Rule, Site
from domain.truth import Event, Truth
from tuning.readings.recording import Recording
from tuning.reports.trends import trend_of

OVERVIEW = 1_500
"""Points of a trend over its whole span [ours]."""
DETAIL = 160
"""Points of each span that is drawn finer [ours]."""
MOST_WINDOWS = 40
"""Of one trend [ours]."""
MOST_POINTS = 260_000
"""Of all trends of a page together: some 4 MB [ours]."""
MOST_SPANS = 3_000
"""Alarms in one lane; the longest stay [ours]."""
DIGITS = 6
"""Significant digits of drawn values: a pixel is a thousandth."""

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Lane:
    """Alarms in one line above a trend. spans: entered and left (-1: still in), ms; style: a class of the page."""

    name: str
    style: str
    spans: Sequence[Span]


@dataclass(frozen=True, slots=True)
class Limit:
    """A horizontal line."""

    name: str
    value: float
    style: str
    """``first``, ``second``, ``old`` or ``new``."""


@dataclass(frozen=True, slots=True)
class TrendPlot:
    """What is to be drawn of one tag."""

    tag: int
    """Index into the site's tags."""
    lanes: Sequence[Lane] = ()
    limits: Sequence[Limit] = ()
    events: Sequence[Event] = ()
    windows: Sequence[Span] = field(default_factory=tuple)
    """Spans that are worth a closer look, the most worth first."""


def limits_of(rules: Iterable[Rule], style: str = "") -> list[Limit]:
    """Lines for the high and low limits among rules."""
    return [
        Limit(rule.key, rule.setpoint, style or ("second" if rule.level.is_second else "first"))
        for rule in rules
        if rule.kind in {RuleKind.HIGH, RuleKind.LOW}
    ]


def events_at(site: Site, tag: int, truth: Truth | None) -> list[Event]:
    """Events in whose place a tag stands."""
    if truth is None:
        return []
    about = site.tags[tag]
    unit = f"{about.enterprise}/{about.unit}"
    return [
        event
        for event in truth.events
        if (not event.tags and not event.units) or about.path in event.tags or unit in event.units
    ]


def drawn(site: Site, recording: Recording, plots: Sequence[TrendPlot], begin: int, end: int) -> list[dict[str, Any]]:
    """Plots as the page takes them; those of tags without readings are left out."""
    known = [(plot, recording.index_of(site.tags[plot.tag].path)) for plot in plots]
    share = MOST_POINTS // max(len(known), 1)
    made = []
    for plot, place in known:
        if place is None:
            continue
        tag = site.tags[plot.tag]
        points = min(OVERVIEW, share // 2)
        windows = [_padded(span, begin, end) for span in list(plot.windows)[:MOST_WINDOWS]]
        detail = min(DETAIL, (share - points) // max(len(windows), 1))
        trend = trend_of(recording, place, begin, end, points, windows, detail)
        if not len(trend.time):
            continue
        made.append(
            {
                "kind": "trend",
                "id": tag.path,
                "name": tag.name,
                "description": tag.description,
                "unit": tag.engineering_unit,
                "begin": begin,
                "end": end,
                "t0": int(trend.time[0]),
                "dt": np.diff(trend.time, prepend=trend.time[0]).tolist(),
                "v": [float(f"{value:.{DIGITS}g}") if np.isfinite(value) else None for value in trend.value.tolist()],
                "limits": [{"name": line.name, "value": line.value, "style": line.style} for line in plot.limits],
                "lanes": [_lane(lane, end) for lane in plot.lanes],
                "events": [_event(event) for event in plot.events],
            }
        )
    return made


def per_ten_minutes(begin: int, counts: Sequence[int], above: int) -> dict[str, Any]:
    """Bars: alarms in each ten minutes. ``above``: from which number on nobody can look at them all."""
    return {"kind": "bars", "id": "per-ten-minutes", "t0": begin, "step": 600_000, "n": list(counts), "line": above}


def trade_off(points: Sequence[Mapping[str, Any]], front: Sequence[int], chosen: int | None) -> dict[str, Any]:
    """A cloud: delay against false alarms a day of each point that found anything."""
    shown = [point for point in points if point["delay"] is not None]
    return {
        "kind": "cloud",
        "id": "trade-off",
        "number": [point["number"] for point in shown],
        "x": [point["delay"] / 1000 for point in shown],
        "y": [point["false_per_day"] for point in shown],
        "missed": [point["missed"] for point in shown],
        "front": list(front),
        "chosen": chosen,
    }


def longest_first(spans: Iterable[Span], end: int) -> list[Span]:
    """Spans, the longest first; a first and a last one of many short ones tell as much as all of them."""
    return sorted(spans, key=lambda span: (span[0] - (end if span[1] < 0 else span[1]), span[0]))


def _padded(span: Span, begin: int, end: int) -> Span:
    last = end if span[1] < 0 else span[1]
    pad = max((last - span[0]) // 4, 60_000)
    return max(span[0] - pad, begin), min(last + pad, end)


def _lane(lane: Lane, end: int) -> dict[str, Any]:
    spans = sorted(longest_first(lane.spans, end)[:MOST_SPANS])
    return {
        "name": lane.name,
        "style": lane.style,
        "from": [span[0] for span in spans],
        "to": [end if span[1] < 0 else span[1] for span in spans],
    }


def _event(event: Event) -> dict[str, Any]:
    return {"title": dict(event.title), "from": event.begin, "to": event.end, "harm": event.harm_at}
