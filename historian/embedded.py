"""The embedded historian: one DuckDB file, no server.

Tables ``tag (id, path)`` and ``sample (tag, source_time, received, value, quality, reason)``, times in ms, value NULL
where there is none; the view ``reading`` joins them for people with a DuckDB shell.

A write replaces earlier samples of the same tag and source time by deleting them first, in the same transaction: an
index that enforced it would have to be held in memory for all samples ever written, whereas the statistics that DuckDB
keeps per row group confine the search to the stretch of time that the block covers.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import numpy as np
from numpy.typing import NDArray

from domain.samples import Bool, Float64, Int32, SampleBlock
from historian.protocol import Buckets, HistorianUnavailable, Samples

Result = TypeVar("Result")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS tag (id INTEGER PRIMARY KEY, path VARCHAR NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS sample (
    tag INTEGER NOT NULL,
    source_time BIGINT NOT NULL,
    received BIGINT NOT NULL,
    value DOUBLE,
    quality UTINYINT NOT NULL,
    reason UTINYINT NOT NULL
);
CREATE OR REPLACE VIEW reading AS
    SELECT tag.path, make_timestamp_ms(source_time) AS source_time, make_timestamp_ms(received) AS received,
           value, quality, reason
    FROM sample JOIN tag ON tag.id = sample.tag;
"""
_DELETE = """
DELETE FROM sample USING batch
WHERE sample.tag = batch.tag AND sample.source_time = batch.source_time AND sample.source_time BETWEEN ? AND ?
"""
_INSERT = """
INSERT INTO sample
SELECT tag, source_time, received, CASE WHEN isfinite(value) THEN value END, quality, reason FROM batch
"""
_READ = """
SELECT source_time, received, value, quality, reason FROM sample
WHERE tag = ? AND source_time >= ? AND source_time < ? ORDER BY source_time LIMIT ?
"""
_READ_BUCKETS = """
SELECT source_time - ((source_time % $bucket) + $bucket) % $bucket AS time,
       min(value) AS minimum, max(value) AS maximum, avg(value) AS mean, count(value) AS count,
       min(quality) AS quality
FROM sample
WHERE tag = $tag AND source_time >= $start AND source_time < $end
GROUP BY 1 ORDER BY 1
"""


class DuckDBHistorian:
    """Historian in a DuckDB file, with one thread of its own for all that is done there."""

    def __init__(self, path: Path, *, memory: str = "256MB", threads: int = 1) -> None:
        """memory: limit of DuckDB's own buffers; threads: that DuckDB may use for one statement."""
        self.path = path
        self._settings: dict[str, str | bool | int | float | list[str]] = {"memory_limit": memory, "threads": threads}
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._ids: dict[str, int] = {}
        self._known: tuple[Sequence[str], Int32] = ((), np.empty(0, dtype=np.int32))

    async def start(self) -> None:
        """Open the file and create what is missing in it."""
        await self._run(lambda _: None)

    async def write(self, block: SampleBlock, paths: Sequence[str]) -> None:
        """One transaction, synced."""
        if len(block):
            await self._run(lambda connection: self._write(connection, block, paths))

    async def read(self, path: str, start: int, end: int, limit: int) -> Samples:
        """Raw samples."""
        columns = await self._run(lambda c: self._fetch(c, _READ, [self._ids.get(path, -1), start, end, limit]))
        return Samples(
            source_time=columns["source_time"],
            received_time=columns["received"],
            value=_filled(columns["value"]),
            quality=columns["quality"],
            reason=columns["reason"],
        )

    async def read_buckets(self, path: str, start: int, end: int, bucket: int) -> Buckets:
        """Samples summed up."""

        def fetch(connection: duckdb.DuckDBPyConnection) -> dict[str, NDArray[Any]]:
            asked = {"tag": self._ids.get(path, -1), "start": start, "end": end, "bucket": bucket}
            return self._fetch(connection, _READ_BUCKETS, asked)

        columns = await self._run(fetch)
        return Buckets(
            time=columns["time"],
            minimum=_filled(columns["minimum"]),
            maximum=_filled(columns["maximum"]),
            mean=_filled(columns["mean"]),
            count=columns["count"],
            quality=columns["quality"],
        )

    async def close(self) -> None:
        """Write DuckDB's log into the file and close it."""
        thread, self._thread = self._thread, None
        if thread:
            await asyncio.get_running_loop().run_in_executor(thread, self._close)
            thread.shutdown()

    # ---- in the thread

    async def _run(self, act: Callable[[duckdb.DuckDBPyConnection], Result]) -> Result:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="duckdb")
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._act, act)

    def _act(self, act: Callable[[duckdb.DuckDBPyConnection], Result]) -> Result:
        """Any error of DuckDB closes the file; the next act opens it again, as after a fatal error it must."""
        try:
            return act(self._connection or self._open())
        except (duckdb.Error, OSError) as error:
            self._close()
            raise HistorianUnavailable(f"{self.path}: {error}", _remedy(error)) from error

    def _open(self) -> duckdb.DuckDBPyConnection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = duckdb.connect(self.path, config=self._settings)
        self._connection.execute(_SCHEMA)
        rows = self._connection.execute("SELECT path, id FROM tag").fetchall()
        self._ids = {str(path): int(key) for path, key in rows}
        self._known = ((), np.empty(0, dtype=np.int32))
        return self._connection

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection:
            connection.close()

    def _write(self, connection: duckdb.DuckDBPyConnection, block: SampleBlock, paths: Sequence[str]) -> None:
        block = block.take(_last_of_each(block))
        connection.execute("BEGIN")
        keys = self._keys(connection, block.tag, paths)
        batch = {
            "tag": keys[block.tag],
            "source_time": np.ascontiguousarray(block.source_time),
            "received": np.ascontiguousarray(block.received_time),
            "value": np.ascontiguousarray(block.value),
            "quality": np.ascontiguousarray(block.quality),
            "reason": np.ascontiguousarray(block.reason),
        }
        connection.register("batch", batch)
        connection.execute(_DELETE, [int(block.source_time.min()), int(block.source_time.max())])
        connection.execute(_INSERT)
        connection.unregister("batch")
        connection.execute("COMMIT")

    def _keys(self, connection: duckdb.DuckDBPyConnection, tag: Int32, paths: Sequence[str]) -> Int32:
        """Key in the table ``tag`` for each index into ``paths`` that occurs; new ones are added."""
        known, keys = self._known
        if known is not paths:
            keys = np.array([self._ids.get(path, -1) for path in paths], dtype=np.int32)
            self._known = (paths, keys)
        used = np.unique(tag)
        for index in used[keys[used] < 0].tolist():
            key = self._ids.setdefault(paths[index], len(self._ids))
            connection.execute("INSERT INTO tag VALUES (?, ?)", [key, paths[index]])
            keys[index] = key
        return keys

    @staticmethod
    def _fetch(
        connection: duckdb.DuckDBPyConnection, statement: str, parameters: list[int] | dict[str, int]
    ) -> dict[str, NDArray[Any]]:
        return connection.execute(statement, parameters).fetchnumpy()


def _last_of_each(block: SampleBlock) -> Bool:
    """Mask that leaves the last of the samples with the same tag and source time."""
    order = np.lexsort((block.source_time, block.tag))
    tag, time = block.tag[order], block.source_time[order]
    kept = np.ones(len(block), dtype=np.bool_)
    kept[order[:-1][(tag[1:] == tag[:-1]) & (time[1:] == time[:-1])]] = False
    return kept


def _filled(column: NDArray[Any]) -> Float64:
    """A column of DuckDB's with NaN for NULL."""
    return np.asarray(np.ma.filled(column, np.nan), dtype=np.float64)


def _remedy(error: duckdb.Error | OSError) -> str:
    if isinstance(error, (duckdb.IOException, OSError)):
        return "See that the disk has room, that the folder is writable and that no other process has the file open."
    if isinstance(error, duckdb.OutOfMemoryException):
        return "Ask for a shorter time range."
    return "If it persists, move the file away: a new one is begun, and the samples on the spool are written to it."
