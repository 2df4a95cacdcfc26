"""Sharing work out over processor cores."""

import os
import pickle
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Generic, TypeVar, cast

Item = TypeVar("Item")
Task = TypeVar("Task")
Result = TypeVar("Result")

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


class WorkerLost(Exception):
    """A process ended before its work was done: killed, perhaps for want of memory."""


class Shared(Generic[Task, Result]):
    """Runs ``work(task, progress)`` for many tasks here and in ``workers - 1`` other processes.

    Those (``tuning.backtest.worker``) import nothing of the program that asks, so they are there quickly, and it need
    not be prepared for them.
    """

    def __init__(self, work: Callable[[Task, Callable[[int], None]], Result], workers: int) -> None:
        self._work = work
        self._others = workers - 1

    def run(self, tasks: Sequence[Task], progress: Callable[[int], None]) -> list[Result]:
        """The results in the order of the tasks. Raises what a task raises once the others are given up, WorkerLost."""
        waiting = _Waiting(tasks)
        found: dict[int, Result] = {}
        with _helpers(self._others, self._work, waiting) as told:

            def hear() -> None:
                kind, content = told.get()
                if kind == DONE:
                    progress(content)
                elif kind == FAILED:
                    raise content
                else:
                    number, result = content
                    found[number] = cast("Result", result)

            def tell(count: int) -> None:
                progress(count)
                while not told.empty():
                    hear()

            while (task := waiting.take()) is not None:
                found[task[0]] = self._work(task[1], tell)
            while len(found) < len(tasks):
                hear()
        return [found[number] for number in range(len(tasks))]


class _Waiting(Generic[Task]):
    """Tasks that nobody has taken yet."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._tasks = iter(enumerate(tasks))
        self._turn = threading.Lock()

    def take(self) -> tuple[int, Task] | None:
        """The next with its number; None if there is none."""
        with self._turn:
            return next(self._tasks, None)


DONE, FAILED, RESULT = "done", "failed", "result"


@contextmanager
def _helpers(
    count: int, work: Callable[..., object], waiting: _Waiting[Any]
) -> Iterator["queue.Queue[tuple[str, Any]]"]:
    """Other processes that take of what waits; what they say. They are ended with the block."""
    told: queue.Queue[tuple[str, Any]] = queue.Queue()
    begun = [_begin() for _ in range(count)]
    threads = [threading.Thread(target=_serve, args=(each, work, waiting, told), daemon=True) for each in begun]
    try:
        for thread in threads:
            thread.start()
        yield told
    finally:
        for process in begun:
            process.kill()
        for thread in threads:
            thread.join()
        for process in begun:
            process.communicate()


def _begin() -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "tuning.backtest.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )


def _serve(
    process: "subprocess.Popen[bytes]",
    work: Callable[..., object],
    waiting: _Waiting[Any],
    told: "queue.Queue[tuple[str, Any]]",
) -> None:
    """Give a process one task after the other, and pass on what it says."""
    to, back = process.stdin, process.stdout
    if to is None or back is None:
        return
    try:
        pickle.dump(work, to)
        while (task := waiting.take()) is not None:
            pickle.dump(task[1], to)
            to.flush()
            kind = ""
            while kind != RESULT:
                kind, content = pickle.load(back)  # noqa: S301 - from a process of our own
                told.put((kind, (task[0], content) if kind == RESULT else content))
    except (OSError, EOFError, pickle.UnpicklingError, ValueError):
        told.put((FAILED, WorkerLost(f"a process of the backtest ended too early (status {process.wait()})")))
