"""Desks over HTTP, where no server is needed: the header that names a desk, and pages of the screen."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.api_service import HEADERS, Client, FakeService, api, sqlite_ledger

ACT = {"name": "王芳"}


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[tuple[FakeService, Client]]:
    async with sqlite_ledger(tmp_path) as (ledger, _):
        service = FakeService(ledger.engine)
        async with api(service) as client:
            yield service, client


async def test_only_an_act_that_is_done_is_input_at_its_desk(served: tuple[FakeService, Client]) -> None:
    service, client = served
    inputs = service.duty_room.attendance._inputs
    named = HEADERS | {"AnShao-Desk": "370783"}
    await client.get("/api/v1/desks", headers=named)
    assert inputs == {}, "looking is no input"
    answer = await client.post("/api/v1/handovers/77/sign", headers=named, json=ACT)
    assert answer.status == 404
    assert inputs == {}, "what was refused is none either"
    answer = await client.post("/api/v1/desks/370700/handovers", headers=named, json=ACT)
    assert answer.status == 200
    assert set(inputs) == {"370783"}
    answer = await client.post("/api/v1/desks/370700/presence", headers=HEADERS, json={})
    assert answer.status == 200
    assert set(inputs) == {"370783", "370700"}


async def test_a_desk_that_is_not_known_is_refused_before_the_act(served: tuple[FakeService, Client]) -> None:
    service, client = served
    named = {"AnShao-Desk": "nowhere"}
    path = "/api/v1/desks/370783/handovers"
    assert (await client.post(path, headers=named, json=ACT)).status == 401
    answer = await client.post(path, headers=HEADERS | named, json=ACT)
    assert answer.status == 400
    assert "AnShao-Desk" in (await answer.json())["detail"]
    assert service.duty_room.handovers.unsigned("370783") == []
    for path in ("/api/v1/desks/nowhere/presence", "/api/v1/desks/nowhere/handovers"):
        assert (await client.post(path, headers=HEADERS, json=ACT)).status == 404
    assert (await client.get("/api/v1/watch?desk=nowhere", headers=HEADERS)).status == 404


async def test_an_empty_screen(served: tuple[FakeService, Client]) -> None:
    _, client = served
    answer = await client.get("/api/v1/watch?desk=370783", headers=HEADERS)
    screen = await answer.json()
    assert screen["counts"]["active"] == 0
    assert screen["grouped"] is False
    page = await client.get("/api/v1/watch/alarms?desk=370783&group=standing", headers=HEADERS)
    assert await page.json() == {"items": [], "next": None, "total": 0}
    gone = await client.get("/api/v1/watch/alarms?desk=370783&group=process:a/b", headers=HEADERS)
    assert gone.status == 404
