"""Reads of the ledger for a search: alarms and incidents by number, tag or place, what stands open before the rest."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, RowMapping, Table, and_, false, literal_column, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from alerting.ledger.among import among
from alerting.ledger.ledger import alarm_of, incident_of, reaching
from alerting.ledger.queries import PATIENCE
from alerting.ledger.schema import ALARM_IS_ACTIVE, alarm, incident
from alerting.records import Alarm, Incident

NEWEST = 20_000
"""Alarms, and incidents, that are looked through beside those that stand open [ours]."""

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for. ``within``: enterprises that count; None: all."""

    text: str
    enterprises: Collection[str] = ()
    """Those that have the text in their name."""
    units: Collection[tuple[str, str]] = ()
    """(enterprise, unit) of those that have."""
    within: Collection[str] | None = None

    @property
    def number(self) -> int | None:
        """The text as a number of an alarm or an incident."""
        most_digits = 18
        return int(self.text) if self.text.isascii() and self.text.isdigit() and len(self.text) <= most_digits else None


@dataclass(frozen=True, slots=True)
class Found:
    """Newest of what was found, the gravest of those that stand open first. ``more``: there are others."""

    alarms: list[Alarm]
    more_alarms: bool
    incidents: list[Incident]
    more_incidents: bool


async def search(engine: AsyncEngine, what: Sought, limit: int) -> Found:
    """Alarms by number, tag or description; incidents by number or place. Raises LedgerUnavailable."""
    alarms, incidents = alarm.c, incident.c
    named = or_(
        alarms.tag.icontains(what.text, autoescape=True, escape="\\"),
        alarms.description.icontains(what.text, autoescape=True, escape="\\"),
    )
    places = or_(
        among(incidents.enterprise, what.enterprises),
        *(and_(incidents.enterprise == enterprise, incidents.unit == unit) for enterprise, unit in what.units),
    )
    async with reaching(engine, PATIENCE) as connection:
        found_alarms = await _found(
            connection, alarm, alarm_of, what, named, literal_column(f"alarm.{ALARM_IS_ACTIVE}"), limit
        )
        found_incidents = await _found(
            connection, incident, incident_of, what, places, incidents.closed_at.is_(None), limit
        )
    return Found(found_alarms[:limit], len(found_alarms) > limit, found_incidents[:limit], len(found_incidents) > limit)


async def _found(
    connection: AsyncConnection,
    table: Table,
    read: Callable[[RowMapping], Item],
    what: Sought,
    named: ColumnElement[bool],
    is_open: ColumnElement[bool],
    limit: int,
) -> list[Item]:
    """By number, then the open ones by grade, then the newest of the others; one more than ``limit``."""
    key = table.c.id
    inside = [] if what.within is None else [among(table.c.enterprise, what.within)]
    newest = select(key).order_by(key.desc()).limit(NEWEST).subquery()
    first = select(newest.c.id).order_by(newest.c.id).limit(1).scalar_subquery()
    by_number = false() if what.number is None else key == what.number
    queries = (
        select(table).where(by_number, *inside),
        select(table).where(is_open, named, *inside).order_by(table.c.grade.desc(), key.desc()),
        select(table).where(key >= first, named, *inside).order_by(key.desc()),
    )
    found: dict[Any, Item] = {}
    for query in queries:
        rows: Iterable[RowMapping] = (await connection.execute(query.limit(2 * limit + 2))).mappings().all()
        for row in rows:
            found.setdefault(row["id"], read(row))
        if len(found) > limit:
            break
    return list(found.values())
