"""The report of a drill as a page to print: no route with JSON out."""

import asyncio
from http import HTTPStatus
from typing import Any

from aiohttp import web

from service.api.drills import find_drill
from service.api.drills_models import DrillPath
from service.api.ports import ServicePort
from service.api.requests import Request
from service.api.routes import PREFIX, checked, checked_query
from service.drills import page, report

PAGE = f"{PREFIX}/drills/{{id}}/report.html"


class DrillPages:
    """The one page."""

    def __init__(self, service: ServicePort) -> None:
        self._service = service

    def register(self, app: web.Application) -> None:
        """Add it to an application."""
        app.router.add_get(PAGE, self.get, name="get_drill_report_page", allow_head=False)

    async def get(self, request: web.Request) -> web.Response:
        """One file: nothing in it is loaded from elsewhere."""
        checked_query(request, Request)
        drill = await find_drill(self._service, checked("path", DrillPath, dict(request.match_info)).id)
        made = await report.report(self._service.ledger, drill)
        body = await asyncio.to_thread(page.render_report, drill, made, self._service.health()["version"])
        headers = {"Content-Disposition": f'inline; filename="drill-{drill.id}.html"'}
        return web.Response(body=body, content_type="text/html", charset="utf-8", headers=headers)


def operations(problems: Any) -> dict[str, Any]:
    """As the OpenAPI document has it. ``problems``: answers of a set of statuses."""
    statuses = {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.SERVICE_UNAVAILABLE,
    }
    return {
        PAGE: {
            "get": {
                "operationId": "get_drill_report_page",
                "summary": "Report of a drill as a page",
                "description": "One HTML file with nothing loaded from elsewhere, to be printed or sent.",
                "tags": ["drills"],
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}],
                "responses": {
                    "200": {"description": "The page.", "content": {"text/html": {"schema": {"type": "string"}}}},
                    **problems(statuses),
                },
            }
        }
    }
