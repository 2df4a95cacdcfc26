"""The configuration is changed while thousands of readings a second flow, and while the service is killed."""

import asyncio
import copy
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from simulators.link import Link
from simulators.publisher import GatewayPublisher, WallClock
from tests import load, servers
from tests.integration.test_survival import is_forwarded
from tests.running import Api, Service, api_of, main_file, until

CHANGED = range(500, load.TAGS)
"""Numbers of the load's tags whose limit HH is moved."""
STEADY = {"measurand": "temperature", "engineering_unit": "°C", "range": [0, 100], "period": "1h", "stale": "off"}
DELAY = 20_000
"""ms, of S-DELAY."""
NO_DELAY = {"deadband": 2, "on_delay": 0, "off_delay": 0}


def site() -> dict[str, Any]:
    """The load's tags, and a few that say nothing but what the test makes them say."""
    made = load.site()
    unit: dict[str, Any] = {
        "id": "steady",
        "name": "对照",
        "tags": [
            {"tag": "S-ACK", **STEADY, "limits": {"H": {"setpoint": 70, **NO_DELAY}}},
            {"tag": "S-SHELF", **STEADY, "limits": {"H": {"setpoint": 70, **NO_DELAY}}},
            {"tag": "S-GONE", **STEADY, "limits": {"H": {"setpoint": 70, **NO_DELAY}}},
            {"tag": "S-DELAY", **STEADY, "limits": {"H": {"setpoint": 70, "deadband": 2, "on_delay": "20s"}}},
        ],
    }
    made["enterprises"][0]["gateways"].append({"id": "gw2", "name": "对照网关"})
    for tag in made["enterprises"][0]["units"][0]["tags"]:
        tag["gateway"] = "gw1"
    for tag in unit["tags"]:
        tag["gateway"] = "gw2"
    made["enterprises"][0]["units"].append(unit)
    return made


def revised(made: dict[str, Any]) -> dict[str, Any]:
    """500 limits moved, one tag gone, and one put before all others so that every index moves."""
    after = copy.deepcopy(made)
    tags = after["enterprises"][0]["units"][0]["tags"]
    for number in CHANGED:
        tags[number]["limits"]["HH"]["setpoint"] = 79
    steady = after["enterprises"][0]["units"][1]["tags"]
    steady[:] = [tag for tag in steady if tag["tag"] != "S-GONE"]
    tags.insert(0, {**STEADY, "tag": "A-FIRST", "gateway": "gw2", "limits": {"H": 90}})
    return after


@pytest.fixture
def service(tmp_path: Path, broker: servers.Broker, influx: servers.InfluxDatabase) -> Iterator[Service]:
    historian = {"kind": "influxdb", "url": influx.url, "write_api": "v1", "database": influx.name}
    service = Service.configured(tmp_path, main_file(broker={"url": broker.url}, historian=historian), site())
    yield service
    service.kill()


async def publish(port: int, **values: float) -> int:
    """One reading each by the second gateway; its source time."""
    at = time.time_ns() // 1_000_000
    publisher = GatewayPublisher(Link("works", "gw2", "127.0.0.1", port), WallClock(), limit=1_000)
    done = asyncio.Event()
    running = asyncio.create_task(publisher.run(done))
    publisher.put(at, {name.replace("_", "-"): value for name, value in values.items()})
    while len(publisher.store):
        await asyncio.sleep(0.02)
    done.set()
    await running
    return at


async def revise(api: Api, after: dict[str, Any], **signed: Any) -> tuple[int, Any]:
    """Send another site file."""
    text = yaml.safe_dump(after, allow_unicode=True, sort_keys=False)
    body = {"documents": {"site.yaml": text}, "author": "李工", "reason": "tuned", "based_on": 1, **signed}
    return await api.post("/config/revisions", body)


async def active(api: Api) -> dict[str, Any]:
    """Alarms of the second gateway's tags that are not normal, by tag."""
    alarms = await api.every("/alarms", unit="steady", enterprise="works")
    return {alarm["tag"]: alarm for alarm in alarms if alarm["state"] != "normal"}


async def test_500_limits_change_under_load_and_the_others_lose_nothing(
    service: Service, broker: servers.Broker, influx: servers.InfluxDatabase
) -> None:
    service.start()
    await service.ready()
    stop = asyncio.Event()
    stream = load.Load(time.time_ns() // 1_000_000)
    async with asyncio.TaskGroup() as background, api_of(service.url) as api:
        publishing = background.create_task(stream.publish(broker.port, stop))
        await publish(broker.port, S_ACK=80, S_SHELF=80, S_GONE=80)
        before = await until(lambda: _named(api, {"S-ACK", "S-SHELF", "S-GONE"}))
        signed = {"name": "王芳", "comment": "seen"}
        assert (await api.post(f"/alarms/{before['S-ACK']['id']}/acknowledge", signed))[0] == 200
        shelve = {"name": "王芳", "reason": "calibration", "duration": "2h"}
        status, answer = await api.post(f"/alarms/{before['S-SHELF']['id']}/shelve", shelve)
        assert status == 200, answer
        await asyncio.sleep(3)
        delayed = await publish(broker.port, S_DELAY=80)
        status, made = await revise(api, revised(site()))
        assert status == 200, made
        applied_at = time.time_ns() // 1_000_000
        assert applied_at < delayed + DELAY, "the on-delay was over before the revision was applied"
        assert made["number"] == 2
        assert made["counts"]["rule"]["changed"] == len(CHANGED)
        assert made["counts"]["tag"] == {"added": 1, "removed": 1}
        assert (await revise(api, site()))[0] == 409  # based on revision 1, which is past

        after = await active(api)
        assert (after["S-ACK"]["id"], after["S-ACK"]["state"]) == (before["S-ACK"]["id"], "acknowledged")
        suppressed = (await api.get("/suppressed"))["items"]
        assert [item["alarm"] for item in suppressed] == [before["S-SHELF"]["id"]]
        assert "S-GONE" not in after
        entered = await until(lambda: _named(api, {"S-DELAY"}), 40)
        assert _ms(entered["S-DELAY"]["entered_at"]) == delayed + DELAY
        await asyncio.sleep(3)
        stop.set()
        await asyncio.wait_for(publishing, 120)
        await until(lambda: is_forwarded(api), 120)
        expected = Counter({key: n for key, n in stream.expected(service.folder).items() if _number(key[0]) < 500})
        deadline = time.monotonic() + 20
        while True:
            journal = await api.every("/journal")
            found = Counter({key: n for key, n in load.journaled(journal).items() if _number(key[0]) < 500})
            if sum(found.values()) >= sum(expected.values()) or time.monotonic() > deadline:
                break
            await asyncio.sleep(0.5)
        assert sum(expected.values()) > 100
        assert found == expected
        withdrawn = [entry for entry in journal if entry["kind"] == "alarm.withdrawn"]
        assert [(entry["tag"], "removed" in entry["data"]["reason"]) for entry in withdrawn] == [("S-GONE", True)]
        (entry,) = [entry for entry in journal if entry["kind"] == "config.revised" and entry["data"]["revision"] == 2]
        assert (entry["actor"], entry["data"]["author"]) == ("tests", "李工")
        versions = {
            entry["data"]["rule_version"]
            for entry in journal
            if entry["kind"] == "alarm.entered" and entry["rule"] == "HH" and _number(entry["tag"]) >= 500
        }
        assert versions <= {1, 2}
        refused = (await api.get("/quarantine"))["items"]
        assert refused == []
    assert service.stop() == 0, service.log.read_text()[-3000:]
    answer = await asyncio.to_thread(influx.query, "SELECT count(value) FROM sample WHERE enterprise='works'")
    assert answer[0]["values"][0][1] == stream.steps * load.TAGS + 4
    held_up = [line for line in map(orjson.loads, service.log.read_text().splitlines()) if "held_up_ms" in line]
    print("held up", held_up[0]["held_up_ms"], "ms")


async def test_killed_at_any_moment_the_old_or_the_new_revision_is_whole(
    service: Service, request: pytest.FixtureRequest
) -> None:
    rounds = request.config.getoption("--kill-rounds")
    dice = random.Random(int(time.time()))
    number = 1
    setpoint = 78
    for _ in range(rounds):
        service.start()
        await service.ready()
        async with api_of(service.url) as api:
            documents = await api.get("/config/documents")
            text = (await api.get("/config/documents/site.yaml"))["content"]
            held = yaml.safe_load(text)["enterprises"][0]["units"][0]["tags"]
            limits = {tag["limits"]["HH"]["setpoint"] for tag in held[500:]}
            assert documents["revision"] in {number, number - 1}
            number = documents["revision"]
            assert len(limits) == 1, "half a revision"
            (setpoint,) = limits
            shown = (await api.get("/tags", after="works/T-0599", limit=1))["items"][0]["limits"]
            assert {limit["setpoint"] for limit in shown if limit["key"] == "HH"} == {setpoint}
            after = site()
            for tag in after["enterprises"][0]["units"][0]["tags"][500:]:
                tag["limits"]["HH"]["setpoint"] = setpoint + 0.01
            posting = asyncio.create_task(revise(api, after, based_on=number))
            number += 1
            await asyncio.sleep(dice.uniform(0.0, 2.5))
            service.kill()
            await asyncio.gather(posting, return_exceptions=True)
    service.start()
    await service.ready()
    assert service.stop() == 0


async def _named(api: Api, tags: set[str]) -> dict[str, Any] | None:
    found = await active(api)
    return found if tags <= found.keys() else None


def _number(tag: str) -> int:
    return int(tag.removeprefix("T-")) if tag.startswith("T-") else -1


def _ms(text: str) -> int:
    from datetime import datetime  # noqa: PLC0415

    return round(datetime.fromisoformat(text).timestamp() * 1000)
