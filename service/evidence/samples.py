"""Samples of an incident as CSV and Parquet, read from the historian page by page."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import numpy as np

from domain.samples import Float64, Int64
from domain.site import Site
from historian.protocol import Historian, Samples

CSV, PARQUET = "samples.csv", "samples.parquet"
PAGE = 50_000
POINTS = 600
"""Points of a plotted trend [ours]."""
_TABLE = (
    "CREATE TABLE sample (tag VARCHAR, source_time BIGINT, received_time BIGINT, value DOUBLE, "
    "quality UTINYINT, reason UTINYINT)"
)
_SHOWN = (
    "SELECT tag, strftime(make_timestamp_ms(source_time), '%Y-%m-%dT%H:%M:%S.%gZ') AS source_time, "
    "strftime(make_timestamp_ms(received_time), '%Y-%m-%dT%H:%M:%S.%gZ') AS received_time, value, quality, reason "
    "FROM sample ORDER BY tag, sample.source_time"
)


@dataclass(slots=True)
class Trend:
    """A tag's values for a plot: at most ``2 * POINTS``, the least and the greatest of each stretch of time."""

    time: Int64
    value: Float64


@dataclass(slots=True)
class Written:
    """What was written."""

    samples: int = 0
    trends: dict[int, Trend] = field(default_factory=dict)
    """By index into ``Site.tags``."""


async def write_samples(
    historian: Historian,
    site: Site,
    tags: Sequence[int],
    spans: Sequence[tuple[int, int]],
    shown: tuple[int, int],
    folder: Path,
    progress: Callable[[], object] = lambda: None,
) -> Written:
    """Write ``samples.csv`` and ``samples.parquet``; trends are of the stretch ``shown``.

    Raises HistorianUnavailable, OSError.
    """
    written = Written()
    connection = duckdb.connect(config={"threads": 1, "memory_limit": "512MB", "temp_directory": str(folder)})
    try:
        connection.execute(_TABLE)
        for tag in tags:
            pages = await _read(historian, site.tags[tag].path, spans)
            await asyncio.to_thread(_insert, connection, site.tags[tag].path, pages)
            written.samples += sum(map(len, pages))
            written.trends[tag] = _trend(pages, *shown)
            progress()
        await asyncio.to_thread(_export, connection, folder)
    finally:
        connection.close()
    return written


async def _read(historian: Historian, path: str, spans: Sequence[tuple[int, int]]) -> list[Samples]:
    pages: list[Samples] = []
    for begin, end in spans:
        start = begin
        while True:
            page = await historian.read(path, start, end, PAGE)
            pages.append(page)
            if len(page) < PAGE:
                break
            start = int(page.source_time[-1]) + 1
    return pages


def _insert(connection: duckdb.DuckDBPyConnection, path: str, pages: Sequence[Samples]) -> None:
    for page in pages:
        if not len(page):
            continue
        columns = {
            "source_time": np.ascontiguousarray(page.source_time, dtype=np.int64),
            "received_time": np.ascontiguousarray(page.received_time, dtype=np.int64),
            "value": np.ascontiguousarray(page.value, dtype=np.float64),
            "quality": np.ascontiguousarray(page.quality, dtype=np.uint8),
            "reason": np.ascontiguousarray(page.reason, dtype=np.uint8),
        }
        connection.register("page", columns)
        connection.execute(
            "INSERT INTO sample SELECT ?, source_time, received_time, CASE WHEN isfinite(value) THEN value END, "
            "quality, reason FROM page",
            [path],
        )
        connection.unregister("page")


def _export(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    csv, parquet = str(folder / CSV).replace("'", "''"), str(folder / PARQUET).replace("'", "''")
    connection.execute(f"COPY ({_SHOWN}) TO '{csv}' (FORMAT csv, HEADER)")
    ordered = "SELECT * FROM sample ORDER BY tag, source_time"
    connection.execute(f"COPY ({ordered}) TO '{parquet}' (FORMAT parquet, COMPRESSION zstd)")


def _trend(pages: Sequence[Samples], begin: int, end: int) -> Trend:
    time = np.concatenate([page.source_time for page in pages]) if pages else np.empty(0, dtype=np.int64)
    value = np.concatenate([page.value for page in pages]) if pages else np.empty(0)
    known = np.isfinite(value) & (time >= begin) & (time < end)
    time, value = time[known], value[known]
    if len(time) <= 2 * POINTS:
        return Trend(time, value)
    stretch = (time - begin) * POINTS // max(end - begin, 1)
    order = np.lexsort((value, stretch))
    first = np.flatnonzero(np.r_[True, np.diff(stretch[order]) > 0])
    last = np.r_[first[1:] - 1, len(order) - 1]
    chosen = np.unique(np.r_[order[first], order[last]])
    return Trend(time[chosen], value[chosen])
