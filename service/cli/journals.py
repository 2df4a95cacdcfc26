"""``anshao journal verify``."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import typer
from rich.progress import Progress

from alerting.journal import Verification, verify
from alerting.ledger import Ledger
from alerting.records import Entry
from service.cli.serving import load_or_exit


def verify_journal(config: Path) -> None:
    """Check the whole chain and say what was found."""
    settings = load_or_exit(config)
    result = asyncio.run(_verify(settings.ledger.url.get_secret_value()))
    if result.fault:
        typer.echo(f"the journal does not hold: {result.fault} ({result.entries} entries before it are sound)")
        raise typer.Exit(1)
    typer.echo(f"the journal holds: {result.entries} entries")


async def _verify(url: str) -> Verification:
    ledger = Ledger(url)
    try:
        total = await ledger.count_entries()
        with Progress(transient=True) as progress:
            bar = progress.add_task("journal", total=total)

            async def counted() -> AsyncIterator[Entry]:
                async for entry in ledger.entries():
                    progress.advance(bar)
                    yield entry

            return await verify(counted())
    finally:
        await ledger.close()
