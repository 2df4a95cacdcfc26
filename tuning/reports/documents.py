"""Reports as JSON documents; ``docs/tuning-reports.md`` describes them. Instants and lengths are ms, shares 0 to 1.

The first keys of each are ``format``, raised whenever something that was there changes its meaning, and ``kind``.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson

from domain.floods import Flood
from domain.scales import RuleKind
from domain.site import Rule, Site
from tuning.backtest.result import Backtest, Episodes
from tuning.comparison import Comparison, RuleChange
from tuning.pairing import Pair, PairKind
from tuning.readings.recording import Recording
from tuning.scoring import Score
from tuning.scoring.result import Figures, Outcome
from tuning.suggestions import Effect, Proposal, Suggestion, Suggestions
from tuning.sweep import Choice, PointResult, Sweep
from tuning.sweep.grid import AXES

FORMAT = 1
MOST_ALARMS = 100_000
"""Alarms in a document; what is left out is counted [ours]."""


def to_json(document: Mapping[str, Any]) -> bytes:
    """UTF-8, indented, in the order of the documentation; numbers that are none become null."""
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def backtest_document(backtest: Backtest, score: Score, recording: Recording) -> dict[str, Any]:
    """A backtest and its score."""
    return {
        **_head("backtest", backtest.site, recording, backtest.begin, backtest.end, backtest.readings),
        "late": backtest.late,
        "unknown_tags": list(backtest.unknown_tags),
        "score": score_document(score),
        **_alarms(backtest.site, backtest.episodes),
    }


def compare_document(comparison: Comparison, recording: Recording) -> dict[str, Any]:
    """A comparison."""
    changes = comparison.changes
    return {
        **_head("compare", comparison.new, recording, comparison.begin, comparison.end, comparison.readings),
        "whole": comparison.whole,
        "same_rules": comparison.same_rules,
        "counts": {kind.value: comparison.count(kind) for kind in PairKind},
        "rules": [_rule_change(comparison, change) for change in comparison.rules],
        "changes": [{"condition": change.path, **_pair(change.pair)} for change in changes[:MOST_ALARMS]],
        "changes_left_out": max(len(changes) - MOST_ALARMS, 0),
        "old": score_document(comparison.old_score),
        "new": score_document(comparison.new_score),
    }


def sweep_document(sweep: Sweep, recording: Recording) -> dict[str, Any]:
    """A sweep."""
    rules = sweep.rules()
    return {
        **_head("sweep", sweep.site, recording, sweep.begin, sweep.end, sweep.readings),
        "rules": [rule_document(sweep.site, rule) for rule in rules],
        "axes": {
            axis: [{"value": setting.value, "times": setting.times} for setting in settings]
            for axis, settings in sweep.grid.axes.items()
        },
        "left_out": [
            {"times": each.setting.value, "fault": each.fault, "figures": dict(each.figures)} for each in sweep.left_out
        ],
        "events": sweep.events,
        "assumed": sweep.assumed,
        "least": sweep.least,
        "least_lead": sweep.least_lead,
        "points": [_point(number, point) for number, point in enumerate(sweep.points)],
        "front": list(sweep.front),
        "choice": _choice(sweep.choice),
        "by_rule": [
            {
                "condition": each.path,
                "choice": _choice(each.choice),
                "present": _point(0, each.present),
                "chosen": None if each.chosen is None else _point(each.choice.point or 0, each.chosen),
                "rule_after": None
                if each.chosen is None
                else rule_document(sweep.site, each.chosen.point.of(sweep.site.rules.row(each.row))),
            }
            for each in sweep.by_rule
        ],
    }


def suggest_document(suggestions: Suggestions, recording: Recording) -> dict[str, Any]:
    """Suggestions."""
    score = suggestions.score
    return {
        **_head("suggest", suggestions.site, recording, score.begin, score.end, suggestions.readings),
        "actors": suggestions.actors,
        "assumed": suggestions.assumed,
        "suggestions": [_suggestion(suggestions.site, each) for each in suggestions.suggestions],
        "score": score_document(score),
    }


def score_document(score: Score) -> dict[str, Any]:
    """A score."""
    return {
        "days": score.days,
        "passed": score.passed,
        "events": [_outcome(outcome) for outcome in score.outcomes],
        "found": score.found,
        "missed": score.missed,
        "expected": [
            {
                "condition": promise.condition,
                "begin": promise.begin,
                "end": promise.end,
                "entered_at": promise.entered_at,
                "known": promise.known,
            }
            for promise in score.expected
        ],
        "never": score.never,
        "violations": [
            {"condition": each.condition, "count": each.count, "entered_at": list(each.entered_at)}
            for each in score.violations
        ],
        "false": score.false,
        "false_per_day": score.false_per_day,
        "rules": [
            {
                "condition": each.path,
                "grade": each.grade.label,
                "alarms": each.count,
                "per_day": each.per_day,
                "false": each.false,
                "time_in": each.time_in,
                "longest": each.longest,
                "chattering": each.chattering,
                "fleeting": each.fleeting,
                "stale": each.stale,
                "peak": each.peak,
            }
            for each in score.rules
        ],
        "figures": _figures(score.figures),
    }


def rule_document(site: Site, rule: Rule) -> dict[str, Any]:
    """A rule as the site has it."""
    tag = site.tags[rule.tag]
    return {
        "condition": f"{tag.path}/{rule.key}",
        "kind": RuleKind(rule.kind).name.lower(),
        "level": rule.level.value,
        "engineering_unit": tag.engineering_unit,
        **{axis: getattr(rule, axis) for axis in AXES},
    }


def _head(kind: str, site: Site, recording: Recording, begin: int, end: int, readings: int) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "kind": kind,
        "enterprises": [
            {"id": each.id, "name": each.name} for each in site.enterprises.values() if each.id in _recorded(recording)
        ],
        "recording": {"path": recording.path.name, "made_by": recording.about.made_by, "tags": len(recording.tags)},
        "begin": begin,
        "end": end,
        "readings": readings,
    }


def _recorded(recording: Recording) -> set[str]:
    return {tag.path.partition("/")[0] for tag in recording.tags}


def _alarms(site: Site, episodes: Episodes) -> dict[str, Any]:
    columns = (episodes.rule, episodes.entered_at, episodes.left_at, episodes.value)
    rows = zip(*(column[:MOST_ALARMS].tolist() for column in columns), strict=True)
    return {
        "alarms": [
            {
                "condition": site.rule_path(rule),
                "entered_at": entered,
                "left_at": None if left < 0 else left,
                "value": value if np.isfinite(value) else None,
            }
            for rule, entered, left, value in rows
        ],
        "alarms_left_out": max(len(episodes) - MOST_ALARMS, 0),
    }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    event = outcome.event
    return {
        "id": event.id,
        "title": dict(event.title),
        "begin": event.begin,
        "end": event.end,
        "harm_at": event.harm_at,
        "tags": list(event.tags),
        "units": list(event.units),
        "found": outcome.found,
        "condition": outcome.rule,
        "entered_at": outcome.entered_at,
        "delay": outcome.delay,
        "lead": outcome.lead,
        "alarms": outcome.alarms,
        "standing": outcome.standing,
    }


def _figures(figures: Figures) -> dict[str, Any]:
    return {
        "alarms": figures.alarms,
        "per_day": figures.per_day,
        "average_per_ten_minutes": figures.average,
        "peak_per_ten_minutes": figures.peak,
        "busy_share": figures.busy_share,
        "floods": [_flood(flood) for flood in figures.floods],
        "flood_share": figures.flood_share,
        "top_ten_share": figures.top_ten_share,
        "chattering": figures.chattering,
        "fleeting": figures.fleeting,
        "stale_per_day": figures.stale_per_day,
        "priorities": {grade.label: count for grade, count in figures.priorities.items()},
        "graded": figures.graded,
        "measures": [
            {"name": each.name, "value": each.value, "target": each.target, "met": each.met}
            for each in figures.measures
        ],
    }


def _flood(flood: Flood) -> dict[str, int]:
    return {"began_at": flood.began_at, "ended_at": flood.ended_at, "alarms": flood.alarms}


def _rule_change(comparison: Comparison, change: RuleChange) -> dict[str, Any]:
    return {
        "condition": change.path,
        "differences": {
            name: {"old": _plain(before), "new": _plain(after)} for name, (before, after) in change.differences.items()
        },
        "old": None if change.old is None else rule_document(comparison.old, change.old),
        "new": None if change.new is None else rule_document(comparison.new, change.new),
        "old_alarms": change.old_alarms,
        "new_alarms": change.new_alarms,
        "old_time_in": change.old_time_in,
        "new_time_in": change.new_time_in,
        "counts": {kind.value: change.counts.get(kind, 0) for kind in PairKind},
    }


def _plain(value: Any) -> Any:
    """A field of a rule as JSON has it."""
    if isinstance(value, RuleKind):
        return value.name.lower()
    label = getattr(value, "label", None)
    return label if isinstance(label, str) else value


def _pair(pair: Pair) -> dict[str, Any]:
    return {"change": pair.kind.value, "old": _span(pair.old), "new": _span(pair.new), "shift": pair.shift}


def _span(span: tuple[int, int] | None) -> dict[str, int | None] | None:
    return None if span is None else {"entered_at": span[0], "left_at": None if span[1] < 0 else span[1]}


def _point(number: int, point: PointResult) -> dict[str, Any]:
    settings = {axis: getattr(point.point, axis) for axis in AXES}
    return {
        "number": number,
        "settings": {
            axis: {"value": setting.value, "times": setting.times}
            for axis, setting in settings.items()
            if setting is not None
        },
        "alarms": point.alarms,
        "per_day": point.per_day,
        "false": point.false,
        "false_per_day": point.false_per_day,
        "found": point.found,
        "missed": point.missed,
        "delay": point.delay,
        "worst_delay": point.worst_delay,
        "least_lead": point.least_lead,
        "time_in": point.time_in,
        "chattering": point.chattering,
        "fleeting": point.fleeting,
        "stale": point.stale,
    }


def _choice(choice: Choice) -> dict[str, Any]:
    return {
        "point": choice.point,
        "reason": choice.reason,
        "figures": dict(choice.figures),
        "loosened": choice.loosened,
    }


def _suggestion(site: Site, suggestion: Suggestion) -> dict[str, Any]:
    habits = suggestion.habits
    return {
        "condition": suggestion.actor.figures.path,
        "traits": [trait.value for trait in suggestion.actor.traits],
        "rule": rule_document(site, suggestion.rule),
        "noise": None if habits is None else habits.noise,
        "interval": None if habits is None else habits.interval,
        "present": _effect(suggestion.present),
        "proposals": [_proposal(site, each) for each in suggestion.proposals],
    }


def _proposal(site: Site, proposal: Proposal) -> dict[str, Any]:
    return {
        "remedy": proposal.remedy.value,
        "rule": None if proposal.rule is None else rule_document(site, proposal.rule),
        "reason": proposal.reason,
        "figures": dict(proposal.figures),
        "loosens": proposal.loosens,
        "recommended": proposal.recommended,
        "effect": None if proposal.effect is None else _effect(proposal.effect),
    }


def _effect(effect: Effect) -> dict[str, Any]:
    return {
        "alarms": effect.alarms,
        "chattering": effect.chattering,
        "fleeting": effect.fleeting,
        "stale": effect.stale,
        "time_in": effect.time_in,
        "false": effect.false,
        "lost": effect.lost,
        "later": effect.later,
    }


def conditions(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Conditions that rows of a document name."""
    return [str(row["condition"]) for row in rows]
