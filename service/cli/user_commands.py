"""``anshao user …``: what the commands take."""

from typing import Annotated

import typer

from service.accounts.account import Role, Scope
from service.cli.options import MAIN, MainOption, TokenOption, UrlOption

user = typer.Typer(help="Accounts 账号 of a running service, by an administrator's token.", no_args_is_help=True)

_Name = Annotated[str, typer.Argument(help="What is typed to sign in: letters, digits, dot, dash, underscore.")]
_Reason = Annotated[str, typer.Option(help="Why, for the journal.")]
_Region = Annotated[str | None, typer.Option(help="Code of a region: sees its enterprises and those below it.")]
_Enterprise = Annotated[str | None, typer.Option(help="Id of an enterprise: sees it alone. Neither: the whole site.")]
_Role = Annotated[Role, typer.Option(help="What the account may do: docs/accounts.md.")]


@user.command("list", epilog="Example: `anshao user list`")
def list_(main: MainOption = MAIN, url: UrlOption = None, token: TokenOption = None) -> None:
    """List accounts."""
    from service.cli.users import list_users  # noqa: PLC0415 - see the package's docstring

    list_users(main, url, token)


@user.command(
    "add", epilog="Example: `anshao user add wangfang --display-name 王芳 --role duty_officer --region 370783`"
)
def add(
    name: _Name,
    display_name: Annotated[str, typer.Option(help="The person, as the console and the journal show it.")],
    role: _Role,
    main: MainOption = MAIN,
    url: UrlOption = None,
    token: TokenOption = None,
    region: _Region = None,
    enterprise: _Enterprise = None,
) -> None:
    """Make an account, and print its first password, which has to be changed at the first signing in."""
    from service.cli.users import add_user  # noqa: PLC0415

    add_user(main, url, token, name, display_name, role, Scope(region, enterprise))


@user.command("passwd", epilog="Example: `anshao user passwd wangfang --reason 忘记密码`")
def passwd(
    name: _Name, main: MainOption = MAIN, url: UrlOption = None, token: TokenOption = None, reason: _Reason = ""
) -> None:
    """Print a new first password. One-time codes are off, and all sessions of the account end."""
    from service.cli.users import give_password  # noqa: PLC0415

    give_password(main, url, token, name, reason)


@user.command("role", epilog="Example: `anshao user role wangfang --role supervisor --region 370783 --reason 晋升`")
def role_(
    name: _Name,
    role: _Role,
    main: MainOption = MAIN,
    url: UrlOption = None,
    token: TokenOption = None,
    region: _Region = None,
    enterprise: _Enterprise = None,
    reason: _Reason = "",
) -> None:
    """Give an account another role, and bind it anew. It holds at once."""
    from service.cli.users import set_role  # noqa: PLC0415

    set_role(main, url, token, name, role, Scope(region, enterprise), reason)


@user.command("disable", epilog="Example: `anshao user disable wangfang --reason 离职`")
def disable(
    name: _Name, main: MainOption = MAIN, url: UrlOption = None, token: TokenOption = None, reason: _Reason = ""
) -> None:
    """Nobody signs in by an account any more; its sessions end."""
    from service.cli.users import set_disabled  # noqa: PLC0415

    set_disabled(main, url, token, name, reason, disabled=True)


@user.command("enable", epilog="Example: `anshao user enable wangfang`")
def enable(
    name: _Name, main: MainOption = MAIN, url: UrlOption = None, token: TokenOption = None, reason: _Reason = ""
) -> None:
    """Undo that."""
    from service.cli.users import set_disabled  # noqa: PLC0415

    set_disabled(main, url, token, name, reason, disabled=False)
