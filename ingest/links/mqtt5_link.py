"""The default link: MQTT 5 through the sans-I/O codec ``mqtt5``, under asyncio's BufferedProtocol.

The hot path is ``buffer_updated``: the compiled codec makes one object per message, which is handed on as it is.
The socket is read into one buffer that is reused; a packet larger than the buffer makes it grow until the packet is
complete.
"""

import asyncio
from collections.abc import Sequence
from enum import IntEnum
from typing import Any, cast

import mqtt5
import numpy as np

from domain.clock import Clock
from ingest.links.protocol import LinkDown, LinkSettings, Message, PublishRefused
from ingest.links.reconnecting import CLOSE_SECONDS, Owner, ReconnectingLink, Refused

BUFFER_BYTES = 256 * 1024
"""Read in one go; about 2,500 small messages, 2 ms of parsing."""
RECEIVE_MAXIMUM = 60_000
"""Messages that the broker may send ahead of our acknowledgements, whatever its own ``max_inflight_messages``.

Mosquitto 2.0.11 takes 65,535, the most that MQTT knows, for no limit and then reuses packet ids that still wait for
their acknowledgement.
"""
_PUBLISH = 0x30
_TYPE_AND_QOS_2 = 0xF4
"""Masks a first byte to ``_PUBLISH`` for a PUBLISH of QoS 0 or 1."""
_PUBACK = 0x4002
"""First two bytes of a PUBACK without a reason, which means success."""
_REFUSED = 0x80
"""Reason codes from here on are failures."""
_EXACTLY_ONCE = 2


class Mqtt5Link(ReconnectingLink):
    """A ``Link``."""

    def __init__(self, settings: LinkSettings, clock: Clock) -> None:
        super().__init__(settings, clock, Mqtt5Connection)


class Mqtt5Connection(asyncio.BufferedProtocol):
    """A ``Connection``."""

    def __init__(self, settings: LinkSettings, owner: Owner) -> None:
        self._settings = settings
        self._owner = owner
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._buffer = memoryview(bytearray(BUFFER_BYTES))
        self._filled = 0
        self._paused = False
        self._leaving = False
        self._heard = True
        self._keep_alive: float = settings.keep_alive
        self._watchdog: asyncio.TimerHandle | None = None
        self._last_call: asyncio.TimerHandle | None = None
        self._connack: asyncio.Future[mqtt5.ConnAckPacket] = self._loop.create_future()
        self._suback: asyncio.Future[mqtt5.SubAckPacket] = self._loop.create_future()
        self._published: dict[int, asyncio.Future[mqtt5.PubAckPacket]] = {}
        self._window = asyncio.Semaphore(settings.publish_window)
        self._largest: int | None = None
        self._last_packet_id = 1
        self._exactly_once: set[int] = set()
        self._why = ""
        self._closed: asyncio.Future[str] = self._loop.create_future()

    # --- life

    async def open(self) -> bool:
        """Connect and say CONNECT; True if the broker has resumed our session. Raises Refused, LinkDown or OSError."""
        s = self._settings
        await self._loop.create_connection(lambda: self, s.host, s.port, ssl=s.tls)
        self._write(
            mqtt5.ConnectPacket(
                s.client_id,
                username=s.username,
                password=None if s.password is None else s.password.encode(),
                clean_start=False,
                keep_alive=s.keep_alive,
                session_expiry_interval=s.session_expiry,
                receive_max=RECEIVE_MAXIMUM,
            ).write(),
        )
        connack = await self._connack
        if int(connack.reason_code) >= _REFUSED:
            raise Refused(_reason("connection refused", connack.reason_code, connack.reason_str))
        if connack.server_keep_alive:
            self._keep_alive = min(self._keep_alive, connack.server_keep_alive)
        self._largest = connack.max_packet_size
        self._window = asyncio.Semaphore(min(s.publish_window, connack.receive_max))
        self._watch()
        return connack.session_present

    async def subscribe(self) -> None:
        """Ask for the subscriptions. Raises Refused or LinkDown."""
        filters = [
            mqtt5.TopicFilter(
                wanted.filter,
                max_qos=mqtt5.QoS(wanted.qos),
                retain_as_published=False,
                retain_handling=mqtt5.RetainHandling.SEND_ALWAYS
                if wanted.retained
                else mqtt5.RetainHandling.SEND_NEVER,
            )
            for wanted in self._settings.subscriptions
        ]
        self._write(mqtt5.SubscribePacket(1, filters).write())
        suback = await self._suback
        for wanted, code in zip(self._settings.subscriptions, suback.reason_codes, strict=False):
            if int(code) >= _REFUSED:
                raise Refused(_reason(f"subscription {wanted.filter} refused", code, suback.reason_str))

    def close(self, reason: mqtt5.DisconnectReasonCode = mqtt5.DisconnectReasonCode.NORMAL_DISCONNECTION) -> None:
        """Say DISCONNECT after everything written before; the session stays with the broker.

        It is for the broker to close then. If we did while it still sends, the operating system would throw away what
        the broker has not read yet, our last acknowledgements.
        """
        if self._transport is not None and not self._leaving:
            self._write(mqtt5.DisconnectPacket(reason_code=reason).write())
            self._leaving = True
            self._last_call = self._loop.call_later(CLOSE_SECONDS, self.abort, "given up")
            if self._paused:
                self._paused = False
                self._transport.resume_reading()

    async def lost(self) -> str:
        """Wait for the end of the connection; returns its reason."""
        return await asyncio.shield(self._closed)

    async def end(self) -> None:
        """Return when nothing is left of the connection; after ``close`` the broker has a moment to close it."""
        if self._transport is None:
            return
        if not self._leaving:
            self.abort("given up")
        await self._closed

    def abort(self, why: str) -> None:
        """Drop the connection without a word."""
        self._why = self._why or why
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: the transport is there."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: the transport is gone."""
        for timer in (self._watchdog, self._last_call):
            if timer is not None:
                timer.cancel()
        why = self._why or (f"connection lost: {exc}" if exc else "connection closed by the broker")
        self._transport = None
        answers: list[asyncio.Future[Any]] = [self._connack, self._suback, *self._published.values()]
        for waiting in answers:
            if not waiting.done():
                waiting.set_exception(LinkDown(why))
                waiting.exception()  # nobody need be waiting for it
        if not self._closed.done():
            self._closed.set_result(why)

    # --- reading

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio's signature
        """asyncio: where to read to."""
        if self._filled == len(self._buffer):
            self._resize(2 * self._filled)
        return self._buffer[self._filled :]

    def buffer_updated(self, nbytes: int) -> None:
        """asyncio: so many bytes have been read. All complete packets are taken from the buffer."""
        if self._leaving:
            self._filled = 0
            return
        self._heard = True
        end = self._filled + nbytes
        rest = self._buffer[:end]
        messages: list[Message] = []
        append = messages.append
        read = mqtt5.read
        try:
            while True:
                packet, size = read(rest)
                if rest[0] & _TYPE_AND_QOS_2 == _PUBLISH:
                    append(packet)  # type: ignore[arg-type]
                else:
                    self._control(packet, messages)
                rest = rest[size:]
        except IndexError:  # the rest of the packet has not arrived
            pass
        except BaseException as exc:
            # on a topic that is not UTF-8 the codec raises a BaseException that has no importable name
            if not isinstance(exc, ValueError) and type(exc).__name__ != "PanicException":
                raise
            self._why = f"malformed packet: {exc}"
            self.close(mqtt5.DisconnectReasonCode.MALFORMED_PACKET)
        self._filled = left = len(rest)
        if left and left != end:
            self._buffer[:left] = rest
        if left < BUFFER_BYTES < len(self._buffer):
            self._resize(BUFFER_BYTES)
        if messages and not self._owner.received(messages, end - left) and self._transport and not self._leaving:
            self._paused = True
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read on, after the owner had said to stop."""
        if self._paused and self._transport is not None:
            self._paused = False
            self._heard = True  # the broker's answers may still wait to be read
            self._transport.resume_reading()

    def _resize(self, size: int) -> None:
        buffer = memoryview(bytearray(size))
        buffer[: self._filled] = self._buffer[: self._filled]
        self._buffer = buffer

    def _control(self, packet: mqtt5.Packet, messages: list[Message]) -> None:  # noqa: C901 - a flat dispatch
        """Everything but a PUBLISH of QoS 0 or 1."""
        if isinstance(packet, mqtt5.PubAckPacket):
            acknowledged = self._published.pop(packet.packet_id, None)
            if acknowledged is not None and not acknowledged.done():
                acknowledged.set_result(packet)
        elif isinstance(packet, mqtt5.ConnAckPacket):
            if int(packet.reason_code) < _REFUSED:
                self._owner.accepted(self)
            if not self._connack.done():
                self._connack.set_result(packet)
        elif isinstance(packet, mqtt5.SubAckPacket):
            if not self._suback.done():
                self._suback.set_result(packet)
        elif isinstance(packet, mqtt5.DisconnectPacket):
            self.abort(_reason("disconnected by the broker", packet.reason_code, packet.reason_str))
        elif isinstance(packet, mqtt5.PublishPacket):  # QoS 2, from a session that once subscribed so
            self._exactly_once.add(packet.packet_id or 0)
            messages.append(packet)
        elif isinstance(packet, mqtt5.PubRelPacket):
            self._write(mqtt5.PubCompPacket(packet.packet_id).write())
        elif not isinstance(packet, mqtt5.PingRespPacket):
            raise ValueError(f"unexpected {type(packet).__name__}")  # noqa: TRY004 - a fault of the broker

    # --- writing

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """One write for all of them. A PUBACK is the two bytes 40 02 and the packet id."""
        ids = [packet_id for message in messages if (packet_id := message.packet_id) is not None]
        if self._exactly_once and not self._exactly_once.isdisjoint(ids):
            self._write(b"".join(self._acknowledgement(packet_id) for packet_id in ids))
            return
        packets = np.empty((len(ids), 2), dtype=">u2")
        packets[:, 0] = _PUBACK
        packets[:, 1] = ids
        self._write(packets.tobytes())

    def _acknowledgement(self, packet_id: int) -> bytes:
        if packet_id in self._exactly_once:
            self._exactly_once.discard(packet_id)
            return mqtt5.PubRecPacket(packet_id).write()
        return mqtt5.PubAckPacket(packet_id).write()

    async def publish(self, topic: str, payload: bytes, qos: int, *, retain: bool) -> None:
        """QoS 0 or 1. Raises LinkDown or PublishRefused."""
        if qos >= _EXACTLY_ONCE:
            raise ValueError("publish with QoS 0 or 1")
        async with self._window:
            packet_id = self._next_packet_id() if qos else None
            data = mqtt5.PublishPacket(topic, payload, qos=mqtt5.QoS(qos), retain=retain, packet_id=packet_id).write()
            if self._largest is not None and len(data) > self._largest:
                raise PublishRefused(f"{len(data)} bytes: the broker takes at most {self._largest}")
            if self._transport is None or self._leaving:
                raise LinkDown(self._why or "connection lost")
            self._write(data)
            if packet_id is None:
                return
            answer = self._published[packet_id] = self._loop.create_future()
            puback = await answer
            if int(puback.reason_code) >= _REFUSED:
                raise PublishRefused(_reason(f"publish to {topic} refused", puback.reason_code, puback.reason_str))

    def _next_packet_id(self) -> int:
        """The next id that no unanswered publish holds; 1 is the subscription's."""
        while True:
            self._last_packet_id = self._last_packet_id + 1 if self._last_packet_id < 0xFFFF else 2  # noqa: PLR2004
            if self._last_packet_id not in self._published:
                return self._last_packet_id

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._leaving:
            self._transport.write(data)

    # --- watching

    def _watch(self) -> None:
        """Ping twice per keep-alive; a broker that has said nothing since the last ping is given up.

        No verdict while we ourselves don't read.
        """
        if self._transport is None or not self._keep_alive:
            return
        if not self._heard and not self._paused:
            self.abort("the broker does not answer")
            return
        self._heard = False
        self._write(mqtt5.PingReqPacket().write())
        self._watchdog = self._loop.call_later(self._keep_alive / 2, self._watch)


def _reason(what: str, code: IntEnum, text: str | None) -> str:
    name = code.name.replace("_", " ").lower()
    return f"{what}: {name} ({text})" if text else f"{what}: {name}"
