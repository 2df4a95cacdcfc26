"""The broker inside the process: what the demonstration needs of it, through the link that it uses."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator

import aiomqtt
import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from ingest.embedded_broker import EmbeddedBroker
from tests.integration.links import DATA, STATUS, connected, numbered, payloads, take, until


@pytest.fixture
async def port() -> AsyncIterator[int]:
    broker = EmbeddedBroker()
    yield await broker.start()
    await broker.stop()


async def test_all_that_gateways_publish_arrives_once_in_order(port: int) -> None:
    async def publish(gateway: str) -> None:
        async with aiomqtt.Client("127.0.0.1", port, identifier=gateway, username=f"huarui.{gateway}") as client:
            for body in numbered(200):
                await client.publish(f"anshao/v1/huarui/{gateway}/data", body, qos=1)

    async with connected("paho", port) as link:
        taken, *_ = await asyncio.gather(take(link, 600), publish("gw1"), publish("gw2"), publish("gw3"))
        for gateway in ("gw1", "gw2", "gw3"):
            assert payloads(message for message in taken if gateway in message.topic) == numbered(200)
        assert len(taken) == 600


async def test_what_was_published_while_we_were_away_is_live_when_we_return(port: int) -> None:
    async with connected("paho", port):
        pass
    async with aiomqtt.Client("127.0.0.1", port) as client:
        for body in numbered(50):
            await client.publish(DATA, body, qos=1)
    async with connected("paho", port) as link:
        assert link.status.session_present
        taken = await take(link, 50)
    assert payloads(taken) == numbered(50)
    assert not any(message.retain for message in taken)


async def test_clients_that_come_while_others_subscribe_are_served(port: int) -> None:
    failed: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failed.append(str(context)))
    async with aiomqtt.Client("127.0.0.1", port) as client:
        for number in range(20):
            await client.publish(f"stored/{number}", b"x", retain=True)
        await client.subscribe("stored/#")

        async def come(number: int) -> None:
            async with aiomqtt.Client("127.0.0.1", port) as one:
                for topic in ("stored/+", f"+/{number}", f"own/{number}"):
                    await one.subscribe(topic)
                await one.publish("taken", b"y", qos=1)

        for first in range(0, 200, 5):
            await asyncio.gather(*(come(number) for number in range(first, first + 5)))
    assert not failed, failed[0]


async def test_stored_status_is_sent_with_its_flag_and_a_last_will_arrives(port: int) -> None:
    gateway = Client(CallbackAPIVersion.VERSION2, client_id="gw1", reconnect_on_failure=False)
    gateway.will_set(STATUS, b"offline", qos=1, retain=True)
    await asyncio.to_thread(gateway.connect, "127.0.0.1", port)
    gateway.loop_start()
    stored = gateway.publish(STATUS, b"online", qos=1, retain=True)
    await until(stored.is_published)
    async with connected("paho", port) as link:
        (online,) = await take(link, 1)
        assert (online.payload, online.retain) == (b"online", True)
        line = gateway.socket()
        assert isinstance(line, socket.socket)
        line.shutdown(socket.SHUT_RDWR)  # the gateway is gone without a word
        (offline,) = await take(link, 1)
        assert (offline.topic, offline.payload, offline.retain) == (STATUS, b"offline", False)
    gateway.loop_stop()


async def test_receipts_reach_the_gateway(port: int) -> None:
    async with aiomqtt.Client("127.0.0.1", port) as client:
        await client.subscribe("anshao/v1/huarui/gw1/receipt", qos=1)
        async with connected("paho", port) as link:
            await link.publish("anshao/v1/huarui/gw1/receipt", b'{"ids": ["1"]}')
            receipt = await anext(client.messages)
            assert receipt.payload == b'{"ids": ["1"]}'


async def test_it_takes_the_port_that_it_is_given_or_says_that_it_cannot() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            await EmbeddedBroker(taken.getsockname()[1]).start()
        port = taken.getsockname()[1]
    broker = EmbeddedBroker(port)
    assert await broker.start() == port
    await broker.stop()


async def test_it_stops_under_its_clients_and_the_link_finds_its_successor() -> None:
    first = EmbeddedBroker()
    port = await first.start()
    async with connected("paho", port) as link:
        await link.publish(DATA, b"before")
        await take(link, 1)
        await first.stop()
        await until(lambda: not link.status.connected)
        second = EmbeddedBroker(port)
        await second.start()
        await until(lambda: link.status.connected)
        await link.publish(DATA, b"after")
        assert payloads(await take(link, 1)) == [b"after"]
    await second.stop()


async def test_a_client_that_goes_while_it_is_refused_is_no_fault(port: int) -> None:
    faults: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
    for version in (4, 5):
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.sendall(b"\x10\x10\x00\x04MQTT" + bytes([version]) + b"\x02\x00\x3c\x00\x00\x03abc")
        await asyncio.sleep(0.3)
    assert faults == []
