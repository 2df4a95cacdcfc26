"""The live part: every journal entry to every connected client, in order and without a gap.

A client is no more than the number of the last entry that it was sent. So resuming is nothing special: its number is
older, and what the ring no longer holds comes from the ledger. A client that falls out of the ring, or whose
connection takes nothing for a while, is cut; it comes back and resumes.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from alerting.records import Alarm, Entry, Incident
from service.api.live_client import LiveClient
from service.api.live_feed import REPLAY, RING, Feed, health_message
from service.api.ports import ServicePort

READINGS_SECONDS = 1.0


class LiveHub:
    """The feed, and those who listen. Everything here is to be called in the event loop."""

    def __init__(self, service: ServicePort, *, ring: int = RING, replay: int = REPLAY) -> None:
        self.feed = Feed(service, ring, replay)
        self.is_closing = False
        self._clients: set[LiveClient] = set()

    @property
    def clients(self) -> int:
        """Number of clients connected."""
        return len(self._clients)

    async def run(self) -> None:
        """Offer readings to clients once a second, for ever."""
        while True:
            await asyncio.sleep(READINGS_SECONDS)
            for client in self._clients:
                client.offer_readings()

    async def close(self) -> None:
        """Take on no more clients, and say goodbye to those that are there. May be called again."""
        self.is_closing = True
        await asyncio.gather(*(client.leave() for client in list(self._clients)))

    def publish(self, entries: Sequence[tuple[Entry, Alarm | None, Incident | None]]) -> None:
        """Tell all clients what was committed, in the order of the journal."""
        self.feed.put(entries)
        for client in self._clients:
            client.wake()

    def reconfigure(self) -> None:
        """The service watches another site: clients go on with the tags that they named."""
        self.feed.reconfigure()
        for client in self._clients:
            client.resubscribe()

    def publish_health(self, health: Mapping[str, Any]) -> None:
        """Tell all clients how the service is. One that is busy gets the newest only."""
        self.feed.health = health_message(health)
        for client in self._clients:
            client.wake()

    def add(self, client: LiveClient) -> None:
        """A client has connected."""
        self._clients.add(client)

    def remove(self, client: LiveClient) -> None:
        """A client has gone."""
        self._clients.discard(client)
