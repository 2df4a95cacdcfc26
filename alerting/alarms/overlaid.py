"""What the ledger holds of suppressions and silences that have not ended, and of the newest toggles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from alerting.alarms.sound import Silence
from alerting.alarms.suppression import Shelf, Window
from alerting.ledger import alarms_schema
from alerting.ledger.schema import journal
from alerting.records import drill_prefix


@dataclass(frozen=True, slots=True)
class Overlaid:
    """What a register begins with, beside its alarms."""

    shelves: Sequence[Shelf] = ()
    windows: Sequence[Window] = ()
    silences: Sequence[Silence] = ()
    toggles: Mapping[str, Sequence[int]] = field(default_factory=dict)
    """Path of a condition -> source times (ms) of its newest transitions, oldest first."""


async def load_overlaid(connection: AsyncConnection, toggled_since: int) -> Overlaid:
    """All that has not ended, and the toggles journaled since then (ms)."""

    async def open_rows(table: Table) -> list[dict[str, Any]]:
        rows = await connection.execute(select(table).where(table.c.ended_at.is_(None)))
        return [dict(row) for row in rows.mappings()]

    return Overlaid(
        shelves=[Shelf(**row) for row in await open_rows(alarms_schema.shelf)],
        windows=[Window(**row) for row in await open_rows(alarms_schema.maintenance)],
        silences=[Silence(**row) for row in await open_rows(alarms_schema.silence)],
        toggles=await _toggles(connection, toggled_since),
    )


async def _toggles(connection: AsyncConnection, since: int) -> dict[str, list[int]]:
    kinds = ("alarm.entered", "alarm.returned", "alarm.damped")
    query = select(journal.c.body).where(journal.c.at >= since, journal.c.kind.in_(kinds)).order_by(journal.c.sequence)
    found: dict[str, list[int]] = {}
    for (text,) in await connection.execute(query):
        body = orjson.loads(text)
        data = body["data"]
        if not data.get("damped"):  # the return that was damped is in there already, by itself
            path = f"{drill_prefix(data.get('drill'))}{body['enterprise']}/{body['tag']}/{body['rule']}"
            found.setdefault(path, []).append(data["source_time"])
    return found
