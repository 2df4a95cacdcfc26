"""``anshao user``: accounts of a running service."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import typer
from rich.table import Table

from service.accounts.account import Role, Scope
from service.cli.calling import Api, console, with_api

ROLES = {
    Role.VIEWER: "大屏 viewer",
    Role.DUTY_OFFICER: "值班员 duty officer",
    Role.SUPERVISOR: "值班长 shift supervisor",
    Role.ENGINEER: "工程师 engineer",
    Role.ENTERPRISE: "企业 enterprise",
    Role.ADMINISTRATOR: "管理员 administrator",
}


def list_users(config: Path, url: str | None, token: str | None) -> None:
    """Accounts as a table."""

    async def fetch(api: Api) -> Mapping[str, Any]:
        found: Mapping[str, Any] = await api.get("/accounts")
        return found

    accounts = with_api(config, url, token, fetch)["items"]
    if not accounts:
        typer.echo("没有账号 no accounts: anshao user add")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("账号 account", "姓名 name", "角色 role", "管辖 bound to", "状态 state"):
        table.add_column(column)
    for account in accounts:
        role = ROLES[Role(account["role"])]
        table.add_row(account["name"], account["display_name"], role, _bound(account), _state(account))
    console.print(table)


def add_user(
    config: Path, url: str | None, token: str | None, name: str, display_name: str, role: Role, scope: Scope
) -> None:
    """Make an account."""
    body = {"name": name, "display_name": display_name, "role": role.value, **scope._asdict()}
    _tell_password(_post(config, url, token, "/accounts", body))


def give_password(config: Path, url: str | None, token: str | None, name: str, reason: str) -> None:
    """A first password anew."""
    _tell_password(_post(config, url, token, _path(name, "password"), {"reason": reason}))


def set_role(
    config: Path, url: str | None, token: str | None, name: str, role: Role, scope: Scope, reason: str
) -> None:
    """Another role, and what it is bound to."""
    body = {"role": role.value, "reason": reason, **scope._asdict()}
    made = _post(config, url, token, _path(name, "role"), body)
    typer.echo(f"{made['name']}: {ROLES[Role(made['role'])]}，{_bound(made)}")


def set_disabled(config: Path, url: str | None, token: str | None, name: str, reason: str, *, disabled: bool) -> None:
    """Disable or enable."""
    made = _post(config, url, token, _path(name, "disable" if disabled else "enable"), {"reason": reason})
    typer.echo(f"{made['name']}: {_state(made)}")


def _post(config: Path, url: str | None, token: str | None, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
    async def send(api: Api) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = await api.post(path, body)
        return answer

    return with_api(config, url, token, send)


def _path(name: str, act: str) -> str:
    return f"/accounts/{quote(name, safe='')}/{act}"


def _bound(account: Mapping[str, Any]) -> str:
    return str(account["region"] or account["enterprise"] or "全部 whole site")


def _state(account: Mapping[str, Any]) -> str:
    if account["disabled_at"] is not None:
        return "已停用 disabled"
    told = ["待改密码 first password" if account["must_change"] else "正常 in use"]
    return "，".join(told + (["一次性验证码 one-time codes"] if account["codes"] else []))


def _tell_password(given: Mapping[str, Any]) -> None:
    account = given["account"]
    typer.echo(f"{account['name']}（{account['display_name']}，{ROLES[Role(account['role'])]}，{_bound(account)}）")
    typer.echo(f"初始密码 first password: {given['first_password']}")
    typer.echo(
        "只显示这一次；首次登录时必须更改。 It is shown only here, and has to be changed at the first signing in."
    )
