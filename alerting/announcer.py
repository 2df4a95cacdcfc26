"""Publishes journal entries of alarms and incidents on ``anshao/v1/alarms/{region}/{enterprise}``, QoS 1.

It follows the journal in the ledger from a cursor that moves on some time after the broker's acknowledgement: an entry
is published at least once and in order, whatever was down meanwhile.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import aiomqtt
import orjson
import structlog
from sqlalchemy import or_, select

from alerting.desks.drills import drill_of
from alerting.journal.journal import RETROSPECTIVE, describe
from alerting.ledger import schema
from alerting.ledger.ledger import Ledger, LedgerUnavailable, entry_of, reaching
from alerting.records import Entry

log = structlog.get_logger(__name__)

CURSOR = "mqtt"
PAGE = 500
TOGETHER = 50
"""Messages under way at once: aiomqtt looks through all of them for each."""
GATHER = 0.03
"""Seconds in which what comes in quick succession is taken together."""
CALM = 1.0
"""Seconds without news before the cursor is moved; what came since is published again after a crash."""
FAR = 5_000
"""Entries after which it is moved all the same."""
WAIT_FIRST, WAIT_LONGEST = 0.5, 15.0


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where to publish."""

    host: str
    port: int
    client_id: str
    username: str | None = None
    password: str | None = None
    tls: bool = False


class Announcer:
    """Run ``run`` as a task; ``wake`` after each commit."""

    def __init__(self, ledger: Ledger, address: BrokerAddress) -> None:
        self._ledger = ledger
        self._address = address
        self._awake = asyncio.Event()
        self.published = 0
        self.sequence = 0
        self._remembered = 0

    def wake(self) -> None:
        """There is something new in the journal."""
        self._awake.set()

    async def run(self) -> None:
        """Publish for ever; a broker or ledger that is away is waited for."""
        wait = WAIT_FIRST
        while True:
            try:
                address = self._address
                async with aiomqtt.Client(
                    address.host,
                    address.port,
                    identifier=address.client_id,
                    username=address.username,
                    password=address.password,
                    tls_params=aiomqtt.TLSParameters() if address.tls else None,
                    max_inflight_messages=TOGETHER,
                ) as client:
                    client.pending_calls_threshold = TOGETHER + 1
                    wait = WAIT_FIRST
                    await self._follow(client)
            except (aiomqtt.MqttError, LedgerUnavailable, OSError) as fault:
                log.info("alarm topic waits", reason=str(fault), seconds=wait)
                await asyncio.sleep(wait)
                wait = min(wait * 2, WAIT_LONGEST)

    async def _follow(self, client: aiomqtt.Client) -> None:
        self.sequence = self._remembered = max(self.sequence, await self._ledger.cursor(CURSOR))
        while True:
            self._awake.clear()
            entries = await self._entries_after(self.sequence)
            if not entries:
                await self._rest()
                continue
            for first in range(0, len(entries), TOGETHER):
                # All of them at once, in order; each is answered for by itself.
                part = entries[first : first + TOGETHER]
                outcomes = await asyncio.gather(*(_publish(client, entry) for entry in part), return_exceptions=True)
                for outcome in outcomes:
                    if outcome is not None:
                        raise outcome
            self.published += len(entries)
            self.sequence = entries[-1].sequence
            if self.sequence - self._remembered >= FAR:
                await self._remember()

    async def _remember(self) -> None:
        if self.sequence != self._remembered:
            await self._ledger.move_cursor(CURSOR, self.sequence)
            self._remembered = self.sequence

    async def _rest(self) -> None:
        """Wait for news, and take what comes in quick succession together; move the cursor when it has been calm."""
        try:
            await asyncio.wait_for(self._awake.wait(), CALM)
        except TimeoutError:
            await self._remember()
            await self._awake.wait()
        await asyncio.sleep(GATHER)

    async def _entries_after(self, sequence: int) -> Sequence[Entry]:
        kind = schema.journal.c.kind
        query = (
            select(schema.journal)
            .where(
                schema.journal.c.sequence > sequence,
                or_(kind.like("alarm.%"), kind.like("incident.%")),
                kind != RETROSPECTIVE,
            )
            .order_by(schema.journal.c.sequence)
            .limit(PAGE)
        )
        async with reaching(self._ledger.engine) as connection:
            return [entry_of(row) for row in (await connection.execute(query)).mappings()]


async def _publish(client: aiomqtt.Client, entry: Entry) -> None:
    if drill_of(entry) is not None:
        return
    shown = describe(entry)
    await client.publish(f"anshao/v1/alarms/{shown['region']}/{shown['enterprise']}", orjson.dumps(shown), qos=1)
