"""Desks and drills on real servers, over the API."""

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
import yaml
from aiomqtt import Client

from tests import servers
from tests.running import HEADERS, Api, Service, api_of, main_file, site_of, until

DESK = "370783"
LIMITS = {
    "H": {"setpoint": 10, "deadband": 1, "on_delay": 0, "off_delay": 0},
    "HH": {"setpoint": 20, "deadband": 1, "on_delay": 0, "off_delay": 0},
}
SITE = site_of(
    [
        {
            "id": "tankfarm",
            "name": "原料罐区",
            "hazard_level": 1,
            "tags": [
                {
                    "tag": tag,
                    "measurand": "h2s",
                    "engineering_unit": "mg/m3",
                    "range": [0, 100],
                    "stale": "off",
                    "limits": LIMITS,
                }
                for tag in ("GT-101", "GT-102")
            ],
        }
    ]
)
SCENARIO = {
    "name": "罐区泄漏 Leak",
    "units": ["works/tankfarm"],
    "duration": "10min",
    "steps": [{"at": "0s", "tag": "works/GT-101", "value": 2}, {"at": "1s", "tag": "works/GT-101", "value": 33}],
    "expected": [{"act": "alarm.acknowledged", "tag": "works/GT-101", "within": "2min"}],
}


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[tuple[Service, Api, int]]:
    """A service with Mosquitto and PostgreSQL, and a folder with a good scenario and a bad one."""
    folder = tmp_path / "drills"
    folder.mkdir()
    (folder / "leak.yaml").write_text(yaml.safe_dump(SCENARIO, allow_unicode=True), encoding="utf-8")
    broken = SCENARIO | {"steps": [{"at": "0s", "tag": "works/GT-999", "value": 2}], "expected": []}
    (folder / "broken.yaml").write_text(yaml.safe_dump(broken, allow_unicode=True), encoding="utf-8")
    with servers.mosquitto() as broker, servers.postgres() as postgres, postgres.database() as ledger:
        main = main_file(broker={"url": broker.url}, historian={"kind": "duckdb"}, ledger={"url": ledger})
        service = Service.configured(tmp_path, main, SITE)
        service.start()
        try:
            await service.ready()
            async with api_of(service.url) as api:
                yield service, api, broker.port
        finally:
            service.stop()


async def reads(port: int, **values: float) -> None:
    named = {name.replace("_", "-"): value for name, value in values.items()}
    async with Client("127.0.0.1", port) as client:
        body = orjson.dumps({"ts": time.time_ns() // 1_000_000, "values": named})
        await client.publish("anshao/v1/works/gw1/data", body, qos=1)


async def screen_with(api: Api, condition: Any) -> Any:
    async def look() -> Any:
        screen = await api.get("/watch", desk=DESK)
        return screen if condition(screen) else None

    return await until(look)


async def test_a_drill_through_the_broker_beside_a_real_alarm(running: tuple[Service, Api, int]) -> None:
    _, api, port = running
    scenarios = {each["id"]: each for each in (await api.get("/drill-scenarios"))["items"]}
    assert scenarios["leak"]["faults"] == []
    (fault,) = scenarios["broken"]["faults"]
    assert "GT-999" in fault["message"]
    assert fault["remedy"]

    begin = {"scenario": "leak", "circle": [], "leader": "赵磊", "name": "王芳"}
    for wrong, named in (
        ({"scenario": "broken"}, "GT-999"),
        ({"scenario": "../site"}, "no scenario"),
        ({"units": ["works/boiler"]}, "units.0"),
        ({"circle": ["nobody"]}, "circle.0"),
    ):
        status, problem = await api.post("/drills", begin | wrong)
        assert status == 400
        assert named in str(problem)
    status, drill = await api.post("/drills", begin)
    assert status == 200, drill
    status, problem = await api.post("/drills", begin)
    assert status == 409

    screen = await screen_with(api, lambda found: found["drills"] and found["drills"][0]["alarms_total"] == 2)
    assert screen["counts"]["active"] == 0
    assert screen["standing"] == []
    await reads(port, GT_102=25)
    screen = await screen_with(api, lambda found: found["standing_total"] == 2)
    assert {each["tag"] for each in screen["standing"]} == {"GT-102"}
    marked = screen["drills"][0]["alarms"]
    assert {each["tag"] for each in marked} == {"GT-101"}

    for alarm in marked:
        status, _ = await api.post(f"/alarms/{alarm['id']}/acknowledge", {"name": "王芳", "comment": "演练"})
        assert status == 200
    status, ended = await api.post(f"/drills/{drill['id']}/end", {"name": "赵磊", "comment": "到此为止"})
    assert (status, ended["reason"], ended["ended_by"]) == (200, "到此为止", "赵磊")
    status, _ = await api.post(f"/drills/{drill['id']}/end", {"name": "赵磊"})
    assert status == 409
    report = await api.get(f"/drills/{drill['id']}/report")
    assert [each["result"] for each in report["expected"]] == ["met"]
    assert report["met"] == 1
    async with api._session.get(f"{api._url}/drills/{drill['id']}/report.html") as page:
        assert page.status == 200
        text = await page.text()
    assert "演练报告" in text
    assert "王芳" in text
    samples = await api.get("/tags/works/GT-101/samples", start="2026-01-01T00:00:00Z")
    assert samples["samples"] == [], "no reading of a drill is in the history"


async def test_presence_and_handover(running: tuple[Service, Api, int]) -> None:
    service, api, port = running
    await reads(port, GT_101=25)
    await screen_with(api, lambda found: found["standing_total"] == 2)
    before = next(each for each in (await api.get("/desks"))["items"] if each["id"] == DESK)
    status, _ = await api.post(f"/desks/{DESK}/presence", {})
    assert status == 200

    async def noted() -> bool:
        now = next(each for each in (await api.get("/desks"))["items"] if each["id"] == DESK)
        return bool(now["input_at"] > before["input_at"])

    await until(noted)
    status, made = await api.post(f"/desks/{DESK}/handovers", {"name": "王芳", "notes": "GT-101 正在校验"})
    assert status == 200
    assert {each["tag"] for each in made["alarms"]} == {"GT-101"}
    screen = await api.get("/watch", desk=DESK)
    assert [each["id"] for each in screen["handovers"]] == [made["id"]]
    status, _ = await api.post(f"/handovers/{made['id']}/sign", {"name": "王芳"})
    assert status == 409
    address, body = f"{service.url}/handovers/{made['id']}/sign", {"name": "李强"}
    async with aiohttp.ClientSession(headers=HEADERS) as session:
        async with session.post(address, json=body, headers={"AnShao-Desk": "nowhere"}) as answer:
            assert answer.status == 400
            assert "AnShao-Desk" in (await answer.json())["detail"]
        async with session.post(address, json=body, headers={"AnShao-Desk": DESK}) as answer:
            assert answer.status == 200
    status, _ = await api.post(f"/handovers/{made['id']}/sign", {"name": "赵磊"})
    assert status == 409
    (listed,) = await api.every(f"/desks/{DESK}/handovers")
    assert (listed["incoming"], listed["outgoing"]) == ("李强", "王芳")
    assert (await api.get(f"/handovers/{made['id']}"))["digest"] == made["digest"]
    assert (await api.get("/watch", desk=DESK))["handovers"] == []
    for path in ("/watch", "/watch/alarms"):
        async with api._session.get(f"{api._url}{path}", params={"desk": "nowhere", "group": "standing"}) as answer:
            assert answer.status in {400, 404}


async def test_a_drill_ends_when_the_service_dies_in_the_middle(running: tuple[Service, Api, int]) -> None:
    service, api, _ = running
    begin = {"scenario": "leak", "circle": [], "leader": "赵磊", "name": "王芳"}
    status, drill = await api.post("/drills", begin)
    assert status == 200
    await screen_with(api, lambda found: found["drills"] and found["drills"][0]["alarms_total"] == 2)
    service.kill()
    service.start()
    await service.ready()

    async def ended() -> Any:
        found = (await api.get("/drills"))["items"][0]
        return found if found["ended_at"] else None

    found = await until(ended)
    assert found["id"] == drill["id"]
    assert "started anew" in found["reason"]
    assert [each for each in await api.every("/alarms", active="true") if each["tag"] == "GT-101"] == []
    status, _ = await api.post("/drills", begin)
    assert status == 200
