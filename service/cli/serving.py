"""``anshao serve``."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import structlog
import typer

from alerting.journal.keys import KeyUnusable
from alerting.ledger.ledger import LedgerConflict, LedgerUnavailable
from historian.spool import SpoolBusy
from service.application import Application
from service.config import ConfigurationError, Settings, format_faults, load, load_main
from service.logs import configure_logs
from service.revisions.adoption import newest_documents

log = structlog.get_logger(__name__)


def run_service(config: Path) -> None:
    """Serve until told to stop. Files with faults stop a first start only: after it the newest revision holds."""
    complaint = ""
    try:
        settings = load(config, os.environ)
    except ConfigurationError as error:
        found = _newest_revision(config)
        typer.echo(format_faults(error.faults), err=True)
        if found is None:
            raise typer.Exit(2) from None
        settings, number = found
        faults = f"{len(error.faults)} fault{'s' if len(error.faults) > 1 else ''}"
        complaint = (
            f"the files have {faults} (`anshao check {config.name}` names them), so revision {number} holds: "
            "mend them, or write the revision over them by `anshao config export`"
        )
    configure_logs(settings.log.level, settings.log.format)
    if complaint:
        log.error("the files cannot be used", detail=complaint)
    sys.exit(asyncio.run(run_until_told(Application(settings, complaint=complaint))))


def _newest_revision(config: Path) -> tuple[Settings, int] | None:
    """Settings of the newest revision and its number; None where there is none, or the main file has faults."""
    main = load_main(config, os.environ)
    found = None if main is None else asyncio.run(newest_documents(main.ledger.url.get_secret_value()))
    if found is None:
        return None
    number, held = found
    try:
        return load(config, os.environ, held), number
    except ConfigurationError:
        return None


async def run_until_told(
    application: Application, beside: Callable[[Application, asyncio.Event], Awaitable[None]] | None = None
) -> int:
    """Start, run until SIGTERM, SIGINT or a failure, stop. Returns the exit status.

    ``beside`` runs with the application until the event is set.
    """
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    waiting: list[asyncio.Task[Any]] = [asyncio.create_task(told.wait(), name="signals")]
    starting = asyncio.create_task(application.start(), name="start")
    await asyncio.wait([*waiting, starting], return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        starting.cancel()
    try:
        await starting
    except asyncio.CancelledError:
        log.info("told to stop before the service had started")
        return 0
    except (LedgerUnavailable, LedgerConflict, SpoolBusy, KeyUnusable, OSError) as fault:
        log.error("the service cannot start", reason=str(fault), kind=type(fault).__name__)  # noqa: TRY400 - no bug
        return 1
    waiting.append(asyncio.create_task(application.wait(), name="parts"))
    if beside is not None:
        waiting.append(asyncio.create_task(_beside(beside, application, told), name="beside"))
    try:
        done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        failed = any(task.exception() for task in done)
    finally:
        told.set()
        await asyncio.wait(waiting[2:] or [asyncio.create_task(asyncio.sleep(0))], timeout=5)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await application.stop()
    return 1 if failed else 0


async def _beside(
    beside: Callable[[Application, asyncio.Event], Awaitable[None]], application: Application, told: asyncio.Event
) -> None:
    await beside(application, told)
