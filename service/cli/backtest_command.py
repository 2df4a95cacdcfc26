"""How ``anshao backtest`` is asked for; what it does is in ``backtesting``."""

from pathlib import Path
from typing import Annotated

import typer

from service.cli.options import (
    FromOption,
    JsonOption,
    LanguageOption,
    MappingOption,
    OutOption,
    ToOption,
    WorkersOption,
)


def backtest(
    rules: Annotated[Path, typer.Argument(help="The rules: a main file, or a site file.", exists=True)],
    data: Annotated[
        Path | None,
        typer.Argument(help="A recording (.parquet, or a folder of them), or a table with --mapping.", exists=True),
    ] = None,
    also: Annotated[list[Path] | None, typer.Option("--with", help="Another site file.", exists=True)] = None,
    mapping: MappingOption = None,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="Main file: readings from its historian.", exists=True)
    ] = None,
    begin: FromOption = None,
    end: ToOption = None,
    tags: Annotated[str | None, typer.Option(help="Only the rules that look at these tags: NAME,NAME,…")] = None,
    out: OutOption = None,
    json: JsonOption = None,
    language: LanguageOption = "zh",
    workers: WorkersOption = None,
) -> None:
    """Run rules over recorded or simulated readings, by the semantics that are live: what would have alarmed.

    What the service sets by itself (links, clocks, canary, stores) is not made from readings, and left out.
    """
    from service.cli.backtesting import Asked, run_backtest  # noqa: PLC0415 - see the package's docstring

    files = [rules, *(also or [])]
    run_backtest(Asked(files, data, mapping, config, begin, end, tags, out, json, language, workers))
