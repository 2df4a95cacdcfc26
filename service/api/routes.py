"""Routes, each declared once: what is registered with aiohttp and what the OpenAPI document says come from here."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any, Generic, TypeVar, get_args, get_type_hints

import orjson
from aiohttp import web
from pydantic import BaseModel, ValidationError

from service.accounts import Role
from service.api.access import NAMES_ANOTHER
from service.api.authentication import COOKIE, Caller, caller_of
from service.api.caching import kept
from service.api.catalogue import Catalogue
from service.api.ports import ServicePort
from service.api.problems import Problem, invalid, unfit_field
from service.api.reach import Reach, reach_of
from service.api.requests import Nothing, Request
from service.api.throttle import Throttle
from service.api.views import Views

Path = TypeVar("Path", bound=Request)
Query = TypeVar("Query", bound=Request)
Body = TypeVar("Body", bound=Request)
Model = TypeVar("Model", bound=Request)

PREFIX = "/api/v1"
_BODY_PATIENCE = 10.0
"""Seconds that a caller has to send its body."""
_LARGE_BODY_PATIENCE = 120.0
"""As above, for a body that may be larger than others [ours]."""


@dataclass(slots=True)
class Context:
    """What handlers work with. ``views`` and ``catalogue`` are replaced when the service watches another site."""

    service: ServicePort
    views: Views
    catalogue: Catalogue
    proxies: frozenset[str] = frozenset()
    """Addresses of reverse proxies."""
    wrong_codes: Throttle = field(default_factory=lambda: Throttle(10, 100, 60_000, 1_000))
    """Wrong one-time codes within a minute, from one address and from all; ms that the latter slow everybody [ours]."""


@dataclass(frozen=True, slots=True)
class Cookie:
    """A session's token for the browser to keep; ``seconds`` 0: to be forgotten."""

    token: str
    seconds: int

    def put_into(self, response: web.Response, request: web.Request) -> None:
        """Scripts cannot read it, and no other site's page sends it. Over TLS it is never sent without."""
        if not self.seconds:
            response.del_cookie(COOKIE, path="/")
            return
        secure = request.secure or request.headers.get("X-Forwarded-Proto", "").lower() == "https"
        response.set_cookie(
            COOKIE, self.token, max_age=self.seconds, path="/", httponly=True, samesite="Strict", secure=secure
        )


NOBODY = Caller("", Role.VIEWER)
"""Who calls where nobody is asked who he is."""


@dataclass(frozen=True, slots=True)
class Call(Generic[Path, Query, Body]):
    """One request, checked."""

    context: Context
    who: Caller
    path: Path
    query: Query
    body: Body
    remote: str = ""
    """Address that the request comes from: before the proxies that are known."""
    is_connected: Callable[[], bool] = lambda: True
    """Whether the caller still waits for the answer."""
    cookies: list[Cookie] = field(default_factory=list)
    """What the answer sets."""

    @property
    def caller(self) -> str:
        """Name of the account or the bearer token; empty where none is asked for."""
        return self.who.name

    @property
    def reach(self) -> Reach:
        """What the caller sees."""
        return reach_of(self.service.site, self.who.scope)

    @property
    def service(self) -> ServicePort:
        """The service behind the API."""
        return self.context.service


Handler = Callable[[Call[Any, Any, Any]], Awaitable[Mapping[str, Any]]]


@dataclass(frozen=True)
class Route:
    """One operation with JSON in and out.

    Path, query and body are what the handler's annotation ``Call[Path, Query, Body]`` says. ``errors``: statuses
    beside those that any operation of its kind may answer.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    response: type[BaseModel]
    tag: str
    """Chapter of the OpenAPI document."""
    errors: tuple[HTTPStatus, ...] = ()
    is_open: bool = False
    """Nobody is asked who he is."""
    is_cacheable: bool = False
    """The caller may keep the answer, and ask whether it still holds."""
    largest: int | None = None
    """Bytes of a body; None: as for any."""
    path_model: type[Request] = field(init=False)
    query: type[Request] = field(init=False)
    body: type[Request] = field(init=False)

    def __post_init__(self) -> None:
        models = get_args(get_type_hints(self.handler)["call"])
        for name, model in zip(("path_model", "query", "body"), models, strict=True):
            object.__setattr__(self, name, model)

    @property
    def operation(self) -> str:
        """Operation id: the handler's name."""
        return str(getattr(self.handler, "__name__", ""))

    def register(self, app: web.Application, context: Context) -> None:
        """Add the operation to an application."""

        async def handle(request: web.Request) -> web.Response:
            path = checked("path", self.path_model, dict(request.match_info))
            query = checked("query", self.query, query_of(request))
            body = await self._body_of(request)

            def is_connected() -> bool:
                return request.transport is not None and not request.transport.is_closing()

            who = NOBODY if self.is_open else caller_of(request)
            signed = body if self.operation in NAMES_ANOTHER else who.sign(body)
            call = Call(context, who, path, query, signed, address_of(request, context.proxies), is_connected)
            response = respond(await self.handler(call))
            for cookie in call.cookies:
                cookie.put_into(response, request)
            return kept(request, response) if self.is_cacheable else response

        if self.method == "GET":
            app.router.add_get(self.path, handle, name=self.operation)
        else:
            app.router.add_route(self.method, self.path, handle, name=self.operation)

    async def _body_of(self, request: web.Request) -> Request:
        if issubclass(self.body, Nothing):
            return self.body()
        if request.content_type != "application/json":
            raise Problem(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "the body must be JSON; send Content-Type: application/json"
            )
        try:
            async with asyncio.timeout(_BODY_PATIENCE if self.largest is None else _LARGE_BODY_PATIENCE):
                data = orjson.loads(await self._read(request))
        except TimeoutError:
            raise Problem(HTTPStatus.REQUEST_TIMEOUT, "the body did not arrive in time; send it again") from None
        except orjson.JSONDecodeError as fault:
            raise Problem(HTTPStatus.BAD_REQUEST, f"the body is not JSON: {fault}; send a JSON object") from None
        return checked("body", self.body, data)

    async def _read(self, request: web.Request) -> bytes:
        """The body. One that may be larger than others is taken piece by piece up to its own limit."""
        if self.largest is None:
            return await request.read()
        body = bytearray()
        async for piece in request.content.iter_any():
            body += piece
            if len(body) > self.largest:
                detail = f"the body is too large; send at most {self.largest} bytes"
                raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)
        return bytes(body)


def address_of(request: web.Request, proxies: Collection[str]) -> str:
    """Who sends a request. A proxy adds its caller at the end; what stands before that anybody may have written."""
    told = ",".join(request.headers.getall("X-Forwarded-For", ())).split(",")
    address = request.remote or ""
    while address in proxies and told:
        try:
            address = str(ip_address(told.pop().strip()))
        except ValueError:
            break
    return address


def query_of(request: web.Request) -> dict[str, str]:
    """Query parameters. Raises Problem: one is given twice."""
    given = request.query
    for name in given:
        if len(given.getall(name)) > 1:
            shown = name[:100]
            raise unfit_field("query", shown, "given more than once", "Give it once.")
    return dict(given)


def checked_query(request: web.Request, model: type[Model]) -> Model:
    """The query as a model. Raises Problem."""
    return checked("query", model, query_of(request))


def respond(document: Mapping[str, Any]) -> web.Response:
    """A JSON answer."""
    return web.Response(body=orjson.dumps(document), content_type="application/json")


def checked(place: str, model: type[Model], data: object) -> Model:
    """What a caller sent, as a model. ``place``: path, query or body. Raises Problem."""
    try:
        return model.model_validate(data)
    except ValidationError as fault:
        raise invalid(place, model, fault) from None
