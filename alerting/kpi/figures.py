"""Key figures of one desk, enterprise or region over a period, from the columns of ``records``."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from alerting.kpi.records import NEVER, Records
from alerting.kpi.selection import Period, Selection
from alerting.kpi.targets import Targets
from domain.floods import TEN_MINUTES, find_floods
from domain.samples import Int64
from domain.scales import Grade

DAY = 86_400_000
LISTED = 50
"""Most conditions that a list of bad actors names [ours]."""
TOP = 10


def figures(chosen: Selection, records: Records, gateways: int, targets: Targets) -> dict[str, Any]:
    """All key figures. ``gateways``: how many the scope has. Times in ms, shares from 0 to 1."""
    period = chosen.period
    is_graded = period.length >= targets.graded_from_days * DAY
    called = chosen.called
    bins = per_ten_minutes(called, period)
    floods = find_floods(called.tolist(), period.end, targets.flood.begins_above, targets.flood.ends_below)
    flood_share = sum(flood.ended_at - flood.began_at for flood in floods) / period.length
    average = len(called) / (period.length / TEN_MINUTES)
    busy = float((bins > targets.busy.above).mean())
    top, top_share = top_ten(chosen)
    chattering, fleeting = find_chattering(chosen, targets), find_fleeting(chosen, targets)
    stale = stale_per_day(chosen, targets.stale.after * 1000)
    shares = priorities(chosen.called_grade)
    wanted = targets.priorities
    online = online_rate(chosen, gateways)
    met: dict[str, bool | None] = {
        "average": average <= targets.average.acceptable,
        "busy": busy < targets.busy.share_below,
        "flood": flood_share < targets.flood.share_below,
        "top_ten": top_share <= targets.top_ten.share_at_most,
        "chattering": not chattering,
        "fleeting": not fleeting,
        "stale": max(stale, default=0) < targets.stale.per_day_below,
        "priorities": not len(called)
        or _fits(shares, wanted.tolerance, wanted.blue, wanted.yellow, wanted.orange, wanted.red),
        "unsigned_suppressions": chosen.count(records.unsigned_suppressions) == 0,
        "unsigned_changes": chosen.count(records.unsigned_changes) == 0,
        "online": online is None or online >= targets.online.at_least,
    }
    return {
        "start": period.start,
        "end": period.end,
        "days": period.length / DAY,
        "graded": is_graded,
        "graded_from_days": targets.graded_from_days,
        "targets_version": targets.version,
        "alarms": len(called),
        "average_per_ten_minutes": average,
        "peak_per_ten_minutes": int(bins.max(initial=0)),
        "busy_share": busy,
        "floods": [
            {"began_at": flood.began_at, "ended_at": flood.ended_at, "alarms": flood.alarms} for flood in floods
        ],
        "flood_share": flood_share,
        "top_ten": top,
        "top_ten_share": top_share,
        "chattering": chattering,
        "fleeting": fleeting,
        "stale_per_day": {"mean": float(np.mean(stale)) if stale else 0.0, "most": max(stale, default=0)},
        "standing": standing(chosen),
        "priorities": shares,
        "acknowledge": answer_times(chosen, targets, "acknowledge"),
        "feedback": answer_times(chosen, targets, "feedback"),
        "alarm_acknowledge": alarm_answers(chosen, targets),
        "gateways": gateways,
        "online_rate": online,
        "unsigned_suppressions": chosen.count(records.unsigned_suppressions),
        "unsigned_changes": chosen.count(records.unsigned_changes),
        "left_out": {
            "drill": chosen.count(records.drill),
            "suppressed": chosen.count(records.suppressed),
            "followed": chosen.count(records.followed),
            "retrospective": chosen.count(records.retrospective),
        },
        "met": met if is_graded else dict.fromkeys(met),
        "per_day": per_day(chosen),
        "histogram": _histogram(bins),
    }


def per_ten_minutes(called: Int64, period: Period) -> Int64:
    """Alarms in each ten minutes from the period's start on; the last may be shorter."""
    bins = -(-period.length // TEN_MINUTES)
    return np.bincount((called - period.start) // TEN_MINUTES, minlength=bins).astype(np.int64)


def top_ten(chosen: Selection) -> tuple[list[dict[str, Any]], float]:
    """The most frequent conditions, and their share of all."""
    total = len(chosen.called)
    counts = _counts(chosen.called_number)[:TOP]
    named = [_named(chosen, number, alarms=count, share=count / total) for number, count in counts]
    return named, sum(count for _, count in counts) / total if total else 0.0


def find_chattering(chosen: Selection, targets: Targets) -> list[dict[str, Any]]:
    """Conditions with too many transitions in too short a time, and how many of these belong to such a row."""
    at, number = chosen.moved()
    order = np.lexsort((at, number))
    at, number = at[order], number[order]
    reach = targets.chattering.transitions - 1
    in_row = np.zeros(len(at), dtype=bool)
    if len(at) > reach:
        close = (number[reach:] == number[:-reach]) & (at[reach:] - at[:-reach] <= targets.chattering.within * 1000)
        for step in range(reach + 1):
            in_row[step : len(at) - reach + step] |= close
    counts = dict(_counts(number[in_row]))
    for known in chosen.chattered():
        counts.setdefault(known, 0)
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], chosen.condition(pair[0]).path))
    return [_named(chosen, known, transitions=count) for known, count in ranked]


def find_fleeting(chosen: Selection, targets: Targets) -> list[dict[str, Any]]:
    """Conditions that were out again in no time, and how often."""
    length, number = chosen.stays()
    counts = _counts(number[length < targets.fleeting.within * 1000])
    return [_named(chosen, known, times=count) for known, count in counts]


def stale_per_day(chosen: Selection, after: int) -> list[int]:
    """For each 24 h from the period's start on: alarms that had been in the list for longer than ``after`` ms in it."""
    period = chosen.period
    days = -(-period.length // DAY)
    begin, end, _, _ = chosen.listed()
    begin = np.maximum(begin + after, period.start)
    long = begin < end
    change = np.zeros(days + 1, dtype=np.int64)
    np.add.at(change, (begin[long] - period.start) // DAY, 1)
    np.add.at(change, (end[long] - 1 - period.start) // DAY + 1, -1)
    counts: list[int] = np.cumsum(change)[:-1].tolist()
    return counts


def standing(chosen: Selection) -> dict[str, Any]:
    """Alarms in the list: at the period's end, those of them that stand longest, and on average over the period."""
    period = chosen.period
    begin, end, number, grade = chosen.listed()
    clipped = np.minimum(end, period.end) - np.maximum(begin, period.start)
    last = np.flatnonzero(end == period.end)
    last = last[np.argsort(begin[last], kind="stable")]
    items = [
        _named(chosen, int(number[row]), grade=Grade(int(grade[row])).label, since=int(begin[row]))
        for row in last[:LISTED].tolist()
    ]
    return {"count": len(last), "mean": float(np.maximum(clipped, 0).sum()) / period.length, "longest": items}


def priorities(grade: Int64) -> dict[str, dict[str, float]]:
    """Count and share of each grade."""
    counts = np.bincount(grade, minlength=5)
    total = max(len(grade), 1)
    return {one.label: {"alarms": int(counts[one]), "share": float(counts[one]) / total} for one in Grade}


def answer_times(chosen: Selection, targets: Targets, step: str) -> dict[str, dict[str, Any]]:
    """By grade: incidents opened, how many were acknowledged (or fed back) in time, late, or not at all.

    ``open``: not yet, and the time is not over at the period's end. ``share``: in time, of those that are decided.
    """
    period, found = chosen.period, chosen.cases()
    limits: Mapping[str, int] = getattr(targets, step).model_dump()
    result = {}
    for grade in Grade:
        limit = limits[grade.label] * 1000
        spans, missing, waiting = [], 0, 0
        for case in found:
            if case.grade is not grade:
                continue
            done = case.acknowledged_at if step == "acknowledge" else case.fed_back_at
            if done != NEVER and done < period.end:
                spans.append(done - case.opened_at)
            elif case.opened_at + limit <= period.end:
                missing += 1
            else:
                waiting += 1
        result[grade.label] = _decided(_summary(spans, limit), missing, waiting)
    return result


def alarm_answers(chosen: Selection, targets: Targets) -> dict[str, dict[str, Any]]:
    """The same of single alarms: how long they waited for their acknowledgement, by the times of incidents."""
    limits: Mapping[str, int] = targets.acknowledge.model_dump()
    result = {}
    for grade in Grade:
        limit = limits[grade.label] * 1000
        rows = (chosen.called_grade == grade) & (chosen.is_first == 1)
        answered = rows & (chosen.answered != NEVER) & (chosen.answered < chosen.period.end)
        waiting = rows & ~answered & (chosen.called + limit > chosen.period.end)
        spans = (chosen.answered - chosen.called)[answered].tolist()
        missing = int(rows.sum()) - len(spans) - int(waiting.sum())
        result[grade.label] = _decided(_summary(spans, limit), missing, int(waiting.sum()))
    return result


def online_rate(chosen: Selection, gateways: int) -> float | None:
    """Share of the time that gateways had their link; None where there are none."""
    if not gateways:
        return None
    begin, end, _ = chosen.lost()
    return max(0.0, 1 - float((end - begin).sum()) / (gateways * chosen.period.length))


def per_day(chosen: Selection) -> list[dict[str, Any]]:
    """For each 24 h from the period's start on: alarms by grade."""
    days = -(-chosen.period.length // DAY)
    day = (chosen.called - chosen.period.start) // DAY
    counts = {grade.label: np.bincount(day[chosen.called_grade == grade], minlength=days).tolist() for grade in Grade}
    return [
        {"start": chosen.period.start + index * DAY} | {label: counts[label][index] for label in counts}
        for index in range(days)
    ]


def _histogram(bins: Int64) -> dict[str, int]:
    """Ten-minute periods by their number of alarms: 0 to 10, and more."""
    counts = np.bincount(np.minimum(bins, 11), minlength=12).tolist()
    return {str(number): count for number, count in enumerate(counts[:11])} | {"more": counts[11]}


def _summary(spans: list[int], limit: int) -> dict[str, Any]:
    return {
        "within": limit,
        "answered": len(spans),
        "in_time": sum(span <= limit for span in spans),
        "late": sum(span > limit for span in spans),
        "median": float(np.median(spans)) if spans else None,
        "nine_in_ten": float(np.quantile(spans, 0.9, method="inverted_cdf")) if spans else None,
    }


def _decided(summary: dict[str, Any], missing: int, waiting: int) -> dict[str, Any]:
    decided = summary["answered"] + missing
    share = summary["in_time"] / decided if decided else None
    return summary | {"missing": missing, "open": waiting, "share": share}


def _fits(
    shares: Mapping[str, Mapping[str, float]], tolerance: float, blue: float, yellow: float, orange: float, red: float
) -> bool:
    return (
        shares["blue"]["share"] >= blue - tolerance
        and shares["yellow"]["share"] <= yellow + tolerance
        and shares["orange"]["share"] <= orange + tolerance
        and shares["red"]["share"] < red
    )


def _counts(numbers: Int64) -> list[tuple[int, int]]:
    """Conditions by how often they occur, most often first."""
    known, count = np.unique(numbers, return_counts=True)
    order = np.lexsort((known, -count))
    return [(int(known[row]), int(count[row])) for row in order]


def _named(chosen: Selection, number: int, **values: Any) -> dict[str, Any]:
    condition = chosen.condition(number)
    return {"path": condition.path, "enterprise": condition.enterprise, "region": condition.region, **values}
