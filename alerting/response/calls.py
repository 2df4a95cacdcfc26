"""Calls back (回呼): at red somebody of the desk calls the site, within a time, and says so."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from alerting.alarms.register import Register
from alerting.ledger.response_schema import call_back as call_back_table
from alerting.records import Change, Incident

Note = Callable[[Incident, str, Mapping[str, Any], int, Change, str], int]
"""Journals something about an incident, of an actor; the number of the entry."""


class CallsBack:
    """Calls that are to be made. Times in ms UTC."""

    def __init__(self, register: Register, note: Note) -> None:
        self._register = register
        self._note = note
        self.open: dict[int, dict[str, Any]] = {}
        """By id, which is the number of the entry that asks for it."""

    async def load(self, connection: AsyncConnection) -> None:
        """Take from the ledger those that are to be made."""
        waiting = select(call_back_table).where(call_back_table.c.done_at.is_(None))
        self.open = {row["id"]: dict(row) for row in (await connection.execute(waiting)).mappings()}

    def due(self) -> list[int]:
        """When those not yet said to be overdue will be."""
        return [call["due_at"] for call in self.open.values() if not call["overdue"]]

    def ask(self, incident: Incident, due_at: int, actor: str, now: int, change: Change) -> None:
        """Ask for a call, unless one of the incident is still to be made."""
        if any(call["incident"] == incident.id for call in self.open.values()):
            return
        identity = self._note(incident, "call_back.due", {"task": "回呼", "due_at": due_at}, now, change, actor)
        call = {
            "id": identity,
            "incident": incident.id,
            "drill": incident.drill,
            "made_at": now,
            "due_at": due_at,
            "overdue": False,
            "done_at": None,
            "done_by": None,
            "comment": None,
        }
        self.open[identity] = call
        change.upsert("call_back", dict(call))

    def finish(self, identity: int, actor: str, name: str, comment: str, now: int, change: Change) -> dict[str, Any]:
        """Somebody has called. Raises KeyError: there is no such call to be made."""
        call = self.open.pop(identity) | {"done_at": now, "done_by": name, "comment": comment}
        change.upsert("call_back", dict(call))
        casebook = self._register.casebook
        incident = casebook.open.get(call["incident"]) or casebook.closed.get(call["incident"])
        if incident is not None:
            data = {"call_back": identity, "name": name, "comment": comment}
            self._note(incident, "call_back.done", data, now, change, actor)
        return call

    def advance(self, actor: str, now: int, change: Change) -> None:
        """Say of those whose time is over that they are overdue, once."""
        for identity, call in self.open.items():
            if not call["overdue"] and call["due_at"] <= now:
                call["overdue"] = True
                change.upsert("call_back", dict(call))
                incident = self._register.casebook.open.get(call["incident"])
                if incident is not None:
                    self._note(incident, "call_back.overdue", {"call_back": identity}, now, change, actor)
