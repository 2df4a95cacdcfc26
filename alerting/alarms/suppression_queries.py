"""Reads of the ledger: what is suppressed, maintenance windows, silences."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from alerting.alarms.sound import Silence
from alerting.alarms.suppression import Shelf, Window
from alerting.ledger.alarms_schema import maintenance, shelf, silence
from alerting.ledger.among import among
from alerting.ledger.ledger import alarm_of, reaching
from alerting.ledger.queries import PATIENCE, Page
from alerting.ledger.schema import ALARM_IS_ACTIVE, alarm
from alerting.records import Suppression
from domain.scales import AlarmState, Grade

MOST = 5_000
"""Suppressed conditions in one answer."""


@dataclass(frozen=True, slots=True)
class Suppressed:
    """One condition that is not annunciated."""

    suppression: Suppression
    enterprise: str
    unit: str
    tag: str
    rule: str
    alarm: int
    drill: int | None
    state: AlarmState
    grade: Grade | None
    """None: the alarm is normal."""
    until: int | None
    reason: str
    by: str


async def suppressed(engine: AsyncEngine, enterprises: Collection[str] | None = None) -> tuple[list[Suppressed], bool]:
    """Alarms that something lies over, and shelved conditions that are out; whether there are more.

    ``enterprises``: only theirs; None: all.

    Raises LedgerUnavailable, as everything here.
    """
    query = select(alarm).where(text(ALARM_IS_ACTIVE), alarm.c.suppression.is_not(None)).order_by(alarm.c.id.desc())
    still = select(shelf).where(shelf.c.ended_at.is_(None)).limit(MOST + 1)
    if enterprises is not None:
        query = query.where(among(alarm.c.enterprise, enterprises))
        still = still.where(among(shelf.c.enterprise, enterprises))
    async with reaching(engine, PATIENCE) as connection:
        alarms = [alarm_of(row) for row in (await connection.execute(query.limit(MOST + 1))).mappings()]
        shelves = [Shelf(**row) for row in (await connection.execute(still)).mappings()]
    found = [
        Suppressed(
            each.suppression,
            each.enterprise,
            each.unit,
            each.tag,
            each.rule,
            each.id,
            each.drill,
            each.state,
            each.grade,
            each.suppressed_until,
            each.suppression_reason or "",
            each.suppressed_by or "",
        )
        for each in alarms
        if each.suppression is not None
    ]
    known = {each.path for each in alarms}
    found += [
        Suppressed(
            Suppression.SHELVED,
            each.enterprise,
            each.unit,
            each.tag,
            each.rule,
            each.alarm,
            each.drill,
            AlarmState.NORMAL,
            None,
            each.until,
            each.reason,
            each.name,
        )
        for each in shelves
        if each.path not in known
    ]
    found.sort(key=lambda each: -each.alarm)
    return found[:MOST], len(found) > MOST


async def windows(
    engine: AsyncEngine,
    state: str | None,
    enterprise: str | None,
    limit: int,
    after: int | None = None,
    enterprises: Collection[str] | None = None,
) -> Page[Window]:
    """Maintenance windows, newest first; ``enterprises``: only theirs; None: all."""
    query = select(maintenance).order_by(maintenance.c.id.desc()).limit(limit + 1)
    if state is not None:
        query = query.where(maintenance.c.state == state)
    if enterprise is not None:
        query = query.where(maintenance.c.enterprise == enterprise)
    if enterprises is not None:
        query = query.where(among(maintenance.c.enterprise, enterprises))
    if after is not None:
        query = query.where(maintenance.c.id < after)
    async with reaching(engine, PATIENCE) as connection:
        found = [Window(**row) for row in (await connection.execute(query)).mappings()]
    return Page(found[:limit], len(found) > limit)


async def silences(engine: AsyncEngine) -> list[Silence]:
    """Silences that have not ended, newest first."""
    query = select(silence).where(silence.c.ended_at.is_(None)).order_by(silence.c.id.desc())
    async with reaching(engine, PATIENCE) as connection:
        return [Silence(**row) for row in (await connection.execute(query)).mappings()]
