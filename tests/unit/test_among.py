"""Whether a column is one of many texts, as one parameter."""

from pathlib import Path

from alerting.ledger import journal_queries, queries, searching
from alerting.ledger.among import FEW
from alerting.ledger.journal_queries import JournalFilter, SeenEntries
from alerting.ledger.queries import AlarmFilter, IncidentFilter
from alerting.ledger.searching import Sought
from tests.api_service import sqlite_ledger

MANY = [f"e'{number:05}" for number in range(40_000)]
"""More than a statement has parameters."""


async def test_many_enterprises_are_one_parameter(tmp_path: Path) -> None:
    async with sqlite_ledger(tmp_path, 60) as (ledger, _):
        engine = ledger.engine
        for others in (MANY[: FEW - 1], MANY):
            seen = frozenset([*others, "heishan"])
            alarms = await queries.alarms(engine, AlarmFilter(enterprises=seen, regions=seen | {"140000"}), 100)
            assert {one.enterprise for one in alarms.items} == {"heishan"}
            incidents = await queries.incidents(engine, IncidentFilter(enterprises=seen), 100)
            assert {one.enterprise for one in incidents.items} == {"heishan"}
            which = JournalFilter(enterprises=seen, seen=SeenEntries(seen, frozenset()))
            found = await journal_queries.entries(engine, which, 100)
            assert {one.enterprise for one in found.items} == {"heishan"}
            sought = await searching.search(engine, Sought("T-0", enterprises=MANY, within=seen), 20)
            assert {one.enterprise for one in sought.alarms} == {"heishan"}
            nobody = frozenset(others)
            assert not (await queries.alarms(engine, AlarmFilter(enterprises=nobody), 100)).items
            assert not (await queries.quarantined(engine, None, None, 100, enterprises=nobody)).items
