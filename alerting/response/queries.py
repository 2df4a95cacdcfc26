"""Reading messages and calls back from the ledger. All raise LedgerUnavailable."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, Select, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from alerting.ledger.among import among
from alerting.ledger.ledger import reaching
from alerting.ledger.queries import Page
from alerting.ledger.response_schema import acknowledge_code, call_back, message_attempt
from alerting.ledger.response_schema import message as message_table
from alerting.ledger.schema import incident as incident_table
from alerting.notify.message import Message, MessageState, message_of


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """Which messages; None: all."""

    incident: int | None = None
    contact: str | None = None
    channel: str | None = None
    state: MessageState | None = None
    undelivered: bool | None = None
    enterprises: Collection[str] | None = None
    """About incidents of these."""


async def messages(engine: AsyncEngine, which: MessageFilter, limit: int, after: int | None) -> Page[Message]:
    """Messages, newest first; ``after``: id of the last one of the page before."""
    table = message_table
    query = select(table).order_by(table.c.id.desc()).limit(limit + 1)
    for column, value in (
        (table.c.incident, which.incident),
        (table.c.contact, which.contact),
        (table.c.channel, which.channel),
        (table.c.state, None if which.state is None else which.state.value),
    ):
        if value is not None:
            query = query.where(column == value)
    if which.undelivered is not None:
        reached = table.c.undelivered_at.is_(None)
        query = query.where(~reached if which.undelivered else reached)
    if which.enterprises is not None:
        query = query.where(table.c.incident.in_(_incidents_of(which.enterprises)))
    if after is not None:
        query = query.where(table.c.id < after)
    async with reaching(engine) as connection:
        rows = [message_of(row) for row in (await connection.execute(query)).mappings()]
    return Page(rows[:limit], more=len(rows) > limit)


async def message_with_tries(engine: AsyncEngine, identity: int) -> tuple[Message, Sequence[RowMapping]] | None:
    """A message and its tries, oldest first; None where there is none."""
    tries = select(message_attempt).where(message_attempt.c.message == identity).order_by(message_attempt.c.id)
    async with reaching(engine) as connection:
        row = (await connection.execute(select(message_table).where(message_table.c.id == identity))).mappings().first()
        if row is None:
            return None
        return message_of(row), (await connection.execute(tries)).mappings().all()


async def waiting_by_channel(engine: AsyncEngine) -> Mapping[str, int]:
    """Number of messages whose next try is by a channel."""
    table = message_table
    query = (
        select(table.c.channel, func.count())
        .where(table.c.state == MessageState.QUEUED.value, table.c.next_attempt_at.is_not(None))
        .group_by(table.c.channel)
    )
    async with reaching(engine) as connection:
        return {str(channel): int(count) for channel, count in await connection.execute(query)}


async def code(engine: AsyncEngine, digest: str) -> dict[str, Any] | None:
    """The row of a one-time code; None where there is none."""
    query = select(acknowledge_code).where(acknowledge_code.c.digest == digest)
    async with reaching(engine) as connection:
        row = (await connection.execute(query)).mappings().first()
        return None if row is None else dict(row)


async def calls_back(
    engine: AsyncEngine,
    incident: int | None,
    limit: int,
    after: int | None,
    *,
    is_open: bool | None,
    enterprises: Collection[str] | None = None,
) -> Page[dict[str, Any]]:
    """Calls back, newest first; ``enterprises``: about incidents of these; None: all."""
    query = select(call_back).order_by(call_back.c.id.desc()).limit(limit + 1)
    if incident is not None:
        query = query.where(call_back.c.incident == incident)
    if is_open is not None:
        done = call_back.c.done_at.is_not(None)
        query = query.where(~done if is_open else done)
    if enterprises is not None:
        query = query.where(call_back.c.incident.in_(_incidents_of(enterprises)))
    if after is not None:
        query = query.where(call_back.c.id < after)
    async with reaching(engine) as connection:
        rows = [dict(row) for row in (await connection.execute(query)).mappings()]
    return Page(rows[:limit], more=len(rows) > limit)


async def call_back_by_id(engine: AsyncEngine, identity: int) -> dict[str, Any] | None:
    """A call back, also one that is done."""
    async with reaching(engine) as connection:
        row = (await connection.execute(select(call_back).where(call_back.c.id == identity))).mappings().first()
        return None if row is None else dict(row)


def _incidents_of(enterprises: Collection[str]) -> Select[tuple[int]]:
    return select(incident_table.c.id).where(among(incident_table.c.enterprise, enterprises))
