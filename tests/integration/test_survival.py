"""What is promised when something crashes: nothing lost, nothing doubled, no alarm cleared or forgotten."""

import asyncio
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests import load, servers
from tests.running import Api, Service, api_of, main_file, until


@pytest.fixture
def service(tmp_path: Path, broker: servers.Broker, influx: servers.InfluxDatabase) -> Service:
    """A service on Mosquitto and InfluxDB, with the load's tags."""
    service = Service.configured(tmp_path, settings(broker, influx.url, influx.name), load.site())
    service.command = True
    return service


def settings(broker: servers.Broker, influx_url: str, database: str) -> dict[str, Any]:
    """Its main file."""
    return main_file(
        broker={"url": broker.url},
        historian={"kind": "influxdb", "url": influx_url, "write_api": "v1", "database": database},
    )


async def test_kill_minus_nine_loses_doubles_and_clears_nothing(
    service: Service, broker: servers.Broker, influx: servers.InfluxDatabase, request: pytest.FixtureRequest
) -> None:
    rounds = request.config.getoption("--kill-rounds")
    dice = random.Random(int(time.time()))
    service.start()
    await service.ready()
    stop = asyncio.Event()
    stream = load.Load(time.time_ns() // 1_000_000)
    publishing = asyncio.create_task(stream.publish(broker.port, stop))
    for _ in range(rounds):
        await asyncio.sleep(dice.uniform(1.0, 5.0))
        service.kill()
        await asyncio.sleep(dice.uniform(0.0, 1.0))
        service.start()
        await service.ready()
    await asyncio.sleep(3)
    stop.set()
    await asyncio.wait_for(publishing, 120)
    async with api_of(service.url) as api:
        await until(lambda: is_forwarded(api), 120)
        expected = stream.expected(service.folder)
        found = await settled_transitions(api, expected)
    assert service.stop() == 0
    assert_same(found, expected)
    await assert_stored_once(stream, influx)
    assert_journal_holds(service)


async def test_outages_of_influxdb_and_broker_lose_nothing_and_show(
    tmp_path: Path, broker: servers.Broker, request: pytest.FixtureRequest
) -> None:
    seconds = request.config.getoption("--outage-seconds")
    with servers.influxd() as server, servers.influx_database(server) as database:
        service = Service.configured(tmp_path, settings(broker, server.url, database.name), load.site())
        service.command = True
        service.start()
        await service.ready()
        stop = asyncio.Event()
        stream = load.Load(time.time_ns() // 1_000_000)
        publishing = asyncio.create_task(stream.publish(broker.port, stop))
        async with api_of(service.url) as api:
            await until(lambda: is_forwarded(api, at_least=5_000))
            await asyncio.to_thread(server.stop)
            down_at = stream.steps
            await until(lambda: component(api, "historian", "down"))
            await until(lambda: alarm_is_in(api, "historian", "DOWN"))
            await asyncio.sleep(seconds)
            # Alarms of readings sent after InfluxDB stopped, seen while it is still away.
            raised = load.journaled(await api.every("/journal"))
            assert any(at > stream.time(down_at) for _, _, entered, at in raised if entered)
            health = await api.get("/health")
            assert health["status"] == "degraded"
            assert health["components"]["historian"]["backlog"] > 0
            await asyncio.to_thread(broker.stop)
            await until(lambda: component(api, "broker", "down"))
            await until(lambda: alarm_is_in(api, "broker", "DOWN"))
            await asyncio.to_thread(broker.start)
            await until(lambda: component(api, "broker", "ok"))
            await asyncio.to_thread(server.start)
            await until(lambda: component(api, "historian", "ok"), 60)
            await asyncio.sleep(3)
            stop.set()
            await asyncio.wait_for(publishing, 120)
            await until(lambda: is_forwarded(api), 120)
            await until(lambda: has_returned(api, "historian", "DOWN"))
            await until(lambda: has_returned(api, "broker", "DOWN"))
            expected = stream.expected(service.folder)
            found = await settled_transitions(api, expected)
        assert service.stop() == 0
        assert_same(found, expected)
        await assert_stored_once(stream, database)
        assert_journal_holds(service)


async def is_forwarded(api: Api, at_least: int = 0) -> bool:
    """All samples taken are in the historian."""
    health = await api.get("/health")
    return bool(health["components"]["historian"]["backlog"] == 0 and health["readings"]["total"] >= at_least)


async def settled_transitions(api: Api, expected: load.Transitions) -> load.Transitions:
    """The journal's transitions, once there are as many as expected; after a while, however many there are."""
    deadline = time.monotonic() + 20
    while True:
        found = load.journaled(await api.every("/journal"))
        if sum(found.values()) >= sum(expected.values()) or time.monotonic() > deadline:
            return found
        await asyncio.sleep(0.5)


async def component(api: Api, name: str, status: str) -> bool:
    """The health document says so."""
    return bool((await api.get("/health"))["components"][name]["status"] == status)


async def alarm_is_in(api: Api, tag: str, rule: str) -> bool:
    """The service's own alarm is in."""
    alarms = (await api.get("/alarms", enterprise="anshao", active="true"))["items"]
    return any((alarm["tag"], alarm["rule"], alarm["condition"]) == (tag, rule, True) for alarm in alarms)


async def has_returned(api: Api, tag: str, rule: str) -> bool:
    """The service's own alarm has left, and waits for acknowledgement."""
    alarms = (await api.get("/alarms", enterprise="anshao", active="true"))["items"]
    return any(
        (alarm["tag"], alarm["rule"], alarm["state"]) == (tag, rule, "returned_unacknowledged") for alarm in alarms
    )


def assert_same(found: load.Transitions, expected: load.Transitions) -> None:
    """The same transitions at the same source times, each as often."""
    assert sum(expected.values()) > 100
    missing, doubled = expected - found, found - expected
    assert not missing, f"{sum(missing.values())} missing, e.g. {missing.most_common(5)}"
    assert not doubled, f"{sum(doubled.values())} too many, e.g. {doubled.most_common(5)}"


async def assert_stored_once(stream: load.Load, influx: servers.InfluxDatabase) -> None:
    """Every reading published is in InfluxDB, once, with its value."""
    answer = await asyncio.to_thread(influx.query, "SELECT count(value) FROM sample WHERE enterprise='works'")
    assert answer[0]["values"][0][1] == stream.steps * load.TAGS
    for tag in random.Random(0).sample(range(load.TAGS), 5):
        statement = f"SELECT value FROM sample WHERE enterprise='works' AND \"tag\"='T-{tag:04}'"
        rows = (await asyncio.to_thread(influx.query, statement))[0]["values"]
        expected = [stream.values(step)[tag] for step in range(stream.steps)]
        assert [row[1] for row in rows] == expected


def assert_journal_holds(service: Service) -> None:
    """``anshao journal verify`` says so."""
    command: list[str | Path] = [
        Path(sys.executable).with_name("anshao"),
        "journal",
        "verify",
        "--config",
        service.folder / "anshao.yaml",
    ]
    verified = subprocess.run(command, capture_output=True, text=True, check=False)
    assert verified.returncode == 0, verified.stdout + verified.stderr
