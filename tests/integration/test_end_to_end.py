"""The whole chain, from a gateway's message to page, alarm topic, webhook and historian, on each set of servers."""

import asyncio
import base64
import hashlib
import hmac
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import aiomqtt
import orjson
import pytest
from aiohttp import web

from domain.clock import iso
from tests import servers
from tests.running import Api, Service, api_of, main_file, site_of, until

SECRET = "whsec_" + base64.b64encode(b"a secret of the tests").decode()

SITE = site_of(
    [
        {
            "id": "tankfarm",
            "name": "罐区",
            "hazard_level": 3,
            "tags": [
                {"tag": "GT-101", "measurand": "h2s", "engineering_unit": "mg/m3", "range": [0, 100]},
                {"tag": "GT-103", "measurand": "h2s", "engineering_unit": "mg/m3", "range": [0, 100]},
                {"tag": "LI-101", "measurand": "flow", "engineering_unit": "m3/h", "stale": "off"},
            ],
        }
    ]
)


@dataclass
class Chain:
    """A service with its servers, and how to read samples back."""

    service: Service
    broker_port: int
    samples: Callable[[Api, str], Awaitable[list[tuple[int, float]]]]
    hooks: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


async def samples_by_api(api: Api, tag: str) -> list[tuple[int, float]]:
    """What the service reads back from its historian."""
    answer = await api.get(f"/tags/works/{tag}/samples", start=iso(time.time_ns() // 1_000_000 - 600_000))
    return [(milliseconds(sample["t"]), sample["v"]) for sample in answer["samples"]]


def milliseconds(text: str) -> int:
    """Ms UTC of an ISO time."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


@contextmanager
def set_of_servers(name: str, request: pytest.FixtureRequest) -> Iterator[tuple[dict[str, Any], int, Any]]:
    """Sections of the main file, the broker's port, and a reader of samples."""
    if name == "embedded":
        port = servers.free_port()
        sections = {
            "broker": {"url": f"mqtt://127.0.0.1:{port}", "embedded": True},
            "historian": {"kind": "duckdb"},
        }
        yield sections, port, samples_by_api
        return
    broker: servers.Broker = request.getfixturevalue("broker")
    if name == "influxdb":
        influx: servers.InfluxDatabase = request.getfixturevalue("influx")
        sections = {
            "broker": {"url": broker.url},
            "historian": {"kind": "influxdb", "url": influx.url, "write_api": "v1", "database": influx.name},
            "ledger": {"url": request.getfixturevalue("postgres_url")},
        }
        yield sections, broker.port, samples_by_api
        return
    victoria: servers.Victoria = request.getfixturevalue("victoria")

    async def samples_by_export(_api: Api, tag: str) -> list[tuple[int, float]]:
        rows = await asyncio.to_thread(victoria.export, f'{{__name__="sample_value",tag="{tag}"}}')
        return sorted(
            (time_, value) for row in rows for time_, value in zip(row["timestamps"], row["values"], strict=True)
        )

    sections = {
        "broker": {"url": broker.url},
        "historian": {"kind": "influxdb", "url": victoria.url, "write_api": "v2", "token": "any-token"},
    }
    yield sections, broker.port, samples_by_export


@pytest.fixture(params=["embedded", "influxdb", "victoria"])
async def chain(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Chain]:
    """The service on one set of servers, with a webhook receiver."""
    hooks: list[tuple[dict[str, str], bytes]] = []

    async def receive(asked: web.Request) -> web.Response:
        hooks.append((dict(asked.headers), await asked.read()))
        return web.Response(status=503 if len(hooks) == 1 else 204)

    app = web.Application()
    app.router.add_post("/hook", receive)
    runner = web.AppRunner(app)
    await runner.setup()
    hook_port = servers.free_port()
    await web.TCPSite(runner, "127.0.0.1", hook_port).start()
    with set_of_servers(request.param, request) as (sections, broker_port, samples):
        main = main_file(
            **sections,
            webhooks=[{"name": "county", "url": f"http://127.0.0.1:{hook_port}/hook", "secret": SECRET}],
        )
        service = Service.configured(tmp_path, main, SITE)
        service.command = True
        service.start()
        try:
            await service.ready()
            yield Chain(service, broker_port, samples, hooks)
        finally:
            assert service.stop() == 0, service.log.read_text()[-4000:]
            await runner.cleanup()


@asynccontextmanager
async def gateway(port: int) -> AsyncIterator[aiomqtt.Client]:
    """A gateway's connection, with the statuses and last will that it owes."""
    topic = "anshao/v1/works/gw1/status"
    will = aiomqtt.Will(topic, b'{"online": false}', qos=1, retain=True)
    async with aiomqtt.Client("127.0.0.1", port, will=will) as client:
        await client.publish(topic, b'{"online": true}', qos=1, retain=True)
        yield client


async def send(client: aiomqtt.Client, at: int, values: dict[str, Any]) -> None:
    """One message of readings."""
    await client.publish("anshao/v1/works/gw1/data", orjson.dumps({"ts": at, "values": values}), qos=1)


async def test_a_leak_reaches_page_topic_webhook_and_historian(chain: Chain) -> None:
    now = time.time_ns() // 1_000_000 - 70_000  # so that what is sent last is not ahead of the clock
    seen: list[dict[str, Any]] = []
    published: list[dict[str, Any]] = []
    async with (
        api_of(chain.service.url) as api,
        api.live() as page,
        gateway(chain.broker_port) as client,
        aiomqtt.Client("127.0.0.1", chain.broker_port) as listener,
        asyncio.TaskGroup() as group,
    ):
        await listener.subscribe("anshao/v1/alarms/#", qos=1)

        async def watch() -> None:
            async for message in page:
                seen.append(orjson.loads(message.data))  # noqa: PERF401 - read while it grows

        async def listen() -> None:
            async for message in listener.messages:
                if not message.topic.matches("anshao/v1/alarms/#"):
                    continue  # the embedded broker hands stored messages to everybody
                assert isinstance(message.payload, bytes)
                published.append({"topic": message.topic.value, **orjson.loads(message.payload)})

        watching, listening = group.create_task(watch()), group.create_task(listen())

        async def saw(kind: str, **expected: object) -> dict[str, Any] | None:
            for message in seen:
                if message["type"] == "entry":
                    entry = message["entry"]
                    if entry["kind"] == kind and all(entry[key] == value for key, value in expected.items()):
                        return message
            return None

        await send(client, now, {"GT-101": 2.0, "GT-103": 1.5, "LI-101": 30.0})
        await send(client, now + 1000, {"GT-101": 12.5, "GT-103": 2.5})
        first = await until(lambda: saw("alarm.entered", tag="GT-101", rule="H"))
        assert first["alarm"]["grade"] == "blue"
        assert first["alarm"]["value"] == 12.5
        assert first["alarm"]["setpoint"] == 10
        assert first["incident"]["grade"] == "blue"

        await send(client, now + 2000, {"GT-101": 25.0, "GT-103": 3.5})
        await until(lambda: saw("incident.graded"))
        await send(client, now + 3000, {"GT-101": 26.0, "GT-103": 23.0})
        await until(lambda: saw("alarm.entered", tag="GT-103", rule="HH"))

        async def orange() -> Any:
            (incident,) = (await api.get("/incidents", state="open", unit="tankfarm"))["items"]
            return incident if incident["grade"] == "orange" else None

        incident = await until(orange)
        assert {reason["rule"] for reason in incident["reasons"]} >= {"second_level_two_tags"}
        assert incident["alarms_active"] == 4

        alarms = (await api.get("/alarms", active="true", unit="tankfarm"))["items"]
        assert {(alarm["tag"], alarm["rule"]) for alarm in alarms} == {
            ("GT-101", "H"), ("GT-101", "HH"), ("GT-103", "H"), ("GT-103", "HH"),
        }  # fmt: skip
        status, answer = await api.post(f"/incidents/{incident['id']}/close", {"name": "王强", "comment": "误报"})
        assert status == 409, answer

        for alarm in alarms:
            status, answer = await api.post(
                f"/alarms/{alarm['id']}/acknowledge", {"name": "王强", "comment": "已派员核实"}
            )
            assert (status, answer["state"], answer["acknowledged_by"]) == (200, "acknowledged", "王强"), answer
        await send(client, now + 4000, {"GT-101": 1.0, "GT-103": 1.0})
        await send(client, now + 64_000, {"GT-101": 1.0, "GT-103": 1.0})

        async def all_normal() -> bool:
            return not (await api.get("/alarms", active="true", unit="tankfarm"))["items"]

        await until(all_normal)
        for act, said in (
            ("acknowledge", {"name": "王强"}),
            ("acknowledge", {"name": "王强", "side": "enterprise", "person": "李工"}),
            ("verify", {"name": "李工", "result": "real"}),
            ("handle", {"name": "李工", "step": "切断进料"}),
            ("feedback", {"name": "李工", "text": "机封已更换"}),
        ):
            status, answer = await api.post(f"/incidents/{incident['id']}/{act}", said)
            assert status == 200, answer
        photo = b"\x89PNG\r\n\x1a\n" + bytes(300_000)
        attached = await api.upload(f"/incidents/{incident['id']}/attachments", photo, "现场.png", name="李工")
        assert (attached["name"], attached["type"], attached["size"]) == ("现场.png", "image/png", len(photo))
        assert await api.download(f"/attachments/{attached['id']}") == photo
        status, answer = await api.post(f"/incidents/{incident['id']}/close", {"name": "王强", "comment": "泄漏已堵"})
        assert (status, answer["detail"].endswith("the feedback has yet to be reviewed and accepted")) == (409, True)
        await api.post(f"/incidents/{incident['id']}/review", {"name": "王强", "accepted": True})
        status, answer = await api.post(f"/incidents/{incident['id']}/close", {"name": "王强", "comment": "泄漏已堵"})
        assert (status, answer["state"]) == (200, "closed"), answer

        tags = {tag["tag"]: tag for tag in (await api.get("/tags", enterprise="works"))["items"]}
        assert tags["LI-101"]["status"] == "no_limits"
        assert not tags["LI-101"]["has_limits"]

        async def stored() -> bool:
            return await chain.samples(api, "GT-101") == [
                (now, 2.0), (now + 1000, 12.5), (now + 2000, 25.0), (now + 3000, 26.0), (now + 4000, 1.0),
                (now + 64_000, 1.0),
            ]  # fmt: skip

        await until(stored)
        entries = [entry for entry in await api.every("/journal") if entry["kind"].startswith(("alarm.", "incident."))]
        entries.sort(key=lambda entry: int(entry["sequence"]))
        assert [entry["kind"] for entry in entries if entry["tag"] == "GT-103"] == [
            "alarm.entered", "alarm.entered", "alarm.acknowledged", "alarm.acknowledged",
            "alarm.returned", "alarm.returned",
        ]  # fmt: skip

        async def all_told() -> bool:
            return [entry["sequence"] for entry in published] == [entry["sequence"] for entry in entries] and len(
                chain.hooks
            ) == len(entries) + 1

        await until(all_told, 30)
        assert {entry["topic"] for entry in published} == {"anshao/v1/alarms/370783/works"}
        watching.cancel()
        listening.cancel()
    for headers, body in chain.hooks:
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        expected = base64.b64encode(hmac.new(b"a secret of the tests", signed, hashlib.sha256).digest()).decode()
        assert headers["webhook-signature"] == f"v1,{expected}"
    told = {orjson.loads(body)["data"]["sequence"] for _, body in chain.hooks}
    assert told == {entry["sequence"] for entry in entries}
    verified = subprocess.run(
        [
            Path(sys.executable).with_name("anshao"),
            "journal",
            "verify",
            "--config",
            chain.service.folder / "anshao.yaml",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert verified.returncode == 0, verified.stdout
    assert "the journal holds" in verified.stdout
