"""Searching: what has the text in its name, or its number; the gravest of what stands open first."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from service.api.search_models import SearchResult
from tests.api_service import HEADERS, Client, FakeService, api, sqlite_ledger


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with sqlite_ledger(tmp_path, 400) as (ledger, _), api(FakeService(ledger.engine)) as client:
        client.session.headers.update(HEADERS)
        yield client


async def found(client: Client, **query: Any) -> dict[str, Any]:
    async with client.get("/api/v1/search", params=query) as answer:
        assert answer.status == 200, await answer.text()
        document: dict[str, Any] = await answer.json()
    SearchResult.model_validate(document)
    return document


async def test_a_place_is_found_by_its_name_with_what_stands_open_there(client: Client) -> None:
    answer = await found(client, text="罐区", limit=3)
    assert [unit["unit"] for unit in answer["units"]["items"]] == ["tankfarm"]
    assert (answer["units"]["items"][0]["unit_name"], answer["units"]["items"][0]["incident"]) == ("原料罐区", 8)
    assert answer["enterprises"] == {"items": [], "more": False}
    incidents = answer["incidents"]["items"]
    assert incidents
    assert {incident["unit"] for incident in incidents} == {"tankfarm"}
    shut = [incident["closed_at"] is not None for incident in incidents]
    assert shut == sorted(shut)


async def test_tags_named_so_come_before_those_described_so(client: Client) -> None:
    assert [tag["tag"] for tag in (await found(client, text="gt-10"))["tags"]["items"]] == ["GT-101", "GT-102"]
    assert [tag["tag"] for tag in (await found(client, text="硫化氢"))["tags"]["items"]] == ["GT-101"]
    some = await found(client, text="T-0", limit=4)
    assert [tag["tag"] for tag in some["tags"]["items"]] == ["T-000", "T-001", "T-002", "T-003"]
    assert some["tags"]["more"]
    assert [tag["tag"] for tag in (await found(client, text="t-007"))["tags"]["items"]] == ["T-007"]


async def test_alarms_that_stand_in_come_first_by_grade(client: Client) -> None:
    order = ["red", "orange", "yellow", "blue"]
    answer = await found(client, text="GT-101", limit=50)
    alarms = answer["alarms"]["items"]
    assert len(alarms) == 50
    assert answer["alarms"]["more"]
    assert {alarm["tag"] for alarm in alarms} == {"GT-101"}
    standing = [alarm for alarm in alarms if alarm["state"] != "normal"]
    assert standing == alarms[: len(standing)]
    ranks = [order.index(alarm["grade"]) for alarm in standing]
    assert ranks == sorted(ranks)


async def test_a_number_is_that_alarm_and_that_incident(client: Client) -> None:
    answer = await found(client, text="7")
    assert answer["alarms"]["items"][0]["id"] == 7
    assert answer["incidents"]["items"][0]["id"] == 7
    huge = await found(client, text="9" * 40)
    assert huge["alarms"]["items"] == huge["incidents"]["items"] == []


async def test_it_keeps_to_a_region_and_an_enterprise(client: Client) -> None:
    assert (await found(client, text="黑山"))["enterprises"]["items"][0]["enterprise"] == "heishan"
    for limits in ({"region": "370000"}, {"enterprise": "huarui"}, {"region": "140000", "enterprise": "huarui"}):
        for text in ("黑山", "T-0", "主扇"):
            answer = await found(client, text=text, **limits)
            assert all(group["items"] == [] for group in answer.values()), (text, limits)
    assert (await found(client, text="7", region="999999"))["alarms"]["items"] == []


async def test_wildcards_stand_for_themselves(client: Client) -> None:
    for text in ("%", "_", "\\", "T-0__", "' or 1=1 --"):
        assert all(group["items"] == [] for group in (await found(client, text=text)).values()), text
    for wrong in ({}, {"text": "  "}, {"text": "x", "limit": "51"}, {"text": "a\x07"}):
        async with client.get("/api/v1/search", params=wrong) as answer:
            assert answer.status == 400
