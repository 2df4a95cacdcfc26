"""The directory of contacts as a file: out as CSV or .xlsx, and in for a look at what it would change.

What is looked at is not taken: the directory is a document of the configuration and is changed by a revision.
"""

import asyncio
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import Field

from service.api.authentication import caller_of
from service.api.ports import ServicePort
from service.api.problems import Problem
from service.api.reach import reach_of
from service.api.requests import Request
from service.api.routes import PREFIX, checked_query, respond
from service.config.contact_table import read_contacts, write_contacts
from service.config.faults import FaultList

EXPORT = f"{PREFIX}/contacts/export"
CHECK = f"{PREFIX}/contacts/check"
LARGEST = 5_000_000
"""Bytes of a table [ours]."""
PATIENCE = 60.0
"""Seconds that a caller has to send it."""
SHOWN = 1_000
"""Faults and ids that an answer lists at the most."""
CSV, XLSX = "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_REMEDY = f"send Content-Type: {CSV} or {XLSX}"


class ExportQuery(Request):
    """In which form."""

    format: Annotated[Literal["csv", "xlsx"], Field(description="`csv`: UTF-8 with a mark, as Excel takes it.")] = (
        "xlsx"
    )


class ContactFiles:
    """Export, and the look at an import."""

    def __init__(self, service: ServicePort) -> None:
        self._service = service

    def register(self, app: web.Application) -> None:
        """Add both to an application."""
        app.router.add_get(EXPORT, self.export, name="export_contacts", allow_head=False)
        app.router.add_post(CHECK, self.check, name="check_contacts")

    async def export(self, request: web.Request) -> web.Response:
        """The directory, as far as the caller sees it."""
        form = checked_query(request, ExportQuery).format
        reach = reach_of(self._service.site, caller_of(request).scope)
        contacts = tuple(
            contact
            for contact in self._service.response.book.contacts.values()
            if reach.sees_contact(contact.enterprise, contact.region)
        )
        content = await asyncio.to_thread(write_contacts, contacts, f".{form}")
        headers = {"Content-Disposition": f'attachment; filename="contacts.{form}"'}
        return web.Response(body=content, content_type=XLSX if form == "xlsx" else CSV, headers=headers)

    async def check(self, request: web.Request) -> web.Response:
        """What a table would change, and every fault in it."""
        checked_query(request, Request)
        suffix = {CSV: ".csv", XLSX: ".xlsx"}.get(request.content_type)
        if suffix is None:
            raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"a table is CSV or .xlsx; {_REMEDY}")
        content = await _content(request)
        faults = FaultList()
        site = self._service.site
        read = await asyncio.to_thread(read_contacts, content, Path(f"contacts{suffix}"), faults, site)
        held = self._service.response.book.contacts
        given = {contact.id: contact for contact in read}
        return respond(
            {
                "contacts": len(given),
                "added": sorted(given.keys() - held.keys())[:SHOWN],
                "changed": sorted(name for name in given.keys() & held.keys() if given[name] != held[name])[:SHOWN],
                "removed": sorted(held.keys() - given.keys())[:SHOWN],
                "faults": [
                    {
                        "file": fault.file,
                        "row": fault.line,
                        "column": fault.column,
                        "field": fault.field,
                        "message": fault.message,
                        "remedy": fault.remedy,
                    }
                    for fault in faults.sorted()[:SHOWN]
                ],
            }
        )


async def _content(request: web.Request) -> bytes:
    """The body, which may be larger than those of other acts. Raises Problem."""
    too_large = Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"send a table of at most {LARGEST:,} bytes")
    if (request.content_length or 0) > LARGEST:
        raise too_large
    content = bytearray()
    try:
        async with asyncio.timeout(PATIENCE):
            async for chunk in request.content.iter_any():
                content += chunk
                if len(content) > LARGEST:
                    raise too_large
    except TimeoutError:
        raise Problem(HTTPStatus.REQUEST_TIMEOUT, "the table did not arrive in time; send it again") from None
    return bytes(content)


def operations(problems: Any, reference: str) -> dict[str, Any]:
    """Both as the OpenAPI document has them. ``problems``: answers of a set of statuses."""
    binary = {"schema": {"type": "string", "format": "binary"}}
    common = {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.INTERNAL_SERVER_ERROR,
    }
    sending = {
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    }
    query = {
        "name": "format",
        "in": "query",
        "required": False,
        "schema": {"type": "string", "enum": ["csv", "xlsx"], "default": "xlsx"},
    }
    return {
        EXPORT: {
            "get": {
                "operationId": "export_contacts",
                "summary": "The directory of contacts as a file",
                "tags": ["response"],
                "parameters": [query],
                "responses": {
                    "200": {"description": "The file.", "content": {XLSX: binary, CSV: binary}},
                    **problems(common),
                },
            }
        },
        CHECK: {
            "post": {
                "operationId": "check_contacts",
                "summary": "What a table of contacts would change",
                "description": "Nothing is taken: the directory is a document of the configuration.",
                "tags": ["response"],
                "parameters": [],
                "requestBody": {"required": True, "content": {CSV: binary, XLSX: binary}},
                "responses": {
                    "200": {
                        "description": "Done.",
                        "content": {"application/json": {"schema": {"$ref": reference}}},
                    },
                    **problems(common | sending),
                },
            }
        },
    }
