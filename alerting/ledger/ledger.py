"""The ledger's writing side: one transaction a commit, and what the register is loaded from.

SQLite and PostgreSQL through one code path. There is one writer; a second one is found by the journal's numbers.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import Executable, RowMapping, String, Table, bindparam, delete, event, func, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from alerting.alarms.overlaid import Overlaid, load_overlaid
from alerting.journal.journal import FIRST_HASH
from alerting.journal.sealing import DRIVER_ERROR, Found, Sealed, Sealer, row_of, write_newest
from alerting.ledger import schema
from alerting.ledger.database import migrate, passes, tune_sqlite, why
from alerting.ledger.record_schema import journal_head
from alerting.records import Alarm, Change, Entry, Incident, Suppression
from domain.scales import AlarmState, Grade, IncidentState, Level, RuleKind

PATIENCE = 30.0
"""Seconds that the database has for a query [ours]."""
COMMIT_PATIENCE = 8.0
"""Seconds that it has for a commit, and for each so many rows of it one more [ours]."""
ROWS_A_SECOND = 500
PING_PATIENCE = 3.0
"""Seconds that it has for a sign of life [ours]."""
START_PATIENCE = 600.0
"""Seconds for a migration."""
_QUARANTINE_CHECK = 1_000
_PAGE = 5_000


class LedgerUnavailable(Exception):
    """The database cannot be reached or will not work now; the same commit may pass later."""


class LedgerConflict(Exception):
    """Another process writes to this ledger. Nothing of ours was written."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A row of the quarantine."""

    received_at: int
    enterprise: str | None
    gateway: str | None
    topic: str
    reason: str
    detail: str
    payload: str
    payload_bytes: int


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the register begins with: alarms that are not normal, incidents that are not archived.

    ``settled``: see ``Register``.
    """

    sequence: int
    last_hash: bytes
    alarms: list[Alarm]
    incidents: list[Incident]
    settled: Mapping[str, tuple[int, bool]]
    found: list[Found] = field(default_factory=list)
    """What is wrong with the journal's end: to be journaled."""
    overlaid: Overlaid = field(default_factory=Overlaid)


class Ledger:
    """The relational database that holds alarms, incidents, journal, quarantine and deliveries.

    ``quarantine_limit``: rows kept in the quarantine; older ones go. ``sealer``: signs what is committed; it needs
    ``load`` before the first commit.
    """

    def __init__(self, url: str, *, quarantine_limit: int = 250_000, sealer: Sealer | None = None) -> None:
        self.engine: AsyncEngine = create_async_engine(url)
        """For all but commits, so that readers, however many and slow, never hold up an alarm."""
        self._writer: AsyncEngine = create_async_engine(url)
        for engine in (self.engine, self._writer):
            if engine.dialect.name == "sqlite":
                event.listen(engine.sync_engine, "connect", tune_sqlite)
        self._sealer = sealer
        self._quarantine_limit = quarantine_limit
        self._quarantined = _QUARANTINE_CHECK

    async def start(self) -> None:
        """Bring the tables to the newest revision. Raises LedgerUnavailable."""
        async with reaching(self.engine, START_PATIENCE) as connection, connection.begin():
            await connection.run_sync(migrate)

    async def close(self) -> None:
        """Let go of all connections."""
        await self.engine.dispose()
        await self._writer.dispose()

    async def load(self, settled_since: int) -> Loaded:
        """What is open now, and the last transitions journaled since then (ms). Raises LedgerUnavailable."""
        journal, alarm = schema.journal, schema.alarm
        async with reaching(self.engine, START_PATIENCE) as connection:
            last = (
                await connection.execute(
                    select(journal.c.sequence, journal.c.hash).order_by(journal.c.sequence.desc()).limit(1)
                )
            ).first()
            alarms = await connection.execute(select(alarm).where(text(schema.ALARM_IS_ACTIVE)))
            incident = schema.incident
            incidents = await connection.execute(
                select(incident).where(incident.c.archived_at.is_(None)).order_by(incident.c.id)
            )
            # By the journal's own time: a gateway whose clock is not checked may be years away.
            journaled = select(journal.c.alarm).where(journal.c.at >= settled_since, journal.c.alarm.is_not(None))
            recent = await connection.execute(select(alarm).where(alarm.c.id.in_(journaled)).order_by(alarm.c.id))
            settled: dict[str, tuple[int, bool]] = {}
            for found in map(alarm_of, recent.mappings()):
                known = settled.get(found.path)
                if known is None or known[0] <= found.transition_at:
                    settled[found.path] = (found.transition_at, found.rule_is_in)
            return Loaded(
                sequence=last.sequence if last else 0,
                last_hash=bytes(last.hash) if last else FIRST_HASH,
                alarms=[alarm_of(row) for row in alarms.mappings()],
                incidents=[incident_of(row) for row in incidents.mappings()],
                settled=settled,
                found=await self._sealer.load(connection) if self._sealer else [],
                overlaid=await load_overlaid(connection, settled_since),
            )

    async def ping(self) -> None:
        """Ask for a sign of life. Raises LedgerUnavailable."""
        async with reaching(self._writer, PING_PATIENCE) as connection:
            await connection.execute(select(1))

    async def commit(
        self,
        change: Change,
        refused: Sequence[Refused] = (),
        deliveries: Sequence[Mapping[str, Any]] = (),
        canary: int | None = None,
    ) -> None:
        """Write all of it or nothing. To be called again with the same change until it returns.

        ``canary``: time of a canary that goes through with it, so that it has seen the ledger too.
        Raises LedgerUnavailable (nobody knows whether it was written: calling again finds out) or LedgerConflict.
        """
        patience = COMMIT_PATIENCE + (len(change) + len(refused) + len(deliveries)) / ROWS_A_SECOND
        sealed = await self._seal(change.entries, canary)
        try:
            async with reaching(self._writer, patience) as connection, connection.begin():
                await self._write(connection, change)
                await self._write_heads(connection, sealed)
                if deliveries:
                    await connection.execute(schema.delivery.insert(), [dict(row) for row in deliveries])
                if canary is not None:
                    await self._upsert(connection, schema.cursor, [{"name": "canary", "sequence": canary}])
                if refused:
                    await connection.execute(schema.quarantine.insert(), [_refused_row(row) for row in refused])
                    await self._bound_quarantine(connection, len(refused))
        except IntegrityError:
            # These numbers were written while we wrote them: by another process, or by an earlier try of our own.
            if not change.entries:
                raise
            async with reaching(self._writer, patience) as connection:
                if not await self._is_written(connection, change.entries):
                    raise
        if self._sealer:
            self._sealer.committed(sealed)

    async def _seal(self, entries: Sequence[Entry], at: int | None) -> Sealed:
        if self._sealer is None:
            return Sealed()
        if self._sealer.is_day_over(entries, at):
            await asyncio.to_thread(self._sealer.close_day)
        return self._sealer.seal(entries)

    async def _write_heads(self, connection: AsyncConnection, sealed: Sealed) -> None:
        if sealed.closed:
            await self._upsert(connection, journal_head, map(row_of, sealed.closed))
        if sealed.newest:
            await write_newest(connection, sealed.newest)

    async def _write(self, connection: AsyncConnection, change: Change) -> None:
        if change.entries:
            await connection.execute(schema.journal.insert(), [_entry_row(entry) for entry in change.entries])
        if change.alarms:
            await self._upsert(connection, schema.alarm, map(_alarm_row, change.alarms.values()))
        if change.incidents:
            await self._upsert(connection, schema.incident, map(_incident_row, change.incidents.values()))
        for table, rows in change.inserts.items():
            await connection.execute(schema.metadata.tables[table].insert(), rows)
        for table, rows in change.upserts.items():
            await self._upsert(connection, schema.metadata.tables[table], rows)
        for table, keys in change.removals.items():
            (column,) = schema.metadata.tables[table].primary_key
            which = delete(schema.metadata.tables[table]).where(column == bindparam("key"))
            await connection.execute(which, [{"key": key} for key in keys])

    async def entries(self) -> AsyncIterator[Entry]:
        """The whole journal in order. Raises LedgerUnavailable, as all that follow."""
        sequence = schema.journal.c.sequence
        query = first = select(schema.journal).order_by(sequence).limit(_PAGE)
        while True:
            async with reaching(self.engine) as connection:
                page = [entry_of(row) for row in (await connection.execute(query)).mappings()]
            for entry in page:
                yield entry
            if len(page) < _PAGE:
                return
            query = first.where(sequence > page[-1].sequence)

    async def count_entries(self) -> int:
        """Number of journal entries."""
        async with reaching(self.engine) as connection:
            return int(await connection.scalar(select(func.count()).select_from(schema.journal)) or 0)

    async def cursor(self, name: str) -> int:
        """How far a follower of the journal has come; 0 at first."""
        query = select(schema.cursor.c.sequence).where(schema.cursor.c.name == name)
        async with reaching(self.engine) as connection:
            return int(await connection.scalar(query) or 0)

    async def move_cursor(self, name: str, sequence: int) -> None:
        """Remember how far a follower has come."""
        async with reaching(self.engine) as connection, connection.begin():
            await self._upsert(connection, schema.cursor, [{"name": name, "sequence": sequence}])

    async def _is_written(self, connection: AsyncConnection, entries: Sequence[Entry]) -> bool:
        """Whether these entries stand there already, from a try whose answer was lost."""
        first, last = entries[0], entries[-1]
        rows = await connection.execute(
            select(schema.journal.c.sequence, schema.journal.c.hash)
            .where(schema.journal.c.sequence >= first.sequence)
            .order_by(schema.journal.c.sequence.desc())
            .limit(1)
        )
        found = rows.first()
        if found is None:
            return False
        if (found.sequence, bytes(found.hash)) == (last.sequence, last.hash):
            return True
        raise LedgerConflict(
            f"journal entry {found.sequence} was written by another process: "
            "stop the other service, or give this one a ledger of its own"
        )

    async def _upsert(self, connection: AsyncConnection, table: Table, rows: Iterable[dict[str, Any]]) -> None:
        await connection.execute(_upsert_into(table, self.engine.dialect.name), list(rows))

    async def _bound_quarantine(self, connection: AsyncConnection, added: int) -> None:
        self._quarantined += added
        if self._quarantined < _QUARANTINE_CHECK:
            return
        self._quarantined = 0
        newest = await connection.scalar(select(func.max(schema.quarantine.c.id)))
        await connection.execute(
            delete(schema.quarantine).where(schema.quarantine.c.id <= (newest or 0) - self._quarantine_limit)
        )


@asynccontextmanager
async def reaching(engine: AsyncEngine, patience: float = PATIENCE) -> AsyncIterator[AsyncConnection]:
    """A connection for so many seconds.

    Raises LedgerUnavailable for whatever may pass by itself; what is wrong with the statement surfaces as it is.
    """
    connected = False
    try:
        async with asyncio.timeout(patience), engine.connect() as connection:
            connected = True
            yield connection
    except (PoolTimeout, OSError, DRIVER_ERROR) as fault:  # TimeoutError is an OSError
        raise LedgerUnavailable(why(fault)) from fault
    except DBAPIError as fault:
        if connected and not passes(fault):
            raise
        raise LedgerUnavailable(why(fault)) from fault


@cache
def _upsert_into(table: Table, dialect: str) -> Executable:
    insert: sqlite.Insert | postgresql.Insert = (sqlite if dialect == "sqlite" else postgresql).insert(table)
    keys = [column.name for column in table.primary_key]
    rest = {column.name: insert.excluded[column.name] for column in table.columns if column.name not in keys}
    statement: Executable = insert.on_conflict_do_update(index_elements=keys, set_=rest)
    return statement


def entry_of(row: RowMapping) -> Entry:
    """Journal entry from a row."""
    return Entry(
        row["sequence"],
        row["at"],
        row["kind"],
        row["enterprise"],
        row["alarm"],
        row["incident"],
        row["body"],
        bytes(row["hash"]),
    )


def alarm_of(row: RowMapping) -> Alarm:
    """Alarm from a row."""
    values = dict(row)
    return Alarm(
        **values
        | {
            "kind": RuleKind(values["kind"]),
            "level": Level(values["level"]),
            "grade": Grade(values["grade"]),
            "state": AlarmState(values["state"]),
            "suppression": Suppression(values["suppression"]) if values["suppression"] else None,
        }
    )


def incident_of(row: RowMapping) -> Incident:
    """Incident from a row."""
    values = dict(row)
    return Incident(
        **values
        | {
            "grade": Grade(values["grade"]),
            "peak_grade": Grade(values["peak_grade"]),
            "state": IncidentState(values["state"]),
        }
    )


def _entry_row(entry: Entry) -> dict[str, Any]:
    return {
        "sequence": entry.sequence,
        "at": entry.at,
        "kind": entry.kind,
        "enterprise": entry.enterprise,
        "alarm": entry.alarm,
        "incident": entry.incident,
        "body": entry.body,
        "hash": entry.hash,
    }


def _refused_row(refused: Refused) -> dict[str, Any]:
    """Row of the quarantine. Its texts come from anywhere: they are cut, and hold nothing that cannot be stored."""
    row = asdict(refused)
    for name, longest in _REFUSED_LENGTHS.items():
        if row[name] is not None:
            text = row[name].replace("\x00", "\\x00").encode("utf-8", "backslashreplace").decode()
            row[name] = text[:longest]
    return row


_REFUSED_LENGTHS = {
    column.name: column.type.length for column in schema.quarantine.columns if isinstance(column.type, String)
}
"""Column of the quarantine -> its most characters, None where there is no limit."""
_ALARM_COLUMNS = tuple(schema.alarm.columns.keys())
_INCIDENT_COLUMNS = tuple(schema.incident.columns.keys())


def _alarm_row(alarm: Alarm) -> dict[str, Any]:
    row = {name: getattr(alarm, name) for name in _ALARM_COLUMNS}
    row["kind"], row["grade"] = int(alarm.kind), int(alarm.grade)
    row["level"], row["state"] = alarm.level.value, alarm.state.value
    row["suppression"] = alarm.suppression and alarm.suppression.value
    return row


def _incident_row(incident: Incident) -> dict[str, Any]:
    row = {name: getattr(incident, name) for name in _INCIDENT_COLUMNS}
    row["grade"], row["peak_grade"] = int(incident.grade), int(incident.peak_grade)
    row["state"] = incident.state.value
    return row
