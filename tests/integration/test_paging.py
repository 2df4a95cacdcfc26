"""A reading becomes a message to a person, by the real service and real wires; kill -9 in between loses nothing."""

import asyncio
import base64
import io
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import aiomqtt
import openpyxl
import orjson
import pytest
import yaml
from aiohttp import web
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from tests import servers
from tests.office import Receiver, receiver
from tests.running import HEADERS, Service, api_of, main_file, site_of, until, write_yaml

SITE = site_of(
    [
        {
            "id": "tankfarm",
            "name": "罐区",
            "tags": [
                {"tag": tag, "measurand": "pressure", "engineering_unit": "kPa", "range": [0, 400], "stale": "off",
                 "limits": {"HH": {"setpoint": 300, "deadband": 5, "on_delay": 0, "off_delay": 0}}}
                for tag in ("PI-101", "PI-102")
            ],
        }
    ]
)  # fmt: skip
CONTACTS = """id,name,post,enterprise,region,phone
op,操作员,operator,works,,13800000001
wang,王芳,duty,,370783,13800000002
"""


@asynccontextmanager
async def paging(
    folder: Path, broker: servers.Broker, ledger: str | None = None
) -> AsyncIterator[tuple[Service, Receiver]]:
    """A service with one channel, and the receiver behind it."""
    async with receiver() as county:
        sections: dict[str, Any] = {} if ledger is None else {"ledger": {"url": ledger}}
        main = main_file(broker={"url": broker.url}, historian={"kind": "duckdb"}, response="response.yaml", **sections)
        channel = {"id": "sms", "kind": "webhook", "url": f"{county.url}/?to={{phone}}", "secret": "whsec_12345678"}
        write_yaml(
            folder / "response.yaml",
            {"contacts": "contacts.csv", "channels": [channel], "limits": {"test_interval": "0s", "backoff": "100ms"}},
        )
        (folder / "contacts.csv").write_text(CONTACTS, encoding="utf-8")
        service = Service.configured(folder, main, SITE)
        service.start()
        try:
            await service.ready()
            yield service, county
        finally:
            assert service.stop() == 0, service.log.read_text()[-4000:]


async def reads(broker: servers.Broker, **values: float) -> None:
    """A gateway's reading."""
    async with aiomqtt.Client(broker.host, broker.port) as client:
        body = {
            "ts": time.time_ns() // 1_000_000,
            "values": {key.replace("_", "-"): value for key, value in values.items()},
        }
        await client.publish("anshao/v1/works/gw1/data", orjson.dumps(body), qos=1)


async def got(county: Receiver, enough: Callable[[list[Any]], bool]) -> list[Any]:
    """What has been received about incidents of the works, once it is enough."""

    async def look() -> list[Any]:
        found = [body["data"] for body in county.bodies if "测试厂" in body["data"]["subject"]]
        return found if enough(found) else []

    result: list[Any] = await until(look)
    return result


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_a_reading_pages_both_sides_and_their_codes_acknowledge(
    request: pytest.FixtureRequest, tmp_path: Path, broker: servers.Broker, kind: str
) -> None:
    ledger = None if kind == "sqlite" else request.getfixturevalue("postgres_url")
    async with paging(tmp_path, broker, ledger) as (service, county), api_of(service.url) as api:
        begin = time.monotonic()
        await reads(broker, PI_101=310, PI_102=310)
        told = await got(county, lambda found: {each["contact"] for each in found} >= {"op", "wang"})
        assert time.monotonic() - begin < 5
        incident = told[0]["incident"]
        codes = {each["contact"]: each["code"] for each in told if each["grade"] == "orange"}
        async with aiohttp.ClientSession() as anybody:
            for contact, side in (("op", "enterprise"), ("wang", "desk")):
                body = {"code": codes[contact], "name": "某人"}
                async with anybody.post(f"{service.url}/acknowledge-code", json=body) as answer:
                    assert (answer.status, (await answer.json())["side"]) == (200, side)
        found = await api.get(f"/incidents/{incident}")
        assert found["state"] == "acknowledged"
        assert found["tier"] == 3
        response = await api.get(f"/incidents/{incident}/response")
        assert (response["plan"], response["acknowledge_by"]) == ("default-orange", None)
        kinds = [entry["kind"] for entry in found["history"]]
        assert {"incident.pushed", "message.queued", "message.delivered", "message.acknowledged"} <= set(kinds)
        assert {entry["enterprise"] for entry in found["history"]} == {"works"}
        states = {message["state"] for message in await api.every("/messages", incident=incident)}
        assert states <= {"acknowledged", "superseded", "delivered"}


async def test_what_a_killed_service_had_to_say_is_said_by_the_next(tmp_path: Path, broker: servers.Broker) -> None:
    async with paging(tmp_path, broker) as (service, county):
        refused = asyncio.Event()

        async def refuse(_: web.Request) -> web.Response:
            refused.set()
            return web.Response(status=503)

        county.answer = refuse
        await reads(broker, PI_101=310)
        await asyncio.wait_for(refused.wait(), 10)
        service.kill()
        county.answer = None
        before = len(county.got)
        service.start()
        await service.ready()
        told = await got(county, lambda found: {each["contact"] for each in found[before:]} >= {"op", "wang"})
        assert len({each["incident"] for each in told}) == 1
        async with api_of(service.url) as api:

            async def all_delivered() -> bool:
                messages = await api.every("/messages", incident=told[0]["incident"])
                return {message["state"] for message in messages} <= {"delivered", "superseded"}

            await until(all_delivered)


async def test_a_deadline_that_passes_while_the_service_is_down_is_handled_at_its_start(
    tmp_path: Path, broker: servers.Broker
) -> None:
    async with paging(tmp_path, broker) as (service, county):
        await reads(broker, PI_101=310)
        await got(county, lambda found: len(found) >= 2)
        service.kill()
        engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/data/ledger.sqlite")
        async with engine.begin() as connection:
            await connection.execute(text("UPDATE escalation SET acknowledge_by = acknowledge_by - 600000"))
        await engine.dispose()
        service.start()
        await service.ready()
        told = await got(county, lambda found: any(each["reason"] == "not_acknowledged" for each in found))
        assert told[-1]["tier"] == 3


async def test_a_channel_that_is_down_is_an_alarm_of_the_service(tmp_path: Path, broker: servers.Broker) -> None:
    async with paging(tmp_path, broker) as (service, county), api_of(service.url) as api:

        async def refuse(_: web.Request) -> web.Response:
            return web.Response(status=500)

        county.answer = refuse
        await reads(broker, PI_101=310)

        async def alarm() -> list[Any]:
            return list((await api.get("/alarms", enterprise="anshao", tag="channel.sms"))["items"])

        (raised,) = await until(alarm)
        assert (raised["rule"], raised["state"]) == ("FAILING", "unacknowledged")
        county.answer = None

        async def returned() -> bool:
            return bool((await alarm())[0]["state"] == "returned_unacknowledged")

        await until(returned)


async def test_a_revision_changes_contacts_and_channels_while_everything_runs(
    tmp_path: Path, broker: servers.Broker
) -> None:
    async with paging(tmp_path, broker) as (service, county), receiver() as city, api_of(service.url) as api:
        await reads(broker, PI_101=310)
        await got(county, lambda found: len(found) >= 2)
        old = yaml.safe_load((tmp_path / "response.yaml").read_text(encoding="utf-8"))
        new = {"id": "city", "kind": "webhook", "url": f"{city.url}/?to={{phone}}", "secret": "whsec_87654321"}
        changed = old | {"channels": [new]}
        documents = {
            "response.yaml": yaml.safe_dump(changed, allow_unicode=True),
            "contacts.csv": CONTACTS.replace("13800000002", "13811111111"),
        }
        (newest, *_) = (await api.get("/config/revisions"))["items"]
        body = {"documents": documents, "author": "王芳", "reason": "换通道", "based_on": newest["number"]}
        status, answer = await api.post("/config/revisions", body)
        assert status == 200, answer
        assert [each["id"] for each in (await api.get("/channels"))["items"]] == ["city"]
        await reads(broker, PI_102=310)
        told = await got(city, lambda found: {each["contact"] for each in found} >= {"op", "wang"})
        assert {each["address"] for each in told if each["contact"] == "wang"} == {"13811111111"}
        assert not any(each["grade"] == "orange" for each in (body["data"] for body in county.bodies))


async def test_a_workbook_of_contacts_becomes_a_revision(tmp_path: Path, broker: servers.Broker) -> None:
    async with paging(tmp_path, broker) as (service, _), api_of(service.url) as api:
        async with (
            aiohttp.ClientSession(headers=HEADERS) as session,
            session.get(f"{service.url}/contacts/export") as exported,
        ):
            content = await exported.read()
        book = openpyxl.load_workbook(io.BytesIO(content))
        sheet = book.worksheets[0]
        sheet.append(["li", "李强", "duty", "", "", "", "370783", "13900000000"])
        packed = io.BytesIO()
        book.save(packed)
        (newest, *_) = (await api.get("/config/revisions"))["items"]
        file = {"name": "contacts.xlsx", "content": base64.b64encode(packed.getvalue()).decode()}
        body = {"files": [file], "author": "王芳", "reason": "新值班员", "based_on": newest["number"]}
        status, answer = await api.post("/config/revisions", body)
        assert status == 200, answer
        assert [each["id"] for each in (await api.get("/contacts"))["items"]] == ["li", "op", "wang"]
