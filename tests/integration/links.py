"""What the tests of the links share: a gateway that publishes, a line that can be cut, and ways to wait."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import mqtt5

from ingest.links.mqtt5_link import Mqtt5Link
from ingest.links.paho_link import PahoLink
from ingest.links.protocol import (
    Batch,
    Link,
    LinkSettings,
    Message,
    Subscription,
)

DATA = "anshao/v1/huarui/gw1/data"
STATUS = "anshao/v1/huarui/gw1/status"
DEADLINE = 30.0
ROOT = Path(__file__).parents[2]


class WallClock:
    def now(self) -> int:
        return time.time_ns() // 1_000_000


LINKS: dict[str, Callable[[LinkSettings], Link]] = {
    "mqtt5": lambda settings: Mqtt5Link(settings, WallClock()),
    "paho": lambda settings: PahoLink(settings, WallClock()),
}


def settings_for(port: int, **changes: Any) -> LinkSettings:
    subscriptions = (Subscription("anshao/v1/+/+/data"), Subscription("anshao/v1/+/+/status", retained=True))
    settings = LinkSettings("anshao", subscriptions, port=port, shortest_delay=0.02, longest_delay=0.2)
    return replace(settings, **changes)


@asynccontextmanager
async def connected(kind: str, port: int, **changes: Any) -> AsyncIterator[Link]:
    link = LINKS[kind](settings_for(port, **changes))
    await link.start()
    try:
        await until(lambda: link.status.connected)
        yield link
    finally:
        await link.stop()


async def until(condition: Callable[[], bool], seconds: float = DEADLINE) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.002)


async def take(link: Link, count: int, *, acknowledge: bool = True) -> list[Message]:
    """At least so many messages."""
    taken: list[Message] = []
    for batch in await take_batches(link, count):
        if acknowledge:
            link.acknowledge(*batch)
        taken += batch.messages
    return taken


async def take_batches(link: Link, count: int) -> list[Batch]:
    batches: list[Batch] = []
    async with asyncio.timeout(DEADLINE):
        while sum(len(batch.messages) for batch in batches) < count:
            batches.append(await link.messages())
    return batches


def payloads(messages: Iterable[Message]) -> list[bytes]:
    return [message.payload for message in messages]


def numbered(count: int, start: int = 0) -> list[bytes]:
    return [b"%d" % number for number in range(start, start + count)]


async def publish(port: int, bodies: Iterable[bytes], *, topic: str = DATA, qos: int = 1, retain: bool = False) -> None:
    """Publish as a gateway would, 500 at a time, and return when the broker has acknowledged all."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(mqtt5.ConnectPacket("gateway", clean_start=True).write())
        await read_packets(reader, 1)
        pending = list(bodies)
        for first in range(0, len(pending), 500):
            some = pending[first : first + 500]
            for number, body in enumerate(some, 1):
                packet_id = number if qos else None
                packet = mqtt5.PublishPacket(topic, body, qos=mqtt5.QoS(qos), retain=retain, packet_id=packet_id)
                writer.write(packet.write())
            await writer.drain()
            if qos:
                await read_packets(reader, len(some))
        writer.write(mqtt5.DisconnectPacket().write())
        await writer.drain()
    finally:
        writer.close()
        await writer.wait_closed()


async def read_packets(reader: asyncio.StreamReader, count: int) -> None:
    buffer = b""
    while count:
        buffer += await reader.read(65536)
        with suppress(IndexError):
            while count:
                packet, size = mqtt5.read(memoryview(buffer))
                buffer = buffer[size:]
                count -= not isinstance(packet, mqtt5.PingRespPacket)


@dataclass
class Wire:
    """A TCP relay in front of the broker that can be cut."""

    broker_port: int
    port: int = 0
    _server: asyncio.Server | None = None
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self.broker_port)
        self._writers |= {writer, there_writer}
        try:
            await asyncio.gather(_copy(reader, there_writer), _copy(there_reader, writer))
        finally:
            self._writers -= {writer, there_writer}


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.transport.abort()


async def nothing_waits(kind: str, port: int) -> bool:
    """The session holds no message: the first that comes to a new connection is one published now."""
    async with connected(kind, port) as link:
        await publish(port, [b"sentinel"])
        return payloads(await take(link, 1)) == [b"sentinel"]
