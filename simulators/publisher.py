"""A gateway: one connection, last will, retained status, QoS 1, and readings kept until the service has them."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Literal
from uuid import uuid4

import aiomqtt
import structlog

from domain.clock import Clock
from simulators.demo import SEED, Demo
from simulators.link import IN_FLIGHT, Link, Value, reading, receipt, together
from simulators.store import Store

BATCH = 50
"""Readings in one message when several wait."""
FIRST_DELAY, LAST_DELAY = 0.5, 15.0
"""Waits between attempts to connect, s; doubled from the first to the last."""

log = structlog.get_logger(__name__)


class LinkLost(Exception):
    """No connection for longer than the caller is willing to wait."""


class WallClock:
    """The machine's clock."""

    def now(self) -> int:
        """Milliseconds since 1970-01-01T00:00:00Z."""
        return time.time_ns() // 1_000_000


class GatewayPublisher:
    """Publishes what is ``put`` into it, and puts up with brokers that come and go.

    With ``receipts`` a reading is kept until the service's receipt names it, and sent again after each reconnect;
    without, until the broker's PUBACK. ``settled`` is called with the number of readings as they become safe.
    ``give_up`` is how many seconds without a connection end ``run`` with LinkLost; None: never.
    """

    def __init__(
        self,
        link: Link,
        clock: Clock,
        *,
        receipts: bool = True,
        limit: int = 3600,
        give_up: float | None = None,
        settled: Callable[[int], None] | None = None,
    ) -> None:
        self.link = link
        self.store = Store(limit)
        self.connected = False
        self.refused = 0
        """Readings that the service has refused."""
        self._clock = clock
        self._receipts = receipts
        self._give_up = give_up
        self._settled = settled
        self._run = uuid4().hex[:8]
        self._count = 0
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    def put(self, source_time: int, values: Mapping[str, Value]) -> None:
        """Keep one reading and send it as soon as possible; ``source_time`` in ms."""
        self._count += 1
        message = f"{self._run}-{self._count}"
        self.store.add(message, reading(source_time, values, message))
        if self.store.full:
            self._room.clear()
        self._wake.set()

    async def room(self) -> None:
        """Wait until ``put`` pushes nothing out."""
        await self._room.wait()

    async def run(self, stop: asyncio.Event) -> None:
        """Stay connected until ``stop``, then send what waits, say goodbye and return.

        Raises LinkLost if ``give_up`` was set.
        """
        loop = asyncio.get_running_loop()
        delay, last_seen = FIRST_DELAY, loop.time()
        while not stop.is_set():
            try:
                async with self.link.client(self._clock.now()) as client:
                    delay = FIRST_DELAY
                    await self._session(client, stop)
            except aiomqtt.MqttError as error:
                if self.connected:
                    last_seen = loop.time()
                if self._give_up is not None and loop.time() - last_seen >= self._give_up:
                    raise LinkLost(f"no connection to {self.link.host}:{self.link.port}: {error}") from error
                log.warning("gateway_disconnected", gateway=self.link.topic(""), error=str(error), retry_in=delay)
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), delay)
                delay = min(delay * 2.0, LAST_DELAY)
            finally:
                self.connected = False

    async def _session(self, client: aiomqtt.Client, stop: asyncio.Event) -> None:
        """One connection, from the online status to the offline one."""
        topic = self.link.topic("status")
        await client.publish(topic, self.link.status(online=True, now=self._clock.now()), qos=1, retain=True)
        if self._receipts:
            await client.subscribe(self.link.topic("receipt"), qos=1)
        self.connected = True
        self.store.rewind()
        self._wake.set()
        # Reading goes on even without receipts, since it is what notices a lost connection at once
        work = [asyncio.create_task(self._read(client)), asyncio.create_task(self._send(client))]
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait([*work, stopping], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*work, stopping):
                task.cancel()
            results = await asyncio.gather(*work, stopping, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result
        await self._send_waiting(client)
        await client.publish(topic, self.link.status(online=False, now=self._clock.now()), qos=1, retain=True)

    async def _send(self, client: aiomqtt.Client) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._send_waiting(client)

    async def _send_waiting(self, client: aiomqtt.Client) -> None:
        """Send all that waits, at most ``IN_FLIGHT`` messages at a time; returns when the broker has them."""
        pending: set[asyncio.Task[None]] = set()
        now = asyncio.get_running_loop().time
        try:
            while self.store.waiting or pending:
                while len(pending) < IN_FLIGHT and (readings := self.store.take(BATCH, now())):
                    pending.add(asyncio.create_task(self._publish(client, readings)))
                if not pending:
                    return
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
        finally:
            for task in pending:
                task.cancel()
            await asyncio.gather(*pending, return_exceptions=True)

    async def _publish(self, client: aiomqtt.Client, readings: Mapping[str, bytes]) -> None:
        await client.publish(self.link.topic("data"), together(list(readings.values())), qos=1)
        if not self._receipts:
            self._settle(readings)

    async def _read(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            payload = message.payload
            try:
                got = receipt(payload if isinstance(payload, bytes) else b"")
            except ValueError as error:
                log.warning("receipt_unreadable", gateway=self.link.topic(""), error=str(error))
                continue
            for refused, reason in got.refused.items():
                log.warning("reading_refused", gateway=self.link.topic(""), id=refused, reason=reason)
            self.refused += len(got.refused)
            self._settle([*got.ids, *got.refused])

    def _settle(self, messages: Iterable[str]) -> None:
        count = self.store.settle(messages)
        if not self.store.full:
            self._room.set()
        if self.store.waiting:
            self._wake.set()
        if count and self._settled is not None:
            self._settled(count)


async def run_demo(
    host: str,
    port: int,
    stop: asyncio.Event,
    *,
    version: Literal["3.1.1", "5"] = "3.1.1",
    passwords: Mapping[str, str] | None = None,
    seed: int = SEED,
    clock: Clock | None = None,
) -> None:
    """Run the three enterprises at 1 Hz until ``stop``; the scripted leak begins ten seconds after the call.

    ``passwords`` by ``enterprise/gateway``; a gateway without one connects anonymously. Survives an absent broker.
    """
    clock = clock or WallClock()
    demo = Demo(seed)
    gateways = {
        (enterprise, gateway): GatewayPublisher(
            Link(enterprise, gateway, host, port, version, (passwords or {}).get(f"{enterprise}/{gateway}")), clock
        )
        for enterprise, gateway in demo.gateways
    }
    async with asyncio.TaskGroup() as group:
        for publisher in gateways.values():
            group.create_task(publisher.run(stop))
        loop = asyncio.get_running_loop()
        due = loop.time()
        while not stop.is_set():
            now = clock.now()
            for read in demo.advance():
                gateways[read.enterprise, read.gateway].put(now, read.values)
            # After a pause of the machine go on from now; there is nothing to catch up with
            due = max(due + 1.0, loop.time())
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), due - loop.time())
