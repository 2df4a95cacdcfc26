"""A small tank farm with a history for tests of the workbench: a tank that runs over, a pressure that chatters, a leak.

Readings of six hours at 1 Hz, seeded; the truth of two events. Texts of the site and of the truth are hostile.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from domain.samples import Float64, SampleBlock
from domain.truth import Event, Expected, Truth
from tests.running import site_of, write_yaml
from tuning.readings.recording import About, RecordedTag, RecordingWriter

BEGIN = 1_767_196_800_000
"""2026-01-01 in Shanghai, ms."""
SECONDS = 6 * 3_600
TAGS = ("LI-101", "PI-101", "GT-101", "FI-101")
OVERFILL = (2 * 3_600, 3 * 3_600)
"""Seconds; the tank runs over 50 minutes after it began to be filled."""
LEAK = (5 * 3_600, 5 * 3_600 + 1_200)
HOSTILE = "</script><img src=http://127.0.0.2/x onerror=alert('{}')>"
PRESENT = {"H": {"setpoint": 80, "deadband": 0, "on_delay": "0s"}, "HH": {"setpoint": 92, "deadband": 1}}
TUNED = {"H": {"setpoint": 78, "deadband": 3, "on_delay": "5s"}, "HH": {"setpoint": 92, "deadband": 1}}


def at(seconds: int) -> int:
    """An instant, ms UTC."""
    return BEGIN + seconds * 1_000


TRUTH = Truth(
    events=(
        Event(
            "overfill",
            {"zh": HOSTILE.format("zh"), "en": "Tank 1 runs over"},
            at(OVERFILL[0]),
            at(OVERFILL[1]),
            at(OVERFILL[0] + 3_000),
            tags=("works/LI-101",),
        ),
        Event("leak", {"zh": "法兰泄漏", "en": "Flange leak"}, at(LEAK[0]), at(LEAK[1]), at(LEAK[0] + 450),
              units=("works/tankfarm",)),
    ),
    expected=(Expected("works/GT-101/HH", at(LEAK[0]), at(LEAK[0] + 600)),),
    never=("works/FI-101/STALE",),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """Its files."""

    old: Path
    new: Path
    data: Path
    quiet: Path
    """The same readings, without a truth."""


def site_content(limits: dict[str, Any], pressure: dict[str, Any]) -> dict[str, Any]:
    """A site file's content."""
    common = {"range": [0, 100], "period": "1s", "stale": "1min"}
    tags = [
        {"tag": "LI-101", "measurand": "level", "engineering_unit": "%", "description": HOSTILE.format("d")} | common
        | {"limits": limits},
        {"tag": "PI-101", "measurand": "pressure", "engineering_unit": "MPa"} | common
        | {"range": [0, 2], "limits": {"H": pressure}, "rate": {"rise": {"limit": 1, "per": "1min", "window": "60s"}}},
        {"tag": "GT-101", "measurand": "h2s", "engineering_unit": "ppm"} | common,
        {"tag": "FI-101", "measurand": "flow", "engineering_unit": "m3/h"} | common,
    ]  # fmt: skip
    content = site_of([{"id": "tankfarm", "name": "罐区", "tags": tags}])
    content["enterprises"][0]["name"] = HOSTILE.format("enterprise")
    return content


def readings() -> list[Float64]:
    """Values of each tag, one a second."""
    rng = np.random.default_rng(20260101)
    seconds = np.arange(SECONDS)
    level = 60 + 12 * np.sin(seconds / 3_600 * np.pi) + rng.normal(0, 0.3, SECONDS)
    begin, end = OVERFILL
    level[begin:end] += np.interp(np.arange(end - begin), [0, 2_400, 3_600], [0, 32, 0])
    pressure = 1.15 + 0.04 * np.sin(seconds / 1_200 * np.pi) + rng.normal(0, 0.02, SECONDS)
    gas = np.abs(rng.normal(0, 0.3, SECONDS))
    begin, end = LEAK
    gas[begin:end] += 30 * np.exp(-(((np.arange(end - begin) - 500) / 200) ** 2))
    return [level.round(2), pressure.round(4), gas.round(2), (40 + rng.normal(0, 1, SECONDS)).round(2)]


def make(folder: Path) -> Case:
    """Write all files."""
    times = at(0) + np.arange(SECONDS, dtype=np.int64) * 1_000
    tags = tuple(RecordedTag(f"works/{name}", "works/tankfarm") for name in TAGS)
    columns = readings()
    case = Case(folder / "old.yaml", folder / "new.yaml", folder / "data.parquet", folder / "quiet.parquet")
    for path, truth in ((case.data, TRUTH), (case.quiet, Truth())):
        with RecordingWriter(path, About(tags, made_by=HOSTILE.format("by"), truth=truth)) as writer:
            for number, value in enumerate(columns):
                good, none = np.full(SECONDS, 192, dtype=np.uint8), np.zeros(SECONDS, dtype=np.uint8)
                tag = np.full(SECONDS, number, dtype=np.int32)
                writer.write_tag(SampleBlock(tag, times, times + 50, value, good, none))
    write_yaml(case.old, site_content(PRESENT, {"setpoint": 1.2, "deadband": 0, "on_delay": "0s"}))
    write_yaml(case.new, site_content(TUNED, {"setpoint": 1.2, "deadband": 0.04, "on_delay": "15s"}))
    return case
