"""The configuration over HTTP: what is read, what is checked, what is refused. Applying it: the integration tests."""

import base64
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import yaml

from alerting.records import Change
from service.api import config_models, models
from service.revisions.store import record
from tests.api_revisions import POINTS
from tests.api_service import HEADERS, Client, FakeService, api, sqlite_ledger

SIGNED = {"author": "李工", "reason": "限值复核", "based_on": 1}


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with sqlite_ledger(tmp_path) as (ledger, _):
        service = FakeService(ledger.engine)
        held = service.revisions.documents()
        await service.revisions.store.keep(held)
        change = Change()
        record(service.revisions.current, held.digests, b"", change)
        await ledger.commit(change)
        async with api(service) as client:
            client.session.headers.update(HEADERS)
            yield client


async def get(client: Client, path: str) -> Any:
    answer = await client.get(f"/api/v1/config/{path}")
    assert answer.status == 200, await answer.text()
    return await answer.json()


async def post(client: Client, path: str, body: Any) -> tuple[int, Any]:
    answer = await client.post(f"/api/v1/config/{path}", json=body)
    return answer.status, await answer.json()


async def check(client: Client, **body: Any) -> config_models.ConfigCheck:
    status, answer = await post(client, "check", body)
    assert status == 200, answer
    return config_models.ConfigCheck.model_validate(answer)


async def test_documents_and_revisions_are_shown(client: Client) -> None:
    page = config_models.RevisionPage.model_validate(await get(client, "revisions"))
    assert [(item.number, item.author) for item in page.items] == [(1, "files")]
    listed = config_models.ConfigDocumentList.model_validate(await get(client, "documents"))
    assert [item.name for item in listed.items] == ["points/tanks.csv", "site.yaml"]
    found = config_models.ConfigDocumentText.model_validate(await get(client, "documents/points%2Ftanks.csv"))
    assert (found.content, found.bytes) == (POINTS, len(POINTS.encode()))
    detail = config_models.RevisionDetail.model_validate(await get(client, "revisions/1"))
    assert (detail.against, detail.difference) == (None, None)
    for path in ("documents/absent.csv", "documents?revision=7", "revisions/7", "revisions/1?against=9"):
        answer = await client.get(f"/api/v1/config/{path}")
        assert answer.status == 404
        models.Problem.model_validate(await answer.json())


async def test_a_check_shows_the_difference_and_changes_nothing(client: Client) -> None:
    found = await check(client, documents={"points/tanks.csv": POINTS.replace(",80\n", ",85\n")})
    assert found.faults == []
    assert found.difference is not None
    (item,) = found.difference.items
    assert (item.what, item.path, item.act) == ("rule", "works/TI-1/H", "changed")
    assert [(field.name, field.old, field.new) for field in item.fields] == [("setpoint", 80.0, 85.0)]
    assert (await get(client, "documents"))["revision"] == 1
    few = await check(client, documents={"points/tanks.csv": POINTS.replace(",80\n", ",85\n")}, limit=0)
    assert few.difference is not None
    assert (few.difference.items, few.difference.more) == ([], 1)


async def test_a_fault_of_a_workbook_names_its_cell(client: Client) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = "tanks"
    for line in POINTS.replace(",90\n", ",hot\n").splitlines():
        sheet.append(line.split(","))
    out = io.BytesIO()
    book.save(out)
    file = {"name": "limits.xlsx", "content": base64.b64encode(out.getvalue()).decode()}
    found = await check(client, files=[file])
    (fault,) = found.faults
    assert (fault.file, fault.line, fault.column, fault.cell) == ("limits.xlsx [tanks]", 3, 6, "F3")
    status, problem = await post(client, "revisions", {**SIGNED, "files": [file]})
    assert status == 422
    assert problem["errors"][0]["field"] == "limits.xlsx [tanks]:3:6: H"


async def test_a_body_of_documents_may_be_large_but_not_without_end(client: Client) -> None:
    head, _, rows = POINTS.partition("\n")
    text = head + "\n" + rows + "".join(f"X-{number},temperature,°C,0,200,80\n" for number in range(5_000))
    assert len(text) > 64 * 1024
    found = await check(client, documents={"points/tanks.csv": text})
    assert found.difference is not None
    assert found.difference.counts["tag"] == {"added": 5_000}
    body = b'{"documents": {"a.csv": "' + b"x" * config_models.LARGEST_CONFIGURATION + b'"}}'
    answer = await client.post(
        "/api/v1/config/check", data=io.BytesIO(body), headers={"Content-Type": "application/json"}
    )
    assert answer.status == 413
    answer = await client.post("/api/v1/alarms/1/acknowledge", json={"name": "x" * 70_000})
    assert answer.status == 413  # elsewhere the limit is as it was


@pytest.mark.parametrize("name", ["/etc/passwd", "a/../b", "./a", "a//b", "a\u0000b", "", "..", "x" * 501])
async def test_names_that_are_none(client: Client, name: str) -> None:
    status, problem = await post(client, "check", {"documents": {name: ""}})
    assert status == 400
    assert problem["errors"][0]["remedy"]


async def test_who_is_late_is_told_what_holds(client: Client) -> None:
    changed = {"points/tanks.csv": POINTS.replace(",80\n", ",85\n")}
    status, problem = await post(client, "revisions", {**SIGNED, "based_on": 3, "documents": changed})
    assert (status, "revision 1 by files holds, not 3" in problem["detail"]) == (409, True)
    status, problem = await post(client, "revisions", {**SIGNED, "documents": {"points/tanks.csv": POINTS}})
    assert (status, "nothing would change" in problem["detail"]) == (409, True)
    status, made = await post(client, "revisions", {**SIGNED, "documents": changed})
    assert (status, made["number"], made["author"]) == (200, 2, "李工")
    status, problem = await post(client, "revisions", {**SIGNED, "documents": changed})
    assert status == 409


async def test_documents_that_are_no_configuration_are_refused_with_their_place(client: Client) -> None:
    bombs = {
        "site.yaml: deep": "a: " * 1 + "[" * 5_000,
        "site.yaml: alias": "a: &a [1]\nb: &b [*a, *a]\nc: [*b, *b]\n",
        "site.yaml: type": "!!python/object:os.system x",
        "site.yaml: empty": "",
        "site.yaml: list": "- 1\n",
    }
    for case, text in bombs.items():
        found = await check(client, documents={"site.yaml": text})
        assert found.faults, case
        assert all(fault.file == "site.yaml" and fault.remedy for fault in found.faults), case
        assert found.difference is None
    roots = {"sites": ["absent.yaml"]}
    found = await check(client, roots=roots)
    assert "no such document" in found.faults[0].message
    site = yaml.safe_load((await get(client, "documents/site.yaml"))["content"])
    assert site["enterprises"]
