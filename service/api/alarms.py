"""Alarms, journal and quarantine: lists, single ones, and what people do to alarms."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from alerting.journal.journal import describe
from alerting.ledger import journal_queries, queries
from alerting.ledger.journal_queries import JournalFilter
from alerting.ledger.queries import AlarmFilter
from alerting.records import Alarm, Entry
from alerting.refusals import NotFound
from domain.scales import Grade
from service.api.problems import Problem
from service.api.regions import regions_below
from service.api.requests import (
    AlarmPath,
    AlarmsQuery,
    JournalQuery,
    Nothing,
    QuarantineQuery,
    Signature,
)
from service.api.routes import Call
from service.api.scopes import seen_entries
from service.api.searching import enterprises_in, words_of
from service.api.views import iso_or_none, quarantined_view


async def list_alarms(call: Call[Nothing, AlarmsQuery, Nothing]) -> dict[str, Any]:
    """Alarms, newest first."""
    query = call.query
    which = AlarmFilter(
        state=query.state,
        active=query.active,
        grade=_grade(query.grade),
        regions=regions_below(call.service.site, query.region),
        enterprise=query.enterprise,
        enterprises=call.reach.enterprises,
        unit=query.unit,
        tag=query.tag,
        incident=query.incident,
        since=query.since,
        suppressed=query.suppressed,
        stale=query.stale,
        chattering=query.chattering,
        drill=query.drill,
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


async def list_journal(call: Call[Nothing, JournalQuery, Nothing]) -> dict[str, Any]:
    """Entries of the journal, newest first."""
    query, site = call.query, call.service.site
    regions = regions_below(site, query.region)
    which = JournalFilter(
        since=query.since,
        until=query.until,
        kind=query.kind,
        groups=query.groups,
        enterprises=None if regions is None else enterprises_in(site, regions),
        enterprise=query.enterprise,
        unit=query.unit,
        alarm=query.alarm,
        incident=query.incident,
        actor=query.actor,
        words=None if query.text is None else words_of(site, query.text, call.reach.sees),
        seen=seen_entries(call.service, call.reach),
    )
    page = await journal_queries.entries(call.service.ledger, which, query.limit, query.after)
    return {
        "items": [describe(entry) for entry in page.items],
        "next": None if page.next is None else str(page.next),
        "looked": {"entries": page.looked, "back_to": iso_or_none(page.looked_to)},
    }


async def list_quarantine(call: Call[Nothing, QuarantineQuery, Nothing]) -> dict[str, Any]:
    """What was refused, newest first."""
    query = call.query
    ledger = call.service.ledger
    page = await queries.quarantined(
        ledger, query.enterprise, query.gateway, query.limit, query.after, query.reason, call.reach.enterprises
    )
    return {
        "items": [quarantined_view(refused) for refused in page.items],
        "next": str(page.items[-1].id) if page.more else None,
    }


async def _alarm(call: Call[AlarmPath, Any, Any]) -> tuple[Alarm, Sequence[Entry]]:
    found = await queries.alarm_with_history(call.service.ledger, call.path.id)
    if found is None:
        raise Problem(HTTPStatus.NOT_FOUND, f"there is no alarm {call.path.id}; GET /api/v1/alarms lists them")
    return found


def _past(detail: str) -> Problem:
    return Problem(HTTPStatus.CONFLICT, detail)


def _grade(name: str | None) -> Grade | None:
    return None if name is None else Grade.parse(name)
