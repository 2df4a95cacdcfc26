"""Changing the configuration of a running service: how long the evaluation of readings is held up.

A service with an embedded broker and historian in this process; point tables with six rules a tag, all of whose tags
have been heard. In turn 5,000 limits are changed (every tag's where there are fewer), and five tags are added, which
moves the index of all others.

``python -m benchmarks.revise``
"""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

import numpy as np
from rich.progress import Progress

from benchmarks.report import publish
from benchmarks.scale import PER_GATEWAY, write_site
from domain.samples import SampleBlock
from service.application import Application
from service.config import load
from service.revisions.reviser import Proposal, Signed
from tests.running import main_file, write_yaml

SIZES = (20_000, 200_000)
TABLES = 5
"""Tables that are changed, of a thousand tags each."""


async def measure(tags: int) -> list[dict[str, object]]:
    """Rows of the report for one size."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_site(folder, tags)
        broker = {"embedded": True, "url": "mqtt://127.0.0.1:0"}
        main = main_file(historian={"kind": "duckdb"}, broker=broker, log={"level": "error"})
        application = Application(load(write_yaml(folder / "anshao.yaml", main), {}))
        await application.start()
        try:
            _hear_all(application, tags)
            return [await _revise(application, tags, what) for what in ("limits", "tags")]
        finally:
            await application.stop()


def _hear_all(application: Application, tags: int) -> None:
    now = application.clock.now()
    index = np.arange(tags, dtype=np.int32)
    at = np.full(tags, now, dtype=np.int64)
    good, none = np.full(tags, 192, dtype=np.uint8), np.zeros(tags, dtype=np.uint8)
    application.engine.evaluate(SampleBlock(index, at, at, np.full(tags, 50.0), good, none))


async def _revise(application: Application, tags: int, what: str) -> dict[str, object]:
    contents = application.settings.documents.contents
    documents: dict[str, bytes | None] = {}
    for table in range(min(TABLES, tags // PER_GATEWAY)):
        name = f"points-{table}.csv"
        added = f"T-NEW-{table},gw{table},1h,temperature,°C,0,200,5,10,80,90,2\n".encode()
        documents[name] = contents[name].replace(b",80,", b",81,") if what == "limits" else contents[name] + added
    signed = Signed("benchmark", "benchmark", what, application.revisions.current.number)
    begin = time.perf_counter()
    made = await application.revisions.revise(Proposal(documents), signed)
    return {
        "tags": tags,
        "changed": ", ".join(f"{kind} {acts}" for kind, acts in made.counts.items()),
        "held up ms": application.pipeline.swap_seconds * 1000,
        "whole s": time.perf_counter() - begin,
    }


def main() -> None:
    """Measure all sizes and publish the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tags", type=int, nargs="*", default=list(SIZES))
    asked = parser.parse_args()
    rows: list[dict[str, object]] = []
    with Progress(transient=True) as progress:
        for tags in progress.track(asked.tags, description="revise"):
            rows += asyncio.run(measure(tags))
    publish("revise", "Changing the configuration of a running service", rows, {})


if __name__ == "__main__":
    main()
