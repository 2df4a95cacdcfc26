"""What people do to alarms beside acknowledging one: a selection, shelves, comments, maintenance, the sound."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from alerting.alarms import suppression_queries
from alerting.alarms.sound import RedNeedsTwo, Silence, described
from alerting.alarms.suppression import Shelf, Window
from alerting.ledger import queries
from alerting.records import Alarm
from alerting.refusals import NotFound
from domain.clock import iso
from service.api import alarms_models, models
from service.api.alarms_models import (
    CommentBody,
    MaintenanceBody,
    MaintenancePath,
    MaintenanceQuery,
    ResumeBody,
    Selection,
    ShelveBody,
    SilenceBody,
)
from service.api.authentication import second_needed, second_unfit
from service.api.ports import ServicePort
from service.api.problems import Problem
from service.api.reach import Reach, reach_of
from service.api.requests import AlarmPath, Nothing, Signature
from service.api.routes import PREFIX, Call, Route
from service.api.scopes import beyond as beyond_scope
from service.api.scopes import sees_desk
from service.api.views import iso_or_none


async def acknowledge_selection(call: Call[Nothing, Nothing, Selection]) -> dict[str, Any]:
    """Acknowledge a selection of alarms in one act, and say of each what came of it.

    Acknowledging a fault of an instrument, or a lost gateway, never acknowledges a process alarm of the same tag.
    """
    body, views = call.body, call.context.views
    beyond = await _beyond(call.service, call.reach, body.ids)
    results = await call.service.act(
        lambda register, now, change: register.acknowledge_all(
            [identity for identity in body.ids if identity not in beyond],
            call.caller,
            body.name,
            body.comment,
            now,
            change,
        )
    )
    done = [
        {"id": each.id, "alarm": each.alarm and views.alarm(each.alarm), "refusal": each.refusal} for each in results
    ]
    return {
        "results": done
        + [{"id": identity, "alarm": None, "refusal": _beyond_refusal(identity)} for identity in sorted(beyond)]
    }


async def shelve_alarm(call: Call[AlarmPath, Nothing, ShelveBody]) -> dict[str, Any]:
    """Shelve an alarm, or extend its shelf with a new reason. Refused at red."""
    body = call.body
    try:
        alarm = await call.service.act(
            lambda register, now, change: register.shelving.shelve(
                call.path.id, now + body.duration, body.reason, call.caller, body.name, now, change
            )
        )
    except NotFound:
        known = await _alarm(call)
        raise Problem(HTTPStatus.CONFLICT, f"alarm {known.id} is over: there is nothing to shelve") from None
    return call.context.views.alarm(alarm)


async def unshelve_alarm(call: Call[AlarmPath, Nothing, Signature]) -> dict[str, Any]:
    """Take an alarm's condition off the shelf; if it is in, it is annunciated."""
    body = call.body
    try:
        shelf = await call.service.act(
            lambda register, now, change: register.shelving.unshelve(
                call.path.id, call.caller, body.name, body.comment, now, change
            )
        )
    except NotFound:
        known = await _alarm(call)
        raise Problem(HTTPStatus.CONFLICT, f"alarm {known.id} is over and not shelved") from None
    return _shelf(shelf)


async def comment_alarm(call: Call[AlarmPath, Nothing, CommentBody]) -> dict[str, Any]:
    """Say something of an alarm, be it over or not."""
    known, body = await _alarm(call), call.body
    alarm = await call.service.act(
        lambda register, now, change: register.comment(known, call.caller, body.name, body.comment, now, change)
    )
    return call.context.views.alarm(alarm)


async def list_suppressed(call: Call[Nothing, Nothing, Nothing]) -> dict[str, Any]:
    """Everything that is not annunciated: shelved, suppressed by design, out of service; why, until when, by whom."""
    found, more = await suppression_queries.suppressed(call.service.ledger, call.reach.enterprises)
    items = [
        {
            "suppression": each.suppression.value,
            "enterprise": each.enterprise,
            "unit": each.unit,
            "tag": each.tag,
            "rule": each.rule,
            "alarm": each.alarm,
            "drill": each.drill,
            "state": each.state.value,
            "grade": each.grade and each.grade.label,
            "until": iso_or_none(each.until),
            "reason": each.reason,
            "by": each.by,
        }
        for each in found
    ]
    return {"items": items, "truncated": more}


async def list_maintenance(call: Call[Nothing, MaintenanceQuery, Nothing]) -> dict[str, Any]:
    """Maintenance windows, newest first."""
    query = call.query
    page = await suppression_queries.windows(
        call.service.ledger, query.state, query.enterprise, query.limit, query.after, call.reach.enterprises
    )
    return {
        "items": [_window(window) for window in page.items],
        "next": str(page.items[-1].id) if page.more else None,
    }


async def announce_maintenance(call: Call[Nothing, Nothing, MaintenanceBody]) -> dict[str, Any]:
    """Announce a maintenance window, or begin one at once. At red one begins later, or not at all."""
    body = call.body
    if not call.reach.sees(body.enterprise):
        raise beyond_scope(call.who.scope)
    window = await call.service.act(
        lambda register, now, change: register.maintenance.announce(
            body.scope,
            body.enterprise,
            body.target,
            body.begins_at,
            body.ends_at,
            body.reason,
            call.caller,
            body.name,
            now,
            change,
        )
    )
    return _window(window)


async def cancel_maintenance(call: Call[MaintenancePath, Nothing, Signature]) -> dict[str, Any]:
    """Cancel a maintenance window that has not begun."""
    body = call.body
    return _window(
        await call.service.act(
            lambda register, now, change: register.maintenance.cancel(
                call.path.id, call.caller, body.name, body.comment, now, change
            )
        )
    )


async def end_maintenance(call: Call[MaintenancePath, Nothing, Signature]) -> dict[str, Any]:
    """End a running maintenance window early; alarms that are in beneath it are annunciated."""
    body = call.body
    return _window(
        await call.service.act(
            lambda register, now, change: register.maintenance.end(
                call.path.id, call.caller, body.name, body.comment, now, change
            )
        )
    )


async def get_sound(call: Call[Nothing, Nothing, Nothing]) -> dict[str, Any]:
    """Whose sound is off, since when, until when, by whom and why."""
    known = await suppression_queries.silences(call.service.ledger)
    return {"items": [_silence(silence) for silence in known if await _sees_silence(call, silence)]}


async def silence_sound(call: Call[Nothing, Nothing, SilenceBody]) -> dict[str, Any]:
    """Switch the sound of an alarm, a unit or a desk off for a few minutes; what is red needs a second person.

    In a session that one proves who he is by `POST /session/second`, and `second` is what that has found.
    """
    body, site, room, second = call.body, call.service.site, call.service.duty_room, call.who.second
    regions: frozenset[str] = frozenset()
    if not await _sees_sound(call.service, call.reach, body.scope, body.target):
        raise beyond_scope(call.who.scope)
    if second is not None and not await _sees_sound(
        call.service, reach_of(site, second.scope), body.scope, body.target
    ):
        raise second_unfit(second)
    if body.scope == "desk":
        regions = room.desks.regions_of(room.require(body.target).id)
    elif body.scope == "unit":
        enterprise, _, unit = body.target.partition("/")
        if (enterprise, unit) not in site.units:
            raise Problem(HTTPStatus.NOT_FOUND, f"there is no unit {body.target}; GET {PREFIX}/enterprises lists them")
    try:
        silence = await call.service.act(
            lambda register, now, change: register.sound.silence(
                body.scope,
                body.target,
                regions,
                now + body.duration,
                body.reason,
                call.caller,
                body.name,
                body.second,
                now,
                change,
            )
        )
    except RedNeedsTwo:
        if call.who.account is None:
            raise
        raise second_needed() from None
    return _silence(silence)


async def resume_sound(call: Call[Nothing, Nothing, ResumeBody]) -> dict[str, Any]:
    """Switch the sound on again."""
    body = call.body
    if not call.who.scope.is_whole:
        known = [each for each in await suppression_queries.silences(call.service.ledger) if each.id == body.silence]
        if not known or not await _sees_silence(call, known[0]):
            raise beyond_scope(call.who.scope)
    return _silence(
        await call.service.act(
            lambda register, now, change: register.sound.resume(
                body.silence, call.caller, body.name, body.comment, now, change
            )
        )
    )


async def _beyond(service: ServicePort, reach: Reach, identities: Iterable[int]) -> set[int]:
    """Alarms that are not seen, whether there are such or not."""
    if reach.enterprises is None:
        return set()
    owners = await queries.enterprises_of_alarms(service.ledger, identities)
    return {identity for identity in identities if not reach.sees(owners.get(identity))}


def _beyond_refusal(identity: int) -> str:
    return f"alarm {identity} is not active, or beyond what you see"


async def _sees_silence(call: Call[Any, Any, Any], silence: Silence) -> bool:
    return await _sees_sound(call.service, call.reach, silence.scope, silence.target)


async def _sees_sound(service: ServicePort, reach: Reach, scope: str, target: str) -> bool:
    """Whether what a silence is over is seen."""
    match scope:
        case "alarm":
            return not await _beyond(service, reach, [int(target)])
        case "unit":
            return reach.sees_all([target])
        case _:
            return sees_desk(service, reach, target)


async def _alarm(call: Call[AlarmPath, Any, Any]) -> Alarm:
    found = await queries.alarm_with_history(call.service.ledger, call.path.id)
    if found is None:
        raise Problem(HTTPStatus.NOT_FOUND, f"there is no alarm {call.path.id}; GET {PREFIX}/alarms lists them")
    return found[0]


def _shelf(shelf: Shelf) -> dict[str, Any]:
    return {
        "enterprise": shelf.enterprise,
        "unit": shelf.unit,
        "tag": shelf.tag,
        "rule": shelf.rule,
        "alarm": shelf.alarm,
        "drill": shelf.drill,
        "shelved_at": iso(shelf.shelved_at),
        "until": iso(shelf.until),
        "reason": shelf.reason,
        "name": shelf.name,
        "ended_at": iso_or_none(shelf.ended_at),
    }


def _window(window: Window) -> dict[str, Any]:
    return {
        "id": window.id,
        "scope": window.scope,
        "enterprise": window.enterprise,
        "target": window.target,
        "region": window.region,
        "begins_at": iso(window.begins_at),
        "ends_at": iso(window.ends_at),
        "reason": window.reason,
        "name": window.name,
        "state": window.state,
        "announced_at": iso(window.announced_at),
        "began_at": iso_or_none(window.began_at),
        "ended_at": iso_or_none(window.ended_at),
        "ended_by": window.ended_by,
    }


def _silence(silence: Silence) -> dict[str, Any]:
    return described(silence) | {"ended_at": iso_or_none(silence.ended_at), "ended_by": silence.ended_by}


_NOT_FOUND, _CONFLICT, _AWAY = HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE
_ACT = (_NOT_FOUND, _CONFLICT, _AWAY)

ROUTES = (
    Route(
        "POST",
        f"{PREFIX}/alarms/acknowledge",
        acknowledge_selection,
        "Acknowledge a selection of alarms",
        alarms_models.AcknowledgeResults,
        errors=(_AWAY,),
        tag="alarms",
    ),
    Route(
        "POST",
        f"{PREFIX}/alarms/{{id}}/shelve",
        shelve_alarm,
        "Shelve an alarm",
        models.Alarm,
        errors=_ACT,
        tag="alarms",
    ),
    Route(
        "POST",
        f"{PREFIX}/alarms/{{id}}/unshelve",
        unshelve_alarm,
        "Take an alarm off the shelf",
        alarms_models.Shelf,
        errors=_ACT,
        tag="alarms",
    ),
    Route(
        "POST",
        f"{PREFIX}/alarms/{{id}}/comment",
        comment_alarm,
        "Comment on an alarm",
        models.Alarm,
        errors=(_NOT_FOUND, _AWAY),
        tag="alarms",
    ),
    Route(
        "GET",
        f"{PREFIX}/suppressed",
        list_suppressed,
        "What is not annunciated",
        alarms_models.SuppressedList,
        errors=(_AWAY,),
        tag="alarms",
    ),
    Route(
        "GET",
        f"{PREFIX}/maintenance",
        list_maintenance,
        "Maintenance windows",
        alarms_models.MaintenancePage,
        errors=(_AWAY,),
        tag="alarms",
    ),
    Route(
        "POST",
        f"{PREFIX}/maintenance",
        announce_maintenance,
        "Announce a maintenance window",
        alarms_models.Maintenance,
        errors=_ACT,
        tag="alarms",
    ),
    Route(
        "POST",
        f"{PREFIX}/maintenance/{{id}}/cancel",
        cancel_maintenance,
        "Cancel a maintenance window",
        alarms_models.Maintenance,
        errors=_ACT,
        tag="alarms",
    ),
    Route(
        "POST",
        f"{PREFIX}/maintenance/{{id}}/end",
        end_maintenance,
        "End a maintenance window",
        alarms_models.Maintenance,
        errors=_ACT,
        tag="alarms",
    ),
    Route("GET", f"{PREFIX}/sound", get_sound, "Silences", alarms_models.SilenceList, errors=(_AWAY,), tag="alarms"),
    Route(
        "POST",
        f"{PREFIX}/sound/silence",
        silence_sound,
        "Silence the sound",
        alarms_models.Silence,
        errors=_ACT,
        tag="alarms",
    ),
    Route(
        "POST",
        f"{PREFIX}/sound/resume",
        resume_sound,
        "Switch the sound on again",
        alarms_models.Silence,
        errors=_ACT,
        tag="alarms",
    ),
)
