"""Journal entries as signed webhooks, for receivers that are machines, delivered from the ledger's outbox.

A delivery is written in the same commit as the entry it tells of, is tried until the receiver answers 2xx, and every
try is recorded.
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson
import structlog
from sqlalchemy import RowMapping, func, select, update

from alerting.desks.drills import drill_of
from alerting.journal.journal import RETROSPECTIVE, describe
from alerting.ledger import schema
from alerting.ledger.ledger import Ledger, LedgerUnavailable, entry_of, reaching
from alerting.notify import signing
from alerting.records import Entry
from domain.clock import Clock

log = structlog.get_logger(__name__)

TIMEOUT = 10.0
"""Seconds that a receiver has to answer."""
LONGEST_WAIT = 300
"""Seconds between tries at the most."""
PAGE = 100
IDLE = 30.0
PARALLEL = 8
"""Requests to one receiver at a time."""
_TOLD = ("alarm.", "incident.")


@dataclass(frozen=True, slots=True)
class Webhook:
    """A receiver."""

    name: str
    url: str
    secret: str

    def sign(self, identity: str, timestamp: int, body: bytes) -> str:
        """The signature header."""
        return signing.sign(self.secret, identity, timestamp, body)


class EntryDeliveries:
    """Run ``run`` as a task; ``wake`` after each commit."""

    def __init__(self, ledger: Ledger, webhooks: Sequence[Webhook], clock: Clock) -> None:
        self._ledger = ledger
        self._webhooks = {webhook.name: webhook for webhook in webhooks}
        self._clock = clock
        self._awake = {webhook.name: asyncio.Event() for webhook in webhooks}
        self.delivered = 0
        self.failures = 0

    def deliveries_for(self, entries: Sequence[Entry], now: int) -> list[dict[str, Any]]:
        """Rows of the outbox to be committed with these entries."""
        return [
            {"channel": name, "sequence": entry.sequence, "state": "queued", "attempts": 0, "next_attempt_at": now}
            for entry in entries
            if self._webhooks and entry.kind.startswith(_TOLD) and entry.kind != RETROSPECTIVE
            if drill_of(entry) is None
            for name in self._webhooks
        ]

    def wake(self) -> None:
        """There is something new to deliver."""
        for awake in self._awake.values():
            awake.set()

    async def run(self) -> None:
        """Deliver for ever, each receiver by itself, so that one that hangs delays no other."""
        async with (
            aiohttp.ClientSession(
                # Receivers that hang must not use up what connections there are: each has its own limit, PARALLEL.
                connector=aiohttp.TCPConnector(limit=0),
                timeout=aiohttp.ClientTimeout(total=TIMEOUT),
            ) as session,
            asyncio.TaskGroup() as group,
        ):
            for webhook in self._webhooks.values():
                group.create_task(self._serve(session, webhook))

    async def _serve(self, session: aiohttp.ClientSession, webhook: Webhook) -> None:
        awake = self._awake[webhook.name]
        while True:
            awake.clear()
            try:
                wait = await self._deliver_due(session, webhook)
            except LedgerUnavailable as fault:
                log.info("outbox waits for the ledger", reason=str(fault))
                wait = 1.0
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await awake.wait()

    async def _deliver_due(self, session: aiohttp.ClientSession, webhook: Webhook) -> float:
        """Try what is due; returns seconds until there may be more."""
        table = schema.delivery
        waiting = (table.c.state == "queued") & (table.c.channel == webhook.name)
        due = (
            select(table.c.id.label("delivery"), table.c.attempts, schema.journal)
            .join(schema.journal, schema.journal.c.sequence == table.c.sequence)
            .where(waiting, table.c.next_attempt_at <= self._clock.now())
            .order_by(table.c.next_attempt_at, table.c.id)
            .limit(PAGE)
        )
        async with reaching(self._ledger.engine) as connection:
            rows = (await connection.execute(due)).mappings().all()
            if not rows:
                following = await connection.scalar(select(func.min(table.c.next_attempt_at)).where(waiting))
                return IDLE if following is None else min(max(following - self._clock.now(), 100) / 1000, IDLE)
        slots = asyncio.Semaphore(PARALLEL)
        outcomes = await asyncio.gather(*(self._try(session, webhook, slots, row) for row in rows))
        async with reaching(self._ledger.engine) as connection, connection.begin():
            for identity, outcome in outcomes:
                await connection.execute(update(table).where(table.c.id == identity).values(**outcome))
        return 0.0

    async def _try(
        self, session: aiohttp.ClientSession, webhook: Webhook, slots: asyncio.Semaphore, row: RowMapping
    ) -> tuple[int, Mapping[str, Any]]:
        shown = describe(entry_of(row))
        body = orjson.dumps({"type": shown["kind"], "timestamp": shown["at"], "data": shown})
        identity = f"{webhook.name}-{row['sequence']}"
        timestamp = self._clock.now() // 1000
        headers = signing.headers(webhook.secret, identity, timestamp, body)
        attempts = row["attempts"] + 1
        try:
            async with (
                slots,
                session.post(webhook.url, data=body, headers=headers, allow_redirects=False) as response,
            ):
                error = None if response.status in signing.OK else await signing.complaint(response)
        except (aiohttp.ClientError, OSError) as fault:  # TimeoutError is an OSError
            error = f"{type(fault).__name__}: {fault}"[:300]
        now = self._clock.now()
        if error is None:
            self.delivered += 1
            return row["delivery"], {
                "state": "delivered",
                "attempts": attempts,
                "delivered_at": now,
                "last_error": None,
            }
        self.failures += 1
        wait = min(2 ** min(attempts, 16), LONGEST_WAIT) * 1000
        return row["delivery"], {"attempts": attempts, "next_attempt_at": now + wait, "last_error": error}
