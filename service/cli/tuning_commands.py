"""``anshao compare``, ``anshao sweep``, ``anshao suggest``: their arguments."""

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

OldArgument = Annotated[
    Path, typer.Argument(metavar="OLD", help="The rules as they are: a main file, or a site file.", exists=True)
]
NewArgument = Annotated[Path, typer.Argument(metavar="NEW", help="The rules as they might be.", exists=True)]
SiteArgument = Annotated[
    Path, typer.Argument(metavar="SITE", help="The rules: a main file, or a site file.", exists=True)
]
DataArgument = Annotated[
    Path,
    typer.Argument(
        metavar="DATA", help="A recording (.parquet, or a folder of them), or a table with --mapping.", exists=True
    ),
]


def compare(
    old: OldArgument,
    new: NewArgument,
    data: DataArgument,
    mapping: MappingOption = None,
    begin: FromOption = None,
    end: ToOption = None,
    out: OutOption = None,
    json: JsonOption = None,
    language: LanguageOption = "zh",
    whole: Annotated[  # noqa: FBT002 - typer's way of a flag
        bool, typer.Option("--whole", help="Evaluate rules that are the same in both too, for figures over all.")
    ] = False,
    workers: WorkersOption = None,
) -> None:
    """Compare two rule sets over the same data: alarms added, removed, earlier and later."""
    from service.cli.tuning_runs import Common, run_compare  # noqa: PLC0415 - see the package's docstring

    run_compare(old, new, Common(data, mapping, begin, end, out, json, language, workers), whole=whole)


def sweep(
    site: SiteArgument,
    data: DataArgument,
    rule: Annotated[
        list[str],
        typer.Argument(metavar="TAG/RULE…", help="Rules to sweep together, * and ? allowed: LI-101/H, 'LI-*/H'."),
    ],
    setpoint: Annotated[str | None, typer.Option(help="70:90:5, or 70,75,80, or x0.9:1.1:0.05 of the present.")] = None,
    deadband: Annotated[str | None, typer.Option(help="In the tag's unit, as --setpoint.")] = None,
    on_delay: Annotated[str | None, typer.Option(help="0s:60s:15s, or 0s,15s,1min.")] = None,
    off_delay: Annotated[str | None, typer.Option(help="As --on-delay.")] = None,
    window: Annotated[str | None, typer.Option(help="Of rates of change and stuck values, as --on-delay.")] = None,
    lead: Annotated[str, typer.Option(help="Least time from the alarm to the harm that a recommendation has.")] = "0s",
    least: Annotated[
        str, typer.Option(help="Without a truth in the data: present alarms of this length stand for events.")
    ] = "10min",
    mapping: MappingOption = None,
    begin: FromOption = None,
    end: ToOption = None,
    out: OutOption = None,
    json: JsonOption = None,
    language: LanguageOption = "zh",
    workers: WorkersOption = None,
) -> None:
    """Try every combination of settings of some rules, and recommend one."""
    from service.cli.tuning_runs import Common, run_sweep  # noqa: PLC0415

    texts = {
        "setpoint": setpoint,
        "deadband": deadband,
        "on_delay": on_delay,
        "off_delay": off_delay,
        "window": window,
    }
    run_sweep(site, rule, texts, lead, least, Common(data, mapping, begin, end, out, json, language, workers))


def suggest(
    site: SiteArgument,
    data: DataArgument,
    mapping: MappingOption = None,
    begin: FromOption = None,
    end: ToOption = None,
    out: OutOption = None,
    json: JsonOption = None,
    language: LanguageOption = "zh",
    workers: WorkersOption = None,
) -> None:
    """Find alarms that chatter, flash by, stand for days or come all the time, and propose what to change."""
    from service.cli.tuning_runs import Common, run_suggest  # noqa: PLC0415

    run_suggest(site, Common(data, mapping, begin, end, out, json, language, workers))


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: `anshao compare site.yaml tuned.yaml june.parquet --out compare.html`")(compare)
    app.command(
        epilog="Example: `anshao sweep site.yaml june.parquet PI-101/H --setpoint 1.1:1.4:0.05 --on-delay 0s,15s,60s`"
    )(sweep)
    app.command(epilog="Example: `anshao suggest site.yaml june.parquet --out suggest.html`")(suggest)
