"""The main screen of a desk, worked out in memory: it answers in a flood as on a quiet night."""

from http import HTTPStatus
from typing import Any

from alerting.desks.watch import Board, Group
from alerting.records import Alarm
from domain.clock import iso
from domain.scales import Grade
from service.api.desks import desk_status, handover_line
from service.api.desks_models import MembersQuery, Watch, WatchMembers, WatchQuery
from service.api.problems import Problem
from service.api.requests import Nothing
from service.api.routes import PREFIX, Call, Route

UNGROUPED = 200
"""Alarms that are shown one by one while no flood lasts [ours]."""


async def get_watch(call: Call[Nothing, WatchQuery, Nothing]) -> dict[str, Any]:
    """What a desk's main screen shows. Follow `/api/v1/live` and ask again when an entry concerns the desk."""
    room, query = call.service.duty_room, call.query
    shown, now = room.board(query.desk), call.service.clock.now()
    desk = room.require(query.desk)
    alarm = call.context.views.alarm
    grouped = room.floods.lasting(desk.id) is not None or len(shown.others) > UNGROUPED
    return {
        "desk": desk_status(room, desk),
        "now": iso(now),
        "sequence": call.service.sequence(),
        "counts": _counts(shown),
        "standing": [alarm(each) for each in shown.standing[: query.limit]],
        "standing_total": len(shown.standing),
        "grouped": grouped,
        "groups": [_group(call, group) for group in shown.groups[: query.limit]],
        "groups_total": len(shown.groups),
        "alarms": [] if grouped else [alarm(each) for each in shown.others[: query.limit]],
        "alarms_total": len(shown.others),
        "silences": room.silences(desk.id),
        "handovers": [handover_line(each) for each in room.handovers.unsigned(desk.id)],
        "drills": _drills(call, shown),
    }


async def list_watch_alarms(call: Call[Nothing, MembersQuery, Nothing]) -> dict[str, Any]:
    """The alarms of a group, or those that stand alone, newest first."""
    query = call.query
    members = call.service.duty_room.board(query.desk).members(query.group)
    if members is None:
        detail = f"the screen has no group {query.group!r} now; ask for /api/v1/watch again"
        raise Problem(HTTPStatus.NOT_FOUND, detail)
    left = sorted((each for each in members if query.after is None or each.id < query.after), key=_newest_first)
    page = left[: query.limit]
    return {
        "items": [call.context.views.alarm(alarm) for alarm in page],
        "next": str(page[-1].id) if len(left) > len(page) else None,
        "total": len(members),
    }


def _newest_first(alarm: Alarm) -> int:
    return -alarm.id


def _counts(shown: Board) -> dict[str, int]:
    return {
        **{grade.label: shown.by_grade[grade] for grade in Grade},
        "active": len(shown.standing) + len(shown.others),
        "unacknowledged": shown.unacknowledged,
        "suppressed": shown.suppressed,
    }


def _group(call: Call[Any, Any, Any], group: Group) -> dict[str, Any]:
    alarm = call.context.views.alarm
    return {
        "key": group.key,
        "enterprise": group.enterprise,
        "unit": group.unit,
        "units": sorted(group.units),
        "cause": group.cause,
        "instrument": group.instrument,
        "grade": group.grade.label,
        "members": len(group.members),
        "unacknowledged": group.unacknowledged,
        "first_out": alarm(group.first_out),
        "newest": alarm(group.newest),
    }


def _drills(call: Call[Nothing, WatchQuery, Nothing], shown: Board) -> list[dict[str, Any]]:
    running = call.service.duty_room.drills.running
    if running is None or not call.reach.sees_all(running.units):
        return []
    alarms = sorted(shown.drills.get(running.id, ()), key=_newest_first)
    return [
        {
            "drill": running.id,
            "name": running.name,
            "leader": running.leader,
            "due_at": iso(running.due_at),
            "alarms": [call.context.views.alarm(each) for each in alarms[: call.query.limit]],
            "alarms_total": len(alarms),
        }
    ]


ROUTES = (
    Route(
        "GET",
        f"{PREFIX}/watch",
        get_watch,
        "A desk's main screen",
        Watch,
        errors=(HTTPStatus.NOT_FOUND,),
        tag="desks",
    ),
    Route(
        "GET",
        f"{PREFIX}/watch/alarms",
        list_watch_alarms,
        "Alarms of a group of the main screen",
        WatchMembers,
        errors=(HTTPStatus.NOT_FOUND,),
        tag="desks",
    ),
)
