"""``anshao demo``: the service with everything embedded, and three simulated enterprises beside it."""

import asyncio
import hashlib
import os
import secrets
import shutil
import socket
import sys
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from importlib import resources
from pathlib import Path

import structlog
import typer
import yaml
from rich.console import Console

from domain.site import Site
from service.accounts import WHOLE_SITE, Role, Scope
from service.accounts.passwords import first_password
from service.application import Application
from service.cli.serving import run_until_told
from service.cli.users import ROLES
from service.config import Settings, TokenSettings, load, load_site
from service.logs import configure_logs
from simulators import scenarios
from simulators.answering import answering_gateway
from simulators.publisher import run_demo

log = structlog.get_logger(__name__)
HOST = "127.0.0.1"
"""The demo listens nowhere else: it prints the passwords of its accounts."""
EXAMPLE = "flange-leak-h2s"
_LEAK = (
    "  一处硫化氢泄漏即将开始，两分钟内升级，随后恢复。\n"
    "  A hydrogen sulphide leak is about to begin; it grows within two minutes, then recovers.\n"
)
_SIMULATE = (
    "  在另一终端播放场景 play a scenario from another terminal:\n"
    "    anshao simulate --list\n"
    "    anshao simulate {played} --broker mqtt://127.0.0.1:{port}\n"
    "  尚未播放的装置没有读数，其位号报 STALE。 Plants that are not played are silent, and their tags say so (STALE).\n"
)


def run_demonstration(
    port: int, broker_port: int, data: Path | None, *, every_scenario: bool, played: Sequence[str]
) -> None:
    """Run the demo until Ctrl-C.

    ``every_scenario``: on the site of the shipped scenarios, which is silent until one is simulated; ``played``: on
    those units of it that these scenarios play in. Exit status 2 if there is no such scenario.
    """
    configure_logs("warning", "console")
    console = Console()
    fed = every_scenario or bool(played)
    folder = nullcontext(str(data.resolve())) if data else tempfile.TemporaryDirectory(prefix="anshao-demo-")
    with (
        folder as name,
        resources.as_file(resources.files("simulators") / ("scenarios" if fed else "config")) as shipped,
        answering_gateway(HOST) as gateway,
    ):
        files = site_of(played, shipped, Path(name) / "site") if played else shipped
        settings = load(files / "anshao.yaml", {**os.environ, "ANSHAO_DATA_DIR": name, **_messages_to(gateway)})
        token = secrets.token_urlsafe(24)
        settings = _for_demo(settings, Path(name), token, port, broker_port)

        async def beside(application: Application, told: asyncio.Event) -> None:
            feeding = _SIMULATE if fed else _LEAK
            people, password = samples_of(application.site), first_password()
            await application.account_control.put_samples(people, password)
            console.print(
                f"\n[bold]安哨 AnShao {application.version}[/bold]\n"
                f"  控制台 console  http://{HOST}:{application.port}/#token={token}\n"
                f"  MQTT            mqtt://{HOST}:{application.broker_port}\n"
                f"  令牌 token      {token}\n"
                f"{_told(people, application.site, password)}"
                f"{feeding.format(port=application.broker_port, played=(played or (EXAMPLE,))[0])}"
                f"  Ctrl-C 结束 ends the demo.\n",
                highlight=False,
                soft_wrap=True,
            )
            if fed:
                await told.wait()
            else:
                await run_demo(HOST, application.broker_port or 0, told)

        sys.exit(asyncio.run(run_until_told(Application(settings), beside)))


def _messages_to(gateway: str) -> dict[str, str]:
    """The demo's messages to people go no further than this process."""
    secret = secrets.token_urlsafe(24)
    return {"ANSHAO_CHANNEL_SMS_URL": gateway + "/messages?to={phone}", "ANSHAO_CHANNEL_SMS_SECRET": secret}


def samples_of(site: Site) -> list[tuple[str, str, Role, Scope]]:
    """Somebody for each role, at the county, the city and the enterprise that a site begins with."""
    first = next(iter(site.enterprises.values()))
    county = Scope(region=first.region)
    city = Scope(region=site.regions[first.region].parent or first.region)
    return [
        ("wangfang", "王芳", Role.DUTY_OFFICER, county),
        ("liqiang", "李强", Role.SUPERVISOR, county),
        ("zhanglei", "张磊", Role.DUTY_OFFICER, city),
        ("chenjing", "陈静", Role.ENGINEER, WHOLE_SITE),
        ("zhaomin", "赵敏", Role.ENTERPRISE, Scope(enterprise=first.id)),
        ("daping", "大屏", Role.VIEWER, county),
        ("admin", "管理员", Role.ADMINISTRATOR, WHOLE_SITE),
    ]


def _told(people: Sequence[tuple[str, str, Role, Scope]], site: Site, password: str) -> str:
    """Who may sign in, as a table."""
    lines = [f"  示例账号 sample accounts，密码 password  {password}\n"]
    for name, shown, role, scope in people:
        bound = "全部 everything"
        if scope.enterprise is not None:
            bound = site.enterprises[scope.enterprise].name
        elif scope.region is not None:
            bound = site.regions[scope.region].name
        lines.append(f"    {name:<10}{shown}，{ROLES[role]}，{bound}\n")
    return "".join(lines)


def site_of(played: Sequence[str], shipped: Path, target: Path) -> Path:
    """The scenarios' site, written to ``target`` with those units alone that some scenarios play in."""
    try:
        stories = [scenarios.load(scenarios.find(name)) for name in played]
        whole = load_site([shipped / "site.yaml"])
        tags = [tag for story in stories for tag in scenarios.Simulation(story, whole).tags]
    except scenarios.ScenarioRefused as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    units = {f"{tag.enterprise}/{tag.unit}" for tag in tags}
    site = yaml.safe_load((shipped / "site.yaml").read_text("utf-8"))
    for enterprise in site["enterprises"]:
        enterprise["units"] = [unit for unit in enterprise["units"] if f"{enterprise['id']}/{unit['id']}" in units]
        for unit in enterprise["units"]:
            unit["neighbours"] = [name for name in unit.get("neighbours", ()) if name in units]
    site["enterprises"] = [enterprise for enterprise in site["enterprises"] if enterprise["units"]]
    shutil.copytree(shipped / "points", target / "points", dirs_exist_ok=True)
    shutil.copy(shipped / "anshao.yaml", target)
    (target / "site.yaml").write_text(yaml.safe_dump(site, allow_unicode=True, sort_keys=False), "utf-8")
    return target


def _for_demo(settings: Settings, data: Path, token: str, port: int, broker_port: int) -> Settings:
    digest = hashlib.sha256(token.encode()).hexdigest()
    url = f"mqtt://{HOST}:{broker_port if _is_free(broker_port) else 0}"
    return replace(
        settings,
        data_dir=data,
        broker=settings.broker.model_copy(update={"url": url}),
        console=settings.console.model_copy(update={"host": HOST, "port": port if _is_free(port) else 0}),
        tokens=(TokenSettings(name="demo", sha256=digest),),
    )


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
