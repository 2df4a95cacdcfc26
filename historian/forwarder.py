"""Moves samples from the spool to the historian: in order, for ever, and without getting in the way of ingestion."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import orjson
import structlog

from domain.clock import Clock, iso
from domain.samples import SampleBlock
from historian.files import write_whole
from historian.protocol import Historian, HistorianRefused, HistorianUnavailable
from historian.spool import Batch, Spool

log = structlog.get_logger(__name__)

FAILURES_TOLERATED = 1
"""A connection that the server has closed while idle fails once and is no outage."""
BUSY_STEP = 0.02
FILL_THAT_MATTERS = 0.25

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class ForwarderStatus:
    """Whether samples reach the historian."""

    ok: bool
    since: int
    """ms UTC, when ``ok`` last changed."""
    detail: str = ""
    """What the historian said; empty if ``ok``."""
    remedy: str = ""


@dataclass(slots=True)
class ForwarderCounters:
    """Since the start; for metrics."""

    forwarded: int = 0
    """Samples that the historian has, refused ones left out."""
    batches: int = 0
    failures: int = 0
    """Requests that failed and were or will be repeated."""
    refused: int = 0
    """Samples that the historian refused; they are in the folder ``refused``."""
    refused_dropped: int = 0
    """Files of refused samples that gave way to newer ones."""
    last_refusal: str = ""


class Forwarder:
    """Run ``run`` as a task; ``stop`` ends it after the request in flight. What is not forwarded stays in the spool."""

    def __init__(
        self,
        spool: Spool,
        historian: Historian,
        clock: Clock,
        refused_directory: Path,
        *,
        batch: int = 5_000,
        linger: float = 0.1,
        busy: Callable[[], bool] = lambda: False,
        patience: float = 0.25,
        retry: tuple[float, float] = (0.1, 10.0),
        on_change: Callable[[ForwarderStatus], None] = lambda _: None,
        refused_bytes: int = 1_000_000_000,
    ) -> None:
        """Times in seconds.

        linger: how long a batch that is not full waits for more
        busy: while it says True, a batch waits, at most ``patience``; ignored once the spool is a quarter full
        retry: the first and the longest delay before a request is repeated
        on_change: called on the event loop with each new status
        refused_bytes: limit of ``refused_directory``; the oldest files give way
        """
        self.status = ForwarderStatus(ok=True, since=clock.now())
        self.counters = ForwarderCounters()
        self._spool = spool
        self._historian = historian
        self._clock = clock
        self._refused_directory = refused_directory
        self._batch = batch
        self._linger = linger
        self._busy = busy
        self._patience = patience
        self._retry = retry
        self._on_change = on_change
        self._refused_bytes = refused_bytes
        self._failures = 0
        self._appended = asyncio.Event()
        self._stopping = asyncio.Event()

    @property
    def backlog(self) -> int:
        """Samples that wait in the spool."""
        return self._spool.backlog

    def stop(self) -> None:
        """End ``run`` after the request in flight."""
        self._stopping.set()
        self._appended.set()

    async def run(self) -> None:
        """Forward until ``stop``. Faults of historian and disk are waited out; anything else is a bug and comes out."""
        loop = asyncio.get_running_loop()

        def appended() -> None:
            with contextlib.suppress(RuntimeError):  # the loop has closed meanwhile
                loop.call_soon_threadsafe(self._appended.set)

        self._spool.on_append = appended
        try:
            await self._persist(self._historian.start)
            while await self._wait_for_samples():
                batch = await self._persist(lambda: asyncio.to_thread(self._spool.read, self._batch))
                if batch and await self._deliver(batch):
                    await self._persist(partial(asyncio.to_thread, self._spool.advance, batch.position))
                    self.counters.batches += 1
        finally:
            self._spool.on_append = None

    async def _wait_for_samples(self) -> bool:
        """Wait for a batch, full or lingered for; False: stopping."""
        self._appended.clear()
        if not self.backlog and not self._stopping.is_set():
            await self._appended.wait()
        if self.backlog < self._batch:
            await self._stops_within(self._linger)
        waited = 0.0
        while self._busy() and waited < self._patience and self._spool.fill < FILL_THAT_MATTERS:
            if await self._stops_within(BUSY_STEP):
                break
            waited += BUSY_STEP
        return not self._stopping.is_set()

    async def _deliver(self, batch: Batch) -> bool:
        """Write a batch; what the historian refuses is halved until only the bad samples are left. False: stopping."""
        pieces, refused = [batch.block], list[tuple[SampleBlock, str]]()
        while pieces:
            piece = pieces.pop()
            try:
                if not await self._persist(partial(self._write, piece, batch.paths)):
                    return False
                self.counters.forwarded += len(piece)
            except HistorianRefused as error:
                if len(piece) == 1 or error.whole:
                    refused.append((piece, str(error)))
                else:
                    middle = len(piece) // 2
                    pieces += [piece.take(slice(middle, None)), piece.take(slice(middle))]
        if refused:
            await self._persist(partial(asyncio.to_thread, self._keep_refused, batch, refused))
        return True

    async def _write(self, block: SampleBlock, paths: Sequence[str]) -> bool:
        if self._failures:
            await self._historian.start()
        await self._historian.write(block, paths)
        return True

    # ---- faults

    async def _persist(self, act: Callable[[], Awaitable[Result]]) -> Result | None:
        """Repeat an act until it succeeds; None: stopping. Raises HistorianRefused."""
        while True:
            try:
                result = await act()
            except HistorianRefused:
                self._succeeded()
                raise
            except (HistorianUnavailable, OSError) as error:
                self._failed(error)
            else:
                self._succeeded()
                return result
            first, longest = self._retry
            delay = min(longest, first * 2 ** min(self._failures - 1, 30))
            if await self._stops_within(delay * random.uniform(0.5, 1.0)):  # noqa: S311 -- jitter, no secret
                return None

    async def _stops_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        return self._stopping.is_set()

    def _failed(self, error: HistorianUnavailable | OSError) -> None:
        self._failures += 1
        self.counters.failures += 1
        if self._failures > FAILURES_TOLERATED:
            remedy = error.remedy if isinstance(error, HistorianUnavailable) else ""
            self._report(ok=False, detail=str(error), remedy=remedy)

    def _succeeded(self) -> None:
        self._failures = 0
        self._report(ok=True)

    def _report(self, *, ok: bool, detail: str = "", remedy: str = "") -> None:
        since = self.status.since if ok == self.status.ok else self._clock.now()
        status = ForwarderStatus(ok, since, detail, remedy)
        if status == self.status:
            return
        if ok:
            log.info("historian reached", backlog=self.backlog)
        else:
            log.warning("historian not reached", detail=detail, remedy=remedy, backlog=self.backlog)
        self.status = status
        self._on_change(status)

    # ---- refused samples

    def _keep_refused(self, batch: Batch, refused: list[tuple[SampleBlock, str]]) -> None:
        """One file for a batch, the same again if the batch is repeated: per refusal a line, then its samples."""
        lines: list[bytes] = []
        for block, refusal in refused:
            lines.append(orjson.dumps({"refusal": refusal, "at": iso(self._clock.now()), "samples": len(block)}))
            columns = (block.tag, block.source_time, block.received_time, block.value, block.quality, block.reason)
            for tag, source, received, value, quality, reason in zip(*(c.tolist() for c in columns), strict=True):
                sample = {"path": batch.paths[tag], "source_time": source, "received": received}
                lines.append(orjson.dumps(sample | {"value": value, "quality": quality, "reason": reason}))
        self._refused_directory.mkdir(parents=True, exist_ok=True)
        path = self._refused_directory / f"{batch.position:020d}.jsonl"
        write_whole(path, b"\n".join(lines) + b"\n", synced=True)
        self.counters.refused += sum(len(block) for block, _ in refused)
        self.counters.last_refusal = refused[-1][1]
        log.error("historian refused samples", file=str(path), refusal=refused[-1][1])
        self._prune_refused(path)

    def _prune_refused(self, newest: Path) -> None:
        files = sorted(self._refused_directory.glob("*.jsonl"))
        excess = sum(file.stat().st_size for file in files) - self._refused_bytes
        for file in files:
            if excess <= 0 or file == newest:
                break
            excess -= file.stat().st_size
            file.unlink()
            self.counters.refused_dropped += 1
            log.error("refused samples dropped for want of room", file=str(file))
