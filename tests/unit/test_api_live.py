"""The WebSocket: in order, without gap or repetition, whenever a client comes, and whatever another one does."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import CollectorRegistry
from sqlalchemy.ext.asyncio import create_async_engine

from alerting.journal.journal import Journal
from alerting.ledger.ledger import Ledger
from alerting.records import Change
from domain.clock import iso
from service.api import create_app, live, live_client, live_messages
from service.api.live import LiveHub
from tests.api_service import (
    HEADERS,
    NOW,
    TOKEN,
    Client,
    FakeService,
    api,
    append,
    make_alarm,
    make_incident,
    make_site,
    sqlite_ledger,
)

PATH = "/api/v1/live"
PROTOCOLS = ("anshao.live.v1", f"bearer.{TOKEN}")
SITE = make_site()
DEADLINE = 10.0


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    async with sqlite_ledger(tmp_path) as (ledger, _):
        yield ledger


@pytest.fixture
async def service(ledger: Ledger) -> FakeService:
    return FakeService(ledger.engine)


class Source:
    """Commits entries and publishes them, as the service does."""

    def __init__(self, ledger: Ledger, service: FakeService, *, ring: int = 100, replay: int = 100) -> None:
        self.ledger, self.service, self.journal = ledger, service, Journal()
        self.limits = (ring, replay)
        self.hub = LiveHub(service, ring=ring, replay=replay)

    async def commit(self, count: int = 1, *, publish: bool = True) -> None:
        change, told = Change(), []
        for _ in range(count):
            alarm = make_alarm(self.journal.sequence + 1, SITE, incident=1)
            entry = append(self.journal, alarm)
            incident = make_incident(1, SITE, sequence=entry.sequence)
            change.entries.append(entry)
            change.alarms[alarm.id] = alarm
            change.incidents[1] = incident
            told.append((entry, alarm, incident))
        await self.ledger.commit(change)
        self.service.committed = self.journal.sequence
        if publish:
            self.hub.publish(told)

    def restart(self) -> None:
        self.hub = LiveHub(self.service, ring=self.limits[0], replay=self.limits[1])


@asynccontextmanager
async def connect(client: Client, since: int | None = None) -> AsyncIterator[ClientWebSocketResponse]:
    address = PATH if since is None else f"{PATH}?since={since}"
    async with client.ws_connect(address, protocols=PROTOCOLS) as socket:
        yield socket


async def hello(socket: ClientWebSocketResponse) -> tuple[int, bool]:
    message = await socket.receive_json(timeout=DEADLINE)
    live_messages.LiveHello.model_validate(message)
    live_messages.LiveHealth.model_validate(await socket.receive_json(timeout=DEADLINE))
    return message["sequence"], message["resumed"]


async def entries(socket: ClientWebSocketResponse, count: int) -> list[int]:
    numbers: list[int] = []
    while len(numbers) < count:
        message = await socket.receive_json(timeout=DEADLINE)
        if message["type"] == "entry":
            live_messages.LiveEntry.model_validate(message)
            numbers.append(message["sequence"])
    return numbers


async def closing_code(socket: ClientWebSocketResponse) -> int | None:
    while True:
        message = await socket.receive(timeout=DEADLINE)
        if message.type in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.CLOSING, WSMsgType.ERROR):
            return socket.close_code


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE):
        while not condition():
            await asyncio.sleep(0.005)


# ---- entries


async def test_entries_come_with_alarm_and_incident(ledger: Ledger, service: FakeService) -> None:
    source = Source(ledger, service)
    async with api(service, source.hub) as client, connect(client) as socket:
        assert socket.protocol == "anshao.live.v1"
        assert await hello(socket) == (0, False)
        await source.commit()
        message = await socket.receive_json(timeout=DEADLINE)
        live_messages.LiveEntry.model_validate(message)
        assert (message["sequence"], message["entry"]["sequence"], message["alarm"]["id"]) == (1, 1, 1)
        assert message["incident"]["sequence"] == 1
        assert message["entry"]["at"] == iso(NOW + 500)
        assert message["entry"]["hash"] == source.journal._hash.hex()


async def test_who_has_seen_all_is_resumed_with_nothing(ledger: Ledger, service: FakeService) -> None:
    source = Source(ledger, service)
    await source.commit(5)
    async with api(service, source.hub) as client, connect(client, 5) as socket:
        assert await hello(socket) == (5, True)
        await source.commit(2)
        assert await entries(socket, 2) == [6, 7]


async def test_what_was_missed_comes_from_the_ring(ledger: Ledger, service: FakeService) -> None:
    source = Source(ledger, service)
    await source.commit(30)
    async with api(service, source.hub) as client, connect(client, 12) as socket:
        assert await hello(socket) == (30, True)
        assert await entries(socket, 18) == list(range(13, 31))


async def test_what_the_ring_no_longer_holds_comes_from_the_ledger(ledger: Ledger, service: FakeService) -> None:
    source = Source(ledger, service, ring=10, replay=50)
    await source.commit(60)
    async with api(service, source.hub) as client:
        async with connect(client, 0) as socket:
            assert await hello(socket) == (60, True)
            assert await entries(socket, 60) == list(range(1, 61))
        await source.commit()
        async with connect(client, 0) as socket:  # 51 entries older than the ring
            assert await hello(socket) == (61, False)
            await source.commit()
            assert await entries(socket, 1) == [62]


async def test_after_a_restart_of_the_service_everything_comes_from_the_ledger(
    ledger: Ledger, service: FakeService
) -> None:
    source = Source(ledger, service)
    await source.commit(20)
    source.restart()
    async with api(service, source.hub) as client, connect(client, 3) as socket:
        assert await hello(socket) == (20, True)
        await source.commit()
        assert await entries(socket, 18) == list(range(4, 22))


async def test_who_has_seen_more_than_there_is_has_to_begin_anew(ledger: Ledger, service: FakeService) -> None:
    source = Source(ledger, service)
    await source.commit(3)
    async with api(service, source.hub) as client, connect(client, 900) as socket:
        assert await hello(socket) == (3, False)


async def test_entries_that_nobody_published_are_not_missed(ledger: Ledger, service: FakeService) -> None:
    source = Source(ledger, service)
    await source.commit(3)
    await source.commit(4, publish=False)
    await source.commit(2)
    async with api(service, source.hub) as client, connect(client, 1) as socket:
        assert await hello(socket) == (9, True)
        assert await entries(socket, 8) == list(range(2, 10))


@pytest.mark.parametrize("seed", range(8))
async def test_no_gap_and_no_repetition_whenever_clients_come_and_go(
    ledger: Ledger, service: FakeService, seed: int
) -> None:
    random = Random(seed)
    source = Source(ledger, service, ring=random.choice([3, 20, 200]), replay=random.choice([500, 100_000]))
    last = 150

    async def publish() -> None:
        while source.journal.sequence < last:
            await source.commit(min(random.choice([1, 1, 2, 15]), last - source.journal.sequence))
            await asyncio.sleep(random.choice([0, 0, 0.002]))

    async def listen(client: Client) -> None:
        seen = 0
        while seen < last:
            async with connect(client, seen) as socket:
                sequence, resumed = await hello(socket)
                assert resumed
                assert sequence >= seen
                stay = random.randint(1, 60)
                for _ in range(stay):
                    message = await socket.receive(timeout=DEADLINE)
                    if message.type is not WSMsgType.TEXT:
                        assert socket.close_code == 4008  # more was published at once than the ring holds
                        break
                    document = message.json()
                    assert document["sequence"] == document["entry"]["sequence"] == seen + 1
                    seen += 1
                    if seen == last:
                        break

    async with api(service, source.hub) as client, asyncio.TaskGroup() as group:
        group.create_task(publish())
        for _ in range(4):
            group.create_task(listen(client))


async def test_a_ledger_that_is_away_ends_a_replay(ledger: Ledger, service: FakeService) -> None:
    source = Source(ledger, service)
    await source.commit(5)
    source.restart()
    service.ledger = create_async_engine("postgresql+asyncpg://anshao@127.0.0.1:1/anshao")
    async with api(service, source.hub) as client, connect(client, 0) as socket:
        assert await hello(socket) == (5, True)
        assert await closing_code(socket) == 1013


# ---- health and readings


async def test_health_goes_to_everybody(service: FakeService) -> None:
    hub = LiveHub(service)
    async with api(service, hub) as client, connect(client) as first, connect(client) as second:
        await hello(first)
        await hello(second)
        hub.publish_health(service.health() | {"status": "down"})
        for socket in (first, second):
            message = await socket.receive_json(timeout=DEADLINE)
            live_messages.LiveHealth.model_validate(message)
            assert message["status"] == "down"


@pytest.fixture
async def running(service: FakeService, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LiveHub]:
    monkeypatch.setattr(live, "READINGS_SECONDS", 0.02)
    hub = LiveHub(service)
    task = asyncio.create_task(hub.run())
    yield hub
    task.cancel()
    await asyncio.wait([task])


async def test_subscribed_readings_come_when_they_change(service: FakeService, running: LiveHub) -> None:
    service.read(0, NOW, 7.5)
    async with api(service, running) as client, connect(client) as socket:
        await hello(socket)
        await socket.send_json({"subscribe": ["huarui/GT-101", "huarui/GT-102", "huarui/GT-101", "nobody/X"]})
        message = await socket.receive_json(timeout=DEADLINE)
        live_messages.LiveReadings.model_validate(message)
        assert message["items"] == [{"enterprise": "huarui", "tag": "GT-101", "v": 7.5, "q": 192, "t": iso(NOW)}]
        service.read(1, NOW, float("nan"), quality=0)
        service.read(2, NOW, 1.0)
        message = await socket.receive_json(timeout=DEADLINE)
        assert message["items"] == [{"enterprise": "huarui", "tag": "GT-102", "v": None, "q": 0, "t": iso(NOW)}]
        await socket.send_json({"subscribe": ["huarui/TI-201"]})
        assert (await socket.receive_json(timeout=DEADLINE))["items"][0]["tag"] == "TI-201"
        await socket.send_json({"subscribe": []})
        await socket.send_json({"subscribe": []})
        service.read(2, NOW + 1, 2.0)
        await asyncio.sleep(0)
        running.publish_health(service.health())
        assert (await socket.receive_json(timeout=DEADLINE))["type"] in ("health", "readings")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "5",
        '{"subscribe": "huarui/GT-101"}',
        '{"subscribe": [5]}',
        '{"unsubscribe": []}',
        '{"subscribe": [], "x": 1}',
        '{"subscribe": ["' + "x" * 401 + '"]}',
        '{"subscribe": [' + ",".join(['"a/b"'] * 2001) + "]}",
        "[" * 10_000,
    ],
)
async def test_a_message_that_cannot_be_read_ends_the_connection(service: FakeService, text: str) -> None:
    async with api(service) as client, connect(client) as socket:
        await hello(socket)
        await socket.send_str(text)
        assert await closing_code(socket) == 1007


async def test_bytes_that_are_no_subscription_end_the_connection(service: FakeService) -> None:
    async with api(service) as client:
        async with connect(client) as socket:
            await hello(socket)
            await socket.send_bytes(b"\xff\xfe")
            assert await closing_code(socket) == 1007
        async with connect(client) as socket:
            await hello(socket)
            await socket.send_bytes(b"x" * 2_000_000)
            assert await closing_code(socket) == 1009


# ---- comings and goings


async def test_who_goes_is_forgotten(service: FakeService) -> None:
    hub = LiveHub(service)
    async with api(service, hub) as client:
        async with connect(client) as socket:
            await hello(socket)
            assert hub.clients == 1
        await until(lambda: hub.clients == 0)


async def test_a_stop_of_the_service_says_goodbye(service: FakeService) -> None:
    hub = LiveHub(service)
    server = TestServer(create_app(service, hub, CollectorRegistry()))
    async with api(service) as client:
        await server.start_server()
        address = server.make_url(PATH)
        async with client.session.ws_connect(address, headers=HEADERS) as socket:
            await hello(socket)
            stopping = asyncio.create_task(server.close())
            assert await closing_code(socket) == 1001
            await stopping
        assert hub.is_closing


async def test_a_client_that_takes_nothing_is_cut_and_disturbs_nobody(
    ledger: Ledger, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_client, "SEND_PATIENCE", 0.3)
    monkeypatch.setattr(live_client, "LEAVE_PATIENCE", 0.05)
    source = Source(ledger, service, ring=20_000)
    async with api(service, source.hub) as client, connect(client) as good:
        await hello(good)
        reader, writer = await connect_and_read_nothing(client)
        try:
            await until(lambda: source.hub.clients == 2)
            total = 0
            while source.hub.clients == 2:
                await source.commit(500)
                total += 500
                assert await entries(good, 500) == list(range(total - 499, total + 1))
                assert total < 20_000
            assert source.hub.clients == 1
            await source.commit()
            assert await entries(good, 1) == [total + 1]
        finally:
            writer.close()
            reader.feed_eof()


async def test_a_client_that_takes_nothing_does_not_hold_up_a_stop(ledger: Ledger, service: FakeService) -> None:
    source = Source(ledger, service, ring=20_000)
    server = TestServer(create_app(service, source.hub, CollectorRegistry()))
    await server.start_server()
    async with TestClient(server) as client:
        reader, writer = await connect_and_read_nothing(client)
        await until(lambda: source.hub.clients == 1)
        await source.commit(10_000)
        await asyncio.sleep(0.05)
        async with asyncio.timeout(4 * live_client.LEAVE_PATIENCE):
            await source.hub.close()
        await until(lambda: source.hub.clients == 0)
        writer.close()
        reader.feed_eof()


async def connect_and_read_nothing(client: Client) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    url = client.make_url("/")
    assert url.host is not None
    reader, writer = await asyncio.open_connection(url.host, url.port, limit=1024)
    writer.write(
        f"GET {PATH} HTTP/1.1\r\nHost: {url.host}:{url.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        f"Authorization: Bearer {TOKEN}\r\n\r\n".encode()
    )
    await writer.drain()
    await reader.readuntil(b"\r\n\r\n")
    return reader, writer
