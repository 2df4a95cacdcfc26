"""Incidents in the ledger, on SQLite and on PostgreSQL: what the loop keeps, files, neighbours, and older ledgers."""

from dataclasses import replace
from importlib import resources
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from alerting.incidents import incident_queries
from alerting.incidents.accident import AccidentClass, Figures
from alerting.incidents.dossier import Stored
from alerting.ledger import queries
from alerting.ledger.ledger import Ledger, reaching
from alerting.ledger.queries import IncidentFilter
from alerting.records import Change, Incident
from domain.scales import Grade, IncidentState
from tests.watched_unit import WatchedUnit, ms

PHOTO = Stored("现场.jpg", "image/jpeg", 4_711, "ab" * 32)


def incident(identity: int, unit: str = "tankfarm", at: int = 0, **changes: Any) -> Incident:
    found = Incident(identity, "370783", "works", unit, None, Grade.BLUE, Grade.BLUE, [], at, at, sequence=identity)
    return replace(found, **changes)


async def put(ledger: Ledger, *incidents: Incident) -> None:
    await ledger.commit(Change(incidents={each.id: each for each in incidents}))


async def test_all_that_the_loop_keeps_is_found_again(ledger: Ledger) -> None:
    unit = WatchedUnit()
    unit.enters("PI-1/HH", "PI-2/HH", at=1)
    changes = [unit.last]
    change, book, identity = Change(), unit.register.casebook, unit.incident().id
    figures = Figures(AccidentClass.LARGER, 3, 0, 1.5e6, ms(1))
    photo = book.attach(identity, PHOTO, "t", "李工", "", ms(2), change)
    book.decide(identity, Grade.RED, "t", "王芳", "目视 ☠️", ms(2), change)
    book.declare_accident(identity, figures, "t", "王芳", "", ms(2), change)
    book.set_deadlines(identity, ms(100), ms(200), change)
    unit._commit(change)
    changes.append(change)
    unit.handles_fully(at=3)
    changes.append(unit.last)
    for each in changes:
        await ledger.commit(each)
    loaded = await ledger.load(settled_since=0)
    assert loaded.incidents == [unit.incident()]
    (found,) = await incident_queries.attachments(ledger.engine, identity)
    assert (found.id, found.name, found.sha256, found.by, found.at) == (photo, "现场.jpg", "ab" * 32, "李工", ms(2))
    assert await incident_queries.attachment_by_id(ledger.engine, photo) == found
    assert await incident_queries.attachment_by_id(ledger.engine, photo + 1) is None
    assert await incident_queries.incident_by_id(ledger.engine, identity) == unit.incident()


async def test_incidents_by_state_and_drill(ledger: Ledger) -> None:
    closed: dict[str, Any] = {"closed_at": 5, "closed_by": "王芳"}
    await put(
        ledger,
        incident(1),
        incident(2, state=IncidentState.VERIFIED),
        incident(3, state=IncidentState.CLOSED, **closed),
        incident(4, state=IncidentState.ARCHIVED, archived_at=6, **closed),
        incident(5, drill=7),
        incident(6, drill=8),
    )

    async def listed(which: IncidentFilter) -> list[int]:
        return [found.id for found in (await queries.incidents(ledger.engine, which, 10)).items]

    assert await listed(IncidentFilter(state=IncidentState.VERIFIED)) == [2]
    assert await listed(IncidentFilter(state=IncidentState.ARCHIVED)) == [4]
    assert await listed(IncidentFilter(is_open=False)) == [4, 3]
    assert await listed(IncidentFilter(drill=False)) == [4, 3, 2, 1]
    assert await listed(IncidentFilter(drill=True)) == [6, 5]
    assert await listed(IncidentFilter(drill=7)) == [5]
    assert {found.id for found in (await ledger.load(0)).incidents} == {1, 2, 3, 5, 6}


async def test_neighbours_that_began_near_in_time_are_suggested(ledger: Ledger) -> None:
    closed: dict[str, Any] = {"closed_at": 5, "closed_by": "王芳", "state": IncidentState.CLOSED}
    mine = incident(1, at=1_000)
    await put(
        ledger,
        mine,
        incident(2, "boiler", at=1_100),
        incident(3, "boiler", at=1_101),
        incident(4, "store", at=1_000),
        incident(5, "boiler", at=1_000, **closed),
        incident(6, "boiler", at=1_000, drill=7),
        incident(7, "boiler", at=0, loop={"reopened_at": 990}),
    )

    async def suggested(of: Incident, *units: str) -> list[int]:
        neighbours = [("works", unit) for unit in units]
        return [found.id for found in await incident_queries.suggested_links(ledger.engine, of, neighbours, 100)]

    assert await suggested(mine, "boiler") == [7, 2]
    assert await suggested(mine) == []
    linked = replace(mine, loop={"links": [{"incident": 2, "name": "", "at": 0, "comment": ""}]})
    assert await suggested(linked, "boiler", "store") == [7, 4]
    assert await suggested(replace(mine, drill=7), "boiler") == [6]


async def test_a_ledger_from_before_the_closed_loop(empty_url: str) -> None:
    def migrate(connection: Connection, revision: str) -> None:
        config = Config()
        config.set_main_option("script_location", str(resources.files("alerting.ledger") / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

    ledger = Ledger(empty_url)
    try:
        async with reaching(ledger.engine) as connection, connection.begin():
            await connection.run_sync(migrate, "0001")
            columns = "id, region, enterprise, unit, grade, peak_grade, reasons, opened_at, updated_at, closed_at"
            counts = "alarms_active, alarms_unacknowledged, alarms_total, sequence"
            for identity, closed in ((1, "NULL"), (2, "9")):
                await connection.execute(
                    text(
                        f"INSERT INTO incident ({columns}, {counts})"
                        f" VALUES ({identity}, '370783', 'works', 'tankfarm', 3, 3, '[]', 1, 1, {closed}, 0, 0, 1, 1)"
                    )
                )
        await ledger.start()
        (known,) = (await ledger.load(0)).incidents
        assert (known.id, known.state, known.tier, known.loop) == (1, IncidentState.TRIGGERED, 3, {})
        past = await incident_queries.incident_by_id(ledger.engine, 2)
        assert past is not None
        assert (past.state, past.archived_at) == (IncidentState.ARCHIVED, 9)
        unit = WatchedUnit()
        unit.books.incidents[1] = known
        unit.restarts()
        assert len(unit.incident().loop["required"]) == 6
    finally:
        await ledger.close()
