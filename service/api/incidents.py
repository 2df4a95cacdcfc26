"""Incidents: lists, single ones, and what people do to them."""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from alerting.incidents import incident_queries
from alerting.incidents.accident import Figures
from alerting.incidents.closed_loop import Side
from alerting.incidents.incidents import Incidents
from alerting.journal.journal import describe
from alerting.ledger import queries
from alerting.ledger.queries import IncidentFilter
from alerting.records import Alarm, Change, Entry, Incident
from alerting.refusals import NotFound
from domain.scales import Grade, IncidentState
from domain.site import Site
from service.accounts import Role
from service.api.authentication import second_needed
from service.api.incident_views import attachment_view
from service.api.incidents_models import Incident as IncidentDocument
from service.api.incidents_models import IncidentDetail, IncidentPage
from service.api.incidents_requests import (
    AccidentBody,
    AccidentReportBody,
    AccidentWithdrawalBody,
    Acknowledgement,
    DecisionBody,
    DisposalBody,
    FeedbackBody,
    IncidentPath,
    IncidentsQuery,
    LinkBody,
    RemarkBody,
    ReviewBody,
    VerificationBody,
)
from service.api.problems import Problem, unfit_field
from service.api.regions import regions_below
from service.api.requests import Nothing, Signature
from service.api.routes import PREFIX, Call, Handler, Route
from service.api.scopes import beyond, sees_incident

BookAct = Callable[[Incidents, int, Change], Incident]
SignedAct = Callable[[Incidents, int, str, str, str, int, Change], Incident]
"""Incident, caller, name, comment, now."""


async def list_incidents(call: Call[Nothing, IncidentsQuery, Nothing]) -> dict[str, Any]:
    """Incidents, newest first."""
    query = call.query
    which = IncidentFilter(
        is_open={"open": True, "closed": False}.get(query.state or ""),
        state=None if query.state in {None, "open", "closed"} else IncidentState(query.state),
        drill=query.drill,
        grade=None if query.grade is None else Grade.parse(query.grade),
        regions=regions_below(call.service.site, query.region),
        enterprise=query.enterprise,
        enterprises=call.reach.enterprises,
        unit=query.unit,
    )
    page = await queries.incidents(call.service.ledger, which, query.limit, query.after)
    return {
        "items": [call.context.views.incident(incident) for incident in page.items],
        "next": str(page.items[-1].id) if page.more else None,
    }


async def get_incident(call: Call[IncidentPath, Nothing, Nothing]) -> dict[str, Any]:
    """One incident with its alarms, its history, its files, and what could be linked to it."""
    incident, members, history = await _incident(call)
    ledger, views = call.service.ledger, call.context.views
    files = await incident_queries.attachments(ledger, incident.id) if incident.loop.get("attachments") else []
    neighbours = neighbours_of(call.service.site, incident.enterprise, incident.unit) if incident.is_open else set()
    within = round(call.service.closed_loop.suggest_links_within * 1000)
    suggested = await incident_queries.suggested_links(ledger, incident, neighbours, within)
    seen = (views.incident(each) for each in suggested if call.reach.sees(each.enterprise))
    suggestions = [{key: shown[key] for key in _SUGGESTED} | {"incident": shown["id"]} for shown in seen]
    return views.incident(incident) | {
        "alarms": [views.alarm(alarm) for alarm in members],
        "history": [describe(entry) for entry in history],
        "files": [attachment_view(file) for file in files],
        "suggested_links": suggestions,
    }


async def acknowledge_incident(call: Call[IncidentPath, Nothing, Acknowledgement]) -> dict[str, Any]:
    """Acknowledge an incident for the desk or for the enterprise."""
    body = call.body
    if call.who.role is Role.ENTERPRISE and body.side is Side.DESK:
        detail = "an enterprise's own people acknowledge for the enterprise: send side enterprise"
        raise Problem(HTTPStatus.FORBIDDEN, detail)
    seen = None if body.grade is None else Grade.parse(body.grade)
    return await _act(
        call,
        lambda book, now, change: book.acknowledge(
            call.path.id, body.side, call.caller, body.name, body.comment, now, change, person=body.person, seen=seen
        ),
    )


async def verify_incident(call: Call[IncidentPath, Nothing, VerificationBody]) -> dict[str, Any]:
    """Say what the incident is. Calling an orange or red one false waits for a second person: see `proposal`."""
    body = call.body
    return await _act(
        call,
        lambda book, now, change: book.verify(
            call.path.id, body.result, call.caller, body.name, body.comment, now, change
        ),
    )


async def confirm_verification(call: Call[IncidentPath, Nothing, Signature]) -> dict[str, Any]:
    """Confirm, as a second and different person, what was proposed."""
    return await _sign(call, Incidents.confirm_verification)


async def reject_verification(call: Call[IncidentPath, Nothing, Signature]) -> dict[str, Any]:
    """Reject what was proposed, or take it back."""
    return await _sign(call, Incidents.reject_verification)


async def handle_incident(call: Call[IncidentPath, Nothing, DisposalBody]) -> dict[str, Any]:
    """Record a disposal step."""
    body = call.body
    return await _act(
        call,
        lambda book, now, change: book.handle(
            call.path.id, body.step, call.caller, body.name, body.comment, now, change
        ),
    )


async def feed_back_incident(call: Call[IncidentPath, Nothing, FeedbackBody]) -> dict[str, Any]:
    """Feed back what was done and found."""
    body = call.body
    return await _act(
        call,
        lambda book, now, change: book.feed_back(
            call.path.id, body.text, body.attachments, call.caller, body.name, now, change
        ),
    )


async def review_incident(call: Call[IncidentPath, Nothing, ReviewBody]) -> dict[str, Any]:
    """Accept the feedback, or return it."""
    body = call.body
    return await _act(
        call,
        lambda book, now, change: book.review(
            call.path.id, call.caller, body.name, body.comment, now, change, accepted=body.accepted
        ),
    )


async def close_incident(call: Call[IncidentPath, Nothing, Signature]) -> dict[str, Any]:
    """Close an incident all of whose alarms are normal again and for which the required steps are done."""
    return await _sign(call, Incidents.close)


async def archive_incident(call: Call[IncidentPath, Nothing, Signature]) -> dict[str, Any]:
    """Archive a closed incident: it never opens again, and nothing is added any more."""
    return await _sign(call, Incidents.archive)


async def decide_incident(call: Call[IncidentPath, Nothing, DecisionBody]) -> dict[str, Any]:
    """Raise or lower the grade by a signed decision."""
    body = call.body
    return await _act(
        call,
        lambda book, now, change: book.decide(
            call.path.id, Grade.parse(body.grade), call.caller, body.name, body.reason, now, change
        ),
    )


async def comment_incident(call: Call[IncidentPath, Nothing, RemarkBody]) -> dict[str, Any]:
    """Put a remark on record."""
    return await _sign(call, Incidents.comment)


async def link_incident(call: Call[IncidentPath, Nothing, LinkBody]) -> dict[str, Any]:
    """Link two incidents that belong together; both say so."""
    body = call.body
    if not await sees_incident(call.service, call.reach, body.incident):
        raise beyond(call.who.scope)
    return await _act(
        call,
        lambda book, now, change: book.link(
            call.path.id, body.incident, call.caller, body.name, body.comment, now, change
        ),
    )


async def unlink_incident(call: Call[IncidentPath, Nothing, LinkBody]) -> dict[str, Any]:
    """Take a link back."""
    body = call.body
    if not await sees_incident(call.service, call.reach, body.incident):
        raise beyond(call.who.scope)
    return await _act(
        call,
        lambda book, now, change: book.unlink(
            call.path.id, body.incident, call.caller, body.name, body.comment, now, change
        ),
    )


async def declare_accident(call: Call[IncidentPath, Nothing, AccidentBody]) -> dict[str, Any]:
    """Declare an accident, which starts its legal clock, or correct its class and figures.

    Classes by Order 493 (any one of dead, seriously injured, direct loss): I from 30, 100, 100 million yuan;
    II from 10, 50, 50 million; III from 3, 10, 10 million; IV below. The class is taken as entered; `warning` says
    where it contradicts the figures.
    """
    body = call.body

    def act(book: Incidents, now: int, change: Change) -> Incident:
        known = book.find(call.path.id).loop.get("accident")
        confirmed_at = body.confirmed_at or (known["confirmed_at"] if known else now)
        figures = Figures(body.accident_class, body.dead, body.injured, body.loss, confirmed_at)
        return book.declare_accident(call.path.id, figures, call.caller, body.name, body.comment, now, change)

    return await _act(call, act)


async def report_accident(call: Call[IncidentPath, Nothing, AccidentReportBody]) -> dict[str, Any]:
    """Record that a report upward was made."""
    body = call.body
    return await _act(
        call,
        lambda book, now, change: book.report_accident(
            call.path.id, body.step, body.at or now, call.caller, body.name, body.comment, now, change
        ),
    )


async def withdraw_accident(call: Call[IncidentPath, Nothing, AccidentWithdrawalBody]) -> dict[str, Any]:
    """Withdraw what was declared by mistake; two persons say so.

    In a session the second one proves who he is by `POST /session/second`, and `second` is what that has found.
    """
    body, second = call.body, call.body.second
    if second is None:
        if call.who.account is not None:
            raise second_needed()
        raise unfit_field("body", "second", "a second person has to agree", "Name one.")
    return await _act(
        call,
        lambda book, now, change: book.withdraw_accident(
            call.path.id, second, call.caller, body.name, body.reason, now, change
        ),
    )


def neighbours_of(site: Site, enterprise: str, unit: str) -> set[tuple[str, str]]:
    """Units beside one, as either of the two says."""
    path = f"{enterprise}/{unit}"
    own = site.units.get((enterprise, unit))
    named = set(own.neighbours) if own else set()
    found = {key for key, other in site.units.items() if other.path in named or path in other.neighbours}
    return found - {(enterprise, unit)}


_SUGGESTED = ("enterprise", "enterprise_name", "unit", "unit_name", "grade", "opened_at")


async def _act(call: Call[IncidentPath, Any, Any], act: BookAct) -> dict[str, Any]:
    try:
        incident = await call.service.act(lambda register, now, change: act(register.casebook, now, change))
    except NotFound as fault:
        raise await past(call.service.ledger, call.path.id, fault) from None
    return call.context.views.incident(incident)


async def _sign(call: Call[IncidentPath, Nothing, Any], act: SignedAct) -> dict[str, Any]:
    """An act that takes nothing but name and comment."""
    body = call.body
    return await _act(
        call, lambda book, now, change: act(book, call.path.id, call.caller, body.name, body.comment, now, change)
    )


async def past(ledger: AsyncEngine, identity: int, fault: NotFound) -> Problem:
    """Why an incident, or another one that the act names, is not in the casebook."""
    known = await incident_queries.incident_by_id(ledger, identity)
    if known is None:
        return Problem(HTTPStatus.NOT_FOUND, f"there is no incident {identity}; GET {PREFIX}/incidents lists them")
    if known.archived_at is None:
        return Problem(HTTPStatus.NOT_FOUND, str(fault))
    return Problem(HTTPStatus.CONFLICT, f"incident {identity} is archived: nothing is changed any more; reload it")


async def _incident(call: Call[IncidentPath, Any, Any]) -> tuple[Incident, Sequence[Alarm], Sequence[Entry]]:
    found = await queries.incident_with_history(call.service.ledger, call.path.id)
    if found is None:
        detail = f"there is no incident {call.path.id}; GET {PREFIX}/incidents lists them"
        raise Problem(HTTPStatus.NOT_FOUND, detail)
    return found


_NOT_FOUND, _AWAY = HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE
_ACT = (_NOT_FOUND, HTTPStatus.CONFLICT, _AWAY)
_ONE = f"{PREFIX}/incidents/{{id}}"


def _route(act: str, handler: Handler, summary: str) -> Route:
    return Route("POST", f"{_ONE}/{act}", handler, summary, IncidentDocument, errors=_ACT, tag="incidents")


ROUTES: tuple[Route, ...] = (
    Route("GET", f"{PREFIX}/incidents", list_incidents, "Incidents", IncidentPage, errors=(_AWAY,), tag="incidents"),
    Route("GET", _ONE, get_incident, "One incident", IncidentDetail, errors=(_NOT_FOUND, _AWAY), tag="incidents"),
    _route("acknowledge", acknowledge_incident, "Acknowledge an incident"),
    _route("verify", verify_incident, "Verify an incident"),
    _route("verify/confirm", confirm_verification, "Confirm a verification"),
    _route("verify/reject", reject_verification, "Reject a verification"),
    _route("handle", handle_incident, "Record a disposal step"),
    _route("feedback", feed_back_incident, "Feed back"),
    _route("review", review_incident, "Review the feedback"),
    _route("close", close_incident, "Close an incident"),
    _route("archive", archive_incident, "Archive an incident"),
    _route("decide", decide_incident, "Decide the grade"),
    _route("comment", comment_incident, "Comment on an incident"),
    _route("link", link_incident, "Link two incidents"),
    _route("unlink", unlink_incident, "Unlink two incidents"),
    _route("accident", declare_accident, "Declare an accident"),
    _route("accident/report", report_accident, "Record a report of the accident"),
    _route("accident/withdraw", withdraw_accident, "Withdraw an accident declared by mistake"),
)
