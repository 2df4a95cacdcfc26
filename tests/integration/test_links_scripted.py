"""Both links against brokers that misbehave in ways that no real one shows on demand."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import mqtt5
import pytest

from ingest.links.protocol import Link, LinkStatus
from tests.integration.links import LINKS, settings_for, until

CONNECT, SUBSCRIBE = 1, 8
"""Packet types."""


class Broker:
    """Says what it is told to, in bytes, since the two links speak different versions of MQTT."""

    def __init__(self, kind: str) -> None:
        self._properties = b"\0" if kind == "mqtt5" else b""
        self.accept = _packet(0x20, b"\0\0" + self._properties)
        self.answers: dict[int, Callable[[bytes], bytes]] = {
            CONNECT: lambda _: self.accept,
            SUBSCRIBE: lambda packet_id: self.grant(packet_id, b"\1\1"),
        }
        self.connections = 0
        self.hang_up = False

    def grant(self, packet_id: bytes, codes: bytes) -> bytes:
        return _packet(0x90, packet_id + self._properties + codes)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                kind, body = await _read(reader)
                if kind == 14:  # DISCONNECT
                    break
                if kind in self.answers:
                    writer.write(self.answers[kind](body[:2]))
                await writer.drain()
                if self.hang_up and kind == SUBSCRIBE:
                    break
        writer.close()


def _packet(head: int, body: bytes) -> bytes:
    assert len(body) < 128
    return bytes([head, len(body)]) + body


async def _read(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head, length = await reader.readexactly(2)
    assert length < 128
    return head >> 4, await reader.readexactly(length)


@asynccontextmanager
async def linked(kind: str, broker: Broker, **changes: object) -> AsyncIterator[Link]:
    server = await asyncio.start_server(broker.serve, "127.0.0.1", 0)
    link = LINKS[kind](settings_for(server.sockets[0].getsockname()[1], **changes))
    await link.start()
    try:
        yield link
    finally:
        await link.stop()
        server.close()
        await server.wait_closed()


@pytest.fixture(params=LINKS)
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


async def test_a_refused_subscription_surfaces_and_is_asked_for_again(kind: str) -> None:
    broker = Broker(kind)
    broker.answers[SUBSCRIBE] = lambda packet_id: broker.grant(packet_id, b"\1\x80")
    async with linked(kind, broker) as link:
        await until(lambda: "status refused" in link.status.detail)
        assert not link.status.connected
        broker.answers[SUBSCRIBE] = lambda packet_id: broker.grant(packet_id, b"\1\1")
        await until(lambda: link.status.connected)


async def test_garbage_ends_the_connection_and_the_link_comes_back(kind: str) -> None:
    broker = Broker(kind)
    broker.answers[SUBSCRIBE] = lambda packet_id: broker.grant(packet_id, b"\1\1") + b"\x00\x00" * 100
    async with linked(kind, broker) as link:
        details: list[LinkStatus] = []
        link.on_change = details.append
        await until(lambda: broker.connections >= 3)
        assert any(not status.connected and status.detail for status in details)


async def test_a_publish_packet_that_ends_too_early_ends_the_connection(kind: str) -> None:
    broker = Broker(kind)
    cut_short = b"\x32\x03\x00\x10a"
    broker.answers[SUBSCRIBE] = lambda packet_id: broker.grant(packet_id, b"\1\1") + cut_short
    async with linked(kind, broker) as link:
        await until(lambda: "malformed packet" in link.status.detail)
        await until(lambda: broker.connections >= 2)


async def test_a_broker_that_hangs_up_is_called_again(kind: str) -> None:
    broker = Broker(kind)
    broker.hang_up = True
    async with linked(kind, broker) as link:
        await until(lambda: broker.connections >= 3)
        assert link.generation >= 2
        broker.hang_up = False
        await until(lambda: link.status.connected)


@pytest.mark.parametrize("silent", [CONNECT, SUBSCRIBE])
async def test_a_broker_that_accepts_the_connection_and_says_nothing_is_given_up(kind: str, silent: int) -> None:
    broker = Broker(kind)
    del broker.answers[silent]
    async with linked(kind, broker, connect_timeout=0.1) as link:
        await until(lambda: "does not answer" in link.status.detail)
        await until(lambda: broker.connections >= 2)


async def test_stopping_does_not_wait_for_a_broker_that_says_nothing(kind: str) -> None:
    broker = Broker(kind)
    broker.answers.clear()
    async with asyncio.timeout(5), linked(kind, broker, connect_timeout=60):
        await until(lambda: broker.connections == 1)


async def test_a_topic_that_is_not_utf_8_is_handed_on_by_paho() -> None:
    broker = Broker("paho")
    message = _packet(0x32, b"\0\4a/\xff\xfe\0\1payload")
    broker.answers[SUBSCRIBE] = lambda packet_id: broker.grant(packet_id, b"\1\1") + message
    async with linked("paho", broker) as link:
        (taken,) = (await link.messages()).messages
        assert (taken.topic, taken.payload) == ("a/��", b"payload")


async def test_the_watch_follows_the_keep_alive_that_the_broker_sets() -> None:
    broker = Broker("mqtt5")
    broker.accept = mqtt5.ConnAckPacket(server_keep_alive=1).write()
    async with linked("mqtt5", broker, keep_alive=3600) as link:  # it answers no ping
        await until(lambda: "does not answer" in link.status.detail)
