"""The four reports as pages: what is worth a plot, and in which order."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from domain.samples import Int64
from domain.scales import Grade
from domain.site import Rule, Site
from domain.truth import Truth
from tuning.backtest.result import Backtest, Episodes
from tuning.comparison import AlarmChange, Comparison
from tuning.pairing import PairKind
from tuning.readings.recording import Recording
from tuning.reports import documents
from tuning.reports.page import number, render, span, word
from tuning.reports.plots import (
    Lane,
    Limit,
    Span,
    TrendPlot,
    drawn,
    events_at,
    limits_of,
    longest_first,
    per_ten_minutes,
    trade_off,
)
from tuning.scoring import Score, Yardstick
from tuning.suggestions import Suggestion, Suggestions
from tuning.sweep import Sweep
from tuning.sweep.along import Quantity, TagReadings, goes_along
from tuning.sweep.grid import AXES

MOST_PLOTS = 24
"""Trends of one page [ours]."""
MOST_LANES = 10
"""Rules whose alarms are drawn above one trend, those over several tags included [ours]."""
MOST_SWEPT = 6
"""Trends of a sweep's page: rules that are swept together are alike [ours]."""
_KEYS_OF_TRUTH = (("var(--event)", "event"), ("var(--harm)", "harm"))
_KEYS_OF_LIMITS = (("var(--orange)", "first"), ("var(--red)", "second"))
_KEYS_OF_VERSIONS = {
    "compare": (("var(--old)", "old"), ("var(--new)", "new")),
    "sweep": (("var(--old)", "present"), ("var(--new)", "recommended")),
}


@dataclass(frozen=True, slots=True)
class Cover:
    """What every page is given. ``language``: which is shown first, ``zh`` or ``en``."""

    recording: Recording
    truth: Truth | None
    language: str
    version: str


def backtest_page(backtest: Backtest, score: Score, yardstick: Yardstick, cover: Cover) -> bytes:
    """The page of a backtest. Raises RecordingError, AssetMissing."""
    site, end = backtest.site, backtest.end
    grades = {row.row: row.grade for row in score.rules}
    spans = _spans_by_row(backtest.episodes)
    alarming = _worth_drawing(site, score, cover.truth)
    tags = list(dict.fromkeys([*alarming, *_beside(site, cover)]))[:MOST_PLOTS]
    plots = []
    for tag in tags:
        rows = [row for row in site.rules.looking_at([tag]) if row in spans][:MOST_LANES]
        events = events_at(site, tag, cover.truth)
        plots.append(
            TrendPlot(
                tag,
                [Lane(site.rules.key[row], grades.get(row, Grade.BLUE).label, spans[row]) for row in rows],
                limits_of(site.rules.row(row) for row in site.rules.of_tag(tag)),
                events,
                _windows(events, [each for row in rows for each in spans[row]], end),
            )
        )
    trends = drawn(site, cover.recording, plots, backtest.begin, end)
    bars = per_ten_minutes(backtest.begin, score.figures.ten_minutes, yardstick.targets.busy_above)
    return render(
        "backtest.html",
        documents.backtest_document(backtest, score, cover.recording),
        [*trends, bars],
        cover.language,
        cover.version,
        trends=trends,
        tags_left_out=max(len(alarming) - MOST_PLOTS, 0),
        keys=_keys(*_KEYS_OF_LIMITS, *(_KEYS_OF_TRUTH if score.outcomes else ())),
    )


def compare_page(comparison: Comparison, cover: Cover) -> bytes:
    """The page of a comparison. Raises RecordingError, AssetMissing."""
    old, new, end = comparison.old, comparison.new, comparison.end
    old_spans, new_spans = _spans_by_path(old, comparison.old_episodes), _spans_by_path(new, comparison.new_episodes)
    of_tag: dict[str, list[AlarmChange]] = {}
    for change in comparison.changes:
        of_tag.setdefault(change.path.rpartition("/")[0], []).append(change)
    differing = {rule.path.rpartition("/")[0] for rule in comparison.rules}
    order = sorted(differing, key=lambda path: (-len(of_tag.get(path, ())), path))
    plots = []
    sites = [(old, old_spans, "old"), (new, new_spans, "new")]
    for path in order[:MOST_PLOTS]:
        lanes: list[Lane] = []
        limits: list[Limit] = []
        keys = sorted({rule.path for rule in comparison.rules if rule.path.rpartition("/")[0] == path})
        for condition in keys:
            key = condition.rpartition("/")[2]
            lanes += [Lane(f"{key} {name}", name, spans.get(condition, [])) for _, spans, name in sites]
        for site, _, name in sites:
            if path in site.tag_index:
                own = limits_of((site.rules.row(row) for row in site.rules.of_tag(site.tag_index[path])), name)
                limits += _unseen(own, limits)
        home = new if path in new.tag_index else old
        changes = [change.pair.span for change in of_tag.get(path, ()) if change.pair.kind is not PairKind.SAME]
        tag = home.tag_index[path]
        events = events_at(home, tag, cover.truth)
        plots.append((home, TrendPlot(tag, lanes, limits, events, _windows(events, changes, end))))
    trends = [
        each
        for home in (new, old)
        for each in drawn(home, cover.recording, [p for h, p in plots if h is home], comparison.begin, end)
    ]
    return render(
        "compare.html",
        documents.compare_document(comparison, cover.recording),
        trends,
        cover.language,
        cover.version,
        trends=trends,
        tags_left_out=max(len(order) - MOST_PLOTS, 0),
        keys=_keys(*_KEYS_OF_VERSIONS["compare"], *(_KEYS_OF_TRUTH if cover.truth else ())),
    )


def sweep_page(sweep: Sweep, cover: Cover) -> bytes:
    """The page of a sweep. Raises RecordingError, AssetMissing."""
    document = documents.sweep_document(sweep, cover.recording)
    chosen = sweep.choice.point
    site = sweep.site
    rows = sorted(sweep.rows, key=lambda row: -next(e.present.alarms for e in sweep.by_rule if e.row == row))
    plots = []
    for row in rows[:MOST_SWEPT]:
        rule = site.rules.row(row)
        after = None if chosen is None else sweep.points[chosen].point.of(rule)
        plot = _versions(site, cover, row, rule, after, sweep.begin, sweep.end)
        if plot is not None:
            plots.append(plot)
    trends = drawn(site, cover.recording, plots, sweep.begin, sweep.end)
    cloud = trade_off(document["points"], sweep.front, chosen)
    cloud["label"] = [_label(document["points"][each]) for each in cloud["number"]]
    return render(
        "sweep.html",
        document,
        [*([cloud] if cloud["number"] else []), *trends],
        cover.language,
        cover.version,
        cloud=bool(cloud["number"]),
        matrix=_matrix(sweep),
        reason=_reason,
        trends=trends,
        keys=_keys(*_KEYS_OF_VERSIONS["sweep"], *(_KEYS_OF_TRUTH if cover.truth else ())),
    )


def suggest_page(suggestions: Suggestions, cover: Cover) -> bytes:
    """The page of suggestions. Raises RecordingError, AssetMissing."""
    site, score = suggestions.site, suggestions.score
    document = documents.suggest_document(suggestions, cover.recording)
    plots: list[TrendPlot] = []
    seen: set[int] = set()
    for suggestion, told in zip(suggestions.suggestions, document["suggestions"], strict=True):
        told["first"] = suggestion.rule.tag not in seen
        if len(plots) == MOST_PLOTS or not told["first"]:
            continue
        plot = _suggested(site, cover, suggestion, score.begin, score.end)
        if plot is not None:
            seen.add(suggestion.rule.tag)
            plots.append(plot)
    trends = drawn(site, cover.recording, plots, score.begin, score.end)
    return render(
        "suggest.html",
        document,
        trends,
        cover.language,
        cover.version,
        trends=trends,
        why=_why,
        keys=_keys(*_KEYS_OF_VERSIONS["sweep"], *(_KEYS_OF_TRUTH if cover.truth else ())),
    )


def _why(proposal: Mapping[str, Any]) -> Markup:
    """Why something is proposed."""
    return word(f"why.{proposal['reason']}", **{key: number(value) for key, value in proposal["figures"].items()})


def _reason(choice: Mapping[str, Any]) -> Markup:
    """Why a point is recommended, or none."""
    figures = choice["figures"].items()
    told = {key: span(value) if key == "least_lead" else number(value) for key, value in figures}
    return word(f"reasons.{choice['reason']}", **told)


def _suggested(site: Site, cover: Cover, suggestion: Suggestion, begin: int, end: int) -> TrendPlot | None:
    after = next((proposal.rule for proposal in suggestion.proposals if proposal.recommended), None)
    return _versions(site, cover, suggestion.actor.figures.row, suggestion.rule, after, begin, end)


def _versions(
    site: Site, cover: Cover, row: int, rule: Rule, after: Rule | None, begin: int, end: int
) -> TrendPlot | None:
    """A rule as it is and as it might be, on its tag's trend; None where only the engine could evaluate it."""
    if not goes_along(rule):
        return None
    readings = TagReadings.recorded(site, cover.recording, rule.tag, begin, end)
    if readings is None:
        return None
    quantity = Quantity(readings, rule)
    lanes, limits, spans = [], limits_of([rule], "old"), []
    for version, name, style in ((rule, "present", "old"), (after, "recommended", "new")):
        if version is not None:
            own = _zipped(*quantity.episodes(version))
            lanes.append(Lane(name, style, own))
            spans += own
    if after is not None:
        limits += _unseen(limits_of([after], "new"), limits)
    del row
    events = events_at(site, rule.tag, cover.truth)
    return TrendPlot(rule.tag, lanes, limits, events, _windows(events, spans, end))


def _unseen(limits: Sequence[Limit], drawn_already: Sequence[Limit]) -> list[Limit]:
    """Lines that do not lie on another of the same name."""
    known = {(line.name, line.value) for line in drawn_already}
    return [line for line in limits if (line.name, line.value) not in known]


def _worth_drawing(site: Site, score: Score, truth: Truth | None) -> list[int]:
    """Tags: those of events and expected conditions first, then by their alarms."""
    named: list[str] = [path for event in (truth.events if truth else ()) for path in event.tags]
    named += [promise.condition.rpartition("/")[0] for promise in score.expected]
    named += [each.condition.rpartition("/")[0] for each in score.violations]
    named += [outcome.rule.rpartition("/")[0] for outcome in score.outcomes if outcome.rule is not None]
    named += [figures.path.rpartition("/")[0] for figures in score.rules]
    return [site.tag_index[path] for path in dict.fromkeys(named) if path in site.tag_index]


def _beside(site: Site, cover: Cover) -> list[int]:
    """Recorded tags of the units in which events happened: those that saw nothing tell something too."""
    units = {unit for event in (cover.truth.events if cover.truth else ()) for unit in event.units}
    return [
        index
        for index, tag in enumerate(site.tags)
        if f"{tag.enterprise}/{tag.unit}" in units and cover.recording.index_of(tag.path) is not None
    ]


def _spans_by_row(episodes: Episodes) -> dict[int, list[Span]]:
    spans: dict[int, list[Span]] = {}
    for rule, entered, left in zip(
        episodes.rule.tolist(), episodes.entered_at.tolist(), episodes.left_at.tolist(), strict=True
    ):
        spans.setdefault(rule, []).append((entered, left))
    return spans


def _spans_by_path(site: Site, episodes: Episodes) -> dict[str, list[Span]]:
    return {site.rule_path(row): spans for row, spans in _spans_by_row(episodes).items()}


def _zipped(entered: Int64, left: Int64) -> list[Span]:
    return list(zip(entered.tolist(), left.tolist(), strict=True))


def _windows(events: Iterable[Any], alarms: Sequence[Span], end: int) -> list[Span]:
    """Spans worth a closer look: events, the longest alarms, and the first of the others."""
    longest = longest_first(alarms, end)[:20]
    return [(event.begin, event.end) for event in events] + longest + sorted(alarms)[:20]


def _keys(*keys: tuple[str, str]) -> list[tuple[str, Markup]]:
    return [(colour, word(f"keys.{name}")) for colour, name in keys]


def _label(point: Mapping[str, Any]) -> str:
    """A point's settings in one line, in no language."""
    parts = []
    for axis, each in point["settings"].items():
        value = (
            f"×{each['value']:g}"
            if each["times"]
            else span(each["value"])
            if axis in AXES[2:]
            else f"{each['value']:g}"
        )
        parts.append(f"{axis.replace('_', '-')} {value}")
    return ", ".join(parts)


def _matrix(sweep: Sweep) -> dict[str, Any] | None:
    """False alarms over the two axes with most values; None where there are no two, or no event."""
    axes = sorted((axis for axis, values in sweep.grid.axes.items() if len(values) > 1), key=AXES.index)
    if len(axes) < 2 or not sweep.events:  # noqa: PLR2004 -- a table has two sides
        return None
    down, across = axes[0], axes[1]
    fewest = min(point.missed for point in sweep.points)
    best: dict[tuple[Any, Any], int] = {}
    for place in range(1, len(sweep.points)):
        point = sweep.points[place]
        key = (getattr(point.point, down), getattr(point.point, across))
        now = best.get(key)
        if now is None or (point.missed, point.false) < (sweep.points[now].missed, sweep.points[now].false):
            best[key] = place
    chosen = None if sweep.choice.point is None else sweep.points[sweep.choice.point].point
    rows = []
    for head in sweep.grid.axes[down]:
        cells = []
        for each in sweep.grid.axes[across]:
            point = sweep.points[best[head, each]]
            picked = chosen is not None and getattr(chosen, down) == head and getattr(chosen, across) == each
            cells.append({"false_per_day": point.false_per_day, "lost": point.missed > fewest, "chosen": picked})
        rows.append({"head": head, "cells": cells})
    return {"down": down, "across": across, "columns": sweep.grid.axes[across], "rows": rows}
