"""Where a command writes: what cannot be written, and what must not be, is said before the work begins."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import typer


def check_outputs(
    outputs: Mapping[str, Path | None], read: Iterable[Path | None] = (), *, makes_folders: bool = False
) -> None:
    """Exit status 2 for an output whose folder is not there, that is a folder, or that would replace what is read.

    ``outputs``: by option; None was not asked for. ``read``: files that the command reads.
    ``makes_folders``: it makes those that are missing.
    """
    taken = {path.resolve(): "is what the command reads" for path in read if path is not None}
    for option, path in outputs.items():
        if path is None:
            continue
        place = path.resolve()
        wrong = None
        if not makes_folders and not place.parent.is_dir():
            wrong = f"there is no folder {place.parent}: make it, or write to another one"
        elif place.is_dir():
            wrong = "is a folder: name a file in it"
        elif place in taken:
            wrong = f"{taken[place]}: write to another file"
        if wrong is not None:
            typer.echo(f"{option} {path}: {wrong}", err=True)
            raise typer.Exit(2)
        taken[place] = f"is what {option} writes"


def check_recording(option: str, path: Path) -> None:
    """Exit status 2 for a recording that no command would take for one."""
    if path.suffix.lower() != ".parquet":
        typer.echo(f"{option} {path}: a recording is Parquet; name a file that ends with .parquet", err=True)
        raise typer.Exit(2)
