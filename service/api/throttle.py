"""Who asks too often: so many in a time from one address, and so many more from all together."""

from collections import deque

MOST_ADDRESSES = 10_000
"""Addresses that are remembered [ours]."""


class Throttle:
    """Counts by address within a sliding window. Times in ms."""

    def __init__(self, each: int, together: int, window: int) -> None:
        self._each = each
        self._together = together
        self._window = window
        self._all: deque[int] = deque()
        self._by_address: dict[str, deque[int]] = {}

    def wait(self, address: str, now: int) -> int:
        """The ms after which the address may ask again; 0: now."""
        since = now - self._window
        waits = [0]
        for times, limit in ((self._all, self._together), (self._by_address.get(address, deque()), self._each)):
            while times and times[0] <= since:
                times.popleft()
            if len(times) >= limit:
                waits.append(times[-limit] + self._window - now)
        return max(waits)

    def count(self, address: str, now: int) -> None:
        """The address has asked."""
        if address not in self._by_address and len(self._by_address) >= MOST_ADDRESSES:
            del self._by_address[min(self._by_address, key=lambda known: max(self._by_address[known], default=0))]
        self._by_address.setdefault(address, deque(maxlen=self._each)).append(now)
        self._all.append(now)
        if len(self._all) > self._together:
            self._all.popleft()
