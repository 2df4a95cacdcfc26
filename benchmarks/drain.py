"""How fast a backlog is drained: N messages that wait in a persistent QoS 1 session of a fresh Mosquitto.

Each reading passes two limits with deadband and a rate rule, is spooled and acknowledged; alarms are committed to the
ledger and published, samples go to InfluxDB. Beside it, in the same run: a bare paho subscriber, and an mqtt5
subscriber that does nothing.

The rate is from the first reading's commit to the last one's alarm on the WebSocket. Then the samples in InfluxDB are
counted, and all alarms compared with those expected.

``python -m benchmarks.drain``           (a) one value a message
``python -m benchmarks.drain --values 20 --readings 2000000``   (b) twenty values a message
"""

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from rich.progress import Progress

from benchmarks import wire
from benchmarks.report import publish, spread
from domain.samples import SampleBlock
from rules.engine import RuleEngine, TagColumns
from service.config import load_site
from tests import servers
from tests.load import journaled
from tests.running import Service, api_of, main_file, site_of, until

TAGS = 1_000
STEP = 1_000
"""ms between the readings of a tag."""
TOPIC = "anshao/v1/works/gw1/data"
FIRST, LAST = "FIRST", "LAST"


def site() -> dict[str, Any]:
    """1,000 tags with H and HH, deadbands and a rate of rise; and two that mark the first and the last reading."""
    common = {"measurand": "temperature", "engineering_unit": "°C", "range": [0, 200], "stale": "1h"}
    limits = {
        "H": {"setpoint": 80, "deadband": 2, "on_delay": 0, "off_delay": 0},
        "HH": {"setpoint": 90, "deadband": 2, "on_delay": 0, "off_delay": 0},
    }
    marker = {"H": {"setpoint": 1, "deadband": 0, "on_delay": 0, "off_delay": 0}}
    tags = [
        {
            "tag": f"T-{number:04}",
            **common,
            "limits": limits,
            "rate": {"rise": {"limit": 10, "per": "1s", "window": "10s"}},
        }
        for number in range(TAGS)
    ]
    tags += [{"tag": name, **common, "limits": marker} for name in (FIRST, LAST)]
    return site_of([{"id": "bench", "name": "测试", "tags": tags}])


class Stream:
    """Readings: noise around 50, and for every hundredth tag an excursion beyond both limits and back."""

    def __init__(self, readings: int, values_a_message: int) -> None:
        self.steps = readings // TAGS
        self.readings = self.steps * TAGS
        random = np.random.default_rng(1)
        self.values = np.round(random.normal(50, 2, (self.steps, TAGS)), 2)
        span = max(self.steps // 4, 4)
        bump = np.interp(np.arange(span), [0, span / 3, span * 2 / 3, span], [0, 50, 50, 0])
        for number, tag in enumerate(range(0, TAGS, 10)):
            begin = number * 7 % max(self.steps - span, 1)
            self.values[begin : begin + span, tag] += bump
        self.begin = time.time_ns() // 1_000_000 - self.steps * STEP - 60_000
        self._per_message = values_a_message

    def time(self, step: int) -> int:
        """Source time of a step."""
        return self.begin + step * STEP

    def messages(self) -> list[tuple[str, bytes]]:
        """In order of time, with the two marks around them."""
        out = [(TOPIC, orjson.dumps({"ts": self.begin, "values": {FIRST: 2.0}}))]
        names = [f"T-{number:04}" for number in range(TAGS)]
        for step in range(self.steps):
            at, row = self.time(step), self.values[step].tolist()
            for start in range(0, TAGS, self._per_message):
                part = dict(
                    zip(names[start : start + self._per_message], row[start : start + self._per_message], strict=True)
                )
                out.append((TOPIC, orjson.dumps({"ts": at, "values": part})))
        out.append((TOPIC, orjson.dumps({"ts": self.begin, "values": {LAST: 2.0}})))
        return out

    def expected(self, folder: Path) -> Counter[tuple[str, str, bool, int]]:
        """All transitions, from an evaluation reading by reading in one block a step."""
        known = load_site([folder / "site.yaml"])
        rows = np.array([known.tag_index[f"works/T-{number:04}"] for number in range(TAGS)], dtype=np.int32)
        columns = TagColumns(np.array([tag.period for tag in known.tags]), np.ones(len(known.tags), dtype=np.bool_))
        engine = RuleEngine(known.rules, columns, 1 << 40, 5_000)
        good, none = np.full(TAGS, 192, dtype=np.uint8), np.zeros(TAGS, dtype=np.uint8)
        found: Counter[tuple[str, str, bool, int]] = Counter()
        for step in range(self.steps):
            at = np.full(TAGS, self.time(step))
            for t in engine.evaluate(SampleBlock(rows, at, at, self.values[step], good, none)):
                tag = known.tags[int(known.rules.tag[t.rule])].name
                found[tag, known.rules.key[t.rule], t.entered, t.source_time] += 1
        return found


async def drain_by_service(stream: Stream, messages: list[tuple[str, bytes]], folder: Path) -> dict[str, Any]:
    """Fill the service's session while it is away; start it; take the time."""
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
                lateness="24h",
                canary={"period": "1h", "timeout": "2h"},
            ),
            site(),
        )
        service.start()
        await service.ready()
        service.stop()
        await wire.publish(broker.port, messages)
        service.start()
        last = 0.0
        await service.ready(connected=False)
        async with api_of(service.url) as api:
            async with api.live(since=0) as page:
                async for message in page:
                    body = orjson.loads(message.data)
                    if body["type"] == "entry" and body["entry"]["tag"] == LAST:
                        last = time.time()
                        break
            begun = time.perf_counter()

            async def is_forwarded() -> bool:
                return bool((await api.get("/health"))["components"]["historian"]["backlog"] == 0)

            await until(is_forwarded, 120)
            forwarded = time.perf_counter() - begun
            journal = await api.every("/journal")
            cpu = cpu_seconds(service)
        service.stop()
        found = journaled([entry for entry in journal if entry["tag"]])
        count = database.query("SELECT count(value) FROM sample WHERE enterprise='works'")[0]["values"][0][1]
        expected = stream.expected(folder)
        assert count == stream.readings + 2, f"InfluxDB holds {count} of {stream.readings + 2} samples"
        assert found == expected, f"alarms differ: {(expected - found, found - expected)}"
        # The journal's time is when the commit began: a little early, which counts against us.
        (first,) = (entry["at"] for entry in journal if entry["tag"] == FIRST)
        return {
            "seconds": last - datetime.fromisoformat(first).timestamp(),
            "behind": forwarded,
            "transitions": sum(found.values()),
            "samples": count,
            "cpu": cpu,
        }


def cpu_seconds(service: Service) -> float:
    """Processor time that the service has used."""
    assert service.process is not None
    fields = Path(f"/proc/{service.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


async def drain_bare(kind: str, messages: list[tuple[str, bytes]]) -> float:
    """Seconds of a bare subscriber in a process of its own."""
    with servers.mosquitto() as broker:
        await wire.make_session(broker.port, wire.SESSION)
        await wire.publish(broker.port, messages)
        command = [sys.executable, "-m", "benchmarks.wire", kind, str(broker.port), str(len(messages))]
        run = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=True)
        return float(run.stdout)


async def main() -> None:
    """Run all three, several times in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readings", type=int, default=200_000)
    parser.add_argument("--values", type=int, default=1, help="values a message")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=["service"], help="leave the bare subscribers out")
    asked = parser.parse_args()
    stream = Stream(asked.readings, asked.values)
    messages = stream.messages()
    rates: dict[str, list[float]] = {"service": [], "paho": [], "mqtt5": []}
    runs: list[dict[str, Any]] = []
    with Progress(transient=True) as progress:
        bar = progress.add_task("drain", total=asked.rounds * (1 if asked.only else 3))
        for _ in range(asked.rounds):
            with tempfile.TemporaryDirectory() as folder:
                runs.append(await drain_by_service(stream, messages, Path(folder)))
            rates["service"].append(stream.readings / runs[-1]["seconds"])
            progress.advance(bar)
            for kind in () if asked.only else ("paho", "mqtt5"):
                rates[kind].append(stream.readings / await drain_bare(kind, messages))
                progress.advance(bar)
    names = {"service": "AnShao, committed", "paho": "bare paho subscriber", "mqtt5": "do-nothing mqtt5 subscriber"}
    rows = []
    for kind, values in rates.items():
        if values:
            ratio = [own / other for own, other in zip(rates["service"], values, strict=True)]
            rows.append(
                {"what": names[kind]}
                | {f"readings/s {key}": value for key, value in spread(values).items()}
                | {"AnShao / this, median": spread(ratio)["median"]}
            )
    publish(
        f"drain-{asked.values}",
        f"Draining {len(messages):,} messages of {asked.values} value(s), {stream.readings:,} readings, "
        f"{runs[0]['transitions']:,} transitions",
        rows,
        {"runs": runs},
    )


if __name__ == "__main__":
    asyncio.run(main())
