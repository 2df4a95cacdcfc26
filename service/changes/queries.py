"""Changes in the ledger. All raise LedgerUnavailable."""

from collections.abc import Collection
from typing import Any

import orjson
import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from alerting.ledger.changes_schema import rule_change, rule_change_act, rule_change_backtest
from alerting.ledger.ledger import entry_of, reaching
from alerting.ledger.schema import journal
from alerting.records import Entry
from service.changes.change import RuleChange
from service.changes.states import OPEN, ChangeState

log = structlog.get_logger(__name__)

MOST_ACTS = 1_000
"""Acts of a change that its history shows [ours]."""


async def changes(
    engine: AsyncEngine,
    states: Collection[ChangeState] | None = None,
    limit: int | None = None,
    before: int | None = None,
) -> list[RuleChange]:
    """Changes, newest first, in some states, from the one before ``before`` on."""
    query = select(rule_change).order_by(rule_change.c.id.desc())
    if states is not None:
        query = query.where(rule_change.c.state.in_([state.value for state in states]))
    if before is not None:
        query = query.where(rule_change.c.id < before)
    if limit is not None:
        query = query.limit(limit)
    async with reaching(engine) as connection:
        return [RuleChange.of_row(dict(row)) for row in (await connection.execute(query)).mappings()]


async def kept_changes(engine: AsyncEngine) -> list[RuleChange]:
    """Changes that something may still be done to: those that are open, and those in force.

    One that cannot be read is left out, and said: the service starts without it.
    """
    states = [state.value for state in (*OPEN, ChangeState.LIVE)]
    query = select(rule_change).where(rule_change.c.state.in_(states)).order_by(rule_change.c.id)
    async with reaching(engine) as connection:
        rows = (await connection.execute(query)).mappings().all()
    found = []
    for row in rows:
        try:
            found.append(RuleChange.of_row(dict(row)))
        except (KeyError, TypeError, ValueError):
            log.exception("a change of rules cannot be read", change=row["id"])
    return found


async def find(engine: AsyncEngine, identity: int) -> RuleChange | None:
    """One change."""
    async with reaching(engine) as connection:
        row = (await connection.execute(select(rule_change).where(rule_change.c.id == identity))).mappings().first()
    return None if row is None else RuleChange.of_row(dict(row))


async def history(engine: AsyncEngine, identity: int) -> list[Entry]:
    """The acts of a change, oldest first: the newest ``MOST_ACTS`` of them."""
    query = (
        select(journal)
        .join(rule_change_act, rule_change_act.c.sequence == journal.c.sequence)
        .where(rule_change_act.c.change == identity)
        .order_by(journal.c.sequence.desc())
        .limit(MOST_ACTS)
    )
    async with reaching(engine) as connection:
        rows = (await connection.execute(query)).mappings().all()
    return [entry_of(row) for row in reversed(rows)]


async def result(engine: AsyncEngine, identity: int) -> dict[str, Any] | None:
    """The result of a change's newest finished backtest."""
    query = (
        select(rule_change_backtest.c.result)
        .where(rule_change_backtest.c.change == identity)
        .order_by(rule_change_backtest.c.sequence.desc())
        .limit(1)
    )
    async with reaching(engine) as connection:
        text = await connection.scalar(query)
    if text is None:
        return None
    found: dict[str, Any] = orjson.loads(text)
    return found
