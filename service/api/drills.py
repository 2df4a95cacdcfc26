"""Drills: begin, end, and the report afterwards."""

import asyncio
from http import HTTPStatus
from typing import Any

from alerting.desks.drills import Drill
from alerting.refusals import NotFound
from domain.clock import iso
from service.api.drills_models import Drill as DrillDocument
from service.api.drills_models import (
    DrillPage,
    DrillPath,
    DrillReport,
    DrillScenarios,
    DrillStart,
)
from service.api.ports import ServicePort
from service.api.problems import Problem, unfit_field
from service.api.requests import Nothing, PageQuery, Signature
from service.api.routes import PREFIX, Call, Route
from service.api.scopes import beyond, seen_page
from service.api.views import iso_or_none
from service.config import ConfigurationError, Fault
from service.drills import report, scenario
from service.drills.scenario import Scenario


async def list_drill_scenarios(call: Call[Nothing, Nothing, Nothing]) -> dict[str, Any]:
    """Scenarios in the drills' folder, those with faults too."""
    service = call.service
    identities = await asyncio.to_thread(scenario.names, service.drills.folder)
    found = [await _scenario(service, identity) for identity in identities]
    # One with faults says of no unit whose it is: only who sees the whole site can mend it.
    return {
        "items": [
            each for each in found if call.who.scope.is_whole or (each["units"] and call.reach.sees_all(each["units"]))
        ]
    }


async def list_drills(call: Call[Nothing, PageQuery, Nothing]) -> dict[str, Any]:
    """Drills, newest first; one that has no `ended_at` runs."""
    ledger, reach = call.service.ledger, call.reach
    page, more = await seen_page(
        lambda limit, after: report.recent(ledger, limit, after),
        lambda drill: reach.sees_all(drill.units),
        lambda drill: drill.id,
        call.query.limit,
        call.query.after,
    )
    return {"items": [drill_document(drill) for drill in page], "next": str(page[-1].id) if more else None}


async def start_drill(call: Call[Nothing, Nothing, DrillStart]) -> dict[str, Any]:
    """Begin a drill: its readings go through the broker, what they raise is marked 演练 DRILL everywhere."""
    service, body = call.service, call.body
    reach, running = call.reach, service.duty_room.drills.running
    try:
        chosen = await _chosen(service, body.scenario)
    except Problem:
        if reach.scope.is_whole:
            raise
        raise beyond(reach.scope) from None  # its faults, and the names of the others, tell of other enterprises
    if not reach.sees_all(chosen.file.units):
        raise beyond(reach.scope)
    if running is not None and not reach.sees_all(running.units):
        raise Problem(HTTPStatus.CONFLICT, "a drill is running beyond what you see; begin yours when it has ended")
    units = list(dict.fromkeys(body.units or chosen.file.units))
    for number, unit in enumerate(units):
        if unit not in chosen.file.units:
            remedy = f"Choose among {', '.join(chosen.file.units)}."
            raise unfit_field("body", f"units.{number}", f"the scenario does not take place in {unit!r}", remedy)
    for number, contact in enumerate(body.circle):
        known = service.response.book.contacts.get(contact)
        if known is None or not reach.sees_contact(known.enterprise, known.region):
            remedy = "Use ids of contacts that the directory has."
            raise unfit_field("body", f"circle.{number}", f"there is no contact {contact!r}", remedy)
    drill = await service.drills.start(
        chosen,
        units,
        circle=list(dict.fromkeys(body.circle)),
        leader=body.leader,
        actor=call.caller,
        by=body.name,
        comment=body.comment,
        act=service.act,
    )
    return drill_document(drill)


async def end_drill(call: Call[DrillPath, Nothing, Signature]) -> dict[str, Any]:
    """End a drill before its time; its alarms are withdrawn."""
    identity, book = call.path.id, call.service.duty_room.drills
    try:
        ended = await call.service.act(
            lambda _register, now, change: book.end(
                identity, call.caller, call.body.name, call.body.comment, now, change
            )
        )
    except NotFound:
        known = await find_drill(call.service, identity)
        detail = f"drill {known.id} is over: {known.reason}; reload the list"
        raise Problem(HTTPStatus.CONFLICT, detail) from None
    return drill_document(ended)


async def get_drill_report(call: Call[DrillPath, Nothing, Nothing]) -> dict[str, Any]:
    """Response times against the plan; while the drill runs, as far as it has come."""
    drill = await find_drill(call.service, call.path.id)
    made = await report.report(call.service.ledger, drill)
    for items, name in (("alarms", "entered_at"), ("incidents", "opened_at")):
        made[items] = [item | {name: iso(item[name])} for item in made[items]]
    return {"drill": drill_document(drill), **made}


def drill_document(drill: Drill) -> dict[str, Any]:
    """``drills_models.Drill``."""
    return {
        "id": drill.id,
        "scenario": drill.scenario,
        "name": drill.name,
        "units": list(drill.units),
        "circle": list(drill.circle),
        "leader": drill.leader,
        "began_at": iso(drill.began_at),
        "due_at": iso(drill.due_at),
        "ended_at": iso_or_none(drill.ended_at),
        "ended_by": drill.ended_by,
        "reason": drill.reason,
    }


async def _scenario(service: ServicePort, identity: str) -> dict[str, Any]:
    try:
        found = await asyncio.to_thread(scenario.read, service.drills.folder, identity, service.site)
    except ConfigurationError as fault:
        faults = [
            {"line": each.line, "field": each.field, "message": each.message, "remedy": each.remedy}
            for each in fault.faults
        ]
        empty = {"name": identity, "description": "", "units": [], "duration_ms": 0, "tags": [], "expected": 0}
        return {"id": identity, **empty, "faults": faults}
    return {
        "id": identity,
        "name": found.file.name,
        "description": found.file.description,
        "units": list(found.file.units),
        "duration_ms": found.file.duration,
        "tags": list(found.tracks),
        "expected": len(found.file.expected),
        "faults": [],
    }


async def _chosen(service: ServicePort, identity: str) -> Scenario:
    try:
        return await asyncio.to_thread(scenario.read, service.drills.folder, identity, service.site)
    except LookupError:
        known = ", ".join(await asyncio.to_thread(scenario.names, service.drills.folder)) or "none"
        remedy = f"GET {PREFIX}/drill-scenarios lists them: {known}."
        raise unfit_field("body", "scenario", f"there is no scenario {identity!r}", remedy) from None
    except ConfigurationError as fault:
        errors = [_error(f"scenario: {_place(each)}", each.message, each.remedy) for each in fault.faults]
        detail = f"scenario {identity!r} has {len(errors)} faults; correct its file"
        raise Problem(HTTPStatus.BAD_REQUEST, detail, errors=errors[:20]) from None


async def find_drill(service: ServicePort, identity: int) -> Drill:
    """A drill. Raises Problem: there is none."""
    found = await report.find(service.ledger, identity)
    if found is None:
        raise Problem(HTTPStatus.NOT_FOUND, f"there is no drill {identity}; GET {PREFIX}/drills lists them")
    return found


def _place(fault: Fault) -> str:
    return f"line {fault.line}, {fault.field}"


def _error(field: str, message: str, remedy: str) -> dict[str, str]:
    return {"in": "body", "field": field, "message": message, "remedy": remedy}


_NOT_FOUND, _CONFLICT, _AWAY = HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE

ROUTES = (
    Route(
        "GET", f"{PREFIX}/drill-scenarios", list_drill_scenarios, "Scenarios of drills", DrillScenarios, tag="drills"
    ),
    Route("GET", f"{PREFIX}/drills", list_drills, "Drills", DrillPage, errors=(_AWAY,), tag="drills"),
    Route(
        "POST",
        f"{PREFIX}/drills",
        start_drill,
        "Begin a drill",
        DrillDocument,
        errors=(_NOT_FOUND, _CONFLICT, _AWAY),
        tag="drills",
    ),
    Route(
        "POST",
        f"{PREFIX}/drills/{{id}}/end",
        end_drill,
        "End a drill",
        DrillDocument,
        errors=(_NOT_FOUND, _CONFLICT, _AWAY),
        tag="drills",
    ),
    Route(
        "GET",
        f"{PREFIX}/drills/{{id}}/report",
        get_drill_report,
        "Report of a drill",
        DrillReport,
        errors=(_NOT_FOUND, _AWAY),
        tag="drills",
    ),
)
