"""一张图: outlines and positions. What is wrong there, alarms and incidents say."""

from typing import Any

from domain.places import Position, Wind
from domain.site import GATEWAY_UNIT, SERVICE_ENTERPRISE, Site
from service.api.map_models import SiteMap
from service.api.reach import region_views
from service.api.requests import Nothing
from service.api.routes import PREFIX, Call, Route

DIGITS = 6
"""Decimals of a degree: a tenth of a metre."""


async def get_map(call: Call[Nothing, Nothing, Nothing]) -> dict[str, Any]:
    """Outlines, and where enterprises and units are: it changes with the configuration, so ask with `If-None-Match`."""
    site, reach = call.service.site, call.reach
    units: dict[str, list[dict[str, Any]]] = {key: [] for key in site.enterprises}
    for unit in site.units.values():
        if unit.id == GATEWAY_UNIT or unit.enterprise == SERVICE_ENTERPRISE or not reach.sees(unit.enterprise):
            continue
        wind = unit.wind or site.enterprises[unit.enterprise].wind
        units[unit.enterprise].append(
            {
                "id": unit.id,
                "name": unit.name,
                "hazard_level": unit.hazard_level,
                "position": _position(unit.position),
                "wind": _wind(site, unit.enterprise, wind),
            }
        )
    return {
        "datum": site.map.datum,
        "outlines": [
            {
                "name": outline.name,
                "kind": outline.kind,
                "region": outline.region,
                "enterprise": outline.enterprise,
                "area": outline.is_area,
                "paths": [[round(number, DIGITS) for number in path] for path in outline.paths],
            }
            for outline in site.map.outlines
            if (outline.enterprise is None or reach.sees(outline.enterprise))
            and (outline.region is None or reach.shows_region(outline.region))
        ],
        "tiles": _tiles(site),
        "regions": region_views(site, reach),
        "enterprises": [
            {
                "id": enterprise.id,
                "name": enterprise.name,
                "region": enterprise.region,
                "position": _position(enterprise.position),
                "wind": _wind(site, enterprise.id, enterprise.wind),
                "units": units[enterprise.id],
            }
            for enterprise in site.enterprises.values()
            if enterprise.id != SERVICE_ENTERPRISE and reach.sees(enterprise.id)
        ],
    }


def _tiles(site: Site) -> dict[str, Any] | None:
    tiles = site.map.tiles
    return None if tiles is None else {"url": tiles.url, "attribution": tiles.attribution, "deepest": tiles.deepest}


def _position(position: Position | None) -> dict[str, float] | None:
    if position is None:
        return None
    return {"longitude": round(position.longitude, DIGITS), "latitude": round(position.latitude, DIGITS)}


def _wind(site: Site, enterprise: str, wind: Wind | None) -> dict[str, Any] | None:
    if wind is None:
        return None
    tags = [site.tags[site.tag_index[f"{enterprise}/{name}"]] for name in (wind.speed, wind.direction)]
    return {"speed": wind.speed, "direction": wind.direction, "period_ms": max(tag.period for tag in tags)}


ROUTES = (
    Route(
        "GET",
        f"{PREFIX}/map",
        get_map,
        "Map",
        SiteMap,
        tag="sites",
        is_cacheable=True,
    ),
)
