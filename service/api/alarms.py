"""Alarms and incidents: lists, single ones, and what people do to them."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from alerting import queries
from alerting.journal import describe
from alerting.queries import AlarmFilter, IncidentFilter, JournalFilter
from alerting.records import Alarm, Entry, Incident
from alerting.refusals import NotFound
from domain.scales import Grade
from domain.site import Site
from service.api.problems import Problem
from service.api.requests import (
    AlarmPath,
    AlarmsQuery,
    IncidentPath,
    IncidentsQuery,
    JournalQuery,
    Nothing,
    QuarantineQuery,
    Signature,
)
from service.api.routes import Call
from service.api.views import quarantined_view


async def list_alarms(call: Call[Nothing, AlarmsQuery, Nothing]) -> dict[str, Any]:
    """Alarms, newest first."""
    query = call.query
    which = AlarmFilter(
        state=query.state,
        active=query.active,
        grade=_grade(query.grade),
        regions=_regions(call.service.site, query.region),
        enterprise=query.enterprise,
        unit=query.unit,
        tag=query.tag,
        incident=query.incident,
        since=query.since,
    )
    page = await queries.alarms(call.service.ledger, which, query.limit, query.after)
    return {
        "items": [call.context.views.alarm(alarm) for alarm in page.items],
        "next": str(page.items[-1].id) if page.more else None,
    }


async def get_alarm(call: Call[AlarmPath, Nothing, Nothing]) -> dict[str, Any]:
    """One alarm with its history."""
    alarm, history = await _alarm(call)
    return call.context.views.alarm(alarm) | {"history": [describe(entry) for entry in history]}


async def acknowledge_alarm(call: Call[AlarmPath, Nothing, Signature]) -> dict[str, Any]:
    """Acknowledge an alarm, with name and comment."""
    try:
        alarm = await call.service.act(
            lambda register, now, change: register.acknowledge(
                call.path.id, call.caller, call.body.name, call.body.comment, now, change
            )
        )
    except NotFound:
        known, _ = await _alarm(call)
        raise _past(f"alarm {known.id} is over and needs no acknowledgement; reload the list") from None
    return call.context.views.alarm(alarm)


async def reset_alarm(call: Call[AlarmPath, Nothing, Signature]) -> dict[str, Any]:
    """Reset a latched alarm whose condition has left."""
    try:
        alarm = await call.service.act(
            lambda register, now, change: register.reset(
                call.path.id, call.caller, call.body.name, call.body.comment, now, change
            )
        )
    except NotFound:
        known, _ = await _alarm(call)
        raise _past(f"alarm {known.id} is over and is not latched; reload the list") from None
    return call.context.views.alarm(alarm)


async def list_incidents(call: Call[Nothing, IncidentsQuery, Nothing]) -> dict[str, Any]:
    """Incidents, newest first."""
    query = call.query
    which = IncidentFilter(
        is_open=None if query.state is None else query.state == "open",
        grade=_grade(query.grade),
        regions=_regions(call.service.site, query.region),
        enterprise=query.enterprise,
        unit=query.unit,
    )
    page = await queries.incidents(call.service.ledger, which, query.limit, query.after)
    return {
        "items": [call.context.views.incident(incident) for incident in page.items],
        "next": str(page.items[-1].id) if page.more else None,
    }


async def get_incident(call: Call[IncidentPath, Nothing, Nothing]) -> dict[str, Any]:
    """One incident with its alarms and its history."""
    incident, members, history = await _incident(call)
    views = call.context.views
    return views.incident(incident) | {
        "alarms": [views.alarm(alarm) for alarm in members],
        "history": [describe(entry) for entry in history],
    }


async def close_incident(call: Call[IncidentPath, Nothing, Signature]) -> dict[str, Any]:
    """Close an incident all of whose alarms are normal again."""
    try:
        incident = await call.service.act(
            lambda register, now, change: register.casebook.close(
                call.path.id, call.caller, call.body.name, call.body.comment, now, change
            )
        )
    except NotFound:
        known, _, _ = await _incident(call)
        raise _past(f"incident {known.id} is closed already, by {known.closed_by}; reload the list") from None
    return call.context.views.incident(incident)


async def list_journal(call: Call[Nothing, JournalQuery, Nothing]) -> dict[str, Any]:
    """Entries of the journal, newest first."""
    query = call.query
    which = JournalFilter(query.since, query.kind, query.enterprise, query.alarm, query.incident)
    page = await queries.entries(call.service.ledger, which, query.limit, query.after)
    return {
        "items": [describe(entry) for entry in page.items],
        "next": str(page.items[-1].sequence) if page.more else None,
    }


async def list_quarantine(call: Call[Nothing, QuarantineQuery, Nothing]) -> dict[str, Any]:
    """What was refused, newest first."""
    query = call.query
    ledger = call.service.ledger
    page = await queries.quarantined(ledger, query.enterprise, query.gateway, query.limit, query.after)
    return {
        "items": [quarantined_view(refused) for refused in page.items],
        "next": str(page.items[-1].id) if page.more else None,
    }


async def _alarm(call: Call[AlarmPath, Any, Any]) -> tuple[Alarm, Sequence[Entry]]:
    found = await queries.alarm_with_history(call.service.ledger, call.path.id)
    if found is None:
        raise Problem(HTTPStatus.NOT_FOUND, f"there is no alarm {call.path.id}; GET /api/v1/alarms lists them")
    return found


async def _incident(call: Call[IncidentPath, Any, Any]) -> tuple[Incident, Sequence[Alarm], Sequence[Entry]]:
    found = await queries.incident_with_history(call.service.ledger, call.path.id)
    if found is None:
        raise Problem(HTTPStatus.NOT_FOUND, f"there is no incident {call.path.id}; GET /api/v1/incidents lists them")
    return found


def _past(detail: str) -> Problem:
    return Problem(HTTPStatus.CONFLICT, detail)


def _grade(name: str | None) -> Grade | None:
    return None if name is None else Grade.parse(name)


def _regions(site: Site, code: str | None) -> set[str] | None:
    """A region and all below it."""
    if code is None:
        return None
    children: dict[str, list[str]] = {}
    for region in site.regions.values():
        if region.parent is not None:
            children.setdefault(region.parent, []).append(region.code)
    found: set[str] = set()
    waiting = [code]
    while waiting:
        region_code = waiting.pop()
        if region_code not in found:
            found.add(region_code)
            waiting.extend(children.get(region_code, ()))
    return found
