"""Which point is recommended, and which are worth a look.

The recommendation [ours]: of the points that miss the fewest events, those whose alarms come at least so long before
the harm; of these the one with the fewest false alarms; then the least chattering, then the shortest worst delay, then
the least change. Where the data hold no event nothing is recommended: a rule that never alarms would be the best one.
"""

from collections.abc import Sequence

from domain.scales import RuleKind
from domain.site import Rule
from tuning.sweep.grid import AXES, Point
from tuning.sweep.result import Choice, PointResult

_RATES = frozenset({RuleKind.RISE, RuleKind.FALL})


def choose(points: Sequence[PointResult], events: int, least_lead: int, rules: Sequence[Rule]) -> Choice:
    """The recommended point. ``points[0]`` is the present; ``rules``: as they are."""
    if not events:
        return Choice(None, "no_events", {"points": len(points) - 1})
    numbers = range(len(points))
    fewest = min(point.missed for point in points)
    nothing_missed = [number for number in numbers if points[number].missed == fewest]
    early = [number for number in nothing_missed if _leads(points[number], least_lead)]
    candidates = early or nothing_missed
    best = min(
        candidates,
        key=lambda number: (
            points[number].false,
            points[number].chattering,
            points[number].worst_delay or 0,
            _distance(points[number].point, rules),
            number,
        ),
    )
    chosen = points[best]
    if fewest == events:
        return Choice(None, "all_missed", {"events": events, "points": len(points) - 1})
    reason = "misses_fewest" if fewest else "late" if not early else "nothing_missed"
    if best == 0:
        reason = "present"
    return Choice(
        best,
        reason,
        {
            "events": events,
            "missed": fewest,
            "points": len(points) - 1,
            "candidates": sum(number > 0 for number in candidates),
            "false_per_day": chosen.false_per_day,
            "false_before": points[0].false_per_day,
            "missed_before": points[0].missed,
            "least_lead": least_lead,
        },
        loosened=any(loosens(rule, chosen.point.of(rule)) for rule in rules),
    )


def front(points: Sequence[PointResult]) -> tuple[int, ...]:
    """Points that no other beats: none has as few missed events, as short a mean delay and as few false alarms."""
    worth = sorted(
        (number for number, point in enumerate(points) if point.delay is not None),
        key=lambda number: (points[number].missed, points[number].delay, points[number].false, number),
    )
    kept: list[int] = []
    for number in worth:
        if not any(_beats(points[other], points[number]) for other in kept):
            kept.append(number)
    return tuple(sorted(kept, key=lambda number: (points[number].delay, points[number].false)))


def loosens(before: Rule, after: Rule) -> bool:
    """Whether an alarm could come later than before, end earlier, or not come at all.

    As change control has it: the level of entering moved out, the level of leaving moved towards it, a longer
    on-delay, a shorter off-delay, a longer window, any other window of a rate.
    """
    extra = before.extra
    inward = before.kind in {RuleKind.LOW, RuleKind.STUCK} or (
        before.kind is RuleKind.VOTE and extra is not None and extra.low
    )
    sign = -1.0 if inward else 1.0
    enters_later = sign * after.setpoint > sign * before.setpoint
    leaves_earlier = before.kind is not RuleKind.STUCK and (
        sign * after.setpoint - after.deadband > sign * before.setpoint - before.deadband
        or (_lends_deadband(before) and after.deadband < before.deadband)
    )
    window = after.window > before.window or (before.kind in _RATES and after.window != before.window)
    return (
        enters_later
        or leaves_earlier
        or window
        or after.on_delay > before.on_delay
        or after.off_delay < before.off_delay
    )


def _lends_deadband(rule: Rule) -> bool:
    """A mode of operation has a setpoint of its own, and the rule's deadband."""
    modes = () if rule.extra is None else rule.extra.modes
    return any(mode.setpoint is not None and mode.deadband is None for mode in modes)


def _beats(one: PointResult, other: PointResult) -> bool:
    """At least as good in all, which two points that are alike are of each other: the first then stays."""
    return (
        one.missed <= other.missed
        and one.false <= other.false
        and one.delay is not None
        and other.delay is not None
        and one.delay <= other.delay
    )


def _leads(point: PointResult, least: int) -> bool:
    return point.least_lead is None or point.least_lead >= least


def _distance(point: Point, rules: Sequence[Rule]) -> float:
    """How far a point is from the rules as they are: shares of change, added up over axes."""
    total = 0.0
    for rule in rules:
        changed = point.of(rule)
        for axis in AXES:
            before, after = float(getattr(rule, axis)), float(getattr(changed, axis))
            total += abs(after - before) / max(abs(before), abs(after), 1e-12)
    return total
