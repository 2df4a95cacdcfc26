"""What is due by time alone: a heap, so that a look at the clock costs nothing while nothing is due."""

import heapq
from collections.abc import Iterator

TimerKey = tuple[str, int, str]
"""Kind, and number or path of what it is of. What is due at the same instant comes in the order of the keys."""
_SLACK = 1_000
"""Entries of the heap that may be out of date before it is made anew."""


class Timers:
    """One instant (ms) per key; set again, a key has the new one."""

    def __init__(self) -> None:
        self._due: dict[TimerKey, int] = {}
        self._heap: list[tuple[int, TimerKey]] = []

    def __len__(self) -> int:
        return len(self._due)

    def set(self, key: TimerKey, due: int) -> None:
        """Let a key come due at an instant."""
        known = self._due.get(key)
        self._due[key] = due
        if known is None or due < known:  # a later one is found when the earlier is reached
            heapq.heappush(self._heap, (due, key))

    def cancel(self, key: TimerKey) -> None:
        """Let a key not come due."""
        if self._due.pop(key, None) is not None and len(self._heap) > 2 * len(self._due) + _SLACK:
            self._heap = [(due, key) for key, due in self._due.items()]
            heapq.heapify(self._heap)

    def take_due(self, now: int) -> Iterator[tuple[int, TimerKey]]:
        """Instants and keys that are due, in their order; each is forgotten. More may be set meanwhile."""
        while self._heap and self._heap[0][0] <= now:
            at, key = heapq.heappop(self._heap)
            due = self._due.get(key)
            if due is None:
                continue
            if due > at:
                heapq.heappush(self._heap, (due, key))
                continue
            del self._due[key]
            yield at, key
