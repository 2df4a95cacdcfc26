"""Who may connect to the WebSocket."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import WSServerHandshakeError

from service.api.live import LiveHub
from tests.api_service import HEADERS, TOKEN, FakeService, api, sqlite_ledger

PATH = "/api/v1/live"
PROTOCOLS = ("anshao.live.v1", f"bearer.{TOKEN}")


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[FakeService]:
    async with sqlite_ledger(tmp_path) as (ledger, _):
        yield FakeService(ledger.engine)


@pytest.mark.parametrize(
    ("headers", "protocols", "status"),
    [
        ({}, (), 401),
        ({"Authorization": "Bearer wrong"}, (), 401),
        ({"Authorization": "Bearer wrong"}, PROTOCOLS, 401),
        ({}, ("anshao.live.v1",), 401),
        ({}, ("anshao.live.v1", "bearer.wrong"), 401),
        ({}, (f"bearer.{TOKEN}",), 400),
        ({}, ("chat",), 400),
        (HEADERS | {"Origin": "http://evil.example"}, (), 403),
        (HEADERS | {"Origin": "null"}, (), 403),
        (HEADERS | {"Origin": "http://[bad"}, (), 403),
        (HEADERS | {"Origin": "file://127.0.0.1"}, (), 403),
    ],
)
async def test_who_may_not_connect(
    service: FakeService,
    headers: dict[str, str],
    protocols: tuple[str, ...],
    status: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    hub = LiveHub(service)
    async with api(service, hub) as client:
        with pytest.raises(WSServerHandshakeError) as refused:
            await client.ws_connect(PATH, headers=headers, protocols=protocols)
    assert refused.value.status == status
    assert hub.clients == 0
    assert TOKEN not in caplog.text


async def test_a_page_of_the_same_origin_may_connect(service: FakeService) -> None:
    async with api(service) as client:
        origin = str(client.make_url("/")).rstrip("/")
        async with client.ws_connect(PATH, headers={"Origin": origin}, protocols=PROTOCOLS) as socket:
            assert (await socket.receive_json())["type"] == "hello"
        async with client.ws_connect(PATH, headers=HEADERS) as socket:
            assert (await socket.receive_json())["type"] == "hello"


async def test_a_plain_request_is_told_to_upgrade(service: FakeService) -> None:
    async with api(service) as client:
        answer = await client.get(PATH, headers=HEADERS)
        assert answer.status == 426
        assert (await answer.json())["detail"].startswith("this is a WebSocket")
