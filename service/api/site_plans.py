"""Site plans over HTTP: an image in, checked by its content; out again under its own type and nothing else."""

import asyncio
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import structlog
from aiohttp import web

from alerting.alarms.register import Register
from alerting.records import Change
from alerting.siteplans.images import LARGEST
from alerting.siteplans.pictures import PictureRefused
from alerting.siteplans.plans import Place, Signed, SitePlan
from domain.clock import iso
from domain.site import GATEWAY_UNIT, SERVICE_ENTERPRISE
from service.api.authentication import caller_of
from service.api.caching import NOT_MODIFIED, is_kept, kept_headers
from service.api.ports import ServicePort
from service.api.problems import Problem
from service.api.requests import Nothing, Signature
from service.api.routes import PREFIX, Call, Route, checked, checked_query, respond
from service.api.sending import send_file
from service.api.site_plans_models import (
    NewSitePlan,
    SitePlanList,
    SitePlanPath,
    SitePlanRemoved,
    SitePlansQuery,
    SitePlanTags,
    SitePlanTitle,
    SitePlanView,
)

PLANS = f"{PREFIX}/site-plans"
IMAGE = f"{PREFIX}/site-plans/{{id}}/image"
TYPES = ("image/png", "image/jpeg", "image/webp")
PATIENCE = 180.0
"""Seconds that a caller has to send an image: 10 MB over a poor mobile line [ours]."""
AT_ONCE = 3
"""Images that are received at the same time; further ones wait [ours]."""

log = structlog.get_logger(__name__)


async def list_site_plans(call: Call[Nothing, SitePlansQuery, Nothing]) -> dict[str, Any]:
    """Site plans of an enterprise, with the places of the tags on them."""
    _refuse_unknown(call.service, call.query.enterprise, None)
    return {"items": [view(plan) for plan in call.service.site_plans.of(call.query.enterprise)]}


async def rename_site_plan(call: Call[SitePlanPath, Nothing, SitePlanTitle]) -> dict[str, Any]:
    """Give a site plan another title."""
    body = call.body
    signed = _signed(call.service, call.caller, body, call.service.site_plans.find(call.path.id).enterprise)
    return view(
        await call.service.act(
            lambda _register, now, change: call.service.site_plans.rename(call.path.id, body.title, signed, now, change)
        )
    )


async def place_site_plan_tags(call: Call[SitePlanPath, Nothing, SitePlanTags]) -> dict[str, Any]:
    """Place tags on a site plan, move them and take them off, all at once or not at all."""
    service, body = call.service, call.body
    plan = service.site_plans.find(call.path.id)
    for one in body.place:
        index = service.site.tag_index.get(f"{plan.enterprise}/{one.tag}")
        if index is None or service.site.tags[index].system:
            raise Problem(
                HTTPStatus.CONFLICT, f"the enterprise has no tag {one.tag!r}; GET {PREFIX}/tags lists its tags"
            )
    placed = {one.tag: Place(one.x, one.y) for one in body.place}
    signed = _signed(service, call.caller, body, plan.enterprise)

    def act(_register: Register, now: int, change: Change) -> SitePlan:
        return service.site_plans.arrange(plan.id, body.version, placed, body.remove, signed, now, change)

    return view(await service.act(act))


async def remove_site_plan(call: Call[SitePlanPath, Nothing, Signature]) -> dict[str, Any]:
    """Show a site plan no more. The journal and the file stay."""
    signed = _signed(call.service, call.caller, call.body, call.service.site_plans.find(call.path.id).enterprise)
    await call.service.act(
        lambda _register, now, change: call.service.site_plans.remove(call.path.id, signed, now, change)
    )
    return {"id": call.path.id}


class SitePlanImages:
    """Upload, and the image."""

    def __init__(self, service: ServicePort) -> None:
        self._service = service
        self._gate = asyncio.Semaphore(AT_ONCE)

    def register(self, app: web.Application) -> None:
        """Add both to an application."""
        app.router.add_post(PLANS, self.upload, name="add_site_plan")
        app.router.add_get(IMAGE, self.image, name="get_site_plan_image", allow_head=False)

    async def upload(self, request: web.Request) -> web.Response:
        """Take an image, put it on disk, and on record."""
        service = self._service
        given = checked_query(request, NewSitePlan)
        _refuse_unknown(service, given.enterprise, given.unit)
        if request.content_type not in {*TYPES, "application/octet-stream"}:
            detail = f"send the image itself as the body, with Content-Type: {', '.join(TYPES)}"
            raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail)
        service.site_plans.refuse_more(given.enterprise)
        try:
            async with asyncio.timeout(PATIENCE), self._gate:
                data = await _read(request)
                image = await asyncio.to_thread(service.site_plan_images.keep, data)
        except TimeoutError:
            raise Problem(HTTPStatus.REQUEST_TIMEOUT, "the image did not arrive in time; send it again") from None
        except PictureRefused as refusal:
            raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, str(refusal)) from None
        except ConnectionError:
            raise
        except OSError as fault:
            log.exception("a site plan could not be stored")
            detail = f"the image cannot be stored on the service's disk ({fault.strerror}); nothing is added"
            raise Problem(HTTPStatus.INSUFFICIENT_STORAGE, detail) from None
        caller = caller_of(request)
        signed = _signed(service, caller.name, caller.sign(given), given.enterprise)

        def act(_register: Register, now: int, change: Change) -> SitePlan:
            return service.site_plans.add(given.enterprise, given.unit, given.title, image, signed, now, change)

        return respond(view(await service.act(act)))

    async def image(self, request: web.Request) -> web.StreamResponse:
        """The image. Nothing in it can run, whatever it pretends to be."""
        service = self._service
        identity = checked("path", SitePlanPath, dict(request.match_info)).id
        checked_query(request, Nothing)
        plan = service.site_plans.find(identity)
        path = service.site_plan_images.path(plan.image.sha256)
        if not await asyncio.to_thread(path.is_file):
            detail = (
                f"the image of site plan {identity} is not on the service's disk; restore {path.name} from a backup"
            )
            raise Problem(HTTPStatus.NOT_FOUND, detail)
        headers = {
            "Content-Type": plan.image.type,
            "Content-Disposition": f"inline; filename*=UTF-8''{quote(f'site-plan-{identity}', safe='')}",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cross-Origin-Resource-Policy": "same-origin",
            **kept_headers(plan.image.sha256),
        }
        if is_kept(request, plan.image.sha256):
            return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
        return await send_file(request, path, headers)


def view(plan: SitePlan) -> dict[str, Any]:
    """The document of ``SitePlanView``."""
    image = plan.image
    return {
        "id": plan.id,
        "enterprise": plan.enterprise,
        "unit": plan.unit,
        "title": plan.title,
        "type": image.type,
        "size": image.size,
        "sha256": image.sha256,
        "width": image.width,
        "height": image.height,
        "by": plan.by,
        "at": iso(plan.at),
        "version": plan.version,
        "tags": [{"tag": tag, "x": place.x, "y": place.y} for tag, place in sorted(plan.tags.items())],
    }


def _signed(service: ServicePort, actor: str, given: Signature, enterprise: str) -> Signed:
    known = enterprise in service.site.enterprises
    return Signed(actor, given.name, given.comment, service.site.region_of(enterprise) if known else "")


def _refuse_unknown(service: ServicePort, enterprise: str, unit: str | None) -> None:
    """Raise Problem if the site has no such enterprise or unit."""
    if enterprise not in service.site.enterprises or enterprise == SERVICE_ENTERPRISE:
        raise Problem(HTTPStatus.NOT_FOUND, f"there is no such enterprise; GET {PREFIX}/enterprises lists them")
    if unit is not None and (unit == GATEWAY_UNIT or (enterprise, unit) not in service.site.units):
        raise Problem(HTTPStatus.NOT_FOUND, f"the enterprise has no such unit; GET {PREFIX}/enterprises lists them")


async def _read(request: web.Request) -> bytes:
    too_large = Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"send an image of at most {LARGEST:,} bytes; make it smaller"
    )
    if (request.content_length or 0) > LARGEST:
        raise too_large
    data = bytearray()
    async for chunk in request.content.iter_any():
        data += chunk
        if len(data) > LARGEST:
            raise too_large
    return bytes(data)


def operations(parameters: Any, problems: Any, reference: str) -> dict[str, dict[str, Any]]:
    """Both as the OpenAPI document has them, by path. ``problems``: answers of a set of statuses."""
    content = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in TYPES}
    common = {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.SERVICE_UNAVAILABLE,
    }
    sending = {
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.CONFLICT,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.INSUFFICIENT_STORAGE,
    }
    answer = {"application/json": {"schema": {"$ref": reference}}}
    return {
        PLANS: {
            "post": {
                "operationId": "add_site_plan",
                "summary": "Add a site plan",
                "description": "The body is the image. What it is, its content says. Its size is limited.",
                "tags": ["sites"],
                "parameters": parameters("query", NewSitePlan),
                "requestBody": {"required": True, "content": content},
                "responses": {"200": {"description": "Done.", "content": answer}, **problems(common | sending)},
            }
        },
        IMAGE: {
            "get": {
                "operationId": "get_site_plan_image",
                "summary": "Image of a site plan",
                "description": "It may be kept: ask with `If-None-Match`.",
                "tags": ["sites"],
                "parameters": parameters("path", SitePlanPath),
                "responses": {
                    "200": {"description": "The image.", "content": content},
                    "304": NOT_MODIFIED,
                    **problems(common),
                },
            }
        },
    }


_NOT_FOUND, _CONFLICT, _AWAY = HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE
ROUTES = (
    Route("GET", PLANS, list_site_plans, "Site plans", SitePlanList, tag="sites", errors=(_NOT_FOUND,)),
    Route(
        "POST",
        f"{PLANS}/{{id}}/rename",
        rename_site_plan,
        "Rename a site plan",
        SitePlanView,
        tag="sites",
        errors=(_NOT_FOUND, _CONFLICT, _AWAY),
    ),
    Route(
        "POST",
        f"{PLANS}/{{id}}/tags",
        place_site_plan_tags,
        "Place tags on a site plan",
        SitePlanView,
        tag="sites",
        errors=(_NOT_FOUND, _CONFLICT, _AWAY),
    ),
    Route(
        "POST",
        f"{PLANS}/{{id}}/remove",
        remove_site_plan,
        "Remove a site plan",
        SitePlanRemoved,
        tag="sites",
        errors=(_NOT_FOUND, _CONFLICT, _AWAY),
    ),
)
