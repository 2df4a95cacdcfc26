"""The configuration: its revisions, its documents, and changing them."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from openpyxl.utils import get_column_letter

from domain.clock import iso
from service.api import config_models as models
from service.api.problems import Problem
from service.api.requests import Nothing
from service.api.routes import PREFIX, Call, Route
from service.config import ConfigurationError, Fault
from service.revisions import difference as differences
from service.revisions.reviser import Proposal, Reviser, Signed
from service.revisions.store import DocumentDamaged, Revision
from service.revisions.upload import Upload

MOST_FAULTS = 200
"""Faults in an answer that refuses [ours]."""
_NOT_FOUND, _CONFLICT, _AWAY = HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE


async def list_revisions(call: Call[Nothing, models.RevisionsQuery, Nothing]) -> dict[str, Any]:
    """Revisions of the configuration, newest first."""
    query = call.query
    found = await _reviser(call).store.page(query.limit + 1, query.after)
    more = len(found) > query.limit
    items = found[: query.limit]
    return {"items": [describe_revision(item) for item in items], "next": str(items[-1].number) if more else None}


async def get_revision(call: Call[models.RevisionPath, models.DifferenceQuery, Nothing]) -> dict[str, Any]:
    """One revision, with what it differs in from the one before it or from another."""
    reviser, number = _reviser(call), call.path.number
    found = await _found(reviser, number)
    against = call.query.against or (number - 1 or None)
    shown: dict[str, Any] | None = None
    unreadable: str | None = None
    if against is not None:
        await _found(reviser, against)
        try:
            shown = _difference(await reviser.differences(against, number, call.query.limit))
        except ConfigurationError as error:
            unreadable = f"{len(error.faults)} faults, {_line(error.faults[0])} first"
        except DocumentDamaged as error:
            unreadable = str(error)
    return describe_revision(found) | {
        "roots": dict(found.roots),
        "documents": _documents(await reviser.store.names(number)),
        "against": against,
        "difference": shown,
        "unreadable": unreadable,
    }


async def list_documents(call: Call[Nothing, models.DocumentsQuery, Nothing]) -> dict[str, Any]:
    """The documents of a revision, by default of the one that holds."""
    reviser = _reviser(call)
    found = await _found(reviser, call.query.revision)
    return {
        "revision": found.number,
        "divergence": reviser.divergence or None,
        "roots": dict(found.roots),
        "items": _documents(await reviser.store.names(found.number)),
    }


async def get_document(call: Call[models.DocumentPath, models.DocumentsQuery, Nothing]) -> dict[str, Any]:
    """One document with its text."""
    reviser = _reviser(call)
    found = await _found(reviser, call.query.revision)
    held = (await reviser.store.names(found.number)).get(call.path.name)
    try:
        content = await reviser.store.document(found.number, call.path.name)
    except DocumentDamaged as error:
        raise Problem(HTTPStatus.INTERNAL_SERVER_ERROR, f"{error}; restore the ledger from a backup") from None
    if content is None or held is None:
        detail = f"revision {found.number} has no such document; GET {PREFIX}/config/documents lists them"
        raise Problem(HTTPStatus.NOT_FOUND, detail)
    digest, size = held
    try:
        encoding, text = "utf-8", content.decode()
    except UnicodeDecodeError:
        encoding, text = "base64", base64.b64encode(content).decode()
    return {
        "revision": found.number,
        "name": call.path.name,
        "digest": digest,
        "bytes": size,
        "encoding": encoding,
        "content": text,
    }


async def check_config(call: Call[Nothing, Nothing, models.ConfigCheckRequest]) -> dict[str, Any]:
    """Look what a proposal would change, and what is wrong with it. Changes nothing."""
    reviser = _reviser(call)
    revision = reviser.current.number
    checked = await reviser.check(_proposal(call.body), call.body.limit)
    return {
        "revision": revision,
        "faults": [_fault(fault) for fault in checked.faults],
        "difference": None if checked.difference is None else _difference(checked.difference),
    }


async def make_revision(call: Call[Nothing, Nothing, models.RevisionRequest]) -> dict[str, Any]:
    """Apply a proposal as the next revision, while the service runs; returns after the commit."""
    try:
        made = await _reviser(call).revise(_proposal(call.body), _signed(call.caller, call.body))
    except ConfigurationError as error:
        raise _refused(error) from None
    return describe_revision(made)


async def restore_revision(call: Call[models.RevisionPath, Nothing, models.ConfigSignature]) -> dict[str, Any]:
    """Apply the documents of an earlier revision as the next one."""
    try:
        made = await _reviser(call).restore(call.path.number, _signed(call.caller, call.body))
    except ConfigurationError as error:
        raise _refused(error) from None
    except DocumentDamaged as error:
        raise Problem(HTTPStatus.CONFLICT, f"{error}; it cannot be restored") from None
    return describe_revision(made)


def _reviser(call: Call[Any, Any, Any]) -> Reviser:
    return call.service.revisions


async def _found(reviser: Reviser, number: int | None) -> Revision:
    if number is None or number == reviser.current.number:
        return reviser.current
    found = await reviser.store.find(number)
    if found is None:
        detail = f"there is no revision {number}; GET {PREFIX}/config/revisions lists them"
        raise Problem(HTTPStatus.NOT_FOUND, detail)
    return found


def _proposal(body: models.ConfigProposal) -> Proposal:
    return Proposal(
        documents={name: None if text is None else text.encode() for name, text in body.documents.items()},
        uploads=[Upload(file.name, _decoded(index, file), file.document) for index, file in enumerate(body.files)],
        roots=None if body.roots is None else body.roots.model_dump(mode="json", exclude_none=True),
    )


def _decoded(index: int, file: models.ConfigFile) -> bytes:
    try:
        return base64.b64decode(file.content, validate=True)
    except (binascii.Error, ValueError):
        error = {"in": "body", "field": f"files.{index}.content", "message": "not Base64", "remedy": "Encode the file."}
        raise Problem(HTTPStatus.BAD_REQUEST, f"body {error['field']}: not Base64.", errors=[error]) from None


def _signed(caller: str, body: models.ConfigSignature) -> Signed:
    return Signed(actor=caller, author=body.author, reason=body.reason, based_on=body.based_on)


def _refused(error: ConfigurationError) -> Problem:
    faults = error.faults
    listed = [
        {"in": "body", "field": _line(fault), "message": fault.message, "remedy": fault.remedy}
        for fault in faults[:MOST_FAULTS]
    ]
    detail = f"{len(faults)} faults, nothing has changed; POST {PREFIX}/config/check lists them all"
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors=listed)


def _line(fault: Fault) -> str:
    place = ":".join([fault.file, *(str(number) for number in (fault.line, fault.column) if number)])
    return f"{place}: {fault.field}" if fault.field else place


def _fault(fault: Fault) -> dict[str, Any]:
    in_sheet = fault.file.endswith("]") and fault.line and fault.column
    return asdict(fault) | {"cell": f"{get_column_letter(fault.column)}{fault.line}" if in_sheet else None}


def describe_revision(found: Revision) -> dict[str, Any]:
    """``models.Revision``."""
    return {
        "number": found.number,
        "at": iso(found.at),
        "author": found.author,
        "reason": found.reason,
        "source": found.source,
        "digest": found.digest,
        "counts": {what: dict(counted) for what, counted in found.counts.items()},
    }


def _documents(names: Mapping[str, tuple[str, int]]) -> Sequence[dict[str, Any]]:
    return [{"name": name, "digest": digest, "bytes": size} for name, (digest, size) in names.items()]


def _difference(found: differences.Difference) -> dict[str, Any]:
    return {
        "counts": {what: dict(counted) for what, counted in found.counts.items()},
        "items": [asdict(item) for item in found.items],
        "more": found.more,
        "documents": [asdict(document) for document in found.documents],
    }


ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        f"{PREFIX}/config/revisions",
        list_revisions,
        "Revisions of the configuration",
        models.RevisionPage,
        errors=(_AWAY,),
        tag="configuration",
    ),
    Route(
        "POST",
        f"{PREFIX}/config/revisions",
        make_revision,
        "Change the configuration",
        models.Revision,
        errors=(HTTPStatus.UNPROCESSABLE_ENTITY, _CONFLICT, _AWAY),
        tag="configuration",
        largest=models.LARGEST_CONFIGURATION,
    ),
    Route(
        "GET",
        f"{PREFIX}/config/revisions/{{number}}",
        get_revision,
        "One revision, and what it changed",
        models.RevisionDetail,
        errors=(_NOT_FOUND, _AWAY),
        tag="configuration",
    ),
    Route(
        "POST",
        f"{PREFIX}/config/revisions/{{number}}/restore",
        restore_revision,
        "Return to an earlier revision",
        models.Revision,
        errors=(_NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY, _CONFLICT, _AWAY),
        tag="configuration",
    ),
    Route(
        "GET",
        f"{PREFIX}/config/documents",
        list_documents,
        "Documents of the configuration",
        models.ConfigDocumentList,
        errors=(_NOT_FOUND, _AWAY),
        tag="configuration",
    ),
    Route(
        "GET",
        f"{PREFIX}/config/documents/{{name}}",
        get_document,
        "One document",
        models.ConfigDocumentText,
        errors=(_NOT_FOUND, _AWAY),
        tag="configuration",
    ),
    Route(
        "POST",
        f"{PREFIX}/config/check",
        check_config,
        "Dry run of a change",
        models.ConfigCheck,
        errors=(_AWAY,),
        tag="configuration",
        largest=models.LARGEST_CONFIGURATION,
    ),
)
