"""The forwarder moves everything to the historian, once, whatever the historian and the disk do meanwhile."""

import asyncio
import errno
import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from domain.samples import SampleBlock
from historian.forwarder import Forwarder, ForwarderStatus
from historian.protocol import Buckets, HistorianRefused, HistorianUnavailable, Samples
from historian.spool import Batch, Spool

PATHS = ["huarui/GT-101", "huarui/GT-102"]
DOWN = HistorianUnavailable("no connection", "start the server")
FAST = (0.001, 0.002)


class FixedClock:
    def __init__(self) -> None:
        self.time = 1_000

    def now(self) -> int:
        return self.time


class Store:
    """A historian in memory that fails as it is told to."""

    def __init__(self) -> None:
        self.samples: dict[tuple[str, int], float] = {}
        self.requests: list[int] = []
        self.starts = 0
        self.failures: list[Exception] = []
        """Raised by the next requests, one each, before anything is written."""
        self.bad: set[float] = set()
        """Values that it refuses; what comes before them in the request is written."""
        self.refuses_whole = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def start(self) -> None:
        self.starts += 1

    async def write(self, block: SampleBlock, paths: Sequence[str]) -> None:
        self.requests.append(len(block))
        await self.gate.wait()
        if self.failures:
            raise self.failures.pop(0)
        for tag, time, value in zip(block.tag.tolist(), block.source_time.tolist(), block.value.tolist(), strict=True):
            if value in self.bad:
                raise HistorianRefused(f"{value} is no good", whole=self.refuses_whole)
            self.samples[paths[tag], time] = value

    async def read(self, path: str, start: int, end: int, limit: int) -> Samples:
        raise NotImplementedError

    async def read_buckets(self, path: str, start: int, end: int, bucket: int) -> Buckets:
        raise NotImplementedError

    async def close(self) -> None:
        raise NotImplementedError


def block(first: int, count: int) -> SampleBlock:
    number = list(range(first, first + count))
    return SampleBlock.of(
        [n % 2 for n in number], number, number, [float(n) for n in number], [192] * count, [0] * count
    )


def stored(numbers: Sequence[int]) -> dict[tuple[str, int], float]:
    return {(PATHS[n % 2], n): float(n) for n in numbers}


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    opened = Spool(tmp_path / "spool", PATHS, "r1", max_bytes=1_000_000)
    yield opened
    opened.close()


@pytest.fixture
def refused(tmp_path: Path) -> Path:
    return tmp_path / "refused"


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*"))


@asynccontextmanager
async def running(spool: Spool, store: Store, refused: Path, **settings: Any) -> AsyncIterator[Forwarder]:
    given: dict[str, Any] = {"linger": 0.0, "retry": FAST} | settings
    forwarder = Forwarder(spool, store, FixedClock(), refused, **given)
    task = asyncio.create_task(forwarder.run())
    try:
        yield forwarder
    finally:
        forwarder.stop()
        await task


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.001)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


async def test_everything_in_full_batches(spool: Spool, refused: Path) -> None:
    store = Store()
    for first in range(0, 100, 10):
        spool.append([block(first, 10)])
    async with running(spool, store, refused, batch=30) as forwarder:
        await until(lambda: not forwarder.backlog)
    assert store.samples == stored(range(100))
    assert store.requests == [30, 30, 30, 10]
    assert forwarder.counters.forwarded == 100
    assert forwarder.counters.batches == 4
    assert forwarder.status == ForwarderStatus(ok=True, since=1_000)
    assert not files(refused)


async def test_an_append_wakes_it(spool: Spool, refused: Path) -> None:
    store = Store()
    async with running(spool, store, refused) as forwarder:
        for first in range(3):
            await asyncio.to_thread(spool.append, [block(first, 1)])
            await until(lambda: not forwarder.backlog)
    assert store.samples == stored(range(3))
    await asyncio.to_thread(spool.append, [block(3, 1)])
    assert forwarder.backlog == 1


async def test_a_batch_that_is_not_full_is_lingered_for(spool: Spool, refused: Path) -> None:
    store = Store()
    spool.append([block(0, 1)])
    async with running(spool, store, refused, batch=2, linger=1e9) as forwarder:
        await until(lambda: store.starts > 0)
        assert store.requests == []
    assert forwarder.backlog == 1


async def test_an_outage_is_waited_out_and_told(spool: Spool, refused: Path) -> None:
    store, told = Store(), list[ForwarderStatus]()
    store.failures = [DOWN] * 5
    spool.append([block(0, 10)])
    async with running(spool, store, refused, on_change=told.append) as forwarder:
        await until(lambda: not forwarder.backlog)
    assert store.samples == stored(range(10))
    assert store.requests == [10] * 6
    assert store.starts == 6
    assert [(status.ok, status.detail, status.remedy) for status in told] == [
        (False, "no connection", "start the server"),
        (True, "", ""),
    ]
    assert forwarder.counters.failures == 5


async def test_one_failure_is_no_outage(spool: Spool, refused: Path) -> None:
    store, told = Store(), list[ForwarderStatus]()
    store.failures = [DOWN]
    spool.append([block(0, 10)])
    async with running(spool, store, refused, on_change=told.append) as forwarder:
        await until(lambda: not forwarder.backlog)
    assert told == []


async def test_the_status_says_since_when_and_what_is_the_matter_now(spool: Spool, refused: Path) -> None:
    store, told = Store(), list[ForwarderStatus]()
    store.failures = [DOWN, DOWN, HistorianUnavailable("disk full", "make room")]
    spool.append([block(0, 1)])
    clock = FixedClock()

    def tell(status: ForwarderStatus) -> None:
        told.append(status)
        clock.time += 10

    forwarder = Forwarder(spool, store, clock, refused, linger=0.0, retry=FAST, on_change=tell)
    clock.time = 2_000
    task = asyncio.create_task(forwarder.run())
    await until(lambda: not forwarder.backlog)
    forwarder.stop()
    await task
    assert [(status.since, status.detail) for status in told] == [
        (2_000, "no connection"),
        (2_000, "disk full"),
        (2_020, ""),
    ]


async def test_delays_grow_to_their_limit(spool: Spool, refused: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, delays = Store(), list[float]()

    async def note(_: Forwarder, seconds: float) -> bool:
        delays.append(seconds)
        return False

    monkeypatch.setattr(Forwarder, "_stops_within", note)
    store.failures = [DOWN] * 2_000
    spool.append([block(0, 1)])
    async with running(spool, store, refused, retry=(0.1, 10.0), batch=1) as forwarder:
        await until(lambda: not forwarder.backlog)
    del delays[2_000:]  # what it waits for afterwards
    for failures, delay in enumerate(delays):
        longest = min(10.0, 0.1 * 2 ** min(failures, 10))
        assert longest / 2 <= delay <= longest
    assert len(set(delays)) > 1_900


class TestRefusals:
    async def test_only_the_bad_samples_are_set_aside(self, spool: Spool, refused: Path) -> None:
        store = Store()
        store.bad = {3.0, 50.0, 51.0}
        spool.append([block(0, 100)])
        async with running(spool, store, refused, batch=60) as forwarder:
            await until(lambda: not forwarder.backlog)
        assert store.samples == stored(sorted(set(range(100)) - {3, 50, 51}))
        assert forwarder.counters.refused == 3
        assert forwarder.counters.forwarded == 97
        assert forwarder.counters.last_refusal == "51.0 is no good"
        assert forwarder.status.ok
        (file,) = files(refused)
        assert lines(file) == [
            line
            for number in (3, 50, 51)
            for line in (
                {"refusal": f"{number}.0 is no good", "at": "1970-01-01T00:00:01.000Z", "samples": 1},
                {
                    "path": PATHS[number % 2],
                    "source_time": number,
                    "received": number,
                    "value": float(number),
                    "quality": 192,
                    "reason": 0,
                },
            )
        ]

    async def test_a_batch_refused_whole_is_not_sent_in_parts(self, spool: Spool, refused: Path) -> None:
        store = Store()
        store.bad, store.refuses_whole = {0.0}, True
        spool.append([block(0, 20)])
        async with running(spool, store, refused, batch=10) as forwarder:
            await until(lambda: not forwarder.backlog)
        assert store.requests == [10, 10]
        (file,) = files(refused)
        assert lines(file)[0]["samples"] == 10
        assert len(lines(file)) == 11

    async def test_outage_amid_refusals(self, spool: Spool, refused: Path) -> None:
        store = Store()
        store.bad = {5.0}
        store.failures = [DOWN, HistorianRefused("something"), DOWN, DOWN, HistorianRefused("something"), DOWN]
        spool.append([block(0, 16)])
        async with running(spool, store, refused) as forwarder:
            await until(lambda: not forwarder.backlog)
        assert store.samples == stored(sorted(set(range(16)) - {5}))
        assert forwarder.counters.refused == 1

    async def test_a_batch_repeated_after_a_crash_overwrites_its_file(
        self, spool: Spool, refused: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store = Store()
        store.bad = {5.0}
        spool.append([block(0, 10)])

        def crash(_: int) -> None:
            raise RuntimeError("crash")

        with monkeypatch.context() as patch:
            patch.setattr(spool, "advance", crash)
            with pytest.raises(RuntimeError, match="crash"):
                await Forwarder(spool, store, FixedClock(), refused, linger=0.0).run()
        assert len(files(refused)) == 1
        async with running(spool, store, refused) as forwarder:
            await until(lambda: not forwarder.backlog)
        assert len(files(refused)) == 1
        assert store.samples == stored([*range(5), *range(6, 10)])

    async def test_the_folder_is_bounded(self, spool: Spool, refused: Path) -> None:
        store = Store()
        store.bad, store.refuses_whole = {float(n) for n in range(0, 100, 10)}, True
        spool.append([block(0, 100)])
        async with running(spool, store, refused, batch=10, refused_bytes=3_000) as forwarder:
            await until(lambda: not forwarder.backlog)
        kept = files(refused)
        assert sum(file.stat().st_size for file in kept) <= 3_000
        assert kept[-1].name == f"{100:020d}.jsonl"
        assert forwarder.counters.refused_dropped == 10 - len(kept)
        assert forwarder.counters.refused == 100


class TestStopping:
    async def test_idle(self, spool: Spool, refused: Path) -> None:
        store = Store()
        async with running(spool, store, refused):
            await until(lambda: store.starts > 0)

    async def test_while_the_historian_is_down(self, spool: Spool, refused: Path) -> None:
        store = Store()
        store.failures = [DOWN] * 1_000_000
        spool.append([block(0, 10)])
        async with running(spool, store, refused, retry=(1e9, 1e9)) as forwarder:
            await until(lambda: forwarder.counters.failures > 0)
        assert forwarder.backlog == 10

    @pytest.mark.parametrize("batch", [4, 10])
    async def test_the_request_in_flight_is_finished(self, spool: Spool, refused: Path, batch: int) -> None:
        store = Store()
        store.gate.clear()
        spool.append([block(0, 10)])
        async with running(spool, store, refused, batch=batch) as forwarder:
            await until(lambda: bool(store.requests))
            forwarder.stop()
            asyncio.get_running_loop().call_later(0.01, store.gate.set)
        assert store.samples == stored(range(batch))
        assert forwarder.backlog == 10 - batch

    async def test_before_it_has_begun(self, spool: Spool, refused: Path) -> None:
        store = Store()
        spool.append([block(0, 10)])
        forwarder = Forwarder(spool, store, FixedClock(), refused)
        forwarder.stop()
        await forwarder.run()
        assert forwarder.backlog == 10

    async def test_cancelled_it_has_moved_nothing_on(self, spool: Spool, refused: Path) -> None:
        store = Store()
        store.gate.clear()
        spool.append([block(0, 10)])
        task = asyncio.create_task(Forwarder(spool, store, FixedClock(), refused, linger=0.0).run())
        await until(lambda: bool(store.requests))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert spool.backlog == 10
        assert spool.on_append is None


class TestPriority:
    async def test_it_gives_way_but_not_for_ever(self, spool: Spool, refused: Path) -> None:
        store, asked = Store(), list[int]()
        spool.append([block(0, 10)])

        def busy() -> bool:
            asked.append(1)
            return True

        async with running(spool, store, refused, busy=busy, patience=0.05) as forwarder:
            await until(lambda: not forwarder.backlog)
        assert len(asked) >= 3

    async def test_not_once_the_spool_fills(self, tmp_path: Path, refused: Path) -> None:
        store = Store()
        spool = Spool(tmp_path / "small", PATHS, "r1", max_bytes=1_000)
        spool.append([block(0, 10)])
        async with running(spool, store, refused, busy=lambda: True, patience=1e9) as forwarder:
            await until(lambda: not forwarder.backlog)
        spool.close()
        assert store.samples == stored(range(10))


async def test_a_disk_that_cannot_be_read_is_told_and_waited_out(
    spool: Spool, refused: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, told, real = Store(), list[ForwarderStatus](), spool.read
    faults = [OSError(errno.EIO, "Input/output error")] * 3
    spool.append([block(0, 10)])

    def read(max_samples: int) -> Batch | None:
        if faults:
            raise faults.pop()
        return real(max_samples)

    monkeypatch.setattr(spool, "read", read)
    async with running(spool, store, refused, on_change=told.append) as forwarder:
        await until(lambda: not forwarder.backlog)
    assert [status.ok for status in told] == [False, True]
    assert "Input/output" in told[0].detail
    assert store.samples == stored(range(10))


async def test_damage_in_the_spool_holds_nothing_up(tmp_path: Path, refused: Path) -> None:
    spool = Spool(tmp_path / "damaged", PATHS, "r1", segment_bytes=100)
    for first in range(0, 30, 10):
        spool.append([block(first, 10)])
    spool.close()
    for path in sorted((tmp_path / "damaged").glob("*.seg"))[:2]:
        path.write_bytes(bytes(path.stat().st_size))
    spool, store = Spool(tmp_path / "damaged", PATHS, "r1"), Store()
    async with running(spool, store, refused, batch=10) as forwarder:
        await until(lambda: not forwarder.backlog)
    spool.close()
    assert store.samples == stored(range(20, 30))


async def test_a_bug_comes_out(spool: Spool, refused: Path) -> None:
    store = Store()
    store.failures = [ZeroDivisionError()]
    spool.append([block(0, 10)])
    with pytest.raises(ZeroDivisionError):
        await Forwarder(spool, store, FixedClock(), refused, linger=0.0).run()
    assert spool.backlog == 10
