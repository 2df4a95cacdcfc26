"""Spool, forwarder and real stores together: every sample once, whatever is killed meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from domain.samples import SampleBlock
from historian.embedded import DuckDBHistorian
from historian.forwarder import Forwarder, ForwarderStatus
from historian.influx import InfluxHistorian
from historian.protocol import Historian
from historian.spool import Spool
from tests import servers
from tests.conftest import missing

PATHS = [f"huarui/TI-{number}" for number in range(10)]
FAST = (0.01, 0.1)
BEGIN = 1_700_000_000_000
END = BEGIN + (1 << 40)


class StoppedClock:
    def now(self) -> int:
        return 0


@pytest.fixture
def own_influx() -> Iterator[servers.Influx]:
    """An InfluxDB that the test may kill."""
    try:
        with servers.influxd() as server:
            yield server
    except servers.ServerMissing as error:
        missing(str(error))


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    opened = Spool(tmp_path / "spool", PATHS, "r1", segment_bytes=100_000)
    yield opened
    opened.close()


def block(first: int, count: int) -> SampleBlock:
    """Sample number n is of tag n % 10, at second n // 10."""
    number = np.arange(first, first + count)
    return SampleBlock(
        tag=(number % 10).astype(np.int32),
        source_time=BEGIN + number // 10 * 1_000,
        received_time=number.astype(np.int64),
        value=number / 7,
        quality=np.full(count, 192, dtype=np.uint8),
        reason=np.zeros(count, dtype=np.uint8),
    )


@asynccontextmanager
async def forwarding(spool: Spool, historian: Historian, folder: Path, **settings: Any) -> AsyncIterator[Forwarder]:
    given: dict[str, Any] = {"linger": 0.0, "retry": FAST} | settings
    forwarder = Forwarder(spool, historian, StoppedClock(), folder / "refused", **given)
    task = asyncio.create_task(forwarder.run())
    try:
        yield forwarder
    finally:
        forwarder.stop()
        await task
        await historian.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.005)


async def verify(historian: Historian, total: int) -> None:
    for tag, path in enumerate(PATHS):
        found = await historian.read(path, 0, END, total)
        assert found.source_time.tolist() == [BEGIN + n // 10 * 1_000 for n in range(tag, total, 10)]
        assert found.received_time.tolist() == list(range(tag, total, 10))
        assert found.value.tolist() == [n / 7 for n in range(tag, total, 10)]


async def test_influxdb_killed_again_and_again(spool: Spool, own_influx: servers.Influx, tmp_path: Path) -> None:
    historian = InfluxHistorian(own_influx.url, write_api="v1", timeout=5.0)
    told: list[ForwarderStatus] = []
    total, appended = 20_000, 0
    async with forwarding(spool, historian, tmp_path, batch=500, on_change=told.append) as forwarder:
        for _ in range(3):
            # some of it is forwarded, some in flight, some on the spool when the server dies
            for _ in range(10):
                await asyncio.to_thread(spool.append, [block(appended, 500)])
                appended += 500
            seen = forwarder.counters.batches
            await until(lambda seen=seen: forwarder.counters.batches > seen)  # type: ignore[misc]
            own_influx.kill()
            await asyncio.to_thread(spool.append, [block(appended, 500)])
            appended += 500
            await until(lambda: not forwarder.status.ok)
            assert forwarder.backlog > 0
            assert "can't be reached" in forwarder.status.detail
            await asyncio.to_thread(own_influx.start)
            await until(lambda: forwarder.status.ok)
        await asyncio.to_thread(spool.append, [block(appended, total - appended)])
        await until(lambda: not forwarder.backlog)
        await verify(historian, total)
        assert forwarder.counters.refused == 0
    assert [ok for ok, _ in groupby(told, key=lambda status: status.ok)] == [False, True] * 3


async def test_influxdb_that_hangs(spool: Spool, own_influx: servers.Influx, tmp_path: Path) -> None:
    historian = InfluxHistorian(own_influx.url, write_api="v1", timeout=0.3)
    async with forwarding(spool, historian, tmp_path, batch=100) as forwarder:
        await asyncio.to_thread(spool.append, [block(0, 200)])
        await until(lambda: not forwarder.backlog)
        own_influx.pause()
        await asyncio.to_thread(spool.append, [block(200, 1_000)])
        await until(lambda: not forwarder.status.ok)
        assert "not answered within" in forwarder.status.detail
        own_influx.resume()
        await until(lambda: not forwarder.backlog)
        await verify(historian, 1_200)


async def test_the_database_is_dropped_meanwhile(spool: Spool, own_influx: servers.Influx, tmp_path: Path) -> None:
    historian = InfluxHistorian(own_influx.url, write_api="v1")
    async with forwarding(spool, historian, tmp_path) as forwarder:
        await asyncio.to_thread(spool.append, [block(0, 200)])
        await until(lambda: not forwarder.backlog)
        own_influx.query("DROP DATABASE anshao")
        await asyncio.to_thread(spool.append, [block(200, 100)])
        await until(lambda: not forwarder.backlog)
        assert len(await historian.read(PATHS[0], 0, END, 100)) == 10


async def test_a_point_that_influxdb_refuses_is_set_aside(
    spool: Spool, influx: servers.InfluxDatabase, tmp_path: Path
) -> None:
    historian = InfluxHistorian(influx.url, write_api="v1", database=influx.name)
    impossible = SampleBlock.of([3, 4], [1 << 60, -(1 << 60)], [5, 6], [1.5, 2.5], [192, 192], [0, 0])
    async with forwarding(spool, historian, tmp_path, batch=64) as forwarder:
        await asyncio.to_thread(spool.append, [block(0, 77), impossible, block(77, 123)])
        await until(lambda: not forwarder.backlog)
        await verify(historian, 200)
        assert forwarder.counters.refused == 2
        assert "time outside range" in forwarder.counters.last_refusal


async def test_victoria_metrics_restarted(spool: Spool, victoria: servers.Victoria, tmp_path: Path) -> None:
    historian = InfluxHistorian(victoria.url, write_api="v2", timeout=5.0)
    async with forwarding(spool, historian, tmp_path, batch=500) as forwarder:
        await asyncio.to_thread(spool.append, [block(0, 2_000)])
        await until(lambda: not forwarder.backlog)
        # it acknowledges from memory: a kill -9 takes what it has not yet written, so it is stopped in good order
        await asyncio.to_thread(victoria.stop)
        await asyncio.to_thread(spool.append, [block(2_000, 2_000)])
        await until(lambda: not forwarder.status.ok)
        await asyncio.to_thread(victoria.start)
        await until(lambda: not forwarder.backlog)
    found = {series["metric"]["tag"]: series for series in victoria.export('{__name__="sample_value"}')}
    assert len(found) == len(PATHS)
    for tag, path in enumerate(PATHS):
        series = found[path.split("/")[1]]
        assert series["timestamps"] == [BEGIN + n // 10 * 1_000 for n in range(tag, 4_000, 10)]
        assert series["values"] == pytest.approx([n / 7 for n in range(tag, 4_000, 10)], rel=1e-12)


async def test_duckdb(spool: Spool, tmp_path: Path) -> None:
    historian = DuckDBHistorian(tmp_path / "history.duckdb")
    async with forwarding(spool, historian, tmp_path, batch=1_000) as forwarder:
        for first in range(0, 10_000, 500):
            await asyncio.to_thread(spool.append, [block(first, 500)])
        await until(lambda: not forwarder.backlog)
        await verify(historian, 10_000)


async def test_restarted_under_another_configuration(tmp_path: Path) -> None:
    """Samples of tags that are gone still reach the historian, under their own names."""
    spool = Spool(tmp_path / "spool", PATHS, "r1")
    spool.append([block(0, 1_000)])
    spool.close()
    spool = Spool(tmp_path / "spool", [*PATHS[5:], "huarui/new"], "r2")
    spool.append([SampleBlock.of([5, 0], [1, BEGIN + 100_000], [1, 1_005], [1.5, 1_005 / 7], [192, 192], [0, 0])])
    historian = DuckDBHistorian(tmp_path / "history.duckdb")
    async with forwarding(spool, historian, tmp_path) as forwarder:
        await until(lambda: not forwarder.backlog)
        for tag, path in enumerate(PATHS):
            found = await historian.read(path, 0, END, 10_000)
            expected = [n / 7 for n in range(tag, 1_000, 10)] + [1_005 / 7] * (tag == 5)
            assert found.value.tolist() == expected
        assert (await historian.read("huarui/new", 0, 10, 10)).value.tolist() == [1.5]
    spool.close()
