"""Keeps a caller who is bound to a region or an enterprise to what is theirs, before anything is done.

What is beyond is answered as what does not exist: 404.
"""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, TypeVar

from aiohttp import web
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Column, Select, Table, select

from alerting.ledger.alarms_schema import maintenance
from alerting.ledger.changes_schema import rule_change
from alerting.ledger.desks_schema import drill, handover
from alerting.ledger.journal_queries import SeenEntries
from alerting.ledger.ledger import reaching
from alerting.ledger.response_schema import call_back, message
from alerting.ledger.schema import alarm, attachment, incident
from alerting.ledger.siteplans_schema import site_plan
from service.accounts import Scope
from service.api.access import KEEPS, Keeps
from service.api.ports import ServicePort
from service.api.problems import Problem
from service.api.reach import Reach, reach_of
from service.api.requests import Number

Item = TypeVar("Item")
_AT_ONCE = 500
"""Rows that are looked through at a time [ours]: what is seen may lie far back."""
_NUMBER: TypeAdapter[int] = TypeAdapter(Number)
_Finds = Callable[[ServicePort, Reach, web.Request], Awaitable[bool]]


async def keep_within(operation: str, request: web.Request, service: ServicePort, scope: Scope) -> None:
    """Let a request pass if what it names is seen. Raises Problem: 403, 404; LedgerUnavailable."""
    how = KEEPS.get(operation, Keeps.WHOLE_SITE)
    if how in {Keeps.NOTHING, Keeps.ITSELF}:
        return
    if how is Keeps.WHOLE_SITE:
        detail = f"this concerns the whole site, and you are bound to {scope}; ask an administrator"
        raise Problem(HTTPStatus.FORBIDDEN, detail)
    if not await _FINDS[how](service, reach_of(service.site, scope), request):
        raise beyond(scope)


def beyond(scope: Scope) -> Problem:
    """What is not there for this caller."""
    detail = f"there is none, or it is beyond what you see: you are bound to {scope}; ask an administrator"
    return Problem(HTTPStatus.NOT_FOUND, detail)


async def seen_page(
    read: Callable[[int, int | None], Awaitable[list[Item]]],
    is_seen: Callable[[Item], bool],
    key: Callable[[Item], int],
    limit: int,
    after: int | None,
) -> tuple[list[Item], bool]:
    """A page of what is seen, where the ledger cannot tell; and whether more follows.

    ``read``: the next so many, newest first, from the one before a key on.
    """
    seen: list[Item] = []
    wanted = max(limit, _AT_ONCE) + 1
    while True:
        found = await read(wanted, after)
        seen += [each for each in found if is_seen(each)]
        if len(seen) > limit or len(found) < wanted:
            return seen[:limit], len(seen) > limit
        after = key(found[-1])


def _by_id(columns: Callable[[int], Select[Any]], sees: Callable[[ServicePort, Reach, Any], bool]) -> _Finds:
    """Looks up the row of the id in the path. An id that cannot be one is refused later, by name."""

    async def find(service: ServicePort, reach: Reach, request: web.Request) -> bool:
        try:
            identity = _NUMBER.validate_python(request.match_info["id"])  # read as the handler will read it
        except ValidationError:
            return True
        async with reaching(service.ledger) as connection:
            found = (await connection.execute(columns(identity))).first()
        return found is not None and sees(service, reach, found[0])

    return find


def _of_enterprise(table: Table, column: Column[Any]) -> _Finds:
    return _by_id(
        lambda identity: select(column).where(table.c.id == identity), lambda _, reach, found: reach.sees(found)
    )


def _of_incident(table: Table) -> _Finds:
    """What belongs to an incident belongs to its enterprise."""

    def columns(identity: int) -> Select[Any]:
        return (
            select(incident.c.enterprise).join(table, table.c.incident == incident.c.id).where(table.c.id == identity)
        )

    return _by_id(columns, lambda _, reach, found: reach.sees(found))


def sees_desk(service: ServicePort, reach: Reach, identity: str) -> bool:
    """Whether a desk is: all that it watches."""
    if reach.regions is None:
        return True
    desks = service.duty_room.desks
    return identity in desks and bool(desks.regions_of(identity)) and reach.sees_regions(desks.regions_of(identity))


def seen_entries(service: ServicePort, reach: Reach, *, of_the_site: bool = True) -> SeenEntries | None:
    """What the caller sees of the journal; None: all.

    ``of_the_site``: with what is the whole site's (accounts, sessions, the configuration), where he sees all of it.
    """
    if reach.enterprises is None and of_the_site:
        return None
    enterprises = frozenset(service.site.enterprises) if reach.enterprises is None else reach.enterprises
    desks = frozenset(desk.id for desk in service.duty_room.desks if sees_desk(service, reach, desk.id))
    return SeenEntries(enterprises, desks)


async def sees_incident(service: ServicePort, reach: Reach, identity: int) -> bool:
    """Whether an incident is, by its number."""
    if reach.enterprises is None:
        return True
    async with reaching(service.ledger) as connection:
        owner = await connection.scalar(select(incident.c.enterprise).where(incident.c.id == identity))
    return owner is not None and reach.sees(owner)


async def _desk(service: ServicePort, reach: Reach, request: web.Request) -> bool:
    return sees_desk(service, reach, request.match_info.get("id") or request.query.get("desk", ""))


async def _enterprise(_service: ServicePort, reach: Reach, request: web.Request) -> bool:
    return reach.sees(request.match_info.get("enterprise") or request.query.get("enterprise"))


_FINDS: Mapping[Keeps, _Finds] = {
    Keeps.ALARM: _of_enterprise(alarm, alarm.c.enterprise),
    Keeps.INCIDENT: _of_enterprise(incident, incident.c.enterprise),
    Keeps.MAINTENANCE: _of_enterprise(maintenance, maintenance.c.enterprise),
    Keeps.SITE_PLAN: _of_enterprise(site_plan, site_plan.c.enterprise),
    Keeps.ATTACHMENT: _of_incident(attachment),
    Keeps.MESSAGE: _of_incident(message),
    Keeps.CALL_BACK: _of_incident(call_back),
    Keeps.CHANGE: _by_id(
        lambda identity: select(rule_change.c.rules).where(rule_change.c.id == identity),
        lambda _, reach, rules: reach.sees_all(rule["path"] for rule in rules),
    ),
    Keeps.HANDOVER: _by_id(lambda identity: select(handover.c.desk).where(handover.c.id == identity), sees_desk),
    Keeps.DRILL: _by_id(
        lambda identity: select(drill.c.units).where(drill.c.id == identity),
        lambda _, reach, units: reach.sees_all(units),
    ),
    Keeps.DESK: _desk,
    Keeps.ENTERPRISE: _enterprise,
}
