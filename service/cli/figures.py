"""``anshao kpi``."""

import asyncio
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any, get_args

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from alerting.kpi.reading import span_of
from alerting.kpi.selection import Period
from alerting.kpi.targets import Targets
from alerting.ledger.ledger import Ledger, LedgerUnavailable
from alerting.refusals import NotFound
from service.cli.held import settings_that_hold
from service.cli.loading import load_or_exit
from service.clock import SystemClock
from service.config import Settings
from service.kpi import KeyFigures, Scope, Scopes
from service.reports.key_figures import key_figures_csv, key_figures_page, measures
from service.reports.words import ZONE, day_time

MOST_COMPARED = 200
"""Scopes in the comparison, those with the most alarms [ours]."""
_DAY = 86_400_000


def show_figures(
    config: Path,
    begin: str | None,
    end: str | None,
    scope: str,
    identity: str | None,
    html: Path | None,
    table: Path | None,
) -> None:
    """Compute, print, and write what was asked for."""
    if scope not in get_args(Scope):
        typer.echo(f"--scope {scope}: use {', '.join(get_args(Scope))}", err=True)
        raise typer.Exit(2)
    settings = load_or_exit(config)
    now = SystemClock().now()
    last = _instant(end, "--to") if end else now
    period = Period(_instant(begin, "--from") if begin else last - 30 * _DAY, last)
    if period.length <= 0:
        typer.echo("--from must lie before --to", err=True)
        raise typer.Exit(2)
    targets = settings.kpi
    try:
        figures, compared, held = asyncio.run(
            _compute(settings, targets, period, scope, identity, now, every=bool(html or table))
        )
    except (NotFound, LedgerUnavailable) as fault:
        typer.echo(str(fault), err=True)
        raise typer.Exit(2) from None
    _print(figures, targets)
    if html is not None:
        page = key_figures_page(figures, compared, held.site, targets, now, metadata.version("anshao"))
        html.write_bytes(page)
        typer.echo(f"{html} written")
    if table is not None:
        table.write_bytes(key_figures_csv([figures, *compared]))
        typer.echo(f"{table} written")


async def _compute(
    settings: Settings, targets: Targets, period: Period, scope: Any, identity: str | None, now: int, *, every: bool
) -> tuple[dict[str, Any], list[dict[str, Any]], Settings]:
    ledger = Ledger(settings.ledger.url.get_secret_value())
    figures = KeyFigures(ledger.engine, targets)
    try:
        held = await settings_that_hold(settings, ledger)
        scopes = Scopes(held.site, held.response.desks)
        chosen = scopes.choose(scope, identity)
        period = await figures.covered(period, now)
        first, last = await span_of(ledger.engine, period)
        with Progress(transient=True) as progress:
            bar = progress.add_task("journal", total=last - first + 1)
            records = await figures.records(period, now, lambda count: progress.update(bar, completed=count))
            others = (
                [one for one in scopes.every() if (one.scope, one.id) != (chosen.scope, chosen.id)] if every else []
            )
            bar = progress.add_task("figures", total=len(others) + 1)
            own = figures.compute(chosen, period, records)
            compared = []
            for one in others:
                compared.append(figures.compute(one, period, records))
                progress.advance(bar)
    finally:
        await ledger.close()
    kept = sorted(compared, key=lambda found: -found["alarms"])[:MOST_COMPARED]
    return own, [found for found in compared if any(found is one for one in kept)], held


def _print(figures: dict[str, Any], targets: Targets) -> None:
    console = Console()
    title = f"{figures['name']}  {day_time(figures['start'])} – {day_time(figures['end'])}"
    table = Table(title=title, title_justify="left")
    for name in ("指标 measure", "数值 value", "目标 target", "评价 verdict"):
        table.add_column(name, justify="right" if name.startswith("数值") else "left")
    for row in measures(figures, targets):
        met = row["met"]
        verdict = "—" if met is None else "[green]达标 met" if met else "[red]未达标 missed"
        table.add_row(f"{row['zh']} {row['en']}", row["value"], row["target"], verdict)
    console.print(table)
    if not figures["graded"]:
        console.print(f"不评级 not graded: {figures['graded_from_days']} days needed")


def _instant(text: str, option: str) -> int:
    """A date (from its midnight on, Asia/Shanghai) or an ISO 8601 instant, ms UTC."""
    try:
        stamp = datetime.fromisoformat(text)
    except ValueError:
        typer.echo(f"{option} {text}: write a date, 2026-06-01, or an instant, 2026-06-01T08:00:00+08:00", err=True)
        raise typer.Exit(2) from None
    if stamp.tzinfo is None:
        stamp = stamp.replace(tzinfo=ZONE)
    return round(stamp.timestamp() * 1000)
