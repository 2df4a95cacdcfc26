"""What a link to the MQTT broker is: the one road by which readings come in and receipts go out.

A link acknowledges nothing by itself. Whoever takes a batch acknowledges it after its commit, so a reading that was
taken and not committed is delivered again by the broker. An unacknowledged message is delivered again only after a
reconnect.
"""

import random
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit


class LinkDown(Exception):
    """There is no connection to the broker, or it was lost before the broker answered, or the link was stopped."""


class PublishRefused(Exception):
    """The broker has answered a publish with a refusal, e.g. not authorised or packet too large."""


class Message(Protocol):
    """One message as the codec has made it; handed on without a Python object of our own."""

    @property
    def topic(self) -> str:
        """The topic that it was published to."""
        ...

    @property
    def payload(self) -> bytes:
        """The payload, of any size and content."""
        ...

    @property
    def retain(self) -> bool:
        """True only for a message that the broker had stored: no live sample."""
        ...

    @property
    def packet_id(self) -> int | None:
        """What the link acknowledges by; valid within one generation. None: QoS 0, nothing to acknowledge."""
        ...


class Batch(NamedTuple):
    """Everything that has arrived, in order, all of one connection."""

    generation: int
    messages: Sequence[Message]


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """Whether the link is up. ``since`` is in ms UTC; ``detail`` says why it is down."""

    connected: bool
    since: int
    detail: str
    session_present: bool = False
    """The broker has resumed our session: nothing published meanwhile is missing, as far as it kept it."""


class Link(Protocol):
    """A connection to the broker that comes back for ever."""

    on_change: Callable[[LinkStatus], None] | None
    """Called in the event loop whenever ``status`` has changed."""

    @property
    def generation(self) -> int:
        """Counts the connections that the broker has accepted."""
        ...

    @property
    def status(self) -> LinkStatus:
        """Whether the link is up."""
        ...

    async def start(self) -> None:
        """Begin connecting in the background; returns at once."""
        ...

    async def messages(self) -> Batch:
        """Wait until something has arrived and return everything that has.

        For one consumer. Messages that came over a connection lost meanwhile are still handed on, as a batch of their
        own: their acknowledgement is dropped and the broker delivers them again, which the commit makes harmless,
        whereas a broker that has lost our session would not deliver them again.
        Raises LinkDown once the link is stopped.
        """
        ...

    def acknowledge(self, generation: int, messages: Sequence[Message]) -> None:
        """Acknowledge in one write; batches in the order of their arrival. Dropped if the generation has passed."""
        ...

    async def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        """Publish; with QoS 1 returns when the broker has acknowledged.

        Raises LinkDown, after which nobody knows whether the broker has taken it, or PublishRefused.
        """
        ...

    async def stop(self) -> None:
        """Disconnect so that the broker keeps the session. Acknowledgements given before go out first."""
        ...


class Subscription(NamedTuple):
    """A topic filter; ``retained`` asks the broker for what it has stored, where the MQTT version lets one choose."""

    filter: str
    qos: int = 1
    retained: bool = False


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """How to reach the broker and what to ask of it. Times in seconds."""

    client_id: str
    subscriptions: Sequence[Subscription]
    host: str = "127.0.0.1"
    port: int = 1883
    tls: ssl.SSLContext | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    session_expiry: int = 86_400
    """How long the broker keeps the session after a disconnect; 0: not at all. MQTT 3.1.1 knows for ever and 0 only."""
    keep_alive: int = 10
    """A broker that says nothing for this long, though asked, is given up."""
    connect_timeout: float = 10.0
    shortest_delay: float = 0.2
    """Wait before the first reconnect; doubled by each failure."""
    longest_delay: float = 15.0
    """Longest wait between attempts, and the wait after the broker has refused us."""
    max_waiting_messages: int = 65_535
    """Reading stops while as many messages wait to be taken."""
    max_waiting_bytes: int = 64 * 1024 * 1024
    publish_window: int = 1000
    """Most publishes that wait for the broker's acknowledgement; the rest wait their turn."""


def parse_broker_url(url: str) -> tuple[str, int, ssl.SSLContext | None]:
    """Host, port and TLS context of ``mqtt://host:1883`` or ``mqtts://host:8883``. Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname:
        raise ValueError(f"broker URL {url!r}: write mqtt://host:port or mqtts://host:port")
    secure = parts.scheme == "mqtts"
    port = parts.port if parts.port is not None else 8883 if secure else 1883
    return parts.hostname, port, ssl.create_default_context() if secure else None


class Backoff:
    """Waits between attempts: doubling, with jitter, so that many clients of one broker don't return at one moment."""

    def __init__(self, shortest: float, longest: float) -> None:
        self._shortest = shortest
        self._longest = longest
        self._next = shortest

    def delay(self, *, lasted: float, refused: bool) -> float:
        """Seconds to wait after a connection that lasted so long; a refusal won't mend by itself, so ask slowly."""
        if lasted > self._longest:
            self._next = self._shortest
        delay = self._longest if refused else self._next
        self._next = min(self._next * 2, self._longest)
        return delay * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, no secret
