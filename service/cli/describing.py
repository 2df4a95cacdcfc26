"""``anshao simulate --describe``: what plants and faults of scenarios take and give."""

import inspect
import math
from collections.abc import Iterable, Sequence
from dataclasses import MISSING, fields
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from simulators.faults.gateway_faults import GATEWAY_FAULTS
from simulators.faults.instrument_faults import FAULTS
from simulators.scenarios.binding import KINDS

_COMMON = frozenset({"tags", "begin", "end"})


def describe(name: str) -> None:
    """Print a kind of plant or a fault; exit status 2 for one that is not known, with all that are."""
    console = Console()
    if name in KINDS:
        _plant(console, name)
    elif name in FAULTS or name in GATEWAY_FAULTS:
        _fault(console, name)
    else:
        typer.echo(f"--describe {name}: use one of", err=True)
        for what, known in (("plants", KINDS), ("faults of instruments", FAULTS), ("of gateways", GATEWAY_FAULTS)):
            typer.echo(f"  {what}: {', '.join(known)}", err=True)
        raise typer.Exit(2)


def _plant(console: Console, name: str) -> None:
    kind = KINDS[name]
    console.print(inspect.getdoc(kind) or name, markup=False, highlight=False, soft_wrap=True)
    console.print()
    outputs = [(key, one.engineering_unit, one.zh, one.en) for key, one in kind.outputs.items()]
    _table(console, ("tags: output", "unit", "", ""), outputs)
    inputs = [
        (key, one.engineering_unit, f"{one.default:g}", _bounds(one.low, one.high), one.zh, one.en)
        for key, one in kind.inputs.items()
    ]
    _table(console, ("timeline: input", "unit", "default", "bounds", "", ""), inputs)
    parameters = [
        (key, one.engineering_unit, f"{one.default:g}", _bounds(one.low, one.high), one.zh, f"{one.en} {one.source}")
        for key, one in kind.parameters.items()
    ]
    _table(console, ("parameters", "unit", "default", "bounds", "", ""), parameters)


def _fault(console: Console, name: str) -> None:
    kind: Any = FAULTS.get(name) or GATEWAY_FAULTS[name]
    console.print(inspect.getdoc(kind) or name, markup=False, highlight=False, soft_wrap=True)
    console.print()
    rows = [
        (one.name, "" if one.default is MISSING else str(one.default), str(getattr(one.type, "__name__", one.type)))
        for one in fields(kind)
        if one.name not in _COMMON
    ]
    _table(console, ("with", "default", "type"), rows)


def _table(console: Console, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    table = Table(box=None, pad_edge=False)
    for number, title in enumerate(header):
        table.add_column(title, no_wrap=number == 0, overflow="fold")
    for row in rows:
        table.add_row(*(cell.replace("[", "\\[") for cell in row))
    console.print(table)
    console.print()


def _bounds(low: float, high: float) -> str:
    return f"{low:g} …" if math.isinf(high) else f"{low:g} … {high:g}"
