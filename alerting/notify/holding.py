"""What is held back: more than so many messages below orange to one recipient within a time become one digest."""

from collections import deque
from dataclasses import dataclass, field

from alerting.response.book import Limits


@dataclass(slots=True)
class _Recent:
    """What one recipient has been sent below orange lately."""

    times: deque[int] = field(default_factory=deque)
    held: dict[int, None] = field(default_factory=dict)
    digest_at: int | None = None


class Holding:
    """By recipient: when it was written to, and what waits for its next digest. Times in ms UTC."""

    def __init__(self) -> None:
        self._recent: dict[str, _Recent] = {}
        self._next: int | None = None

    def admits(self, contact: str, now: int, limits: Limits) -> bool:
        """Whether one more message may go by itself; counts it if so."""
        recent = self._recent.setdefault(contact, _Recent())
        while recent.times and recent.times[0] <= now - limits.digest_window:
            recent.times.popleft()
        if len(recent.times) >= limits.digest_after or recent.held:
            return False
        recent.times.append(now)
        return True

    def count(self, contact: str, at: int) -> None:
        """A message went by itself, before the start; in the order of their times."""
        self._recent.setdefault(contact, _Recent()).times.append(at)

    def hold(self, contact: str, message: int, digest_at: int) -> None:
        """Keep a message for the next digest, which goes out then unless it was to go before."""
        recent = self._recent.setdefault(contact, _Recent())
        recent.held[message] = None
        if recent.digest_at is None:
            recent.digest_at = digest_at
        self._next = recent.digest_at if self._next is None else min(self._next, recent.digest_at)

    def let_go(self, contact: str, message: int) -> None:
        """A message is said no more."""
        if contact in self._recent:
            self._recent[contact].held.pop(message, None)

    def due(self, now: int) -> list[tuple[str, list[int]]]:
        """Recipients whose digest is due, with the messages in it; they are held no more."""
        if self._next is None or now < self._next:
            return []
        found: list[tuple[str, list[int]]] = []
        for contact, recent in self._recent.items():
            if recent.digest_at is not None and recent.digest_at <= now:
                if recent.held:
                    found.append((contact, list(recent.held)))
                recent.held, recent.digest_at = {}, None
        self._next = min((each.digest_at for each in self._recent.values() if each.digest_at is not None), default=None)
        return found
