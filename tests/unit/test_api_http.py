"""Requests that fail, and how they are told: tokens, acts, faults of what stands behind, hostile input, headers."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy.ext.asyncio import create_async_engine
from structlog.testing import capture_logs

from alerting.ledger.ledger import LedgerUnavailable
from service.api import create_app, models, serve
from service.api.live import LiveHub
from service.api.table import ROUTES
from tests.api_service import HEADERS, TOKEN, Client, FakeService, api, away, sqlite_ledger
from tests.hostile_requests import KNOWN

SIGNED = {"name": "王芳", "comment": "Patrol sent"}


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[FakeService]:
    async with sqlite_ledger(tmp_path, 30) as (ledger, _):
        yield FakeService(ledger.engine)


@pytest.fixture
async def client(service: FakeService) -> AsyncIterator[Client]:
    async with api(service) as client:
        client.session.headers.update(HEADERS)
        yield client


async def problem(answer: Any, status: int) -> models.Problem:
    assert answer.status == status, (await answer.text())[:1000]
    assert answer.content_type == "application/problem+json"
    found = models.Problem.model_validate(await answer.json())
    assert found.status == status
    assert found.detail
    return found


# ---- tokens


@pytest.mark.parametrize("header", [None, "Bearer wrong", f"Basic {TOKEN}", "Bearer", f"Bearer {TOKEN}x", "Bearer é"])
async def test_without_a_known_token_nothing_is_told(service: FakeService, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    async with api(service) as client:
        for route in ROUTES:
            path = route.path.format(**KNOWN)
            answer = await client.request(route.method, path, headers=headers)
            if route.is_open:
                assert answer.status != 401
                continue
            assert "token" in (await problem(answer, 401)).detail
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert not service.acts


async def test_the_scheme_may_be_written_in_any_case(client: Client) -> None:
    assert (await client.get("/api/v1/gateways", headers={"Authorization": f"bearer {TOKEN}"})).status == 200


# ---- acts


@pytest.mark.parametrize(
    ("path", "act"),
    [("alarms/1/acknowledge", "acknowledge"), ("alarms/1/reset", "reset")],
)
async def test_an_act_carries_the_token_and_the_person(
    client: Client, service: FakeService, path: str, act: str
) -> None:
    answer = await client.post(f"/api/v1/{path}", json={"name": " 王芳 ", "comment": "Patrol sent\nto pump 1"})
    assert answer.status == 200
    document = await answer.json()
    models.Alarm.model_validate(document)
    assert service.acts == [(act, 1, "county duty desk", "王芳", "Patrol sent\nto pump 1")]
    assert document["acknowledged_by"] == "王芳"


@pytest.mark.parametrize("act", ["alarms/{}/acknowledge", "alarms/{}/reset"])
async def test_an_act_that_cannot_be_done_is_a_conflict(client: Client, act: str) -> None:
    assert "already" in (await problem(await client.post(f"/api/v1/{act.format(2)}", json=SIGNED), 409)).detail
    # 6 is in the ledger, and over: the register has it no more.
    assert "reload" in (await problem(await client.post(f"/api/v1/{act.format(6)}", json=SIGNED), 409)).detail
    assert "lists them" in (await problem(await client.post(f"/api/v1/{act.format(6000)}", json=SIGNED), 404)).detail


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "  "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"name": 5}, "name"),
        ({"name": "a", "comment": "x" * 2001}, "comment"),
        ({"name": "a", "comment": None}, "comment"),
        ({"name": "a", "comment": "a\x00"}, "comment"),
        ({"name": "a", "grade": "red"}, "grade"),
        ([], "body"),
        ("name", "body"),
        (5, "body"),
    ],
)
async def test_a_body_that_is_no_signature_is_refused(
    client: Client, service: FakeService, body: Any, field: str
) -> None:
    found = await problem(await client.post("/api/v1/alarms/1/acknowledge", json=body), 400)
    assert (found.errors[0].place, found.errors[0].field) == ("body", field)
    assert found.errors[0].remedy
    assert not service.acts


@pytest.mark.parametrize(
    "data", [b"", b"{", b'{"name": "\xff"}', b'{"name": "\\ud800"}', b"[" * 20_000, b"NaN", b"null", b'{"name": 1e999}']
)
async def test_a_body_that_is_no_json_is_refused(client: Client, service: FakeService, data: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    await problem(await client.post("/api/v1/alarms/1/acknowledge", data=data, headers=headers), 400)
    assert not service.acts


async def test_a_body_of_another_type_is_refused(client: Client) -> None:
    answer = await client.post(
        "/api/v1/alarms/1/acknowledge", data=json.dumps(SIGNED), headers={"Content-Type": "text/plain"}
    )
    assert "application/json" in (await problem(answer, 415)).detail


async def test_a_body_of_any_size_is_refused(client: Client) -> None:
    answer = await client.post("/api/v1/alarms/1/acknowledge", json={"name": "x" * 100_000})
    assert "65536 bytes" in (await problem(answer, 413)).detail


async def test_a_body_that_cannot_be_unpacked_is_refused(
    service: FakeService, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    server = await serve(create_app(service, LiveHub(service), CollectorRegistry()), "127.0.0.1", 0)
    headers = HEADERS | {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    try:
        with capture_logs() as logs:
            for path in ("alarms/1/acknowledge", "config/check"):
                answer = await client.session.post(f"{server.url}api/v1/{path}", data=b"no gzip", headers=headers)
                assert "Content-Encoding" in (await problem(answer, 400)).detail
            headers["Content-Encoding"] = "br"
            answer = await client.session.post(f"{server.url}api/v1/alarms/1/acknowledge", data=b"x", headers=headers)
            assert answer.status == 400  # by aiohttp's parser, before the application has the request
    finally:
        await server.stop()
    assert {each["event"] for each in logs} == {"request_unreadable"}, "a caller's fault is a line of the log"
    assert not caplog.records, "and no traceback"


async def test_a_caller_that_goes_while_it_sends_leaves_no_traceback(
    service: FakeService, caplog: pytest.LogCaptureFixture
) -> None:
    server = await serve(create_app(service, LiveHub(service), CollectorRegistry()), "127.0.0.1", 0)
    head = f"POST /api/v1/alarms/1/comment HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {TOKEN}\r\n"
    body = "Content-Type: application/json\r\nContent-Length: 90\r\nExpect: 100-continue\r\n\r\n"
    try:
        with capture_logs() as logs:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write((head + body).encode())
            async with asyncio.timeout(10):
                await reader.readline()  # 100 Continue: the body is waited for
                writer.close()
                while not logs:
                    await asyncio.sleep(0.01)
    finally:
        await server.stop()
    assert [each["event"] for each in logs] == ["caller_gone"]
    assert not caplog.records


# ---- parameters


@pytest.mark.parametrize(
    ("path", "field", "remedy"),
    [
        ("alarms?colour=red", "colour", "known here: limit, after, state, grade"),
        ("alarms?limit=0", "limit", "at least 1"),
        ("alarms?limit=1001", "limit", "at most 1000"),
        ("alarms?limit=ten", "limit", "whole number"),
        ("alarms?limit=1_0", "limit", "whole number"),
        ("alarms?limit=%D9%A1", "limit", "whole number"),
        (f"alarms?limit={'9' * 5000}", "limit", "smaller"),
        ("alarms?limit=", "limit", "whole number"),
        ("alarms?limit=5&limit=6", "limit", "once"),
        ("alarms?after=0", "after", "at least 1"),
        (f"alarms?after={2**63}", "after", "at most"),
        ("alarms?state=open", "state", "'unacknowledged'"),
        ("alarms?grade=RED", "grade", "'red'"),
        ("alarms?active=maybe", "active", "true or false"),
        ("alarms?since=yesterday", "since", "ISO 8601"),
        ("alarms?since=2026-06-08T02:30:00", "since", "offset"),
        ("alarms?since=2026-06-08T02:30:00+08:00", "since", "%2B"),
        ("alarms?since=1960-06-08T02:30:00Z", "since", "ISO 8601"),
        ("alarms?since=9999-12-31T23:59:59-14:00", "since", "ISO 8601"),
        ("alarms?since=0001-01-01T00:00:00%2B14:00", "since", "ISO 8601"),
        ("alarms?enterprise=%00", "enterprise", "control characters"),
        ("alarms?tag=", "tag", "leave the field out"),
        (f"alarms?unit={'x' * 201}", "unit", "at most 200"),
        ("incidents?state=normal", "state", "'open'"),
        ("tags?after=nobody/nothing", "after", None),
        ("tags?after=huarui/@gw1", "after", None),
        ("journal?since=5", "since", "ISO 8601"),
        ("quarantine?kind=x", "kind", "known here"),
        ("gateways?x=1", "x", "nothing is expected here"),
        ("health?x=1", "x", "nothing is expected here"),
        ("live?since=-1", "since", "whole number"),
        ("alarms/x", "id", "whole number"),
        ("alarms/0", "id", "at least 1"),
        ("incidents/99999999999999999999", "id", "at most"),
    ],
)
async def test_a_parameter_at_fault_is_named_with_its_remedy(
    client: Client, path: str, field: str, remedy: str | None
) -> None:
    found = await problem(await client.get(f"/api/v1/{path}"), 400)
    if remedy is None:
        assert found.detail.startswith(f"query {field}:")
        return
    assert found.errors[0].field == field
    assert remedy in found.errors[0].remedy
    assert len(found.detail) < 1000


async def test_addresses_and_methods_that_do_not_exist(client: Client) -> None:
    await problem(await client.get("/api/v1/nothing"), 404)
    await problem(await client.get("/api/"), 404)
    await problem(await client.post("/nothing"), 404)
    await problem(await client.get("/api/v1/tags/huarui/a%2Fb/samples"), 404)
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"):
        answer = await client.request(method, "/api/v1/alarms")
        assert "use GET" in (await problem(answer, 405)).detail
        assert answer.headers["Allow"] == "GET, HEAD"
    assert (await client.head("/api/v1/alarms")).status == 200


# ---- faults of what stands behind


async def test_a_ledger_that_is_away_is_told(client: Client, service: FakeService) -> None:
    service.ledger = create_async_engine("postgresql+asyncpg://anshao@127.0.0.1:1/anshao")
    service.fault = LedgerUnavailable("away")
    for path in ("alarms", "alarms/1", "incidents", "incidents/1", "journal", "quarantine", "tags", "enterprises"):
        answer = await client.get(f"/api/v1/{path}")
        assert "ledger" in (await problem(answer, 503)).detail
        assert answer.headers["Retry-After"] == "5"
    answer = await client.post("/api/v1/alarms/1/acknowledge", json=SIGNED)
    assert "may still be done" in (await problem(answer, 503)).detail


async def test_a_historian_that_is_away_is_told_with_its_remedy(client: Client, service: FakeService) -> None:
    service.historian.fault = away()
    assert "start InfluxDB" in (await problem(await client.get("/api/v1/tags/huarui/GT-101/samples"), 503)).detail


async def test_a_fault_of_ours_is_logged_and_tells_nothing(client: Client, service: FakeService) -> None:
    service.fault = RuntimeError("password=secret")
    with capture_logs() as logs:
        found = await problem(await client.post("/api/v1/alarms/1/acknowledge", json=SIGNED), 500)
    assert "secret" not in found.model_dump_json()
    assert logs[0]["exc_info"] is True
    assert (logs[0]["event"], logs[0]["instance"]) == ("request_failed", found.instance)


# ---- headers, metrics, console


async def test_headers_keep_browsers_from_guessing(client: Client) -> None:
    for path in ("/api/v1/health", "/api/v1/nothing", "/metrics", "/"):
        headers = (await client.get(path)).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Server"] == "AnShao"
    assert (await client.get("/api/v1/alarms")).headers["Cache-Control"] == "no-store"


async def test_metrics_need_no_token_and_count_requests(service: FakeService) -> None:
    async with api(service) as client:
        await client.get("/api/v1/health")
        await client.get("/api/v1/alarms")
        await client.get("/somewhere")
        answer = await client.get("/metrics")
        text = await answer.text()
    assert answer.content_type == "text/plain"
    assert 'anshao_http_seconds_count{operation="get_health",status="200"} 1.0' in text
    assert 'anshao_http_seconds_count{operation="list_alarms",status="401"} 1.0' in text
    assert 'anshao_http_seconds_count{operation="console",status="503"} 1.0' in text
    assert "anshao_live_clients 0.0" in text


async def test_a_console_that_is_not_built_says_how_to_build_it(service: FakeService) -> None:
    async with api(service) as client:
        answer = await client.get("/")
        assert answer.status == 503
        assert "hatch_build.py" in await answer.text()


@pytest.fixture
def console(tmp_path: Path) -> Path:
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html>console")
    (folder / "icon.svg").write_text("<svg/>")
    (folder / "assets" / "index-B2cD3fGh.js").write_text("1")
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    return folder


async def test_the_console_is_served_with_strict_headers(service: FakeService, console: Path) -> None:
    async with api(service, console=console) as client:
        for path in ("/", "/incidents/5", "/alarms?grade=red"):
            answer = await client.get(path)
            assert await answer.text() == "<!doctype html>console"
            assert answer.content_type == "text/html"
            assert answer.headers["Cache-Control"] == "no-cache"
            policy = answer.headers["Content-Security-Policy"]
            assert all(part in policy for part in ("object-src 'none'", "form-action 'self'", "frame-ancestors 'none'"))
            assert "unsafe" not in policy
        lasting = await client.get("/assets/index-B2cD3fGh.js")
        assert "immutable" in lasting.headers["Cache-Control"]
        assert lasting.content_type in ("text/javascript", "application/javascript")
        assert (await client.get("/icon.svg")).headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    [
        "/assets/gone-12345678.js",
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "/link.txt",
        "/%00.txt",
        f"/{'x' * 4000}.txt",
        "//etc/passwd.txt",
    ],
)
async def test_no_file_outside_the_console_is_served(service: FakeService, console: Path, path: str) -> None:
    async with api(service, console=console) as client:
        answer = await client.session.get(f"{client.make_url('/')}{path[1:]}", allow_redirects=False)
        assert answer.status in (400, 404)
        assert "secret" not in await answer.text()


async def test_a_server_reports_its_real_port(service: FakeService, client: Client) -> None:
    server = await serve(create_app(service, LiveHub(service), CollectorRegistry()), "127.0.0.1", 0)
    try:
        assert server.url == f"http://127.0.0.1:{server.port}/"
        assert (await client.session.get(f"{server.url}api/v1/health")).status == 200
        with pytest.raises(OSError, match="address already in use"):
            await serve(create_app(service, LiveHub(service), CollectorRegistry()), "127.0.0.1", server.port)
    finally:
        await server.stop()


async def test_the_longest_texts_that_a_query_may_have_arrive(service: FakeService, client: Client) -> None:
    comment = "值" * 2_000  # percent-encoded: 18 000 bytes
    server = await serve(create_app(service, LiveHub(service), CollectorRegistry()), "127.0.0.1", 0)
    try:
        query = {"enterprise": "huarui", "title": "图", "name": "王芳", "comment": comment}
        url = f"{server.url}api/v1/site-plans"
        answer = await client.session.post(url, params=query, headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.content_type == "application/problem+json"
        assert answer.status == 415  # the query is taken; there is no image
    finally:
        await server.stop()
