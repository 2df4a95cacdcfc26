"""The report of a drill: what was asked of the response, and how long it took.

Everything is taken from the journal of the drill's own alarms and incidents, so the report can be made at any time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from alerting.desks.drills import Drill
from alerting.desks.duty_room import drill_of_row
from alerting.ledger.desks_schema import drill as drills
from alerting.ledger.ledger import reaching
from alerting.ledger.schema import alarm as alarms
from alerting.ledger.schema import incident as incidents
from alerting.ledger.schema import journal

_RESPONSES = {
    "incident.pushed": "pushed_s",
    "incident.acknowledged": "acknowledged_s",
    "incident.verified": "verified_s",
    "incident.handled": "handled_s",
    "incident.fed_back": "fed_back_s",
    "incident.closed": "closed_s",
}
"""Kind of entry -> name of the seconds from the incident's opening to its first one."""


@dataclass(frozen=True, slots=True)
class _Told:
    """The drill's part of the journal."""

    entries: Sequence[Mapping[str, Any]]
    """Bodies, in order."""

    def first(self, kind: str, begin: int, wanted: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The first entry of a kind from an instant on whose body, or its data, has these values."""
        for body in self.entries:
            if body["kind"] == kind and body["at"] >= begin:
                known = body["data"] | {key: body[key] for key in ("unit", "tag", "alarm", "incident", "enterprise")}
                if all(known.get(key) == value for key, value in wanted.items() if value is not None):
                    return body
        return None


async def find(engine: AsyncEngine, identity: int) -> Drill | None:
    """A drill. Raises LedgerUnavailable, as all here."""
    async with reaching(engine) as connection:
        row = (await connection.execute(select(drills).where(drills.c.id == identity))).mappings().first()
    return None if row is None else drill_of_row(row)


async def recent(engine: AsyncEngine, limit: int, after: int | None) -> list[Drill]:
    """Drills, newest first."""
    query = select(drills).order_by(drills.c.id.desc()).limit(limit)
    if after is not None:
        query = query.where(drills.c.id < after)
    async with reaching(engine) as connection:
        return [drill_of_row(row) for row in (await connection.execute(query)).mappings()]


async def report(engine: AsyncEngine, drill: Drill) -> dict[str, Any]:
    """The document of ``drills_models.DrillReport`` but for the drill itself. Durations in seconds."""
    own_alarms = select(alarms.c.id).where(alarms.c.drill == drill.id)
    own_incidents = select(incidents.c.id).where(incidents.c.drill == drill.id)
    query = (
        select(journal.c.body)
        .where(journal.c.sequence > drill.id)
        .where(or_(journal.c.alarm.in_(own_alarms), journal.c.incident.in_(own_incidents)))
        .order_by(journal.c.sequence)
    )
    async with reaching(engine) as connection:
        told = _Told([orjson.loads(body) for body in (await connection.execute(query)).scalars()])
    expected = [_measured(told, each) for each in drill.plan.get("expected", ())]
    return {
        "seconds": None if drill.ended_at is None else (drill.ended_at - drill.began_at) / 1000,
        "expected": expected,
        "met": sum(each["result"] == "met" for each in expected),
        "alarms": [_alarm(told, body) for body in told.entries if body["kind"] == "alarm.entered"],
        "incidents": [_incident(told, body) for body in told.entries if body["kind"] == "incident.opened"],
    }


def _measured(told: _Told, expected: Mapping[str, Any]) -> dict[str, Any]:
    """An expected act with what became of it: ``met``, ``late``, ``missing``, or ``no_alarm`` to respond to."""
    tag_enterprise, _, tag = (expected.get("tag") or "").partition("/")
    unit_enterprise, _, unit = (expected.get("unit") or "").partition("/")
    where = {"enterprise": tag_enterprise or unit_enterprise or None, "tag": tag or None, "unit": unit or None}
    alarm = told.first("alarm.entered", 0, where)
    took: float | None = None
    by: str | None = None
    if alarm is None:
        result = "no_alarm"
    else:
        kind = expected["act"]
        of = {"incident": alarm["incident"]} if kind.startswith("incident.") else where
        done = told.first(kind, alarm["at"], {**of, "side": expected.get("side")})
        if done is None:
            result = "missing"
        else:
            took, by = (done["at"] - alarm["at"]) / 1000, done["data"].get("name")
            result = "met" if took * 1000 <= expected["within"] else "late"
    return {
        "act": expected["act"],
        "tag": expected.get("tag"),
        "unit": expected.get("unit"),
        "side": expected.get("side"),
        "text": expected.get("text", ""),
        "within_s": expected["within"] / 1000,
        "took_s": took,
        "by": by,
        "result": result,
    }


def _alarm(told: _Told, body: Mapping[str, Any]) -> dict[str, Any]:
    acknowledged = told.first("alarm.acknowledged", body["at"], {"alarm": body["alarm"]})
    return {
        "alarm": body["alarm"],
        "enterprise": body["enterprise"],
        "tag": body["tag"],
        "rule": body["rule"],
        "grade": body["data"]["grade"],
        "value": body["data"]["value"],
        "entered_at": body["at"],
        "acknowledged_s": None if acknowledged is None else (acknowledged["at"] - body["at"]) / 1000,
        "acknowledged_by": None if acknowledged is None else acknowledged["data"].get("name"),
    }


def _incident(told: _Told, body: Mapping[str, Any]) -> dict[str, Any]:
    def took(kind: str) -> float | None:
        done = told.first(kind, body["at"], {"incident": body["incident"]})
        return None if done is None else (done["at"] - body["at"]) / 1000

    grades = [
        each["data"]["to"]
        for each in told.entries
        if each["kind"] == "incident.graded" and each["incident"] == body["incident"]
    ]
    return {
        "incident": body["incident"],
        "enterprise": body["enterprise"],
        "unit": body["unit"],
        "opened_at": body["at"],
        "grades": [body["data"]["grade"], *grades],
        "escalations": sum(
            each["kind"] == "incident.escalated" and each["incident"] == body["incident"] for each in told.entries
        ),
        **{name: took(kind) for kind, name in _RESPONSES.items()},
    }
