"""A simulated site of any number of tags, for benchmarks of the workbench: vessels, tanks and motors over one day.

The day is simulated second by second; longer recordings repeat it, so that a month does not take a quarter of an hour
to make. Limits lie where the readings of the day pass them now and then.
"""

from collections.abc import Callable
from dataclasses import replace
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import Progress

from domain.samples import Float64, SampleBlock
from domain.site import Tag
from service.config import load_site
from simulators.scenarios import SITE, Simulation, parse
from tests.running import site_of
from tuning.readings.recording import About, RecordedTag, RecordingWriter

DAY = 86_400
PLANTS = """
name: benchmark
title: {zh: 测速, en: benchmark}
story: {zh: 测速, en: benchmark}
start: "2026-05-01T00:00:00+08:00"
plants:
  - id: vessels
    kind: pressure_vessel
    tags:
      pressure: xinhe/PI-401
      temperature: xinhe/TI-401
      relief_lift: xinhe/ZI-401
      relief_flow: xinhe/FI-401
      outlet_flow: xinhe/FI-402
  - id: pumps
    kind: signal
    count: 5
    parameters: {value: 46, lag: 1, unrest: 1}
    tags: {value: "xinhe/II-{n:02}"}
"""
"""A scenario but for its duration and timeline."""
TIMELINE = """
duration: 24h
timeline:
  - {at: 6h, set: {vessels.outlet_blocked: 1}}
  - {at: 6h20min, set: {vessels.outlet_blocked: 0}}
  - {at: 15h, set: {vessels.outlet_blocked: 1}}
  - {at: 15h30min, set: {vessels.outlet_blocked: 0}}
"""


class SimulatedDay:
    """One day of so many tags at 1 Hz."""

    def __init__(self, tags: int, progress: Progress) -> None:
        bar = progress.add_task("simulate", total=tags * DAY)
        scenario = parse(PLANTS + TIMELINE)
        site = load_site([SITE])
        few = len(Simulation(scenario, site).tags)
        simulation = Simulation(scenario, site, copies=ceil(tags / few))
        columns: list[list[SampleBlock]] = [[] for _ in simulation.tags]
        for chunk in simulation.chunks():
            for part in chunk.parts:
                for column, tag in enumerate(part.tags.tolist()):
                    columns[tag].append(part.column(column)[0])
            progress.advance(bar, len(chunk))
        self.tags: list[Tag] = list(simulation.tags)[:tags]
        self.blocks = [SampleBlock.concatenate(each) for each in columns[:tags]]
        self.names = [f"{tag.name.partition('-')[0]}-{number:04}" for number, tag in enumerate(self.tags)]

    def values(self, tag: int) -> Float64:
        """Readings of one tag that are there."""
        value = self.blocks[tag].value
        return value[np.isfinite(value)]

    def site(self, changed: Callable[[int, dict[str, Any]], dict[str, Any]] = lambda _, limit: limit) -> dict[str, Any]:
        """A site file's content, with H where one reading in 500 lies beyond it, and HH. ``changed``: H of a tag."""
        entries = []
        for number, tag in enumerate(self.tags):
            value = self.values(number)
            high, top = float(np.quantile(value, 0.998)), float(value.max())
            breadth = max(float(value.max() - value.min()), 1e-3)
            limit = {"setpoint": round(high, 4), "deadband": round(0.005 * breadth, 6), "on_delay": "5s"}
            second = round(max(top + 0.05 * breadth, high + 0.1 * breadth), 4)
            entries.append(
                {
                    "tag": self.names[number],
                    "measurand": "temperature",
                    "engineering_unit": tag.engineering_unit or "1",
                    "range": [float(value.min() - 10 * breadth), float(top + 10 * breadth)],
                    "limits": {
                        "H": changed(number, limit),
                        "HH": {"setpoint": second, "deadband": 0, "on_delay": "0s"},
                    },
                }
            )
        return site_of([{"id": "bench", "name": "测试", "tags": entries}])

    def write(self, path: Path, days: int, enterprise: str, progress: Progress) -> int:
        """Write so many days; returns the number of readings."""
        bar = progress.add_task("write", total=len(self.tags) * DAY * days)
        about = About(
            tuple(RecordedTag(f"{enterprise}/{name}") for name in self.names), made_by=f"{days} simulated days"
        )
        with RecordingWriter(path, about) as writer:
            for number, block in enumerate(self.blocks):
                own = replace(block, tag=np.full(len(block), number, dtype=np.int32))
                for day in range(days):
                    shift = day * DAY * 1000
                    writer.write_tag(
                        replace(own, source_time=own.source_time + shift, received_time=own.received_time + shift)
                    )
                    progress.advance(bar, len(block))
            return writer.rows
