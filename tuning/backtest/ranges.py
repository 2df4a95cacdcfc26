"""Instruments' ranges over recorded readings: as the service doubts what it takes in, by the ranges that are tried."""

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
        lowest, highest = block.value.min(), block.value.max()
        was = block.reason == QualityReason.OUT_OF_RANGE
        if self._inside[0] <= lowest and highest <= self._inside[1] and not was.any():
            return block
        value, quality, reason = block.value.copy(), block.quality.copy(), block.reason.copy()
        again = was & (quality == Quality.UNCERTAIN)
        quality[again] = Quality.GOOD
        reason[again] = QualityReason.NONE
        tag = block.tag
        doubt(value, quality, reason, self._low[tag], self._high[tag], self._ranged[tag])
        return SampleBlock(tag, block.source_time, block.received_time, value, quality, reason)
