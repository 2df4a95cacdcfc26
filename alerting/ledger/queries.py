"""Reads of the ledger for those who ask: lists in pages, single records with their history, the journal's tail.

The journal itself is looked through in ``journal_queries``.

Pages are cut by key, newest first: ``after`` is the key of the last item of the page before. A row that matches all
the while is in exactly one page, however many are added meanwhile.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Column, ColumnElement, RowMapping, Select, Table, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from alerting.ledger.among import among
from alerting.ledger.ledger import Refused, alarm_of, entry_of, incident_of, reaching
from alerting.ledger.schema import ALARM_IS_ACTIVE, alarm, incident, journal, quarantine
from alerting.records import Alarm, Entry, Incident
from domain.scales import AlarmState, Grade, IncidentState, RuleKind

PATIENCE = 10.0
"""Seconds that one read may take."""
HISTORY = 1_000
"""Journal entries, and members of an incident, that come with a single record: the newest ones."""

_CONDITION_IN = (AlarmState.UNACKNOWLEDGED.value, AlarmState.ACKNOWLEDGED.value)

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Part of a list. ``more``: other items follow after the last one."""

    items: list[Item]
    more: bool


@dataclass(frozen=True, slots=True)
class AlarmFilter:
    """Which alarms; None: any. ``since``: received at that time (ms) or later."""

    state: AlarmState | None = None
    active: bool | None = None
    """True: those that are annunciated, not normal and not suppressed; False: those that are normal."""
    suppressed: bool | None = None
    """True: those that are not normal and suppressed; False: those that are not suppressed."""
    stale: bool | None = None
    chattering: bool | None = None
    drill: bool | None = None
    """True: of any drill; False: real ones."""
    grade: Grade | None = None
    regions: Collection[str] | None = None
    enterprise: str | None = None
    enterprises: Collection[str] | None = None
    unit: str | None = None
    tag: str | None = None
    incident: int | None = None
    since: int | None = None


@dataclass(frozen=True, slots=True)
class IncidentFilter:
    """Which incidents; None: any."""

    is_open: bool | None = None
    state: IncidentState | None = None
    drill: int | bool | None = None
    """A drill's number; True: of any drill; False: only real ones."""
    grade: Grade | None = None
    regions: Collection[str] | None = None
    enterprise: str | None = None
    enterprises: Collection[str] | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Quarantined(Refused):
    """A refused message, or the refused part of one, with its number."""

    id: int


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """What an overview needs of an incident that is open."""

    id: int
    enterprise: str
    unit: str
    grade: Grade


async def alarms(engine: AsyncEngine, which: AlarmFilter, limit: int, after: int | None = None) -> Page[Alarm]:
    """Alarms, newest first. Raises LedgerUnavailable, as everything here."""
    columns = alarm.c
    clauses = _equal(
        (columns.state, which.state.value if which.state else None),
        (columns.grade, which.grade),
        (columns.enterprise, which.enterprise),
        (columns.unit, which.unit),
        (columns.tag, which.tag),
        (columns.incident, which.incident),
        (columns.stale, which.stale),
        (columns.chattering, which.chattering),
    )
    if which.active is False:
        clauses.append(columns.state == AlarmState.NORMAL.value)
    elif which.active or which.suppressed:
        clauses.append(literal_column(ALARM_IS_ACTIVE))
    hidden = which.suppressed if which.suppressed is not None else False if which.active else None
    if hidden is not None:
        clauses.append(columns.suppression.is_not(None) if hidden else columns.suppression.is_(None))
    if which.drill is not None:
        clauses.append(columns.drill.is_not(None) if which.drill else columns.drill.is_(None))
    if which.regions is not None:
        clauses.append(among(columns.region, which.regions))
    if which.enterprises is not None:
        clauses.append(among(columns.enterprise, which.enterprises))
    if which.since is not None:
        clauses.append(columns.received_at >= which.since)
    return await _page(engine, alarm, columns.id, alarm_of, clauses, limit, after)


async def incidents(engine: AsyncEngine, which: IncidentFilter, limit: int, after: int | None = None) -> Page[Incident]:
    """Incidents, newest first."""
    columns = incident.c
    clauses = _equal(
        (columns.state, which.state.value if which.state else None),
        (columns.grade, which.grade),
        (columns.enterprise, which.enterprise),
        (columns.unit, which.unit),
    )
    if isinstance(which.drill, bool):
        clauses.append(columns.drill.is_not(None) if which.drill else columns.drill.is_(None))
    elif which.drill is not None:
        clauses.append(columns.drill == which.drill)
    if which.is_open is not None:
        clauses.append(columns.closed_at.is_(None) if which.is_open else columns.closed_at.is_not(None))
    if which.regions is not None:
        clauses.append(among(columns.region, which.regions))
    if which.enterprises is not None:
        clauses.append(among(columns.enterprise, which.enterprises))
    return await _page(engine, incident, columns.id, incident_of, clauses, limit, after)


async def quarantined(
    engine: AsyncEngine,
    enterprise: str | None,
    gateway: str | None,
    limit: int,
    after: int | None = None,
    reason: str | None = None,
    enterprises: Collection[str] | None = None,
) -> Page[Quarantined]:
    """What was refused, newest first."""
    columns = quarantine.c
    clauses = _equal((columns.enterprise, enterprise), (columns.gateway, gateway), (columns.reason, reason))
    if enterprises is not None:
        clauses.append(among(columns.enterprise, enterprises))
    return await _page(engine, quarantine, quarantine.c.id, lambda row: Quarantined(**row), clauses, limit, after)


async def enterprises_of_alarms(engine: AsyncEngine, identities: Iterable[int]) -> dict[int, str]:
    """Whose some alarms are, by id; those that there are not are left out."""
    query = select(alarm.c.id, alarm.c.enterprise).where(alarm.c.id.in_(list(identities)))
    async with _reading(engine) as connection:
        return {row.id: row.enterprise for row in await connection.execute(query)}


async def alarm_with_history(engine: AsyncEngine, identity: int) -> tuple[Alarm, list[Entry]] | None:
    """One alarm and what the journal says of it, oldest first; None: there is no such alarm."""
    async with _reading(engine) as connection:
        row = (await connection.execute(select(alarm).where(alarm.c.id == identity))).mappings().first()
        return None if row is None else (alarm_of(row), await _history(connection, journal.c.alarm, identity))


async def incident_with_history(engine: AsyncEngine, identity: int) -> tuple[Incident, list[Alarm], list[Entry]] | None:
    """One incident, its alarms (newest first) and what the journal says of it, oldest first; None: no such incident."""
    async with _reading(engine) as connection:
        row = (await connection.execute(select(incident).where(incident.c.id == identity))).mappings().first()
        if row is None:
            return None
        members = select(alarm).where(alarm.c.incident == identity).order_by(alarm.c.id.desc()).limit(HISTORY)
        found = [alarm_of(member) for member in (await connection.execute(members)).mappings()]
        return incident_of(row), found, await _history(connection, journal.c.incident, identity)


async def conditions_in(
    engine: AsyncEngine, enterprises: Collection[str], tags: Collection[str]
) -> dict[tuple[str, str], set[RuleKind]]:
    """Kinds of the rules whose condition is in, by (enterprise, tag); tags without one are left out."""
    query = select(alarm.c.enterprise, alarm.c.tag, alarm.c.kind).where(
        alarm.c.state.in_(_CONDITION_IN), among(alarm.c.enterprise, enterprises), alarm.c.tag.in_(tags)
    )
    found: dict[tuple[str, str], set[RuleKind]] = {}
    async with _reading(engine) as connection:
        for enterprise, tag, kind in await connection.execute(query):
            found.setdefault((enterprise, tag), set()).add(RuleKind(kind))
    return found


async def open_incidents(engine: AsyncEngine) -> list[OpenIncident]:
    """All incidents that are open, newest first."""
    columns = incident.c
    query = select(columns.id, columns.enterprise, columns.unit, columns.grade).where(columns.closed_at.is_(None))
    async with _reading(engine) as connection:
        rows = await connection.execute(query.order_by(columns.id.desc()))
        return [OpenIncident(row.id, row.enterprise, row.unit, Grade(row.grade)) for row in rows]


async def tail(
    engine: AsyncEngine, after: int, before: int, limit: int
) -> list[tuple[Entry, Alarm | None, Incident | None]]:
    """Entries with after < sequence < before, oldest first, each with its alarm and incident as they are now."""
    query = select(journal).where(journal.c.sequence > after, journal.c.sequence < before)
    async with _reading(engine) as connection:
        rows = (await connection.execute(query.order_by(journal.c.sequence).limit(limit))).mappings()
        found = [entry_of(row) for row in rows]
        by_alarm = await _by_id(connection, alarm, alarm_of, {entry.alarm for entry in found})
        by_incident = await _by_id(connection, incident, incident_of, {entry.incident for entry in found})
    return [
        (
            entry,
            by_alarm.get(entry.alarm) if entry.alarm else None,
            by_incident.get(entry.incident) if entry.incident else None,
        )
        for entry in found
    ]


def _equal(*pairs: tuple[Column[Any], object]) -> list[ColumnElement[bool]]:
    return [column == wanted for column, wanted in pairs if wanted is not None]


async def _page(
    engine: AsyncEngine,
    table: Table,
    key: Column[Any],
    read: Callable[[RowMapping], Item],
    clauses: Sequence[ColumnElement[bool]],
    limit: int,
    after: int | None,
) -> Page[Item]:
    query: Select[Any] = select(table).where(*clauses).order_by(key.desc()).limit(limit + 1)
    if after is not None:
        query = query.where(key < after)
    async with _reading(engine) as connection:
        rows = (await connection.execute(query)).mappings().all()
    return Page([read(row) for row in rows[:limit]], len(rows) > limit)


async def _history(connection: AsyncConnection, column: Column[Any], identity: int) -> list[Entry]:
    query = select(journal).where(column == identity).order_by(journal.c.sequence.desc()).limit(HISTORY)
    found = [entry_of(row) for row in (await connection.execute(query)).mappings()]
    return found[::-1]


async def _by_id(
    connection: AsyncConnection, table: Table, read: Callable[[RowMapping], Item], wanted: set[int | None]
) -> dict[int, Item]:
    identities = wanted - {None}
    if not identities:
        return {}
    rows = (await connection.execute(select(table).where(table.c.id.in_(identities)))).mappings()
    return {row["id"]: read(row) for row in rows}


def _reading(engine: AsyncEngine) -> AbstractAsyncContextManager[AsyncConnection]:
    return reaching(engine, PATIENCE)
