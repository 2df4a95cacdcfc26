"""Key figures and evidence over HTTP."""

import asyncio
import csv
import hashlib
import io
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import web

from alerting.records import Change
from domain.clock import iso
from service.api import record_files, records_models
from service.api.problems import MEDIA_TYPE
from service.api.sending import send_file
from service.evidence.verification import verify_evidence
from tests.api_service import HEADERS, NOW, Client, FakeService, api, sqlite_ledger
from tests.evidence_case import Made, make_case
from tests.watched_unit import MIDNIGHT, ms

SPAN = {"start": iso(MIDNIGHT - 86_400_000), "end": iso(MIDNIGHT + 2 * 86_400_000)}


class Evidenced(FakeService):
    """A service over the ledger of a leak; its acts are kept."""

    def __init__(self, made: Made) -> None:
        super().__init__(made.maker.engine, made.maker.settings.site)
        self.made = made
        self.commits: list[Change] = []

    def now(self) -> int:
        return NOW

    def evidence(self) -> Any:
        return self.made.maker

    async def act(self, act: Any) -> Any:
        self.commits.append(Change())
        return act(self.register, NOW, self.commits[-1])


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Evidenced]:
    made = await make_case(tmp_path)
    yield Evidenced(made)
    await made.maker.historian.close()
    await made.maker.engine.dispose()


@pytest.fixture
async def client(service: Evidenced) -> AsyncIterator[Client]:
    async with api(service) as client:
        client.session.headers.update(HEADERS)
        yield client


async def test_who_takes_evidence_slowly_keeps_nobody_waiting(
    client: Client, service: Evidenced, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"/api/v1/incidents/{service.made.incident}/evidence?samples=false"
    sending, taken, send = asyncio.Event(), asyncio.Event(), send_file

    async def slowly(request: web.Request, file: Path, headers: Mapping[str, str]) -> web.StreamResponse:
        if not sending.is_set():
            sending.set()
            await taken.wait()
        return await send(request, file, headers)

    monkeypatch.setattr(record_files, "send_file", slowly)
    first = asyncio.create_task(client.get(address))
    await sending.wait()
    async with asyncio.timeout(20):
        assert (await client.get(address)).status == 200
    taken.set()
    assert (await first).status == 200


async def test_evidence_is_sent_and_the_journal_says_so(client: Client, service: Evidenced, tmp_path: Path) -> None:
    address = f"/api/v1/incidents/{service.made.incident}/evidence"
    async with client.get(address, params={"name": "王芳"}) as answer:
        assert answer.status == 200
        assert answer.content_type == "application/zip"
        content = await answer.read()
    file = tmp_path / "sent.zip"
    file.write_bytes(content)
    verdict = verify_evidence(file, [service.made.maker.key.fingerprint])
    assert verdict.faults == []
    assert verdict.facts["made_by"] == "王芳"
    ((entry,),) = [change.entries for change in service.commits]
    body = orjson.loads(entry.body)
    assert (body["kind"], body["incident"], body["actor"]) == (
        "evidence.made",
        service.made.incident,
        "county duty desk",
    )
    assert body["data"]["sha256"] == hashlib.sha256(content).hexdigest()
    async with client.get(address, params={"samples": "false"}) as answer:
        (tmp_path / "less.zip").write_bytes(await answer.read())
    assert verify_evidence(tmp_path / "less.zip").facts["samples"] is None


@pytest.mark.parametrize(
    ("path", "query", "status", "told"),
    [
        ("/incidents/999999/evidence", {}, 404, "there is no incident 999999"),
        ("/incidents/one/evidence", {}, 400, "path id"),
        ("/incidents/1/evidence", {"samples": "perhaps"}, 400, "query samples"),
        ("/incidents/1/evidence", {"key": "mine"}, 400, "query key"),
        ("/kpi", {"scope": "desk"}, 400, "do not go together"),
        ("/kpi", {"scope": "desk", "id": "nowhere"}, 404, "there is no desk"),
        ("/kpi", {"id": "works"}, 400, "do not go together"),
        ("/kpi", {"start": "2026-01-02T00:00:00Z", "end": "2026-01-01T00:00:00Z"}, 400, "ends before it starts"),
        ("/kpi", {"start": "2020-01-02T00:00:00Z", "end": "2026-01-01T00:00:00Z"}, 400, "400 days"),
        ("/kpi", {"start": "2001-01-01T00:00:00Z", "end": "2001-02-01T00:00:00Z"}, 404, "nothing of this period"),
        ("/kpi/report", {"scope": "moon"}, 400, "query scope"),
        ("/kpi/table", {"start": "yesterday"}, 400, "query start"),
    ],
)
async def test_what_cannot_be_answered_is_a_problem_with_a_remedy(
    client: Client, path: str, query: dict[str, str], status: int, told: str
) -> None:
    async with client.get(f"/api/v1{path}", params=query) as answer:
        assert answer.status == status, await answer.text()
        assert answer.content_type == MEDIA_TYPE
        assert told in (await answer.json())["detail"]


async def test_without_a_token_nothing_is_given(client: Client) -> None:
    for path in ("/incidents/1/evidence", "/kpi", "/kpi/bad-actors", "/kpi/report", "/kpi/table"):
        async with client.get(f"/api/v1{path}", headers={"Authorization": "Bearer wrong"}) as answer:
            assert answer.status == 401


async def test_a_journal_that_is_not_signed_gives_no_evidence(tmp_path: Path) -> None:
    async with (
        sqlite_ledger(tmp_path, 30) as (ledger, _),
        api(FakeService(ledger.engine)) as client,
        client.get("/api/v1/incidents/1/evidence", headers=HEADERS) as answer,
    ):
        assert answer.status == 409
        assert "start the service" in (await answer.json())["detail"]


@pytest.mark.parametrize(
    ("query", "alarms", "name"),
    [
        ({}, 5, "全部 all"),
        ({"scope": "enterprise", "id": "works"}, 3, "测试厂"),
        ({"scope": "enterprise", "id": "other"}, 2, "邻厂"),
        ({"scope": "region", "id": "370783"}, 3, "寿光市"),
        ({"scope": "region", "id": "370000"}, 5, "山东省"),
        ({"scope": "desk", "id": "370783"}, 3, "寿光市值班席"),
    ],
)
async def test_key_figures_are_of_the_scope(client: Client, query: dict[str, str], alarms: int, name: str) -> None:
    async with client.get("/api/v1/kpi", params={**SPAN, **query}) as answer:
        assert answer.status == 200
        found = records_models.KeyFigures.model_validate(await answer.json())
    assert (found.alarms, found.name, found.graded) == (alarms, name, False)
    assert set(found.met.values()) == {None}
    # Cut to what there is a journal of.
    assert found.start == iso(ms(10))
    assert sum(day.blue + day.yellow + day.orange + day.red for day in found.per_day) == alarms
    async with client.get("/api/v1/kpi/bad-actors", params={**SPAN, **query}) as answer:
        actors = records_models.BadActors.model_validate(await answer.json())
    assert actors.top_ten == found.top_ten
    assert {one.path for one in actors.standing.longest} <= {one.path for one in actors.top_ten}


async def test_the_table_has_a_row_for_every_scope(client: Client) -> None:
    async with client.get("/api/v1/kpi/table", params=SPAN) as answer:
        assert answer.content_type == "text/csv"
        text = (await answer.read()).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["scope"], row["id"], row["alarms"]) for row in rows] == [
        ("all", "", "5"), ("desk", "370000", "5"), ("desk", "370783", "3"), ("region", "370000", "5"),
        ("region", "370783", "3"), ("enterprise", "works", "3"), ("enterprise", "other", "2"),
    ]  # fmt: skip


async def test_the_report_is_one_page_that_loads_nothing(client: Client) -> None:
    async with client.get("/api/v1/kpi/report", params=SPAN) as answer:
        assert answer.content_type == "text/html"
        page = await answer.text()
    assert "不评级" in page
    assert "works/GT-1/HH" in page
    assert "<script" not in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "").replace("http-equiv", "")
