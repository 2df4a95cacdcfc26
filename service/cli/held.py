"""The configuration that holds: the newest revision in the ledger, which may be newer than the files."""

import asyncio
from dataclasses import replace

import typer
from sqlalchemy import inspect

from alerting.ledger.ledger import Ledger, reaching
from alerting.ledger.revisions_schema import revision
from service.config import ConfigurationError, Settings, load_revision
from service.revisions.store import DocumentDamaged, RevisionStore


async def settings_that_hold(settings: Settings, ledger: Ledger) -> Settings:
    """Settings by the newest revision; as the files have them where there is none. Raises LedgerUnavailable."""
    async with reaching(ledger.engine) as connection:
        if not await connection.run_sync(lambda sync: inspect(sync).has_table(revision.name)):
            return settings
    store = RevisionStore(ledger.engine)
    newest = await store.newest()
    if newest is None:
        return settings
    try:
        held = await asyncio.to_thread(load_revision, settings, await store.documents(newest))
    except (ConfigurationError, DocumentDamaged) as fault:
        typer.echo(f"note: revision {newest.number} cannot be read ({fault}); the files are taken instead", err=True)
        return settings
    return replace(held, data_dir=settings.data_dir)
