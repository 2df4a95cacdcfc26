"""``anshao config``: an engineer's round from the service to a workbook and back, while the service runs."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import yaml

from tests.running import TOKEN, Service, api_of, main_file, site_of

POINTS = (
    "tag,measurand,engineering_unit,low,high,H,HH\nTI-1,temperature,°C,0,200,80,90\nTI-2,temperature,°C,0,200,80,90\n"
)


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    site = site_of([{"id": "tanks", "name": "罐区", "tag_tables": ["points/tanks.csv"]}])
    main = main_file(historian={"kind": "duckdb"}, broker={"embedded": True, "url": "mqtt://127.0.0.1:0"})
    (tmp_path / "points").mkdir()
    (tmp_path / "points" / "tanks.csv").write_text(POINTS, encoding="utf-8")
    service = Service.configured(tmp_path, main, site)
    service.start()
    await service.ready()
    yield service
    service.stop()


async def anshao(service: Service, *arguments: str, status: int = 0, **environment: str) -> str:
    """``anshao config …`` in the service's folder; what it printed."""
    assert Service.preloaded is not None
    given = {**os.environ, "ANSHAO_TOKEN": TOKEN, "COLUMNS": "200", **environment}
    found, printed = await asyncio.to_thread(Service.preloaded.run, ["config", *arguments], given, service.folder)
    assert found == status, printed
    assert "Traceback" not in printed
    return printed


async def limits(service: Service) -> dict[str, tuple[float, int]]:
    """The service's limit H of each tag, with its version."""
    async with api_of(service.url) as api:
        tags = (await api.get("/tags", enterprise="works"))["items"]
    rules = {tag["tag"]: {limit["key"]: limit for limit in tag["limits"]} for tag in tags}
    return {tag: (held["H"]["setpoint"], held["H"]["version"]) for tag, held in rules.items()}


def edit(path: Path, **cells: Any) -> None:
    """Write cells of the only sheet of a workbook."""
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    for cell, value in cells.items():
        sheet[cell] = value
    book.save(path)


async def test_an_engineers_round(service: Service) -> None:
    assert "files" in await anshao(service, "history")
    await anshao(service, "export", "points.xlsx")
    edit(service.folder / "points.xlsx", F2="hot", A4="TI-3", B4="temperature", C4="°C", D4=0, E4=200, F4=70)
    told = await anshao(service, "check", "points.xlsx", status=1)
    assert "points.xlsx [tanks]:2:6 (cell F2): H" in told
    assert "+ tag works/TI-3" in told
    await anshao(service, "import", "points.xlsx", "--author", "李工", "--reason", "new", status=2)
    assert await limits(service) == {"TI-1": (80, 1), "TI-2": (80, 1)}

    edit(service.folder / "points.xlsx", F2=85)
    told = await anshao(service, "check", "points.xlsx")
    assert "~ rule works/TI-1/H\n    setpoint: 80.0 -> 85.0" in told
    assert "revision 2 holds" in await anshao(
        service, "import", "points.xlsx", "--author", "李工", "--reason", "new limits"
    )
    assert await limits(service) == {"TI-1": (85, 2), "TI-2": (80, 1), "TI-3": (70, 2)}
    told = await anshao(service, "history")
    assert "李工" in told
    assert "new limits" in told
    assert "setpoint: 80.0 -> 85.0" in await anshao(service, "diff", "1")
    assert "TI-3" in await anshao(service, "show", "points/tanks.csv")
    assert "TI-3" not in await anshao(service, "show", "points/tanks.csv", "-r", "1")
    assert "nothing would change" in await anshao(
        service, "import", "points.xlsx", "--author", "李工", "--reason", "again", status=2
    )

    async with api_of(service.url) as api:
        signed = {"author": "王芳", "reason": "back", "based_on": 2}
        status, made = await api.post("/config/revisions/1/restore", signed)
        assert (status, made["number"], made["source"]) == (200, 3, "restore")
        assert (await api.post("/config/revisions/9/restore", signed | {"based_on": 3}))[0] == 404
        detail = await api.get("/config/revisions/3", against=1)
        assert detail["difference"]["counts"] == {}
    assert await limits(service) == {"TI-1": (80, 3), "TI-2": (80, 1)}


async def test_files_and_service_part_and_come_together(service: Service) -> None:
    await anshao(service, "export", "points.xlsx")
    edit(service.folder / "points.xlsx", F2=85)
    await anshao(service, "import", "points.xlsx", "--author", "李工", "--reason", "new limits")
    # Somebody edits the files as well.
    table = service.folder / "points" / "tanks.csv"
    table.write_text(POINTS.replace("TI-2,temperature,°C,0,200,80", "TI-2,temperature,°C,0,200,82"), encoding="utf-8")
    service.stop()
    service.start()
    await service.ready()
    assert await limits(service) == {"TI-1": (85, 2), "TI-2": (80, 1)}
    async with api_of(service.url) as api:
        health = await api.get("/health")
        configuration = health["components"]["configuration"]
        assert (configuration["status"], configuration["revision"]) == ("degraded", 2)
        assert "anshao config import" in configuration["detail"]
        assert [entry["kind"] for entry in await api.every("/journal", kind="config.diverged")] == ["config.diverged"]
    told = await anshao(service, "check")
    assert "setpoint: 85.0 -> 80.0" in told
    assert "setpoint: 80.0 -> 82.0" in told
    await anshao(service, "import", "--author", "李工", "--reason", "the files are right")
    assert await limits(service) == {"TI-1": (80, 3), "TI-2": (82, 3)}
    async with api_of(service.url) as api:
        assert (await api.get("/health"))["components"]["configuration"]["status"] == "ok"
    service.stop()
    # Without a service the ledger answers; the newest revision may be written over the files.
    assert "the files are right" in await anshao(service, "history")
    (service.folder / "out").mkdir()
    assert "2 documents of revision 2" in await anshao(service, "export", "out", "-r", "2")
    assert "85" in (service.folder / "out" / "points" / "tanks.csv").read_text()
    assert "Is the service running?" in await anshao(service, "check", status=2)
    service.start()
    await service.ready()
    async with api_of(service.url) as api:
        assert (await api.get("/health"))["components"]["configuration"]["status"] == "ok"


async def test_refusals_of_the_api_name_the_place(service: Service) -> None:
    async with api_of(service.url) as api:
        signed = {"author": "李工", "reason": "r", "based_on": 1}
        documents = {"points/tanks.csv": POINTS.replace("TI-2", "TI-1")}
        status, problem = await api.post("/config/revisions", {**signed, "documents": documents})
        assert status == 422
        (error,) = problem["errors"]
        assert error["field"] == "points/tanks.csv:3:1: tag"
        status, problem = await api.post("/config/revisions", {**signed, "documents": {"left-over.csv": POINTS}})
        assert (status, problem["errors"][0]["message"]) == (422, "no document names this one")
        status, problem = await api.post("/config/revisions", {**signed, "documents": {"site.yaml": None}})
        assert status == 422
        assert "no such document" in problem["errors"][0]["message"]
        assert str(service.folder) not in str(problem)
        status, problem = await api.post("/config/revisions", {**signed, "based_on": 7, "documents": documents})
        assert status == 409
        assert (await api.post("/config/check", {"files": [{"name": "a.xlsx", "content": "?"}]}))[0] == 400
        assert (await api.get("/config/documents"))["revision"] == 1
        roots = {"sites": ["site.yaml", "more.yaml"]}
        more = {"regions": [{"code": "370000", "name": "山东省"}], "enterprises": []}
        more["enterprises"] = [{"id": "second", "name": "二厂", "region": "370000"}]
        body = {**signed, "documents": {"more.yaml": yaml.safe_dump(more, allow_unicode=True)}, "roots": roots}
        status, made = await api.post("/config/revisions", body)
        assert (status, made["counts"]["enterprise"]) == (200, {"added": 1})
        assert "second" in {item["id"] for item in (await api.get("/enterprises"))["items"]}


async def test_contacts_change_while_it_runs_and_a_workbook_goes_through_whole(service: Service) -> None:
    service.stop()
    table = "id,name,post,region\nwang,王芳,duty,370783\n"
    (service.folder / "response.yaml").write_text("contacts: contacts.csv\n", encoding="utf-8")
    (service.folder / "contacts.csv").write_text(table, encoding="utf-8")
    main = service.folder / "anshao.yaml"
    main.write_text(main.read_text(encoding="utf-8") + "response: response.yaml\n", encoding="utf-8")
    service.start()
    await service.ready()
    async with api_of(service.url) as api:

        async def names() -> set[str]:
            return {item["name"] for item in (await api.get("/contacts"))["items"]}

        assert (await api.get("/config/documents"))["revision"] == 2  # the files have changed
        assert await names() == {"王芳"}
        body = {"author": "李工", "reason": "new shift", "based_on": 2}
        documents = {"contacts.csv": table + "zhao,赵敏,duty,370783\n"}
        assert (await api.post("/config/revisions", {**body, "documents": documents}))[0] == 200
        assert await names() == {"王芳", "赵敏"}
        status, problem = await api.post(
            "/config/revisions", {**body, "based_on": 3, "documents": {"contacts.csv": "id\n"}}
        )
        assert status == 422
        assert problem["errors"][0]["field"].startswith("contacts.csv:1")
    # The same directory as a workbook, which is a document itself.
    book = openpyxl.Workbook()
    for row in (["id", "name", "post", "region"], ["wang", "王芳", "duty", "370783"]):
        book.worksheets[0].append(row)
    book.save(service.folder / "contacts.xlsx")
    (service.folder / "response.yaml").write_text("contacts: contacts.xlsx\n", encoding="utf-8")
    await anshao(service, "import", "--author", "李工", "--reason", "as a workbook")
    await anshao(service, "export", "out", "--url", f"http://127.0.0.1:{service.port}")
    assert (service.folder / "out" / "contacts.xlsx").read_bytes() == (service.folder / "contacts.xlsx").read_bytes()
    async with api_of(service.url) as api:
        assert {item["name"] for item in (await api.get("/contacts"))["items"]} == {"王芳"}


async def test_files_with_faults_do_not_keep_a_service_down_that_has_run_before(service: Service) -> None:
    service.stop()
    table = service.folder / "points" / "tanks.csv"
    table.write_text(POINTS.replace("80", "hot"), encoding="utf-8")
    service.start()
    await service.ready()
    assert await limits(service) == {"TI-1": (80, 1), "TI-2": (80, 1)}
    async with api_of(service.url) as api:
        configuration = (await api.get("/health"))["components"]["configuration"]
        assert (configuration["status"], configuration["revision"]) == ("degraded", 1)
        assert "2 faults" in configuration["detail"]
        assert [entry["kind"] for entry in await api.every("/journal", kind="config.diverged")] == ["config.diverged"]
    service.stop()
    assert "tanks.csv:2:6: H" in service.log.read_text()
    assert "2 documents of revision 1" in await anshao(service, "export", "out")
    table.write_text(POINTS.replace("80", "82"), encoding="utf-8")
    service.start()
    await service.ready()
    assert await limits(service) == {"TI-1": (82, 2), "TI-2": (82, 2)}
    service.stop()
    # The main file itself is of no revision.
    main = service.folder / "anshao.yaml"
    main.write_text(main.read_text(encoding="utf-8") + "lateness: soon\n", encoding="utf-8")
    service.start()
    assert service.process is not None
    assert await asyncio.to_thread(service.process.wait, 60) == 2


async def test_files_with_faults_stop_a_first_start(tmp_path: Path) -> None:
    main = main_file(historian={"kind": "duckdb"}, broker={"embedded": True, "url": "mqtt://127.0.0.1:0"})
    service = Service.configured(tmp_path, main, {"regions": "none"})
    service.start()
    assert service.process is not None
    assert await asyncio.to_thread(service.process.wait, 60) == 2
    assert not (tmp_path / "data").exists()
