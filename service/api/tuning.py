"""The tuning workbench in a running service: rules as they are, and what other figures would have done."""

import asyncio
from collections.abc import Coroutine
from http import HTTPStatus
from typing import Any, TypeVar

import numpy as np
import orjson

from domain.site import SERVICE_ENTERPRISE, UNIT_TAG, Site
from service.api.catalogue import TagFilter
from service.api.changes import figures_of, refused_edit
from service.api.problems import Problem, unfit_field
from service.api.requests import Nothing
from service.api.routes import PREFIX, Call, Route
from service.api.scopes import beyond
from service.api.tuning_models import MOST_DAYS, Preview, PreviewBody, TuningRuleList, TuningRulesQuery
from service.api.views import KIND_NAMES
from service.changes.control import PreviewRefused
from service.changes.edits import EditRefused
from service.changes.trial import DAY
from service.config.tuned import TUNABLE, Figures

Result = TypeVar("Result")

DEFAULT_DAYS = 7
MINUTE = 60_000
LOOK = 0.2
"""Seconds between two looks whether the caller is still there."""


async def list_tuning_rules(call: Call[Nothing, TuningRulesQuery, Nothing]) -> dict[str, Any]:
    """Tags of a unit with their rules that can be tuned, in the order of their names."""
    query, site = call.query, call.service.site
    if (query.enterprise, query.unit) not in site.units or query.enterprise == SERVICE_ENTERPRISE:
        detail = f"there is no unit {query.enterprise}/{query.unit}; GET {PREFIX}/enterprises lists them"
        raise Problem(HTTPStatus.NOT_FOUND, detail)
    changes = call.service.changes.tuned_by()
    catalogue = call.context.catalogue
    try:
        which = TagFilter(query.enterprise, query.unit, enterprises={query.enterprise})
        indices, after = catalogue.page(which, query.limit, query.after)
    except KeyError:
        detail = "query after: no tag is named so any more. Begin again without it."
        raise Problem(HTTPStatus.BAD_REQUEST, detail) from None
    own = site.tag_index.get(f"{query.enterprise}/{UNIT_TAG}{query.unit}")
    if after is None and own is not None:
        indices.append(own)
    return {"items": [_tag(site, index, changes) for index in indices], "next": after}


async def preview_rules(call: Call[Nothing, Nothing, PreviewBody]) -> dict[str, Any]:
    """What other figures of a tag's rules would have done with its history. Nothing changes."""
    body = call.body
    if not call.reach.sees(body.enterprise):
        raise beyond(call.who.scope)
    begin, end = _stretch(body, call.service.clock.now())
    figures = {rule.key: figures_of(rule) for rule in body.rules}
    tag = f"{body.enterprise}/{body.tag}"
    try:
        tried = call.service.changes.preview(tag, figures, begin, end)
        result, loosened = await _while_there(call, tried)
    except EditRefused as fault:
        raise refused_edit(fault, "rules") from None
    except PreviewRefused as fault:
        raise Problem(HTTPStatus.BAD_REQUEST, f"body days: {fault}") from None
    found: dict[str, Any] = orjson.loads(result)
    return found | {"loosened": list(loosened)}


def _stretch(body: PreviewBody, now: int) -> tuple[int, int]:
    """Beginning and end that are asked for. Raises Problem: it is too long.

    An end that is now is the last full minute, so that who tries one limit after the other sees the same readings.
    """
    end = min(body.end or now, now)
    if body.end is None:
        end -= end % MINUTE
    begin = end - (body.days or DEFAULT_DAYS) * DAY if body.begin is None else body.begin
    if not 0 < end - begin <= MOST_DAYS * DAY:
        remedy = f"Give a beginning in the past, and at most {MOST_DAYS} days."
        raise unfit_field("body", "from", "empty, or too long a time", remedy)
    return begin, end


async def _while_there(call: Call[Any, Any, Any], work: Coroutine[Any, Any, Result]) -> Result:
    """Do it, and give it up when the caller goes away."""
    task = asyncio.ensure_future(work)
    try:
        while not task.done():
            await asyncio.wait([task], timeout=LOOK)
            if not call.is_connected():
                # An answer to nobody, and no fault: who drags a limit gives up one request after the other.
                raise Problem(HTTPStatus.REQUEST_TIMEOUT, "the caller has gone")
        return task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _tag(site: Site, index: int, changes: dict[str, int | None]) -> dict[str, Any]:
    tag = site.tags[index]
    return {
        "enterprise": tag.enterprise,
        "tag": tag.name,
        "unit": tag.unit,
        "description": tag.description,
        "measurand": tag.measurand,
        "engineering_unit": tag.engineering_unit,
        "range": [_finite(tag.low), _finite(tag.high)],
        "period_ms": tag.period,
        "rules": [_rule(site, row, changes) for row in site.rules.of_tag(index) if _is_tunable(site, row)],
    }


def _is_tunable(site: Site, row: int) -> bool:
    return any(kind == site.rules.kind[row] for kind in TUNABLE)


def _rule(site: Site, row: int, changes: dict[str, int | None]) -> dict[str, Any]:
    rule, figures = site.rules.row(row), Figures.of(site, row)
    extra = rule.extra
    inputs = extra.inputs if extra is not None else ()
    return {
        "key": rule.key,
        "kind": KIND_NAMES[rule.kind],
        "level": rule.level.value,
        "setpoint": figures.setpoint,
        "deadband": figures.deadband,
        "on_delay_ms": figures.on_delay,
        "off_delay_ms": figures.off_delay,
        "window_ms": figures.window,
        "engineering_unit": site.tags[inputs[0] if inputs else rule.tag].engineering_unit,
        "default": rule.default,
        "change": changes.get(site.rule_path(row)),
    }


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


_AWAY = HTTPStatus.SERVICE_UNAVAILABLE
ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        f"{PREFIX}/tuning/rules",
        list_tuning_rules,
        "Rules of a unit that can be tuned",
        TuningRuleList,
        errors=(HTTPStatus.NOT_FOUND,),
        tag="changes",
    ),
    Route(
        "POST",
        f"{PREFIX}/tuning/preview",
        preview_rules,
        "What other figures would have done",
        Preview,
        errors=(HTTPStatus.NOT_FOUND, _AWAY),
        tag="changes",
    ),
)
