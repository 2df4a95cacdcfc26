"""What both links have in common: coming back for ever, counting connections, handing on what arrives."""

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog

from domain.clock import Clock
from ingest.links.inbox import Inbox
from ingest.links.protocol import Backoff, Batch, LinkDown, LinkSettings, LinkStatus, Message

CLOSE_SECONDS = 2.0
"""What a broker that may be gone has to read our last words and close."""


class Refused(Exception):
    """The broker has refused the connection or a subscription."""


class Owner(Protocol):
    """What a connection tells its link."""

    def accepted(self, connection: "Connection") -> None:
        """The broker has accepted the connection; comes before any message."""
        ...

    def received(self, messages: list[Message], size: int) -> bool:
        """Take messages of so many bytes. False: enough for now, stop reading until ``resume``."""
        ...


class Connection(Protocol):
    """One connection to the broker, never used again once it is lost: what belongs to it cannot reach another."""

    async def open(self) -> bool:
        """Connect; True if the broker has resumed our session. Raises Refused, LinkDown or OSError."""
        ...

    async def subscribe(self) -> None:
        """Ask for the subscriptions. Raises Refused or LinkDown."""
        ...

    async def lost(self) -> str:
        """Wait for the end of the connection; returns its reason."""
        ...

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """Acknowledge messages of this connection; nothing happens if it is lost."""
        ...

    async def publish(self, topic: str, payload: bytes, qos: int, *, retain: bool) -> None:
        """QoS 0 or 1. Raises LinkDown or PublishRefused."""
        ...

    def resume(self) -> None:
        """Read on."""
        ...

    def close(self) -> None:
        """Say DISCONNECT after everything written before; the session stays with the broker."""
        ...

    async def end(self) -> None:
        """Return when nothing is left of the connection; after ``close`` the broker has a moment to close it."""
        ...


class ReconnectingLink:
    """A ``Link`` over connections of one kind."""

    def __init__(
        self, settings: LinkSettings, clock: Clock, connect: Callable[[LinkSettings, Owner], Connection]
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._connect = connect
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
        """Begin connecting in the background; returns at once. How long it takes counts from here."""
        self._status = LinkStatus(connected=False, since=self._clock.now(), detail="connecting")
        self._task = asyncio.create_task(self._keep_connected(), name="mqtt link")

    async def stop(self) -> None:
        """Disconnect so that the broker keeps the session; what nobody has taken it delivers again."""
        self._inbox.close()
        if self._task is None:
            return
        if self._connection is not None:
            self._connection.close()
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        self._task = None
        self._change(connected=False, detail="stopped")

    async def messages(self) -> Batch:
        """Wait until something has arrived and return everything that has. Raises LinkDown once stopped."""
        batch = await self._inbox.take()
        if self._connection is not None and not self._inbox.full:
            self._connection.resume()
        return batch

    def acknowledge(self, generation: int, messages: Sequence[Message]) -> None:
        """Acknowledge in one write. Dropped if the connection that they came over is gone."""
        if messages and generation == self._generation and self._connection is not None:
            self._connection.acknowledge(messages)

    async def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        """Publish; with QoS 1 returns when the broker has acknowledged. Raises LinkDown or PublishRefused."""
        if self._connection is None:
            raise LinkDown(self._status.detail)
        await self._connection.publish(topic, payload, qos, retain=retain)

    # --- told by the connection

    def accepted(self, connection: Connection) -> None:
        """What comes from now on is of a new generation."""
        self._generation += 1
        self._connection = connection

    def received(self, messages: list[Message], size: int) -> bool:
        """Messages of the present generation. False: stop reading for now."""
        self._inbox.put(self._generation, messages, size)
        return not self._inbox.full

    # --- coming back

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
            except LinkDown as exc:
                detail = str(exc)
            except OSError as exc:
                detail = f"cannot connect: {_explain(exc)}"
            except Exception as exc:  # noqa: BLE001 - a supervised task's edge: the link must come back
                self._log.exception("mqtt link failed")
                detail = f"internal error: {exc!r}"
            delay = backoff.delay(lasted=loop.time() - begun, refused=refused)
            self._log.warning("mqtt link down", detail=detail, retry_in=round(delay, 1))
            self._change(connected=False, detail=detail)
            await asyncio.sleep(delay)

    async def _connect_once(self) -> str:
        """Connect and stay; returns why the connection was lost."""
        connection = self._connect(self._settings, self)
        try:
            async with asyncio.timeout(self._settings.connect_timeout):
                session_present = await connection.open()
                if not session_present:
                    await connection.subscribe()
            self._log.info("mqtt link up", session_present=session_present, generation=self._generation)
            self._change(connected=True, detail="connected", session_present=session_present)
            if session_present:  # subscribed before; the answer to this time may wait behind a long backlog
                await connection.subscribe()
            return await connection.lost()
        finally:
            self._connection = None
            await connection.end()

    def _change(self, *, connected: bool, detail: str, session_present: bool = False) -> None:
        before = self._status
        since = before.since if before.connected == connected else self._clock.now()
        self._status = LinkStatus(connected, since, detail, session_present)
        if self._status != before and self.on_change is not None:
            try:
                self.on_change(self._status)
            except Exception:  # noqa: BLE001 - whoever listens must not keep the link from coming back
                self._log.exception("on_change failed")


def _explain(exc: OSError) -> str:
    """The operating system's words for its own errors, since asyncio's are long."""
    if exc.errno is None or isinstance(exc, (ssl.SSLError, socket.gaierror)):
        return str(exc)
    return os.strerror(exc.errno)
