"""The ledger's writing side: one transaction a commit, and what the register is loaded from.

SQLite and PostgreSQL through one code path. There is one writer; a second one is found by the journal's numbers.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import resources
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, RowMapping, Table, delete, event, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from alerting import schema
from alerting.journal import FIRST_HASH
from alerting.records import Alarm, Change, Entry, Incident
from domain.scales import AlarmState, Grade, Level, RuleKind

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
    """What the register begins with. ``settled``: see ``Register``."""

    sequence: int
    last_hash: bytes
    alarms: list[Alarm]
    incidents: list[Incident]
    settled: Mapping[str, tuple[int, bool]]


class Ledger:
    """The relational database that holds alarms, incidents, journal, quarantine and deliveries.

    ``quarantine_limit``: rows kept in the quarantine; older ones go.
    """

    def __init__(self, url: str, *, quarantine_limit: int = 250_000) -> None:
        self.engine: AsyncEngine = create_async_engine(url, pool_pre_ping=not url.startswith("sqlite"))
        if self.engine.dialect.name == "sqlite":
            event.listen(self.engine.sync_engine, "connect", _tune_sqlite)
        self._quarantine_limit = quarantine_limit
        self._quarantined = _QUARANTINE_CHECK

    async def start(self) -> None:
        """Bring the tables to the newest revision. Raises LedgerUnavailable."""
        try:
            async with self.engine.begin() as connection:
                await connection.run_sync(_migrate)
        except (DBAPIError, OSError) as fault:
            raise LedgerUnavailable(_why(fault)) from fault

    async def close(self) -> None:
        """Let go of all connections."""
        await self.engine.dispose()

    async def load(self, settled_since: int) -> Loaded:
        """What is open now, and the last transitions since then (ms). Raises LedgerUnavailable."""
        try:
            async with self.engine.connect() as connection:
                last = (
                    await connection.execute(
                        select(schema.journal.c.sequence, schema.journal.c.hash)
                        .order_by(schema.journal.c.sequence.desc())
                        .limit(1)
                    )
                ).first()
                alarms = await connection.execute(
                    select(schema.alarm).where(schema.alarm.c.state != AlarmState.NORMAL.value)
                )
                incidents = await connection.execute(
                    select(schema.incident).where(schema.incident.c.closed_at.is_(None))
                )
                recent = await connection.execute(
                    select(schema.alarm).where(schema.alarm.c.transition_at >= settled_since)
                )
                settled: dict[str, tuple[int, bool]] = {}
                for alarm in map(alarm_of, recent.mappings()):
                    known = settled.get(alarm.path)
                    if known is None or known[0] < alarm.transition_at:
                        settled[alarm.path] = (alarm.transition_at, alarm.condition)
                return Loaded(
                    sequence=last.sequence if last else 0,
                    last_hash=bytes(last.hash) if last else FIRST_HASH,
                    alarms=[alarm_of(row) for row in alarms.mappings()],
                    incidents=[incident_of(row) for row in incidents.mappings()],
                    settled=settled,
                )
        except (DBAPIError, OSError) as fault:
            raise LedgerUnavailable(_why(fault)) from fault

    async def commit(
        self, change: Change, refused: Sequence[Refused] = (), deliveries: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        """Write all of it or nothing. To be called again with the same change until it returns.

        Raises LedgerUnavailable (nobody knows whether it was written: calling again finds out) or LedgerConflict.
        """
        try:
            async with self.engine.begin() as connection:
                if change.entries and await self._is_written(connection, change.entries):
                    return
                if change.entries:
                    await connection.execute(schema.journal.insert(), [_entry_row(entry) for entry in change.entries])
                if change.alarms:
                    await self._upsert(connection, schema.alarm, map(_alarm_row, change.alarms.values()))
                if change.incidents:
                    await self._upsert(connection, schema.incident, map(_incident_row, change.incidents.values()))
                if deliveries:
                    await connection.execute(schema.delivery.insert(), [dict(row) for row in deliveries])
                if refused:
                    await connection.execute(schema.quarantine.insert(), [asdict(row) for row in refused])
                    await self._bound_quarantine(connection, len(refused))
        except (OperationalError, InterfaceError, OSError) as fault:
            raise LedgerUnavailable(_why(fault)) from fault
        except DBAPIError as fault:
            if fault.connection_invalidated:
                raise LedgerUnavailable(_why(fault)) from fault
            raise

    async def entries(self) -> AsyncIterator[Entry]:
        """The whole journal in order."""
        after = 0
        while True:
            query = select(schema.journal).where(schema.journal.c.sequence > after)
            async with self.engine.connect() as connection:
                rows = (await connection.execute(query.order_by(schema.journal.c.sequence).limit(_PAGE))).mappings()
                page = [entry_of(row) for row in rows]
            for entry in page:
                yield entry
            if len(page) < _PAGE:
                return
            after = page[-1].sequence

    async def count_entries(self) -> int:
        """Number of journal entries."""
        async with self.engine.connect() as connection:
            return int(await connection.scalar(select(func.count()).select_from(schema.journal)) or 0)

    async def cursor(self, name: str) -> int:
        """How far a follower of the journal has come; 0 at first."""
        query = select(schema.cursor.c.sequence).where(schema.cursor.c.name == name)
        async with self.engine.connect() as connection:
            return int(await connection.scalar(query) or 0)

    async def move_cursor(self, name: str, sequence: int) -> None:
        """Remember how far a follower has come."""
        async with self.engine.begin() as connection:
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
        insert = (sqlite if self.engine.dialect.name == "sqlite" else postgresql).insert(table)
        keys = [column.name for column in table.primary_key]
        statement = insert.on_conflict_do_update(
            index_elements=keys,
            set_={column.name: insert.excluded[column.name] for column in table.columns if column.name not in keys},
        )
        await connection.execute(statement, list(rows))

    async def _bound_quarantine(self, connection: AsyncConnection, added: int) -> None:
        self._quarantined += added
        if self._quarantined < _QUARANTINE_CHECK:
            return
        self._quarantined = 0
        newest = await connection.scalar(select(func.max(schema.quarantine.c.id)))
        await connection.execute(
            delete(schema.quarantine).where(schema.quarantine.c.id <= (newest or 0) - self._quarantine_limit)
        )


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
        }
    )


def incident_of(row: RowMapping) -> Incident:
    """Incident from a row."""
    values = dict(row)
    return Incident(**values | {"grade": Grade(values["grade"]), "peak_grade": Grade(values["peak_grade"])})


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


_ALARM_COLUMNS = tuple(schema.alarm.columns.keys())
_INCIDENT_COLUMNS = tuple(schema.incident.columns.keys())


def _alarm_row(alarm: Alarm) -> dict[str, Any]:
    row = {name: getattr(alarm, name) for name in _ALARM_COLUMNS}
    row["kind"], row["grade"] = int(alarm.kind), int(alarm.grade)
    row["level"], row["state"] = alarm.level.value, alarm.state.value
    return row


def _incident_row(incident: Incident) -> dict[str, Any]:
    row = {name: getattr(incident, name) for name in _INCIDENT_COLUMNS}
    row["grade"], row["peak_grade"] = int(incident.grade), int(incident.peak_grade)
    return row


def _migrate(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(resources.files("alerting") / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _tune_sqlite(connection: Any, _record: object) -> None:
    """WAL, and synced at every commit so that a power cut loses none."""
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _why(fault: BaseException) -> str:
    origin = getattr(fault, "orig", None) or fault
    return f"{type(origin).__name__}: {origin}".strip()[:300]
