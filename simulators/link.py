"""A gateway's side of the wire: its connection, its topics and its payloads."""

import ssl
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from uuid import uuid4

import aiomqtt
import orjson

IN_FLIGHT = 20
"""Messages sent and not yet acknowledged by the broker."""
TIMEOUT = 10.0
"""How long a broker may take to answer, s."""


Value = float | None | Mapping[str, float | None]
"""A number, none, or ``{"v": number, "q": quality}``."""


@dataclass(frozen=True, slots=True)
class Link:
    """Where and how a gateway connects."""

    enterprise: str
    gateway: str
    host: str
    port: int = 1883
    version: Literal["3.1.1", "5"] = "3.1.1"
    password: str | None = None
    """None: connects without user name and password."""
    tls: ssl.SSLContext | None = None
    username: str | None = None
    """None: ``enterprise.gateway``."""
    session: str = field(default_factory=lambda: uuid4().hex[:12])
    """Names this run of the gateway in its status."""

    def topic(self, end: str) -> str:
        """Topic of the gateway: ``data``, ``status`` or ``receipt``."""
        return f"anshao/v1/{self.enterprise}/{self.gateway}/{end}"

    def status(self, *, online: bool, now: int) -> bytes:
        """Payload of the status topic."""
        return orjson.dumps({"online": online, "ts": now, "session": self.session})

    def client(self, now: int) -> aiomqtt.Client:
        """A client with the gateway's credential and its last will; ``now`` in ms marks the will."""
        client = aiomqtt.Client(
            self.host,
            self.port,
            username=None if self.password is None else self.username or f"{self.enterprise}.{self.gateway}",
            password=self.password,
            protocol=aiomqtt.ProtocolVersion.V5 if self.version == "5" else aiomqtt.ProtocolVersion.V311,
            will=aiomqtt.Will(self.topic("status"), self.status(online=False, now=now), qos=1, retain=True),
            timeout=TIMEOUT,
            keepalive=15,
            tls_context=self.tls,
        )
        client.pending_calls_threshold = IN_FLIGHT + 2  # more are worth a warning: with status and subscription
        return client


def reading(source_time: int, values: Mapping[str, Value], message: str) -> bytes:
    """One reading of many tags; ``message`` is the id that the receipt will name."""
    return orjson.dumps({"ts": source_time, "id": message, "values": values})


def together(readings: Sequence[bytes]) -> bytes:
    """Payload of the data topic: one reading as it is, several as an array."""
    return readings[0] if len(readings) == 1 else b"[" + b",".join(readings) + b"]"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the service says it has kept, and what it has refused with the reason."""

    ids: Iterable[str]
    refused: Mapping[str, str]


def receipt(payload: bytes) -> Receipt:
    """Parse a receipt. Raises ValueError for anything else."""
    content = orjson.loads(payload)
    if not isinstance(content, dict):
        raise ValueError("a receipt is a JSON object")  # noqa: TRY004 - content, not a programming error
    ids = content.get("ids", [])
    refused = content.get("refused", [])
    if not isinstance(ids, list) or not all(isinstance(r, dict) and "id" in r for r in refused):
        raise ValueError("a receipt has a list of ids and a list of refused ids with reasons")
    return Receipt([str(i) for i in ids], {str(r["id"]): str(r.get("reason", "")) for r in refused})
