"""Options that several commands take."""

from pathlib import Path
from typing import Annotated, Literal

import typer

MAIN = Path("anshao.yaml")
"""The main file where none is named."""
ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", help="The main configuration file.", exists=True, dir_okay=False)
]

# Of commands that call a running service; the main file says where it listens, and need not be there.
MainOption = Annotated[Path, typer.Option("--config", "-c", help="The main file.")]
UrlOption = Annotated[
    str | None,
    typer.Option("--url", help="Root of a running service, e.g. http://127.0.0.1:8080.", envvar="ANSHAO_URL"),
]
TokenOption = Annotated[str | None, typer.Option("--token", help="Bearer token.", envvar="ANSHAO_TOKEN")]

# Of the tuning workbench
MappingOption = Annotated[
    Path | None, typer.Option(help="Site file whose `replay` section describes the table.", exists=True)
]
FromOption = Annotated[str | None, typer.Option("--from", help="First source time, a date or ISO 8601.")]
ToOption = Annotated[str | None, typer.Option("--to", help="Source time after the last.")]
OutOption = Annotated[Path | None, typer.Option(help="Report as one HTML file.", dir_okay=False)]
JsonOption = Annotated[Path | None, typer.Option(help="Report as JSON.", dir_okay=False)]
LanguageOption = Annotated[Literal["zh", "en"], typer.Option(help="Which the report shows first.")]
WorkersOption = Annotated[
    int | None, typer.Option(min=1, help="Processes. Default: as many as there are processors and work.")
]
