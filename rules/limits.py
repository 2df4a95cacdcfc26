"""High and low limits.

HIGH enters at value >= setpoint and leaves at value < setpoint - deadband; LOW mirrors it: value <= setpoint, value >
setpoint + deadband (GB/T 41261 / IEC 62682). Bad quality, or no value, says nothing: the condition holds. Uncertain
quality may raise, and say nothing else.

Nearly all readings change nothing. Each tag therefore has a calm band: while its readings stay inside, no condition
of it can change, however many limits it has. Only tags with a reading outside are looked at rule by rule.
"""

import numpy as np

from domain.samples import Float64, Int64
from domain.scales import RuleKind
from domain.site import RuleTable
from rules.arrivals import BAD, GOOD, UNCERTAIN, Readings
from rules.conditions import Conditions, Family
from rules.scan import FOR, Toggles, together
from rules.setpoints import Setpoints


class Limits(Family):
    """All HIGH and LOW rules."""

    def __init__(self, rules: RuleTable, tag_count: int) -> None:
        rows = np.flatnonzero((rules.kind == RuleKind.HIGH) | (rules.kind == RuleKind.LOW))
        self.conditions = Conditions(rules, rows, tag_count)
        # LOW is HIGH with the signs turned.
        self._sign = np.where(rules.kind[rows] == RuleKind.HIGH, 1.0, -1.0)
        self._setpoints = Setpoints(rules, self.conditions, self._sign, mirrored=True)
        self._floor = np.full(tag_count, -np.inf)
        self._ceiling = np.full(tag_count, np.inf)
        self.settle(np.arange(len(rows)))

    def evaluate(self, readings: Readings) -> Toggles | None:
        """Carry the conditions over the readings; None where nothing toggles."""
        if readings.is_tall:
            return self._along(readings)
        outside = (readings.value <= self._floor[readings.tag]) | (readings.value >= self._ceiling[readings.tag])
        stirs = outside & (readings.quality != BAD)
        if not stirs.any():
            return None
        stirred = readings.of_tags(np.logical_or.reduceat(stirs, readings.begins))
        reading, condition = self.conditions.pairs(stirred.tag)
        value = stirred.value[reading]
        quality = stirred.quality[reading]
        verdict = self._setpoints.verdict(condition, value * self._sign[condition])
        counts = ((quality == GOOD) & ~np.isnan(value)) | ((quality == UNCERTAIN) & (verdict == FOR))
        reading, condition, verdict = reading[counts], condition[counts], verdict[counts]
        toggles = self.conditions.run(
            condition, stirred.time[reading], stirred.received_time[reading], value[counts], verdict
        )
        self.settle(condition)
        return toggles

    def _along(self, readings: Readings) -> Toggles | None:
        """The same of many readings of one tag."""
        tag = int(readings.tag[0])
        lowest, highest = readings.value.min(), readings.value.max()
        if lowest > self._floor[tag] and highest < self._ceiling[tag]:
            return None
        good = readings.quality == GOOD
        known = None if good.all() and not np.isnan(lowest) else ~np.isnan(readings.value)
        found = []
        for condition in self.conditions.of_tag(tag):
            verdict = self._setpoints.along(condition, readings.value)
            if verdict is None:
                continue
            time, received, value = readings.time, readings.received_time, readings.value
            if known is not None:
                counts = (good & known) | ((readings.quality == UNCERTAIN) & (verdict == FOR))
                time, received, value, verdict = time[counts], received[counts], value[counts], verdict[counts]
            found.append(self.conditions.along(condition, time, received, value, verdict))
        self.settle(np.array(self.conditions.of_tag(tag), dtype=np.int64))
        return together(found)

    def limit(self, condition: Int64, setpoint: Float64, deadband: Float64) -> None:
        """Set other setpoints, NaN for no limit."""
        self._setpoints.change(condition, setpoint, deadband)
        self.settle(condition)

    def settle(self, condition: Int64) -> None:
        """Draw the calm bands of the tags of these conditions anew."""
        if not len(condition):
            return
        tag, begins, condition = self.conditions.of_same_tags(condition)
        inside = self.conditions.state.inside[condition]
        sign = self._sign[condition]
        bound = np.where(inside, self._setpoints.leave[condition], self._setpoints.enter[condition]) * sign
        above = inside != (sign > 0)
        steady = self.conditions.steady(condition)
        # A run under way is broken or carried on by any value: nothing is calm.
        floor = np.where(steady, np.where(above, -np.inf, bound), np.inf)
        ceiling = np.where(steady, np.where(above, bound, np.inf), -np.inf)
        self._floor[tag] = np.maximum.reduceat(floor, begins)
        self._ceiling[tag] = np.minimum.reduceat(ceiling, begins)
