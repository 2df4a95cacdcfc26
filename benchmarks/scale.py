"""440,000 tags with four limits each, the size of the whole country: load, memory, cost of a reading.

The site is a point table of CSV rows. Loading is from the files to a rule engine that is ready; memory is the resident
set of the process that did it. The cost of a reading is decoding and evaluating messages of twenty values, beside the
same with 1,000 tags, in turn; every tag has been heard before, and the messages come from random gateways.
``python -m benchmarks.scale``
"""

import argparse
import csv
import json
import resource
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

from benchmarks.report import publish, spread
from ingest.decoder import Decoder, live_clock
from rules.engine import RuleEngine, TagColumns
from service.config import load_site
from tests.running import site_of, write_yaml

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
                ["tag", "gateway", "measurand", "engineering_unit", "low", "high", "LL", "L", "H", "HH", "deadband"]
            )
            for number in range(PER_GATEWAY):
                name = f"T-{gateway:03}-{number:03}"
                writer.writerow([name, f"gw{gateway}", "temperature", "°C", 0, 200, 5, 10, 80, 90, 2])
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


def measure(tags: int) -> dict[str, float]:
    """Load time, resident memory, and µs a reading over several rounds."""
    with tempfile.TemporaryDirectory() as folder:
        path = write_site(Path(folder), tags)
        begin = time.perf_counter()
        site = load_site([path])
        columns = TagColumns(np.array([tag.period for tag in site.tags], dtype=np.int64), live_clock(site))
        engine = RuleEngine(site.rules, columns, 600_000, 5_000)
        decoder = Decoder(site, 600_000)
        loaded = time.perf_counter() - begin
    random = np.random.default_rng(5)
    now = 1_800_000_000_000
    engine.await_readings(now)
    everything = np.arange(tags // VALUES)
    for part in np.array_split(everything, max(len(everything) // MESSAGES, 1)):
        engine.evaluate(decoder.decode(messages_of(part, random, now), now).block)
    costs = []
    for _ in range(12):
        now += 1_000
        messages = messages_of(random.integers(0, len(everything), MESSAGES), random, now)
        begin = time.process_time()
        engine.evaluate(decoder.decode(messages, now).block)
        costs.append((time.process_time() - begin) / (MESSAGES * VALUES) * 1e6)
    engine.await_readings(now)
    begin = time.process_time()
    engine.advance(now + 1)
    tick = time.process_time() - begin
    return {
        "load": loaded,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "cost": spread(costs[2:])["median"],
        "tick": tick * 1000,
    }


def main() -> None:
    """Measure both sizes in turn, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tags", type=int, help="measure this size only, and print JSON")
    asked = parser.parse_args()
    if asked.tags:
        print(json.dumps(measure(asked.tags)))
        return
    found: dict[int, list[dict[str, float]]] = {SMALL: [], LARGE: []}
    with Progress(transient=True) as progress:
        bar = progress.add_task("scale", total=2 * asked.rounds)
        for _ in range(asked.rounds):
            for tags, runs in found.items():
                command = [sys.executable, "-m", "benchmarks.scale", "--tags", str(tags)]
                runs.append(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
                progress.advance(bar)
    ratios = [large["cost"] / small["cost"] for small, large in zip(found[SMALL], found[LARGE], strict=True)]
    rows = [
        {
            "tags": tags,
            "load s": spread([run["load"] for run in runs])["median"],
            "resident MB": spread([run["memory"] for run in runs])["median"],
            "µs a reading": spread([run["cost"] for run in runs])["median"],
            "ratio, median": 1.0 if tags == SMALL else spread(ratios)["median"],
            "tick ms": spread([run["tick"] for run in runs])["median"],
        }
        for tags, runs in found.items()
    ]
    publish("scale", "440,000 tags with four limits each", rows, {"ratios": ratios})


if __name__ == "__main__":
    main()
