"""Signing the journal as it grows: a head for each day that is over, and the newest one with every commit."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from alerting.journal.heads import FILE, Head, append_line, day_of, head_of, lines_of, read_file, sign
from alerting.journal.journal import FIRST_HASH
from alerting.journal.keys import SigningKey, open_key
from alerting.journal.merkle import Tree
from alerting.ledger.record_schema import journal_head, journal_newest
from alerting.ledger.schema import journal
from alerting.records import Entry

log = structlog.get_logger(__name__)

BROKEN = "journal.broken"
"""Kind of the entry that a start writes when the journal does not end as it was signed."""
KEY_CHANGED = "journal.key_changed"
"""Kind of the entry that a start writes when it signs with another key than the last one."""
DRIVER_ERROR = sqlite3.Error
"""What ``write_newest`` raises beside OSError; nothing of it is about its statement, which never changes."""
_PAGE = 50_000
_COLUMNS = ("id", "sequence", "first", "day", "at", "hash", "root", "key", "signature")
_NEWEST = text(
    f"INSERT INTO journal_newest ({', '.join(_COLUMNS)}) "  # noqa: S608 -- constants only
    f"VALUES ({', '.join(f':{name}' for name in _COLUMNS)}) ON CONFLICT (id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[1:])
)


@dataclass(frozen=True, slots=True)
class Sealed:
    """What one commit writes beside its entries."""

    closed: tuple[Head, ...] = ()
    """Heads of days that are over."""
    newest: Head | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What a start finds wrong with the journal's end, to be journaled."""

    kind: str
    data: dict[str, Any] = field(default_factory=dict)


class Sealer:
    """Signs what is committed. Its memory is the hash tree of the entries since the last day's head."""

    def __init__(self, key: SigningKey, file: Path) -> None:
        """``file``: where the days' heads are kept outside of the ledger."""
        self.key = key
        self.file = file
        self._tree = Tree()
        self._sequence = 0
        self._hash = FIRST_HASH
        self._at = 0
        self._last: Sealed = Sealed()
        self._owed: list[Head] = []
        """Heads that the file has and the ledger lacks: the process died between the two."""

    @classmethod
    def open(cls, data_dir: Path) -> "Sealer":
        """With the key and the file of a data folder. Raises KeyUnusable, OSError."""
        return cls(open_key(data_dir / "keys"), data_dir / FILE)

    async def load(self, connection: AsyncConnection) -> list[Found]:
        """Take up the journal where it ends; says what is wrong there."""
        last = (await connection.execute(select(journal).order_by(journal.c.sequence.desc()).limit(1))).first()
        self._sequence, self._hash, self._at = (
            (last.sequence, bytes(last.hash), last.at) if last else (0, FIRST_HASH, 0)
        )
        newest = _read(await connection.execute(select(journal_newest)))
        heads = select(journal_head).order_by(journal_head.c.sequence.desc()).limit(1)
        closed = _read(await connection.execute(heads))
        before = _read(await connection.execute(heads.where(journal_head.c.sequence <= self._sequence)))
        filed = [head for _, _, head in lines_of(self._content()) if head is not None]
        found = self._compare(newest, closed, filed[-1:])
        begin = before[0].sequence if before else 0
        if filed and begin < filed[-1].sequence <= self._sequence and not found:
            self._owed = [filed[-1]]
            begin = filed[-1].sequence
        await self._grow(connection, begin)
        return found

    def _content(self) -> bytes:
        """Of the file. A copy of the record that cannot be read keeps no alarm waiting: the comparison says so."""
        try:
            return read_file(self.file)
        except OSError:
            log.exception("the file of signed heads cannot be read", file=str(self.file))
            return b""

    async def _grow(self, connection: AsyncConnection, after: int) -> None:
        self._tree = Tree()
        query = select(journal.c.sequence, journal.c.hash).order_by(journal.c.sequence).limit(_PAGE)
        while after < self._sequence:
            rows = (await connection.execute(query.where(journal.c.sequence > after))).all()
            for row in rows:
                self._tree.add(bytes(row.hash))
            after = rows[-1].sequence if rows else self._sequence

    def _compare(self, newest: list[Head], closed: list[Head], filed: list[Head]) -> list[Found]:
        """What the journal's end, its newest head and the last heads of days say of each other."""
        found = []
        for head in newest:
            if (head.sequence, head.hash) != (self._sequence, self._hash):
                data = {"reason": "the journal does not end as its newest head says", "head": head.document}
                found.append(Found(BROKEN, data | {"entries": self._sequence}))
            elif head.key != self.key.fingerprint:
                found.append(Found(KEY_CHANGED, {"from": head.key, "to": self.key.fingerprint}))
        if not newest and (closed or filed):
            found.append(Found(BROKEN, {"reason": "the newest head is missing", "entries": self._sequence}))
        for head in (*closed, *filed):
            if head.sequence > self._sequence:
                data = {"reason": "the journal ends before a head of a day", "head": head.document}
                found.append(Found(BROKEN, data | {"entries": self._sequence}))
        if closed and (not filed or filed[-1].sequence < closed[-1].sequence):
            data = {"reason": f"{self.file.name} lacks heads that the ledger has", "head": closed[-1].document}
            found.append(Found(BROKEN, data | {"entries": self._sequence}))
        return found

    def is_day_over(self, entries: Sequence[Entry], at: int | None) -> bool:
        """Whether ``close_day`` is due before these entries are sealed. ``at``: the time now, where there are none."""
        if not self._tree.size or (entries and entries[-1].sequence == self._sequence):
            return False
        now = entries[0].at if entries else at
        return now is not None and day_of(now) > day_of(self._at)

    def close_day(self) -> None:
        """Sign a head for the day that is over, and have it in the file, on disk, before the ledger gets it.

        Where the file cannot take it, the next day's head covers this day too: a head that the ledger alone has would
        look as if somebody had taken it out of the file.
        """
        head = self._head()
        try:
            append_line(self.file, head)
        except OSError:
            log.exception("the head of a day could not be written; that of the next day will cover it", day=head.day)
            return
        self._owed.append(head)
        self._tree = Tree()

    def seal(self, entries: Sequence[Entry]) -> Sealed:
        """Heads for a commit, the same ones when it is tried again.

        Raises ValueError: the entries do not follow those sealed before.
        """
        if entries and entries[-1].sequence == self._sequence:
            return self._last
        if entries and entries[0].sequence != self._sequence + 1:
            raise ValueError(f"entry {entries[0].sequence} does not follow entry {self._sequence}")
        for entry in entries:
            self._tree.add(entry.hash)
        if entries:
            self._sequence, self._hash, self._at = entries[-1].sequence, entries[-1].hash, entries[-1].at
            self._last = Sealed(tuple(self._owed), self._head())
            return self._last
        return Sealed(tuple(self._owed))

    def committed(self, sealed: Sealed) -> None:
        """These heads stand in the ledger."""
        if sealed.closed:
            self._owed = [head for head in self._owed if head not in sealed.closed]

    def _head(self) -> Head:
        first = self._sequence - self._tree.size + 1
        return sign(self.key, first, self._sequence, self._at, self._hash, self._tree.root)


def row_of(head: Head) -> dict[str, Any]:
    """Row of ``journal_head``."""
    return {name: getattr(head, name) for name in _COLUMNS[1:]}


async def write_newest(connection: AsyncConnection, head: Head) -> None:
    """Replace the newest head, in the transaction that has written its entries.

    With SQLite past SQLAlchemy's own way to the driver: it is done with every commit, and takes less than half the time
    so. Raises what ``reaching`` knows, and DRIVER_ERROR.
    """
    row = {"id": 1} | row_of(head)
    driver = (await connection.get_raw_connection()).driver_connection
    if driver is not None and connection.dialect.name == "sqlite":
        await driver.execute(_NEWEST.text, row)
    else:
        await connection.execute(_NEWEST, row)


def _read(result: Any) -> list[Head]:
    """Heads of rows; one that was spoilt so that it is none is left to the audit."""
    heads = []
    for row in result.mappings():
        try:
            heads.append(head_of(row))
        except (ValueError, TypeError) as fault:
            log.warning("a signed head in the ledger is damaged: run `anshao journal verify`", reason=str(fault))
    return heads
