"""The web application: routes, errors, headers, metrics; and a server for it."""

import asyncio
import functools
import logging
import time
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import orjson
import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler, Middleware
from prometheus_client import CollectorRegistry, Gauge, Histogram
from prometheus_client.exposition import choose_encoder

from alerting.ledger.ledger import LedgerUnavailable
from alerting.refusals import Conflict, NotFound
from historian.protocol import HistorianUnavailable
from service.api.attachments import Attachments
from service.api.authentication import door
from service.api.catalogue import Catalogue
from service.api.console import BUILT, serve_console
from service.api.contact_files import ContactFiles
from service.api.desks import presence_middleware
from service.api.drill_pages import DrillPages
from service.api.live import LiveHub
from service.api.live_socket import serve_live
from service.api.openapi import document
from service.api.ports import ServicePort
from service.api.problems import Problem, unavailable
from service.api.record_files import RecordFiles
from service.api.routes import PREFIX, Context
from service.api.site_plans import SitePlanImages
from service.api.table import ROUTES
from service.api.views import Views

LARGEST_BODY = 64 * 1024
LONGEST_ADDRESS = 48 * 1024
"""Bytes of a request's first line: every text of a query at its greatest length, percent-encoded at 12 bytes each."""
SHUTDOWN_PATIENCE = 5.0
"""Seconds that answers under way may take when the server stops."""

CONTEXT = web.AppKey("context", Context)
"""What the handlers of an application work with."""

log = structlog.get_logger(__name__)


def create_app(
    service: ServicePort,
    hub: LiveHub,
    registry: CollectorRegistry,
    console: Path = BUILT,
    proxies: Collection[str] = (),
) -> web.Application:
    """The application.

    ``registry``: what ``/metrics`` shows, and the API's own metrics are put into. ``proxies``: addresses of reverse
    proxies.
    """
    metrics = _Metrics(registry, hub)
    app = web.Application(
        client_max_size=LARGEST_BODY,
        middlewares=[
            metrics.middleware,
            _problems,
            _console_middleware(console, service),
            door(service),
            presence_middleware(service),
        ],
    )
    context = app[CONTEXT] = Context(service, Views(service.site), Catalogue(service.site), frozenset(proxies))
    for route in ROUTES:
        route.register(app, context)
    Attachments(service).register(app)
    RecordFiles(service).register(app)
    ContactFiles(service).register(app)
    DrillPages(service).register(app)
    SitePlanImages(service).register(app)

    async def get_openapi(_request: web.Request) -> web.Response:
        return web.Response(body=await asyncio.to_thread(_described), content_type="application/json")

    async def live(request: web.Request) -> web.StreamResponse:
        return await serve_live(request, hub)

    app.router.add_get(f"{PREFIX}/openapi.json", get_openapi, name="get_openapi")
    app.router.add_get(f"{PREFIX}/live", live, name="live", allow_head=False)
    app.router.add_get("/metrics", metrics.get, name="get_metrics")
    app.on_response_prepare.append(_set_headers)

    async def close_hub(_app: web.Application) -> None:
        await hub.close()

    app.on_shutdown.append(close_hub)
    return app


@dataclass(frozen=True, slots=True)
class Server:
    """An application that listens."""

    host: str
    port: int
    """The real one, also where 0 was asked for."""
    runner: web.AppRunner

    @property
    def url(self) -> str:
        """Where a browser finds the console."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}.get(self.host, self.host)  # noqa: S104 -- read
        return f"http://{f'[{host}]' if ':' in host and not host.startswith('[') else host}:{self.port}/"

    async def stop(self) -> None:
        """Say goodbye to live clients, finish the answers under way, and let go of the port."""
        await self.runner.cleanup()


async def serve(app: web.Application, host: str, port: int) -> Server:
    """Listen. Raises OSError: the address is taken or not ours."""
    runner = web.AppRunner(
        app,
        access_log=None,
        handle_signals=False,
        shutdown_timeout=SHUTDOWN_PATIENCE,
        max_line_size=LONGEST_ADDRESS,
    )
    reports = logging.getLogger("aiohttp.server")
    reports.addFilter(_without_traceback)

    async def let_go(_app: web.Application) -> None:
        """Or the loggers, which outlive everything, would keep all that this module knows of."""
        reports.removeFilter(_without_traceback)

    app.on_cleanup.append(let_go)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError:
        await runner.cleanup()
        raise
    return Server(host, int(runner.addresses[0][1]), runner)


def _without_traceback(record: logging.LogRecord) -> bool:
    """A filter: a request that cannot be read, or whose caller has gone, is no fault of the service: a line says it."""
    fault = record.exc_info[1] if record.exc_info else None
    match fault:
        case HttpProcessingError() | web.RequestPayloadError():
            log.warning("request_unreadable", reason=str(fault)[:200])
        case ConnectionResetError() | ConnectionAbortedError() | BrokenPipeError():
            log.info("caller_gone", reason=str(fault))
        case _:
            return True
    return False


@functools.cache
def _described() -> bytes:
    """Made when it is asked for first: that takes half a second, which no start has to wait for."""
    return orjson.dumps(document())


class _Metrics:
    """``/metrics``, and what the API itself measures."""

    def __init__(self, registry: CollectorRegistry, hub: LiveHub) -> None:
        self._registry = registry
        self._seconds = Histogram(
            "anshao_http_seconds", "Time taken by HTTP requests", ["operation", "status"], registry=registry
        )
        clients = Gauge("anshao_live_clients", "Clients connected to /api/v1/live", registry=registry)
        clients.set_function(lambda: hub.clients)

    async def get(self, request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(self._registry), headers={"Content-Type": content_type})

    @property
    def middleware(self) -> Middleware:
        @web.middleware
        async def measure(request: web.Request, handler: Handler) -> web.StreamResponse:
            begin = time.perf_counter()
            response = await handler(request)
            operation = request.match_info.route.name or "console"
            if operation != "live":
                self._seconds.labels(operation, response.status).observe(time.perf_counter() - begin)
            return response

        return measure


@web.middleware
async def _problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every error as a problem document."""
    try:
        return await handler(request)
    except Problem as problem:
        return problem.response()
    except (NotFound, Conflict, LedgerUnavailable, HistorianUnavailable) as fault:
        return _of_service(fault, is_act=request.method not in {"GET", "HEAD"}).response()
    except web.HTTPException as fault:
        if fault.status < HTTPStatus.BAD_REQUEST:
            raise
        return _of_aiohttp(fault).response()
    except web.RequestPayloadError:
        detail = "the body cannot be unpacked as its Content-Encoding says; send it again, or as it is, without one"
        answer = Problem(HTTPStatus.BAD_REQUEST, detail).response()
        answer.force_close()  # where the next request begins is not known
        return answer
    except ConnectionError:  # the caller has gone: nobody is there to read the answer
        raise
    except Exception:
        instance = uuid.uuid4().urn
        log.exception("request_failed", method=request.method, path=request.path, instance=instance)
        detail = "a fault of the service; its log has the details under the instance named here"
        return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, detail, instance=instance).response()


def _of_service(fault: Exception, *, is_act: bool) -> Problem:
    match fault:
        case NotFound():
            return Problem(HTTPStatus.NOT_FOUND, str(fault))
        case Conflict():
            return Problem(HTTPStatus.CONFLICT, str(fault))
        case HistorianUnavailable():
            return unavailable(f"the historian is unavailable; {fault.remedy or 'try again later'}")
        case _ if is_act:
            return unavailable("the ledger is unavailable; the act may still be done, so look before you repeat it")
        case _:
            return unavailable("the ledger is unavailable; try again when /api/v1/health shows it as ok")


def _of_aiohttp(fault: web.HTTPException) -> Problem:
    match fault:
        case web.HTTPMethodNotAllowed():
            allowed = ", ".join(sorted(fault.allowed_methods))
            detail = f"{fault.method[:20]} is not possible here; use {allowed}"
            return Problem(fault.status, detail, headers={"Allow": allowed})
        case web.HTTPNotFound():
            return Problem(fault.status, f"there is no such address; {PREFIX}/openapi.json lists them")
        case web.HTTPRequestEntityTooLarge():
            return Problem(fault.status, f"the body is too large; send at most {LARGEST_BODY} bytes")
        case _:
            return Problem(fault.status, "the request cannot be read; see /api/v1/openapi.json")


def _console_middleware(folder: Path, service: ServicePort) -> Middleware:
    @web.middleware
    async def console(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPNotFound:
            if request.method not in {"GET", "HEAD"} or request.path.startswith("/api/"):
                raise
        tiles = service.site.map.tiles
        return await serve_console(request, folder, None if tiles is None else tiles.origin)

    return console


async def _set_headers(request: web.Request, response: web.StreamResponse) -> None:
    response.headers["Server"] = "AnShao"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    if request.path.startswith(("/api/", "/metrics")):
        response.headers.setdefault("Cache-Control", "no-store")
