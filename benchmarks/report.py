"""What every benchmark prints and writes: the machine, a table, JSON in ``benchmarks/results``."""

import json
import os
import platform
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).parent / "results"


def machine() -> dict[str, Any]:
    """What it ran on."""
    model = "unknown"
    for line in Path("/proc/cpuinfo").read_text("ascii", "replace").splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": model,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "commit": commit.stdout.strip() or None,
    }


def spread(values: Sequence[float]) -> dict[str, float]:
    """Minimum, median and maximum."""
    return {"min": min(values), "median": statistics.median(values), "max": max(values)}


def publish(name: str, title: str, rows: Sequence[Mapping[str, Any]], details: Mapping[str, Any] | None = None) -> None:
    """Print the rows as a table, and write them with the details to ``results/NAME.json``."""
    where = machine()
    table = Table(title=f"{title}\n{where['cpu']}, {where['cores']} cores, Python {where['python']}, {where['date']}")
    for column in rows[0]:
        table.add_column(column, justify="left" if isinstance(rows[0][column], str) else "right")
    for row in rows:
        table.add_row(*(shown(value) for value in row.values()))
    Console(width=140).print(table)
    RESULTS.mkdir(exist_ok=True)
    content = {"machine": where, "rows": list(rows), "details": dict(details or {})}
    (RESULTS / f"{name}.json").write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def shown(value: object) -> str:
    """A cell."""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
