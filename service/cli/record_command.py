"""How ``anshao record`` is asked for; what it does is in ``recording``."""

from pathlib import Path
from typing import Annotated

import typer

from service.cli.options import MAIN, ConfigOption, ToOption


def record(
    out: Annotated[Path, typer.Option(help="The recording to be written.", metavar="FILE.parquet", dir_okay=False)],
    config: ConfigOption = MAIN,
    duration: Annotated[
        str | None, typer.Option("--for", help="How long: 90s, 30min, 8h. Without it: until Ctrl-C.")
    ] = None,
    begin: Annotated[
        str | None, typer.Option("--from", help="A range of the historian instead: first source time.")
    ] = None,
    end: ToOption = None,
    tags: Annotated[str | None, typer.Option(help="Only these tags: NAME,NAME,… Without it: all.")] = None,
) -> None:
    """Record readings: what comes from the broker now, or what the historian holds.

    The live stream is read beside the service, under a client id of its own; it takes nothing from it.
    """
    from service.cli.recording import Asked, run_record  # noqa: PLC0415 - see the package's docstring

    run_record(Asked(config, out, duration, begin, end, tags))
