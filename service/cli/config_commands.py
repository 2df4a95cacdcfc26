"""``anshao config …``: what the commands take."""

from pathlib import Path
from typing import Annotated

import typer

from service.cli.options import MAIN, MainOption, TokenOption, UrlOption

config = typer.Typer(help="Revisions of the configuration 配置修订.", no_args_is_help=True)

_Revision = Annotated[int | None, typer.Option("--revision", "-r", help="By default the one that holds.")]
_Files = Annotated[
    list[Path] | None,
    typer.Argument(
        help="Workbooks (a sheet for each point table), tables or site files; without any, all files of --config.",
        metavar="[FILE…]",
        exists=True,
        dir_okay=False,
    ),
]


@config.command("history", epilog="Example: `anshao config history -c anshao.yaml`")
def history(
    main: MainOption = MAIN,
    url: UrlOption = None,
    token: TokenOption = None,
    limit: Annotated[int, typer.Option()] = 20,
) -> None:
    """List revisions, newest first: from the ledger, or with --url from a running service."""
    from service.cli.configuring import show_history  # noqa: PLC0415 - see the package's docstring

    show_history(main, url, token, limit)


@config.command("show", epilog="Examples: `anshao config show` · `anshao config show points/tanks.csv -r 3`")
def show(
    name: Annotated[str | None, typer.Argument(help="A document; without it, all are listed.")] = None,
    main: MainOption = MAIN,
    url: UrlOption = None,
    token: TokenOption = None,
    revision: _Revision = None,
) -> None:
    """List the documents of a revision, or print one."""
    from service.cli.configuring import show_documents  # noqa: PLC0415

    show_documents(main, url, token, name, revision)


@config.command("export", epilog="Examples: `anshao config export .` · `anshao config export points.xlsx -r 3`")
def export(
    target: Annotated[Path, typer.Argument(help="A folder, or a workbook (.xlsx) for the tables alone.")],
    main: MainOption = MAIN,
    url: UrlOption = None,
    token: TokenOption = None,
    revision: _Revision = None,
) -> None:
    """Write the documents of a revision to files, over those that are there."""
    from service.cli.configuring import export_documents  # noqa: PLC0415

    export_documents(main, url, token, target, revision)


@config.command("check", epilog="Example: `anshao config check points.xlsx --token …`")
def check(files: _Files = None, main: MainOption = MAIN, url: UrlOption = None, token: TokenOption = None) -> None:
    """Dry run against a running service: what would change, and every fault. Exit status 1 if there is any."""
    from service.cli.configuring import check_proposal  # noqa: PLC0415

    check_proposal(main, url, token, files or [])


@config.command("import", epilog="Example: `anshao config import points.xlsx --author 李工 --reason 'new limits'`")
def import_(
    author: Annotated[str, typer.Option(help="The person, as it shall stand in the journal.")],
    reason: Annotated[str, typer.Option(help="Why.")],
    files: _Files = None,
    main: MainOption = MAIN,
    url: UrlOption = None,
    token: TokenOption = None,
) -> None:
    """Apply files as the next revision of a running service, at once and without a restart."""
    from service.cli.configuring import import_proposal  # noqa: PLC0415

    import_proposal(main, url, token, files or [], author, reason)


@config.command("diff", epilog="Example: `anshao config diff 3 5`")
def diff(
    old: Annotated[int, typer.Argument(help="A revision.")],
    new: Annotated[int | None, typer.Argument(help="Another one; by default the one that holds.")] = None,
    main: MainOption = MAIN,
    url: UrlOption = None,
    token: TokenOption = None,
) -> None:
    """Say what two revisions differ in, tag by tag and limit by limit."""
    from service.cli.configuring import show_difference  # noqa: PLC0415

    show_difference(main, url, token, old, new)
