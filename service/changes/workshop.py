"""Where figures are tried out: readings of the historian in temporary files, evaluated by processes beside the service.

One place for the backtests of changes and one for previews, so that neither waits for the other. A process stays
for the next job. A preview that is given up is left to finish, if that does not take long, and thrown away: the next
one is asked for already by then. Recordings of previews are kept for a while: who drags a limit asks for the same
readings again and again.
"""

import asyncio
import contextlib
import os
import pickle
import shutil
import sys
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import structlog

from domain.site import Tag
from historian.protocol import Historian
from service.changes.history import Span, record
from service.changes.trial import Trial
from service.changes.worker import Job

log = structlog.get_logger(__name__)

KEPT, KEPT_FOR = 4, 300.0
"""Recordings of previews that are kept, and for how long, seconds: what comes late is to be seen too [ours]."""
LEFT_ALONE = 2.0
"""Seconds that a job which was given up may hold up the next one before its process is ended [ours]."""
STOP_PATIENCE = 2.0
"""Seconds that a process has to end by itself."""
LINE = 1 << 20

Progress = Callable[[str, float], None]
"""Called with the stage, ``reading`` or ``evaluating``, and the part of it that is done, 0 to 1."""


class TrialFailed(Exception):
    """It could not be tried out; the message says why."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a trial: the result as it was written, and what there was of each tag."""

    result: bytes
    spans: Mapping[str, Span]


@dataclass(frozen=True, slots=True)
class _Recorded:
    """A recording that is kept. ``at``: seconds by the loop's clock."""

    path: Path
    spans: Mapping[str, Span]
    at: float


class Workshop:
    """Reads, evaluates, and cleans up. ``folder``: for temporary files; what a process that died left there goes."""

    def __init__(self, historian: Callable[[], Historian], folder: Callable[[], Path]) -> None:
        self._historian = historian
        self._place = folder
        self._folder: Path | None = None
        self._benches = {"backtest": _Bench(ends=True), "preview": _Bench(ends=False)}
        self._recorded: OrderedDict[tuple[Any, ...], _Recorded] = OrderedDict()
        self._number = 0

    async def try_out(
        self, bench: str, trial: Trial, most: int, progress: Progress | None = None, *, keep: bool = False
    ) -> Tried:
        """Try figures on the readings of the trial's stretch; ``bench``: backtest or preview.

        ``most``: readings; ``keep``: the same readings will be asked for again. Raises HistorianUnavailable, TooMuch,
        TrialFailed, OSError.
        """
        told = progress or (lambda _stage, _part: None)
        async with self._benches[bench].free() as worker:
            recording, spans = await self._record(trial, most, lambda part: told("reading", part), keep=keep)
            paths = [self._new(".job"), self._new(".json")]
            try:
                job = Job(trial, recording, paths[1])
                await asyncio.to_thread(paths[0].write_bytes, pickle.dumps(job))
                await worker.do(paths[0], lambda part: told("evaluating", part))
                return Tried(await asyncio.to_thread(paths[1].read_bytes), spans)
            finally:
                await asyncio.to_thread(_remove, [*paths, *([] if keep else [recording])])

    async def close(self) -> None:
        """End the processes and remove what they left."""
        await asyncio.gather(*(bench.close() for bench in self._benches.values()))
        folder, self._folder = self._folder, None
        self._recorded.clear()
        if folder is not None:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def _record(
        self, trial: Trial, most: int, progress: Callable[[float], None], *, keep: bool
    ) -> tuple[Path, Mapping[str, Span]]:
        tags: Sequence[Tag] = [tag for tag in trial.before.tags if not tag.system]
        key = (tuple(tag.path for tag in tags), trial.begin, trial.end)
        now = asyncio.get_running_loop().time()
        known = self._recorded.get(key)
        if keep and known is not None and now - known.at < KEPT_FOR:
            self._recorded.move_to_end(key)
            return known.path, known.spans
        path = self._new(".parquet")
        spans = await record(self._historian(), tags, trial.begin, trial.end, path, most, progress)
        if keep:
            dropped = [] if known is None else [known]
            self._recorded[key] = _Recorded(path, spans, now)
            while len(self._recorded) > KEPT:
                dropped.append(self._recorded.popitem(last=False)[1])
            await asyncio.to_thread(_remove, [old.path for old in dropped])
        return path, spans

    def _new(self, suffix: str) -> Path:
        if self._folder is None:
            folder = self._place()
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            self._folder = folder
        self._number += 1
        return self._folder / f"{self._number}{suffix}"


class _Bench:
    """One process, and who waits for it. ``ends``: with a job that is given up."""

    def __init__(self, *, ends: bool) -> None:
        self._ends = ends
        self._taken = asyncio.Lock()
        self._worker = _Worker()

    @asynccontextmanager
    async def free(self) -> AsyncIterator["_Worker"]:
        async with self._taken:
            try:
                yield self._worker
            except BaseException:
                if self._ends:
                    await self._worker.kill()
                raise

    async def close(self) -> None:
        await self._worker.kill()


class _Worker:
    """A process that takes one job at a time, started when it is needed."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._under_way: Path | None = None
        """A job that has been sent and not been answered: of a caller who waits, or who has given it up."""

    async def do(self, job: Path, progress: Callable[[float], None]) -> None:
        """Do a job. Raises TrialFailed."""
        process = await self._running()
        if process.stdin is None or process.stdout is None:
            raise TrialFailed("the process that evaluates has no pipes")
        self._under_way = job
        with contextlib.suppress(ConnectionError):
            process.stdin.write(orjson.dumps({"job": str(job)}) + b"\n")
            await process.stdin.drain()
        while line := await process.stdout.readline():
            said = orjson.loads(line)
            if "progress" in said:
                progress(float(said["progress"]))
                continue
            self._under_way = None
            if "fault" in said:
                raise TrialFailed(str(said["fault"]))
            return
        await self.kill()
        raise TrialFailed("the process that evaluates was ended; was there too little memory? Try fewer days")

    async def kill(self) -> None:
        """End the process, whatever it is at."""
        process, self._process, self._under_way = self._process, None, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_PATIENCE):
                await process.wait()
        if process.stdin is not None:
            process.stdin.close()

    async def _clear(self) -> None:
        """Wait for a job that was given up, and throw its result away; it is ended where that takes long."""
        process, job = self._process, self._under_way
        if process is None or process.stdout is None or job is None:
            return
        try:
            async with asyncio.timeout(LEFT_ALONE):
                while line := await process.stdout.readline():
                    said = orjson.loads(line)
                    if "progress" not in said:
                        self._under_way = None
                        if "result" in said:
                            await asyncio.to_thread(_remove, [Path(said["result"])])
                        return
        except TimeoutError:
            pass
        await self.kill()

    async def _running(self) -> asyncio.subprocess.Process:
        await self._clear()
        if self._process is None or self._process.returncode is not None:
            around = os.environ | {"PYTHONPATH": os.pathsep.join(part for part in sys.path if part)}
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "service.changes.worker",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env=around,
                limit=LINE,
            )
        return self._process


def _remove(paths: Sequence[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
