"""The default link: MQTT 5 through the sans-I/O codec ``mqtt5``, for brokers that speak it."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence

import structlog

from domain.clock import Clock
from ingest.links.inbox import Inbox
from ingest.links.mqtt5_connection import Connection, Refused
from ingest.links.protocol import Backoff, Batch, LinkDown, LinkSettings, LinkStatus, Message

_STOP_TIMEOUT = 2.0
"""Seconds for a last write to a broker that may be gone."""


class Mqtt5Link:
    """A ``Link``. The broker may send 65,535 messages ahead of our acknowledgements."""

    def __init__(self, settings: LinkSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._log = structlog.get_logger("ingest.link").bind(broker=f"{settings.host}:{settings.port}")
        self.on_change: Callable[[LinkStatus], None] | None = None
        self._status = LinkStatus(connected=False, since=clock.now(), detail="not started")
        self._generation = 0
        self._connection: Connection | None = None
        self._task: asyncio.Task[None] | None = None
        self._inbox = Inbox(settings.max_waiting_messages, settings.max_waiting_bytes)

    @property
    def generation(self) -> int:
        """Counts the connections that the broker has accepted."""
        return self._generation

    @property
    def status(self) -> LinkStatus:
        """Whether the link is up."""
        return self._status

    async def start(self) -> None:
        """Begin connecting in the background; returns at once."""
        self._task = asyncio.create_task(self._keep_connected(), name="mqtt5 link")

    async def stop(self) -> None:
        """Disconnect so that the broker keeps the session; what nobody has taken is delivered again by the broker."""
        self._inbox.close()
        if self._task is None:
            return
        connection = self._connection
        if connection is not None:
            connection.close()
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        self._task = None
        self._change(connected=False, detail="stopped")

    # --- receiving

    def received(self, messages: list[Message], size: int) -> bool:
        """Messages from the connection. False: stop reading for now."""
        self._inbox.put(self._generation, messages, size)
        return not self._inbox.full

    async def messages(self) -> Batch:
        """Wait until something has arrived and return everything that has. Raises LinkDown once stopped."""
        batch = await self._inbox.take()
        if self._connection is not None and not self._inbox.full:
            self._connection.resume()
        return batch

    def acknowledge(self, generation: int, messages: Sequence[Message]) -> None:
        """Acknowledge in one write. Dropped if the connection that they came over is gone."""
        if generation == self._generation and self._connection is not None:
            self._connection.acknowledge(messages)

    # --- sending

    async def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        """Publish; with QoS 1 returns when the broker has acknowledged. Raises LinkDown or PublishRefused."""
        if self._connection is None:
            raise LinkDown(self._status.detail)
        await self._connection.publish(topic, payload, qos, retain=retain)

    # --- connecting

    async def _keep_connected(self) -> None:
        backoff = Backoff(self._settings.shortest_delay, self._settings.longest_delay)
        loop = asyncio.get_running_loop()
        while True:
            await self._inbox.room()  # else each reconnect would add to what nobody takes
            begun = loop.time()
            refused = False
            try:
                detail = await self._connect_once()
            except Refused as exc:
                detail, refused = str(exc), True
            except TimeoutError:
                detail = "the broker does not answer"
            except (OSError, LinkDown) as exc:
                detail = str(exc)
            except Exception as exc:  # noqa: BLE001 - a supervised task's edge: the link must come back
                self._log.exception("mqtt link failed")
                detail = f"internal error: {exc!r}"
            delay = backoff.delay(lasted=loop.time() - begun, refused=refused)
            self._log.warning("mqtt link down", detail=detail, retry_in=round(delay, 1))
            self._change(connected=False, detail=detail)
            await asyncio.sleep(delay)

    async def _connect_once(self) -> str:
        """Connect and stay; returns why the connection was lost."""
        s = self._settings
        connection = Connection(s, self)
        try:
            async with asyncio.timeout(s.connect_timeout):
                await asyncio.get_running_loop().create_connection(lambda: connection, s.host, s.port, ssl=s.tls)
                connack = await connection.open()
            await connection.subscribe()
            self._log.info("mqtt link up", session_present=connack.session_present, generation=self._generation)
            self._change(connected=True, detail="connected", session_present=connack.session_present)
            return await connection.lost()
        finally:
            self._connection = None
            await connection.end(_STOP_TIMEOUT)

    def accepted(self, connection: Connection) -> None:
        """The broker has accepted the connection: what comes from now on is of a new generation."""
        self._generation += 1
        self._connection = connection

    def _change(self, *, connected: bool, detail: str, session_present: bool = False) -> None:
        before = self._status
        since = before.since if before.connected == connected else self._clock.now()
        self._status = LinkStatus(connected, since, detail, session_present)
        if self._status != before and self.on_change is not None:
            self.on_change(self._status)
