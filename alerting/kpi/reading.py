"""The journal of a period, and what led up to it, read for the key figures."""

import asyncio
from collections.abc import AsyncIterator, Callable

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from alerting.kpi.records import CHANGING, INCIDENT_KINDS, KINDS, Reader, Records
from alerting.kpi.selection import Period
from alerting.kpi.targets import Targets
from alerting.ledger.ledger import reaching
from alerting.ledger.schema import alarm, incident, journal
from alerting.records import Entry
from domain.scales import Grade

_PAGE = 2_000
_MOST_NAMED = 500
"""Numbers in one query."""


async def read_records(
    engine: AsyncEngine, period: Period, targets: Targets, progress: Callable[[int], object] = lambda _: None
) -> Records:
    """All records of a period, for whichever scopes; ``progress`` is told how many entries have come.

    Reads in pages, and the alarms and incidents that were not over when the period began from where they began.
    Raises LedgerUnavailable.
    """
    reader = Reader(frozenset(Grade.parse(name) for name in targets.both_sides))
    first, last = await span_of(engine, period)
    await asyncio.to_thread(reader.take_all, await _before(engine, first))
    inside = (journal.c.at >= period.start, journal.c.at < period.end, journal.c.sequence <= last)
    count = 0
    async for page in _pages(engine, first - 1, *inside):
        # In a thread, so that a year of journal does not keep alarms waiting.
        await asyncio.to_thread(reader.take_all, page)
        count += len(page)
        progress(count)
    return reader.finish()


async def begins_at(engine: AsyncEngine) -> int | None:
    """Time of the journal's first entry, ms; None where it has none. Raises LedgerUnavailable."""
    async with reaching(engine) as connection:
        at = await connection.scalar(select(journal.c.at).order_by(journal.c.sequence).limit(1))
    return None if at is None else int(at)


async def span_of(engine: AsyncEngine, period: Period) -> tuple[int, int]:
    """Numbers of the first and the last entry of a period; (1, 0) where there are none."""
    numbers = func.min(journal.c.sequence), func.max(journal.c.sequence)
    query = select(*numbers).where(journal.c.at >= period.start, journal.c.at < period.end)
    async with reaching(engine) as connection:
        first, last = (await connection.execute(query)).one()
    return (1, 0) if first is None else (int(first), int(last))


async def _before(engine: AsyncEngine, first: int) -> list[Entry]:
    """Entries before the period about alarms and incidents that were not over when it began, in their order."""
    alive = select(alarm.c.id).where(alarm.c.id < first, or_(alarm.c.sequence >= first, alarm.c.state != "normal"))
    opened = select(incident.c.id).where(
        incident.c.id < first, or_(incident.c.sequence >= first, incident.c.closed_at.is_(None))
    )
    async with reaching(engine) as connection:
        alarms = sorted((await connection.scalars(alive)).all())
        incidents = sorted((await connection.scalars(opened)).all())
    found: dict[int, Entry] = {}
    # An alarm's entries name its incident too, which another one may come to be: its life is read by its own number.
    of_incidents = and_(journal.c.incident.is_not(None), journal.c.kind.in_(INCIDENT_KINDS))
    for column, numbers, which in (
        (journal.c.alarm, alarms, journal.c.alarm.is_not(None)),
        (journal.c.incident, incidents, of_incidents),
    ):
        for start in range(0, len(numbers), _MOST_NAMED):
            part = numbers[start : start + _MOST_NAMED]
            async for page in _pages(engine, 0, which, column.in_(part), journal.c.sequence < first):
                found.update((entry.sequence, entry) for entry in page)
    return [found[sequence] for sequence in sorted(found)]


async def _pages(engine: AsyncEngine, after: int, *clauses: ColumnElement[bool]) -> AsyncIterator[list[Entry]]:
    """Entries of the kinds that are read, without their hashes."""
    columns = journal.c
    known = or_(columns.kind.in_(KINDS | INCIDENT_KINDS), *(columns.kind.startswith(begin) for begin in CHANGING))
    wanted = (
        columns.sequence,
        columns.at,
        columns.kind,
        columns.enterprise,
        columns.alarm,
        columns.incident,
        columns.body,
    )
    while True:
        query = select(*wanted).where(columns.sequence > after, known, *clauses)
        async with reaching(engine) as connection:
            rows = await connection.execute(query.order_by(columns.sequence).limit(_PAGE))
            page = [Entry(*row, b"") for row in rows]
        yield page
        if len(page) < _PAGE:
            return
        after = page[-1].sequence
