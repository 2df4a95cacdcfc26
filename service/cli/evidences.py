"""``anshao evidence``."""

import asyncio
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn

from alerting.incidents.attachments import AttachmentStore
from alerting.journal.keys import KeyUnusable, known_keys, open_key, read_public
from alerting.ledger.ledger import Ledger, LedgerUnavailable
from alerting.refusals import NotFound
from historian.protocol import HistorianUnavailable
from service import parts
from service.cli.held import settings_that_hold
from service.cli.loading import load_or_exit
from service.clock import SystemClock
from service.config import Settings
from service.evidence.archive import TooLarge
from service.evidence.making import EvidenceMaker
from service.evidence.proofs import NotSigned
from service.evidence.verification import Verdict, verify_evidence


def make_evidence(config: Path, incident: int, out: Path, name: str, *, with_samples: bool) -> None:
    """Write the package."""
    settings = load_or_exit(config)
    try:
        with Progress(SpinnerColumn(), TextColumn("{task.description}"), transient=True) as progress:
            task = progress.add_task("evidence", total=None)
            facts = asyncio.run(
                _make(settings, incident, out, name, lambda step: progress.update(task, description=step), with_samples)
            )
    except HistorianUnavailable as fault:
        typer.echo(f"the samples cannot be read: {fault}", err=True)
        typer.echo(
            "While the service runs it alone can read an embedded historian: "
            f"GET /api/v1/incidents/{incident}/evidence, or stop it; --without-samples leaves them out.",
            err=True,
        )
        raise typer.Exit(2) from None
    except (NotFound, NotSigned, LedgerUnavailable, KeyUnusable, TooLarge, OSError) as fault:
        typer.echo(f"no evidence was made: {fault}", err=True)
        raise typer.Exit(2) from None
    samples = "no samples" if facts["samples"] is None else f"{facts['samples']:,} samples"
    if facts["attachments_missing"]:
        typer.echo(f"not on disk, and so not in it: attachments {facts['attachments_missing']}", err=True)
    typer.echo(f"{out}: {facts['entries']} journal entries, {samples}, {out.stat().st_size:,} bytes")


async def _make(
    settings: Settings,
    incident: int,
    out: Path,
    name: str,
    progress: Callable[[str], object],
    with_samples: bool,  # noqa: FBT001
) -> dict[str, object]:
    keys = settings.data_dir / "keys"
    ledger = Ledger(settings.ledger.url.get_secret_value())
    historian = parts.make_historian(settings)
    try:
        settings = await settings_that_hold(settings, ledger)
        maker = EvidenceMaker(
            engine=ledger.engine,
            historian=historian,
            settings=settings,
            key=open_key(keys),
            keys=known_keys(keys),
            version=metadata.version("anshao"),
            attachments=AttachmentStore(settings.data_dir / "attachments").path,
        )
        now = SystemClock().now()
        return await maker.make(incident, out, name, now, with_samples=with_samples, progress=progress)
    finally:
        await historian.close()
        await ledger.close()


def show_verdict(file: Path, keys: list[str]) -> None:
    """Verify a package and say what was found."""
    try:
        verdict = verify_evidence(file, [_fingerprint(key) for key in keys])
    except (OSError, KeyUnusable) as fault:
        typer.echo(f"the evidence could not be checked: {fault}", err=True)
        raise typer.Exit(2) from None
    if not verdict.holds:
        typer.echo(f"{file} does not hold:")
        for found in verdict.faults:
            typer.echo(f"  {found}")
        raise typer.Exit(1)
    _tell(file, verdict, trusted=bool(keys))


def _tell(file: Path, verdict: Verdict, *, trusted: bool) -> None:
    facts = verdict.facts
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"{file} holds: every byte is as it was signed.")
    drill = f" (drill {facts['drill']})" if facts["drill"] is not None else ""
    console.print(
        f"  incident {facts['incident']}{drill}, {facts['enterprise_name']} {facts['unit_name']}, "
        f"opened {facts['opened_at']}"
    )
    console.print(f"  made {facts['made_at']} by {facts['made_by']}, version {facts['version']}")
    console.print(f"  {verdict.entries} journal entries proven by the signed heads of {', '.join(verdict.days)}")
    for key in verdict.keys:
        console.print(f"  key {key}")
    if not trusted:
        console.print(
            "  That the key is the service's is yours to know: compare it with `anshao journal key`, or give --key."
        )


def _fingerprint(given: str) -> str:
    return read_public(Path(given)).fingerprint if Path(given).is_file() else given
