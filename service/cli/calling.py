"""Calls of a running service from the command line: its address, the token, answers and refusals."""

import asyncio
import os
import re
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from service.cli.differences import print_faults
from service.cli.loading import load_or_exit
from service.config import ConsoleSettings, load_main
from service.config.sections import MainFile

Result = TypeVar("Result")

PATIENCE = 600.0
"""Seconds that the service may take to check and apply a configuration [ours]."""
GREETING = 10.0
"""Seconds within which whatever listens at the address has to say anything at all [ours]."""
PIECE = 1 << 16
console = Console(soft_wrap=True, highlight=False)
_WORDS = (
    (r"GET /api/v1/changes\b", "`anshao change list`"),
    (r"POST /api/v1/changes/(\d+)/backtest", r"`anshao change backtest \1`"),
    (r"GET /api/v1/config/documents", "`anshao config show`"),
    (r"GET /api/v1/config/revisions", "`anshao config history`"),
    (r"POST /api/v1/config/check", "`anshao config check`"),
    (r"GET /api/v1/(enterprises|tags)\b", "The console's page Enterprises & tags"),
    (r"See the OpenAPI document at .*", "See the command's --help."),
    (r"Give a value, or leave the field out\.", "Give a value."),
)
"""What the API says of itself, as a command line says it."""


class Refused(Exception):
    """The service does not do what it was asked.

    ``detail``: why, in a sentence; ``errors``: single faults, each with its ``field``, ``message`` and ``remedy``.
    ``of_request``: they are faults of fields of the request, and ``detail`` tells the first of them over again.
    """

    def __init__(self, detail: str, errors: Sequence[Mapping[str, str]], *, of_request: bool) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = errors
        self.of_request = of_request


class Api:
    """A running service."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = f"{url.rstrip('/')}/api/v1"

    async def get(self, path: str, **query: Any) -> Any:
        """A document of the API; ends the command where there is none."""
        given = {name: value for name, value in query.items() if value is not None}
        async with self._session.get(f"{self._url}{path}", params=given) as answer:
            return await _answer(answer)

    async def post(self, path: str, body: Mapping[str, Any], progress: Progress | None = None) -> Any:
        """Send a document, piece by piece, and wait for what comes of it."""
        payload = orjson.dumps(body)
        bar = None if progress is None else progress.add_task("sending", total=len(payload))

        async def pieces() -> AsyncIterator[bytes]:
            for start in range(0, len(payload), PIECE):
                yield payload[start : start + PIECE]
                if progress is not None and bar is not None:
                    progress.advance(bar, min(PIECE, len(payload) - start))
            if progress is not None:
                progress.add_task("the service is at it", total=None)

        headers = {"Content-Type": "application/json", "Content-Length": str(len(payload))}
        async with self._session.post(f"{self._url}{path}", data=pieces(), headers=headers) as answer:
            return await _answer(answer)


def option_of(field: str) -> str:
    """A field of a request as it is on the command line: ``based_on`` is ``--based-on``."""
    return "ID" if field == "id" else f"--{field.partition('.')[0].replace('_', '-')}"


def with_api(
    config: Path,
    url: str | None,
    token: str | None,
    work: Callable[[Api], Coroutine[Any, Any, Result]],
    place_of: Callable[[str], str] = option_of,
) -> Result:
    """Work with a running service: at ``url``, else where the main file says that it listens.

    ``place_of``: where on the command line a field of the request stands.
    """
    address = url or _address(main_of(config).console)
    if not address.startswith(("http://", "https://")):
        raise ended(f"--url {address}: write http://host:port or https://host:port")
    known = (token or os.environ.get("ANSHAO_TOKEN") or "").strip()
    if not known:
        raise ended("no token: give --token, or set ANSHAO_TOKEN; `anshao token` makes one")
    if not (known.isascii() and known.isprintable()):
        raise ended("the token holds characters that no token has: copy it again, from its first to its last character")

    async def run() -> Result:
        async with _session(known) as session:
            await _greet(session, address)
            return await work(Api(session, address))

    try:
        return asyncio.run(run())
    except Refused as refusal:
        raise _told(refusal, place_of) from None
    except aiohttp.ClientError as fault:
        raise ended(f"no answer from {address}: {fault}. Is the service running?") from None
    except TimeoutError:
        raise ended(f"{address} did not answer in time; look what has come of it before you repeat it") from None


def main_of(config: Path) -> MainFile:
    """The main file; the documents that it names may have faults. Ends the command where it has faults itself."""
    main = load_main(config, os.environ)
    if main is None:
        load_or_exit(config)
        raise ended(f"{config} cannot be used")
    return main


def progress_bar() -> Progress:
    """A bar on standard error, gone when it is done."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TimeRemainingColumn(),
        transient=True,
        console=Console(stderr=True),
    )


def ended(message: str) -> typer.Exit:
    """The end of a command that cannot go on, once it has said why."""
    typer.echo(message, err=True)
    return typer.Exit(2)


@asynccontextmanager
async def _session(token: str) -> AsyncIterator[aiohttp.ClientSession]:
    timeout = aiohttp.ClientTimeout(total=PATIENCE)
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}, timeout=timeout) as session:
        yield session


async def _greet(session: aiohttp.ClientSession, address: str) -> None:
    """Ends the command where something listens that does not speak HTTP, and would be waited for in vain."""
    timeout = aiohttp.ClientTimeout(total=GREETING)
    try:
        async with session.get(f"{address.rstrip('/')}/api/v1/health", timeout=timeout):
            pass
    except TimeoutError:
        raise ended(
            f"{address} takes connections, but has said nothing within {GREETING:g} s: give --url the address of the "
            "service's console, not that of another server such as the broker; if it is, try again, it is busy"
        ) from None


def _told(refusal: Refused, place_of: Callable[[str], str]) -> typer.Exit:
    faults = [
        {
            "file": place_of(error["field"]) if refusal.of_request else error["field"],
            "field": "",
            "message": error["message"],
            "remedy": _in_commands(error["remedy"]),
        }
        for error in refusal.errors
    ]
    print_faults(Console(stderr=True, soft_wrap=True, highlight=False), faults, counted=False)
    return typer.Exit(2) if refusal.of_request else ended(_in_commands(refusal.detail))


def _in_commands(text: str) -> str:
    for pattern, words in _WORDS:
        text = re.sub(pattern, words, text)
    return text


def _address(listening: ConsoleSettings) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(listening.host, listening.host)  # noqa: S104 - read
    return f"http://{host}:{listening.port}"


async def _answer(answer: aiohttp.ClientResponse) -> Any:
    body = await answer.read()
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise ended(f"{answer.url} answered {answer.status}, and not as AnShao does") from None
    if answer.status == 200:  # noqa: PLR2004 - it is what it is called
        return found
    errors = found.get("errors", ())
    of_request = bool(errors) and answer.status == 400  # noqa: PLR2004
    raise Refused(found.get("detail", f"status {answer.status}"), errors, of_request=of_request)
