"""What lies over alarms in the ledger, and how the list of active alarms is read, on SQLite and on PostgreSQL."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from alerting.alarms import suppression_queries
from alerting.ledger import queries
from alerting.ledger.ledger import Ledger
from alerting.ledger.queries import AlarmFilter
from alerting.records import Change, Suppression
from domain.scales import AlarmState
from tests.api_service import make_alarm
from tests.api_service import make_site as make_api_site
from tests.watched_unit import WatchedUnit, ms, register_of

HOUR = 3_600


@pytest.fixture(params=["sqlite", "postgresql"])
async def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Ledger]:
    """An empty one of each kind."""
    url = f"sqlite+aiosqlite:///{tmp_path}/ledger.sqlite"
    found = Ledger(url if request.param == "sqlite" else request.getfixturevalue("postgres_url"))
    try:
        await found.start()
        yield found
    finally:
        await found.close()


async def test_what_lies_over_alarms_is_there_again_after_a_restart(ledger: Ledger) -> None:
    unit = WatchedUnit()

    async def commit(_: object) -> None:
        await ledger.commit(unit.last)

    await commit(unit.enters("PI-1/H", "PI-2/H", "GT-1/STALE", at=1))
    await commit(unit.shelves("PI-1/H", at=2, until=HOUR))
    await commit(unit.shelves("PI-2/H", at=2, until=2 * HOUR))
    await commit(unit.leaves("PI-2/H", at=3))
    await commit(unit.announces("tag", "GT-1", at=4, begins=None, ends=HOUR))
    await commit(unit.announces("unit", "boiler", at=4, begins=HOUR, ends=2 * HOUR))
    silence = ("unit", "works/boiler", (), ms(300), "处置中", "county", "王芳", None, ms(5))
    await commit(unit.does(lambda register, change: register.sound.silence(*silence, change)))

    listed, more = await suppression_queries.suppressed(ledger.engine)
    assert [(each.suppression, each.tag, each.state.value, each.until) for each in listed] == [
        ("out_of_service", "GT-1", "unacknowledged", ms(HOUR)),
        ("shelved", "PI-2", "normal", ms(2 * HOUR)),
        ("shelved", "PI-1", "unacknowledged", ms(HOUR)),
    ]
    assert not more
    windows = await suppression_queries.windows(ledger.engine, None, "works", 10)
    assert [(window.target, window.state) for window in windows.items] == [("boiler", "announced"), ("GT-1", "running")]
    assert [found.target for found in await suppression_queries.silences(ledger.engine)] == ["works/boiler"]

    loaded = await ledger.load(settled_since=0)
    again = register_of(unit.site, unit.table, loaded)
    assert again.active == unit.register.active
    assert again.overlay.shelves == unit.register.overlay.shelves
    assert again.overlay.windows == unit.register.overlay.windows
    assert again.sound.silences == unit.register.sound.silences
    assert loaded.overlaid.toggles["works/PI-2/H"] == [ms(1), ms(3)]
    before, after = Change(), Change()
    unit.register.advance(ms(3 * HOUR), before)
    again.advance(ms(3 * HOUR), after)
    assert [entry.body for entry in after.entries] == [entry.body for entry in before.entries]
    await ledger.commit(after)
    assert (await suppression_queries.suppressed(ledger.engine))[0] == []
    assert await suppression_queries.silences(ledger.engine) == []
    # Nobody looked at the clock while it should have run.
    assert (await suppression_queries.windows(ledger.engine, "cancelled", None, 10)).items[0].target == "boiler"


async def test_the_list_of_active_alarms_is_read_from_its_own_index(ledger: Ledger) -> None:
    site, change = make_api_site(), Change()
    for identity in range(1, 6_001):
        state = AlarmState.UNACKNOWLEDGED if identity % 100 == 0 else AlarmState.NORMAL
        change.alarms[identity] = replace(make_alarm(identity, site), state=state)
    await ledger.commit(change)
    is_sqlite = ledger.engine.dialect.name == "sqlite"
    async with ledger.engine.connect() as connection:
        await connection.execute(text("ANALYZE"))
        await connection.commit()
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    event.listen(ledger.engine.sync_engine, "before_cursor_execute", note)
    page = await queries.alarms(ledger.engine, AlarmFilter(active=True), 100)
    event.remove(ledger.engine.sync_engine, "before_cursor_execute", note)
    assert [alarm.id for alarm in page.items] == list(range(6_000, 0, -100))
    (statement, parameters) = asked[-1]
    async with ledger.engine.connect() as connection:
        explain = "EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN "
        plan = [str(row) for row in await connection.exec_driver_sql(explain + statement, parameters)]
    assert any("ix_alarm_active" in line for line in plan), plan


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        (AlarmFilter(active=True), {"annunciated", "stale", "chattering", "drill"}),
        (AlarmFilter(suppressed=True), {"suppressed"}),
        (AlarmFilter(suppressed=False), {"annunciated", "stale", "chattering", "drill", "normal"}),
        (AlarmFilter(active=False), {"normal", "suppressed once"}),
        (AlarmFilter(active=True, suppressed=True), {"suppressed"}),
        (AlarmFilter(active=True, drill=False), {"annunciated", "stale", "chattering"}),
        (AlarmFilter(drill=True), {"drill"}),
        (AlarmFilter(stale=True), {"stale"}),
        (AlarmFilter(chattering=True), {"chattering"}),
    ],
)
async def test_lists_tell_what_is_annunciated_from_what_is_not(
    ledger: Ledger, which: AlarmFilter, expected: set[str]
) -> None:
    site = make_api_site()
    kinds: dict[str, dict[str, Any]] = {
        "annunciated": {},
        "suppressed": {"suppression": Suppression.SHELVED},
        "stale": {"stale": True},
        "chattering": {"chattering": True},
        "drill": {"drill": 3},
        "normal": {"state": AlarmState.NORMAL},
        "suppressed once": {"state": AlarmState.NORMAL, "suppression": Suppression.BY_DESIGN},
    }
    unacknowledged: dict[str, Any] = {"state": AlarmState.UNACKNOWLEDGED}
    change = Change()
    for identity, (name, changes) in enumerate(kinds.items(), 1):
        change.alarms[identity] = make_alarm(identity, site, **unacknowledged | changes, comment=name)
    await ledger.commit(change)
    page = await queries.alarms(ledger.engine, which, 100)
    assert {alarm.comment for alarm in page.items} == expected
