"""``anshao change …``: what the commands take."""

from datetime import datetime
from typing import Annotated

import typer

from service.cli.options import MAIN, MainOption, TokenOption, UrlOption

change = typer.Typer(help="Changes of rules 变更: propose, backtest, approve, watch, apply.", no_args_is_help=True)

_Id = Annotated[int, typer.Argument(help="Number of the change.", metavar="ID")]
_Name = Annotated[str, typer.Option(help="The person, as it shall stand in the journal.")]
_Comment = Annotated[str, typer.Option(help="What there is to say.")]


@change.command("list", epilog="Examples: `anshao change list` · `anshao change list --state open`")
def list_(
    main: MainOption = MAIN,
    url: UrlOption = None,
    token: TokenOption = None,
    state: Annotated[str | None, typer.Option(help="A state, or `open`: those that may still come into force.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000)] = 20,
) -> None:
    """List changes, newest first."""
    from service.cli.changing import list_changes  # noqa: PLC0415 - see the package's docstring

    list_changes(main, url, token, state, limit)


@change.command("show", epilog="Example: `anshao change show 1042`")
def show(
    identity: _Id,
    main: MainOption = MAIN,
    url: UrlOption = None,
    token: TokenOption = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="The document of the API, with all that it found.")] = False,
) -> None:
    """Show one change: its rules, its acts, what its backtest found, what it does in shadow."""
    from service.cli.changing import show_change  # noqa: PLC0415

    show_change(main, url, token, identity, as_json=as_json)


@change.command(
    "propose",
    epilog="Example: `anshao change propose huarui/GT-101/H on_delay=5s huarui/GT-101/HH setpoint=18 deadband=0.5 "
    "--name 李工 --reason 抖动`",
)
def propose(
    edits: Annotated[
        list[str],
        typer.Argument(
            help="Rules, enterprise/tag/rule, each with the figures that shall change behind it: setpoint=, deadband=, "
            "on_delay=, off_delay=, window=; times as 5s, 10min.",
            metavar="RULE FIGURE=VALUE…",
        ),
    ],
    name: _Name,
    reason: Annotated[str, typer.Option(help="Why.")],
    main: MainOption = MAIN,
    url: UrlOption = None,
    token: TokenOption = None,
) -> None:
    """Propose new figures for some rules. Nothing changes yet."""
    from service.cli.changing import propose_change  # noqa: PLC0415

    propose_change(main, url, token, edits, name, reason)


@change.command("backtest", epilog="Example: `anshao change backtest 1042 --days 14`")
def backtest(
    identity: _Id,
    days: Annotated[int, typer.Option(help="Over the last so many days.", min=1, max=31)] = 7,
    main: MainOption = MAIN,
    url: UrlOption = None,
    token: TokenOption = None,
    *,
    wait: Annotated[bool, typer.Option(help="Wait until it has finished.")] = True,
) -> None:
    """Try a change on the site's own history. Exit status 1 if that fails."""
    from service.cli.changing import backtest_change  # noqa: PLC0415

    backtest_change(main, url, token, identity, days, wait=wait)


@change.command("approve", epilog="Example: `anshao change approve 1042 --name 张强`")
def approve(
    identity: _Id,
    name: _Name,
    comment: _Comment = "",
    main: MainOption = MAIN,
    url: UrlOption = None,
    token: TokenOption = None,
) -> None:
    """Approve a change, as another person than the one who proposed it."""
    from service.cli.changing import act_on_change  # noqa: PLC0415

    act_on_change(main, url, token, identity, "approve", {"name": name, "comment": comment})


@change.command("reject")
def reject(
    identity: _Id,
    name: _Name,
    comment: _Comment = "",
    main: MainOption = MAIN,
    url: UrlOption = None,
    token: TokenOption = None,
) -> None:
    """Reject a change that is not in force."""
    from service.cli.changing import act_on_change  # noqa: PLC0415

    act_on_change(main, url, token, identity, "reject", {"name": name, "comment": comment})


@change.command("withdraw")
def withdraw(
    identity: _Id,
    name: _Name,
    comment: _Comment = "",
    main: MainOption = MAIN,
    url: UrlOption = None,
    token: TokenOption = None,
) -> None:
    """Withdraw what one has proposed oneself."""
    from service.cli.changing import act_on_change  # noqa: PLC0415

    act_on_change(main, url, token, identity, "withdraw", {"name": name, "comment": comment})


@change.command("shadow", epilog="Example: `anshao change shadow 1042 --name 张强 --hours 24`")
def shadow(
    identity: _Id,
    name: _Name,
    hours: Annotated[float, typer.Option(help="For so long.")] = 24,
    comment: _Comment = "",
    main: MainOption = MAIN,
    url: UrlOption = None,
    token: TokenOption = None,
) -> None:
    """Watch an approved change beside the rules in force: journaled, paging nobody."""
    from service.cli.changing import act_on_change  # noqa: PLC0415

    act_on_change(main, url, token, identity, "shadow", {"name": name, "comment": comment, "hours": hours})


@change.command("apply", epilog="Example: `anshao change apply 1042 --name 张强 --at 2026-06-08T08:00`")
def apply(
    identity: _Id,
    name: _Name,
    at: Annotated[
        datetime | None,
        typer.Option(
            help="When, by this machine's clock; without it, at once.",
            formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
        ),
    ] = None,
    comment: _Comment = "",
    main: MainOption = MAIN,
    url: UrlOption = None,
    token: TokenOption = None,
) -> None:
    """Put an approved change in force while the service runs."""
    from service.cli.changing import apply_change  # noqa: PLC0415

    apply_change(main, url, token, identity, name, comment, at)


@change.command("rollback", epilog="Example: `anshao change rollback 1042 --name 王芳 --reason 报警太晚`")
def rollback(
    identity: _Id,
    name: _Name,
    reason: Annotated[str, typer.Option(help="Why.")],
    main: MainOption = MAIN,
    url: UrlOption = None,
    token: TokenOption = None,
) -> None:
    """Put the figures back that held before a change in force."""
    from service.cli.changing import act_on_change  # noqa: PLC0415

    act_on_change(main, url, token, identity, "rollback", {"name": name, "reason": reason})
