"""What is due by time alone: a heap, so that a look at the clock costs nothing while nothing is due."""

import heapq
from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
_SLACK = 1_000
"""Entries of the heap that may be out of date before it is made anew."""


class Timers(Generic[Key]):
    """One instant (ms) per key; set again, a key has the new one."""

    def __init__(self) -> None:
        self._due: dict[Key, int] = {}
        self._heap: list[tuple[int, int, Key]] = []
        self._count = 0

    def __len__(self) -> int:
        return len(self._due)

    def set(self, key: Key, due: int) -> None:
        """Let a key come due at an instant."""
        known = self._due.get(key)
        self._due[key] = due
        if known is None or due < known:  # a later one is found when the earlier is reached
            self._push(key, due)

    def cancel(self, key: Key) -> None:
        """Let a key not come due."""
        if self._due.pop(key, None) is not None and len(self._heap) > 2 * len(self._due) + _SLACK:
            self._heap = [(due, number, key) for number, (key, due) in enumerate(self._due.items())]
            self._count = len(self._heap)
            heapq.heapify(self._heap)

    def take_due(self, now: int) -> Iterator[Key]:
        """Keys that are due, in the order of their instants; each is forgotten. More may be set meanwhile."""
        while self._heap and self._heap[0][0] <= now:
            at, _, key = heapq.heappop(self._heap)
            due = self._due.get(key)
            if due is None:
                continue
            if due > at:
                self._push(key, due)
                continue
            del self._due[key]
            yield key

    def _push(self, key: Key, due: int) -> None:
        self._count += 1
        heapq.heappush(self._heap, (due, self._count, key))
