"""``anshao replay``."""

import asyncio
import time
from pathlib import Path

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ingest.links.protocol import parse_broker_url
from service.cli.datasets import PARQUET, refused
from service.cli.pacing import pace_of
from service.cli.replaying_recordings import replay_recording
from service.config import ConfigurationError, Replay, format_faults, load_replay, load_site
from service.logs import configure_logs
from simulators.link import Link
from simulators.publisher import LinkLost
from simulators.replay import replay
from tuning.readings.recorded import Clocking, Recorded, RecordedError


def run_replay(
    file: Path, site: Path, speed: str, clock: str, broker: str, username: str | None, password: str | None
) -> None:
    """Publish the file, and say what was published. Exit status 2 for what cannot be begun, 1 for what failed."""
    configure_logs("warning", "console")
    pace, clocking = pace_of(speed), _clocking(clock)
    if file.is_dir() or file.suffix.lower() == PARQUET:
        replay_recording(file, site, pace, clocking, broker, username, password)
        return
    try:
        mapping = load_replay(site)
        gateway = _gateway(mapping, site, clocking)
        host, port, tls = parse_broker_url(broker)
        recorded = Recorded(file, mapping, clocking, time.time_ns() // 1_000_000)
    except ConfigurationError as error:
        raise refused(format_faults(error.faults)) from None
    except (RecordedError, ValueError) as error:
        raise refused(str(error)) from None
    link = Link(*gateway, host, port, password=password, tls=tls, username=username)
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("rows"), TimeRemainingColumn()
    ) as progress:
        bar = progress.add_task(file.name, total=len(recorded))
        try:
            rows = asyncio.run(replay(recorded, link, speed=pace, progress=lambda count: progress.advance(bar, count)))
        except LinkLost as error:
            typer.echo(f"{error}; published in part. Is the broker running at {broker}?", err=True)
            raise typer.Exit(1) from None
    faults = recorded.faults
    typer.echo(f"{rows} rows published as {mapping.gateway}")
    if faults.rows or faults.cells:
        typer.echo(f"left out: {faults.rows} rows without a readable time; without a number: {faults.cells} cells")


def _clocking(clock: str) -> Clocking:
    try:
        return Clocking(clock)
    except ValueError:
        raise refused(f"--clock {clock}: write {', '.join(choice.value for choice in Clocking)}") from None


def _gateway(mapping: Replay, site: Path, clocking: Clocking) -> tuple[str, str]:
    enterprise, _, name = mapping.gateway.partition("/")
    known = load_site([site]).gateways[enterprise, name]
    if clocking is Clocking.SOURCE and known.clock != "source":
        raise ValueError(
            f"--clock source: the service would take old readings of {mapping.gateway} for late ones. "
            f"Set `clock: source` on this gateway in {site}, and restart the service with that file."
        )
    return enterprise, name
