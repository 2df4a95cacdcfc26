"""Revisions, faults and differences on a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

_SIGNS = {"added": ("+", "green"), "removed": ("-", "red"), "changed": ("~", "yellow")}


def print_history(console: Console, revisions: Sequence[Mapping[str, Any]]) -> None:
    """Revisions as a table."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("revision", "at", "author", "source", "changed", "reason"):
        table.add_column(column, overflow="fold")
    for revision in revisions:
        row = (revision["number"], revision["at"], revision["author"], revision["source"])
        table.add_row(*map(str, row), Text(summary(revision["counts"])), Text(revision["reason"]))
    console.print(table)


def print_faults(console: Console, faults: Sequence[Mapping[str, Any]], *, counted: bool = True) -> None:
    """Faults, each with its place and remedy."""
    for fault in faults:
        place = ":".join([fault["file"], *(str(fault[key]) for key in ("line", "column") if fault.get(key))])
        cell = f" (cell {fault['cell']})" if fault.get("cell") else ""
        head = f"{place}{cell}: {fault['field']}" if fault["field"] else f"{place}{cell}"
        console.print(Text(f"{head}\n    {fault['message']}\n    -> {fault['remedy']}"))
    if faults and counted:
        console.print(f"{len(faults)} fault{'s' if len(faults) > 1 else ''}")


def print_difference(console: Console, difference: Mapping[str, Any], limit: int) -> None:
    """What differs: each document, then thing by thing, then the count."""
    for document in difference["documents"]:
        console.print(_line(document["act"], f"document {document['name']}"))
    for item in difference["items"][:limit]:
        line = _line(item["act"], f"{item['what']} {item['path']}")
        for field in item["fields"]:
            if item["act"] == "changed":
                line.append(f"\n    {field['name']}: {_value(field['old'])} -> {_value(field['new'])}")
        console.print(line)
    left = len(difference["items"]) - limit + difference["more"]
    if left > 0:
        console.print(f"… and {left} more")
    console.print(summary(difference["counts"]) or "nothing differs")


def summary(counts: Mapping[str, Mapping[str, int]]) -> str:
    """``rules +3 -1 ~500, tags +1``."""
    parts = []
    for what, counted in counts.items():
        numbers = " ".join(f"{_SIGNS[act][0]}{number}" for act, number in counted.items())
        parts.append(f"{what} {numbers}")
    return ", ".join(parts)


def _line(act: str, text: str) -> Text:
    sign, style = _SIGNS[act]
    return Text(f"{sign} {text}", style=style)


def _value(value: Any) -> str:
    return "–" if value is None or value == "" else str(value)
