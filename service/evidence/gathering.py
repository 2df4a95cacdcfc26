"""What belongs to the evidence of an incident: its case file, read from the ledger and the configuration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import LargeBinary, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from alerting.ledger.ledger import alarm_of, entry_of, incident_of, reaching
from alerting.ledger.schema import alarm, incident, journal, metadata
from alerting.records import Alarm, Entry, Incident
from alerting.refusals import NotFound
from domain.site import Site
from service.config import Settings

AROUND = 1_800_000
"""ms of samples before the first and after the last that the incident knows of."""
LONGEST_WHOLE = 86_400_000
"""ms; of a longer incident only what lies around its transitions is taken [ours]."""
PATIENCE = 120.0
"""Seconds that the database has for one of these queries [ours]."""
_LATER = 600_000
"""ms after the window in which an entry may still tell of a reading within it [ours]."""


@dataclass(slots=True)
class CaseFile:
    """All of it. Times in ms UTC."""

    incident: Incident
    alarms: list[Alarm]
    entries: list[Entry]
    """In their order."""
    spans: list[tuple[int, int]]
    """Source times that samples are taken of: from, to (not included)."""
    tags: list[int]
    """Indices into ``Site.tags``."""
    settings: Settings
    rows: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    """Rows of the ledger about the incident, by table."""
    revisions: Sequence[Mapping[str, Any]] = ()
    """Revisions of the configuration that held within the spans, oldest first."""

    @property
    def site(self) -> Site:
        """What is watched, as it is now."""
        return self.settings.site

    @property
    def shown(self) -> tuple[int, int]:
        """Source times that are plotted: around the alarms' transitions; what people did later needs no trend."""
        begin, end = self.spans[0][0], self.spans[-1][1]
        instants = [
            body["data"].get("source_time") or body["at"]
            for body in self.bodies()
            if body["kind"] in {"alarm.entered", "alarm.returned"} and body["incident"] == self.incident.id
        ]
        if not instants:
            return begin, end
        return max(begin, min(instants) - AROUND), min(end, max(instants) + AROUND)

    @property
    def attachments(self) -> list[Mapping[str, Any]]:
        """Rows of its files."""
        return list(self.rows.get("attachment", ()))

    def bodies(self) -> list[dict[str, Any]]:
        """The entries as documents."""
        return [orjson.loads(entry.body) for entry in self.entries]


async def gather(engine: AsyncEngine, settings: Settings, identity: int, now: int) -> CaseFile:
    """Read the case file of an incident. Raises NotFound, LedgerUnavailable."""
    async with reaching(engine, PATIENCE) as connection:
        row = (await connection.execute(select(incident).where(incident.c.id == identity))).mappings().first()
        if row is None:
            raise NotFound(f"there is no incident {identity}; GET /api/v1/incidents lists them")
        case = incident_of(row)
        found = await connection.execute(select(alarm).where(alarm.c.incident == identity).order_by(alarm.c.id))
        alarms = [alarm_of(one) for one in found.mappings()]
        own = await _entries(connection, case, alarms)
        spans = _spans(case, own, now)
        entries = await _with_neighbours(connection, case, own, spans)
        rows = await _rows(connection, case, entries)
        revisions = await _revisions(connection, spans)
    return CaseFile(case, alarms, entries, spans, _tags(settings.site, case, alarms), settings, rows, revisions)


async def _entries(connection: AsyncConnection, case: Incident, alarms: Sequence[Alarm]) -> list[Entry]:
    """Entries about the incident or one of its alarms."""
    members = select(alarm.c.id).where(alarm.c.incident == case.id).scalar_subquery()
    query = select(journal).where(or_(journal.c.incident == case.id, journal.c.alarm.in_(members)))
    found = (await connection.execute(query.order_by(journal.c.sequence))).mappings()
    entries = [entry_of(row) for row in found]
    known = {one.id for one in alarms}
    return [entry for entry in entries if entry.incident in {None, case.id} or entry.alarm in known]


async def _with_neighbours(
    connection: AsyncConnection, case: Incident, own: Sequence[Entry], spans: Sequence[tuple[int, int]]
) -> list[Entry]:
    """And what else happened to the unit meanwhile, what was changed in the configuration, which drills ran."""
    within = or_(*(and_(journal.c.at >= begin, journal.c.at < end + _LATER) for begin, end in spans))
    about = or_(
        journal.c.enterprise == case.enterprise,
        and_(journal.c.enterprise.is_(None), or_(journal.c.kind.like("config.%"), journal.c.kind.like("sound.%"))),
    )
    query = select(journal).where(within, about).order_by(journal.c.sequence)
    found = {entry.sequence: entry for entry in own}
    for row in (await connection.execute(query)).mappings():
        entry = entry_of(row)
        if entry.enterprise is None or orjson.loads(entry.body).get("unit") == case.unit:
            found[entry.sequence] = entry
    return [found[sequence] for sequence in sorted(found)]


def _spans(case: Incident, entries: Sequence[Entry], now: int) -> list[tuple[int, int]]:
    """Half an hour around everything; of a long incident around each of its transitions."""
    instants = [case.opened_at]
    for entry in entries:
        instants.append(entry.at)
        source = orjson.loads(entry.body).get("data", {}).get("source_time")
        if isinstance(source, int) and entry.kind in {"alarm.entered", "alarm.returned"}:
            instants.append(source)
    instants.sort()
    if instants[-1] - instants[0] <= LONGEST_WHOLE:
        return [(instants[0] - AROUND, min(instants[-1] + AROUND, now) + 1)]
    spans: list[tuple[int, int]] = []
    for at in instants:
        begin, end = at - AROUND, min(at + AROUND, now) + 1
        if spans and begin <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], end))
        else:
            spans.append((begin, end))
    return spans


def _tags(site: Site, case: Incident, alarms: Sequence[Alarm]) -> list[int]:
    """All tags of the unit, and those of its alarms, which may lie in other units.

    But for the tags that are silent because a gateway is lost: that may be thousands, and they have nothing to show.
    """
    members = {(one.enterprise, one.tag) for one in alarms if not one.follows_lost_link}
    return [
        index
        for index, tag in enumerate(site.tags)
        if not tag.system
        and ((tag.enterprise, tag.unit) == (case.enterprise, case.unit) or (tag.enterprise, tag.name) in members)
    ]


async def _rows(
    connection: AsyncConnection, case: Incident, entries: Sequence[Entry]
) -> dict[str, list[dict[str, Any]]]:
    """Rows of all tables that name the incident, and the tries to deliver its messages and entries."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for table in metadata.sorted_tables:
        if table is journal or "incident" not in table.columns:
            continue
        columns = [column for column in table.columns if not isinstance(column.type, LargeBinary)]
        query = select(*columns).where(table.c.incident == case.id)
        rows[table.name] = [dict(row) for row in (await connection.execute(query)).mappings()]
    itself = await connection.execute(select(incident).where(incident.c.id == case.id))
    rows["incident"] = [dict(row) for row in itself.mappings()]
    for name, column, numbers in (
        ("message_attempt", "message", [row["id"] for row in rows.get("message", ())]),
        ("delivery", "sequence", [entry.sequence for entry in entries]),
    ):
        table_or_none = metadata.tables.get(name)
        if table_or_none is None:
            continue
        rows[name] = []
        for start in range(0, len(numbers), 500):
            of_these = table_or_none.c[column].in_(numbers[start : start + 500])
            found = await connection.execute(select(table_or_none).where(of_these))
            rows[name] += [dict(row) for row in found.mappings()]
    return rows


async def _revisions(connection: AsyncConnection, spans: Sequence[tuple[int, int]]) -> list[dict[str, Any]]:
    """Revisions of the configuration that held at the beginning or came since."""
    table = metadata.tables.get("revision")
    if table is None:
        return []
    columns = [column for column in table.columns if not isinstance(column.type, LargeBinary)]
    begin, end = spans[0][0], spans[-1][1]
    held = select(*columns).where(table.c.at < begin).order_by(table.c.number.desc()).limit(1)
    since = select(*columns).where(table.c.at >= begin, table.c.at < end).order_by(table.c.number)
    return [dict(row) for query in (held, since) for row in (await connection.execute(query)).mappings()]
