"""``anshao``: the commands."""

from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer

from service.accounts.account import Role
from service.cli.backtest_command import backtest
from service.cli.change_commands import change
from service.cli.config_commands import config
from service.cli.options import MAIN, ConfigOption
from service.cli.record_command import record
from service.cli.record_commands import evidence, kpi
from service.cli.simulate_command import EPILOG as SIMULATE_EPILOG
from service.cli.simulate_command import simulate
from service.cli.train_command import train
from service.cli.tuning_commands import register as register_tuning
from service.cli.user_commands import user
from service.memory import loading_code

app = typer.Typer(
    name="anshao",
    help="AnShao 安哨: an alarm service for high-hazard sites. It is no safety instrumented system.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
journal = typer.Typer(help="The append-only journal 台账.", no_args_is_help=True)
app.add_typer(journal, name="journal")
app.add_typer(config, name="config")
app.add_typer(change, name="change")
app.add_typer(evidence, name="evidence")
app.add_typer(user, name="user")
app.command("kpi", epilog="Example: `anshao kpi --from 2026-06-01 --to 2026-07-01 --html june.html --csv june.csv`")(
    kpi
)

app.command(
    "backtest",
    epilog="Examples: `anshao backtest site.yaml march.parquet --out march.html` · "
    "`anshao backtest tep.yaml d06_te.dat --mapping tep.yaml` · "
    "`anshao backtest anshao.yaml --config anshao.yaml --from 2026-06-01 --to 2026-07-01 --tags TI-101`",
)(backtest)
app.command(
    "record",
    epilog="Examples: `anshao record --out monday.parquet --for 24h` · "
    "`anshao record --out june.parquet --from 2026-06-01 --to 2026-07-01 --tags TI-101,PI-101`",
)(record)
app.command("train", epilog="Example: `anshao train site.yaml tankfarm march.parquet --out models/tankfarm.json`")(
    train
)
app.command("simulate", epilog=SIMULATE_EPILOG)(simulate)
register_tuning(app)


@app.command(epilog="Example: `anshao serve --config /etc/anshao/anshao.yaml`")
def serve(config: ConfigOption = MAIN) -> None:
    """Run the service until SIGTERM or Ctrl-C."""
    with loading_code():
        from service.cli.serving import run_service  # noqa: PLC0415 - see the package's docstring

    run_service(config)


@app.command(
    epilog="Examples: `anshao demo` · `anshao demo --port 9000 --data /tmp/demo` · "
    "`anshao demo --scenario flange-leak-h2s` · `anshao demo --scenarios`"
)
def demo(
    *,
    port: Annotated[int, typer.Option(help="Port of the console on 127.0.0.1; 0: any free one.")] = 8080,
    broker_port: Annotated[int, typer.Option(help="Port of the MQTT broker; taken: any free one.")] = 1883,
    data: Annotated[
        Path | None, typer.Option(help="Keep the data here; without it, they go when the demo ends.")
    ] = None,
    scenarios: Annotated[
        bool, typer.Option("--scenarios", help="The site of the shipped scenarios instead, which `simulate` feeds.")
    ] = False,
    scenario: Annotated[
        list[str] | None, typer.Option(help="Only the units of it that this scenario plays in. May be given again.")
    ] = None,
) -> None:
    """Run everything in one process, on this machine only: broker, stores, three simulated enterprises, a leak."""
    from service.cli.demonstration import run_demonstration  # noqa: PLC0415

    run_demonstration(port, broker_port, data, every_scenario=scenarios, played=scenario or ())


@app.command(epilog="Example: `anshao check anshao.yaml sites/*.yaml`")
def check(
    files: Annotated[list[Path], typer.Argument(help="Main files, site files, or both.", metavar="FILE…")],
) -> None:
    """Validate configuration files; names file, line, field and remedy of each fault. Exit status 1 if there is any."""
    from service.config import check as check_files  # noqa: PLC0415
    from service.config import format_faults  # noqa: PLC0415

    faults = check_files(files)
    if faults:
        typer.echo(format_faults(faults))
        raise typer.Exit(1)
    typer.echo(f"{len(files)} file{'s' if len(files) > 1 else ''} checked: no faults")


@journal.command("verify", epilog="Example: `anshao journal verify --config anshao.yaml`")
def journal_verify(
    config: ConfigOption = MAIN,
    key: Annotated[
        list[Path] | None, typer.Option(help="A public key (.pub) that is not in the data folder.", exists=True)
    ] = None,
    heads: Annotated[
        Path | None, typer.Option(help="Another copy of heads.jsonl, kept elsewhere.", exists=True)
    ] = None,
) -> None:
    """Check the journal: its hash chain, its signed heads and their file. Exit status 1 if something does not hold."""
    from service.cli.journals import verify_journal  # noqa: PLC0415

    verify_journal(config, key or [], heads)


@journal.command("key")
def journal_key(config: ConfigOption = MAIN) -> None:
    """Print the public key that the journal is signed with, and its fingerprint. The key is made if there is none."""
    from service.cli.journals import show_key  # noqa: PLC0415

    show_key(config)


@app.command(
    epilog="Examples: `anshao replay d06_te.dat --site config/examples/tep.yaml --clock source --speed max` · "
    "`anshao replay valve1.csv --site config/examples/skab.yaml --clock begins-now --speed 1`"
)
def replay(
    file: Annotated[Path, typer.Argument(help="A table, or a recording (.parquet, or a folder of them).", exists=True)],
    site: Annotated[
        Path,
        typer.Option(help="Site file: with a `replay:` section for a table.", exists=True, dir_okay=False),
    ],
    speed: Annotated[str, typer.Option(help="1: as recorded; N: N times faster; max: as fast as it goes.")] = "1",
    clock: Annotated[
        str,
        typer.Option(
            help="source: recorded times as they are, treated as live (the gateway has `clock: source`); "
            "ends-now, begins-now: shifted so that the file ends or begins now."
        ),
    ] = "begins-now",
    broker: Annotated[str, typer.Option(help="The broker.", envvar="ANSHAO_REPLAY_BROKER")] = "mqtt://127.0.0.1:1883",
    username: Annotated[str | None, typer.Option(help="User name; default: enterprise.gateway.")] = None,
    password: Annotated[
        str | None, typer.Option(help="The gateway's password at the broker.", envvar="ANSHAO_REPLAY_PASSWORD")
    ] = None,
) -> None:
    """Publish a recorded file through the broker as a gateway would."""
    from service.cli.replaying import run_replay  # noqa: PLC0415

    run_replay(file, site, speed, clock, broker, username, password)


@app.command()
def token(
    name: Annotated[str, typer.Argument(help="Who will use it, e.g. 'county duty desk'.")],
    role: Annotated[Role, typer.Option(help="What it may do: docs/accounts.md.")] = Role.ADMINISTRATOR,
    expires: Annotated[
        datetime | None, typer.Option(help="The last day on which it counts.", formats=["%Y-%m-%d"])
    ] = None,
) -> None:
    """Make a bearer token, and the line for `tokens:` in the main file. The token itself is shown only here."""
    import hashlib  # noqa: PLC0415
    import json  # noqa: PLC0415
    import secrets  # noqa: PLC0415

    made = secrets.token_urlsafe(32)
    typer.echo(f"token: {made}")
    told = f"name: {json.dumps(name, ensure_ascii=False)}, sha256: {hashlib.sha256(made.encode()).hexdigest()}"
    told += "" if role is Role.ADMINISTRATOR else f", role: {role.value}"
    told += "" if expires is None else f", expires: {expires.date()}"
    typer.echo(f"  - {{{told}}}")


@app.command()
def openapi() -> None:
    """Print the OpenAPI 3.1 document of the HTTP API."""
    import orjson  # noqa: PLC0415

    from service.api.openapi import document  # noqa: PLC0415

    typer.echo(orjson.dumps(document(), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode())


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(f"anshao {metadata.version('anshao')}")


def main() -> None:
    """Run the command line."""
    app()
