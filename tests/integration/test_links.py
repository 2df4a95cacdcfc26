"""Both links to the broker under one suite, against a real Mosquitto: nothing lost, nothing acknowledged wrongly."""

import asyncio
import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import mqtt5
import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from ingest.links.mqtt5_link import RECEIVE_MAXIMUM, Mqtt5Link
from ingest.links.paho_link import PahoLink
from ingest.links.protocol import (
    Batch,
    Link,
    LinkDown,
    LinkSettings,
    LinkStatus,
    Message,
    PublishRefused,
    Subscription,
)
from tests import servers

pytestmark = pytest.mark.servers

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


@pytest.fixture(params=LINKS)
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


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
        await _read_packets(reader, 1)
        pending = list(bodies)
        for first in range(0, len(pending), 500):
            some = pending[first : first + 500]
            for number, body in enumerate(some, 1):
                packet_id = number if qos else None
                packet = mqtt5.PublishPacket(topic, body, qos=mqtt5.QoS(qos), retain=retain, packet_id=packet_id)
                writer.write(packet.write())
            await writer.drain()
            if qos:
                await _read_packets(reader, len(some))
        writer.write(mqtt5.DisconnectPacket().write())
        await writer.drain()
    finally:
        writer.close()
        await writer.wait_closed()


async def _read_packets(reader: asyncio.StreamReader, count: int) -> None:
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
from tests.integration.test_links import LINKS, settings_for
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


async def test_a_broker_that_has_forgotten_the_session_is_subscribed_to_again(kind: str) -> None:
    with servers.mosquitto(persistence=False) as broker:
        async with connected(kind, broker.port) as link:
            await asyncio.to_thread(broker.restart)
            await until(lambda: link.generation == 2 and link.status.connected)
            assert not link.status.session_present
            await publish(broker.port, [b"after"])
            assert payloads(await take(link, 1)) == [b"after"]


async def test_a_frozen_broker_is_noticed(kind: str, broker: servers.Broker) -> None:
    async with connected(kind, broker.port, keep_alive=2) as link:
        changes: list[LinkStatus] = []
        link.on_change = changes.append
        broker.pause()
        await until(lambda: not link.status.connected)
        assert "does not answer" in link.status.detail
        assert changes[0] == link.status
        broker.resume()
        await until(lambda: link.status.connected)
        await publish(broker.port, [b"after"])
        assert payloads(await take(link, 1)) == [b"after"]


async def test_a_frozen_broker_does_not_hold_up_stopping(kind: str, broker: servers.Broker) -> None:
    async with connected(kind, broker.port):
        broker.pause()
    async with asyncio.timeout(DEADLINE):
        link = LINKS[kind](settings_for(broker.port, connect_timeout=0.2))
        await link.start()
        await until(lambda: "does not answer" in link.status.detail)
        await link.stop()


async def test_a_wrong_password_surfaces_and_a_corrected_one_connects(kind: str, tmp_path: Path) -> None:
    passwords = tmp_path / "passwords"

    def set_password(password: str) -> None:
        # made elsewhere and moved, since the running broker reads the file
        subprocess.run(["mosquitto_passwd", "-c", "-b", f"{passwords}.new", "anshao", password], check=True)
        Path(f"{passwords}.new").rename(passwords)

    set_password("old")
    with servers.mosquitto(password_file=str(passwords), allow_anonymous=False) as broker:
        link = LINKS[kind](settings_for(broker.port, username="anshao", password="new"))
        await link.start()
        try:
            await until(lambda: "refused" in link.status.detail)
            assert "not authori" in link.status.detail
            assert not link.status.connected
            with pytest.raises(LinkDown, match="refused"):
                await link.publish("elsewhere", b"")
            set_password("new")
            assert broker.process is not None
            broker.process.send_signal(signal.SIGHUP)
            await until(lambda: link.status.connected)
        finally:
            await link.stop()


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
    await _read_packets(reader, 2)
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


async def test_a_publish_returns_when_the_broker_has_it(kind: str, broker: servers.Broker) -> None:
    async with connected(kind, broker.port, publish_window=50) as link:
        async with asyncio.TaskGroup() as group:  # more than the window
            for body in numbered(500):
                group.create_task(link.publish(DATA, body))
        assert sorted(payloads(await take(link, 500))) == sorted(numbered(500))
        await link.publish(STATUS, b"online", retain=True)
        await link.publish(DATA, b"no answer expected", qos=0)
        await take(link, 2)
        with pytest.raises(ValueError, match="QoS"):
            await link.publish(DATA, b"", qos=2)


async def test_a_publish_without_connection_says_so(kind: str, broker: servers.Broker) -> None:
    async with connected(kind, broker.port) as link:
        broker.pause()
        waiting = [asyncio.create_task(link.publish(DATA, body)) for body in numbered(3)]
        await asyncio.sleep(0)
        broker.kill()
        for outcome in await asyncio.gather(*waiting, return_exceptions=True):
            assert isinstance(outcome, LinkDown)
        await until(lambda: not link.status.connected)
        with pytest.raises(LinkDown):
            await link.publish(DATA, b"")
    with pytest.raises(LinkDown):
        await link.publish(DATA, b"")


async def test_a_publish_that_the_broker_would_not_take_is_refused_and_the_link_stays() -> None:
    with servers.mosquitto(max_packet_size=1000) as broker:
        async with connected("mqtt5", broker.port) as link:
            with pytest.raises(PublishRefused, match="at most 1000"):
                await link.publish(DATA, bytes(2000))
            assert link.generation == 1
            await link.publish(DATA, bytes(100))


async def test_a_broker_that_is_not_there_is_waited_for(kind: str, broker: servers.Broker) -> None:
    broker.stop()
    link = LINKS[kind](settings_for(broker.port))
    changes: list[LinkStatus] = []
    link.on_change = changes.append
    await link.start()
    try:
        await until(lambda: "refused" in link.status.detail.lower())
        assert not link.status.connected
        await asyncio.to_thread(broker.start)
        await until(lambda: link.status.connected)
        assert changes[-1].connected
        assert changes[-1].since >= changes[0].since
    finally:
        await link.stop()


async def test_stopping_ends_the_waiting_and_keeps_the_session(kind: str, broker: servers.Broker) -> None:
    async with connected(kind, broker.port) as link:
        waiting = asyncio.create_task(link.messages())
        await asyncio.sleep(0)
        await publish(broker.port, [b"taken"])
        batch = await waiting
        waiting = asyncio.create_task(link.messages())
        await asyncio.sleep(0)
        link.acknowledge(*batch)
        await link.stop()  # the acknowledgement goes out before
        with pytest.raises(LinkDown):
            await waiting
        assert link.status.detail == "stopped"
        link.acknowledge(*batch)
    await publish(broker.port, [b"while away"])
    async with connected(kind, broker.port) as link:
        assert payloads(await take(link, 1)) == [b"while away"]


async def test_a_link_that_was_never_started_stops(kind: str) -> None:
    await LINKS[kind](settings_for(1)).stop()


async def test_a_listener_that_fails_does_not_keep_the_link_down(kind: str, broker: servers.Broker) -> None:
    link = LINKS[kind](settings_for(broker.port))

    def listener(_: LinkStatus) -> None:
        raise RuntimeError("listener")

    link.on_change = listener
    await link.start()
    await until(lambda: link.status.connected)
    await asyncio.to_thread(broker.restart)
    await until(lambda: link.status.connected and link.generation == 2)
    await link.stop()


async def test_a_connection_over_tls(kind: str, tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = f"openssl req -x509 -newkey rsa:2048 -nodes -keyout {key} -out {certificate} -days 2 -subj /CN=localhost"
    made = await asyncio.create_subprocess_exec(
        *make.split(), "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", stderr=subprocess.DEVNULL
    )
    assert await made.wait() == 0
    trusting = ssl.create_default_context(cafile=str(certificate))
    with servers.mosquitto(certfile=str(certificate), keyfile=str(key)) as broker:
        async with connected(kind, broker.port, tls=trusting) as link:
            large = os.urandom(2 * 1024 * 1024)
            for body in [*numbered(2000), large, b"last"]:
                await link.publish(DATA, body, qos=1 if len(body) > 10 else 0)
            assert payloads(await take(link, 2002)) == [*numbered(2000), large, b"last"]
        stranger = LINKS[kind](settings_for(broker.port, tls=ssl.create_default_context()))
        await stranger.start()
        await until(lambda: "certificate" in stranger.status.detail.lower())
        await stranger.stop()
