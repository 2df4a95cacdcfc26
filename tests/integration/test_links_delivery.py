"""Both links under one suite, against a real Mosquitto: nothing lost, nothing acknowledged wrongly."""

import asyncio
import os
import subprocess
import sys

import mqtt5
import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from ingest.links.mqtt5_link import RECEIVE_MAXIMUM
from ingest.links.protocol import (
    Message,
)
from tests import servers
from tests.integration.links import (
    DATA,
    DEADLINE,
    LINKS,
    ROOT,
    STATUS,
    Wire,
    connected,
    nothing_waits,
    numbered,
    payloads,
    publish,
    read_packets,
    take,
    take_batches,
    until,
)

pytestmark = pytest.mark.servers


@pytest.fixture(params=LINKS)
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


async def test_all_that_is_published_arrives_once_in_order(kind: str, broker: servers.Broker) -> None:
    async with connected(kind, broker.port) as link:
        taken, _ = await asyncio.gather(take(link, 5000), publish(broker.port, numbered(5000)))
    assert payloads(taken) == numbered(5000)
    assert {message.topic for message in taken} == {DATA}
    assert await nothing_waits(kind, broker.port)


async def test_what_waits_for_the_session_arrives_live_and_in_order(kind: str, broker: servers.Broker) -> None:
    async with connected(kind, broker.port):
        pass
    await publish(broker.port, numbered(3000))
    async with connected(kind, broker.port) as link:
        assert link.status.session_present
        taken = await take(link, 3000)
    assert payloads(taken) == numbered(3000)
    assert not any(message.retain for message in taken)


async def test_the_unacknowledged_is_delivered_again_after_a_reconnect_and_the_acknowledged_is_not(
    kind: str, broker: servers.Broker
) -> None:
    async with Wire(broker.port) as wire, connected(kind, wire.port) as link:
        await publish(broker.port, numbered(100))
        batches = await take_batches(link, 100)
        first = [message for batch in batches for message in batch.messages]
        link.acknowledge(batches[0].generation, first[:50])
        await link.publish("elsewhere", b"")  # the broker has read the acknowledgements before it answers this
        wire.cut()
        again = await take(link, 50)
        assert payloads(again) == numbered(50, start=50)
        assert link.generation == batches[0].generation + 1
        await link.publish("elsewhere", b"")
        wire.cut()
        await publish(broker.port, [b"sentinel"])
        assert payloads(await take(link, 1)) == [b"sentinel"]


async def test_acknowledgements_of_an_older_connection_are_dropped(kind: str, broker: servers.Broker) -> None:
    async with Wire(broker.port) as wire, connected(kind, wire.port) as link:
        await publish(broker.port, numbered(20))
        old = await take_batches(link, 20)
        wire.cut()
        for batch in old:
            link.acknowledge(*batch)  # on a connection that is cut, noticed or not
        again = await take_batches(link, 20)
        assert again[0].generation > old[0].generation
        for batch in old:
            link.acknowledge(*batch)  # on its successor, whose packet ids are the same
        await link.publish("elsewhere", b"")
        wire.cut()
        third = await take(link, 20)
        assert payloads(third) == numbered(20)
        await link.publish("elsewhere", b"")
    assert await nothing_waits(kind, broker.port)


CLIENT = """
import asyncio, sys
sys.path.insert(0, {root!r})
from tests.integration.links import LINKS, settings_for
async def main():
    link = LINKS[{kind!r}](settings_for({port}))
    await link.start()
    taken = 0
    while taken < 200:
        generation, messages = await link.messages()
        link.acknowledge(generation, messages[:max(0, 120 - taken)])
        taken += len(messages)
    await link.publish("elsewhere", b"")
    print("taken", flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


async def test_a_killed_process_loses_only_what_it_has_acknowledged(kind: str, broker: servers.Broker) -> None:
    async with connected(kind, broker.port):
        pass
    await publish(broker.port, numbered(200))
    script = CLIENT.format(root=str(ROOT), kind=kind, port=broker.port)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout is not None
    async with asyncio.timeout(DEADLINE):
        while await process.stdout.readline() != b"taken\n":
            pass
    process.kill()
    await process.wait()
    async with connected(kind, broker.port) as link:
        assert payloads(await take(link, 80)) == numbered(80, start=120)


async def test_a_broker_restart_under_load_loses_nothing(kind: str, broker: servers.Broker) -> None:
    count = 10_000
    gateway = Client(CallbackAPIVersion.VERSION2, client_id="gateway", clean_session=False)
    gateway.reconnect_delay_set(min_delay=1, max_delay=1)
    gateway.max_inflight_messages_set(200)
    gateway.connect("127.0.0.1", broker.port)
    gateway.loop_start()
    try:
        async with connected(kind, broker.port) as link:
            for body in numbered(count):
                gateway.publish(DATA, body, qos=1)
            seen: set[bytes] = set()
            restarted = False
            async with asyncio.timeout(60):
                while len(seen) < count:
                    generation, messages = await link.messages()
                    seen.update(message.payload for message in messages)
                    if len(seen) > count // 4 and not restarted:
                        restarted = True
                        await asyncio.to_thread(broker.restart)
                    link.acknowledge(generation, messages)
            assert restarted
            assert seen == set(numbered(count))
    finally:
        gateway.disconnect()
        gateway.loop_stop()


async def test_a_payload_of_ten_megabytes_arrives_between_its_neighbours(kind: str, broker: servers.Broker) -> None:
    large = os.urandom(10 * 1024 * 1024)
    async with connected(kind, broker.port) as link:
        await publish(broker.port, [b"before", large, b"after"])
        taken = payloads(await take(link, 3))
        assert [len(body) for body in taken] == [6, len(large), 5]
        assert taken[1] == large


@pytest.mark.parametrize(("kind", "limit", "brokers_limit"), [("mqtt5", RECEIVE_MAXIMUM, 0), ("paho", 32_000, 32_000)])
async def test_tens_of_thousands_may_wait_for_their_acknowledgement(kind: str, limit: int, brokers_limit: int) -> None:
    with servers.mosquitto(max_inflight_messages=brokers_limit) as broker:
        async with connected(kind, broker.port):
            pass
        await publish(broker.port, numbered(70_000))
        async with connected(kind, broker.port) as link:
            batches = await take_batches(link, limit)
            taken = [message for batch in batches for message in batch.messages]
            await link.publish("elsewhere", b"")  # its answer would come after any further message
            assert link._inbox._count == 0  # type: ignore[attr-defined] # none has
            assert len({message.packet_id for message in taken}) == limit
            link.acknowledge(batches[0].generation, taken)
            taken += await take(link, 70_000 - limit)
            assert payloads(taken) == numbered(70_000)
            assert link.generation == 1
        assert await nothing_waits(kind, broker.port)


async def test_stored_data_is_flagged_or_not_sent_and_stored_status_is_sent(kind: str, broker: servers.Broker) -> None:
    await publish(broker.port, [b"stale"], retain=True)
    await publish(broker.port, [b"online"], topic=STATUS, retain=True)
    async with connected(kind, broker.port) as link:
        await publish(broker.port, [b"live, but published with the retain flag"], retain=True)
        taken: list[Message] = []
        while b"live" not in b"".join(payloads(taken)):
            taken += await take(link, 1)
    stored = {(message.topic, message.payload) for message in taken if message.retain}
    live = [message.payload for message in taken if not message.retain]
    assert live == [b"live, but published with the retain flag"]
    assert stored == {(STATUS, b"online")} | ({(DATA, b"stale")} if kind == "paho" else set())


async def test_messages_of_qos_0_arrive_and_need_no_acknowledgement(kind: str, broker: servers.Broker) -> None:
    async with connected(kind, broker.port) as link:
        await publish(broker.port, numbered(10), qos=0)
        taken = await take(link, 10)
        assert payloads(taken) == numbered(10)
        assert {message.packet_id for message in taken} == {None}
        await link.publish("elsewhere", b"")
        assert link.status.connected


async def test_messages_of_qos_2_left_by_an_older_subscription_are_settled(kind: str, broker: servers.Broker) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", broker.port)
    writer.write(mqtt5.ConnectPacket("anshao", session_expiry_interval=3600).write())
    writer.write(
        mqtt5.SubscribePacket(1, [mqtt5.TopicFilter("anshao/v1/+/+/data", max_qos=mqtt5.QoS.EXACTLY_ONCE)]).write()
    )
    await read_packets(reader, 2)
    writer.close()
    await writer.wait_closed()
    gateway = Client(CallbackAPIVersion.VERSION2, client_id="gateway")
    gateway.connect("127.0.0.1", broker.port)
    gateway.loop_start()
    sent = [gateway.publish(DATA, body, qos=2) for body in numbered(10)]
    await until(lambda: all(info.is_published() for info in sent))
    gateway.disconnect()
    gateway.loop_stop()
    async with connected(kind, broker.port) as link:
        assert payloads(await take(link, 10)) == numbered(10)
        await link.publish("elsewhere", b"")
    assert await nothing_waits(kind, broker.port)


async def test_nobody_taking_stops_the_reading_and_nothing_is_lost(kind: str, broker: servers.Broker) -> None:
    bodies = [body.ljust(1000) for body in numbered(5000)]
    async with connected(kind, broker.port):
        pass
    await publish(broker.port, bodies)
    async with connected(kind, broker.port, max_waiting_messages=100) as link:
        await until(lambda: link._inbox.full)  # type: ignore[attr-defined] # how much waits is no part of the interface
        assert link._inbox._count < 1000  # type: ignore[attr-defined] # one reading of the socket may be over the limit
        taken = await take(link, 5000)
    assert payloads(taken) == bodies


async def test_what_came_before_the_connection_was_lost_is_handed_on(kind: str, broker: servers.Broker) -> None:
    async with Wire(broker.port) as wire, connected(kind, wire.port) as link:
        await publish(broker.port, numbered(10))
        await until(lambda: link._inbox._count == 10)  # type: ignore[attr-defined] # nobody has taken them yet
        wire.cut()
        await until(lambda: link.generation == 2 and link._inbox._count == 20)  # type: ignore[attr-defined]
        before, after = await link.messages(), await link.messages()
        assert (before.generation, after.generation) == (1, 2)
        assert payloads(before.messages) == payloads(after.messages) == numbered(10)
