"""Finds alarms that chatter: three transitions within a minute, by source time."""

from collections.abc import Iterable, Mapping, Sequence

_KEPT = 65_536
"""Conditions whose newest transitions are remembered; the longest unheard of is forgotten first."""


class Chattering:
    """The newest transitions of each condition; ``toggles``: those before the start, source times oldest first."""

    def __init__(self, transitions: int, within: int, toggles: Mapping[str, Sequence[int]]) -> None:
        self._transitions = transitions
        self._within = within
        self._newest = {path: list(times[1 - transitions :]) for path, times in toggles.items()}

    def toggles(self, path: str, at: int) -> bool:
        """A condition enters or leaves; True: it has done so too often."""
        newest = self._newest.pop(path, None)
        if newest is None:
            if len(self._newest) >= _KEPT:
                del self._newest[next(iter(self._newest))]
            newest = []
        newest.append(at)
        self._newest[path] = newest
        if len(newest) < self._transitions:
            return False
        return at - newest.pop(0) <= self._within

    def forget(self, paths: Iterable[str]) -> None:
        """Begin anew with these conditions: their times do, too."""
        for path in paths:
            self._newest.pop(path, None)
