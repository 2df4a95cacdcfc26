"""Processes of ``anshao`` without its imports, two thirds of a start: forked from one that has imported everything.

Otherwise they are what the command makes: a process of its own with its own environment, arguments and exit status.
"""

import atexit
import json
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn, Self

from sqlalchemy import create_engine

from tests.migrated import Migrated

ROOT = Path(__file__).parent.parent
MODULES = ("service.cli.app", "service.cli.serving", "aiosqlite", "historian.embedded")
POLL_SECONDS = 0.02


class Forked:
    """One process, as much of ``subprocess.Popen`` as tests need."""

    def __init__(self, parent: "Preloaded", pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._parent = parent

    def poll(self) -> int | None:
        """The exit status, negative after a signal; None while it runs."""
        if self.returncode is None:
            self.returncode = self._parent.ask(poll=self.pid)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit status. Raises subprocess.TimeoutExpired."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while (status := self.poll()) is None:
            if deadline is not None and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired("anshao", timeout or 0)
            time.sleep(POLL_SECONDS)
        return status

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)  # nobody else is given the number before ``poll`` has seen the end

    def kill(self) -> None:
        """As a crash: SIGKILL."""
        self.send_signal(signal.SIGKILL)


class Preloaded:
    """The process that has imported the service and forks. It starts at the first ``start`` and ends with the block."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._one_at_a_time = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.communicate()

    def start(
        self, arguments: Sequence[str], environment: Mapping[str, str], log: Path, folder: Path | None = None
    ) -> Forked:
        """``anshao`` with these arguments, here or in a folder; what it prints is added to the log."""
        where = {"log": str(log.resolve()), "folder": str(folder or Path.cwd())}
        return Forked(self, self.ask(start={"arguments": arguments, "environment": dict(environment), **where}))

    def run(self, arguments: Sequence[str], environment: Mapping[str, str], folder: Path) -> tuple[int, str]:
        """``anshao`` with these arguments to its end: exit status, and what it printed."""
        with TemporaryDirectory() as apart:
            printed = Path(apart) / "printed"
            status = self.start(arguments, environment, printed, folder).wait()
            return status, printed.read_text(encoding="utf-8")

    def ask(self, **question: Any) -> Any:
        """One question, one answer."""
        with self._one_at_a_time:
            if self._process is None:
                command = [sys.executable, "-m", "tests.preloaded"]
                self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            asked, answered = self._process.stdin, self._process.stdout
            assert asked is not None
            assert answered is not None
            asked.write(json.dumps(question).encode() + b"\n")
            asked.flush()
            return json.loads(answered.readline())


def serve_forks() -> None:
    """Answer questions until there are no more; in a forked process, return at once to be ``anshao``."""
    for line in sys.stdin.buffer:
        question = json.loads(line)
        if "poll" in question:
            pid, status = os.waitpid(question["poll"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if pid else None
        else:
            answer = os.fork()
            if answer == 0:
                become(**question["start"])
                return
        sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
        sys.stdout.buffer.flush()
    sys.exit()


def become(arguments: Sequence[str], environment: Mapping[str, str], log: str, folder: str) -> None:
    """What a new process of the command has."""
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, descriptor in enumerate((nothing, output, output)):
        os.dup2(descriptor, number)
    os.close(output)
    os.close(nothing)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["anshao", *arguments]


def run(main: Callable[[], None]) -> NoReturn:
    """Be the command to its end, but for taking apart what was imported: a fork would first have to copy it all."""
    status: object = 0
    try:
        main()
    except SystemExit as end:
        status = end.code or 0
    except BaseException:  # noqa: BLE001 - as the interpreter does
        traceback.print_exc()
        status = 1
    threading._shutdown()  # type: ignore[attr-defined] # a thread that does not end keeps the process, as ever
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status if isinstance(status, int) else 1)


def migrate_once() -> None:
    """Empty ledgers are given the tables that the migrations have made here."""
    ledgers = import_module("alerting.ledger.ledger")
    migrated = Migrated(ledgers.migrate)
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        migrated(connection)
    engine.dispose()
    vars(ledgers)["migrate"] = migrated


if __name__ == "__main__":
    with import_module("service.memory").loading_code():
        for module in MODULES:
            import_module(module)
        migrate_once()
    serve_forks()
    run(import_module("service.cli.app").main)
