"""What a gateway keeps until it is told that it need not: store and forward. Pure: time is an argument."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(slots=True)
class _Kept:
    payload: bytes
    sent: float | None = None


class Store:
    """Readings that nobody has vouched for yet, oldest first.

    Holds ``limit`` readings; one more pushes out the oldest, counted in ``lost``. A reading that was sent
    ``patience`` s before one that the receiver vouches for, and is still not vouched for itself, has been lost on the
    way (a broker drops what does not fit its queue) and is sent again.
    """

    def __init__(self, limit: int, patience: float = 30.0) -> None:
        self._limit = limit
        self._patience = patience
        self._kept: dict[str, _Kept] = {}
        self._unsent: deque[str] = deque()
        self.lost = 0

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def full(self) -> bool:
        """The next reading pushes out the oldest."""
        return len(self._kept) >= self._limit

    @property
    def waiting(self) -> bool:
        """Something is to be sent."""
        return bool(self._unsent)

    def add(self, message: str, payload: bytes) -> None:
        """Keep one reading, to be sent."""
        if self.full:
            del self._kept[next(iter(self._kept))]
            self.lost += 1
        self._kept[message] = _Kept(payload)
        self._unsent.append(message)

    def take(self, count: int, now: float) -> dict[str, bytes]:
        """Up to ``count`` readings to send now, by id, oldest first."""
        taken: dict[str, bytes] = {}
        while self._unsent and len(taken) < count:
            message = self._unsent.popleft()
            kept = self._kept.get(message)
            if kept is not None:
                kept.sent = now
                taken[message] = kept.payload
        return taken

    def rewind(self) -> None:
        """After a reconnect: whatever is still kept is sent again."""
        for kept in self._kept.values():
            kept.sent = None
        self._unsent = deque(self._kept)

    def settle(self, messages: Iterable[str]) -> int:
        """The receiver vouches for these. Number of readings that were still kept."""
        settled = [kept for message in messages if (kept := self._kept.pop(message, None)) is not None]
        latest = max((kept.sent for kept in settled if kept.sent is not None), default=None)
        if latest is not None:
            self._resend(latest - self._patience)
        return len(settled)

    def _resend(self, before: float) -> None:
        """Mark what was sent ``before`` as lost on the way; readings stand in the order of their sending."""
        for message, kept in self._kept.items():
            if kept.sent is None or kept.sent >= before:
                break
            kept.sent = None
            self._unsent.append(message)
