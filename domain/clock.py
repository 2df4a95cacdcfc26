"""Time as an argument: int64 milliseconds UTC inside, ISO 8601 with offset outside."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol


class Clock(Protocol):
    """Where the outer layers take the time from; pure code takes ``now`` as an argument."""

    def now(self) -> int:
        """Milliseconds since 1970-01-01T00:00:00Z."""
        ...


@lru_cache(4_096)  # what happens together is told with the same instants
def iso(milliseconds: int) -> str:
    """ISO 8601 in UTC with milliseconds, e.g. ``2026-06-08T02:30:00.000Z``."""
    stamp = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return stamp.isoformat(timespec="milliseconds").replace("+00:00", "Z")
