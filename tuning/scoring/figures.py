"""Figures of alarm management from episodes: by rule and over all, as the live key figures count them.

All episodes count as alarms: what people do (shelving, acknowledging) and what the service lays over alarms
(suppression by design, damped chattering, first-out) is not in a recording.
"""

from collections.abc import Sequence

import numpy as np

from domain.floods import TEN_MINUTES, find_floods
from domain.samples import Bool, Int64
from domain.scales import Grade
from domain.site import Site
from tuning.backtest.result import Episodes
from tuning.scoring.result import DAY, Figures, Measure, RuleFigures
from tuning.scoring.yardstick import Targets, Yardstick

TOP = 10


def lengths(episodes: Episodes, end: int) -> Int64:
    """How long each episode lasted (ms), those that are still in until the end of the data."""
    left = np.where(episodes.left_at < 0, np.maximum(end, episodes.entered_at), episodes.left_at)
    return left - episodes.entered_at


def chattering_transitions(episodes: Episodes, rule_count: int, targets: Targets) -> Int64:
    """By rule: transitions that stand in a row of too many within too short a time."""
    ended = episodes.left_at >= 0
    at = np.concatenate([episodes.entered_at, episodes.left_at[ended]])
    rule = np.concatenate([episodes.rule, episodes.rule[ended]])
    order = np.lexsort((at, rule))
    at, rule = at[order], rule[order]
    reach = targets.chattering_transitions - 1
    in_row = np.zeros(len(at), dtype=np.bool_)
    if len(at) > reach:
        close = (rule[reach:] == rule[: len(rule) - reach]) & (
            at[reach:] - at[: len(at) - reach] <= targets.chattering_within
        )
        for step in range(reach + 1):
            in_row[step : len(at) - reach + step] |= close
    return np.bincount(rule[in_row], minlength=rule_count).astype(np.int64)


def of_rules(
    site: Site, episodes: Episodes, begin: int, end: int, false: Bool | None, yardstick: Yardstick
) -> tuple[RuleFigures, ...]:
    """Figures of every rule that raised anything, the most frequent first."""
    count = len(site.rules)
    rule, length = episodes.rule, lengths(episodes, end)
    counts = np.bincount(rule, minlength=count)
    time_in = np.zeros(count, dtype=np.int64)
    np.add.at(time_in, rule, length)
    longest = np.zeros(count, dtype=np.int64)
    np.maximum.at(longest, rule, length)
    targets = yardstick.targets
    chatter = chattering_transitions(episodes, count, targets)
    short = (episodes.left_at >= 0) & (length < targets.fleeting_within)
    fleeting = np.bincount(rule[short], minlength=count)
    stale = np.bincount(rule[length > targets.stale_after], minlength=count)
    wrong = None if false is None else np.bincount(rule[false], minlength=count)
    peak = _peaks(episodes, begin, count)
    raised = np.flatnonzero(counts)
    raised = raised[np.lexsort((raised, -counts[raised]))]
    days = max(end - begin, 1) / DAY
    return tuple(
        RuleFigures(
            row=row,
            path=site.rule_path(row),
            grade=yardstick.grade_of(site.rules.row(row)),
            count=int(counts[row]),
            per_day=int(counts[row]) / days,
            time_in=int(time_in[row]),
            longest=int(longest[row]),
            false=None if wrong is None else int(wrong[row]),
            chattering=int(chatter[row]),
            fleeting=int(fleeting[row]),
            stale=int(stale[row]),
            peak=int(peak[row]),
        )
        for row in raised.tolist()
    )


def over_all(rules: Sequence[RuleFigures], episodes: Episodes, begin: int, end: int, yardstick: Yardstick) -> Figures:
    """Figures of all rules together. ``rules``: as ``of_rules`` has them."""
    targets = yardstick.targets
    entered = np.sort(episodes.entered_at)
    length = max(end - begin, 1)
    bins = per_ten_minutes(entered, begin, end)
    floods = find_floods(entered.tolist(), end, targets.flood_begins_above, targets.flood_ends_below)
    total = len(entered)
    priorities = {grade: sum(rule.count for rule in rules if rule.grade is grade) for grade in Grade}
    figures = {
        "average": total / (length / TEN_MINUTES),
        "busy": float((bins > targets.busy_above).mean()),
        "flood": sum(flood.ended_at - flood.began_at for flood in floods) / length,
        "top_ten": sum(rule.count for rule in rules[:TOP]) / max(total, 1),
        "chattering": sum(rule.chattering > 0 for rule in rules),
        "fleeting": sum(rule.fleeting > 0 for rule in rules),
        "stale": stale_per_day(episodes, begin, end, targets.stale_after),
    }
    return Figures(
        alarms=total,
        per_day=total / (length / DAY),
        average=figures["average"],
        peak=int(bins.max(initial=0)),
        busy_share=figures["busy"],
        floods=floods,
        flood_share=figures["flood"],
        top_ten_share=figures["top_ten"],
        chattering=int(figures["chattering"]),
        fleeting=int(figures["fleeting"]),
        stale_per_day=int(figures["stale"]),
        priorities=priorities,
        measures=(*_measures(figures, targets), *_priorities(priorities, total, targets)),
        graded=length >= targets.graded_from_days * DAY,
        ten_minutes=tuple(bins.tolist()),
    )


def per_ten_minutes(entered: Int64, begin: int, end: int) -> Int64:
    """Alarms in each ten minutes from the beginning on; the last may be shorter."""
    count = max(-(-(end - begin) // TEN_MINUTES), 1)
    place = np.clip((entered - begin) // TEN_MINUTES, 0, count - 1)
    return np.bincount(place, minlength=count).astype(np.int64)


def stale_per_day(episodes: Episodes, begin: int, end: int, after: int) -> int:
    """Most alarms on one day (24 h from the beginning on) that had been in for longer than ``after`` ms in it."""
    days = max(-(-(end - begin) // DAY), 1)
    left = np.where(episodes.left_at < 0, end, np.minimum(episodes.left_at, end))
    since = np.maximum(episodes.entered_at + after, begin)
    long = since < left
    change = np.zeros(days + 1, dtype=np.int64)
    np.add.at(change, (since[long] - begin) // DAY, 1)
    np.add.at(change, (left[long] - 1 - begin) // DAY + 1, -1)
    return int(np.cumsum(change)[:-1].max(initial=0))


def _peaks(episodes: Episodes, begin: int, count: int) -> Int64:
    peak = np.zeros(count, dtype=np.int64)
    if len(episodes.rule):
        place = (episodes.entered_at - begin) // TEN_MINUTES
        span = int(place.max()) + 1
        known, times = np.unique(episodes.rule * span + place, return_counts=True)
        np.maximum.at(peak, known // span, times)
    return peak


def _measures(figures: dict[str, float], targets: Targets) -> list[Measure]:
    wanted = {
        "average": (targets.average, figures["average"] <= targets.average),
        "busy": (targets.busy_share, figures["busy"] < targets.busy_share),
        "flood": (targets.flood_share, figures["flood"] < targets.flood_share),
        "top_ten": (targets.top_ten_share, figures["top_ten"] <= targets.top_ten_share),
        "chattering": (0.0, not figures["chattering"]),
        "fleeting": (0.0, not figures["fleeting"]),
        "stale": (float(targets.stale_per_day), figures["stale"] < targets.stale_per_day),
    }
    return [Measure(name, float(figures[name]), target, bool(met)) for name, (target, met) in wanted.items()]


def _priorities(priorities: dict[Grade, int], total: int, targets: Targets) -> list[Measure]:
    share = {grade: count / max(total, 1) for grade, count in priorities.items()}
    wanted, slack = targets.priorities, targets.priorities_tolerance
    lowest, highest = min(wanted), max(wanted)
    rows = []
    for grade, target in wanted.items():
        met = share[grade] >= target - slack if grade is lowest else share[grade] <= target + slack
        rows.append((grade, target, share[grade] < target if grade is highest else met))
    return [Measure(grade.label, share[grade], target, met or not total) for grade, target, met in rows]
