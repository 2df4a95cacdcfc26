"""``anshao change``: changes of rules of a running service."""

import asyncio
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import orjson
import typer
import yaml
from pydantic_core import PydanticCustomError
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from service.changes.states import ChangeState
from service.cli.calling import Api, console, ended, option_of, progress_bar, with_api
from service.config.quantities import parse_duration
from service.config.tuned import FIGURES, duration
from service.reports.words import ZONE
from tuning.pairing import DIFFERENCES

LOOK = 0.3
"""Seconds between looks at how far a backtest has come."""
SHOWN = 20
"""Alarms of each kind that are shown of a backtest."""
STATES = ("open", *(state.value for state in ChangeState))
"""That changes can be listed by."""
_SECOND = 1_000
_TIMES = ("on_delay", "off_delay", "window")


def list_changes(config: Path, url: str | None, token: str | None, state: str | None, limit: int) -> None:
    """Changes as a table."""
    if state not in (None, *STATES):
        raise ended(f"--state {state}: write {', '.join(STATES)}")

    async def fetch(api: Api) -> Mapping[str, Any]:
        page: Mapping[str, Any] = await api.get("/changes", state=state, limit=limit)
        return page

    changes = with_api(config, url, token, fetch)["items"]
    if not changes:
        typer.echo(_say("texts", "none"))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("change", "state", "at", "by", "rules", "reason"):
        table.add_column(_say("texts", column) if column in ("change", "by", "rules", "reason") else column)
    for change in changes:
        rules = "\n".join(f"{rule['path']} {_edit(rule)}" for rule in change["rules"][:SHOWN])
        row = (
            str(change["id"]),
            _say("change_states", change["state"]),
            _local(change["proposed_at"])[:16],
            change["name"],
        )
        table.add_row(*row, Text(rules), Text(change["reason"]))
    console.print(table)


def show_change(config: Path, url: str | None, token: str | None, identity: int, *, as_json: bool) -> None:
    """One change in full."""
    change = with_api(config, url, token, lambda api: api.get(f"/changes/{identity}"))
    if as_json:
        typer.echo(orjson.dumps(change, option=orjson.OPT_INDENT_2).decode())
        return
    _print(change)
    if change["result"] is not None:
        _print_result(change["result"])
    console.print(Text(_say("texts", "acts"), style="bold"))
    for entry in change["history"]:
        data = entry["data"]
        said = data.get("comment") or data.get("reason") or data.get("detail") or ""
        who = data.get("name", entry["actor"])
        console.print(Text(f"  {_local(entry['at'])} {_say('change_kinds', entry['kind'])} {who} {said}".rstrip()))


def propose_change(
    config: Path, url: str | None, token: str | None, edits: Sequence[str], name: str, reason: str
) -> None:
    """Propose figures; prints the change's number and what it wants next."""
    read = edits_of(edits)
    body = {"name": name, "reason": reason, "edits": read}
    _print(with_api(config, url, token, lambda api: api.post("/changes", body), lambda field: _place_of(field, read)))


def backtest_change(config: Path, url: str | None, token: str | None, identity: int, days: int, *, wait: bool) -> None:
    """Begin a backtest, wait for it, and show what it found."""

    async def run(api: Api) -> Mapping[str, Any]:
        change: Mapping[str, Any] = await api.post(f"/changes/{identity}/backtest", {"days": days})
        if not wait:
            return change
        with progress_bar() as progress:
            await _until_over(api, identity, progress)
        over: Mapping[str, Any] = await api.get(f"/changes/{identity}")
        return over

    change = with_api(config, url, token, run)
    _print(change)
    backtest = change["backtest"]
    if backtest["state"] == "finished":
        _print_result(change["result"])
    elif backtest["state"] != "running":
        raise typer.Exit(1)


def act_on_change(
    config: Path, url: str | None, token: str | None, identity: int, act: str, body: Mapping[str, Any]
) -> None:
    """Do something to a change; prints what became of it."""
    _print(with_api(config, url, token, lambda api: api.post(f"/changes/{identity}/{act}", body)))


def apply_change(
    config: Path, url: str | None, token: str | None, identity: int, name: str, comment: str, at: datetime | None
) -> None:
    """Put a change in force: at once, or at a time by this machine's clock."""
    body = {"name": name, "comment": comment}
    if at is not None:
        try:
            body["at"] = at.astimezone().isoformat()
        except (ValueError, OverflowError):
            raise ended(f"--at {at}: no clock shows that; write for example 2026-06-08T08:00") from None
    act_on_change(config, url, token, identity, "apply", body)


def edits_of(words: Sequence[str]) -> list[dict[str, Any]]:
    """``["huarui/GT-101/H", "on_delay=5s"]`` as the API takes it. Ends the command where a word cannot be read."""
    edits: list[dict[str, Any]] = []
    for word in words:
        figure, sign, value = word.partition("=")
        if not sign:
            parts = word.split("/")
            if len(parts) != 3 or not all(parts):  # noqa: PLR2004 - as it says
                raise ended(f"{word!r} is no rule: write enterprise/tag/rule, for example huarui/GT-101/H")
            edits.append(dict(zip(("enterprise", "tag", "rule"), parts, strict=True)))
            continue
        if not edits:
            raise ended(f"{word!r} stands before any rule: write the rule first, then its figures")
        if figure not in FIGURES:
            raise ended(f"{figure!r} is no figure of a rule: use {', '.join(FIGURES)}")
        name = f"{figure}_ms" if figure in _TIMES else figure
        if name in edits[-1]:
            raise ended(f"{figure} of {_path(edits[-1])} is given twice: give it once")
        edits[-1][name] = _value(figure, value)
    for edit in edits:
        if len(edit) == 3:  # noqa: PLR2004 - its name, and nothing behind it
            raise ended(f"{_path(edit)}: write the figures that shall change behind it, e.g. deadband=2")
    return edits


def _path(edit: Mapping[str, Any]) -> str:
    return f"{edit['enterprise']}/{edit['tag']}/{edit['rule']}"


def _value(figure: str, text: str) -> float | int:
    try:
        if figure in _TIMES:
            return parse_duration(int(text) if text.isdigit() else text)
        number = float(text)
    except PydanticCustomError as fault:
        context = fault.context or {}
        raise ended(f"{figure}={text}: {context.get('message')}. {context.get('remedy')}") from None
    except ValueError:
        raise ended(f"{figure}={text}: not a number. Write a plain number such as 12.5, without its unit.") from None
    if not math.isfinite(number):
        raise ended(f"{figure}={text}: not a number that can be compared with. Write a plain number such as 12.5.")
    return number


def _place_of(field: str, edits: Sequence[Mapping[str, Any]]) -> str:
    """A field of a proposal as the command line has it: ``edits.0.window_ms`` is ``huarui/GT-101/RISE window``."""
    head, *rest = field.split(".")
    if head != "edits":
        return option_of(field)
    if not rest:
        return "RULE FIGURE=VALUE…"
    path = _path(edits[int(rest[0])])
    figure = rest[-1].removesuffix("_ms")
    return f"{path} {figure}" if figure in FIGURES else path


async def _until_over(api: Api, identity: int, progress: Progress) -> None:
    bar = progress.add_task("", total=1.0)
    while True:
        backtest = (await api.get(f"/changes/{identity}"))["backtest"]
        stage = backtest["stage"]
        told = "" if stage is None else _say("stages", stage)
        progress.update(bar, completed=backtest["progress"], description=told)
        if backtest["state"] != "running":
            return
        await asyncio.sleep(LOOK)


def _print(change: Mapping[str, Any]) -> None:
    head = f"{_say('texts', 'change')} {change['id']}  {_say('change_states', change['state'])}"
    console.print(Text(head, style="bold"))
    console.print(Text(f"  {_say('texts', 'by')} {change['name']}  {_say('texts', 'reason')} {change['reason']}"))
    for rule in change["rules"]:
        line = Text(f"  {rule['path']}  {_edit(rule)}")
        if rule["loosened"]:
            figures = ", ".join(_say("figures", figure) for figure in rule["loosened"])
            line.append(f"  {_say('texts', 'loosened')} {figures}", style="yellow")
        console.print(line)
    backtest, shadow, schedule = change["backtest"], change["shadow"], change["schedule"]
    if backtest is not None:
        told = f"{_say('backtest_states', backtest['state'])} {backtest['days']} d {backtest['detail']}"
        named = [name for name in _words()["outcomes"] if name in backtest["counts"]]
        counts = "  ".join(f"{_say('outcomes', name)} {backtest['counts'][name]}" for name in named)
        console.print(Text(f"  {_say('texts', 'backtest')} {told} {counts}".rstrip()))
    if shadow is not None:
        console.print(
            Text(f"  {_say('texts', 'shadow')} {_local(shadow['since'])[:16]} – {_local(shadow['until'])[:16]}")
        )
        for rule in shadow["rules"]:
            counted = f"{_say('texts', 'would')} {rule['shadow']}  {_say('texts', 'live')} {rule['live']}"
            console.print(Text(f"    {rule['path']}  {counted}"))
    if schedule is not None:
        console.print(Text(f"  {_say('texts', 'due')} {_local(schedule['due'])} {schedule['name']}"))
    if change["not_applied"] is not None:
        console.print(Text(f"  {_say('texts', 'not_applied')} {change['not_applied']['comment']}", style="red"))
    if change["moved"] is not None:
        console.print(Text(f"  {_say('texts', 'moved')} {change['moved']}", style="red"))
    if change["missing"]:
        missing = ", ".join(_say("missing", what) for what in change["missing"])
        console.print(Text(f"  {_say('texts', 'missing')} {missing}"))


def _print_result(result: Mapping[str, Any]) -> None:
    for kind in DIFFERENCES:
        listed = result[kind]
        if not listed:
            continue
        console.print(Text(f"{_say('outcomes', kind)} {result['counts'][kind]}", style="bold"))
        for episode in listed[:SHOWN]:
            moved = f"  {_length(episode['by_ms'])}" if "by_ms" in episode else ""
            console.print(Text(f"  {_local(episode['entered_at'])}  {episode['rule']}  {episode['value']}{moved}"))
        if len(listed) > SHOWN:
            console.print(f"  … {result['counts'][kind] - SHOWN}")


def _local(at: str) -> str:
    """An instant of the API as reports show it: ``2026-11-22 08:00:00``, Asia/Shanghai."""
    return datetime.fromisoformat(at).astimezone(ZONE).strftime("%Y-%m-%d %H:%M:%S")


def _length(milliseconds: int) -> str:
    """How much earlier, later or longer: ``50min5s``; whole seconds from one on."""
    if milliseconds < _SECOND:
        return duration(milliseconds)
    told, rest = "", milliseconds // _SECOND
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, rest = divmod(rest, length)
        told += f"{count}{unit}" if count else ""
    return told


def _edit(rule: Mapping[str, Any]) -> str:
    parts = []
    for figure in rule["changed"]:
        name = f"{figure}_ms" if figure in _TIMES else figure
        before, after = rule["before"][name], rule["after"][name]
        if figure in _TIMES:
            before, after = duration(before), duration(after)
        unit = "" if figure in _TIMES else f" {rule['engineering_unit']}"
        parts.append(f"{_say('figures', figure)} {before} → {after}{unit}")
    return ", ".join(parts)


def _say(chapter: str, name: str) -> str:
    said = _words().get(chapter, {}).get(name)
    return name if said is None else str(said)


@cache
def _words() -> dict[str, dict[str, Any]]:
    held: dict[str, dict[str, Any]] = yaml.safe_load((resources.files("service.cli") / "words.yaml").read_text("utf-8"))
    return held
