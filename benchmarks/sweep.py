"""A sweep of 200 points over the H limits of 100 tags and a day of readings at 1 Hz: 8.64 million readings.

Readings are those of a simulated site, without a truth, so that long alarms of the present rules stand for events.
Measured from opening the recording to the recommendation.

``python -m benchmarks.sweep``
"""

import argparse
import tempfile
import time
from pathlib import Path

from rich.progress import Progress

from benchmarks.report import publish
from benchmarks.simulated import SimulatedDay
from service.cli.datasets import Rules
from service.config import load_site
from tests.running import write_yaml
from tuning.readings.recording import Recording
from tuning.sweep import Grid, sweep

TARGET = 60.0
"""Seconds."""
GRID = {"setpoint": "x0.96:1.05:0.01", "deadband": "x0,x1,x2,x4", "on_delay": "0s,5s,15s,30s,60s"}
"""Ten setpoints, four deadbands, five delays."""


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tags", type=int, default=100)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, Progress() as progress:
        folder = Path(name)
        day = SimulatedDay(given.tags, progress)
        content = day.site()
        enterprise = content["enterprises"][0]["id"]
        data = folder / "data.parquet"
        day.write(data, 1, enterprise, progress)
        rules = Rules(load_site([write_yaml(folder / "site.yaml", content)]))
        rows = [rules.site.rule_row(f"{enterprise}/{tag}/H") for tag in day.names]
        grid = Grid.parse(GRID)
        begin = time.perf_counter()
        found = sweep(rules.site, Recording(data), rows, grid, rules.yardstick.targets)
        seconds = time.perf_counter() - begin
    chosen = found.choice.point
    row = {
        "tags": given.tags,
        "points": len(grid),
        "readings": found.readings,
        "readings x points": found.readings * (len(grid) + 1),
        "alarms counted": sum(point.alarms for point in found.points),
        "events": found.events,
        "false a day": f"{found.points[0].false_per_day:.4g} -> "
        + ("-" if chosen is None else f"{found.points[chosen].false_per_day:.4g}"),
        "seconds": round(seconds, 2),
        "target": TARGET,
    }
    publish("sweep", "A sweep over a day", [row])
    if seconds > TARGET:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
