"""Settings for commands that do not run the service."""

import os
from pathlib import Path

import typer

from service.config import ConfigurationError, Settings, format_faults, load


def load_or_exit(config: Path) -> Settings:
    """Settings, or exit status 2 with every fault named."""
    try:
        return load(config, os.environ)
    except ConfigurationError as error:
        typer.echo(format_faults(error.faults), err=True)
        raise typer.Exit(2) from None
