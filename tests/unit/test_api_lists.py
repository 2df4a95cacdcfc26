"""Lists of the API: every page's rows are documents of the models, and all pages together are all rows, once."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from alerting.ledger import journal_queries, queries
from alerting.ledger.journal_queries import Entries, JournalFilter
from alerting.ledger.ledger import Ledger
from alerting.ledger.queries import AlarmFilter, IncidentFilter, Page
from alerting.records import Alarm, Entry, Incident
from domain.clock import iso
from domain.scales import AlarmState, Grade
from service.api import incidents_models, models, watched_models
from tests.api_service import HEADERS, KINDS, NOW, STATES, Client, FakeService, api, make_site, sqlite_ledger

ALARMS = 400


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[FakeService]:
    async with sqlite_ledger(tmp_path, ALARMS) as (ledger, journal):
        service = FakeService(ledger.engine)
        service.committed = journal.sequence
        yield service


@pytest.fixture
async def client(service: FakeService) -> AsyncIterator[Client]:
    async with api(service) as client:
        client.session.headers.update(HEADERS)
        yield client


async def walk(client: Client, path: str, **query: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        parameters = query if after is None else query | {"after": after}
        answer = await client.get(path, params=parameters)
        assert answer.status == 200, (await answer.text())[:1000]
        page = await answer.json()
        assert len(page["items"]) <= int(query.get("limit", 100))
        items += page["items"]
        after = page["next"]
        if after is None:
            return items


LISTS: dict[str, type[BaseModel]] = {
    "alarms": models.Alarm,
    "incidents": incidents_models.Incident,
    "journal": models.Entry,
    "quarantine": models.Refused,
    "tags": watched_models.Tag,
}


@pytest.mark.parametrize("name", LISTS)
async def test_every_item_is_a_document_of_its_model(client: Client, name: str) -> None:
    items = await walk(client, f"/api/v1/{name}", limit=7)
    assert len(items) > 7
    for item in items:
        LISTS[name].model_validate(item)


async def test_pages_join_without_gap_or_repetition(client: Client) -> None:
    items = await walk(client, "/api/v1/alarms", limit=33)
    assert [item["id"] for item in items] == list(range(ALARMS, 0, -1))


async def test_alarms_by_every_filter(client: Client) -> None:
    everything = await walk(client, "/api/v1/alarms", limit=1000)
    cases: list[tuple[dict[str, Any], Callable[[dict[str, Any]], bool]]] = [
        ({"state": "acknowledged"}, lambda alarm: alarm["state"] == "acknowledged"),
        ({"grade": "red"}, lambda alarm: alarm["grade"] == "red"),
        ({"enterprise": "huarui"}, lambda alarm: alarm["enterprise"] == "huarui"),
        ({"unit": "fan"}, lambda alarm: alarm["unit"] == "fan"),
        ({"tag": "GT-101"}, lambda alarm: alarm["tag"] == "GT-101"),
        ({"incident": 3}, lambda alarm: alarm["incident"] == 3),
        ({"region": "370783"}, lambda alarm: alarm["region"] == "370783"),
        ({"region": "370000"}, lambda alarm: alarm["region"] == "370783"),
        ({"region": "999999"}, lambda _: False),
        ({"active": "true"}, lambda alarm: alarm["state"] != "normal"),
        ({"active": "false"}, lambda alarm: alarm["state"] == "normal"),
        ({"since": iso(NOW + 100_200)}, lambda alarm: alarm["received_at"] >= iso(NOW + 100_200)),
        (
            {"active": "true", "enterprise": "heishan", "grade": "blue"},
            lambda alarm: alarm["state"] != "normal" and alarm["enterprise"] == "heishan" and alarm["grade"] == "blue",
        ),
    ]
    for query, wanted in cases:
        found = await walk(client, "/api/v1/alarms", limit=50, **query)
        assert found == [alarm for alarm in everything if wanted(alarm)], query


async def test_one_alarm_comes_with_its_history(client: Client) -> None:
    document = await (await client.get("/api/v1/alarms/17")).json()
    models.AlarmDetail.model_validate(document)
    assert [entry["alarm"] for entry in document["history"]] == [17]
    assert document["history"][0]["at"] == iso(NOW + 17 * 500)
    assert len(document["history"][0]["hash"]) == 64


async def test_one_incident_comes_with_members_and_history(client: Client) -> None:
    document = await (await client.get("/api/v1/incidents/5")).json()
    incidents_models.IncidentDetail.model_validate(document)
    members = [alarm["id"] for alarm in document["alarms"]]
    assert members == [identity for identity in range(ALARMS, 0, -1) if identity % 7 + 1 == 5]
    assert [entry["sequence"] for entry in document["history"]] == members[::-1]


async def test_enterprises_name_the_gravest_open_incident_of_each_unit(client: Client) -> None:
    document = await (await client.get("/api/v1/enterprises")).json()
    watched_models.EnterpriseList.model_validate(document)
    huarui, heishan = document["items"]
    assert (huarui["name"], huarui["region_name"], huarui["gateways"]) == ("华瑞化工储运", "寿光市", 1)
    # Incidents 4 and 8 stand open in the tank farm, both blue; 1, 5 and 9 in `gateways`, of which 9 is closed.
    assert huarui["units"][0] == {
        "id": "tankfarm",
        "name": "原料罐区",
        "hazard_level": 2,
        "tags": 3,
        "tags_without_limits": 1,
        "neighbours": [],
        "cards": [],
        "modes": [],
        "rules": [],
        "grade": "blue",
        "incident": 8,
    }
    assert heishan["units"][1] == {
        "id": "fan",
        "name": "主扇",
        "hazard_level": None,
        "tags": 40,
        "tags_without_limits": 20,
        "neighbours": [],
        "cards": [],
        "modes": [],
        "rules": [],
        "grade": "red",
        "incident": 7,
    }


async def test_quarantine_says_what_to_do(client: Client) -> None:
    items = await walk(client, "/api/v1/quarantine", enterprise="huarui", gateway="gw1")
    assert items
    assert all((item["enterprise"], item["gateway"]) == ("huarui", "gw1") for item in items)
    everything = await walk(client, "/api/v1/quarantine")
    assert len(everything) == 30
    assert all(item["remedy"] for item in everything)
    reason = everything[0]["reason"]
    of_reason = await walk(client, "/api/v1/quarantine", reason=reason)
    assert of_reason == [item for item in everything if item["reason"] == reason]
    assert max(len(item["payload"]) for item in everything) == 4096


async def test_journal_by_kind_and_alarm(client: Client) -> None:
    items = await walk(client, "/api/v1/journal", kind="alarm.returned", limit=20)
    assert items
    assert {item["kind"] for item in items} == {"alarm.returned"}
    assert [item["sequence"] for item in await walk(client, "/api/v1/journal", alarm=9)] == [9]
    recent = await walk(client, "/api/v1/journal", since=iso(NOW + 300 * 500))
    assert [item["sequence"] for item in recent] == list(range(ALARMS, 299, -1))


async def test_gateways_and_health_are_passed_on(client: Client, service: FakeService) -> None:
    assert await (await client.get("/api/v1/gateways")).json() == {"items": service.gateways()}
    assert await (await client.get("/api/v1/health")).json() == service.health()
    models.Health.model_validate(service.health())


# ---- exactness of paging, whatever the filter


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def filled(runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    opened = sqlite_ledger(tmp_path_factory.mktemp("ledger"), ALARMS)
    ledger, _ = runner.run(opened.__aenter__())
    # The connection brings a thread, which is to be there before the watch over the first test looks.
    runner.run(queries.open_incidents(ledger.engine))
    yield ledger
    runner.run(opened.__aexit__(None, None, None))


def some(values: Any) -> st.SearchStrategy[Any]:
    return st.none() | st.sampled_from(values)


instants = st.none() | st.integers(NOW - 1000, NOW + ALARMS * 1000)
alarm_filters = st.builds(
    AlarmFilter,
    state=some(STATES),
    active=some([True, False]),
    grade=some(list(Grade)),
    regions=some([set(), {"370783"}, {"370783", "140000"}]),
    enterprise=some(["huarui", "heishan", "nobody"]),
    unit=some(["tankfarm", "fan"]),
    tag=some(["GT-101", "T-001"]),
    incident=some([1, 2, 99]),
    since=instants,
)
incident_filters = st.builds(
    IncidentFilter,
    is_open=some([True, False]),
    grade=some(list(Grade)),
    regions=some([set(), {"140000"}]),
    enterprise=some(["huarui", "heishan"]),
    unit=some(["tankfarm", "fan"]),
)
journal_filters = st.builds(
    JournalFilter,
    since=instants,
    kind=some(KINDS),
    enterprise=some(["huarui", "heishan"]),
    alarm=some([1, 5, 400, 401]),
    incident=some([1, 2]),
    until=instants,
)


def keeps_alarm(which: AlarmFilter, alarm: Alarm) -> bool:
    return all(
        (
            which.state in (None, alarm.state),
            which.active in (None, alarm.state is not AlarmState.NORMAL),
            which.grade in (None, alarm.grade),
            which.regions is None or alarm.region in which.regions,
            which.enterprise in (None, alarm.enterprise),
            which.unit in (None, alarm.unit),
            which.tag in (None, alarm.tag),
            which.incident in (None, alarm.incident),
            which.since is None or alarm.received_at >= which.since,
        )
    )


def keeps_incident(which: IncidentFilter, incident: Incident) -> bool:
    return all(
        (
            which.is_open in (None, incident.closed_at is None),
            which.grade in (None, incident.grade),
            which.regions is None or incident.region in which.regions,
            which.enterprise in (None, incident.enterprise),
            which.unit in (None, incident.unit),
        )
    )


def keeps_entry(which: JournalFilter, entry: Entry) -> bool:
    return all(
        (
            which.since is None or entry.at >= which.since,
            which.until is None or entry.at < which.until,
            which.kind in (None, entry.kind),
            which.enterprise in (None, entry.enterprise),
            which.alarm in (None, entry.alarm),
            which.incident in (None, entry.incident),
        )
    )


async def pages_of(fetch: Callable[[int | None], Any], key: Callable[[Any], int]) -> list[Any]:
    found: list[Any] = []
    after: int | None = None
    while True:
        page: Page[Any] = await fetch(after)
        found += page.items
        if not page.more:
            return found
        assert page.items
        after = key(page.items[-1])


@given(which=alarm_filters, limit=st.integers(1, 500))
@settings(max_examples=60)
def test_pages_of_alarms_are_all_rows_once(
    runner: asyncio.Runner, filled: Ledger, which: AlarmFilter, limit: int
) -> None:
    async def compare() -> None:
        everything = (await queries.alarms(filled.engine, AlarmFilter(), ALARMS)).items
        found = await pages_of(lambda after: queries.alarms(filled.engine, which, limit, after), lambda row: row.id)
        assert found == [alarm for alarm in everything if keeps_alarm(which, alarm)]

    runner.run(compare())


@given(which=incident_filters, limit=st.integers(1, 12))
@settings(max_examples=60)
def test_pages_of_incidents_are_all_rows_once(
    runner: asyncio.Runner, filled: Ledger, which: IncidentFilter, limit: int
) -> None:
    async def compare() -> None:
        everything = (await queries.incidents(filled.engine, IncidentFilter(), 100)).items
        found = await pages_of(lambda after: queries.incidents(filled.engine, which, limit, after), lambda row: row.id)
        assert found == [incident for incident in everything if keeps_incident(which, incident)]

    runner.run(compare())


@given(which=journal_filters, limit=st.integers(1, 500))
@settings(max_examples=60)
def test_pages_of_the_journal_are_all_rows_once(
    runner: asyncio.Runner, filled: Ledger, which: JournalFilter, limit: int
) -> None:
    async def compare() -> None:
        everything = (await journal_queries.entries(filled.engine, JournalFilter(), ALARMS)).items
        found: list[Entry] = []
        after: int | None = None
        while True:
            page: Entries = await journal_queries.entries(filled.engine, which, limit, after)
            assert len(page.items) <= limit
            found += page.items
            after = page.next
            if after is None:
                break
        assert found == [entry for entry in everything if keeps_entry(which, entry)]

    runner.run(compare())


def test_the_site_of_these_tests_is_sound() -> None:
    assert make_site().has_limits(0)
    assert not make_site().has_limits(2)
