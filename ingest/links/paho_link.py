"""The link for brokers that speak only MQTT 3.1.1, through ``paho-mqtt`` with manual acknowledgement.

paho's ``ack(mid, qos)`` knows no connection, and paho reuses a client over reconnects: a late acknowledgement could
then acknowledge another message that has got the same packet id. Here each connection has a paho client of its own,
with paho's reconnecting switched off. An acknowledgement given to the client of a lost connection stays in that
client's queue and is thrown away with it.

paho reads in a thread of ours, driven through paho's interface for foreign event loops, because its own thread uses
``select``, which fails once the process holds more than 1024 files, and cannot stop reading. Messages go to the event
loop in batches, one wake-up for all that came since the last.

Limits of MQTT 3.1.1: the broker alone decides how many messages it sends ahead of our acknowledgements (at most
65,535; Mosquitto: ``max_inflight_messages``) and how long it keeps the session; stored messages are sent on each
subscription, marked ``retain``. While reading is stopped paho's pings go unanswered, so a stop of more than a
keep-alive or so ends in a reconnect.
"""

import asyncio
import contextlib
import selectors
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, cast

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from domain.clock import Clock
from ingest.links.protocol import LinkDown, LinkSettings, Message, PublishRefused
from ingest.links.reconnecting import CLOSE_SECONDS, Owner, ReconnectingLink, Refused

_BURST = 500
"""Packets read before anything is written."""
_TICK = 0.5
"""Seconds between paho's looks at its keep-alive."""
_EXACTLY_ONCE = 2
_REASONS = {
    "keep alive timeout": "the broker does not answer",
    "protocol error": "malformed packet",
    "unspecified error": "connection lost",
}
"""paho's words for the end of a connection, and ours."""
_DISCONNECT = b"\xe0\x00"


class PahoLink(ReconnectingLink):
    """A ``Link``."""

    def __init__(self, settings: LinkSettings, clock: Clock) -> None:
        super().__init__(settings, clock, PahoConnection)


class PahoMessage(NamedTuple):
    """A ``Message``."""

    topic: str
    payload: bytes
    retain: bool
    packet_id: int | None
    qos: int


class _ClosingSocket(ssl.SSLSocket):
    """Closes itself when the handshake fails, which paho forgets."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - the signature of ssl
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


class PahoConnection:
    """A ``Connection``. Methods run in the event loop but for those of the section ``in the thread``."""

    def __init__(self, settings: LinkSettings, owner: Owner) -> None:
        self._settings = settings
        self._owner = owner
        self._loop = asyncio.get_running_loop()
        self._accepted: asyncio.Future[bool] = self._loop.create_future()
        self._subscribed: asyncio.Future[list[ReasonCode]] = self._loop.create_future()
        self._closed: asyncio.Future[str] = self._loop.create_future()
        self._published: dict[int, asyncio.Future[None]] = {}
        self._window = asyncio.Semaphore(settings.publish_window)
        self._arrived: deque[PahoMessage] = deque()
        self._collecting = False
        self._read_messages = 0
        self._read_bytes = 0
        self._taken_bytes = 0
        self._stop_reading = False
        self._blocked = False
        self._given_up = False
        self._closing = False
        self._why = ""
        self._failure: Exception | None = None
        self._wake_receiver, self._wake_sender = socket.socketpair()
        self._wake_receiver.settimeout(0)
        self._wake_sender.settimeout(0)
        self._client = self._make_client()
        self._thread = threading.Thread(target=self._run, name="paho link", daemon=True)

    def _make_client(self) -> Client:
        s = self._settings
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=s.client_id,
            clean_session=s.session_expiry == 0,
            protocol=MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.max_inflight_messages_set(s.publish_window)
        client.connect_timeout = s.connect_timeout
        if s.username is not None:
            client.username_pw_set(s.username, s.password)
        if s.tls is not None:
            s.tls.sslsocket_class = _ClosingSocket
            client.tls_set_context(s.tls)
            client.tls_insecure_set(not s.tls.check_hostname)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_disconnect = self._on_disconnect
        # with this callback set paho leaves all writing to the thread
        client.on_socket_register_write = lambda _client, _userdata, _socket: None
        return client

    # --- life

    async def open(self) -> bool:
        """Connect; True if the broker has resumed our session. Raises Refused, LinkDown or OSError."""
        self._thread.start()
        return await self._accepted

    async def subscribe(self) -> None:
        """Ask for the subscriptions. Raises Refused or LinkDown."""
        wanted = self._settings.subscriptions
        self._client.subscribe([(subscription.filter, subscription.qos) for subscription in wanted])
        self._wake()
        for subscription, code in zip(wanted, await self._subscribed, strict=False):
            if code.is_failure:
                raise Refused(f"subscription {subscription.filter} refused: {_name(code)}")

    def close(self) -> None:
        """Say DISCONNECT after everything written before; the session stays with the broker."""
        self._closing = True
        self._wake()

    async def lost(self) -> str:
        """Wait for the end of the connection; returns its reason."""
        return await asyncio.shield(self._closed)

    async def end(self) -> None:
        """Return when the thread has ended; after ``close`` the broker has a moment to close the connection.

        Only a thread that still waits for the operating system's connect is left to end by itself.
        """
        if self._thread.ident is None:  # never started
            self._close_sockets()
            return
        if not self._closing:
            self._given_up = True
            self._wake()
        await asyncio.wait([self._closed], timeout=2 * CLOSE_SECONDS)
        if self._closed.done():
            self._thread.join()

    def resume(self) -> None:
        """Read on."""
        if self._stop_reading:
            self._stop_reading = False
            self._wake()

    # --- messages

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """Acknowledge; paho writes one packet for each."""
        ack = self._client.ack
        for message in cast("Sequence[PahoMessage]", messages):
            if message.packet_id is not None:
                ack(message.packet_id, message.qos)
        self._wake()

    async def publish(self, topic: str, payload: bytes, qos: int, *, retain: bool) -> None:
        """QoS 0 or 1. Raises LinkDown."""
        if qos >= _EXACTLY_ONCE:
            raise ValueError("publish with QoS 0 or 1")
        async with self._window:
            if self._closed.done() or self._closing:
                raise LinkDown(self._why or "connection lost")
            info = self._client.publish(topic, payload, qos, retain)
            self._wake()
            if info.rc == MQTTErrorCode.MQTT_ERR_QUEUE_SIZE:
                raise PublishRefused("too many publishes wait for the broker")
            if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
                raise LinkDown(self._why or "connection lost")
            if qos:
                answer = self._published[info.mid] = self._loop.create_future()
                await answer

    def _collect(self) -> None:
        """Take what the thread has read. The flag falls first, so that whatever comes later calls again."""
        self._collecting = False
        arrived = self._arrived
        messages: list[Message] = []
        size = 0
        for _ in range(len(arrived)):
            message = arrived.popleft()
            size += len(message.payload)
            messages.append(message)
        self._taken_bytes += size
        if messages and not self._owner.received(messages, size):
            self._stop_reading = True
        elif self._blocked:
            self._wake()

    def _accept(self, session_present: bool) -> None:  # noqa: FBT001 - called by call_soon_threadsafe
        self._owner.accepted(self)
        if not self._accepted.done():
            self._accepted.set_result(session_present)

    def _answer_subscribe(self, codes: list[ReasonCode]) -> None:
        if not self._subscribed.done():
            self._subscribed.set_result(codes)

    def _answer_publish(self, packet_id: int) -> None:
        answer = self._published.pop(packet_id, None)
        if answer is not None and not answer.done():
            answer.set_result(None)

    def _ended(self) -> None:
        """The thread has nothing more to say."""
        self._collect()
        why = self._why or "connection closed by the broker"
        answers: list[asyncio.Future[Any]] = [self._accepted, self._subscribed, *self._published.values()]
        for waiting in answers:
            if not waiting.done():
                waiting.set_exception(self._failure or LinkDown(why))
                waiting.exception()  # nobody need be waiting for it
        if not self._closed.done():
            self._closed.set_result(why)

    # --- in the thread

    def _run(self) -> None:
        """Connect, read and write until the connection is lost."""
        try:
            self._client.connect(self._settings.host, self._settings.port, keepalive=-(-self._settings.keep_alive // 2))
            self._serve()
        except OSError as exc:
            self._why = str(exc)
            self._failure = exc
        except Exception as exc:  # noqa: BLE001 - the thread's edge: paho raises what a malformed packet made it stumble on
            self._why = f"malformed packet: {exc!r}"
        finally:
            self._close_sockets()
            self._call(self._ended)

    def _serve(self) -> None:
        client = self._client
        connection = cast("socket.socket", client.socket())
        pending: Callable[[], int] = getattr(connection, "pending", lambda: 0)  # what TLS has read ahead
        with selectors.DefaultSelector() as selector:
            selector.register(self._wake_receiver, selectors.EVENT_READ)
            watched = 0
            while client.socket() is connection and not self._given_up:
                self._blocked = True  # before the look, so that room made after it wakes us
                self._blocked = self._full()
                wanted = (0 if self._blocked else selectors.EVENT_READ) | (
                    selectors.EVENT_WRITE if client.want_write() else 0
                )
                if wanted != watched:
                    _watch(selector, connection, watched, wanted)
                    watched = wanted
                ahead = not self._blocked and pending() > 0
                ready = selector.select(0 if ahead else _TICK)
                events = {key.fileobj: mask for key, mask in ready}
                if self._wake_receiver in events:
                    self._wake_receiver.recv(4096)
                if ahead or events.get(connection, 0) & selectors.EVENT_READ:
                    self._read_burst()
                if client.want_write():
                    client.loop_write()
                if not self._blocked:
                    client.loop_misc()
                if self._closing and not client.want_write():
                    _say_goodbye(connection)
                    return

    def _read_burst(self) -> None:
        """Read message after message until one reading brings none."""
        for _ in range(_BURST):
            before = self._read_messages
            self._client.loop_read()
            if self._read_messages == before or self._full():
                break

    def _full(self) -> bool:
        """Enough waits to be taken."""
        return (
            self._stop_reading
            or len(self._arrived) >= self._settings.max_waiting_messages
            or self._read_bytes - self._taken_bytes >= self._settings.max_waiting_bytes
        )

    def _wake(self) -> None:
        """Make the thread look at what there is to do. Called from the event loop."""
        with contextlib.suppress(BlockingIOError, OSError):  # it has been woken already, or is gone
            self._wake_sender.send(b"\0")

    def _call(self, callback: Callable[..., None], *arguments: Any) -> None:
        """Have the event loop call something, unless it is closed already."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(callback, *arguments)

    def _close_sockets(self) -> None:
        connection = self._client.socket()
        if connection is not None:
            connection.close()
        self._wake_receiver.close()
        self._wake_sender.close()

    def _on_message(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError as exc:
            topic = exc.object.decode(errors="replace")
        payload = bytes(message.payload)
        self._read_messages += 1
        self._read_bytes += len(payload)
        packet_id = message.mid if message.qos else None
        self._arrived.append(PahoMessage(topic, payload, message.retain, packet_id, message.qos))
        if not self._collecting:
            self._collecting = True
            self._call(self._collect)

    def _on_connect(
        self, _client: Client, _userdata: Any, flags: ConnectFlags, code: ReasonCode, _properties: Properties | None
    ) -> None:
        if code.is_failure:
            self._why = f"connection refused: {_name(code)}"
            self._failure = Refused(self._why)
        else:
            self._call(self._accept, flags.session_present)

    def _on_subscribe(
        self, _client: Client, _userdata: Any, _mid: int, codes: list[ReasonCode], _properties: Properties | None
    ) -> None:
        self._call(self._answer_subscribe, codes)

    def _on_publish(
        self, _client: Client, _userdata: Any, mid: int, _code: ReasonCode, _properties: Properties | None
    ) -> None:
        self._call(self._answer_publish, mid)

    def _on_disconnect(
        self, _client: Client, _userdata: Any, _flags: DisconnectFlags, code: ReasonCode, _properties: Properties | None
    ) -> None:
        self._why = self._why or _REASONS.get(_name(code), f"connection lost: {_name(code)}")


def _say_goodbye(connection: socket.socket) -> None:
    """DISCONNECT, and wait for the broker to close.

    paho's own disconnect closes at once; when the broker still sends, the operating system then throws away what the
    broker has not read yet, our last acknowledgements.
    """
    deadline = time.monotonic() + CLOSE_SECONDS
    with contextlib.suppress(OSError):
        connection.settimeout(CLOSE_SECONDS)
        connection.sendall(_DISCONNECT)
        while connection.recv(65536) and time.monotonic() < deadline:
            pass


def _watch(selector: selectors.BaseSelector, connection: socket.socket, watched: int, wanted: int) -> None:
    """Change what a selector waits for; selectors know no waiting for nothing."""
    if not watched:
        selector.register(connection, wanted)
    elif not wanted:
        selector.unregister(connection)
    else:
        selector.modify(connection, wanted)


def _name(code: ReasonCode) -> str:
    return str(code).lower()
