"""``anshao journal verify`` and ``anshao journal key``."""

import asyncio
from pathlib import Path

import typer
from rich.progress import Progress

from alerting.journal.audit import Findings, audit
from alerting.journal.heads import FILE
from alerting.journal.keys import KeyUnusable, VerifyKey, known_keys, open_key, read_public
from alerting.ledger.ledger import Ledger, LedgerUnavailable
from service.cli.loading import load_or_exit
from service.config import Settings


def verify_journal(config: Path, keys: list[Path], file: Path | None) -> None:
    """Check chain, heads, file and key, and say what was found."""
    settings = load_or_exit(config)
    try:
        known = dict(known_keys(settings.data_dir / "keys")) | _read_keys(keys)
        findings = asyncio.run(_verify(settings, known, file or settings.data_dir / FILE))
    except (KeyUnusable, LedgerUnavailable, OSError) as fault:
        typer.echo(f"the journal could not be checked: {fault}", err=True)
        raise typer.Exit(2) from None
    for note in findings.notes:
        typer.echo(f"note: {note}")
    if findings.faults:
        typer.echo(f"the journal does not hold ({findings.entries} entries read):")
        for found in findings.faults:
            typer.echo(f"  {found}")
        raise typer.Exit(1)
    signed = f", {findings.heads} signed days" if findings.heads else ""
    typer.echo(f"the journal holds: {findings.entries} entries{signed}")


def show_key(config: Path) -> None:
    """Print the public key."""
    settings = load_or_exit(config)
    try:
        key = open_key(settings.data_dir / "keys")
    except (KeyUnusable, OSError) as fault:
        typer.echo(str(fault), err=True)
        raise typer.Exit(2) from None
    typer.echo(f"fingerprint {key.fingerprint}")
    typer.echo(key.public.pem.decode().strip())


def _read_keys(files: list[Path]) -> dict[str, VerifyKey]:
    keys = [read_public(file) for file in files]
    return {key.fingerprint: key for key in keys}


async def _verify(settings: Settings, keys: dict[str, VerifyKey], file: Path) -> Findings:
    ledger = Ledger(settings.ledger.url.get_secret_value())
    try:
        total = await ledger.count_entries()
        with Progress(transient=True) as progress:
            bar = progress.add_task("journal", total=total)
            return await audit(ledger.engine, file, keys, lambda: progress.advance(bar))
    finally:
        await ledger.close()
