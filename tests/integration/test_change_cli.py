"""``anshao change``: a rule's round from "this tag chatters" into force and back, in a running service."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from typer.testing import CliRunner

from domain.samples import SampleBlock
from historian.embedded import DuckDBHistorian
from service.cli.app import app
from service.cli.calling import console
from tests.running import TOKEN, Service, api_of, main_file, site_of

DAY = 86_400_000
POINT = {"measurand": "temperature", "engineering_unit": "°C", "range": [0, 200], "stale": "off"}


async def remember(service: Service, now: int) -> None:
    """Two days of TI-1, a reading every 20 s: over 80 for one reading each hour."""
    at = now - 2 * DAY + np.arange(0, 2 * DAY - 60_000, 20_000)
    count = len(at)
    values = np.where(np.arange(count) % 180 == 90, 82.0, 60.0)
    zeros = np.zeros(count, dtype=np.uint8)
    store = DuckDBHistorian(service.folder / "data" / "history.duckdb")
    block = SampleBlock(np.zeros(count, dtype=np.int32), at, at + 50, values, zeros + 192, zeros)
    await store.start()
    await store.write(block, ["works/TI-1"])
    await store.close()


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal in which no table is wrapped."""
    monkeypatch.setattr(console, "width", 200)


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    limits = {"H": {"setpoint": 80, "deadband": 1, "on_delay": 0}, "HH": 100}
    site = site_of([{"id": "tanks", "name": "罐区", "tags": [{"tag": "TI-1", **POINT, "limits": limits}]}])
    main = main_file(historian={"kind": "duckdb"}, broker={"embedded": True, "url": "mqtt://127.0.0.1:0"})
    service = Service.configured(tmp_path, main, site)
    (tmp_path / "data").mkdir()
    await remember(service, time.time_ns() // 1_000_000)
    service.start()
    await service.ready()
    yield service
    assert service.stop() == 0


async def imported(service: Service) -> str:
    """``anshao config import`` of all files."""
    main = str(service.folder / "anshao.yaml")
    return await anshao(service, "--author", "李工", "--reason", "复核", "-c", main, command=("config", "import"))


async def anshao(service: Service, *arguments: str, status: int = 0, command: Sequence[str] = ("change",)) -> str:
    """``anshao change …``; what it printed."""
    environment = {"ANSHAO_TOKEN": TOKEN, "ANSHAO_URL": service.url.removesuffix("/api/v1")}
    runner = CliRunner()
    ended = await asyncio.to_thread(runner.invoke, app, [*command, *arguments], env=environment)
    assert ended.exit_code == status, ended.output
    return str(ended.output)


async def limit(service: Service) -> dict[str, Any]:
    """The rule H of TI-1 as the service has it."""
    async with api_of(service.url) as api:
        (tag,) = (await api.get("/tuning/rules", enterprise="works", unit="tanks"))["items"]
    return next(rule for rule in tag["rules"] if rule["key"] == "H")


WRONG = {
    ("TI-1/H", "setpoint=1"): "is no rule",
    ("setpoint=1",): "before any rule",
    ("works/TI-1/H", "limit=1"): "is no figure",
    ("works/TI-1/H", "setpoint=x"): "not a number",
    ("works/TI-1/H", "on_delay=5x"): "unknown unit of time",
    ("works/TI-1/H", "setpoint=1", "setpoint=2"): "given twice",
    ("works/TI-1/H", "setpoint=120"): "works/TI-1/H setpoint\n    H 120 is not below HH 100",
    ("works/TI-1/H", "setpoint=70", "works/TI-1/BAD", "window=1s"): "works/TI-1/BAD window\n    rule BAD",
    ("works/TI-9/H", "setpoint=1"): "works/TI-9/H\n    no tag 'works/TI-9'\n    -> The console's page",
    ("works/TI-1/X", "setpoint=1"): "works/TI-1/X\n    works/TI-1 has no rule 'X'",
}
API_WORDS = ("body", "edits", "_ms", "/api/", "OpenAPI")


async def test_from_a_chattering_tag_to_a_change_in_force_and_back(service: Service) -> None:
    for words, complaint in WRONG.items():
        told = await anshao(service, "propose", *words, "--name", "李工", "--reason", "x", status=2)
        assert complaint in told
        assert told.count(complaint.rpartition("\n    ")[2]) == 1
        assert not any(word in told for word in API_WORDS), told
    told = await anshao(service, "propose", "works/TI-1/H", "setpoint=70", "--name", "李工", "--reason", " ", status=2)
    assert told.startswith("--reason\n")
    assert "`anshao change list` lists them" in await anshao(service, "show", "9999", status=2)
    assert "没有变更" in await anshao(service, "list")
    told = await anshao(service, "propose", "works/TI-1/H", "on_delay=30s", "--name", "李工", "--reason", "抖动")
    assert "放宽 loosened: 报警延时 on-delay" in told
    number = told.split()[2]

    refused = await anshao(service, "approve", number, "--name", "张强", status=2)
    assert f"Backtest it first over at least one day (`anshao change backtest {number}`)" in refused
    told = await anshao(service, "backtest", number, "--days", "2")
    assert "原限值报警 alarms before 48  新限值报警 alarms after 0" in told
    assert "消失 removed 48" in told
    assert "second, different person" in await anshao(service, "approve", number, "--name", "李工", status=2)
    await anshao(service, "approve", number, "--name", "张强", "--comment", "同意")
    assert "试运行 in shadow" in await anshao(service, "shadow", number, "--name", "张强", "--hours", "2")
    soon = datetime.now() + timedelta(seconds=2)  # noqa: DTZ005 - by this machine's clock, as the command reads it
    told = await anshao(service, "apply", number, "--name", "张强", "--at", soon.strftime("%Y-%m-%dT%H:%M:%S"))
    assert "定时 due" in told
    async with api_of(service.url) as api, asyncio.timeout(30):
        while (await api.get(f"/changes/{number}"))["state"] != "live":
            await asyncio.sleep(0.1)
    assert (await limit(service))["on_delay_ms"] == 30_000
    assert (await limit(service))["change"] == int(number)

    service.kill()
    service.start()
    await service.ready()
    assert (await limit(service))["on_delay_ms"] == 30_000
    # The site's author changes a file, and imports all files: what change control has put in force stays.
    site = service.folder / "site.yaml"
    site.write_text(site.read_text("utf-8").replace("HH: 100", "HH: 110"), "utf-8")
    told = await imported(service)
    assert "revision 3 holds" in told
    assert (await limit(service))["on_delay_ms"] == 30_000
    listed = await anshao(service, "list")
    assert "works/TI-1/H 报警延时 on-delay 0s → 30s" in listed
    assert "已回退 rolled back" in await anshao(service, "rollback", number, "--name", "王芳", "--reason", "太晚")
    assert (await limit(service))["on_delay_ms"] == 0

    shown = await anshao(service, "show", number)
    acts = [line.split()[2] for line in shown.partition("经过 acts")[2].splitlines() if line.strip()]
    assert acts == ["提出", "回测开始", "回测完成", "批准", "试运行开始", "定时生效", "生效", "回退"]
    document = orjson.loads(await anshao(service, "show", number, "--json"))
    assert (document["state"], document["result"]["counts"]["removed"]) == ("rolled_back", 48)
    verified = await asyncio.to_thread(
        subprocess.run,
        [str(Path(sys.executable).with_name("anshao")), "journal", "verify"],
        cwd=service.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert verified.returncode == 0, verified.stdout + verified.stderr
