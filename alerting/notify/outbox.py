"""The outbox: everything that leaves. Journal entries to machines, messages to people, tests of channels."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import delete

from alerting.desks.desks import Desk
from alerting.ledger.ledger import Ledger, LedgerUnavailable, reaching
from alerting.ledger.response_schema import acknowledge_code
from alerting.notify.channel_tests import ChannelTests
from alerting.notify.entries import EntryDeliveries, Webhook
from alerting.notify.sending import Act, Recorder, Sending
from alerting.records import Entry
from alerting.response.book import ResponseBook
from domain.clock import Clock

SWEEP = 3_600.0
"""Seconds between two looks for codes that have expired."""
CODES_KEPT = 7 * 86_400_000
"""ms that an expired code is remembered, so that whoever uses it is told that it has expired [ours]."""


class Outbox:
    """Run ``run`` as a task; ``wake`` after each commit."""

    def __init__(
        self,
        ledger: Ledger,
        webhooks: Sequence[Webhook],
        clock: Clock,
        book: ResponseBook,
        desks: Sequence[Desk],
        recorder: Recorder,
        act: Act,
        on_health: Callable[[str, bool], None],
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self.entries = EntryDeliveries(ledger, webhooks, clock)
        self.sending = Sending(ledger, book, clock, recorder, act, on_health)
        self.tests = ChannelTests(ledger, book, desks, clock, self.sending, act)

    def deliveries_for(self, entries: Sequence[Entry], now: int) -> list[dict[str, Any]]:
        """Rows for the webhooks to be committed with these entries."""
        return self.entries.deliveries_for(entries, now)

    def reconfigure(self, book: ResponseBook, desks: Sequence[Desk]) -> None:
        """Take another book and other desks."""
        self.sending.reconfigure(book)
        self.tests.reconfigure(book, desks)

    def wake(self) -> None:
        """There may be something new to deliver."""
        self.entries.wake()
        self.sending.wake()

    async def run(self) -> None:
        """Deliver for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.entries.run())
            group.create_task(self.sending.run())
            group.create_task(self.tests.run())
            group.create_task(self._sweep())

    async def _sweep(self) -> None:
        """Forget codes that expired long ago."""
        while True:
            try:
                async with reaching(self._ledger.engine) as connection, connection.begin():
                    old = acknowledge_code.c.expires_at < self._clock.now() - CODES_KEPT
                    await connection.execute(delete(acknowledge_code).where(old))
            except LedgerUnavailable:
                pass  # the next look will do
            await asyncio.sleep(SWEEP)
