"""Who asks too often: so many in a time from one address are refused, and where many ask together all are slowed."""

from collections import deque

MOST_ADDRESSES = 10_000
"""Addresses that are remembered [ours]."""


class Throttle:
    """Counts by address within a sliding window. Times in ms.

    What all addresses do together refuses nobody: else whoever asks often enough would lock out all others.
    """

    def __init__(self, each: int, together: int, window: int, delay: int) -> None:
        self._each = each
        self._window = window
        self._delay = delay
        self._all: deque[int] = deque(maxlen=together)
        self._by_address: dict[str, deque[int]] = {}

    def wait(self, address: str, now: int) -> int:
        """The ms after which the address may ask again; 0: now."""
        times = self._by_address.get(address)
        return max(0, times[0] + self._window - now) if times and len(times) == self._each else 0

    def delay(self, now: int) -> int:
        """The ms that everybody is kept waiting for an answer, because so many have asked."""
        is_busy = len(self._all) == self._all.maxlen and self._all[0] > now - self._window
        return self._delay if is_busy else 0

    def count(self, address: str, now: int) -> None:
        """The address has asked."""
        if address not in self._by_address and len(self._by_address) >= MOST_ADDRESSES:
            del self._by_address[min(self._by_address, key=lambda known: max(self._by_address[known], default=0))]
        self._by_address.setdefault(address, deque(maxlen=self._each)).append(now)
        self._all.append(now)
