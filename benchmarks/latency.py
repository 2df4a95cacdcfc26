"""From publishing to the page: the time that an alarm takes at a steady 10,000 readings a second.

A gateway in a process of its own publishes through Mosquitto at QoS 1; samples go to InfluxDB, alarms to PostgreSQL,
with every commit synced to disk. Each reading carries the time of its publishing; a page on the WebSocket notes when
the alarm that it raised arrives. ``python -m benchmarks.latency``
"""

import argparse
import asyncio
import multiprocessing
import tempfile
import time
from pathlib import Path
from typing import Any

import mqtt5
import numpy as np
import orjson
from rich.progress import Progress

from benchmarks import wire
from benchmarks.report import publish
from tests import servers
from tests.running import Service, api_of, main_file, site_of

TAGS = 1_000
TOPIC = "anshao/v1/works/gw1/data"
WARM_UP = 5.0
"""Seconds whose alarms are not counted."""


def site() -> dict[str, Any]:
    """1,000 tags with H and HH and a rate of rise."""
    limits = {
        "H": {"setpoint": 80, "deadband": 2, "on_delay": 0, "off_delay": 0},
        "HH": {"setpoint": 90, "deadband": 2, "on_delay": 0, "off_delay": 0},
    }
    return site_of(
        [
            {
                "id": "bench",
                "name": "测试",
                "tags": [
                    {
                        "tag": f"T-{number:04}",
                        "measurand": "temperature",
                        "engineering_unit": "°C",
                        "range": [0, 200],
                        "limits": limits,
                        "rate": {"rise": {"limit": 15, "per": "1s", "window": "10s"}},
                    }
                    for number in range(TAGS)
                ],
            }
        ]
    )


TRANSITIONS = {"alarm.entered", "alarm.returned", "alarm.damped"}
"""Kinds of entries that tell a transition; a damped return is told when it happens, and again when it counts."""


def gateway(port: int, readings: int, values: int, alarms: int, seconds: float) -> None:
    """Publish ``readings`` a second in messages of so many values; ``alarms`` tags a second cross their limit."""
    asyncio.run(_publish(port, readings, values, alarms, seconds))


async def _publish(port: int, readings: int, values: int, alarms: int, seconds: float) -> None:
    connection, _ = await wire.connect(port, "bench-gateway")
    random = np.random.default_rng(3)
    rate = readings // values
    high = np.zeros(TAGS, dtype=np.bool_)
    loop = asyncio.get_running_loop()
    begin, sent, owed, tag = loop.time(), 0, 0.0, 0
    while loop.time() - begin < seconds:
        due = int((loop.time() - begin) * rate)
        packets = []
        while sent < due:
            owed += alarms / rate
            toggled = -1
            if owed >= 1:
                owed -= 1
                toggled = int(random.integers(values))
            part = [(tag + offset) % TAGS for offset in range(values)]
            tag = (tag + values) % TAGS
            if toggled >= 0:
                high[part[toggled]] = ~high[part[toggled]]
            now = time.time_ns() // 1_000_000
            body = {"ts": now, "values": {f"T-{each:04}": 85.0 if high[each] else 50.0 for each in part}}
            payload = orjson.dumps(body)
            packet = mqtt5.PublishPacket(TOPIC, payload, qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=sent % 60_000 + 1)
            packets.append(packet.write())
            sent += 1
        if packets:
            connection.write(b"".join(packets))
        await asyncio.sleep(0.001)


async def measure(asked: argparse.Namespace, folder: Path) -> tuple[list[float], dict[str, Any]]:
    """Latencies in ms."""
    with (
        servers.mosquitto() as broker,
        servers.influxd() as influx,
        servers.influx_database(influx) as database,
        servers.postgres() as postgres,
        postgres.database() as ledger,
    ):
        service = Service.configured(
            folder,
            main_file(
                broker={"url": broker.url},
                historian={"kind": "influxdb", "url": influx.url, "write_api": "v1", "database": database.name},
                ledger={"url": ledger},
            ),
            site(),
        )
        service.start()
        await service.ready()
        process = multiprocessing.get_context("spawn").Process(
            target=gateway, args=(broker.port, asked.readings, asked.values, asked.alarms, asked.seconds + WARM_UP)
        )
        latencies: list[float] = []
        async with api_of(service.url) as api, api.live() as page:
            process.start()
            begin = time.monotonic()
            with Progress(transient=True) as progress:
                bar = progress.add_task("latency", total=asked.seconds + WARM_UP)
                while time.monotonic() - begin < asked.seconds + WARM_UP:
                    body = orjson.loads((await page.receive(10)).data)
                    arrived = time.time() * 1000
                    progress.update(bar, completed=time.monotonic() - begin)
                    if time.monotonic() - begin < WARM_UP or body["type"] != "entry":
                        continue
                    if body["entry"]["kind"] in TRANSITIONS and not body["entry"]["data"].get("damped"):
                        latencies.append(arrived - body["entry"]["data"]["source_time"])
            process.join()
            health = await api.get("/health")
        service.stop()
        return latencies, {"readings": health["readings"], "canary_ms": health["components"]["canary"]["latency_ms"]}


async def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readings", type=int, default=10_000, help="a second")
    parser.add_argument("--values", type=int, default=10, help="a message")
    parser.add_argument("--alarms", type=int, default=50, help="transitions a second")
    parser.add_argument("--seconds", type=float, default=60)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        latencies, details = await measure(asked, Path(folder))
    p50, p95, p99 = np.percentile(latencies, [50, 95, 99])
    row = {
        "readings/s": asked.readings,
        "values a message": asked.values,
        "alarms timed": len(latencies),
        "p50 ms": float(p50),
        "p95 ms": float(p95),
        "p99 ms": float(p99),
        "max ms": float(max(latencies)),
    }
    publish("latency", "Publish to WebSocket", [row], details)


if __name__ == "__main__":
    asyncio.run(main())
