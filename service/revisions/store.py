"""Revisions in the ledger: numbered, each a set of documents that are kept by their content."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from alerting.ledger.ledger import reaching
from alerting.ledger.revisions_schema import document, revision, revision_document
from alerting.ledger.schema import cursor
from alerting.records import Change
from service.config.documents import DocumentSet

FILES = "configuration files"
"""Cursor: number of the revision that the files on disk were last seen to be, or to have become."""
PATIENCE = 120.0
"""Seconds that the database has for the documents of a revision, which may be tens of megabytes [ours]."""
WRITTEN_AT_ONCE = 2_000_000
"""Bytes of documents in one transaction: commits of alarms wait for no more than that [ours]."""
_ASKED_AT_ONCE = 500


class DocumentDamaged(Exception):
    """A document in the ledger is missing or not what its digest says."""


@dataclass(frozen=True, slots=True)
class Revision:
    """修订版: one state of the configuration."""

    number: int
    at: int
    author: str
    reason: str
    source: str
    """``files``, ``api``, ``restore`` or ``change``."""
    digest: str
    """Of the set of its documents."""
    roots: Mapping[str, Any]
    counts: Mapping[str, Mapping[str, int]]
    """By what was added, removed or changed (tags, rules, …), against the revision before it."""


class RevisionStore:
    """Reads and writes revisions. All methods raise LedgerUnavailable."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def newest(self) -> Revision | None:
        """The revision that holds."""
        listed = await self.page(1, None)
        return listed[0] if listed else None

    async def find(self, number: int) -> Revision | None:
        """One revision."""
        async with reaching(self._engine) as connection:
            row = (await connection.execute(select(*_COLUMNS).where(revision.c.number == number))).mappings().first()
        return None if row is None else _revision_of(row)

    async def page(self, limit: int, before: int | None) -> list[Revision]:
        """Revisions, newest first, from the one before ``before`` on."""
        query = select(*_COLUMNS).order_by(revision.c.number.desc()).limit(limit)
        if before is not None:
            query = query.where(revision.c.number < before)
        async with reaching(self._engine) as connection:
            return [_revision_of(row) for row in (await connection.execute(query)).mappings()]

    async def names(self, number: int) -> dict[str, tuple[str, int]]:
        """Digest and size in bytes of each document of a revision, by name."""
        query = (
            select(revision_document.c.name, document.c.digest, func.length(document.c.content))
            .join(document, document.c.digest == revision_document.c.digest)
            .where(revision_document.c.revision == number)
            .order_by(revision_document.c.name)
        )
        async with reaching(self._engine) as connection:
            return {name: (digest, size) for name, digest, size in await connection.execute(query)}

    async def document(self, number: int, name: str) -> bytes | None:
        """Content of one document of a revision. Raises DocumentDamaged."""
        query = (
            select(revision_document.c.digest, document.c.content)
            .outerjoin(document, document.c.digest == revision_document.c.digest)
            .where(revision_document.c.revision == number, revision_document.c.name == name)
        )
        async with reaching(self._engine, PATIENCE) as connection:
            row = (await connection.execute(query)).first()
        return None if row is None else _checked(name, row[0], row[1])

    async def documents(self, found: Revision) -> DocumentSet:
        """All documents of a revision. Raises DocumentDamaged."""
        query = (
            select(revision_document.c.name, revision_document.c.digest, document.c.content)
            .outerjoin(document, document.c.digest == revision_document.c.digest)
            .where(revision_document.c.revision == found.number)
        )
        async with reaching(self._engine, PATIENCE) as connection:
            rows = (await connection.execute(query)).all()
        held = DocumentSet.of(found.roots, {name: _checked(name, digest, content) for name, digest, content in rows})
        if held.digest != found.digest:
            raise DocumentDamaged(f"the documents of revision {found.number} are not those that it was made of")
        return held

    async def rule_changes(self) -> list[tuple[int, bytes]]:
        """Number of each revision, in order, and which rules it changed."""
        query = select(revision.c.number, revision.c.rules).order_by(revision.c.number)
        async with reaching(self._engine, PATIENCE) as connection:
            return [(number, bytes(rules)) for number, rules in await connection.execute(query)]

    async def files_revision(self) -> int:
        """Number of the revision that the files on disk were last known to be; 0: none."""
        async with reaching(self._engine) as connection:
            return int(await connection.scalar(select(cursor.c.sequence).where(cursor.c.name == FILES)) or 0)

    async def keep(self, held: DocumentSet) -> None:
        """Write those documents that are not there yet; what no revision ever names does no harm."""
        by_digest = {digest: held.contents[name] for name, digest in held.digests.items()}
        present = await self._present(list(by_digest))
        missing = [digest for digest in by_digest if digest not in present]
        while missing:
            part = [missing.pop()]
            size = len(by_digest[part[0]])
            while missing and size + len(by_digest[missing[-1]]) <= WRITTEN_AT_ONCE:
                part.append(missing.pop())
                size += len(by_digest[part[-1]])
            rows = [{"digest": digest, "content": by_digest[digest]} for digest in part]
            try:
                async with reaching(self._engine, PATIENCE) as connection, connection.begin():
                    await connection.execute(document.insert(), rows)
            except IntegrityError:  # an earlier try wrote them, and its answer was lost
                if not (await self._present(part)).issuperset(part):
                    raise

    async def _present(self, digests: Sequence[str]) -> set[str]:
        present: set[str] = set()
        async with reaching(self._engine, PATIENCE) as connection:
            for start in range(0, len(digests), _ASKED_AT_ONCE):
                asked = select(document.c.digest).where(document.c.digest.in_(digests[start : start + _ASKED_AT_ONCE]))
                present.update(await connection.scalars(asked))
        return present


def record(found: Revision, digests: Mapping[str, str], rules: bytes, change: Change) -> None:
    """Add a revision, whose documents are kept already, to a commit."""
    change.insert(
        "revision",
        {
            "number": found.number,
            "at": found.at,
            "author": found.author,
            "reason": found.reason,
            "source": found.source,
            "digest": found.digest,
            "roots": dict(found.roots),
            "counts": {what: dict(counted) for what, counted in found.counts.items()},
            "rules": rules,
        },
    )
    for name, digest in digests.items():
        change.insert("revision_document", {"revision": found.number, "name": name, "digest": digest})


def record_files(number: int, change: Change) -> None:
    """Note in a commit that the files on disk are this revision."""
    change.upsert("cursor", {"name": FILES, "sequence": number})


_COLUMNS = tuple(column for column in revision.columns if column.name != "rules")


def _revision_of(row: RowMapping) -> Revision:
    return Revision(**row)


def _checked(name: str, digest: str, content: bytes | None) -> bytes:
    if content is None or hashlib.sha256(content).hexdigest() != digest:
        raise DocumentDamaged(f"document {name} is {'missing' if content is None else 'damaged'} in the ledger")
    return bytes(content)
