"""What all tests share: real servers, recorded data, a browser, and the watch over what a test leaves behind."""

import asyncio
import gc
import logging
import os
import shutil
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import NoReturn

import greenlet
import hypothesis
import pytest
import structlog
from playwright.async_api import Browser, async_playwright
from pytest_asyncio import is_async_test

from tests import servers
from tests.migrated import Migrated, migrate_empty
from tests.preloaded import Preloaded
from tests.running import Service

IN_CI = os.environ.get("CI") == "true"
ROOT = Path(__file__).parent.parent
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LEFTOVER_SECONDS = 5.0
"""How long threads that were told to end may take."""

structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)
"""What a test logs is read after a failure only: a traceback needs neither colours nor all variables of each frame."""

gc.disable()
"""Until all tests are collected: nothing of what is loaded then is ever free again."""

_greenlets: list[tuple[greenlet.greenlet, ...]] = []
_begin = threading.Thread._bootstrap_inner  # type: ignore[attr-defined]


def _begin_keeping(thread: threading.Thread) -> None:
    """Begin a thread, and keep its main greenlet to the end of the tests.

    Coverage refers to it weakly, by a callback in Python. After the thread's end the greenlet would be freed in a
    pending call of the main thread, and there CPython 3.11 never comes past the first instruction of what is traced if
    another thread asks for a pending call meanwhile: a test would hang for ever, deaf to its time limit.
    It is kept twice: greenlet takes a single reference for a leak, and looks for it in all objects there are.
    """
    current = greenlet.getcurrent()
    _greenlets.append((current, current))
    _begin(thread)


threading.Thread._bootstrap_inner = _begin_keeping  # type: ignore[attr-defined]

hypothesis.settings.register_profile("dev", deadline=None, print_blob=True)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True, database=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if IN_CI else "dev"))


def pytest_addoption(parser: pytest.Parser) -> None:
    """How long the tests of survival go on, and how much is asked of the API."""
    parser.addoption("--kill-rounds", type=int, default=3, help="kill -9 of the service, so many times")
    parser.addoption("--outage-seconds", type=float, default=10, help="how long InfluxDB stays stopped")
    parser.addoption("--api-examples", type=int, default=2, help="requests of each caller for each operation, so many")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests that may take very long come first: at the end they would keep one processor busy and the others idle."""
    asking = pytest.mark.timeout(300 * config.getoption("--api-examples"))
    for item in items:
        if "api_examples" in getattr(item, "fixturenames", ()):
            item.add_marker(asking)

    def longest(item: pytest.Item) -> float:
        marker = item.get_closest_marker("timeout")
        return float(marker.args[0]) if marker else 0.0

    items.sort(key=longest, reverse=True)


def pytest_collection_finish() -> None:
    """What was loaded stays to the end: the collector need not look at it again and again."""
    gc.freeze()
    gc.enable()


def missing(message: str) -> NoReturn:
    """Skip the test; fail it where ``CI=true``, where nothing may be missing."""
    if IN_CI:
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture
def api_examples(request: pytest.FixtureRequest) -> int:
    """How much is asked of the API; the time that a test may take grows with it."""
    return int(request.config.getoption("--api-examples"))


@pytest.fixture(autouse=True)
def own_logs() -> Iterator[None]:
    """What a command has set up for its logs ends with the test that ran it."""
    known = structlog.get_config()
    yield
    structlog.configure(**known)
    root = logging.getLogger()
    for handler in [each for each in root.handlers if isinstance(each.formatter, structlog.stdlib.ProcessorFormatter)]:
        root.removeHandler(handler)


@pytest.fixture(autouse=True, scope="session")
def migrated_once() -> Iterator[None]:
    """Ledgers in this process need not go through all migrations each; those of the service's own processes do."""
    ledgers = import_module("alerting.ledger.ledger")  # no earlier, or coverage would miss its first lines
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ledgers, "migrate", Migrated(ledgers.migrate))
        yield


@pytest.fixture(autouse=True, scope="session")
def preloaded() -> Iterator[None]:
    """Services that tests start import their code once."""
    with pytest.MonkeyPatch.context() as patch, Preloaded() as forks:
        patch.setattr(Service, "preloaded", forks)
        yield


@pytest.fixture
def broker() -> Iterator[servers.Broker]:
    """Mosquitto with our limits and no memory of other tests."""
    try:
        with servers.mosquitto() as server:
            yield server
    except servers.ServerMissing as error:
        missing(str(error))


@pytest.fixture(scope="session")
def influx_server() -> Iterator[servers.Influx]:
    """The shared InfluxDB; a test that stops it takes ``servers.influxd()`` of its own."""
    try:
        with servers.influxd() as server:
            yield server
    except servers.ServerMissing as error:
        missing(str(error))


@pytest.fixture
def influx(influx_server: servers.Influx) -> Iterator[servers.InfluxDatabase]:
    """A fresh database of the shared InfluxDB."""
    with servers.influx_database(influx_server) as database:
        yield database


@pytest.fixture
def victoria() -> Iterator[servers.Victoria]:
    """An empty VictoriaMetrics."""
    try:
        with servers.victoria_metrics() as server:
            yield server
    except servers.ServerMissing as error:
        missing(str(error))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[servers.Postgres]:
    """The shared PostgreSQL cluster."""
    try:
        with servers.postgres() as server:
            yield server
    except servers.ServerMissing as error:
        missing(str(error))


@pytest.fixture(scope="session")
def migrated_database(postgres_server: servers.Postgres) -> Iterator[str]:
    """A database of the shared cluster that the migrations were run on, to be copied."""
    with postgres_server.database() as url:
        with ThreadPoolExecutor(1) as apart:  # from the event loop of the test that comes first
            apart.submit(asyncio.run, migrate_empty(url)).result()
        yield url


@pytest.fixture
def empty_postgres_url(postgres_server: servers.Postgres) -> Iterator[str]:
    """A database of the shared cluster with nothing in it: its ``postgresql+asyncpg://`` URL."""
    with postgres_server.database() as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server: servers.Postgres, migrated_database: str) -> Iterator[str]:
    """A database of the shared cluster with a ledger's tables: its ``postgresql+asyncpg://`` URL."""
    with postgres_server.database(migrated_database) as url:
        yield url


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Debian's Chromium, headless, driven by Playwright's asynchronous interface."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    if executable is None:
        missing("chromium is not installed (Debian package chromium); scripts/test installs it")
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=executable, args=CHROMIUM_ARGUMENTS)
        try:
            yield chromium
        finally:
            await chromium.close()


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """Path of a recorded file, by its name inside the data folder, e.g. ``shared_data("tep/d06_te.dat")``."""
    folder = Path(os.environ.get("ANSHAO_DATA") or ROOT.parent / "shared" / "data")

    def find(name: str) -> Path:
        path = folder / name
        if not path.is_file():
            missing(f"recorded data {path} is absent; ANSHAO_DATA names the folder that holds {name}")
        return path

    return find


@pytest.fixture(autouse=True)
def leaves_nothing_running(request: pytest.FixtureRequest) -> None:
    """Fail a test after which a task or a thread is still there, once all its other fixtures are gone."""
    request.getfixturevalue("no_task_left" if is_async_test(request.node) else "no_thread_left")


@pytest.fixture
def no_thread_left() -> Iterator[None]:
    """The watch over a synchronous test."""
    before = set(threading.enumerate())
    yield
    fail_for_threads(before)


@pytest.fixture
async def no_task_left() -> AsyncIterator[None]:
    """The watch over an asynchronous test, inside its own event loop."""
    before = set(threading.enumerate())
    yield
    for _ in range(10):  # callbacks of what was just closed
        await asyncio.sleep(0)
    left = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.get_running_loop().shutdown_default_executor()
    if left:
        pytest.fail("tasks left running: " + ", ".join(repr(task) for task in left))
    fail_for_threads(before)


def fail_for_threads(before: set[threading.Thread]) -> None:
    """Fail if threads that were not there ``before`` don't end."""
    deadline = time.monotonic() + LEFTOVER_SECONDS
    while left := [thread for thread in threading.enumerate() if thread not in before and thread.is_alive()]:
        if time.monotonic() > deadline:
            pytest.fail("threads left running: " + ", ".join(thread.name for thread in left))
        time.sleep(0.01)
