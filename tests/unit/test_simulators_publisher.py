"""A simulated gateway against a real broker: last will, status, store and forward, and recorded rows."""

import asyncio
import json
import socket
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import aiomqtt
import pytest

from simulators import publisher
from simulators.demo import Demo
from simulators.link import Link, receipt
from simulators.publisher import GatewayPublisher, LinkLost, run_demo
from simulators.replay import replay
from tests import servers

Version = Literal["3.1.1", "5"]


class StoppedClock:
    def now(self) -> int:
        return 1_750_000_000_000


class Observer:
    """What a subscriber has received."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self.client = client
        self.messages: list[tuple[str, Any]] = []
        self._arrived = asyncio.Condition()

    async def read(self) -> None:
        async for message in self.client.messages:
            assert isinstance(message.payload, bytes)
            async with self._arrived:
                self.messages.append((message.topic.value, json.loads(message.payload)))
                self._arrived.notify_all()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20), self._arrived:
            await self._arrived.wait_for(condition)

    def readings(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for topic, content in self.messages:
            if topic.endswith("/data"):
                found += content if isinstance(content, list) else [content]
        return found

    def statuses(self) -> list[bool]:
        return [content["online"] for topic, content in self.messages if topic.endswith("/status")]


@asynccontextmanager
async def observer(broker: servers.Broker, topic: str = "anshao/v1/+/+/+") -> AsyncIterator[Observer]:
    async with aiomqtt.Client(broker.host, broker.port) as client:
        await client.subscribe(topic, qos=1)
        found = Observer(client)
        reading = asyncio.create_task(found.read())
        try:
            yield found
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


@asynccontextmanager
async def running(gateway: GatewayPublisher) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(gateway.run(stop))
    try:
        yield
    finally:
        stop.set()
        await task


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.005)


@pytest.fixture(autouse=True)
def quick_reconnect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publisher, "FIRST_DELAY", 0.02)
    monkeypatch.setattr(publisher, "LAST_DELAY", 0.02)


@pytest.mark.servers
@pytest.mark.parametrize("version", ["3.1.1", "5"])
async def test_a_gateway_comes_online_sends_until_the_receipt_and_says_goodbye(
    broker: servers.Broker, version: Version
) -> None:
    gateway = GatewayPublisher(Link("huarui", "gw1", broker.host, broker.port, version), StoppedClock())
    async with observer(broker) as seen:
        async with running(gateway):
            gateway.put(1_750_000_000_000, {"TI-101": 85.2, "PI-101": None})
            await seen.until(lambda: len(seen.readings()) == 1)
            [reading] = seen.readings()
            assert reading["ts"] == 1_750_000_000_000
            assert reading["values"] == {"TI-101": 85.2, "PI-101": None}
            assert len(gateway.store) == 1
            await seen.client.publish("anshao/v1/huarui/gw1/receipt", json.dumps({"ids": [reading["id"]]}), qos=1)
            await until(lambda: len(gateway.store) == 0)
        await seen.until(lambda: len(seen.statuses()) == 2)
        assert seen.statuses() == [True, False]
    async with observer(broker, "anshao/v1/huarui/gw1/status") as later:
        await later.until(lambda: later.statuses() == [False])


@pytest.mark.servers
async def test_a_refused_reading_is_counted_and_not_sent_for_ever(broker: servers.Broker) -> None:
    gateway = GatewayPublisher(Link("huarui", "gw1", broker.host, broker.port), StoppedClock())
    async with observer(broker) as seen, running(gateway):
        gateway.put(1, {"X": 1.0})
        await seen.until(lambda: len(seen.readings()) == 1)
        refusal = {"ids": [], "refused": [{"id": seen.readings()[0]["id"], "reason": "unknown_tag"}]}
        await seen.client.publish("anshao/v1/huarui/gw1/receipt", b"not a receipt", qos=1)
        await seen.client.publish("anshao/v1/huarui/gw1/receipt", json.dumps(refusal), qos=1)
        await until(lambda: len(gateway.store) == 0)
        assert gateway.refused == 1


async def cut(client: aiomqtt.Client) -> None:
    async with client:
        connection = client._client.socket()
        assert isinstance(connection, socket.socket)
        connection.shutdown(socket.SHUT_RDWR)
        async for _ in client.messages:
            pytest.fail("nothing was subscribed")


@pytest.mark.servers
async def test_a_cut_connection_leaves_the_last_will(broker: servers.Broker) -> None:
    async with observer(broker) as seen:
        client = Link("huarui", "gw1", broker.host, broker.port).client(1)
        with pytest.raises(aiomqtt.MqttError):
            await cut(client)
        await seen.until(lambda: seen.statuses() == [False])


@pytest.mark.servers
async def test_readings_taken_without_a_broker_arrive_when_it_is_back(broker: servers.Broker) -> None:
    gateway = GatewayPublisher(Link("huarui", "gw1", broker.host, broker.port), StoppedClock())
    async with running(gateway):
        gateway.put(0, {"X": 0.0})
        await until(lambda: gateway.connected and not gateway.store.waiting)
        broker.stop()
        await until(lambda: not gateway.connected)
        for number in range(1, 120):
            gateway.put(number, {"X": float(number)})
        broker.start()
        async with observer(broker) as seen:
            gateway.put(120, {"X": 120.0})
            await until(lambda: gateway.connected and not gateway.store.waiting)
            broker.restart()
        async with observer(broker, "anshao/v1/+/+/data") as seen:
            await seen.until(lambda: {r["ts"] for r in seen.readings()} == set(range(121)))
            ids = [r["id"] for r in seen.readings()]
            assert len(set(ids)) == 121
            await seen.client.publish("anshao/v1/huarui/gw1/receipt", json.dumps({"ids": ids}), qos=1)
            await until(lambda: len(gateway.store) == 0)


@pytest.fixture
def secured(broker: servers.Broker, tmp_path: Path) -> Iterator[servers.Broker]:
    """A broker that knows one gateway, huarui.gw1, with the password ``right``."""
    del broker  # Mosquitto is there, or the test has been skipped by now
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(passwords), "huarui.gw1", "right"], check=True)
    with servers.mosquitto(allow_anonymous=False, password_file=str(passwords)) as server:
        yield server


@pytest.mark.servers
async def test_the_credential_is_that_of_the_gateway(secured: servers.Broker) -> None:
    rows = [(1, {"X": 1.0})]
    link = Link("huarui", "gw1", secured.host, secured.port, "5", "right")
    assert await replay(rows, link) == 1
    wrong = Link("huarui", "gw1", secured.host, secured.port, "5", "wrong")
    with pytest.raises(LinkLost, match=r"(?i)not authori[sz]ed"):
        await replay(rows, wrong, give_up=0.0)


@pytest.mark.servers
async def test_the_demo_publishes_every_gateway_each_second(broker: servers.Broker) -> None:
    stop = asyncio.Event()
    async with observer(broker) as seen:
        task = asyncio.create_task(run_demo(broker.host, broker.port, stop))
        await seen.until(lambda: len(seen.readings()) >= 12)
        stop.set()
        await task
        await seen.until(lambda: seen.statuses().count(False) == 6)
    topics = {topic for topic, _ in seen.messages if topic.endswith("/data")}
    assert topics == {f"anshao/v1/{e}/{g}/data" for e, g in Demo().gateways}
    assert {tag for r in seen.readings() for tag in r["values"]} == {p.tag for _, p in Demo().points}


async def test_the_demo_ends_without_a_broker_too() -> None:
    stop = asyncio.Event()
    task = asyncio.create_task(run_demo(servers.HOST, servers.free_port(), stop))
    await asyncio.sleep(0)
    stop.set()
    async with asyncio.timeout(20):
        await task


@pytest.mark.servers
@pytest.mark.parametrize("version", ["3.1.1", "5"])
@pytest.mark.parametrize("speed", [None, 1e6])
async def test_a_replay_publishes_every_row_in_order(
    broker: servers.Broker, version: Version, speed: float | None
) -> None:
    rows = [(1000 * n, {"A": float(n), "B": None}) for n in range(3000)]
    safe: list[int] = []
    async with observer(broker, "anshao/v1/tep/gw1/+") as seen:
        link = Link("tep", "gw1", broker.host, broker.port, version)
        assert await replay(rows, link, speed=speed, progress=safe.append) == 3000
        await seen.until(lambda: len(seen.readings()) == 3000)
        assert [r["ts"] for r in seen.readings()] == [ts for ts, _ in rows]
        assert sum(safe) == 3000
        await seen.until(lambda: seen.statuses() == [True, False])
        if speed is None:
            assert len(seen.messages) < 3000 / 10


@pytest.mark.servers
async def test_a_replay_keeps_the_pace_of_the_recording(broker: servers.Broker) -> None:
    rows = [(1000 * n, {"A": float(n)}) for n in range(5)]
    loop = asyncio.get_running_loop()
    begin = loop.time()
    assert await replay(rows, Link("tep", "gw1", broker.host, broker.port), speed=40.0) == 5
    assert loop.time() - begin >= 0.1


@pytest.mark.servers
async def test_a_replay_waits_for_receipts_when_asked(broker: servers.Broker) -> None:
    rows = [(n, {"A": float(n)}) for n in range(200)]
    async with observer(broker, "anshao/v1/tep/gw1/data") as seen:
        link = Link("tep", "gw1", broker.host, broker.port)
        task = asyncio.create_task(replay(rows, link, receipts=True))
        await seen.until(lambda: len(seen.readings()) == 200)
        assert not task.done()
        ids = [r["id"] for r in seen.readings()]
        await seen.client.publish("anshao/v1/tep/gw1/receipt", json.dumps({"ids": ids}), qos=1)
        async with asyncio.timeout(20):
            assert await task == 200


@pytest.mark.servers
async def test_a_replay_survives_a_restart_of_the_broker(broker: servers.Broker) -> None:
    rows = [(n, {"A": float(n)}) for n in range(20_000)]
    safe: list[int] = []

    def progress(count: int) -> None:
        if not safe:
            broker.restart()
        safe.append(count)

    link = Link("tep", "gw1", broker.host, broker.port)
    assert await replay(rows, link, progress=progress) == 20_000
    assert sum(safe) == 20_000


async def test_a_replay_without_a_broker_gives_up_with_a_reason() -> None:
    link = Link("tep", "gw1", servers.HOST, servers.free_port())
    with pytest.raises(LinkLost, match="no connection to"):
        await replay([(1, {"A": 1.0})], link, give_up=0.1)


async def test_an_error_in_the_rows_is_the_caller_s() -> None:
    def broken() -> Any:
        yield 1, {"A": 1.0}
        raise ValueError("row 2 is broken")

    with pytest.raises(ValueError, match="row 2"):
        await replay(broken(), Link("tep", "gw1", servers.HOST, servers.free_port()))


async def test_a_replay_has_no_speed_of_zero() -> None:
    with pytest.raises(ValueError, match="speed"):
        await replay([], Link("tep", "gw1", servers.HOST), speed=0.0)


@pytest.mark.parametrize("payload", [b"", b"[]", b'{"ids": 5}', b'{"refused": [{}]}', b"\xff"])
def test_what_is_no_receipt_is_refused(payload: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        receipt(payload)
