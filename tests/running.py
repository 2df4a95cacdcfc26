"""A real ``anshao serve`` in a process of its own, to be used, stopped and killed by tests and benchmarks."""

import asyncio
import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

import aiohttp
import yaml

from tests import servers
from tests.preloaded import Forked, Preloaded

TOKEN = "token-of-the-tests"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
START_SECONDS = 60.0
STOP_SECONDS = 30.0


def write_yaml(path: Path, content: Mapping[str, Any]) -> Path:
    """A configuration file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path


def site_of(units: list[dict[str, Any]], *, gateways: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """A site of one enterprise ``works`` in one county."""
    return {
        "regions": [{"code": "370000", "name": "山东省"}, {"code": "370783", "name": "寿光市", "parent": "370000"}],
        "enterprises": [
            {
                "id": "works",
                "name": "测试厂",
                "region": "370783",
                "gateways": gateways or [{"id": "gw1", "name": "网关"}],
                "units": units,
            }
        ],
    }


def main_file(**sections: Any) -> dict[str, Any]:
    """A main file with the tests' token, on a free port."""
    return {
        "sites": ["site.yaml"],
        "console": {"host": "127.0.0.1", "port": servers.free_port()},
        "tokens": [{"name": "tests", "sha256": hashlib.sha256(TOKEN.encode()).hexdigest()}],
        **sections,
    }


@dataclass
class Service:
    """One ``anshao serve``. ``folder`` holds anshao.yaml, the data and the log."""

    preloaded: ClassVar[Preloaded | None] = None
    """What forks the processes of most tests. Without it, or where ``command`` is set, the command itself runs."""

    folder: Path
    port: int
    environment: Mapping[str, str] = field(default_factory=dict)
    command: bool = False
    process: subprocess.Popen[bytes] | Forked | None = None

    @classmethod
    def configured(cls, folder: Path, main: Mapping[str, Any], site: Mapping[str, Any]) -> Self:
        """Write the files; start with ``start``."""
        write_yaml(folder / "site.yaml", site)
        write_yaml(folder / "anshao.yaml", main)
        return cls(folder, main["console"]["port"])

    @property
    def url(self) -> str:
        """Root of the API."""
        return f"http://127.0.0.1:{self.port}/api/v1"

    @property
    def log(self) -> Path:
        """Where its standard error goes."""
        return self.folder / "service.log"

    def start(self) -> None:
        """Start the process; ``ready`` waits until it answers."""
        arguments = ["serve", "--config", str(self.folder / "anshao.yaml")]
        environment = {**os.environ, **self.environment}
        if self.preloaded is not None and not self.command:
            self.process = self.preloaded.start(arguments, environment, self.log)
            return
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [Path(sys.executable).with_name("anshao"), *arguments],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env=environment,
            )

    async def ready(self, *, connected: bool = True) -> None:
        """Wait until it answers and has its broker."""
        deadline = time.monotonic() + START_SECONDS
        async with aiohttp.ClientSession() as session:
            while time.monotonic() < deadline:
                if self.process is None or self.process.poll() is not None:
                    raise AssertionError(f"anshao serve ended:\n{self.log.read_text()[-4000:]}")
                try:
                    async with session.get(f"{self.url}/health") as response:
                        health = await response.json()
                        if not connected or health["components"]["broker"]["status"] == "ok":
                            return
                except (aiohttp.ClientError, OSError):
                    pass
                await asyncio.sleep(0.02)
        raise AssertionError(f"anshao serve is not ready:\n{self.log.read_text()[-4000:]}")

    def kill(self) -> None:
        """As a crash: SIGKILL."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self) -> int:
        """As an operator: SIGTERM. Returns the exit status."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise


class Api:
    """The HTTP API as a caller uses it."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url = url
        self._session = session

    async def get(self, path: str, **query: Any) -> Any:
        """A document; asserts that it is one."""
        async with self._session.get(self._url + path, params=query) as response:
            body = await response.json(content_type=None)
            assert response.status == 200, body
            return body

    async def every(self, path: str, **query: Any) -> list[Any]:
        """All items of a paged list."""
        items: list[Any] = []
        after: str | None = None
        while True:
            page = await self.get(path, limit=1000, **query, **({"after": after} if after else {}))
            items.extend(page["items"])
            after = page["next"]
            if after is None:
                return items

    async def post(self, path: str, body: Mapping[str, Any]) -> tuple[int, Any]:
        """Status and answer of an act."""
        async with self._session.post(self._url + path, json=body) as response:
            return response.status, await response.json(content_type=None)

    async def upload(self, path: str, content: bytes, filename: str, **fields: str) -> Any:
        """A file with fields beside it; asserts that it is taken."""
        form = aiohttp.FormData(fields, quote_fields=False)
        form.add_field("file", content, filename=filename, content_type="application/octet-stream")
        async with self._session.post(self._url + path, data=form) as response:
            body = await response.json(content_type=None)
            assert response.status == 200, body
            return body

    async def download(self, path: str) -> bytes:
        """A file; asserts that it is there."""
        async with self._session.get(self._url + path) as response:
            assert response.status == 200, await response.text()
            return await response.read()

    @asynccontextmanager
    async def live(self, since: int | None = None) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """The WebSocket."""
        query = {} if since is None else {"since": since}
        async with self._session.ws_connect(self._url + "/live", params=query) as socket:
            yield socket


@asynccontextmanager
async def api_of(url: str) -> AsyncIterator[Api]:
    """An API client with the tests' token."""
    async with aiohttp.ClientSession(headers=HEADERS) as session:
        yield Api(url, session)


async def until(condition: Any, seconds: float = 20.0, pause: float = 0.05) -> Any:
    """Wait for an asynchronous condition to be true; its value. Fails after the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        value = await condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {value!r}")
        await asyncio.sleep(pause)
