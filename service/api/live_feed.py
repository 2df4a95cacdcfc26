"""What has been published lately: entries of the journal, encoded once, and the newest state of the service."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from alerting.journal import describe
from alerting.records import Alarm, Entry, Incident
from service.api.ports import ServicePort
from service.api.views import Views

RING = 20_000
"""Entries that are kept for clients that resume."""
REPLAY = 10_000
"""Entries older than the ring's that a client may miss; with more it has to reload its lists."""


class Feed:
    """A ring of entries that all clients read from at their own pace."""

    def __init__(self, service: ServicePort, ring: int, replay: int) -> None:
        self.service = service
        self.last = service.sequence()
        """Number of the newest entry published."""
        self.first = self.last + 1
        """Number of the oldest entry in the ring; ``last + 1`` where it is empty."""
        self.health: bytes | None = None
        """The newest ``live_messages.LiveHealth``."""
        self._views = Views(service.site)
        self._ring: list[bytes] = [b""] * ring
        self._replay = replay

    def put(self, entry: Entry, alarm: Alarm | None, incident: Incident | None) -> None:
        """Add the next entry. One that is there already changes nothing."""
        if entry.sequence <= self.last:
            return
        if entry.sequence != self.last + 1:
            self.first = entry.sequence  # what lies between comes from the ledger
        self._ring[entry.sequence % len(self._ring)] = self.encode(entry, alarm, incident)
        self.last = entry.sequence
        self.first = max(self.first, self.last - len(self._ring) + 1)

    def encode(self, entry: Entry, alarm: Alarm | None, incident: Incident | None) -> bytes:
        """``live_messages.LiveEntry``."""
        return orjson.dumps(
            {
                "type": "entry",
                "sequence": entry.sequence,
                "entry": describe(entry),
                "alarm": None if alarm is None else self._views.alarm(alarm),
                "incident": None if incident is None else self._views.incident(incident),
            }
        )

    def held(self, after: int, most: int) -> Iterator[bytes]:
        """Entries of the ring after a number, which must be ``first - 1`` or later."""
        for sequence in range(after + 1, min(after + most, self.last) + 1):
            yield self._ring[sequence % len(self._ring)]

    def resumes(self, since: int | None) -> bool:
        """Whether a client that has seen the entries up to ``since`` can be sent all that it missed."""
        return since is not None and since <= self.last and self.first - 1 - since <= self._replay


def health_message(health: Mapping[str, Any]) -> bytes:
    """``live_messages.LiveHealth``."""
    return orjson.dumps({"type": "health", **health})
