"""``anshao demo``: the service with everything embedded, and three simulated enterprises beside it."""

import asyncio
import hashlib
import os
import secrets
import socket
import sys
import tempfile
from contextlib import nullcontext
from dataclasses import replace
from importlib import resources
from pathlib import Path

import structlog
from rich.console import Console

from service.application import Application
from service.cli.serving import run_until_told
from service.config import Settings, TokenSettings, load
from service.logs import configure_logs
from simulators.publisher import run_demo

log = structlog.get_logger(__name__)
HOST = "127.0.0.1"
_LEAK = (
    "  一处硫化氢泄漏即将开始，两分钟内升级，随后恢复。\n"
    "  A hydrogen sulphide leak is about to begin; it grows within two minutes, then recovers.\n"
)
_SIMULATE = (
    "  在另一终端播放场景 play a scenario from another terminal:\n"
    "    anshao simulate --list\n"
    "    anshao simulate flange-leak-h2s --broker mqtt://127.0.0.1:{port}\n"
)


def run_demonstration(port: int, broker_port: int, data: Path | None, *, scenarios: bool) -> None:
    """Run the demo until Ctrl-C; with ``scenarios`` on their site, which is silent until one is simulated."""
    configure_logs("warning", "console")
    console = Console()
    folder = nullcontext(str(data)) if data else tempfile.TemporaryDirectory(prefix="anshao-demo-")
    with (
        folder as name,
        resources.as_file(resources.files("simulators") / ("scenarios" if scenarios else "config")) as shipped,
    ):
        settings = load(shipped / "anshao.yaml", {**os.environ, "ANSHAO_DATA_DIR": name})
        token = secrets.token_urlsafe(24)
        settings = _for_demo(settings, Path(name), token, port, broker_port)

        async def beside(application: Application, told: asyncio.Event) -> None:
            feeding = _SIMULATE if scenarios else _LEAK
            console.print(
                f"\n[bold]安哨 AnShao {application.version}[/bold]\n"
                f"  控制台 console  http://{HOST}:{application.port}/#token={token}\n"
                f"  MQTT            mqtt://{HOST}:{application.broker_port}\n"
                f"  令牌 token      {token}\n"
                f"{feeding.format(port=application.broker_port)}"
                f"  Ctrl-C 结束 ends the demo.\n",
                highlight=False,
                soft_wrap=True,
            )
            if scenarios:
                await told.wait()
            else:
                await run_demo(HOST, application.broker_port or 0, told)

        sys.exit(asyncio.run(run_until_told(Application(settings), beside)))


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
