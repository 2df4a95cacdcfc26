"""Instruments' ranges over recorded readings: as the service doubts what it takes in, by the ranges that are tried."""

from dataclasses import replace

import numpy as np

from domain.ranges import SENTINELS, doubt
from domain.samples import SampleBlock
from domain.scales import Quality, QualityReason
from domain.site import Site

_SENTINEL = min(abs(value) for value in SENTINELS)


class Ranges:
    """The ranges of a site's tags."""

    def __init__(self, site: Site) -> None:
        self._low = np.array([tag.low for tag in site.tags])
        self._high = np.array([tag.high for tag in site.tags])
        self._inside = max(self._low.max(), 1 - _SENTINEL), min(self._high.min(), _SENTINEL - 1)
        """What lies inside of every range."""
        self._ranged = np.isfinite(self._low) & np.isfinite(self._high)

    def doubted(self, block: SampleBlock) -> SampleBlock:
        """The same readings, those outside of their range UNCERTAIN, and those inside not for that reason any more."""
        low, high = self._inside
        inside = (block.value >= low) & (block.value <= high) & (block.reason != QualityReason.OUT_OF_RANGE)
        rows = np.flatnonzero(~inside)
        if not len(rows):
            return block
        tag, value, quality, reason = block.tag[rows], block.value[rows], block.quality[rows], block.reason[rows]
        again = (reason == QualityReason.OUT_OF_RANGE) & (quality == Quality.UNCERTAIN)
        quality[again] = Quality.GOOD
        reason[again] = QualityReason.NONE
        doubt(value, quality, reason, self._low[tag], self._high[tag], self._ranged[tag])
        whole = replace(block, value=block.value.copy(), quality=block.quality.copy(), reason=block.reason.copy())
        whole.value[rows], whole.quality[rows], whole.reason[rows] = value, quality, reason
        return whole
