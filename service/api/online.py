"""Daily online rate 在线率 of gateways over HTTP."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any

from alerting.kpi.online import Day, Links, read_links, together, window
from domain.clock import iso
from domain.site import SERVICE_ENTERPRISE, Enterprise
from service.api.online_models import (
    EnterpriseDaysList,
    EnterpriseOnline,
    EnterprisePath,
    OnlineListQuery,
    OnlineQuery,
)
from service.api.problems import Problem
from service.api.regions import regions_below
from service.api.requests import Nothing
from service.api.routes import PREFIX, Call, Route


async def get_enterprise_online(call: Call[EnterprisePath, OnlineQuery, Nothing]) -> dict[str, Any]:
    """Share of each local day in which an enterprise's gateways were there, and of each of them."""
    enterprise = call.service.site.enterprises.get(call.path.enterprise)
    if enterprise is None or enterprise.id == SERVICE_ENTERPRISE:
        raise Problem(HTTPStatus.NOT_FOUND, "there is no such enterprise; GET /api/v1/enterprises lists them")
    links = await _links(call, [enterprise], call.query.days)
    gateways = _of_gateways(call, {enterprise.id}, links).get(enterprise.id, {})
    names = {
        gateway.id: gateway.name
        for gateway in call.service.site.gateways.values()
        if gateway.enterprise == enterprise.id
    }
    return _whole(enterprise, links, gateways) | {
        "gateways": [
            {"gateway": gateway, "name": names[gateway], "rate": _rate(days), "days": [_day(day) for day in days]}
            for gateway, days in gateways.items()
        ]
    }


async def list_enterprises_online(call: Call[Nothing, OnlineListQuery, Nothing]) -> dict[str, Any]:
    """Share of each local day in which the gateways of enterprises were there."""
    query, site, reach = call.query, call.service.site, call.reach
    regions = regions_below(site, query.region)
    chosen = [
        enterprise
        for enterprise in site.enterprises.values()
        if enterprise.id != SERVICE_ENTERPRISE
        and reach.sees(enterprise.id)
        and query.enterprise in {None, enterprise.id}
        and (regions is None or enterprise.region in regions)
    ]
    links = await _links(call, chosen, query.days)
    gateways = _of_gateways(call, {enterprise.id for enterprise in chosen}, links)
    return {"items": [_whole(enterprise, links, gateways.get(enterprise.id, {})) for enterprise in chosen]}


async def _links(call: Call[Any, Any, Any], enterprises: Sequence[Enterprise], days: int) -> Links:
    start, now = window(call.service.clock.now(), days)
    return await read_links(call.service.ledger, {enterprise.id for enterprise in enterprises}, start, now)


def _of_gateways(
    call: Call[Any, Any, Any], enterprises: Collection[str], links: Links
) -> dict[str, dict[str, list[Day]]]:
    """Days of gateways by enterprise and id, in the order of the configuration."""
    found: dict[str, dict[str, list[Day]]] = {}
    for shown in call.service.gateways():
        if shown["enterprise"] in enterprises:
            never = _heard(shown["last_heard"]) if shown["status"] == "unknown" else None
            path = f"{shown['enterprise']}/@{shown['gateway']}/LINK"
            found.setdefault(shown["enterprise"], {})[shown["gateway"]] = links.days(path, never)
    return found


def _heard(told: str | None) -> int:
    """In ms; 0: never."""
    return 0 if told is None else round(datetime.fromisoformat(told).timestamp() * 1000)


def _whole(enterprise: Enterprise, links: Links, gateways: Mapping[str, Sequence[Day]]) -> dict[str, Any]:
    days = together(list(gateways.values()))
    return {
        "enterprise": enterprise.id,
        "start": iso(links.start),
        "end": iso(links.end),
        "rate": _rate(days),
        "days": [_day(day) for day in days],
    }


def _rate(days: Sequence[Day]) -> float | None:
    known = sum(day.known for day in days)
    return sum(day.online for day in days) / known if known else None


def _day(day: Day) -> dict[str, Any]:
    return {"date": day.date.isoformat(), "known_ms": day.known, "online_ms": day.online, "rate": day.rate}


_NOT_FOUND, _AWAY = HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE
ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        f"{PREFIX}/enterprises/{{enterprise}}/online",
        get_enterprise_online,
        "Daily online rate of an enterprise",
        EnterpriseOnline,
        errors=(_NOT_FOUND, _AWAY),
        tag="sites",
    ),
    Route(
        "GET",
        f"{PREFIX}/online",
        list_enterprises_online,
        "Daily online rate of enterprises",
        EnterpriseDaysList,
        errors=(_AWAY,),
        tag="sites",
    ),
)
