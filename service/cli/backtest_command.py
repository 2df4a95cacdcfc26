"""How ``anshao backtest`` is asked for; what it does is in ``backtesting``."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def backtest(
    rules: Annotated[Path, typer.Argument(help="The rules: a main file, or a site file.", exists=True)],
    data: Annotated[
        Path | None,
        typer.Argument(help="A recording (.parquet, or a folder of them), or a table with --mapping.", exists=True),
    ] = None,
    also: Annotated[list[Path] | None, typer.Option("--with", help="Another site file.", exists=True)] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="Site file whose `replay` section describes the table.", exists=True)
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="Main file: readings from its historian.", exists=True)
    ] = None,
    begin: Annotated[str | None, typer.Option("--from", help="First source time, a date or ISO 8601.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Source time after the last.")] = None,
    tags: Annotated[str | None, typer.Option(help="Only the rules that look at these tags: NAME,NAME,…")] = None,
    out: Annotated[Path | None, typer.Option(help="Report as one HTML file.", dir_okay=False)] = None,
    json: Annotated[Path | None, typer.Option(help="Report as JSON.", dir_okay=False)] = None,
    language: Annotated[Literal["zh", "en"], typer.Option(help="Which the report shows first.")] = "zh",
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; default: as there is work for.")] = None,
) -> None:
    """Run rules over recorded or simulated readings, by the semantics that are live: what would have alarmed.

    What the service sets by itself (links, clocks, canary, stores) is not made from readings, and left out.
    """
    from service.cli.backtesting import Asked, run_backtest  # noqa: PLC0415 - see the package's docstring

    files = [rules, *(also or [])]
    run_backtest(Asked(files, data, mapping, config, begin, end, tags, out, json, language, workers))
