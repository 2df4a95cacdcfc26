"""What a value's place in its instrument's range says of its quality."""

import numpy as np

from domain.samples import Bool, Float64, UInt8
from domain.scales import Quality, QualityReason

SENTINELS = (9999.9999, -9999.0)
"""Values by which gateways say that there is none (vendors' manuals)."""


def doubt(value: Float64, quality: UInt8, reason: UInt8, low: Float64, high: Float64, ranged: Bool) -> None:
    """Lessen ``quality`` where a value lies outside of its range, or is none; columns of one length, changed in place.

    low, high: of the instrument of each value; ranged: both are known
    """
    outside = ~((value >= low) & (value <= high))
    suspect = outside | (~ranged & np.isin(value, SENTINELS))
    if suspect.any():
        doubted = suspect & (quality == Quality.GOOD)
        quality[doubted] = Quality.UNCERTAIN
        reason[doubted] = QualityReason.OUT_OF_RANGE
        absent = suspect & np.isin(value, SENTINELS)
        quality[absent] = Quality.BAD
        reason[absent] = QualityReason.SENTINEL
    finite = np.isfinite(value)
    if not finite.all():
        value[~finite] = np.nan
        quality[~finite] = Quality.BAD
        reason[~finite & (reason != QualityReason.GATEWAY_FLAG)] = QualityReason.NOT_A_NUMBER
