"""搜索: tags, places, alarms and incidents by a part of a name or by number."""

import asyncio
from collections.abc import Callable, Collection
from heapq import nsmallest
from http import HTTPStatus
from typing import Any, TypeVar

from alerting.ledger import queries, searching
from alerting.ledger.searching import Sought
from domain.scales import Grade
from domain.site import SERVICE_ENTERPRISE, Site
from service.api.reach import Reach
from service.api.regions import regions_below
from service.api.requests import Nothing
from service.api.routes import PREFIX, Call, Route
from service.api.search_models import SearchQuery, SearchResult
from service.api.searching import MOST_PLACES, enterprises_in, enterprises_named, units_named

Key = TypeVar("Key")


async def search(call: Call[Nothing, SearchQuery, Nothing]) -> dict[str, Any]:
    """Whatever has the text in its name, by kind; what stands open first, the gravest before the rest."""
    query, site = call.query, call.service.site
    within = _within(site, query, call.reach)

    def inside(enterprise: str) -> bool:
        return within is None or enterprise in within

    enterprises = [key for key in enterprises_named(site, query.text) if inside(key) and key != SERVICE_ENTERPRISE]
    units = [key for key in units_named(site, query.text) if inside(key[0]) and key[0] != SERVICE_ENTERPRISE]
    sought = Sought(query.text, enterprises[:MOST_PLACES], units[:MOST_PLACES], within)
    found = await searching.search(call.service.ledger, sought, query.limit)
    grades: dict[tuple[str, str], tuple[Grade, int]] = {}
    for incident in await queries.open_incidents(call.service.ledger):
        place, standing = (incident.enterprise, incident.unit), (incident.grade, incident.id)
        grades[place] = max(grades.get(place, standing), standing)
    worst: dict[str, Grade] = {}
    for (enterprise, _), (grade, _) in grades.items():
        worst[enterprise] = max(worst.get(enterprise, grade), grade)
    # A site may have 440,000 tags.
    tags = await asyncio.to_thread(_tags, site, query.text, query.limit + 1, inside)
    views = call.context.views
    return {
        "enterprises": _group(
            sorted(enterprises, key=lambda key: -worst.get(key, 0)),
            query.limit,
            lambda key: _enterprise(site, key, worst),
        ),
        "units": _group(
            sorted(units, key=lambda key: -grades.get(key, (0, 0))[0]),
            query.limit,
            lambda key: _unit(site, key, grades.get(key)),
        ),
        "tags": _group(tags, query.limit, lambda index: _tag(site, index)),
        "incidents": {"items": [views.incident(one) for one in found.incidents], "more": found.more_incidents},
        "alarms": {"items": [views.alarm(one) for one in found.alarms], "more": found.more_alarms},
    }


def _within(site: Site, query: SearchQuery, reach: Reach) -> Collection[str] | None:
    """Enterprises that count; None: all."""
    regions = regions_below(site, query.region)
    inside = reach.enterprises
    if regions is not None:
        inside = frozenset(enterprises_in(site, regions)) & (site.enterprises.keys() if inside is None else inside)
    if query.enterprise is None:
        return inside
    return {query.enterprise} if inside is None else inside & {query.enterprise}


def _tags(site: Site, text: str, limit: int, inside: Callable[[str], bool]) -> list[int]:
    """Tags with the text, those that it fits best first."""
    wanted = text.casefold()
    ranked: list[tuple[int, str, int]] = []
    for index, tag in enumerate(site.tags):
        name = tag.name.casefold()
        if wanted not in name and wanted not in tag.description.casefold():
            continue
        if not tag.system and inside(tag.enterprise):
            rank = 0 if name == wanted else 1 if name.startswith(wanted) else 2 if wanted in name else 3
            ranked.append((rank, tag.path, index))
    return [index for _, _, index in nsmallest(limit, ranked)]


def _group(keys: Collection[Key], limit: int, view: Callable[[Key], dict[str, Any]]) -> dict[str, Any]:
    return {"items": [view(key) for key in list(keys)[:limit]], "more": len(keys) > limit}


def _enterprise(site: Site, key: str, worst: dict[str, Grade]) -> dict[str, Any]:
    enterprise = site.enterprises[key]
    region = site.regions.get(enterprise.region)
    return {
        "enterprise": key,
        "enterprise_name": enterprise.name,
        "region": enterprise.region,
        "region_name": enterprise.region if region is None else region.name,
        "grade": worst[key].label if key in worst else None,
    }


def _unit(site: Site, key: tuple[str, str], standing: tuple[Grade, int] | None) -> dict[str, Any]:
    return _place(site, *key) | {
        "grade": None if standing is None else standing[0].label,
        "incident": None if standing is None else standing[1],
    }


def _tag(site: Site, index: int) -> dict[str, Any]:
    tag = site.tags[index]
    return _place(site, tag.enterprise, tag.unit) | {"tag": tag.name, "description": tag.description}


def _place(site: Site, enterprise: str, unit: str) -> dict[str, Any]:
    known = site.units.get((enterprise, unit))
    return {
        "enterprise": enterprise,
        "enterprise_name": site.enterprises[enterprise].name,
        "unit": unit,
        "unit_name": unit if known is None else known.name,
    }


ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        f"{PREFIX}/search",
        search,
        "Search",
        SearchResult,
        errors=(HTTPStatus.SERVICE_UNAVAILABLE,),
        tag="records",
    ),
)
