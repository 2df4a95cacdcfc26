"""Revisions in PostgreSQL, as in SQLite: written, read, and found out where they are damaged."""

import pytest
from sqlalchemy import update

from alerting.ledger.ledger import Ledger
from alerting.ledger.revisions_schema import document
from alerting.records import Change
from service.config.documents import DocumentSet
from service.revisions.adoption import made_of
from service.revisions.store import DocumentDamaged, RevisionStore, record, record_files


async def test_a_revision_is_read_as_it_was_written(postgres_url: str) -> None:
    ledger = Ledger(postgres_url)
    try:
        await ledger.start()
        store = RevisionStore(ledger.engine)
        assert await store.newest() is None
        assert await store.files_revision() == 0
        contents = {f"points/{number}.csv": f"位号,{number}\n".encode() * 1_000 for number in range(30)}
        contents["nul.md"] = b"\x00\xff"
        for number in (1, 2):
            contents["site.yaml"] = f"# {number}".encode()
            held = DocumentSet.of({"sites": ["site.yaml"]}, contents)
            await store.keep(held)
            await store.keep(held)
            change = Change()
            made = made_of(held, number, ("李工", "限值复核", "api"), 1_750_000_000_000, {"tag": {"added": 2}})
            record(made, held.digests, b"\x00rules", change)
            record_files(number, change)
            await ledger.commit(change)
        newest = await store.newest()
        assert newest == made
        assert await store.documents(newest) == held
        assert await store.files_revision() == 2
        assert [found.number for found in await store.page(5, 2)] == [1]
        assert await store.rule_changes() == [(1, b"\x00rules"), (2, b"\x00rules")]
        assert (await store.names(2))["nul.md"] == (held.digests["nul.md"], 2)
        assert await store.document(1, "site.yaml") == b"# 1"
        assert await store.document(1, "absent") is None
        async with ledger.engine.begin() as connection:
            await connection.execute(
                update(document).where(document.c.digest == held.digests["site.yaml"]).values(content=b"# 3")
            )
        with pytest.raises(DocumentDamaged, match=r"site\.yaml is damaged"):
            await store.documents(newest)
        with pytest.raises(DocumentDamaged):
            await store.document(2, "site.yaml")
    finally:
        await ledger.close()
