"""Distance of a value from a constant or from another tag.

A deviation enters at distance >= setpoint and leaves at distance < setpoint - deadband. The distance is value -
reference, taken as it is (side ``above``), with the sign turned (``below``) or as its magnitude (``both``). A bad value
or reference says nothing; an uncertain one may raise, and say nothing else.
"""

from collections.abc import Sequence

import numpy as np

from domain.samples import Bool, Float64, Int64, UInt8
from domain.scales import RuleKind
from domain.site import Reference, RuleTable
from rules.arrivals import BAD, GOOD, Readings
from rules.conditions import Conditions, Family
from rules.inputs import SILENT, Events, Inputs, OverInputs
from rules.scan import FOR, Toggles
from rules.setpoints import Setpoints

_SIGNS = {"above": 1.0, "below": -1.0, "both": 0.0}


def deviations_from(rules: RuleTable, kind: str) -> tuple[Int64, list[Reference]]:
    """Rows and references of the DEVIATION rules with one kind of reference."""
    rows, references = [], []
    for row in np.flatnonzero(rules.kind == RuleKind.DEVIATION).tolist():
        reference = rules.extras[row].reference
        if reference is not None and reference.kind == kind:
            rows.append(row)
            references.append(reference)
    return np.array(rows, dtype=np.int64), references


def distances(rules: RuleTable, conditions: Conditions) -> Setpoints:
    """The setpoints of deviations, by their sides."""
    sides = [_SIGNS[rules.extras[row].side] for row in conditions.rows.tolist()]
    return Setpoints(rules, conditions, np.array(sides, dtype=np.float64))


def verdict_of(setpoints: Setpoints, condition: Int64 | int, distance: Float64, good: Bool) -> UInt8:
    """FOR, AGAINST or NEITHER; SILENT where the distance is not known, or not well enough to say more than FOR."""
    verdict = setpoints.verdict(condition, setpoints.signed(condition, distance))
    verdict[np.isnan(distance) | (~good & (verdict != FOR))] = SILENT
    return verdict


class ConstantDeviations(Family):
    """All deviations from a constant."""

    def __init__(self, rules: RuleTable, tag_count: int) -> None:
        rows, references = deviations_from(rules, "constant")
        self.conditions = Conditions(rules, rows, tag_count)
        self._setpoints = distances(rules, self.conditions)
        self._reference = np.array([reference.constant for reference in references], dtype=np.float64)
        self._watched = np.zeros(tag_count, dtype=np.bool_)
        self._watched[self.conditions.tag] = True

    def evaluate(self, readings: Readings) -> Toggles | None:
        """Carry the conditions over the readings; None where nothing toggles."""
        if not len(self.conditions.rows):
            return None
        watched = self._watched[readings.tag] & (readings.quality != BAD)
        if not watched.any():
            return None
        readings = readings.where(watched)
        reading, condition = self.conditions.pairs(readings.tag)
        with np.errstate(over="ignore"):
            distance = readings.value[reading] - self._reference[condition]
        verdict = verdict_of(self._setpoints, condition, distance, readings.quality[reading] == GOOD)
        said = verdict != SILENT
        reading = reading[said]
        return self.conditions.run(
            condition[said], readings.time[reading], readings.received_time[reading], distance[said], verdict[said]
        )

    def limit(self, condition: Int64, setpoint: Float64, deadband: Float64) -> None:
        """Set other setpoints, NaN for no limit."""
        self._setpoints.change(condition, setpoint, deadband)


class PairDeviations(OverInputs):
    """All deviations from another tag: the first input is the tag, the second its reference."""

    def __init__(self, rules: RuleTable, tag_count: int) -> None:
        rows, references = deviations_from(rules, "tag")
        tags = rules.tag[rows].tolist()
        inputs: Sequence[tuple[int, int]] = [(tag, other.tag) for tag, other in zip(tags, references, strict=True)]
        self.conditions = Inputs(rules, rows, inputs, tag_count)
        self._setpoints = distances(rules, self.conditions)

    def judge(self, events: Events) -> tuple[UInt8, Float64]:
        """Verdict and distance at each event."""
        value, good = self.conditions.column(events, 0)
        reference, reference_good = self.conditions.column(events, 1)
        with np.errstate(over="ignore", invalid="ignore"):
            distance = value - reference
        return verdict_of(self._setpoints, events.condition, distance, good & reference_good), distance

    def limit(self, condition: Int64, setpoint: Float64, deadband: Float64) -> None:
        """Set other setpoints, NaN for no limit."""
        self._setpoints.change(condition, setpoint, deadband)
