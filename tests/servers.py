"""Real servers for tests: each on a free port, in a directory of its own, stopped with the test whatever happens.

Every context manager here raises ``ServerMissing`` when its program is not installed; ``tests/conftest.py`` turns that
into a skip, or a failure where ``CI=true``.
"""

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

HOST = "127.0.0.1"
SHIPPED_BROKER_CONFIGURATION = Path(__file__).parent.parent / "config" / "mosquitto" / "mosquitto.conf"
START_SECONDS = 30.0
STOP_SECONDS = 20.0
POSTGRES_BINARIES = "/usr/lib/postgresql/*/bin"

Running = TypeVar("Running", bound="Server")


class ServerMissing(Exception):
    """A program that a test needs is not installed."""

    def __init__(self, program: str, package: str) -> None:
        super().__init__(f"{program} is not installed (Debian package {package}); scripts/test installs it")


class ServerFailed(Exception):
    """A server did not start, or did not stop."""


@dataclass
class Server:
    """One process in a process group of its own. ``start``, ``stop`` and the rest may be called any number of times."""

    name: str
    command: Sequence[str]
    directory: Path
    port: int
    ready: Callable[[], bool]
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    """Account to run as; None: the caller's."""
    stop_signal: signal.Signals = signal.SIGTERM
    host: str = HOST
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """What the server printed, over all its starts."""
        return self.directory / f"{self.name}.log"

    @property
    def running(self) -> bool:
        """Started, and not ended since."""
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Start, and return once the server answers. Raises ServerFailed with the end of its log."""
        if self.running:
            return
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*_die_with_parent(), *self.command],
                cwd=self.directory,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=self.user,
                group=pwd.getpwnam(self.user).pw_gid if self.user else None,
                extra_groups=[] if self.user else None,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self.ready():
            if self.process.poll() is not None:
                raise ServerFailed(f"{self.name} ended with {self.process.returncode} at its start:\n{self._log_end()}")
            if time.monotonic() > deadline:
                self.kill()
                raise ServerFailed(f"{self.name} does not answer after {START_SECONDS:g} s:\n{self._log_end()}")
            time.sleep(0.01)

    def stop(self) -> None:
        """Stop in good order, as an operator would."""
        if self.process is None:
            return
        self.resume()
        if self.running:
            self.process.send_signal(self.stop_signal)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_SECONDS)
        orderly = self.process.poll() is not None
        self.kill()
        if not orderly:
            raise ServerFailed(f"{self.name} did not stop within {STOP_SECONDS:g} s:\n{self._log_end()}")

    def kill(self) -> None:
        """``kill -9`` of the server and all that it started."""
        if self.process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = None

    def restart(self) -> None:
        """Stop in good order and start on the same port with the same data."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Freeze the process: connections stay open and nothing answers."""
        self._signal_group(signal.SIGSTOP)

    def resume(self) -> None:
        """Undo ``pause``."""
        self._signal_group(signal.SIGCONT)

    def _signal_group(self, number: signal.Signals) -> None:
        if self.running and self.process is not None:
            os.killpg(self.process.pid, number)

    def _log_end(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-30:])


@dataclass
class Broker(Server):
    """Mosquitto."""

    @property
    def url(self) -> str:
        """``mqtt://host:port``."""
        return f"mqtt://{self.host}:{self.port}"


@dataclass
class Influx(Server):
    """InfluxDB 1.x."""

    @property
    def url(self) -> str:
        """Base URL of the HTTP interface."""
        return f"http://{self.host}:{self.port}"

    def query(self, statement: str, database: str | None = None) -> list[dict[str, Any]]:
        """The series of one InfluxQL statement, times in ms: ``[{"name", "columns", "values", "tags"?}]``."""
        parameters = {"q": statement, "epoch": "ms"} | ({"db": database} if database else {})
        answer = json.loads(_fetch(f"{self.url}/query", urllib.parse.urlencode(parameters).encode()))
        result: dict[str, Any] = answer["results"][0]
        if "error" in result:
            raise ServerFailed(f"{statement}: {result['error']}")
        series: list[dict[str, Any]] = result.get("series", [])
        return series


@dataclass(frozen=True)
class InfluxDatabase:
    """A fresh database on a shared server."""

    server: Influx
    name: str

    @property
    def url(self) -> str:
        """Base URL of the server."""
        return self.server.url

    def query(self, statement: str) -> list[dict[str, Any]]:
        """As ``Influx.query``, in this database."""
        return self.server.query(statement, self.name)


@dataclass
class Victoria(Server):
    """VictoriaMetrics, single node."""

    @property
    def url(self) -> str:
        """Base URL of the HTTP interface."""
        return f"http://{self.host}:{self.port}"

    def export(self, match: str) -> list[dict[str, Any]]:
        """All series that match, e.g. ``sample_value{enterprise="huarui"}``: ``[{"metric", "values", "timestamps"}]``.

        What was written before the call is in the answer.
        """
        _fetch(f"{self.url}/internal/force_flush")
        selector = urllib.parse.urlencode({"match[]": match})
        return [json.loads(line) for line in _fetch(f"{self.url}/api/v1/export?{selector}").splitlines()]


@dataclass
class Postgres(Server):
    """A PostgreSQL cluster."""

    binaries: Path = Path()

    @contextmanager
    def database(self, template: str | None = None) -> Iterator[str]:
        """A fresh database, or a copy of the one that a URL names: its ``postgresql+asyncpg://`` URL."""
        name = f"test_{uuid4().hex[:12]}"
        login = ["--host", self.host, "--port", str(self.port), "--username", "anshao"]
        copied = ["--template", template.rpartition("/")[2]] if template else []
        _run([str(self.binaries / "createdb"), *login, *copied, name])
        try:
            yield f"postgresql+asyncpg://anshao@{self.host}:{self.port}/{name}"
        finally:
            _run([str(self.binaries / "dropdb"), *login, "--force", "--if-exists", name])


@contextmanager
def mosquitto(**settings: str | float | bool) -> Iterator[Broker]:
    """Mosquitto with the configuration that we ship, open to anybody on a loopback port.

    ``settings`` are lines of mosquitto.conf that replace or add to the shipped ones, e.g.
    ``max_queued_messages=1000`` or ``password_file="/…"`` with ``allow_anonymous=False``.
    """
    program = _program("mosquitto", "mosquitto")
    with _directory() as directory:
        port = free_port()
        own: dict[str, str | float | bool] = {
            "listener": f"{port} {HOST}",
            "allow_anonymous": True,
            "persistence_location": f"{directory}/",
            **settings,
        }
        if os.geteuid() == 0:
            own.setdefault("user", "root")
        configuration = directory / "mosquitto.conf"
        configuration.write_text(broker_configuration(own), encoding="utf-8")
        command = [program, "-c", str(configuration)]
        yield from _run_server(Broker("mosquitto", command, directory, port, lambda: listens(port)))


def broker_configuration(own: Mapping[str, str | float | bool]) -> str:
    """The shipped mosquitto.conf with ``own`` settings in place of its own, and without its password and ACL files."""
    replaced = {*own, "password_file", "acl_file"}
    shipped = SHIPPED_BROKER_CONFIGURATION.read_text(encoding="utf-8").splitlines()
    kept = [line for line in shipped if line and not line.startswith("#") and line.split()[0] not in replaced]
    added = [f"{key} {str(value).lower() if isinstance(value, bool) else value}" for key, value in own.items()]
    return "\n".join([*added, *kept]) + "\n"


@contextmanager
def influxd() -> Iterator[Influx]:
    """InfluxDB 1.x without authentication."""
    program = _program("influxd", "influxdb")
    with _directory() as directory:
        port, backup_port = free_port(), free_port()
        configuration = directory / "influxdb.conf"
        configuration.write_text(
            f"""
            reporting-disabled = true
            bind-address = "{HOST}:{backup_port}"
            [meta]
              dir = "{directory}/meta"
            [data]
              dir = "{directory}/data"
              wal-dir = "{directory}/wal"
              query-log-enabled = false
              max-values-per-tag = 0
              max-series-per-database = 0
            [monitor]
              store-enabled = false
            [http]
              bind-address = "{HOST}:{port}"
              log-enabled = false
            """,
            encoding="utf-8",
        )
        command = [program, "run", "-config", str(configuration)]
        yield from _run_server(Influx("influxd", command, directory, port, lambda: _answers(port, "/ping")))


@contextmanager
def influx_database(server: Influx) -> Iterator[InfluxDatabase]:
    """A fresh database, dropped afterwards if the server still runs."""
    database = InfluxDatabase(server, f"test_{uuid4().hex[:12]}")
    server.query(f'CREATE DATABASE "{database.name}"')
    yield database
    if server.running:
        server.query(f'DROP DATABASE "{database.name}"')


@contextmanager
def victoria_metrics() -> Iterator[Victoria]:
    """VictoriaMetrics that keeps samples of any age."""
    program = _program("victoria-metrics", "victoria-metrics")
    with _directory() as directory:
        port = free_port()
        command = [
            program,
            f"-storageDataPath={directory}/data",
            f"-httpListenAddr={HOST}:{port}",
            "-retentionPeriod=100y",
            "-search.latencyOffset=0s",
            "-memory.allowedBytes=268435456",
            "-loggerLevel=WARN",
        ]
        server = Victoria("victoria-metrics", command, directory, port, lambda: _answers(port, "/health"))
        server.stop_signal = signal.SIGINT
        yield from _run_server(server)


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL cluster that trusts the loopback interface; its superuser is ``anshao``.

    PostgreSQL refuses to run as root, so root runs it as the account ``postgres``.
    """
    binaries = _postgres_binaries()
    user = "postgres" if os.geteuid() == 0 else None
    with _directory() as directory:
        if user:
            shutil.chown(directory, user)
        data = directory / "data"
        _run(
            [
                str(binaries / "initdb"),
                f"--pgdata={data}",
                "--username=anshao",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
            ],
            user=user,
        )
        port = free_port()
        settings = {
            "listen_addresses": HOST,
            "port": port,
            "unix_socket_directories": directory,
            "max_connections": 100,
            "shared_buffers": "64MB",
            "fsync": "off",
        }
        command = [
            str(binaries / "postgres"),
            "-D",
            str(data),
            *(f"--{key}={value}" for key, value in settings.items()),
        ]
        ready = [str(binaries / "pg_isready"), "--quiet", "--host", HOST, "--port", str(port)]
        server = Postgres(
            "postgres",
            command,
            directory,
            port,
            lambda: subprocess.run(ready, check=False).returncode == 0,
            user=user,
            stop_signal=signal.SIGINT,  # "fast": ends open connections
            binaries=binaries,
        )
        yield from _run_server(server)


def free_port() -> int:
    """A TCP port on the loopback interface that nothing listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def listens(port: int) -> bool:
    """Something accepts connections on a loopback port."""
    try:
        with socket.create_connection((HOST, port), timeout=1):
            return True
    except OSError:
        return False


def installed(*programs: str) -> bool:
    """All of these programs are on the machine."""
    return all(_found(program) for program in programs)


def _run_server(server: Running) -> Iterator[Running]:
    try:
        server.start()
        yield server
    finally:
        server.stop()


@contextmanager
def _directory() -> Iterator[Path]:
    """A short path, which other accounts may be given: PostgreSQL's socket path must stay under 108 bytes."""
    directory = Path(tempfile.mkdtemp(prefix="anshao-"))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _program(name: str, package: str) -> str:
    path = _found(name)
    if path is None:
        raise ServerMissing(name, package)
    return path


def _found(program: str) -> str | None:
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def _postgres_binaries() -> Path:
    versions = sorted(Path("/").glob(POSTGRES_BINARIES.removeprefix("/")), key=lambda path: int(path.parent.name))
    if versions:
        return versions[-1]
    return Path(_program("postgres", "postgresql")).resolve().parent


def _die_with_parent() -> list[str]:
    """Prefix of a command that ends with us even when we are killed."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig=KILL", "--"] if setpriv else []


def _run(command: Sequence[str], *, user: str | None = None) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd="/", user=user)
    if done.returncode:
        raise ServerFailed(f"{command[0]} ended with {done.returncode}: {done.stderr}")


def _answers(port: int, path: str) -> bool:
    try:
        _fetch(f"http://{HOST}:{port}{path}", timeout=1)
    except OSError:
        return False
    return True


_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _fetch(url: str, body: bytes | None = None, timeout: float = 30) -> bytes:
    try:
        with _direct.open(url, body, timeout=timeout) as answer:
            data: bytes = answer.read()
            return data
    except urllib.error.HTTPError as error:
        with error:
            raise ServerFailed(f"{url}: {error.code} {error.read().decode(errors='replace')}") from None
