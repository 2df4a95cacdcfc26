"""``anshao config``: the configuration's revisions, from a running service or from the ledger itself."""

import asyncio
import base64
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import quote

import typer
from rich.progress import Progress

from alerting.ledger.ledger import Ledger, LedgerUnavailable
from service.cli.calling import Api, console, ended, main_of, progress_bar, with_api
from service.cli.differences import print_difference, print_faults, print_history
from service.cli.loading import load_or_exit
from service.revisions.store import DocumentDamaged, RevisionStore
from service.revisions.workbook import write_workbook

Result = TypeVar("Result")

SHOWN = 50


class Source(Protocol):
    """Where revisions are read from."""

    async def history(self, limit: int) -> Sequence[Mapping[str, Any]]:
        """Revisions, newest first, as the API has them."""
        ...

    async def listing(self, revision: int | None) -> Mapping[str, Any]:
        """The documents of a revision, as ``GET /config/documents``."""
        ...

    async def text(self, name: str, revision: int) -> bytes:
        """One document."""
        ...


class _FromApi:
    """A running service."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def get(self, path: str, **query: Any) -> Any:
        """A document of the API; ends the command where there is none."""
        return await self._api.get(f"/config{path}", **query)

    async def post(self, path: str, body: Mapping[str, Any], progress: Progress) -> Any:
        """Send a document, and wait for what comes of it."""
        return await self._api.post(f"/config{path}", body, progress)

    async def history(self, limit: int) -> Sequence[Mapping[str, Any]]:
        """As ``Source``."""
        page: Mapping[str, Any] = await self.get("/revisions", limit=limit)
        listed: Sequence[Mapping[str, Any]] = page["items"]
        return listed

    async def listing(self, revision: int | None) -> Mapping[str, Any]:
        """As ``Source``."""
        listed: Mapping[str, Any] = await self.get("/documents", revision=revision)
        return listed

    async def text(self, name: str, revision: int) -> bytes:
        """As ``Source``."""
        found = await self.get(f"/documents/{quote(name, safe='')}", revision=revision)
        content = str(found["content"])
        return base64.b64decode(content) if found["encoding"] == "base64" else content.encode()


class _FromLedger:
    """The ledger of a service, whether it runs or not."""

    def __init__(self, store: RevisionStore) -> None:
        self._store = store

    async def history(self, limit: int) -> Sequence[Mapping[str, Any]]:
        """As ``Source``."""
        from service.api.config import describe_revision  # noqa: PLC0415 - the API takes a second to import

        return [describe_revision(found) for found in await self._store.page(limit, None)]

    async def listing(self, revision: int | None) -> Mapping[str, Any]:
        """As ``Source``."""
        found = await (self._store.newest() if revision is None else self._store.find(revision))
        if found is None:
            raise ended("the ledger holds no such revision" if revision else "the ledger holds no revision yet")
        names = await self._store.names(found.number)
        items = [{"name": name, "digest": digest, "bytes": size} for name, (digest, size) in names.items()]
        return {"revision": found.number, "divergence": None, "roots": dict(found.roots), "items": items}

    async def text(self, name: str, revision: int) -> bytes:
        """As ``Source``."""
        content = await self._store.document(revision, name)
        if content is None:
            raise ended(f"revision {revision} has no document {name}")
        return content


def show_history(config: Path, url: str | None, token: str | None, limit: int) -> None:
    """List revisions."""

    async def show(source: Source) -> None:
        print_history(console, await source.history(limit))

    _with_source(config, url, token, show)


def show_documents(config: Path, url: str | None, token: str | None, name: str | None, revision: int | None) -> None:
    """List the documents of a revision, or print one."""

    async def show(source: Source) -> None:
        listed = await source.listing(revision)
        if name is not None:
            typer.echo((await source.text(name, listed["revision"])).decode("utf-8", "replace"), nl=False)
            return
        typer.echo(f"revision {listed['revision']}")
        for item in listed["items"]:
            typer.echo(f"{item['bytes']:>12,}  {item['digest'][:12]}  {item['name']}")
        if listed["divergence"]:
            typer.echo(listed["divergence"])

    _with_source(config, url, token, show)


def export_documents(config: Path, url: str | None, token: str | None, target: Path, revision: int | None) -> None:
    """Write the documents of a revision into a folder, or its tables into a workbook."""
    as_book = target.suffix.lower() == ".xlsx"

    async def export(source: Source) -> None:
        listed = await source.listing(revision)
        names = [item["name"] for item in listed["items"] if not as_book or item["name"].endswith(".csv")]
        contents: dict[str, bytes] = {}
        with progress_bar() as progress:
            for name in progress.track(names, description="reading"):
                contents[name] = await source.text(name, listed["revision"])
        await asyncio.to_thread(_write_book if as_book else _write_all, target, contents)
        typer.echo(f"{len(contents)} documents of revision {listed['revision']} written to {target}")

    _with_source(config, url, token, export)


def check_proposal(config: Path, url: str | None, token: str | None, files: Sequence[Path]) -> None:
    """Say what files would change, and every fault. Exit status 1 if there is any."""

    async def check(source: _FromApi) -> Mapping[str, Any]:
        body = await _proposal(source, config, files)
        with progress_bar() as progress:
            found: Mapping[str, Any] = await source.post("/check", body, progress)
        return found

    found = _with_api(config, url, token, check)
    print_faults(console, found["faults"])
    if found["difference"] is not None:
        typer.echo(f"compared with revision {found['revision']}:")
        print_difference(console, found["difference"], SHOWN)
    if found["faults"]:
        raise typer.Exit(1)


def import_proposal(
    config: Path, url: str | None, token: str | None, files: Sequence[Path], author: str, reason: str
) -> None:
    """Apply files as the next revision of a running service."""

    async def revise(source: _FromApi) -> Mapping[str, Any]:
        listed = await source.listing(None)
        body = await _proposal(source, config, files)
        body |= {"author": author, "reason": reason, "based_on": listed["revision"]}
        with progress_bar() as progress:
            made: Mapping[str, Any] = await source.post("/revisions", body, progress)
        return made

    made = _with_api(config, url, token, revise)
    typer.echo(f"revision {made['number']} holds")
    print_history(console, [made])


def show_difference(config: Path, url: str | None, token: str | None, old: int, new: int | None) -> None:
    """Say what two revisions differ in."""

    async def compare(source: _FromApi) -> Mapping[str, Any]:
        number = new if new is not None else (await source.listing(None))["revision"]
        found: Mapping[str, Any] = await source.get(f"/revisions/{number}", against=old, limit=10_000)
        return found

    found = _with_api(config, url, token, compare)
    if found["difference"] is None:
        raise ended(found["unreadable"] or "there is nothing to compare with")
    typer.echo(f"revision {found['against']} -> {found['number']}")
    print_difference(console, found["difference"], SHOWN)


async def _proposal(source: _FromApi, config: Path, files: Sequence[Path]) -> dict[str, Any]:
    """The body that says what files would be put in place: those given, or all that the main file leads to."""
    if files:
        return {"files": [_file(path.name, _read(path)) for path in dict.fromkeys(files)]}
    listed = await source.listing(None)
    held = {item["name"]: item["digest"] for item in listed["items"]}
    documents = (await asyncio.to_thread(load_or_exit, config)).documents
    roots = {**documents.roots}
    # What change control has put in force stays, unless the main file itself names the tuned limits.
    tuned = listed["roots"].get("tuned")
    changed: dict[str, str | None] = dict.fromkeys(held.keys() - documents.contents.keys())
    if tuned is not None and "tuned" not in roots:
        roots["tuned"] = tuned
        changed.pop(tuned, None)
    others: list[dict[str, str]] = []
    for name, content in documents.contents.items():
        if held.get(name) == documents.digests[name]:
            continue
        try:
            changed[name] = content.decode()
        except UnicodeDecodeError:
            others.append(_file(name, content) | {"document": name})
    return {"documents": changed, "files": others, "roots": roots}


def _file(name: str, content: bytes) -> dict[str, str]:
    return {"name": name, "content": base64.b64encode(content).decode()}


def _write_book(target: Path, contents: Mapping[str, bytes]) -> None:
    target.write_bytes(write_workbook(contents))


def _write_all(folder: Path, contents: Mapping[str, bytes]) -> None:
    root = folder.resolve()
    for name in contents:
        if not (root / name).resolve().is_relative_to(root):
            raise ended(f"document {name} lies outside of the folder: write it by `anshao config show {name}`")
    for name, content in contents.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ended(f"cannot read {path}: {error.strerror}") from None


def _with_source(
    config: Path, url: str | None, token: str | None, work: Callable[[Source], Coroutine[Any, Any, None]]
) -> None:
    """By the API where an address is given, else from the ledger."""
    if url is not None:
        _with_api(config, url, token, work)
        return
    ledger_url = main_of(config).ledger.url.get_secret_value()

    async def run() -> None:
        ledger = Ledger(ledger_url)
        try:
            await work(_FromLedger(RevisionStore(ledger.engine)))
        finally:
            await ledger.close()

    try:
        asyncio.run(run())
    except (LedgerUnavailable, DocumentDamaged) as fault:
        raise ended(f"{fault}. Is the ledger there, and has the service been started once?") from None


def _with_api(
    config: Path, url: str | None, token: str | None, work: Callable[[_FromApi], Coroutine[Any, Any, Result]]
) -> Result:
    return with_api(config, url, token, lambda api: work(_FromApi(api)))
