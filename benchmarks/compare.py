"""Comparing two rule sets over 30 days of a simulated site of 500 tags at 1 Hz: 1.3 thousand million readings.

Only rules that differ are evaluated. Measured are a usual change (one tag in ten) and the worst (every tag), from
opening the recording to the comparison, and the HTML report of the first.

``python -m benchmarks.compare``                  everything, about ten minutes, most of it to write the recording
``python -m benchmarks.compare --days 3 --tags 100``
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.progress import Progress

from benchmarks.report import publish
from benchmarks.simulated import SimulatedDay
from service.cli.datasets import Rules
from service.config import load_site
from tests.running import write_yaml
from tuning.comparison import compare
from tuning.readings.recording import Recording
from tuning.reports.pages import Cover, compare_page

TARGET = 30.0
"""Seconds."""


def every(step: int) -> Callable[[int, dict[str, Any]], dict[str, Any]]:
    """Change H of one tag in so many: further in, a wider deadband, a longer delay, in turn."""

    def changed(number: int, limit: dict[str, Any]) -> dict[str, Any]:
        if number % step:
            return limit
        kind = number // step % 3
        if kind == 0:
            return limit | {"setpoint": round(limit["setpoint"] - 2 * limit["deadband"], 4)}
        return limit | ({"deadband": limit["deadband"] * 4} if kind == 1 else {"on_delay": "15s"})

    return changed


def measure(old: Rules, new: Rules, data: Path, what: str, page: Path | None) -> dict[str, object]:
    """One row of the report."""
    begin = time.perf_counter()
    recording = Recording(data)
    found = compare(old.site, new.site, recording, new.yardstick)
    seconds = time.perf_counter() - begin
    row: dict[str, object] = {
        "what": what,
        "rules that differ": len(found.rules),
        "readings read": found.readings,
        "alarms": f"{found.old_score.figures.alarms} -> {found.new_score.figures.alarms}",
        "seconds": round(seconds, 1),
        "target": TARGET,
        "M readings/s": round(found.readings / seconds / 1e6, 1),
    }
    if page is not None:
        begin = time.perf_counter()
        page.write_bytes(compare_page(found, Cover(recording, None, "zh", "")))
        row |= {
            "report seconds": round(time.perf_counter() - begin, 1),
            "report MB": round(page.stat().st_size / 1e6, 1),
        }
    return row


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tags", type=int, default=500)
    parser.add_argument("--days", type=int, default=30)
    given = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as name, Progress() as progress:
        folder = Path(name)
        day = SimulatedDay(given.tags, progress)
        site = day.site()
        enterprise = site["enterprises"][0]["id"]
        data = folder / "data.parquet"
        begin = time.perf_counter()
        readings = day.write(data, given.days, enterprise, progress)
        written = time.perf_counter() - begin
        old = Rules(load_site([write_yaml(folder / "old.yaml", site)]))
        for what, step in (("one tag in ten", 10), ("every tag", 1)):
            new = Rules(load_site([write_yaml(folder / "new.yaml", day.site(every(step)))]))
            page = folder / "compare.html" if step > 1 else None
            rows.append(measure(old, new, data, what, page))
        size = data.stat().st_size / 1e6
    publish(
        "compare",
        f"Two rule sets over {given.days} days of {given.tags} tags at 1 Hz",
        rows,
        {
            "tags": given.tags,
            "days": given.days,
            "readings": readings,
            "MB": round(size),
            "written in s": round(written),
        },
    )
    if float(str(rows[0]["seconds"])) > TARGET:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
