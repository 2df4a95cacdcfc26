"""Rate of change over a window in source time.

The rate at a reading is its difference from the oldest reading inside the window before it, or, where the window
holds none, from the reading before; divided by the window's length, or by the time between the two where that is
longer. A change that is quicker than the window thus counts as spread over the window: noise between two neighbouring
readings is no rate, and a ramp at the limit enters within one window.

RISE enters at rate >= setpoint and leaves at rate < setpoint - deadband, both per second; FALL is the same of the
falling value. Only readings of good quality with a finite value have a rate; others say nothing, and are no base. The
first reading has no rate. While the first reading since the start is less than a window back the rate may raise but
not clear, for it is too small then: a start clears nothing that was in before it.

Nearly all readings change nothing. While all readings of a window lie closer together than the least change that
enters, no condition that is out can enter, and the rate itself need not be known.
"""

import numpy as np

from domain.samples import Bool, Int64
from domain.scales import RuleKind
from domain.site import RuleTable
from rules.arrivals import GOOD, Readings
from rules.conditions import Conditions
from rules.histories import Histories
from rules.scan import AGAINST, FOR, NEITHER, Toggles

ROUNDING = 1e-9
"""What the change that enters is lessened by, relatively, so that rounding hides none."""


class Rates:
    """All RISE and FALL rules. ``period``: expected ms between readings of each tag."""

    def __init__(self, rules: RuleTable, period: Int64) -> None:
        rows = np.flatnonzero((rules.kind == RuleKind.RISE) | (rules.kind == RuleKind.FALL))
        self.conditions = Conditions(rules, rows, len(period))
        self._sign = np.where(rules.kind[rows] == RuleKind.RISE, 1.0, -1.0)
        self._enter = rules.setpoint[rows]
        self._leave = rules.setpoint[rows] - rules.deadband[rows]
        self._window = np.maximum(rules.window[rows], 1)

        tag = np.unique(self.conditions.tag)
        self._ring = np.full(len(period), -1, dtype=np.int64)
        self._ring[tag] = np.arange(len(tag))
        ring = self._ring[self.conditions.tag]
        longest = np.zeros(len(tag), dtype=np.int64)
        np.maximum.at(longest, ring, self._window)
        self._histories = Histories(longest, longest // np.maximum(period[tag], 1) + 2)
        # The least change that can enter a condition of a tag.
        self._change = np.full(len(tag), np.inf)
        np.minimum.at(self._change, ring, self._enter * self._window / 1000.0 * (1.0 - ROUNDING))
        self._busy = np.zeros(len(tag), dtype=np.bool_)

    def evaluate(self, readings: Readings) -> Toggles | None:
        """Carry the conditions over the readings; None where nothing toggles."""
        if not len(self.conditions.rows):
            return None
        rated = (self._ring[readings.tag] >= 0) & (readings.quality == GOOD) & np.isfinite(readings.value)
        if not rated.all():
            if not rated.any():
                return None
            readings = readings.where(rated)
        ring = self._ring[readings.tag[readings.begins]]
        number = self._histories.append(ring, readings.begins, readings.counts, readings.time, readings.value)
        with np.errstate(over="ignore"):
            stirs = (self._histories.spread(ring) >= self._change[ring]) | self._busy[ring]
            return self._run(readings, number, stirs) if stirs.any() else None

    def _run(self, readings: Readings, number: Int64, stirs: Bool) -> Toggles | None:
        """Evaluate the rates of those tags that a mask, one entry a tag, picks."""
        number = number[stirs.repeat(readings.counts)]
        readings = readings.of_tags(stirs)
        reading, condition = self.conditions.pairs(readings.tag)
        time = readings.time[reading]
        window = self._window[condition]
        base, base_time, base_value = self._histories.base(
            self._ring[readings.tag[reading]], number[reading], time - window
        )
        elapsed = time - base_time
        rate = (readings.value[reading] - base_value) * 1000.0 / np.maximum(elapsed, window)
        signed = rate * self._sign[condition]
        for_ = (elapsed > 0) & (signed >= self._enter[condition])
        whole = (elapsed >= window) | (base > 0)
        against = (elapsed > 0) & (signed < self._leave[condition]) & whole
        verdict = np.where(for_, np.uint8(FOR), np.where(against, np.uint8(AGAINST), np.uint8(NEITHER)))
        toggles = self.conditions.run(condition, time, readings.received_time[reading], rate, verdict)
        self.settle(condition)
        return toggles

    def forget(self, tag: Int64) -> None:
        """Forget the readings of these tags."""
        ring = self._ring[tag]
        self._histories.forget(ring[ring >= 0])

    def settle(self, condition: Int64) -> None:
        """Note which tags have a condition that is in or has a run under way."""
        if len(condition):
            tag, begins, condition = self.conditions.of_same_tags(condition)
            self._busy[self._ring[tag]] = np.logical_or.reduceat(self.conditions.busy(condition), begins)
