"""A flood: 10,000 alarms raised within a second by readings through Mosquitto, and a real one in the middle.

The limits of 10,000 thermometers are exceeded in one second, through the broker at QoS 1; half way a hydrogen sulphide
detector goes over its second level. A page on the WebSocket notes when each alarm arrives. Then, with all of them
active, the lists are asked for. Beside it the same rows are written to the same database by nothing but its driver.
With ``--loss`` it is a gateway with 3,000 tags that is lost, and the detector of another one that leaks while they fall
silent. ``python -m benchmarks.flood``
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import mqtt5
import orjson
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import create_async_engine

from alerting.ledger import schema
from benchmarks import wire
from benchmarks.report import publish
from tests import servers
from tests.running import Api, Service, api_of, main_file, site_of

UNITS = 20
VALUES = 20
"""Readings in a message."""
LEAK = "GT-001"
DESK = "370783"
ALLOWED = {"journal_s": 5.0, "list_ms": 200.0}
NO_DELAY = {"deadband": 1, "on_delay": 0, "off_delay": 0}


def site(alarms: int, *, stale: str = "off") -> dict[str, Any]:
    """So many thermometers in units of equal size, and one detector in a major hazard source of level 1."""
    units: list[dict[str, Any]] = [
        {
            "id": f"unit{number:02}",
            "name": f"{number} 号装置",
            "tags": [
                {
                    "tag": f"T-{tag:05}",
                    "measurand": "temperature",
                    "engineering_unit": "°C",
                    "gateway": "gw1",
                    "stale": stale,
                    "limits": {"H": {"setpoint": 80, **NO_DELAY}},
                }
                for tag in range(number, alarms, UNITS)
            ],
        }
        for number in range(UNITS)
    ]
    detector = {
        "tag": LEAK,
        "measurand": "h2s",
        "engineering_unit": "mg/m3",
        "range": [0, 100],
        "gateway": "gw2",
        "stale": "off",
    }
    units.append({"id": "pumps", "name": "泵区", "hazard_level": 1, "tags": [detector]})
    return site_of(units, gateways=[{"id": "gw1", "name": "测温网关"}, {"id": "gw2", "name": "气体网关"}])


@dataclass
class Seen:
    """What a page on the WebSocket has seen: seconds of ``time.time`` at which each alarm arrived, by tag and rule."""

    arrived: dict[str, float] = field(default_factory=dict)
    sequence: int = 0
    gaps: int = 0

    def take(self, text: str, at: float) -> None:
        """A message has come."""
        body = orjson.loads(text)
        if body["type"] != "entry":
            return
        self.gaps += self.sequence not in {0, body["sequence"] - 1}
        self.sequence = body["sequence"]
        entry = body["entry"]
        if entry["kind"] == "alarm.entered":
            self.arrived.setdefault(f"{entry['tag']}/{entry['rule']}", at)


def packets(alarms: int, value: float, at: int) -> list[bytes]:
    """Messages with a reading of every thermometer."""
    made = []
    for first in range(0, alarms, VALUES):
        values = {f"T-{tag:05}": value for tag in range(first, min(first + VALUES, alarms))}
        made.append(packet({"ts": at, "values": values}, first // VALUES + 1))
    return made


def packet(body: Mapping[str, Any], number: int, topic: str = "gw1/data") -> bytes:
    """One PUBLISH."""
    return mqtt5.PublishPacket(
        f"anshao/v1/works/{topic}", orjson.dumps(body), qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=number % 60_000 + 1
    ).write()


def leak(number: int) -> tuple[float, bytes]:
    """When the detector reads far too much (s), and its message."""
    at = time.time()
    return at, packet({"ts": round(at * 1000), "values": {LEAK: 45.0}}, number, "gw2/data")


async def raise_all(port: int, alarms: int) -> tuple[float, float, float]:
    """Publish within a second; when the first, the leak and the last were sent (s)."""
    connection, _ = await wire.connect(port, "flood-gateway")
    now = time.time_ns() // 1_000_000
    connection.write(b"".join(packets(alarms, 20.0, now - 1_000)))
    await asyncio.sleep(3)
    messages = packets(alarms, 95.0, time.time_ns() // 1_000_000)
    steps, leak_at = 20, 0.0
    begin = time.time()
    for step in range(steps):
        connection.write(b"".join(messages[step * len(messages) // steps : (step + 1) * len(messages) // steps]))
        if step == steps // 2:
            leak_at, message = leak(59_000)
            connection.write(message)
        await asyncio.sleep(max(0.0, begin + (step + 1) * 0.95 / steps - time.time()))
    return begin, leak_at, time.time()


async def lose_all(port: int, tags: int) -> tuple[float, float, float]:
    """Lose a gateway; when it said so, when the leak and the last tag's silence were due (s)."""
    connection, _ = await wire.connect(port, "flood-gateway")
    for number in range(3):
        connection.write(b"".join(packets(tags, 20.0, time.time_ns() // 1_000_000)))
        # Its tags were read over a second, so they fall silent over a second.
        half = packets(tags // 2, 20.0, time.time_ns() // 1_000_000 + 500)
        await asyncio.sleep(0.5)
        connection.write(b"".join(half))
        await asyncio.sleep(0.5 if number < 2 else 0.0)
    begin = time.time()
    connection.write(packet({"online": False}, 58_000, "gw1/status"))
    await asyncio.sleep(2.75)  # the first half has been silent for 3 s, the second for less
    leak_at, message = leak(59_000)
    connection.write(message)
    return begin, leak_at, begin + 3.0


async def timed(api: Api, path: str, times: int, **query: Any) -> list[float]:
    """Ms of each of so many requests."""
    taken = []
    for _ in range(times):
        begin = time.perf_counter()
        await api.get(path, **query)
        taken.append((time.perf_counter() - begin) * 1000)
    return taken


async def bare(ledger: str) -> float:
    """Seconds that the driver alone needs to write the same journal and alarms again, in one transaction."""
    engine = create_async_engine(ledger)
    async with engine.connect() as connection:
        entries = [dict(row) for row in (await connection.execute(select(schema.journal))).mappings()]
        alarms = [dict(row) for row in (await connection.execute(select(schema.alarm))).mappings()]
    for row in entries:
        row["sequence"] += 10_000_000
    for row in alarms:
        row["id"] += 10_000_000
    begin = time.perf_counter()
    async with engine.begin() as connection:
        await connection.execute(insert(schema.journal), entries)
        await connection.execute(insert(schema.alarm), alarms)
    taken = time.perf_counter() - begin
    await engine.dispose()
    return taken


async def measure(asked: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """One flood."""
    with ExitStack() as opened:
        broker = opened.enter_context(servers.mosquitto())
        influx = opened.enter_context(servers.influxd())
        database = opened.enter_context(servers.influx_database(influx))
        if asked.ledger == "postgresql":
            ledger = opened.enter_context(opened.enter_context(servers.postgres()).database())
        else:
            ledger = f"sqlite+aiosqlite:///{folder / 'ledger.sqlite'}"
        main = main_file(
            broker={"url": broker.url},
            historian={"kind": "influxdb", "url": influx.url, "write_api": "v1", "database": database.name},
            ledger={"url": ledger},
        )
        service = Service.configured(folder, main, site(asked.alarms, stale="3s" if asked.loss else "off"))
        service.start()
        opened.callback(service.stop)
        await service.ready()
        expected = asked.alarms + (3 if asked.loss else 2)  # H and HH of the detector, LINK of the lost gateway
        seen = Seen()
        async with api_of(service.url) as api, api.live() as page:
            cause = lose_all if asked.loss else raise_all
            publishing = asyncio.create_task(cause(broker.port, asked.alarms))
            while len(seen.arrived) < expected:
                message = await page.receive(30)
                if message.type is not aiohttp.WSMsgType.TEXT:
                    raise RuntimeError(f"the page was cut: {message}")
                seen.take(message.data, time.time())
            begin, leak_at, last = await publishing
            watch = await timed(api, "/watch", asked.requests, desk=DESK)
            lists = await timed(api, "/alarms", asked.requests, active="true")
            screen = await api.get("/watch", desk=DESK)
            active = [
                each
                for each in await api.every("/alarms", active="true", enterprise="works")
                if asked.loss or not each["tag"].startswith("@")  # a gateway's own, where the machine is busy
            ]
            journaled = {
                (entry["tag"], entry["rule"])
                for entry in await api.every("/journal", kind="alarm.entered", enterprise="works")
            }
        service.stop()
        arrived = [at - begin for at in seen.arrived.values()]
        baseline = await bare(ledger)
        assert len(active) == expected, (len(active), expected)
        assert {f"{tag}/{rule}" for tag, rule in journaled} >= seen.arrived.keys()
        assert screen["counts"]["active"] >= expected, screen["counts"]
        assert screen["standing"][0]["tag"] == LEAK, screen["standing"][:2]
        assert seen.gaps == 0
        return {
            "alarms": expected,
            "sent within s": last - begin,
            "all on the page after s": max(arrived),
            "of which after the last reading s": max(arrived) - (last - begin),
            "the real one ms": (seen.arrived[f"{LEAK}/HH"] - leak_at) * 1000,
            "bare database s": baseline,
            "ratio": (max(arrived) - (last - begin)) / baseline,
            "GET /watch ms": statistics.median(watch),
            "its max ms": max(watch),
            "GET /alarms ms": statistics.median(lists),
            "that's max ms": max(lists),
        }


async def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--alarms", type=int, help="10,000, or 3,000 of a lost gateway")
    parser.add_argument("--loss", action="store_true", help="lose a gateway instead")
    parser.add_argument("--requests", type=int, default=20, help="of each list")
    parser.add_argument("--ledger", choices=("postgresql", "sqlite"), default="postgresql")
    asked = parser.parse_args()
    asked.alarms = asked.alarms or (3_000 if asked.loss else 10_000)
    with tempfile.TemporaryDirectory() as folder:
        row = await measure(asked, Path(folder))
    what = "The loss of a gateway with" if asked.loss else "A flood of"
    title = f"{what} {asked.alarms:,} alarms, ledger {asked.ledger}"
    publish("flood-loss" if asked.loss else "flood", title, [row], {"ledger": asked.ledger})
    missed = [
        name
        for name, value, most in (
            ("alarms on the page", row["all on the page after s"], ALLOWED["journal_s"]),
            ("GET /watch", row["its max ms"], ALLOWED["list_ms"]),
            ("GET /alarms", row["that's max ms"], ALLOWED["list_ms"]),
        )
        if value > most
    ]
    if missed:
        raise SystemExit(f"slower than promised: {', '.join(missed)}")


if __name__ == "__main__":
    asyncio.run(main())
