"""Databases that are not there, do not answer, are locked, read-only or restarted: nothing is lost or hidden."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from alerting.journal.journal import verify
from alerting.ledger import ledger as ledger_module
from alerting.ledger import schema
from alerting.ledger.ledger import Ledger, LedgerUnavailable, Refused, reaching
from alerting.records import Change
from tests import servers
from tests.unit.conftest import opened
from tests.watched_unit import ms, story

REFUSED = Refused(ms(1), "works", "gw1", "anshao/v1/works/gw1/data", "unreadable", "not JSON", "{", 1)


async def test_a_ledger_that_cannot_be_reached_is_unavailable(tmp_path: Path) -> None:
    for url in (
        f"postgresql+asyncpg://anshao@127.0.0.1:{servers.free_port()}/ledger",
        f"sqlite+aiosqlite:///{tmp_path}/no/such/folder/ledger.sqlite",
    ):
        ledger = Ledger(url)
        try:
            for attempt in (
                ledger.start(), ledger.load(0), ledger.commit(Change(), [REFUSED]), ledger.cursor("x"),
                ledger.move_cursor("x", 1), ledger.count_entries(), ledger.ping(), anext(ledger.entries()),
            ):  # fmt: skip
                with pytest.raises(LedgerUnavailable):
                    await attempt
        finally:
            await ledger.close()


async def test_what_is_wrong_with_us_is_not_taken_for_an_outage(url: str) -> None:
    first, *_ = story()
    (alarm, *_) = first.alarms.values()
    impossible = replace(alarm, entered_at=None)  # type: ignore[arg-type]
    async with opened(url) as ledger:
        with pytest.raises(IntegrityError):
            await ledger.commit(Change(first.entries, {alarm.id: impossible}))
        with pytest.raises(DBAPIError):
            async with reaching(ledger.engine) as connection:
                await connection.execute(text("SELECT nonsense FROM nothing"))


async def test_a_ledger_that_is_locked_is_unavailable_until_it_is_not(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/ledger.sqlite"
    first, *_ = story()
    async with opened(url) as ledger, opened(url) as other:
        async with ledger.engine.connect() as connection:
            await connection.execute(text("PRAGMA busy_timeout=1"))
            await connection.rollback()
        async with other.engine.begin() as connection:
            await connection.execute(insert(schema.cursor).values(name="x", sequence=1))
            with pytest.raises(LedgerUnavailable, match="locked"):
                await ledger.commit(first)
        await ledger.commit(first)
        assert await ledger.count_entries() == len(first.entries)


@asynccontextmanager
async def gate(to: servers.Postgres) -> AsyncIterator[tuple[int, asyncio.Event]]:
    """A port before the server's, and an event; while that is cleared nothing passes."""
    is_open = asyncio.Event()
    is_open.set()

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65_536):
                await is_open.wait()
                sink.write(data)
                await sink.drain()
        except OSError:
            pass
        finally:
            sink.close()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there_reader, there_writer = await asyncio.open_connection(to.host, to.port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(pump(reader, there_writer), pump(there_reader, writer))

    server = await asyncio.start_server(pass_on, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], is_open
    finally:
        is_open.set()
        server.close()
        while len(asyncio.all_tasks()) > 1:
            await asyncio.sleep(0.01)


async def test_a_server_that_does_not_answer_is_unavailable(
    postgres_server: servers.Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_module, "COMMIT_PATIENCE", 0.5)
    monkeypatch.setattr(ledger_module, "ROWS_A_SECOND", 1_000_000)
    changes = story()
    with postgres_server.database() as url:
        async with (
            gate(postgres_server) as (port, is_open),
            opened(url.replace(f":{postgres_server.port}/", f":{port}/")) as ledger,
        ):
            await ledger.commit(next(changes))
            is_open.clear()
            second = next(changes)
            with pytest.raises(LedgerUnavailable, match="did not answer in time"):
                await ledger.commit(second)
            is_open.set()
            await ledger.commit(second)
            assert (await verify(ledger.entries())).entries == second.entries[-1].sequence


@pytest.mark.usefixtures("postgres_server")  # says what is missing, if it is
async def test_a_server_that_restarts_loses_no_commit() -> None:
    changes = list(story())
    with servers.postgres() as server, server.database() as url:
        async with opened(url) as ledger:
            await ledger.commit(changes[0])
            server.kill()
            with pytest.raises(LedgerUnavailable):
                await ledger.commit(changes[1])
            server.start()
            for change in changes[1:]:
                await again_until_written(ledger, change)
                server.restart()
            assert await verify_when_there(ledger) == changes[-1].entries[-1].sequence


async def again_until_written(ledger: Ledger, change: Change) -> None:
    """As the pipeline does."""
    for _ in range(50):
        try:
            return await ledger.commit(change)
        except LedgerUnavailable:
            await asyncio.sleep(0.02)
    raise AssertionError("never written")


async def verify_when_there(ledger: Ledger) -> int:
    """Entries of a journal that holds."""
    for _ in range(50):
        try:
            verification = await verify(ledger.entries())
        except LedgerUnavailable:
            await asyncio.sleep(0.02)
            continue
        assert verification.fault is None
        return verification.entries
    raise AssertionError("never answered")


async def test_a_standby_that_takes_no_writes_is_unavailable(postgres_url: str) -> None:
    """After a failover the old server may be read-only; that passes by itself or by an operator."""
    first, *_ = story()
    async with opened(postgres_url) as ledger:
        await read_only(ledger, "on")
        with pytest.raises(LedgerUnavailable, match="read-only"):
            await ledger.commit(first)
        await read_only(ledger, "off")
        await ledger.commit(first)


async def read_only(ledger: Ledger, switch: str) -> None:
    """Make all new sessions of a database read-only, or not, and all sessions of the ledger new."""
    engine = ledger.engine
    async with engine.begin() as connection:
        await connection.execute(text("SET TRANSACTION READ WRITE"))
        await connection.execute(
            text(f'ALTER DATABASE "{engine.url.database}" SET default_transaction_read_only = {switch}')
        )
    await engine.dispose()
    await ledger._writer.dispose()
