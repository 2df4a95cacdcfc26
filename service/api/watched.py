"""Who and what is watched: enterprises, gateways, tags and their samples; and how the service itself is."""

import asyncio
from http import HTTPStatus
from typing import Any

import numpy as np

from alerting.ledger import queries
from alerting.ledger.queries import OpenIncident
from domain.clock import iso
from domain.samples import Float64
from historian.protocol import HistorianUnavailable
from service.api.catalogue import TagFilter, tag_view
from service.api.problems import Problem, unavailable, unfit_field
from service.api.reach import region_views
from service.api.requests import Nothing, SamplesQuery, TagPath, TagsQuery
from service.api.routes import Call

DEFAULT_RANGE = 15 * 60_000
MOST_BUCKETS = 10_000
HISTORIAN_PATIENCE = 10.0
"""Seconds that one read may take."""


async def get_health(call: Call[Nothing, Nothing, Nothing]) -> dict[str, Any]:
    """State of the service and of what it stands on."""
    return call.service.health()


async def list_gateways(call: Call[Nothing, Nothing, Nothing]) -> dict[str, Any]:
    """Gateways and whether they are heard."""
    reach = call.reach
    return {"items": [gateway for gateway in call.service.gateways() if reach.sees(gateway["enterprise"])]}


async def list_enterprises(call: Call[Nothing, Nothing, Nothing]) -> dict[str, Any]:
    """Enterprises with their units and the grade of what is open there."""
    site, reach = call.service.site, call.reach
    worst: dict[tuple[str, str], OpenIncident] = {}
    for incident in await queries.open_incidents(call.service.ledger):
        known = worst.get((incident.enterprise, incident.unit))
        if known is None or incident.grade > known.grade:
            worst[incident.enterprise, incident.unit] = incident
    units: dict[str, list[dict[str, Any]]] = {key: [] for key in site.enterprises}
    for key, unit in site.units.items():
        incident_open = worst.get(key)
        units[unit.enterprise].append(
            {
                "id": unit.id,
                "name": unit.name,
                "hazard_level": unit.hazard_level,
                "tags": call.context.catalogue.counts.get(key, 0),
                "tags_without_limits": call.context.catalogue.without_limits.get(key, 0),
                "neighbours": [path for path in unit.neighbours if reach.sees_all([path])],
                "cards": list(unit.cards),
                "modes": call.context.catalogue.modes.get(unit.path, []),
                "rules": call.context.catalogue.unit_rules.get(key, []),
                "grade": incident_open.grade.label if incident_open else None,
                "incident": incident_open.id if incident_open else None,
            }
        )
    gateways = dict.fromkeys(site.enterprises, 0)
    for gateway in site.gateways.values():
        gateways[gateway.enterprise] += 1
    return {
        "regions": region_views(site, reach),
        "items": [
            {
                "id": enterprise.id,
                "name": enterprise.name,
                "region": enterprise.region,
                "region_name": site.regions[enterprise.region].name,
                "units": units[enterprise.id],
                "gateways": gateways[enterprise.id],
            }
            for enterprise in site.enterprises.values()
            if reach.sees(enterprise.id)
        ],
    }


async def list_tags(call: Call[Nothing, TagsQuery, Nothing]) -> dict[str, Any]:
    """Measured points with their limits and newest readings, in the order of their names."""
    query, site, latest = call.query, call.service.site, call.service.latest
    which = TagFilter(
        query.enterprise, query.unit, query.measurand, query.without_limits, enterprises=call.reach.enterprises
    )
    try:
        indices, after = call.context.catalogue.page(which, query.limit, query.after)
    except KeyError:
        raise Problem(
            HTTPStatus.BAD_REQUEST, "query after: no tag is named so any more. Begin again without it."
        ) from None
    tags = [site.tags[index] for index in indices]
    conditions = await queries.conditions_in(
        call.service.ledger, {tag.enterprise for tag in tags}, {tag.name for tag in tags}
    )
    items = [
        tag_view(site, index, latest, conditions.get((tag.enterprise, tag.name), set()))
        for index, tag in zip(indices, tags, strict=True)
    ]
    return {"items": items, "next": after}


async def get_samples(call: Call[TagPath, SamplesQuery, Nothing]) -> dict[str, Any]:
    """History of a tag, raw or in buckets."""
    path = f"{call.path.enterprise}/{call.path.tag}"
    index = call.service.site.tag_index.get(path)
    if index is None or call.service.site.tags[index].system:
        raise Problem(HTTPStatus.NOT_FOUND, "the site file has no such tag; GET /api/v1/tags lists them")
    start, end = _stretch(call.query, call.service.clock.now())
    head = {"tag": call.path.tag, "engineering_unit": call.service.site.tags[index].engineering_unit}
    try:
        async with asyncio.timeout(HISTORIAN_PATIENCE):
            if call.query.bucket is None:
                return head | await _raw(call, path, start, end)
            return head | await _buckets(call, path, start, end, call.query.bucket)
    except HistorianUnavailable as fault:
        remedy = fault.remedy or "try again when /api/v1/health shows the historian as ok"
        raise unavailable(f"the historian is unavailable; {remedy}") from fault
    except TimeoutError as fault:
        raise unavailable("the historian did not answer in time; ask for a shorter time or try again") from fault


def _stretch(query: SamplesQuery, now: int) -> tuple[int, int]:
    """Beginning and end that are asked for. Raises Problem: too many buckets for one answer."""
    end = now if query.end is None else query.end
    start = max(end - DEFAULT_RANGE, 0) if query.start is None else query.start
    length = end - start
    if length <= 0:
        raise unfit_field("query", "end", "not after start", "Give an end after the start.")
    if query.bucket is not None and length > query.bucket * MOST_BUCKETS:
        least = -(-length // MOST_BUCKETS)
        raise unfit_field(
            "query", "bucket", f"more than {MOST_BUCKETS} buckets", f"Give a bucket of at least {_rounded(least)}."
        )
    return start, end


def _rounded(milliseconds: int) -> str:
    return f"{-(-milliseconds // 1000)}s"


async def _raw(call: Call[TagPath, SamplesQuery, Nothing], path: str, start: int, end: int) -> dict[str, Any]:
    limit = call.query.limit
    samples = await call.service.historian.read(path, start, end, limit + 1)
    return {
        "samples": [
            {"t": iso(time), "received": iso(received), "v": value, "q": quality}
            for time, received, value, quality in zip(
                samples.source_time[:limit].tolist(),
                samples.received_time[:limit].tolist(),
                _finite(samples.value[:limit]),
                samples.quality[:limit].tolist(),
                strict=True,
            )
        ],
        "truncated": len(samples) > limit,
    }


async def _buckets(
    call: Call[TagPath, SamplesQuery, Nothing], path: str, start: int, end: int, bucket: int
) -> dict[str, Any]:
    found = await call.service.historian.read_buckets(path, start, end, bucket)
    return {
        "buckets": [
            {"t": iso(time), "min": low, "max": high, "mean": mean, "count": count, "q": quality}
            for time, low, high, mean, count, quality in zip(
                found.time.tolist(),
                _finite(found.minimum),
                _finite(found.maximum),
                _finite(found.mean),
                found.count.tolist(),
                found.quality.tolist(),
                strict=True,
            )
        ]
    }


def _finite(values: Float64) -> list[float | None]:
    """As a list; None where there is no value."""
    listed: list[float | None] = values.tolist()
    for hole in np.flatnonzero(~np.isfinite(values)).tolist():
        listed[hole] = None
    return listed
