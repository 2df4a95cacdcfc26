"""Contacts, rosters, plans, cards, calls back, and how the response to an incident stands."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from alerting.ledger import queries
from alerting.refusals import NotFound
from alerting.response import queries as response_queries
from alerting.response.cards import Card
from alerting.response.contacts import Contact
from alerting.response.plans import TIERS, Plan
from alerting.response.rosters import Roster
from domain.clock import iso
from service.api import response_models as models
from service.api.incidents_requests import IncidentPath
from service.api.problems import Problem
from service.api.regions import regions_below
from service.api.requests import AlarmPath, Nothing, Signature
from service.api.routes import PREFIX, Call, Route
from service.api.scopes import sees_desk
from service.api.views import iso_or_none
from service.config.contact_table import quiet_text
from service.config.quantities import LONGEST

TURNS = 7 * 86_400_000
"""ms of a roster that are shown."""
_NOT_FOUND, _CONFLICT, _AWAY = HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE


async def list_contacts(call: Call[Nothing, models.ContactsQuery, Nothing]) -> dict[str, Any]:
    """The directory, in the order of its ids."""
    query, service, reach = call.query, call.service, call.reach
    now, days = service.clock.now(), service.response.book.limits.contact_days
    regions = regions_below(service.site, query.region)
    found = [
        contact
        for identity, contact in sorted(service.response.book.contacts.items())
        if (query.after is None or identity > query.after)
        and (regions is None or contact.region in regions)
        and query.enterprise in {None, contact.enterprise}
        and query.post in {None, contact.post}
        and query.stale in {None, contact.is_stale(now, days)}
        and reach.sees_contact(contact.enterprise, contact.region)
    ]
    page = found[: query.limit]
    return {
        "items": [contact_view(contact, now, days) for contact in page],
        "next": page[-1].id if len(found) > len(page) else None,
    }


async def list_rosters(call: Call[Nothing, models.RostersQuery, Nothing]) -> dict[str, Any]:
    """Duty rosters: who is on duty, and who comes next."""
    now = call.service.clock.now()
    at = now if call.query.at is None else call.query.at
    if abs(at - now) > LONGEST:
        raise Problem(HTTPStatus.BAD_REQUEST, "query at: more than ten years from now; ask for a nearer time")
    return {
        "at": iso(at),
        "items": [
            _roster_view(call, roster, at)
            for roster in call.service.response.book.rosters.values()
            if _sees_roster(call, roster)
        ],
    }


async def list_plans(call: Call[Nothing, Nothing, Nothing]) -> dict[str, Any]:
    """Response plans, the site's own first."""
    return {"items": [_plan_view(plan) for plan in call.service.response.book.plans]}


async def list_cards(call: Call[Nothing, Nothing, Nothing]) -> dict[str, Any]:
    """Response cards, without their texts."""
    return {"items": [_card_summary(card) for card in call.service.response.book.cards]}


async def get_card(call: Call[models.CardPath, Nothing, Nothing]) -> dict[str, Any]:
    """One response card."""
    card = call.service.response.book.cards.by_id.get(call.path.id)
    if card is None:
        raise Problem(_NOT_FOUND, f"there is no card {call.path.id!r}; GET {PREFIX}/cards lists them")
    return _card_summary(card) | {"text": card.text}


async def list_alarm_cards(call: Call[AlarmPath, Nothing, Nothing]) -> dict[str, Any]:
    """Response cards of an alarm: those that its rule and unit name, then those bound to what it measures."""
    found = await queries.alarm_with_history(call.service.ledger, call.path.id)
    if found is None:
        raise Problem(_NOT_FOUND, f"there is no alarm {call.path.id}; GET {PREFIX}/alarms lists them")
    alarm = found[0]
    cards = call.service.response.cards_of(alarm.enterprise, alarm.tag, alarm.rule)
    return {"items": [_card_summary(card) for card in cards]}


async def get_incident_response(call: Call[IncidentPath, Nothing, Nothing]) -> dict[str, Any]:
    """Tier, plan, deadlines, steps yet to come, and response cards of an incident."""
    found = await queries.incident_with_history(call.service.ledger, call.path.id)
    if found is None:
        raise Problem(_NOT_FOUND, f"there is no incident {call.path.id}; GET {PREFIX}/incidents lists them")
    incident, members, _ = found
    response = call.service.response
    clock = response.escalation.clocks.get(incident.id)
    tier = incident.tier if clock is None else clock.tier
    plan = None if clock is None else clock.plan
    pending: list[dict[str, Any]] = []
    if clock is not None and plan is not None:
        pending = [{"who": str(plan.schedule[index].step.who), "at": iso(at)} for index, at in clock.pending]
    cards: dict[str, None] = {}
    for alarm in sorted(members, key=lambda alarm: (-alarm.grade, alarm.id)):
        cards.update((card.id, None) for card in response.cards_of(alarm.enterprise, alarm.tag, alarm.rule))
    return {
        "incident": incident.id,
        "tier": tier,
        "tier_name": TIERS[tier - 1],
        "grade": incident.grade.label,
        "began_at": None if clock is None else iso(clock.began_at),
        "plan": None if plan is None else plan.id,
        "acknowledged_by": "both" if plan is not None and plan.both_sides else "either",
        "acknowledge_by": None if clock is None else iso_or_none(clock.acknowledge_by),
        "feedback_by": None if clock is None else iso_or_none(clock.feedback_by),
        "pending": pending,
        "cards": list(cards),
    }


async def list_call_backs(call: Call[Nothing, models.CallBacksQuery, Nothing]) -> dict[str, Any]:
    """Calls back, newest first."""
    query = call.query
    page = await response_queries.calls_back(
        call.service.ledger,
        query.incident,
        query.limit,
        query.after,
        is_open=query.open,
        enterprises=call.reach.enterprises,
    )
    return {
        "items": [_call_view(row) for row in page.items],
        "next": str(page.items[-1]["id"]) if page.more else None,
    }


async def finish_call_back(call: Call[models.CallBackPath, Nothing, Signature]) -> dict[str, Any]:
    """Somebody has called the site back."""
    response, signed = call.service.response, call.body
    try:
        done = await call.service.act(
            lambda _, now, change: response.finish_call(
                call.path.id, call.caller, signed.name, signed.comment, now, change
            )
        )
    except NotFound:
        known = await response_queries.call_back_by_id(call.service.ledger, call.path.id)
        if known is None:
            raise
        raise Problem(_CONFLICT, f"call back {call.path.id} is done already, by {known['done_by']}") from None
    return _call_view(done)


def contact_view(contact: Contact, now: int, days: int) -> dict[str, Any]:
    """``models.Contact``."""
    return {
        "id": contact.id,
        "name": contact.name,
        "post": contact.post,
        "title": contact.title,
        "organisation": contact.organisation,
        "enterprise": contact.enterprise,
        "region": contact.region,
        "side": contact.side,
        "phone": contact.phone,
        "mail": contact.mail,
        "addresses": dict(contact.addresses),
        "language": contact.language,
        "quiet": quiet_text(contact) or None,
        "updated": contact.updated.isoformat() if contact.updated else None,
        "stale": contact.is_stale(now, days),
    }


def _sees_roster(call: Call[Any, Any, Any], roster: Roster) -> bool:
    if roster.desk is not None and roster.region is None and roster.enterprise is None:
        return sees_desk(call.service, call.reach, roster.desk)
    return call.reach.sees_contact(roster.enterprise, roster.region)


def _roster_view(call: Call[Any, Any, Any], roster: Roster, at: int) -> dict[str, Any]:
    book, now = call.service.response.book, call.service.clock.now()
    return {
        "id": roster.id,
        "name": roster.name,
        "post": roster.post,
        "desk": roster.desk,
        "region": roster.region,
        "enterprise": roster.enterprise,
        "on_duty": [contact_view(contact, now, book.limits.contact_days) for contact in book.on_duty(roster.id, at)],
        "turns": [
            {
                "shift": turn.shift.id,
                "name": turn.shift.name,
                "begin": iso(turn.begin),
                "end": iso(turn.end),
                "contacts": list(turn.contacts),
            }
            for turn in roster.turns(at, at + TURNS)
        ],
    }


def _plan_view(plan: Plan) -> dict[str, Any]:
    return {
        "id": plan.id,
        "name": plan.name,
        "grades": _tiers(plan.tiers),
        "regions": list(plan.regions),
        "hazards": list(plan.hazards),
        "acknowledge_ms": plan.acknowledge,
        "feedback_ms": plan.feedback,
        "acknowledged_by": "both" if plan.both_sides else "either",
        "call_back_ms": plan.call_back or None,
        "repeat_ms": plan.repeat or None,
        "steps": [
            {
                "who": str(due.step.who),
                "by": list(due.step.by),
                "after_ms": due.after,
                "follows": None if due.parent < 0 else due.parent,
            }
            for due in plan.schedule
            if not due.again
        ],
        "default": plan.default,
    }


def _tiers(numbers: Iterable[int]) -> list[str]:
    return [TIERS[number - 1] for number in numbers]


def _card_summary(card: Card) -> dict[str, Any]:
    return {
        "id": card.id,
        "title": card.title,
        "title_en": card.title_en,
        "medium": card.medium,
        "post": card.post,
        "source": card.source,
        "confidence": card.confidence,
        "measurands": list(card.measurands),
        "rules": list(card.rules),
        "units": list(card.units),
        "default": card.default,
    }


def _call_view(row: dict[str, Any]) -> dict[str, Any]:
    times = {name: iso_or_none(row[name]) for name in ("made_at", "due_at", "done_at")}
    kept = ("id", "incident", "drill", "overdue", "done_by", "comment")
    return {name: row[name] for name in kept} | times


ROUTES: tuple[Route, ...] = (
    Route("GET", f"{PREFIX}/contacts", list_contacts, "Contacts", models.ContactPage, tag="response"),
    Route("GET", f"{PREFIX}/rosters", list_rosters, "Duty rosters", models.RosterList, tag="response"),
    Route("GET", f"{PREFIX}/plans", list_plans, "Response plans", models.PlanList, tag="response"),
    Route("GET", f"{PREFIX}/cards", list_cards, "Response cards", models.CardList, tag="response"),
    Route(
        "GET",
        f"{PREFIX}/cards/{{id}}",
        get_card,
        "One response card",
        models.Card,
        errors=(_NOT_FOUND,),
        tag="response",
    ),
    Route(
        "GET",
        f"{PREFIX}/alarms/{{id}}/cards",
        list_alarm_cards,
        "Response cards of an alarm",
        models.CardList,
        errors=(_NOT_FOUND, _AWAY),
        tag="response",
    ),
    Route(
        "GET",
        f"{PREFIX}/incidents/{{id}}/response",
        get_incident_response,
        "The response to an incident",
        models.IncidentResponse,
        errors=(_NOT_FOUND, _AWAY),
        tag="response",
    ),
    Route(
        "GET",
        f"{PREFIX}/call-backs",
        list_call_backs,
        "Calls back",
        models.CallBackPage,
        errors=(_AWAY,),
        tag="response",
    ),
    Route(
        "POST",
        f"{PREFIX}/call-backs/{{id}}/done",
        finish_call_back,
        "A call back is made",
        models.CallBack,
        errors=(_NOT_FOUND, _CONFLICT, _AWAY),
        tag="response",
    ),
)
