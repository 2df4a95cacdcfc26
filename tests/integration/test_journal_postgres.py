"""The record in PostgreSQL: what is changed there is found and named, as in SQLite; evidence and key figures."""

from pathlib import Path

import pytest

from alerting.journal.heads import FILE
from alerting.kpi.selection import Period
from alerting.kpi.targets import load_targets
from service.evidence.verification import verify_evidence
from service.kpi import KeyFigures, Scopes
from tests.evidence_case import make_case
from tests.sealed_ledger import Signed, days
from tests.watched_unit import ms

pytestmark = pytest.mark.servers

TEXTS = ("kind", "enterprise", "body")


async def other_texts(signed: Signed, table: str, column: str, where: str) -> list[str]:
    """The text with one letter after the other turned into the next."""
    async with signed.ledger.engine.connect() as connection:
        value = await connection.exec_driver_sql(f"SELECT {column} FROM {table} WHERE {where}")
        text = str(value.scalar_one())
    return [text[:at] + chr(ord(text[at]) ^ 1) + text[at + 1 :] for at in range(len(text))]


async def test_tampering_is_found_and_named(postgres_url: str, tmp_path: Path) -> None:
    async with days(postgres_url, tmp_path) as signed:
        findings = await signed.audit()
        assert (findings.entries, findings.heads, findings.faults, findings.notes) == (18, 2, [], [])
        for column in TEXTS:
            values = await other_texts(signed, "journal", column, "sequence = 8")
            await signed.execute("CREATE TABLE kept AS SELECT * FROM journal WHERE sequence = 8")
            for value in values[::7]:
                await signed.execute(f"UPDATE journal SET {column} = :value WHERE sequence = 8", value=value)
                faults = await signed.faults()
                assert len(faults) == 1, (column, value, faults)
                assert faults[0].startswith(f"entry 8: its column {column} was changed")
            await signed.execute(f"UPDATE journal SET {column} = (SELECT {column} FROM kept) WHERE sequence = 8")
            await signed.execute("DROP TABLE kept")
        for at in range(0, 32, 5):
            turn = f"set_byte(hash, {at}, get_byte(hash, {at}) # 1)"
            await signed.execute(f"UPDATE journal SET hash = {turn} WHERE sequence = 18")
            assert (await signed.faults())[0].startswith("entry 18: its column hash was changed")
            await signed.execute(f"UPDATE journal SET hash = {turn} WHERE sequence = 18")
        for column in ("at", "alarm", "incident"):
            await signed.execute(f"UPDATE journal SET {column} = {column} + 1 WHERE sequence = 8")
            assert await signed.faults() == [f"entry 8: its column {column} was changed and differs from its body"]
            await signed.execute(f"UPDATE journal SET {column} = {column} - 1 WHERE sequence = 8")
        for column in ("hash", "root", "signature"):
            for table, where, named in (
                ("journal_head", "sequence = 12", "head of 2026-11-23"),
                ("journal_newest", "id = 1", "newest head"),
            ):
                turn = f"set_byte({column}, 9, get_byte({column}, 9) # 4)"
                await signed.execute(f"UPDATE {table} SET {column} = {turn} WHERE {where}")
                (fault,) = await signed.faults()
                assert fault.startswith(named)
                assert f"column {column} was changed" in fault
                await signed.execute(f"UPDATE {table} SET {column} = {turn} WHERE {where}")
        assert await signed.faults() == []


async def test_removed_entries_and_heads_are_found(postgres_url: str, tmp_path: Path) -> None:
    async with days(postgres_url, tmp_path) as signed:
        await signed.execute("DELETE FROM journal WHERE sequence > 15")
        assert await signed.faults() == ["entries 16 to 18 were removed: the newest head was signed for them"]
        await signed.execute("DELETE FROM journal_head")
        assert f"the head of 2026-11-22 (entries 1 to 6) was removed from the ledger; {FILE} has it" in (
            await signed.faults()
        )


async def test_evidence_and_key_figures_are_made(postgres_url: str, tmp_path: Path) -> None:
    made = await make_case(tmp_path, url=postgres_url)
    verdict = verify_evidence(made.file)
    assert (verdict.faults, verdict.entries) == ([], 14)
    figures = KeyFigures(made.maker.engine, load_targets())
    chosen = Scopes(made.maker.settings.site).choose("enterprise", "works")
    for start, alarms in ((0, 3), (15, 2), (86_300, 1)):
        found = await figures.of(chosen, Period(ms(start), ms(90_000)), ms(90_000))
        assert found["alarms"] == alarms
        assert found["standing"]["count"] == 1
    await made.maker.engine.dispose()
