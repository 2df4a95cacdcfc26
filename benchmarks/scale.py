"""440,000 tags with four limits each, the size of the whole country: load, memory, cost of a reading.

The site is made of point tables of CSV rows, a thousand tags to a gateway. For 1,000 and for 440,000 tags in turn:

* ``anshao serve`` on Mosquitto and InfluxDB: seconds from its start to a connected service, resident memory, and the
  processor time of the service for a reading, at messages of twenty values from random gateways, after every tag has
  been heard once;
* decoding and rules alone, inside one process: time to load, and processor time for a reading.

``python -m benchmarks.scale``
"""

import argparse
import asyncio
import csv
import gc
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray
from rich.progress import Progress

from benchmarks import wire
from benchmarks.drain import cpu_seconds
from benchmarks.report import publish, spread
from ingest.decoder import Decoder, live_clock
from rules.engine import RuleEngine, TagColumns
from service.config import load_site
from tests import servers
from tests.running import Api, Service, api_of, main_file, site_of, until, write_yaml

SMALL, LARGE = 1_000, 440_000
VALUES = 20
MESSAGES = 1_000
PER_GATEWAY = 1_000


class Message(NamedTuple):
    """As a link hands it on."""

    topic: str
    payload: bytes
    retain: bool = False


def write_site(folder: Path, tags: int) -> Path:
    """A site file with a point table for each gateway's thousand tags."""
    numbers = range(tags // PER_GATEWAY)
    units = []
    for gateway in numbers:
        table = folder / f"points-{gateway}.csv"
        with table.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(
                [
                    "tag",
                    "gateway",
                    "period",
                    "measurand",
                    "engineering_unit",
                    "low",
                    "high",
                    "LL",
                    "L",
                    "H",
                    "HH",
                    "deadband",
                ]
            )
            for number in range(PER_GATEWAY):
                name = f"T-{gateway:03}-{number:03}"
                writer.writerow([name, f"gw{gateway}", "1h", "temperature", "°C", 0, 200, 5, 10, 80, 90, 2])
        units.append({"id": f"unit{gateway}", "name": f"装置{gateway}", "tag_tables": [table.name]})
    gateways = [{"id": f"gw{gateway}", "name": f"网关{gateway}"} for gateway in numbers]
    return write_yaml(folder / "site.yaml", site_of(units, gateways=gateways))


def messages_of(groups: NDArray[np.int64], random: np.random.Generator, now: int) -> list[Message]:
    """A message for each group of twenty tags, as a gateway sends its own together."""
    values = random.normal(50, 3, (len(groups), VALUES)).round(2).tolist()
    messages = []
    for group, row in zip(groups.tolist(), values, strict=True):
        gateway, part = divmod(group, PER_GATEWAY // VALUES)
        first = part * VALUES
        named = {f"T-{gateway:03}-{first + index:03}": value for index, value in enumerate(row)}
        messages.append(Message(f"anshao/v1/works/gw{gateway}/data", orjson.dumps({"ts": now, "values": named})))
    return messages


async def measure_service(tags: int, messages: int) -> dict[str, float]:
    """Start, resident memory, and processor time a reading of the whole service."""
    with (
        tempfile.TemporaryDirectory() as name,
        servers.mosquitto() as broker,
        servers.influxd() as influx,
        servers.influx_database(influx) as database,
    ):
        folder = Path(name)
        write_site(folder, tags)
        historian = {"kind": "influxdb", "url": influx.url, "write_api": "v1", "database": database.name}
        main = main_file(broker={"url": broker.url}, historian=historian)
        write_yaml(folder / "anshao.yaml", main)
        service = Service(folder, main["console"]["port"])
        begin = time.perf_counter()
        service.start()
        await service.ready()
        ready = time.perf_counter() - begin
        random = np.random.default_rng(7)
        groups = tags // VALUES
        async with api_of(service.url) as api:
            await _send(broker.port, np.arange(groups), random)
            await _until_taken(api, groups * VALUES)
            used = cpu_seconds(service)
            await _send(broker.port, random.integers(0, groups, messages), random)
            await _until_taken(api, (groups + messages) * VALUES)
            cost = (cpu_seconds(service) - used) / (messages * VALUES) * 1e6
        assert service.process is not None
        resident = resident_megabytes(service.process.pid)
        service.stop()
        return {"ready": ready, "memory": resident, "cost": cost}


def resident_megabytes(pid: int) -> float:
    """Resident set of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS"))


async def _send(port: int, groups: NDArray[np.int64], random: np.random.Generator) -> None:
    now = time.time_ns() // 1_000_000
    await wire.publish(port, [(message.topic, message.payload) for message in messages_of(groups, random, now)])


async def _until_taken(api: Api, readings: int) -> None:
    """All of them are committed and in InfluxDB, so that their whole cost is counted."""

    async def taken() -> bool:
        health = await api.get("/health")
        return bool(health["readings"]["total"] >= readings and health["components"]["historian"]["backlog"] == 0)

    await until(taken, 300)


def measure_rules(tags: int) -> dict[str, float]:
    """Load time and processor time a reading of decoding and evaluating."""
    with tempfile.TemporaryDirectory() as folder:
        path = write_site(Path(folder), tags)
        begin = time.perf_counter()
        site = load_site([path])
        columns = TagColumns(np.array([tag.period for tag in site.tags], dtype=np.int64), live_clock(site))
        engine = RuleEngine(site.rules, columns, 600_000, 5_000)
        decoder = Decoder(site, 600_000)
        loaded = time.perf_counter() - begin
    gc.collect()
    gc.freeze()  # as the service does
    random = np.random.default_rng(5)
    now = 1_800_000_000_000
    engine.await_readings(now)
    everything = np.arange(tags // VALUES)
    for part in np.array_split(everything, max(len(everything) // MESSAGES, 1)):
        engine.evaluate(decoder.decode(messages_of(part, random, now), now).block)
    costs = []
    for _ in range(20):
        now += 1_000
        messages = messages_of(random.integers(0, len(everything), MESSAGES), random, now)
        begin = time.process_time()
        engine.evaluate(decoder.decode(messages, now).block)
        costs.append((time.process_time() - begin) / (MESSAGES * VALUES) * 1e6)
    engine.await_readings(now)
    begin = time.process_time()
    engine.advance(now + 1)
    tick = time.process_time() - begin
    return {"load": loaded, "cost": spread(costs)["median"], "tick": tick * 1000}


def main() -> None:
    """Measure both sizes in turn, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--messages", type=int, default=22_000)
    parser.add_argument("--rules", type=int, help="measure decoding and rules of this size only, and print JSON")
    asked = parser.parse_args()
    if asked.rules:
        print(json.dumps(measure_rules(asked.rules)))
        return
    service: dict[int, list[dict[str, float]]] = {SMALL: [], LARGE: []}
    rules: dict[int, list[dict[str, float]]] = {SMALL: [], LARGE: []}
    with Progress(transient=True) as progress:
        bar = progress.add_task("scale", total=4 * asked.rounds)
        for _ in range(asked.rounds):
            for tags in (SMALL, LARGE):
                service[tags].append(asyncio.run(measure_service(tags, asked.messages)))
                progress.advance(bar)
                command = [sys.executable, "-m", "benchmarks.scale", "--rules", str(tags)]
                rules[tags].append(
                    json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
                )
                progress.advance(bar)
    rows = [
        {
            "tags": tags,
            "service ready s": _median(service[tags], "ready"),
            "resident MB": _median(service[tags], "memory"),
            "service µs/reading": _median(service[tags], "cost"),
            "ratio": _ratio(service[tags], service[SMALL]),
            "load s": _median(rules[tags], "load"),
            "decode and rules µs/reading": _median(rules[tags], "cost"),
            "ratio of these": _ratio(rules[tags], rules[SMALL]),
            "tick ms": _median(rules[tags], "tick"),
        }
        for tags in (SMALL, LARGE)
    ]
    publish("scale", "440,000 tags with four limits each", rows, {"service": service, "rules": rules})


def _median(runs: list[dict[str, float]], name: str) -> float:
    return spread([run[name] for run in runs])["median"]


def _ratio(runs: list[dict[str, float]], beside: list[dict[str, float]]) -> float:
    return spread([own["cost"] / other["cost"] for own, other in zip(runs, beside, strict=True)])["median"]


if __name__ == "__main__":
    main()
