"""Files of incidents over HTTP: multipart in, streamed to disk and checked; and out again, never shown by a browser."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field
from http import HTTPStatus
from urllib.parse import quote, unquote

import structlog
from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from alerting.alarms.register import Register
from alerting.incidents import incident_queries
from alerting.incidents.attachments import AttachmentRefused, AttachmentTooLarge, Received
from alerting.incidents.dossier import Stored
from alerting.incidents.incident_queries import Attachment
from alerting.records import Change
from alerting.refusals import NotFound
from service.api.authentication import caller_of
from service.api.incident_views import attachment_view
from service.api.incidents import past
from service.api.incidents_requests import AttachmentPath, IncidentPath
from service.api.ports import ServicePort
from service.api.problems import Problem
from service.api.requests import Nothing, Signature
from service.api.routes import PREFIX, checked, checked_query, respond
from service.api.sending import send_file

UPLOAD = f"{PREFIX}/incidents/{{id}}/attachments"
DOWNLOAD = f"{PREFIX}/attachments/{{id}}"
UPLOAD_PATIENCE = 300.0
"""Seconds that a caller has to send a file: 20 MB over a poor mobile line [ours]."""
AT_ONCE = 4
"""Files that are received at the same time; further ones wait [ours]."""
_CHUNK = 256 * 1024
_LONGEST_FIELD = 16 * 1024
_FRAME = 64 * 1024
"""What a request may have beside the file."""
_MOST_FIELDS = 8
_MALFORMED = (ValueError, AssertionError, RuntimeError, HttpProcessingError, web.HTTPException)
"""What aiohttp raises over a multipart body that is none."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Form:
    """What has arrived so far."""

    file: Received | None = None
    fields: dict[str, str] = field(default_factory=dict)


class Attachments:
    """Upload and download."""

    def __init__(self, service: ServicePort) -> None:
        self._service = service
        self._gate = asyncio.Semaphore(AT_ONCE)

    def register(self, app: web.Application) -> None:
        """Add both to an application."""
        app.router.add_post(UPLOAD, self.upload, name="attach_to_incident")
        app.router.add_get(DOWNLOAD, self.download, name="get_attachment", allow_head=False)

    async def upload(self, request: web.Request) -> web.Response:
        """Take a file, put it on disk, and on record."""
        service = self._service
        caller = caller_of(request)
        identity = checked("path", IncidentPath, dict(request.match_info)).id
        checked_query(request, Nothing)
        largest = service.closed_loop.attachments.bytes
        if request.content_type != "multipart/form-data":
            raise Problem(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send the file as multipart/form-data, in the field `file`"
            )
        if (request.content_length or 0) > largest + _FRAME:
            raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"send a file of at most {largest:,} bytes")
        try:
            await service.act(lambda register, _now, _change: register.casebook.refuse_attachment(identity))
        except NotFound as fault:
            raise await past(service.ledger, identity, fault) from None
        stored, given = await self._store(request, largest)
        signed = caller.sign(given)

        def act(register: Register, now: int, change: Change) -> Attachment:
            made = register.casebook.attach(identity, stored, caller.name, signed.name, signed.comment, now, change)
            return Attachment(id=made, incident=identity, by=signed.name, at=now, **asdict(stored))

        return respond(attachment_view(await service.act(act)))

    async def download(self, request: web.Request) -> web.StreamResponse:
        """A file, to be saved and not shown."""
        service = self._service
        identity = checked("path", AttachmentPath, dict(request.match_info)).id
        checked_query(request, Nothing)
        found = await incident_queries.attachment_by_id(service.ledger, identity)
        if found is None:
            detail = f"there is no attachment {identity}; GET {PREFIX}/incidents/{{id}} lists an incident's"
            raise Problem(HTTPStatus.NOT_FOUND, detail)
        path = service.attachments.path(found.sha256)
        if not await asyncio.to_thread(path.is_file):
            detail = (
                f"the file of attachment {identity} is not on the service's disk; restore {path.name} from a backup"
            )
            raise Problem(HTTPStatus.NOT_FOUND, detail)
        headers = {
            "Content-Type": found.type,
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(found.name, safe='')}",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cache-Control": "private, no-store",
        }
        return await send_file(request, path, headers)

    async def _store(self, request: web.Request, largest: int) -> tuple[Stored, Signature]:
        """The file, on disk for good, and who sent it. Raises Problem; nothing is left behind then."""
        form, store = _Form(), self._service.attachments
        try:
            async with asyncio.timeout(UPLOAD_PATIENCE), self._gate:
                await self._read(request, form, largest)
            signed = checked("body", Signature, form.fields)
            if form.file is None:
                raise _unreadable("there is no file; send it in the field `file`")
            return await store.keep(form.file), signed
        except TimeoutError:
            raise Problem(HTTPStatus.REQUEST_TIMEOUT, "the file did not arrive in time; send it again") from None
        except AttachmentTooLarge as refusal:
            raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, str(refusal)) from None
        except AttachmentRefused as refusal:
            raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, str(refusal)) from None
        except ConnectionError:
            raise
        except OSError as fault:
            log.exception("an attachment could not be stored")
            detail = f"the file cannot be stored on the service's disk ({fault.strerror}); nothing is attached"
            raise Problem(HTTPStatus.INSUFFICIENT_STORAGE, detail) from None
        finally:
            if form.file is not None:
                await store.drop(form.file)

    async def _read(self, request: web.Request, form: _Form, largest: int) -> None:
        """Take the parts as they come. Raises Problem, AttachmentRefused, OSError."""
        try:
            # Not `request.multipart()`, whose limit is that of all other bodies.
            async for part in MultipartReader(request.headers, request.content):
                if not isinstance(part, BodyPartReader) or not part.name:
                    raise _unreadable("give each field by its name, and no multipart within multipart")
                if part.name != "file":
                    if len(form.fields) == _MOST_FIELDS:
                        raise _unreadable("there are too many fields; send file, name and comment")
                    form.fields[part.name] = await _text(part)
                elif form.file is not None:
                    raise _unreadable("send one file in one request")
                else:
                    name = unquote(part.filename or "")  # browsers and libraries escape differently
                    form.file = await self._service.attachments.receive(_chunks(part), name, largest)
        except _MALFORMED as fault:
            raise _unreadable(f"the body is no multipart/form-data ({str(fault)[:100]}); send it again") from None


async def _chunks(part: BodyPartReader) -> AsyncIterator[bytes]:
    while chunk := await part.read_chunk(_CHUNK):
        yield chunk


async def _text(part: BodyPartReader) -> str:
    text = b""
    async for chunk in _chunks(part):
        text += chunk
        if len(text) > _LONGEST_FIELD:
            raise _unreadable(f"a field is longer than {_LONGEST_FIELD} bytes; send the file in the field `file`")
    try:
        return text.decode()
    except UnicodeDecodeError:
        raise _unreadable("a field is not UTF-8; send name and comment as UTF-8") from None


def _unreadable(detail: str) -> Problem:
    return Problem(HTTPStatus.BAD_REQUEST, detail)
