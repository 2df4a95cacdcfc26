"""Key figures over HTTP."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from alerting.kpi.selection import Period
from alerting.kpi.targets import Targets
from domain.clock import iso
from domain.site import Site
from service.api.ports import ServicePort
from service.api.problems import Problem
from service.api.reach import Reach
from service.api.records_models import LONGEST, BadActors, KeyFigures, KpiQuery
from service.api.requests import Nothing
from service.api.routes import PREFIX, Call, Route
from service.api.scopes import beyond, sees_desk
from service.kpi import Chosen

_THIRTY_DAYS = 30 * 86_400_000
_BAD_ACTORS = ("scope", "id", "name", "start", "end", "top_ten", "top_ten_share", "chattering", "fleeting",
               "stale_per_day", "standing")  # fmt: skip


async def get_key_figures(call: Call[Nothing, KpiQuery, Nothing]) -> dict[str, Any]:
    """Key figures of a desk, an enterprise, a region or all, over a period. Graded from 30 days on."""
    shown = figures_view(await figures_of(call), call.service.site)
    return shown | {"targets": targets_view(call.service.key_figures.targets)}


def targets_view(targets: Targets) -> dict[str, Any]:
    """``records_models.KpiTargets``."""
    shares = targets.priorities
    return {
        "average": targets.average.acceptable,
        "manageable": targets.average.manageable,
        "busy_above": targets.busy.above,
        "busy": targets.busy.share_below,
        "flood": targets.flood.share_below,
        "top_ten": targets.top_ten.share_at_most,
        "fleeting_within": targets.fleeting.within,
        "stale": targets.stale.per_day_below,
        "priorities": {"blue": shares.blue, "yellow": shares.yellow, "orange": shares.orange, "red": shares.red},
        "online": targets.online.at_least,
    }


async def get_bad_actors(call: Call[Nothing, KpiQuery, Nothing]) -> dict[str, Any]:
    """Conditions that alarm more than they should: the ten most frequent, chattering, fleeting, stale, standing."""
    shown = figures_view(await figures_of(call), call.service.site)
    return {name: shown[name] for name in _BAD_ACTORS}


def figures_view(figures: Mapping[str, Any], site: Site) -> dict[str, Any]:
    """``records_models.KeyFigures``."""

    def described(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        shown = []
        for row in rows:
            index = site.tag_index.get(row["path"].rpartition("/")[0])
            tag = None if index is None else site.tags[index]
            shown.append(row | {"unit": tag.unit if tag else "", "description": tag.description if tag else ""})
        return shown

    standing = figures["standing"]
    return {
        **figures,
        "start": iso(figures["start"]),
        "end": iso(figures["end"]),
        "floods": [
            {**flood, "began_at": iso(flood["began_at"]), "ended_at": iso(flood["ended_at"])}
            for flood in figures["floods"]
        ],
        "top_ten": described(figures["top_ten"]),
        "chattering": described(figures["chattering"]),
        "fleeting": described(figures["fleeting"]),
        "standing": {
            **standing,
            "longest": [row | {"since": iso(row["since"])} for row in described(standing["longest"])],
        },
        "per_day": [{**day, "start": iso(day["start"])} for day in figures["per_day"]],
    }


async def figures_of(call: Call[Nothing, KpiQuery, Nothing]) -> dict[str, Any]:
    """The figures that a query asks for. Raises NotFound, Problem, LedgerUnavailable."""
    service, query = call.service, call.query
    chosen = choose(service, query, call.reach)
    return await service.key_figures.of(chosen, await period_of(service, query), service.clock.now())


def choose(service: ServicePort, query: KpiQuery, reach: Reach) -> Chosen:
    """The scope that is asked for; ``all`` is all that the caller sees. Raises NotFound, Problem."""
    scope = query.scope
    if scope == "all" and not reach.scope.is_whole:
        bound = reach.scope
        return service.scopes().choose(
            "region" if bound.region is not None else "enterprise", bound.region or bound.enterprise
        )
    chosen = service.scopes().choose(scope, query.id)
    if not sees_scope(service, chosen, reach):
        raise beyond(reach.scope)
    return chosen


def sees_scope(service: ServicePort, chosen: Chosen, reach: Reach) -> bool:
    """Whether all of a scope is seen."""
    match chosen.scope:
        case "enterprise":
            return reach.sees(chosen.id)
        case "region":
            return reach.sees_regions([chosen.id])
        case "desk":
            return sees_desk(service, reach, chosen.id)
        case _:
            return reach.scope.is_whole


async def period_of(service: ServicePort, query: KpiQuery) -> Period:
    """The period of a query, as far as the journal goes. Raises NotFound, Problem, LedgerUnavailable."""
    now = service.clock.now()
    end = now if query.end is None else query.end
    start = max(end - _THIRTY_DAYS, 0) if query.start is None else query.start
    if not 0 < end - start <= LONGEST:
        detail = (
            "query start: the period is empty or longer than 400 days. Give start before end, and a shorter period."
        )
        raise Problem(HTTPStatus.BAD_REQUEST, detail)
    return await service.key_figures.covered(Period(start, end), now)


_NOT_FOUND, _AWAY = HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE
ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        f"{PREFIX}/kpi",
        get_key_figures,
        "Key figures",
        KeyFigures,
        errors=(_NOT_FOUND, _AWAY),
        tag="records",
    ),
    Route(
        "GET",
        f"{PREFIX}/kpi/bad-actors",
        get_bad_actors,
        "Bad actors",
        BadActors,
        errors=(_NOT_FOUND, _AWAY),
        tag="records",
    ),
)
