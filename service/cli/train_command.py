"""``anshao train``: its arguments."""

from pathlib import Path
from typing import Annotated

import typer


def train(
    rules: Annotated[
        Path,
        typer.Argument(help="Site file, or main file, with the unit's tags and limits.", exists=True, dir_okay=False),
    ],
    unit: Annotated[str, typer.Argument(help="The unit: its id, or enterprise/id.")],
    data: Annotated[
        Path | None,
        typer.Argument(
            help="A recording (.parquet, or a folder of them), or a table. Without it: the historian.", exists=True
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="Where to write the model.")] = Path("model.json"),
    mapping: Annotated[
        Path | None,
        typer.Option(help="Of a table: a site file whose `replay` describes it. Default: the site file.", exists=True),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", help="Of the historian: the main file.", exists=True, dir_okay=False),
    ] = None,
    begin: Annotated[str | None, typer.Option("--from", help="First time of normal operation, ISO 8601.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Time after the last of it.")] = None,
    exclude: Annotated[
        list[str] | None, typer.Option(help="A span that was not normal: FROM/TO. May be given again.")
    ] = None,
    tag: Annotated[
        list[str] | None, typer.Option(help="Only this tag, and others so named. Default: all of the unit.")
    ] = None,
    leave_out: Annotated[list[str] | None, typer.Option(help="A tag to leave out. May be given again.")] = None,
    period: Annotated[str | None, typer.Option(help="Time between rows, e.g. 10s. Default: as tags are read.")] = None,
    components: Annotated[
        str, typer.Option(help="parallel (analysis), a fraction of the variance such as 0.85, or a number.")
    ] = "parallel",
    smoothing: Annotated[
        float, typer.Option(min=0.001, max=1, help="Weight of the newest row in the moving average; 1: none.")
    ] = 0.15,
    significance: Annotated[
        float, typer.Option(min=1e-6, max=0.2, help="Part of normal rows that may exceed a limit.")
    ] = 0.001,
    keep_drifting: Annotated[  # noqa: FBT002 - typer's way of a flag
        bool, typer.Option("--keep-drifting", help="Keep tags whose mean moves over the span.")
    ] = False,
    keep_alarms: Annotated[  # noqa: FBT002
        bool, typer.Option("--keep-alarms", help="Keep rows at which an alarm of the unit was in.")
    ] = False,
) -> None:
    """Learn the principal components of a unit from normal operation: the model that `t2` and `spe` rules go by."""
    from service.cli.training import Asked, run_training  # noqa: PLC0415 - see the package's docstring

    run_training(
        Asked(
            rules=rules,
            unit=unit,
            data=data,
            out=out,
            mapping=mapping,
            config=config,
            begin=begin,
            end=end,
            exclude=tuple(exclude or ()),
            tags=tuple(tag or ()),
            leave_out=tuple(leave_out or ()),
            period=period,
            components=components,
            smoothing=smoothing,
            significance=significance,
            keep_drifting=keep_drifting,
            keep_alarms=keep_alarms,
        )
    )
