"""Bad quality as a condition of its own: BAD is for, GOOD is against, UNCERTAIN is neither."""

import numpy as np

from domain.samples import Int64
from domain.scales import RuleKind
from domain.site import RuleTable
from rules.arrivals import BAD, GOOD, Readings
from rules.conditions import Conditions, Family
from rules.scan import AGAINST, FOR, NEITHER, Toggles, together


class BadQuality(Family):
    """All BAD rules."""

    def __init__(self, rules: RuleTable, tag_count: int) -> None:
        self.conditions = Conditions(rules, np.flatnonzero(rules.kind == RuleKind.BAD), tag_count)
        self._busy = np.zeros(tag_count, dtype=np.bool_)

    def evaluate(self, readings: Readings) -> Toggles | None:
        """Carry the conditions over the readings; None where nothing toggles."""
        if readings.is_tall:
            return self._along(readings)
        stirs = (readings.quality == BAD) | self._busy[readings.tag]
        if not stirs.any():
            return None
        stirred = readings.of_tags(np.logical_or.reduceat(stirs, readings.begins))
        reading, condition = self.conditions.pairs(stirred.tag)
        quality = stirred.quality[reading]
        bad, good = quality == BAD, quality == GOOD
        toggles = self.conditions.run(
            condition,
            stirred.time[reading],
            stirred.received_time[reading],
            stirred.value[reading],
            np.where(bad, np.uint8(FOR), np.where(good, np.uint8(AGAINST), np.uint8(NEITHER))),
        )
        self.settle(condition)
        return toggles

    def _along(self, readings: Readings) -> Toggles | None:
        """The same of many readings of one tag."""
        tag = int(readings.tag[0])
        if not self._busy[tag] and readings.quality.min() > BAD:
            return None
        quality = readings.quality
        verdict = np.where(
            quality == BAD, np.uint8(FOR), np.where(quality == GOOD, np.uint8(AGAINST), np.uint8(NEITHER))
        )
        own = self.conditions.of_tag(tag)
        found = [
            self.conditions.along(condition, readings.time, readings.received_time, readings.value, verdict)
            for condition in own
        ]
        self.settle(np.array(own, dtype=np.int64))
        return together(found)

    def settle(self, condition: Int64) -> None:
        """Note which tags have a condition that is in or has a run under way."""
        if len(condition):
            tag, begins, condition = self.conditions.of_same_tags(condition)
            self._busy[tag] = np.logical_or.reduceat(self.conditions.busy(condition), begins)
