"""Reading the whole journal against its hash chain, its signed heads and the file of them: what is wrong, and where.

Nothing that the ledger holds is trusted to be of its type: whoever changed it may have changed that too.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import ColumnElement, LargeBinary, Select, Table, cast, func, inspect, select
from sqlalchemy.exc import DatabaseError
from sqlalchemy.ext.asyncio import AsyncEngine

from alerting.journal.head_checks import Ends, Stored, check_heads, check_newest
from alerting.journal.heads import Head, day_of, read_file
from alerting.journal.journal import FIRST_HASH, chain
from alerting.journal.keys import VerifyKey
from alerting.journal.merkle import Tree
from alerting.journal.sealing import BROKEN
from alerting.ledger.ledger import reaching
from alerting.ledger.record_schema import journal_head, journal_newest
from alerting.ledger.schema import journal

MOST_FAULTS = 50
"""After so many the rest is counted no more: each is enough."""
_PAGE = 5_000
_UNKNOWN = 2**63
"""Number of the last entry, where one has a number that is none."""
_STATED = ("sequence", "at", "kind", "enterprise", "alarm", "incident")
"""Columns that repeat what the body says."""


@dataclass(slots=True)
class Findings:
    """Result of an audit."""

    entries: int = 0
    """Entries read."""
    heads: int = 0
    """Signed heads of days that hold."""
    faults: list[str] = field(default_factory=list)
    """Each names its place."""
    notes: list[str] = field(default_factory=list)
    """What is no fault and should be known."""


async def audit(
    engine: AsyncEngine,
    file: Path,
    keys: Mapping[str, VerifyKey],
    progress: Callable[[], object] = lambda: None,
) -> Findings:
    """Check everything; ``file`` holds the days' heads, ``keys`` are those known, by fingerprint.

    May run beside the service. Raises LedgerUnavailable.
    """
    findings = Findings()
    try:
        lines, (heads, newest, last) = read_file(file), await _signed(engine)
        while lines != (again := read_file(file)):  # a day has been closed meanwhile
            lines, (heads, newest, last) = again, await _signed(engine)
        ends, is_lone = check_heads(heads, newest, lines, keys, last, findings.faults, findings.notes)
        reader = _Chain(findings, ends)
        async for row in _rows(engine, last):
            reader.take(row)
            progress()
        reader.finish(newest)
    except DatabaseError as fault:
        findings.faults.append(f"the ledger is damaged after entry {findings.entries}: {fault.orig}")
        return findings
    findings.heads = len(ends.heads)
    if not is_lone:
        check_newest(newest, reader.ends(), last, keys, findings.faults)
    if len(findings.faults) > MOST_FAULTS:
        del findings.faults[MOST_FAULTS:]
        findings.faults.append("and more")
    return findings


class _Chain:
    """Goes along the entries; each is judged when the next is known, which tells a changed body from a changed hash."""

    def __init__(self, findings: Findings, ends: Ends) -> None:
        self._findings = findings
        self._ends = ends
        self._hash = FIRST_HASH
        self._at = 0
        self._sequence = 0
        self._tree = Tree()
        self._waiting: Mapping[str, Any] | None = None

    def take(self, row: Mapping[str, Any]) -> None:
        """The next row."""
        if self._waiting is not None:
            self._judge(self._waiting, lambda given: chain(given, row["body"]) == row["hash"])
        self._waiting = row

    def finish(self, newest: Stored | None) -> None:
        """There are no more; the newest head tells which hash the last one should have."""
        if self._waiting is not None:
            signed = newest.values.get("hash") if newest else None
            self._judge(self._waiting, lambda given: given == signed)

    def ends(self) -> Head:
        """What the newest head should say; its key and signature are left open."""
        first = self._sequence - self._tree.size + 1
        return Head(first, self._sequence, day_of(self._at), self._at, self._hash, self._tree.root, "", b"")

    def _fault(self, text: str) -> None:
        if len(self._findings.faults) <= MOST_FAULTS:
            self._findings.faults.append(text)

    def _judge(self, row: Mapping[str, Any], fits: Callable[[bytes], bool]) -> None:
        sequence, expected = row["sequence"], self._sequence + 1
        self._findings.entries += 1
        if sequence != expected:
            self._fault(f"{_missing(expected, sequence)}: after entry {self._sequence} comes entry {_shown(sequence)}")
            if not isinstance(sequence, int) or sequence < expected:
                return  # out of its order; what follows is judged without it
            self._tree = Tree()
            # What it stood on is gone, so its own hash is all there is to go on from.
            self._go_on(row, sequence, row["hash"])
            return
        computed = chain(self._hash, row["body"])
        if computed == row["hash"]:
            self._check_columns(row, sequence)
        elif fits(computed) and not fits(row["hash"]):
            self._fault(f"entry {sequence}: its column hash was changed")
        elif fits(row["hash"]):
            self._fault(f"entry {sequence}: its column body was changed, and its hash does not follow any more")
            computed = row["hash"]
        else:
            self._fault(f"entry {sequence} was changed: its hash does not follow, and does not lead to what comes next")
            computed = row["hash"]
        self._go_on(row, sequence, computed)

    def _check_columns(self, row: Mapping[str, Any], sequence: int) -> None:
        stated = _read(row["body"])
        for column in _STATED:
            if stated.get(column) != _text(row[column]):
                self._fault(f"entry {sequence}: its column {column} was changed and differs from its body")
        if stated.get("kind") == BROKEN:
            reason = stated.get("data", {}).get("reason")
            self._fault(f"entry {sequence} records that the journal was found broken at a start: {reason}")

    def _go_on(self, row: Mapping[str, Any], sequence: int, entry_hash: bytes) -> None:
        self._sequence, self._hash = sequence, entry_hash
        stated = _read(row["body"]).get("at")
        self._at = stated if isinstance(stated, int) else row["at"] if isinstance(row["at"], int) else 0
        self._tree.add(entry_hash)
        head = self._ends.heads.get(sequence)
        if head is not None:
            fault = self._ends.compare(head, self.ends())
            if fault:
                self._fault(fault)
            self._tree = Tree()


async def _signed(engine: AsyncEngine) -> tuple[list[Stored], Stored | None, int]:
    """Heads of days, the newest head, and the number of the last entry, all of one moment."""
    async with reaching(engine) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            await connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        tables = await connection.run_sync(lambda sync: set(inspect(sync).get_table_names()))
        last = await connection.scalar(select(func.max(journal.c.sequence)))
        number = last if isinstance(last, int) else _UNKNOWN if last else 0
        if not {journal_newest.name, journal_head.name} <= tables:
            return [], None, number  # of a service that did not sign yet, which an audit leaves as it is
        newest = (await connection.execute(_as_bytes(journal_newest, engine))).mappings().first()
        rows = await connection.execute(_as_bytes(journal_head, engine).order_by(journal_head.c.sequence))
        heads = [Stored.of(row) for row in rows.mappings()]
    return (
        heads,
        None if newest is None else Stored.of(newest),
        last if isinstance(last, int) else _UNKNOWN if last else 0,
    )


async def _rows(engine: AsyncEngine, last: int) -> AsyncIterator[Mapping[str, Any]]:
    """Entries in order, none after ``last`` unless its number was changed to what is none."""
    query = first = _as_bytes(journal, engine).order_by(journal.c.sequence).limit(_PAGE)
    while True:
        async with reaching(engine) as connection:
            page: Sequence[Mapping[str, Any]] = (await connection.execute(query)).mappings().all()
        for row in page:
            if isinstance(row["sequence"], int) and row["sequence"] > last:
                continue  # committed since the audit began
            yield row
        if len(page) < _PAGE:
            return
        query = first.where(journal.c.sequence > page[-1]["sequence"])


def _as_bytes(table: Table, engine: AsyncEngine) -> Select[Any]:
    """All columns of a table, texts as the bytes that are stored, so that one that is no UTF-8 can be read."""
    columns: list[ColumnElement[Any]] = []
    for column in table.columns:
        if column.type.python_type is not int:
            if engine.dialect.name == "sqlite":
                columns.append(cast(column, LargeBinary).label(column.name))
                continue
            if column.type.python_type is str:
                columns.append(func.convert_to(column, "UTF8").label(column.name))
                continue
        columns.append(column)
    query: Select[Any] = select(*columns)
    return query


def _missing(expected: int, found: object) -> str:
    if isinstance(found, int) and found > expected + 1:
        return f"entries {expected} to {found - 1} are missing"
    return f"entry {expected} is missing"


def _text(value: object) -> object:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value


def _shown(value: object) -> str:
    return str(value) if isinstance(value, int) else repr(value)


def _read(body: bytes) -> dict[str, Any]:
    try:
        stated = orjson.loads(body)
    except (orjson.JSONDecodeError, TypeError):
        return {}
    return stated if isinstance(stated, dict) else {}
