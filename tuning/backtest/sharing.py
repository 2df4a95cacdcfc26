"""Sharing work out over processor cores."""

import multiprocessing
import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from multiprocessing.sharedctypes import Synchronized
from typing import Generic, TypeVar, cast

Item = TypeVar("Item")
Task = TypeVar("Task")
Result = TypeVar("Result")

LOOK = 0.2
"""Seconds between two looks at how far the processes are."""
AHEAD = 4
"""Blocks that are read before they are asked for."""


class _Failure:
    """What went wrong in the thread that reads."""

    def __init__(self, error: Exception) -> None:
        self.error = error


def read_ahead(items: Iterable[Item]) -> Iterator[Item]:
    """The same, read by a thread of its own while the caller works on what it has. Raises what reading raises."""
    ready: queue.Queue[Item | _Failure | None] = queue.Queue(AHEAD)
    stop = threading.Event()

    def read() -> None:
        try:
            for item in items:
                ready.put(item)
                if stop.is_set():
                    return
        except Exception as error:  # noqa: BLE001 - it is raised where the items are asked for
            ready.put(_Failure(error))
        else:
            ready.put(None)

    thread = threading.Thread(target=read, name="read-ahead", daemon=True)
    thread.start()
    try:
        while (item := ready.get()) is not None:
            if isinstance(item, _Failure):
                raise item.error
            yield item
    finally:
        stop.set()
        while thread.is_alive():  # it may wait for room
            _empty(ready)
            thread.join(0.01)


def _empty(ready: "queue.Queue[Item]") -> None:
    """Take out what waits."""
    try:
        while True:
            ready.get_nowait()
    except queue.Empty:
        return


class Shared(Generic[Task, Result]):
    """Runs ``work(task, progress)`` for many tasks in ``workers`` processes."""

    def __init__(self, work: Callable[[Task, Callable[[int], None]], Result], workers: int) -> None:
        self._work = work
        self._workers = workers

    def run(self, tasks: Sequence[Task], progress: Callable[[int], None]) -> list[Result]:
        """The results in the order of the tasks. Raises what a task raises, once the others are given up."""
        context = multiprocessing.get_context("forkserver" if _has_forkserver() else "spawn")
        done = context.Value("q", 0)
        told = 0
        pool = ProcessPoolExecutor(self._workers, context, initializer=_begin, initargs=(self._work, done))
        try:
            futures = [pool.submit(_run, task) for task in tasks]
            waiting = set(futures)
            while waiting:
                finished, waiting = wait(waiting, LOOK, FIRST_COMPLETED)
                for future in finished:
                    future.result()
                now = done.value
                if now > told:
                    progress(now - told)
                    told = now
            return cast("list[Result]", [future.result() for future in futures])
        finally:
            pool.shutdown(cancel_futures=True)


def _has_forkserver() -> bool:
    return "forkserver" in multiprocessing.get_all_start_methods()


_of_process: list[tuple[Callable[..., object], "Synchronized[int]"]] = []


def _begin(work: Callable[..., object], done: "Synchronized[int]") -> None:
    _of_process[:] = [(work, done)]


def _run(task: object) -> object:
    ((work, done),) = _of_process

    def progress(count: int) -> None:
        with done.get_lock():
            done.value += count

    return work(task, progress)
