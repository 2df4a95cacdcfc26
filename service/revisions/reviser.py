"""Changing the configuration of a running service: check, apply, restore. One change at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import structlog

from alerting.alarms.register import Register
from alerting.records import Change
from alerting.refusals import Conflict, NotFound
from domain.clock import Clock
from service.config import ConfigurationError, Fault, Settings, load_revision
from service.config.document import read_document
from service.config.documents import DISK, ROOTS, DocumentSet
from service.config.faults import FaultList
from service.revisions.adoption import Adopted, made_of, note_revision
from service.revisions.difference import Difference, compare
from service.revisions.matching import Matching, match
from service.revisions.store import Revision, RevisionStore, record, record_files
from service.revisions.upload import Upload, unpack
from service.revisions.versions import inherit

log = structlog.get_logger(__name__)

Note = Callable[[Register, int, Change], None]
"""Puts a revision into the commit that makes it hold."""
Also = Callable[[Revision, Register, int, Change], None]
"""Puts what else belongs to a revision into its commit, first of all: it may raise NotFound, Conflict."""
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Proposal:
    """Documents to be put in place of those that hold, by name; None: to be removed. ``uploads`` become documents."""

    documents: Mapping[str, bytes | None] = field(default_factory=dict)
    uploads: Sequence[Upload] = ()
    roots: Mapping[str, Any] | None = None
    """The main file's keys that lead to documents; None: as they are."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a proposal comes to."""

    faults: tuple[Fault, ...]
    difference: Difference | None
    """Without the rows that have faults; None where they leave nothing to compare."""


@dataclass(frozen=True, slots=True)
class Signed:
    """Who makes a revision, and why. ``actor``: the name of the token."""

    actor: str
    author: str
    reason: str
    based_on: int


@dataclass(frozen=True, slots=True)
class _Loaded:
    settings: Settings
    matching: Matching


class Reviser:
    """The configuration as it holds, and its changes.

    ``take``: puts new settings in place; it calls what it is given within the commit, before anything has changed, and
    may raise NotFound, Conflict, LedgerUnavailable.
    """

    def __init__(
        self,
        store: RevisionStore,
        adopted: Adopted,
        clock: Clock,
        settings: Callable[[], Settings],
        take: Callable[[Settings, Matching, Note], Awaitable[None]],
    ) -> None:
        self.store = store
        self.current = adopted.revision
        self.divergence = adopted.divergence
        """Why the files on disk do not hold; empty if they do."""
        self.changed_at = adopted.revision.at
        self._clock = clock
        self._settings = settings
        self._take = take
        self._one_at_a_time = asyncio.Lock()
        self._running: set[asyncio.Task[Any]] = set()

    async def close(self) -> None:
        """Give up what is under way: it has happened wholly, or not at all."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def documents(self) -> DocumentSet:
        """The documents that hold."""
        return self._settings().documents

    async def check(self, proposal: Proposal, limit: int) -> Checked:
        """What a proposal would change, at most ``limit`` things of it, or what is wrong with it."""
        async with self._one_at_a_time:
            return await asyncio.to_thread(_check, self._settings(), proposal, limit)

    async def differences(self, old: int, new: int, limit: int) -> Difference:
        """What two revisions differ in. Raises NotFound, ConfigurationError (one cannot be read any more)."""
        async with self._one_at_a_time:
            before, after = await self._settings_of(old), await self._settings_of(new)
            matching = await asyncio.to_thread(match, before.site, after.site)
            return await asyncio.to_thread(_compare, before, _Loaded(after, matching), limit)

    async def revise(
        self, proposal: Proposal, signed: Signed, source: str = "api", also: Also | None = None
    ) -> Revision:
        """Apply a proposal as the next revision; returns after the commit.

        Raises Conflict (another revision came meanwhile, or nothing would change), ConfigurationError,
        LedgerUnavailable; then nothing has changed.
        """

        def load(old: Settings) -> _Loaded:
            unpacked = unpack(proposal.uploads, list(old.documents.contents))
            if len(unpacked.faults):
                raise ConfigurationError(unpacked.faults.sorted())
            try:
                return _load_proposal(old, proposal, unpacked.documents)
            except ConfigurationError as error:
                raise ConfigurationError(unpacked.located(named(error.faults, old.file.parent))) from None

        return await self._in_full(self._revise(load, signed, source, also))

    async def restore(self, number: int, signed: Signed) -> Revision:
        """Apply the documents of an earlier revision as the next one. Raises NotFound, and as ``revise``."""
        found = await self.store.find(number)
        if found is None:
            raise NotFound(f"there is no revision {number}; GET /api/v1/config/revisions lists them")
        held = await self.store.documents(found)
        return await self._in_full(self._revise(lambda old: _load(old, held), signed, "restore"))

    async def _in_full(self, work: Awaitable[Result]) -> Result:
        """Finish what was begun, also if the caller goes away."""
        task = asyncio.ensure_future(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    async def _revise(
        self, load: Callable[[Settings], _Loaded], signed: Signed, source: str, also: Also | None = None
    ) -> Revision:
        async with self._one_at_a_time:
            self._check_base(signed)
            old = self._settings()
            loaded = await asyncio.to_thread(load, old)
            new = loaded.settings
            if new.documents.digest == old.documents.digest:
                raise Conflict(f"nothing would change: these are the documents of revision {self.current.number}")
            number = self.current.number + 1
            rules, difference, is_files = await asyncio.to_thread(_prepare, old, loaded, number)
            await self.store.keep(new.documents)
            whence = signed.author, signed.reason, source
            made = made_of(new.documents, number, whence, self._clock.now(), difference.counts)

            def note(register: Register, now: int, change: Change) -> None:
                kept = replace(made, at=now)
                if also is not None:
                    also(kept, register, now, change)
                record(kept, new.documents.digests, rules, change)
                if is_files:
                    record_files(number, change)
                note_revision(kept, signed.actor, register, now, change)

            await self._take(new, loaded.matching, note)
            self.current = made
            self.changed_at = made.at
            if is_files:
                self.divergence = ""
            log.info("configuration revised", revision=number, author=signed.author, changed=made.counts)
            return made

    def _check_base(self, signed: Signed) -> None:
        if signed.based_on != self.current.number:
            raise Conflict(
                f"revision {self.current.number} by {self.current.author} holds, not {signed.based_on}: "
                "look at what it changed, and send yours again based on it"
            )

    async def _settings_of(self, number: int) -> Settings:
        if number == self.current.number:
            return self._settings()
        found = await self.store.find(number)
        if found is None:
            raise NotFound(f"there is no revision {number}; GET /api/v1/config/revisions lists them")
        held = await self.store.documents(found)
        return await asyncio.to_thread(load_revision, self._settings(), held)


def _check(old: Settings, proposal: Proposal, limit: int) -> Checked:
    unpacked = unpack(proposal.uploads, list(old.documents.contents))
    loaded: _Loaded | None
    try:
        loaded = _load_proposal(old, proposal, unpacked.documents)
        faults = unpacked.located(())
    except ConfigurationError as error:
        faults = unpacked.located(named(error.faults, old.file.parent))
        loaded = None
    if faults and unpacked.documents:
        sound = unpacked.sound(faults, old.documents.contents)
        try:
            loaded = _load_proposal(old, proposal, sound)
        except ConfigurationError:
            loaded = None
    return Checked(tuple(faults), None if loaded is None else _compare(old, loaded, limit))


def _load_proposal(old: Settings, proposal: Proposal, unpacked: Mapping[str, bytes]) -> _Loaded:
    loaded = _load(old, _merged(old.documents, proposal, unpacked))
    read = loaded.settings.documents.contents
    given = {name for name, content in {**proposal.documents, **unpacked}.items() if content is not None}
    unread = sorted(given.difference(read))
    if unread:
        remedy = "Name it where it belongs: a point table under `tag_tables` of its unit, a site file under `sites`."
        raise ConfigurationError([Fault(name, 0, 0, "", "no document names this one", remedy) for name in unread])
    return loaded


def _merged(held: DocumentSet, proposal: Proposal, unpacked: Mapping[str, bytes]) -> DocumentSet:
    contents = dict(held.contents)
    for name, content in {**proposal.documents, **unpacked}.items():
        if content is None:
            contents.pop(name, None)
        else:
            contents[name] = content
    return DocumentSet.of(held.roots if proposal.roots is None else proposal.roots, contents)


def _load(old: Settings, held: DocumentSet) -> _Loaded:
    new = load_revision(old, held)
    return _Loaded(new, match(old.site, new.site))


def _compare(old: Settings, loaded: _Loaded, limit: int) -> Difference:
    new = loaded.settings
    return compare((old.site, old.documents), (new.site, new.documents), loaded.matching, limit)


def _prepare(old: Settings, loaded: _Loaded, number: int) -> tuple[bytes, Difference, bool]:
    rules = inherit(old.site, loaded.settings.site, loaded.matching, number)
    return rules, _compare(old, loaded, 0), _are_the_files(loaded.settings)


def _are_the_files(settings: Settings) -> bool:
    """Whether the files on disk say the same. Tuned limits that they do not name lie over them as they are."""
    folder, held = settings.file.parent, settings.documents
    document = read_document(settings.file, FaultList())
    if document is None or not isinstance(document.data, dict):
        return False
    roots = {key: document.data[key] for key in ROOTS if document.data.get(key) is not None}
    laid_over = None if "tuned" in roots else held.roots.get("tuned")
    if laid_over is not None:
        roots["tuned"] = laid_over
    if DocumentSet.of(roots, held.contents).digest != held.digest:
        return False
    return all(DISK.holds(folder / name, content) for name, content in held.contents.items() if name != laid_over)


def named(faults: Sequence[Fault], folder: Path) -> tuple[Fault, ...]:
    """Faults with documents named as in a revision, and not by paths on the service's disk."""
    prefix = f"{folder}/"
    return tuple(
        replace(fault, file=fault.file.removeprefix(prefix), message=fault.message.replace(prefix, ""))
        for fault in faults
    )
