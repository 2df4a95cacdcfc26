"""Reads of the ledger about incidents: their attachments, and what happens in the units beside them."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncEngine

from alerting.ledger.ledger import incident_of, reaching
from alerting.ledger.queries import PATIENCE
from alerting.ledger.schema import attachment, incident
from alerting.records import Incident


@dataclass(frozen=True, slots=True)
class Attachment:
    """附件, a photo or document of an incident; ``type`` is its media type, ``at`` ms."""

    id: int
    incident: int
    name: str
    type: str
    size: int
    sha256: str
    by: str
    at: int


async def incident_by_id(engine: AsyncEngine, identity: int) -> Incident | None:
    """One incident, archived or not. Raises LedgerUnavailable, as everything here."""
    async with reaching(engine, PATIENCE) as connection:
        row = (await connection.execute(select(incident).where(incident.c.id == identity))).mappings().first()
    return None if row is None else incident_of(row)


async def attachments(engine: AsyncEngine, of: int) -> list[Attachment]:
    """Attachments of an incident, oldest first."""
    query = select(attachment).where(attachment.c.incident == of).order_by(attachment.c.id)
    async with reaching(engine, PATIENCE) as connection:
        return [Attachment(**row) for row in (await connection.execute(query)).mappings()]


async def attachment_by_id(engine: AsyncEngine, identity: int) -> Attachment | None:
    """One attachment."""
    async with reaching(engine, PATIENCE) as connection:
        row = (await connection.execute(select(attachment).where(attachment.c.id == identity))).mappings().first()
    return None if row is None else Attachment(**row)


async def suggested_links(
    engine: AsyncEngine, of: Incident, neighbours: Collection[tuple[str, str]], within: int
) -> list[Incident]:
    """Open incidents of neighbouring units that opened within so many ms of this one and are not linked to it yet.

    ``neighbours``: (enterprise, unit).
    """
    if not neighbours:
        return []
    columns = incident.c
    query = (
        select(incident)
        .where(
            columns.closed_at.is_(None),
            columns.id != of.id,
            tuple_(columns.enterprise, columns.unit).in_(list(neighbours)),
            columns.drill.is_(None) if of.drill is None else columns.drill == of.drill,
        )
        .order_by(columns.id.desc())
    )
    async with reaching(engine, PATIENCE) as connection:
        found = [incident_of(row) for row in (await connection.execute(query)).mappings()]
    linked = {link["incident"] for link in of.loop.get("links", [])}
    return [each for each in found if each.id not in linked and abs(_begun(each) - _begun(of)) <= within]


def _begun(of: Incident) -> int:
    """When it opened, or was opened again."""
    return of.loop.get("reopened_at", of.opened_at)
