"""``anshao simulate``: its options."""

from pathlib import Path
from typing import Annotated

import typer

EPILOG = (
    "Examples: `anshao simulate --list` · `anshao simulate flange-leak-h2s --out leak.parquet --picture leak.svg` · "
    "`anshao simulate flange-leak-h2s --broker mqtt://127.0.0.1:1883`"
)


def simulate(
    scenario: Annotated[str | None, typer.Argument(help="Name of a shipped scenario, or a scenario file.")] = None,
    site: Annotated[
        Path | None, typer.Option(help="The site that it takes place in; default: the shipped one.", exists=True)
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write a recording with its truth, to be backtested.")] = None,
    picture: Annotated[Path | None, typer.Option(help="Draw what was made (.svg).")] = None,
    broker: Annotated[str | None, typer.Option(help="Publish through this broker, e.g. mqtt://127.0.0.1:1883.")] = None,
    speed: Annotated[str, typer.Option(help="With --broker. 1: real time; N: N times faster; max.")] = "1",
    clock: Annotated[
        str,
        typer.Option(
            help="With --broker. begins-now, ends-now: source times shifted; source: as the scenario has them "
            "(its gateways need `clock: source`)."
        ),
    ] = "begins-now",
    passwords: Annotated[
        Path | None, typer.Option(help="With --broker. YAML: `enterprise/gateway: password`.", exists=True)
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="In place of the scenario's own.")] = None,
    scale: Annotated[int, typer.Option(min=1, max=10_000, help="Repeat its plants so many times.")] = 1,
    tags: Annotated[int | None, typer.Option(min=1, max=100_000, help="Repeat its plants up to so many tags.")] = None,
    describe: Annotated[
        str | None, typer.Option(help="Say what a kind of plant or a fault takes and gives.", metavar="KIND")
    ] = None,
    *,
    show: Annotated[bool, typer.Option("--list", help="List the shipped scenarios.")] = False,
) -> None:
    """Play a scenario: plants, instruments and gateways with their faults, and the truth of what happens."""
    from service.cli.simulating import Asked, list_scenarios, run_simulation  # noqa: PLC0415

    if describe is not None:
        from service.cli.describing import describe as print_description  # noqa: PLC0415

        print_description(describe)
        return
    if show:
        list_scenarios()
        return
    run_simulation(Asked(scenario, site, out, picture, broker, speed, clock, passwords, seed, scale, tags))
