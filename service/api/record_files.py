"""What is no JSON: the evidence of an incident, and key figures as a page and as a table."""

import asyncio
import tempfile
from http import HTTPStatus
from pathlib import Path
from typing import Any

from aiohttp import hdrs, web

from alerting.alarms.register import Register
from alerting.records import Change
from service.api.authentication import caller_of
from service.api.ports import ServicePort
from service.api.problems import Problem
from service.api.reach import reach_of
from service.api.records import choose, period_of, sees_scope
from service.api.records_models import EvidencePath, EvidenceQuery, KpiQuery
from service.api.routes import PREFIX, checked, checked_query
from service.api.sending import send_file
from service.evidence.archive import TooLarge
from service.evidence.manifest import digest_of
from service.evidence.proofs import NotSigned
from service.kpi import Chosen
from service.reports.key_figures import key_figures_csv, key_figures_page

EVIDENCE = f"{PREFIX}/incidents/{{id}}/evidence"
REPORT = f"{PREFIX}/kpi/report"
TABLE = f"{PREFIX}/kpi/table"
MOST_COMPARED = 100
"""Scopes that a report compares [ours]."""


class RecordFiles:
    """What is no JSON: the evidence of an incident, the report and the table of key figures."""

    def __init__(self, service: ServicePort) -> None:
        self._service = service
        self._making = asyncio.Lock()
        """One package at a time: each may be of hundreds of megabytes."""

    def register(self, app: web.Application) -> None:
        """Add all to an application."""
        app.router.add_get(EVIDENCE, self.evidence, name="get_evidence", allow_head=False)
        app.router.add_get(REPORT, self.report, name="get_kpi_report", allow_head=False)
        app.router.add_get(TABLE, self.table, name="get_kpi_table", allow_head=False)

    async def evidence(self, request: web.Request) -> web.StreamResponse:
        """Make the evidence of an incident and send it; the journal says that it was made, and its SHA-256."""
        service = self._service
        caller = caller_of(request)
        identity = checked("path", EvidencePath, dict(request.match_info)).id
        query = caller.sign(checked_query(request, EvidenceQuery))
        name = query.name or caller.name
        with tempfile.TemporaryDirectory(prefix="anshao-evidence-") as folder:
            file = Path(folder) / f"incident-{identity}.zip"
            async with self._making:
                try:
                    facts = await service.evidence().make(
                        identity, file, name, service.clock.now(), with_samples=query.samples
                    )
                except NotSigned as fault:
                    raise Problem(HTTPStatus.CONFLICT, str(fault)) from None
                except TooLarge as fault:
                    detail = f"{fault}; ask with samples=false"
                    raise Problem(HTTPStatus.CONFLICT, detail) from None
                digest = await asyncio.to_thread(digest_of, file)

                def act(register: Register, now: int, change: Change) -> None:
                    data = {"name": name, "sha256": digest, "entries": facts["entries"]}
                    entry = register.journal.append(
                        now, "evidence.made", caller.name, data, enterprise=facts["enterprise"], unit=facts["unit"],
                        region=service.site.region_of(facts["enterprise"])
                        if facts["enterprise"] in service.site.enterprises
                        else None,
                        incident=identity,
                    )  # fmt: skip
                    change.entries.append(entry)

                await service.act(act)
            # Whoever takes it slowly keeps nobody waiting.
            return await send_file(request, file, _headers("application/zip", file.name))

    async def report(self, request: web.Request) -> web.Response:
        """The page of key figures with plots."""
        service = self._service
        figures, compared = await self._all(request)
        page = await asyncio.to_thread(
            key_figures_page,
            figures,
            compared,
            service.site,
            service.key_figures.targets,
            service.clock.now(),
            service.version,
        )
        return _file(page, "text/html", "kpi.html")

    async def table(self, request: web.Request) -> web.Response:
        """A row of key figures for the scope that is asked for, and for each desk, region and enterprise."""
        figures, compared = await self._all(request)
        return _file(key_figures_csv([figures, *compared]), "text/csv", "kpi.csv")

    async def _all(self, request: web.Request) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The figures that are asked for, and those of all other scopes, of one reading."""
        service = self._service
        query = checked_query(request, KpiQuery)
        reach = reach_of(service.site, caller_of(request).scope)
        asked = choose(service, query, reach)
        period = await period_of(service, query)
        records = await service.key_figures.records(period, service.clock.now())
        others = [
            one
            for one in service.scopes().every()
            if (one.scope, one.id) != (asked.scope, asked.id) and sees_scope(service, one, reach)
        ]

        def compute(chosen: list[Chosen]) -> list[dict[str, Any]]:
            return [service.key_figures.compute(one, period, records) for one in chosen]

        figures, *compared = await asyncio.to_thread(compute, [asked, *others[:MOST_COMPARED]])
        return figures, compared


def _file(content: bytes, media_type: str, name: str) -> web.Response:
    return web.Response(body=content, headers=_headers(f"{media_type}; charset=utf-8", name))


def _headers(media_type: str, name: str) -> dict[str, str]:
    return {
        hdrs.CONTENT_TYPE: media_type,
        hdrs.CONTENT_DISPOSITION: f'attachment; filename="{name}"',
        hdrs.CACHE_CONTROL: "private, no-store",
    }


def operations(parameters: Any, problems: Any) -> dict[str, Any]:
    """As the OpenAPI document has them.

    ``parameters``: those of a model in a place; ``problems``: answers of a set of statuses.
    """
    statuses = {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.SERVICE_UNAVAILABLE,
    }

    def operation(name: str, summary: str, about: str, media_type: str, given: list[Any], *more: HTTPStatus) -> Any:
        schema = {"type": "string"} if media_type.startswith("text/") else {"type": "string", "format": "binary"}
        return {
            "get": {
                "operationId": name,
                "summary": summary,
                "description": about,
                "tags": ["records"],
                "parameters": given,
                "responses": {
                    "200": {"description": "The file.", "content": {media_type: {"schema": schema}}},
                    **problems(statuses | set(more)),
                },
            }
        }

    figures = parameters("query", KpiQuery)
    page = "One HTML file with plots, with nothing loaded from elsewhere."
    table = "CSV in UTF-8: a row for the scope that is asked for, then one for each desk, region and enterprise."
    package = (
        "A ZIP that proves itself without the database: journal with proof, samples, rules, messages, report. "
        "`anshao evidence verify` checks it. The journal says that it was made."
    )
    given = [*parameters("path", EvidencePath), *parameters("query", EvidenceQuery)]
    return {
        EVIDENCE: operation(
            "get_evidence", "Evidence of an incident", package, "application/zip", given, HTTPStatus.CONFLICT
        ),
        REPORT: operation("get_kpi_report", "Key figures as a page", page, "text/html", figures),
        TABLE: operation("get_kpi_table", "Key figures as a table", table, "text/csv", figures),
    }
