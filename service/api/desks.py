"""Desks: how it is there, presence, and the handover of a shift."""

from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from sqlalchemy import select

from alerting.desks.desks import Desk
from alerting.desks.duty_room import DutyRoom
from alerting.desks.handover import Handover
from alerting.ledger.desks_schema import handover as handovers
from alerting.ledger.ledger import reaching
from alerting.refusals import NotFound
from domain.clock import iso
from service.api.access import ROLES
from service.api.authentication import caller_if_asked
from service.api.desks_models import (
    DeskList,
    DeskPath,
    DeskStatus,
    HandoverBody,
    HandoverPage,
    HandoverPath,
    PresenceBody,
)
from service.api.desks_models import Handover as HandoverDocument
from service.api.ports import ServicePort
from service.api.problems import Problem
from service.api.reach import reach_of
from service.api.requests import Nothing, PageQuery, Signature
from service.api.routes import PREFIX, Call, Route
from service.api.scopes import sees_desk
from service.api.views import iso_or_none

DESK_HEADER = "AnShao-Desk"
"""Header by which a caller says at which desk an act is done."""


async def list_desks(call: Call[Nothing, Nothing, Nothing]) -> dict[str, Any]:
    """All desks."""
    room, reach = call.service.duty_room, call.reach
    return {"items": [desk_status(room, desk) for desk in room.desks if sees_desk(call.service, reach, desk.id)]}


async def mark_presence(call: Call[DeskPath, Nothing, PresenceBody]) -> dict[str, Any]:
    """Say that somebody is at the desk, as a mouse or a key does; once a minute is enough.

    An act with the header `AnShao-Desk: ID` says so as well.
    """
    room = call.service.duty_room
    room.attendance.touch(call.path.id, call.service.clock.now())
    return desk_status(room, room.require(call.path.id))


async def make_handover(call: Call[DeskPath, Nothing, HandoverBody]) -> dict[str, Any]:
    """Hand over a shift: the service captures what is outstanding now, the incoming officer signs."""
    room = call.service.duty_room
    made = await call.service.act(
        lambda _register, now, change: room.hand_over(
            call.path.id, call.caller, call.body.name, call.body.notes, now, change
        )
    )
    return _document(made)


async def sign_handover(call: Call[HandoverPath, Nothing, Signature]) -> dict[str, Any]:
    """Take a shift over; not to be signed by the officer who made the handover."""
    room, identity = call.service.duty_room, call.path.id
    try:
        signed = await call.service.act(
            lambda _register, now, change: room.handovers.sign(
                identity, call.caller, call.body.name, call.body.comment, now, change
            )
        )
    except NotFound:
        known = await _handover(call.service, identity)
        detail = f"handover {known.id} is signed already, by {known.incoming}; reload it"
        raise Problem(HTTPStatus.CONFLICT, detail) from None
    return _document(signed)


async def get_handover(call: Call[HandoverPath, Nothing, Nothing]) -> dict[str, Any]:
    """One handover with what was captured."""
    return _document(await _handover(call.service, call.path.id))


async def list_handovers(call: Call[DeskPath, PageQuery, Nothing]) -> dict[str, Any]:
    """Handovers of a desk, newest first."""
    call.service.duty_room.require(call.path.id)
    columns = handovers.c
    query = select(*(column for column in columns if column.name != "captured")).where(columns.desk == call.path.id)
    if call.query.after is not None:
        query = query.where(columns.id < call.query.after)
    async with reaching(call.service.ledger) as connection:
        rows = (await connection.execute(query.order_by(columns.id.desc()).limit(call.query.limit + 1))).mappings()
        found = [Handover(**row, captured="") for row in rows]
    page = found[: call.query.limit]
    items = [
        handover_line(each) | {"desk": each.desk, "signed_at": iso_or_none(each.signed_at), "incoming": each.incoming}
        for each in page
    ]
    return {"items": items, "next": str(page[-1].id) if len(found) > len(page) else None}


def desk_status(room: DutyRoom, desk: Desk) -> dict[str, Any]:
    """``desks_models.DeskStatus``."""
    flood, presence = room.floods.lasting(desk.id), room.attendance.presence(desk.id)
    return {
        "id": desk.id,
        "name": desk.name,
        "regions": list(desk.regions),
        "flood_began_at": None if flood is None else iso(flood.began_at),
        "rate": room.floods.rate(desk.id),
        "input_at": None if presence is None else iso(presence.input_at),
        "unattended_since": None if presence is None else iso_or_none(presence.unattended_since),
        "handovers_unsigned": len(room.handovers.unsigned(desk.id)),
    }


def handover_line(handover: Handover) -> dict[str, Any]:
    """``desks_models.HandoverLine``."""
    return {
        "id": handover.id,
        "made_at": iso(handover.made_at),
        "outgoing": handover.outgoing,
        "notes": handover.notes,
    }


def presence_middleware(service: ServicePort) -> Middleware:
    """An act that names its desk is input there, where it is done by somebody who may mark presence at that desk.

    Who is bound is not told whether there is a desk beyond: a console that still names another's changes nothing.
    """

    @web.middleware
    async def presence(request: web.Request, handler: Handler) -> web.StreamResponse:
        desk, caller = request.headers.get(DESK_HEADER), caller_if_asked(request)
        if desk is None or caller is None or request.method in {"GET", "HEAD", "OPTIONS"}:
            return await handler(request)
        if not sees_desk(service, reach_of(service.site, caller.scope), desk):
            return await handler(request)
        attendance = service.duty_room.attendance
        if desk not in service.duty_room.desks:
            detail = f"header {DESK_HEADER}: there is no desk {desk[:100]!r}; GET {PREFIX}/desks lists them"
            raise Problem(HTTPStatus.BAD_REQUEST, detail)
        response = await handler(request)
        if caller.role in ROLES["mark_presence"]:
            attendance.touch(desk, service.clock.now())
        return response

    return presence


async def _handover(service: ServicePort, identity: int) -> Handover:
    async with reaching(service.ledger) as connection:
        query = select(handovers).where(handovers.c.id == identity)
        row = (await connection.execute(query)).mappings().first()
    if row is None:
        detail = f"there is no handover {identity}; GET {PREFIX}/desks/{{id}}/handovers lists them"
        raise Problem(HTTPStatus.NOT_FOUND, detail)
    return Handover(**row)


def _document(handover: Handover) -> dict[str, Any]:
    return {
        **handover_line(handover),
        "desk": handover.desk,
        **orjson.loads(handover.captured),
        "digest": handover.digest,
        "signed_at": iso_or_none(handover.signed_at),
        "incoming": handover.incoming,
        "comment": handover.comment,
    }


_NOT_FOUND, _CONFLICT, _AWAY = HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE

ROUTES = (
    Route("GET", f"{PREFIX}/desks", list_desks, "Desks", DeskList, tag="desks"),
    Route(
        "POST",
        f"{PREFIX}/desks/{{id}}/presence",
        mark_presence,
        "Somebody is at the desk",
        DeskStatus,
        errors=(_NOT_FOUND,),
        tag="desks",
    ),
    Route(
        "POST",
        f"{PREFIX}/desks/{{id}}/handovers",
        make_handover,
        "Hand over a shift",
        HandoverDocument,
        errors=(_NOT_FOUND, _AWAY),
        tag="desks",
    ),
    Route(
        "GET",
        f"{PREFIX}/desks/{{id}}/handovers",
        list_handovers,
        "Handovers of a desk",
        HandoverPage,
        errors=(_NOT_FOUND, _AWAY),
        tag="desks",
    ),
    Route(
        "GET",
        f"{PREFIX}/handovers/{{id}}",
        get_handover,
        "One handover",
        HandoverDocument,
        errors=(_NOT_FOUND, _AWAY),
        tag="desks",
    ),
    Route(
        "POST",
        f"{PREFIX}/handovers/{{id}}/sign",
        sign_handover,
        "Take a shift over",
        HandoverDocument,
        errors=(_NOT_FOUND, _CONFLICT, _AWAY),
        tag="desks",
    ),
)
