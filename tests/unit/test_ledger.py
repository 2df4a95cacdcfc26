"""The ledger on SQLite and on PostgreSQL: what is committed, what is found again, and what must not happen twice."""

import asyncio
import importlib
from dataclasses import replace

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, func, insert, text, update
from sqlalchemy.exc import IntegrityError

from alerting.journal.journal import FIRST_HASH, Journal, verify
from alerting.ledger import ledger as ledger_module
from alerting.ledger import queries, schema
from alerting.ledger.ledger import Ledger, LedgerConflict, Refused
from alerting.records import Change
from domain.scales import AlarmState
from tests.unit.conftest import opened
from tests.watched_unit import WatchedUnit, ms, register_of, story

REFUSED = Refused(ms(1), "works", "gw1", "anshao/v1/works/gw1/data", "unreadable", "not JSON", "{", 1)


async def count(ledger: Ledger, table: str) -> int:
    """Rows of a table."""
    async with ledger.engine.connect() as connection:
        return int(await connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0)


async def test_the_tables_are_those_of_the_schema(ledger: Ledger) -> None:
    def differences(connection: Connection) -> object:
        return compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), schema.metadata)

    async with ledger.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_starting_again_changes_nothing(ledger: Ledger, url: str) -> None:
    for change in story():
        await ledger.commit(change)
    before = await count(ledger, "journal")
    async with opened(url) as again:
        assert await count(again, "journal") == before


async def test_an_empty_ledger_begins_a_journal(ledger: Ledger) -> None:
    loaded = await ledger.load(settled_since=0)
    assert (loaded.sequence, loaded.last_hash) == (0, FIRST_HASH)
    assert (loaded.alarms, loaded.incidents, loaded.settled) == ([], [], {})
    assert [entry async for entry in ledger.entries()] == []


async def test_what_is_committed_is_found_again_as_it_was(ledger: Ledger) -> None:
    changes = list(story())
    for change in changes:
        await ledger.commit(change)
    alarms = {identity: alarm for change in changes for identity, alarm in change.alarms.items()}
    incidents = {identity: incident for change in changes for identity, incident in change.incidents.items()}
    entries = [entry for change in changes for entry in change.entries]
    loaded = await ledger.load(settled_since=0)
    assert sorted(loaded.alarms, key=lambda alarm: alarm.id) == [
        alarm for _, alarm in sorted(alarms.items()) if alarm.state is not AlarmState.NORMAL
    ]
    assert sorted(loaded.incidents, key=lambda incident: incident.id) == [
        incident for _, incident in sorted(incidents.items()) if incident.archived_at is None
    ]
    assert (loaded.sequence, loaded.last_hash) == (entries[-1].sequence, entries[-1].hash)
    assert [entry async for entry in ledger.entries()] == entries
    assert await ledger.count_entries() == len(entries)
    assert (await verify(ledger.entries())).fault is None
    (ended,) = [alarm for alarm in alarms.values() if alarm.tag == "TI-9"]
    found = await queries.alarm_with_history(ledger.engine, ended.id)
    assert found is not None
    assert found[0] == ended


async def test_a_register_made_from_the_ledger_goes_on_as_if_nothing_had_been(ledger: Ledger) -> None:
    unit = WatchedUnit()
    unit.enters("GT-1/HH", "XL-1/H", at=1)
    await ledger.commit(unit.last)
    unit.leaves("XL-1/H", at=2)
    await ledger.commit(unit.last)
    loaded = await ledger.load(settled_since=0)
    again = register_of(unit.site, unit.table, loaded)
    assert again.active == unit.register.active
    assert again.incidents == unit.register.incidents
    for register in (unit.register, again):
        change = Change()
        register.apply([unit.transition("GT-2/HH", at=3, entered=True)], ms(3), change)
        assert change.entries[-1].kind == "incident.graded"
    assert again.journal.sequence == unit.register.journal.sequence


async def test_settled_are_the_last_transitions_by_the_journals_time(ledger: Ledger) -> None:
    """A gateway whose clock is not checked may be years away from the service's."""
    years = 10 * 365 * 86_400
    unit = WatchedUnit()
    unit.enters("GT-1/H", at=1 - years, seen=1)
    await ledger.commit(unit.last)
    for number, path in enumerate(("GT-2/H", "GT-3/H")):
        unit.enters(path, at=100 + number - years, seen=100 + number)
        await ledger.commit(unit.last)
    unit.acknowledges("GT-2/H", at=103)
    await ledger.commit(unit.last)
    unit.leaves("GT-2/H", at=104 - years, seen=104)
    await ledger.commit(unit.last)
    loaded = await ledger.load(settled_since=ms(50))
    assert loaded.settled == {
        "works/GT-2/H": (ms(104 - years), False),
        "works/GT-3/H": (ms(101 - years), True),
    }


async def test_of_two_alarms_of_one_condition_the_later_is_settled(ledger: Ledger) -> None:
    unit = WatchedUnit()
    for at in (1, 5):
        unit.enters("GT-1/H", at=at)
        await ledger.commit(unit.last)
        unit.acknowledges("GT-1/H", at=at + 1)
        await ledger.commit(unit.last)
        unit.leaves("GT-1/H", at=at + 2)
        await ledger.commit(unit.last)
    unit.enters("GT-1/H", at=7)
    await ledger.commit(unit.last)
    assert (await ledger.load(settled_since=0)).settled == {"works/GT-1/H": (ms(7), True)}


async def test_a_commit_whose_answer_was_lost_is_written_once(ledger: Ledger) -> None:
    deliveries = [{"channel": "c", "sequence": 1, "state": "queued", "attempts": 0, "next_attempt_at": 0}]
    for change in story():
        for _ in range(3):
            await ledger.commit(change, [REFUSED], deliveries)
    commits = len(list(story()))
    assert await count(ledger, "quarantine") == commits
    assert await count(ledger, "delivery") == commits
    assert (await verify(ledger.entries())).fault is None


async def test_a_commit_that_fails_half_way_leaves_nothing(ledger: Ledger) -> None:
    first, *_ = story()
    broken = {"channel": "c", "sequence": 1, "state": "queued", "attempts": 0, "next_attempt_at": None}
    with pytest.raises(IntegrityError):
        await ledger.commit(first, [REFUSED], [broken])
    for table in ("journal", "alarm", "incident", "delivery", "quarantine"):
        assert await count(ledger, table) == 0
    await ledger.commit(first, [REFUSED])
    assert await count(ledger, "journal") == len(first.entries)


async def test_a_second_writer_is_found_and_writes_nothing(ledger: Ledger, url: str) -> None:
    first, second, *_ = story()
    other = Change(entries=[Journal().append(ms(1), "service.started", "anshao", {"version": "of another service"})])
    await ledger.commit(first)
    async with opened(url) as neighbour:
        with pytest.raises(LedgerConflict, match="written by another process"):
            await neighbour.commit(other)
    await ledger.commit(second)
    assert (await verify(ledger.entries())).fault is None


async def test_a_second_writer_that_came_first_is_found_by_the_other(ledger: Ledger, url: str) -> None:
    first, second, *_ = story()
    await ledger.commit(first)
    stranger = Journal(len(first.entries), first.entries[-1].hash)
    async with opened(url) as neighbour:
        await neighbour.commit(Change(entries=[stranger.append(ms(9), "service.started", "anshao", {})]))
    with pytest.raises(LedgerConflict):
        await ledger.commit(second)
    assert await count(ledger, "journal") == len(first.entries) + 1


async def test_two_tries_of_one_commit_at_the_same_time_write_it_once(ledger: Ledger, url: str) -> None:
    """The first was thought lost, and was only slow."""
    async with opened(url) as other:
        for change in story():
            await asyncio.gather(ledger.commit(change, [REFUSED]), other.commit(change, [REFUSED]))
    assert await count(ledger, "quarantine") == len(list(story()))
    assert (await verify(ledger.entries())).fault is None


async def test_of_two_writers_at_the_same_time_one_is_told(ledger: Ledger, url: str) -> None:
    first, *_ = story()
    other = Change(entries=[Journal().append(ms(1), "service.started", "anshao", {"version": "of another service"})])
    async with opened(url) as neighbour:
        outcomes = await asyncio.gather(ledger.commit(first), neighbour.commit(other), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["LedgerConflict", "NoneType"]
    assert (await verify(ledger.entries())).fault is None


async def test_quarantine_keeps_the_newest_rows_and_no_more(url: str) -> None:
    async with opened(url, quarantine_limit=1_500) as ledger:
        for batch in range(8):
            rows = [replace(REFUSED, received_at=batch * 500 + number) for number in range(500)]
            await ledger.commit(Change(), rows)
            assert await count(ledger, "quarantine") <= 1_500 + 1_000
        page = await queries.quarantined(ledger.engine, None, None, limit=2_000)
        assert [row.received_at for row in page.items[:1_500]] == list(range(3_999, 2_499, -1))


async def test_whatever_was_refused_can_be_kept(ledger: Ledger) -> None:
    rows = [
        replace(REFUSED, gateway="网" * 5_000, enterprise="x" * 5_000, topic="t" * 60_000, reason="r" * 100),
        replace(REFUSED, detail="NUL \x00", payload="NUL \x00", topic="\x00", gateway="\x00"),
        replace(REFUSED, detail="\ud800", payload="\udfff", topic="\udc00"),
        replace(REFUSED, enterprise=None, gateway=None, detail="", payload="", payload_bytes=2**40),
    ]
    await ledger.commit(Change(), rows)
    found = (await queries.quarantined(ledger.engine, None, None, limit=10)).items[::-1]
    assert [len(row.gateway or "") for row in found] == [200, 4, 3, 0]
    assert found[0].topic == "t" * 60_000
    assert (found[1].detail, found[1].gateway) == ("NUL \\x00", "\\x00")
    assert (found[2].detail, found[2].payload) == ("\\ud800", "\\udfff")
    assert found[3].payload_bytes == 2**40


async def test_the_longest_names_that_a_site_may_have_can_be_kept(ledger: Ledger) -> None:
    unit = WatchedUnit()
    unit.enters("GT-1/H", at=1)
    (alarm,) = unit.last.alarms.values()
    name = "名" * 128
    long = replace(
        alarm, enterprise=name, unit=name, tag=name, rule=name, region="3" * 12, engineering_unit="单位" * 99
    )
    await ledger.commit(Change(unit.last.entries, {alarm.id: long}))
    (found,) = (await ledger.load(settled_since=0)).alarms
    assert found == long


async def test_a_follower_remembers_how_far_it_came(ledger: Ledger) -> None:
    assert await ledger.cursor("mqtt") == 0
    for sequence in (5, 9, 7):
        await ledger.move_cursor("mqtt", sequence)
        assert await ledger.cursor("mqtt") == sequence
    assert await ledger.cursor("other") == 0


async def test_a_canary_that_went_through_is_remembered(ledger: Ledger) -> None:
    await ledger.ping()
    await ledger.commit(Change(), canary=ms(5))
    await ledger.commit(Change(), canary=ms(65))
    assert await ledger.cursor("canary") == ms(65)


async def test_a_delivery_that_cannot_be_kept_is_a_fault_of_ours(ledger: Ledger) -> None:
    broken = {"channel": "c", "sequence": 1, "state": "queued", "attempts": 0, "next_attempt_at": None}
    with pytest.raises(IntegrityError):
        await ledger.commit(Change(), (), [broken])


def test_there_is_no_way_back_to_an_older_revision() -> None:
    first = importlib.import_module("alerting.ledger.migrations.versions.0001_first_tables")
    with pytest.raises(NotImplementedError, match="backup"):
        first.downgrade()


async def test_the_journal_is_read_in_pages(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_module, "_PAGE", 3)
    journal = Journal()
    entries = [journal.append(ms(number), "service.started", "anshao", {}) for number in range(10)]
    await ledger.commit(Change(entries=entries))
    assert [entry async for entry in ledger.entries()] == entries


# ---- tampering, in the database itself


TAMPERINGS = {
    "a body": (update(schema.journal).values(body=func.replace(schema.journal.c.body, "GT-1", "GT-2")), "was changed"),
    "a hash": (update(schema.journal).values(hash=b"\x00" * 32), "was changed"),
    "a time": (update(schema.journal).values(at=schema.journal.c.at - 1), "column at"),
    "a kind": (update(schema.journal).values(kind="alarm.returned"), "column kind"),
    "an alarm": (update(schema.journal).values(alarm=1_000), "column alarm"),
}


@pytest.mark.parametrize("what", TAMPERINGS)
async def test_tampering_with_a_row_is_found(ledger: Ledger, what: str) -> None:
    for change in story():
        await ledger.commit(change)
    statement, fault = TAMPERINGS[what]
    async with ledger.engine.begin() as connection:
        await connection.execute(statement.where(schema.journal.c.sequence == 2))
    verification = await verify(ledger.entries())
    assert verification.entries == 1
    assert fault in (verification.fault or "")
    assert "entry 2" in (verification.fault or "")


@pytest.mark.parametrize("sequence", [-5, 0])
async def test_an_entry_put_in_before_the_first_is_found(ledger: Ledger, sequence: int) -> None:
    first, *_ = story()
    await ledger.commit(first)
    async with ledger.engine.begin() as connection:
        await connection.execute(
            insert(schema.journal).values(sequence=sequence, at=0, kind="alarm.entered", body="{}", hash=b"")
        )
    assert (await verify(ledger.entries())).fault is not None
