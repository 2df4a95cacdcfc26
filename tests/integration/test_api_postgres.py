"""The API on PostgreSQL: the same answers as on SQLite, and what is told when the server is away."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import text
from yarl import URL

from alerting.ledger import journal_queries, queries, searching
from alerting.ledger.journal_queries import JournalFilter, SeenEntries
from alerting.ledger.ledger import Ledger
from alerting.ledger.queries import AlarmFilter
from alerting.ledger.searching import Sought
from service.api.table import ROUTES
from tests import servers
from tests.api_service import (
    HEADERS,
    KINDS,
    NOW,
    STATES,
    Client,
    FakeService,
    api,
    fill,
    make_site,
    sqlite_ledger,
)
from tests.conftest import missing
from tests.hostile_requests import HOSTILE, parameters_of

pytestmark = pytest.mark.servers

ALARMS = 300
VALUES: dict[str, list[str]] = {
    "state": [state.value for state in STATES],
    "grade": ["blue", "yellow", "orange", "red"],
    "region": ["370000", "370783", "140000", "0"],
    "enterprise": ["huarui", "heishan", "nobody"],
    "unit": ["tankfarm", "fan"],
    "tag": ["GT-101", "T-001"],
    "incident": ["1", "3", "9223372036854775807"],
    "alarm": ["7", "9223372036854775807"],
    "since": ["2026-05-28T20:28:20Z", "2026-05-28T20:30:00Z"],
    "until": ["2026-05-28T20:28:20Z", "2026-05-28T20:30:00Z"],
    "groups": ["alarms", "acts", "incidents,messages"],
    "actor": ["ANSHAO", "王芳"],
    "text": ["罐区", "gt-10", "17", "%", "alarm"],
    "active": ["true", "false"],
    "drill": ["true", "false", "7"],
    "kind": list(KINDS),
    "gateway": ["gw1", "gw2"],
    "limit": ["1", "17", "1000"],
    "after": ["5", "150", "9223372036854775807"],
}
PAGE = ("limit", "after")
LISTS = {
    "alarms": [
        "state",
        "grade",
        "region",
        "enterprise",
        "unit",
        "tag",
        "incident",
        "since",
        "active",
        "limit",
        "after",
    ],
    "incidents": ["drill", "grade", "region", "enterprise", "unit", "limit", "after"],
    "journal": [
        *("since", "until", "kind", "groups", "region", "enterprise", "unit", "alarm", "incident", "actor", "text"),
        *("limit", "after"),
    ],
    "quarantine": ["enterprise", "gateway", "limit", "after"],
}


@pytest.fixture
async def postgres_client(postgres_url: str) -> AsyncIterator[Client]:
    ledger = Ledger(postgres_url)
    try:
        await ledger.start()
        await fill(ledger, make_site(), ALARMS)
        async with api(FakeService(ledger.engine)) as client:
            client.session.headers.update(HEADERS)
            yield client
    finally:
        await ledger.close()


@pytest.fixture
async def sqlite_client(tmp_path: Path) -> AsyncIterator[Client]:
    async with sqlite_ledger(tmp_path, ALARMS) as (ledger, _), api(FakeService(ledger.engine)) as client:
        client.session.headers.update(HEADERS)
        yield client


async def answer_of(client: Client, path: str, query: dict[str, str]) -> Any:
    async with client.get(f"/api/v1/{path}", params=query) as answer:
        assert answer.status == 200, (path, query, (await answer.text())[:1000])
        return await answer.json()


async def test_the_same_answers_as_on_sqlite(postgres_client: Client, sqlite_client: Client) -> None:
    assert NOW == 1_780_000_000_000  # the instants above lie among its alarms
    random = Random(1)
    rows = 0
    for name, fields in LISTS.items():
        for _ in range(40):
            picked = random.sample(fields, random.randint(0, 3))
            query = {field: random.choice(VALUES[field]) for field in picked}
            expected = await answer_of(sqlite_client, name, query)
            assert await answer_of(postgres_client, name, query) == expected, (name, query)
            rows += len(expected["items"])
    assert rows > 1000
    for path in ("alarms/17", "incidents/5", "enterprises", "tags"):
        assert await answer_of(postgres_client, path, {}) == await answer_of(sqlite_client, path, {})


async def test_all_pages_are_all_rows_once(postgres_client: Client) -> None:
    for name, key, count in (("alarms", "id", ALARMS), ("journal", "sequence", ALARMS), ("quarantine", "id", 30)):
        found: list[int] = []
        query = {"limit": "13"}
        while True:
            page = await answer_of(postgres_client, name, query)
            found += [item[key] for item in page["items"]]
            if page["next"] is None:
                break
            query["after"] = page["next"]
        assert found == list(range(count, 0, -1))


async def test_the_journal_s_tail_comes_whole(postgres_url: str) -> None:
    ledger = Ledger(postgres_url)
    try:
        await ledger.start()
        await fill(ledger, make_site(), 50)
        told = await queries.tail(ledger.engine, 10, 41, 20)
        assert [entry.sequence for entry, _, _ in told] == list(range(11, 31))
        assert [alarm and alarm.id for _, alarm, _ in told] == list(range(11, 31))
        assert all(incident is not None for _, _, incident in told)
    finally:
        await ledger.close()


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
async def test_hostile_values_are_refused_or_find_nothing(postgres_client: Client, value: str) -> None:
    for route in ROUTES:
        for target in parameters_of(route, value):
            address = URL(str(postgres_client.make_url("/")).rstrip("/") + target, encoded=True)
            async with postgres_client.session.request(route.method, address, allow_redirects=False) as answer:
                assert answer.status < 500, (target, await answer.text())


async def test_a_server_that_is_away_is_told_until_it_is_back() -> None:
    try:
        with servers.postgres() as server, server.database() as url:
            ledger = Ledger(url)
            try:
                await ledger.start()
                await fill(ledger, make_site(), 5)
                async with api(FakeService(ledger.engine)) as client:
                    client.session.headers.update(HEADERS)
                    assert await status(client) == 200
                    await asyncio.to_thread(server.stop)
                    assert await status(client) == 503
                    await asyncio.to_thread(server.start)
                    assert await until_back(client) == 200
            finally:
                await ledger.close()
    except servers.ServerMissing as error:
        missing(str(error))


async def test_a_server_that_does_not_answer_is_not_awaited_for_ever(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "PATIENCE", 0.5)
    ledger = Ledger(postgres_url)
    try:
        await ledger.start()
        await fill(ledger, make_site(), 5)
        async with api(FakeService(ledger.engine)) as client:
            client.session.headers.update(HEADERS)
            async with ledger.engine.begin() as blocker:
                await blocker.execute(text("LOCK TABLE alarm IN ACCESS EXCLUSIVE MODE"))
                assert await asyncio.gather(*(status(client) for _ in range(3))) == [503] * 3
            assert await status(client) == 200
    finally:
        await ledger.close()


async def status(client: Client) -> int:
    async with client.get("/api/v1/alarms") as answer:
        return answer.status


async def until_back(client: Client) -> int:
    """Status, once it is no 503; the pool may hold connections that broke."""
    async with asyncio.timeout(20):
        while (found := await status(client)) == 503:
            await asyncio.sleep(0.05)
    return found


async def test_more_enterprises_than_a_statement_has_parameters(postgres_url: str) -> None:
    ledger = Ledger(postgres_url)
    try:
        await ledger.start()
        await fill(ledger, make_site(), 60)
        seen = frozenset([*(f"e'{number:05}" for number in range(40_000)), "heishan"])
        alarms = await queries.alarms(ledger.engine, AlarmFilter(enterprises=seen), 100)
        assert {one.enterprise for one in alarms.items} == {"heishan"}
        which = JournalFilter(enterprises=seen, seen=SeenEntries(seen, frozenset()))
        found = await journal_queries.entries(ledger.engine, which, 100)
        assert {one.enterprise for one in found.items} == {"heishan"}
        sought = await searching.search(ledger.engine, Sought("T-0", within=seen), 20)
        assert {one.enterprise for one in sought.alarms} == {"heishan"}
    finally:
        await ledger.close()
