"""Lowest and highest of any stretch of a column, in a constant number of steps each."""

import numpy as np

from domain.samples import Float64, Int64


class Extremes:
    """Of a column of n >= 1 values: for each power of two the extremes of all stretches of that length."""

    def __init__(self, value: Float64) -> None:
        levels = len(value).bit_length()
        self._low = np.empty((levels, len(value)))
        self._high = np.empty((levels, len(value)))
        self._low[0] = self._high[0] = value
        for level in range(1, levels):
            half = 1 << (level - 1)
            count = len(value) - 2 * half + 1
            for rows, pick in ((self._low, np.minimum), (self._high, np.maximum)):
                pick(rows[level - 1, :count], rows[level - 1, half : half + count], out=rows[level, :count])

    def between(self, first: Int64, last: Int64) -> tuple[Float64, Float64]:
        """Lowest and highest from ``first`` to ``last``, both included."""
        level = np.frexp(last - first + 1)[1].astype(np.int64) - 1
        other = last - (1 << level) + 1
        low = np.minimum(self._low[level, first], self._low[level, other])
        high = np.maximum(self._high[level, first], self._high[level, other])
        return low, high

    def within(self, last: Int64, first: Int64, band: Float64) -> Int64:
        """How far back from ``last``, but no further than ``first``, all values lie within a band: the earliest."""
        at = last.copy()
        low, high = self._low[0, last], self._high[0, last]
        for level in range(len(self._low) - 1, -1, -1):
            back = at - (1 << level)
            known = np.maximum(back, 0)
            lower = np.minimum(low, self._low[level, known])
            higher = np.maximum(high, self._high[level, known])
            fits = (back >= first) & (higher - lower <= band)
            at = np.where(fits, back, at)
            low, high = np.where(fits, lower, low), np.where(fits, higher, high)
        return at
