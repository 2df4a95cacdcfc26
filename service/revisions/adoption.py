"""Which configuration a start begins with: what the files say, or the newest revision.

No revision yet: the files become revision 1. The files are still what they were when a revision was last made of them:
the newest revision holds, also one that was made through the API. The files have changed and nobody has changed the
configuration otherwise: they become a new revision. Both have changed: the newest revision holds, and that is said
aloud until somebody decides with ``anshao config import``.

Tuned limits that change control has put in force are no part of the files, unless the main file names them: whatever
the files say, those of the newest revision lie over them.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace

import structlog
from sqlalchemy.exc import DBAPIError

from alerting.alarms.register import Register
from alerting.ledger.ledger import Ledger, LedgerUnavailable
from alerting.records import SERVICE, Change
from service.config import ConfigurationError, Settings, load_revision
from service.config.documents import DocumentSet
from service.revisions.difference import ACTS, Difference, compare
from service.revisions.matching import match
from service.revisions.store import DocumentDamaged, Revision, RevisionStore, record, record_files
from service.revisions.versions import inherit, renew, restore

log = structlog.get_logger(__name__)

FILES = "files"
"""Author and source of a revision that was made of the files."""
CHANGED_FILES = "the files have changed"


@dataclass(frozen=True, slots=True)
class Adopted:
    """What to start with. ``note`` puts what is new of it into the start's commit."""

    settings: Settings
    revision: Revision
    divergence: str = ""
    """Why the files do not hold; empty if they do, or if an earlier revision was made of them."""
    made: bool = False
    """The revision is new: its rows are not in the ledger yet."""
    rules: bytes = b""
    files_seen: bool = False
    """The files are this revision."""

    def note(self, register: Register, now: int, change: Change) -> None:
        """Record a new revision, or that the files differ, in a commit."""
        if self.made:
            record(self.revision, self.settings.documents.digests, self.rules, change)
            note_revision(self.revision, SERVICE, register, now, change)
        if self.files_seen:
            record_files(self.revision.number, change)
        if self.divergence:
            data = {"revision": self.revision.number, "detail": self.divergence}
            register.note(now, "config.diverged", data, change)


async def adopt(settings: Settings, store: RevisionStore, now: int, complaint: str = "") -> Adopted:
    """Decide for settings as the files have them. Raises LedgerUnavailable.

    ``complaint``: why the files cannot be used; ``settings`` are those of the newest revision then.
    """
    newest = await store.newest()
    if newest is None:
        first = made_of(settings.documents, 1, (FILES, "first start", FILES), now, {})
        await store.keep(settings.documents)
        return Adopted(settings, first, made=True, files_seen=True)
    changes = await store.rule_changes()
    try:
        settings = await _with_tuned(settings, store, newest)
    except (ConfigurationError, DocumentDamaged) as fault:
        told = f"the tuned limits of revision {newest.number} do not go with the files, so that revision holds: {fault}"
        log.error("files and tuned limits do not go together", detail=told)  # noqa: TRY400 - no bug
        return await _hold(settings, store, newest, changes, told, now)
    if settings.documents.digest == newest.digest:
        await asyncio.to_thread(restore, settings.site, changes)
        if complaint:
            return Adopted(settings, newest, complaint)
        return Adopted(settings, newest, files_seen=await store.files_revision() != newest.number)
    return await _decide(settings, store, newest, changes, now)


async def _decide(
    settings: Settings, store: RevisionStore, newest: Revision, changes: list[tuple[int, bytes]], now: int
) -> Adopted:
    """Between files that are not the newest revision, and that revision."""
    known = await store.files_revision()
    base = await store.find(known)
    if base is not None and settings.documents.digest == base.digest:
        log.info("the newest revision of the configuration holds; the files are an older one", revision=newest.number)
        return await _hold(settings, store, newest, changes, "", now)
    if known == newest.number:
        return await _take_files(settings, store, newest, changes, now)
    told = (
        f"the files have changed since revision {known}, and so has the configuration: revision {newest.number} by "
        f"{newest.author} holds; take the files by `anshao config import`, or write it into them by "
        "`anshao config export`"
    )
    log.error("files and ledger hold different configurations", detail=told)
    return await _hold(settings, store, newest, changes, told, now)


async def _with_tuned(settings: Settings, store: RevisionStore, newest: Revision) -> Settings:
    """The files with the newest revision's tuned limits over them. Raises ConfigurationError, DocumentDamaged."""
    held, name = settings.documents, newest.roots.get("tuned")
    if name is None or held.roots.get("tuned") is not None:
        return settings
    content = await store.document(newest.number, name)
    if content is None:
        raise DocumentDamaged(f"document {name} is missing in the ledger")
    together = DocumentSet.of({**held.roots, "tuned": name}, {**held.contents, name: content})
    return await asyncio.to_thread(load_revision, settings, together)


async def _hold(
    settings: Settings,
    store: RevisionStore,
    newest: Revision,
    changes: list[tuple[int, bytes]],
    divergence: str,
    now: int,
) -> Adopted:
    """The newest revision, whatever the files say; the files where it cannot be read: better than no service."""
    try:
        taken = await asyncio.to_thread(load_revision, settings, await store.documents(newest))
    except (ConfigurationError, DocumentDamaged) as fault:
        told = f"revision {newest.number} by {newest.author} cannot be read, so the files hold: {fault}"
        log.error("the newest revision of the configuration cannot be read", detail=told)  # noqa: TRY400 - no bug
        return replace(await _take_files(settings, store, newest, changes, now), divergence=told)
    await asyncio.to_thread(restore, taken.site, changes)
    return Adopted(taken, newest, divergence)


async def _take_files(
    settings: Settings, store: RevisionStore, newest: Revision, changes: list[tuple[int, bytes]], now: int
) -> Adopted:
    """The files as a new revision; what has changed is found by reading the one before once more."""
    number = newest.number + 1
    await store.keep(settings.documents)
    try:
        before = await asyncio.to_thread(load_revision, settings, await store.documents(newest))
    except (ConfigurationError, DocumentDamaged) as fault:
        log.warning("the revision before cannot be read: all rules count as changed", reason=str(fault))
        made = made_of(settings.documents, number, (FILES, CHANGED_FILES, FILES), now, {})
        return Adopted(settings, made, made=True, rules=renew(settings.site, number), files_seen=True)

    def compared() -> tuple[bytes, Difference]:
        restore(before.site, changes)
        matching = match(before.site, settings.site)
        rules = inherit(before.site, settings.site, matching, number)
        return rules, compare((before.site, before.documents), (settings.site, settings.documents), matching, 0)

    rules, difference = await asyncio.to_thread(compared)
    made = made_of(settings.documents, number, (FILES, CHANGED_FILES, FILES), now, difference.counts)
    log.info("the files have changed: a new revision of the configuration", revision=number, changed=made.counts)
    return Adopted(settings, made, made=True, rules=rules, files_seen=True)


def made_of(
    held: DocumentSet, number: int, whence: tuple[str, str, str], now: int, counts: Mapping[str, Mapping[str, int]]
) -> Revision:
    """A revision of a set of documents. ``whence``: author, reason, source."""
    author, reason, source = whence
    return Revision(number, now, author, reason, source, held.digest, held.roots, counts)


def note_revision(made: Revision, actor: str, register: Register, now: int, change: Change) -> None:
    """Journal a new revision."""
    data: dict[str, object] = {
        "revision": made.number,
        "author": made.author,
        "reason": made.reason,
        "source": made.source,
        "digest": made.digest,
    }
    for act in ACTS:
        data[act] = {what: counted[act] for what, counted in made.counts.items() if act in counted}
    change.entries.append(register.journal.append(now, "config.revised", actor, data))


async def newest_documents(url: str) -> tuple[int, DocumentSet] | None:
    """Number and documents of the newest revision of a ledger that no service has open yet; None: there is none."""
    ledger = Ledger(url)
    try:
        store = RevisionStore(ledger.engine)
        newest = await store.newest()
        return None if newest is None else (newest.number, await store.documents(newest))
    except (LedgerUnavailable, DocumentDamaged, DBAPIError) as fault:  # DBAPIError: a ledger without these tables
        log.info("no revision of the configuration was found", reason=str(fault))
        return None
    finally:
        await ledger.close()
