"""How the OpenAPI 3.1 document is made from the routes and their models."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from alerting.incidents.attachments import SUFFIXES
from service.api import contact_files, drill_pages, live_messages, models, record_files, site_plans
from service.api.authentication import COOKIE
from service.api.caching import NOT_MODIFIED
from service.api.incidents_models import Attachment
from service.api.incidents_requests import AttachmentPath, IncidentPath, UploadForm
from service.api.problems import MEDIA_TYPE
from service.api.records_models import EvidencePath, EvidenceQuery
from service.api.requests import LiveQuery, Nothing, Request, Subscription
from service.api.response_models import ContactCheck
from service.api.routes import Route
from service.api.site_plans_models import NewSitePlan, SitePlanPath, SitePlanView

VERSION = "1.0"
"""Of the API, not of the package: the first number is the one in the paths."""
_REFERENCE = "#/components/schemas/{model}"
_LIVE_MODELS: tuple[type[BaseModel], ...] = (
    live_messages.LiveHello,
    live_messages.LiveEntry,
    live_messages.LiveBeyond,
    live_messages.LiveHealth,
    live_messages.LiveReadings,
)
_DESCRIPTION = """\
Alarms, incidents and readings of the watched sites.

All instants are ISO 8601 in UTC with milliseconds. Lists come in pages: pass `next` of one page as `after` to get the
next one, until `next` is null. Every error is a problem document (RFC 9457) that says what to do. Fields may be added
to answers; unknown parameters are refused.

AnShao is a monitoring and alarm service and no safety instrumented system: interlocks stay in the SIS.
"""
_LIVE_DESCRIPTION = """\
Connect with the header `Authorization: Bearer TOKEN`, or, from a browser, with the subprotocols `anshao.live.v1` and
`bearer.TOKEN`. A page of another origin is refused.

The service sends `hello`, then `health`, then every entry of the journal in order (`entry`), the state of the service
every 2 s and when it changes (`health`; no message for 5 s means that the service is lost), and at most once a second
the newest readings of the subscribed tags (`readings`). A caller who is bound to a region or an enterprise gets its
entries; of what lies beyond, `beyond` tells how far the journal has come, and the kinds of entries that concern
everybody (`config.revised`: load lists again). With `since` it first sends the entries after that number, with no gap
and none twice; `hello.resumed` is false where it cannot, and then lists have to be loaded again.

The client sends `{"subscribe": ["enterprise/tag", …]}`, which replaces its subscription; tags that are not known are
left out.

Close codes: 1001 the service stops, 1007 a message that cannot be read, 1011 a fault of the service, 1013 the ledger is
unavailable, 4001 the session has ended, 4008 the client is too slow: connect again with `since`.
"""
_JSON = "application/json"


def describe(routes: Sequence[Route]) -> dict[str, Any]:
    """The OpenAPI document of routes, and of what is no route with JSON in and out."""
    requests = _unique([model for route in routes for model in (route.path_model, route.query, route.body)])
    requests = _unique([*requests, LiveQuery, Subscription, IncidentPath, AttachmentPath, UploadForm])
    requests = _unique([*requests, EvidencePath, EvidenceQuery, NewSitePlan, SitePlanPath])
    answers = _unique([*(route.response for route in routes), *_LIVE_MODELS, Attachment, ContactCheck, models.Problem])
    named: list[tuple[type[BaseModel], JsonSchemaMode]] = [
        *((model, "validation") for model in requests if model is not Nothing),
        *((model, "serialization") for model in answers),
    ]
    _, generated = models_json_schema(named, ref_template=_REFERENCE)
    schemas: dict[str, Any] = generated["$defs"]
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas)
    paths["/api/v1/live"] = {"get": _live_operation(schemas)}
    paths["/api/v1/incidents/{id}/attachments"] = {"post": _upload_operation(schemas)}
    paths |= drill_pages.operations(_problems)
    paths |= record_files.operations(lambda place, model: _parameters(place, model, schemas), _problems)
    paths |= contact_files.operations(_problems, _REFERENCE.format(model=ContactCheck.__name__))
    for path, operations in site_plans.operations(
        lambda place, model: _parameters(place, model, schemas),
        _problems,
        _REFERENCE.format(model=SitePlanView.__name__),
    ).items():
        paths.setdefault(path, {}).update(operations)
    paths["/api/v1/attachments/{id}"] = {"get": _download_operation(schemas)}
    paths["/api/v1/openapi.json"] = {"get": _plain("get_openapi", "This document", _JSON, {"type": "object"})}
    paths["/metrics"] = {"get": _plain("get_metrics", "Metrics for Prometheus", "text/plain", {"type": "string"})}
    bodies = {route.body.__name__ for route in routes} | {Subscription.__name__, UploadForm.__name__}
    inlined = {model.__name__ for model in requests} - bodies
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {
            "title": "AnShao 安哨",
            "version": VERSION,
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}, {"session": []}],
        "tags": [
            {"name": "alarms", "description": "Alarms"},
            {"name": "incidents", "description": "Incidents and their closed loop"},
            {"name": "sites", "description": "Who and what is watched"},
            {"name": "response", "description": "Contacts, rosters, plans, cards, messages and their channels"},
            {"name": "desks", "description": "Desks: the main screen, presence, handover of a shift"},
            {"name": "drills", "description": "Drills"},
            {"name": "configuration", "description": "Revisions of the configuration, and changing it"},
            {"name": "changes", "description": "Changes of rules, and what other figures would have done"},
            {"name": "records", "description": "Journal and quarantine"},
            {"name": "accounts", "description": "Signing in, and accounts"},
            {"name": "service", "description": "The service itself"},
        ],
        "paths": dict(sorted(paths.items())),
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
            },
            "schemas": {name: schemas[name] for name in sorted(schemas) if name not in inlined},
            "responses": {"Problem": _problem_response()},
        },
    }


def _operation(route: Route, schemas: Mapping[str, Any]) -> dict[str, Any]:
    statuses = {HTTPStatus.BAD_REQUEST, HTTPStatus.INTERNAL_SERVER_ERROR, *route.errors}
    if not route.is_open:
        statuses |= {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
    if route.body is not Nothing:
        statuses |= {
            HTTPStatus.REQUEST_TIMEOUT,
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        }
    operation: dict[str, Any] = {
        "operationId": route.operation,
        "summary": route.summary,
        "description": (route.handler.__doc__ or "").strip(),
        "tags": [route.tag],
        "parameters": [
            *_parameters("path", route.path_model, schemas),
            *_parameters("query", route.query, schemas),
        ],
        "responses": {
            "200": {
                "description": "Done." if route.method == "POST" else "The answer.",
                "content": {_JSON: {"schema": {"$ref": _REFERENCE.format(model=route.response.__name__)}}},
            },
            **_problems(statuses),
        },
    }
    if route.body is not Nothing:
        schema = {"$ref": _REFERENCE.format(model=route.body.__name__)}
        operation["requestBody"] = {"required": True, "content": {_JSON: {"schema": schema}}}
    if route.is_cacheable:
        operation["responses"]["304"] = NOT_MODIFIED
    if route.is_open:
        operation["security"] = []
    return operation


def _live_operation(schemas: Mapping[str, Any]) -> dict[str, Any]:
    references = [{"$ref": _REFERENCE.format(model=model.__name__)} for model in _LIVE_MODELS]
    statuses = {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.UPGRADE_REQUIRED,
        HTTPStatus.SERVICE_UNAVAILABLE,
    }
    return {
        "operationId": "live",
        "summary": "Live messages over a WebSocket",
        "description": _LIVE_DESCRIPTION,
        "tags": ["service"],
        "parameters": _parameters("query", LiveQuery, schemas),
        "responses": {"101": {"description": "The connection is a WebSocket now."}, **_problems(statuses)},
        "x-messages": {
            "fromServer": {"oneOf": references},
            "fromClient": {"$ref": _REFERENCE.format(model=Subscription.__name__)},
        },
    }


def _upload_operation(schemas: Mapping[str, Any]) -> dict[str, Any]:
    statuses = {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.CONFLICT,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.INSUFFICIENT_STORAGE,
    }
    form = {"schema": {"$ref": _REFERENCE.format(model=UploadForm.__name__)}}
    answer = {"schema": {"$ref": _REFERENCE.format(model=Attachment.__name__)}}
    return {
        "operationId": "attach_to_incident",
        "summary": "Attach a photo or document",
        "description": "What the file is, its content says and not its name. Its size and number are limited.",
        "tags": ["incidents"],
        "parameters": _parameters("path", IncidentPath, schemas),
        "requestBody": {"required": True, "content": {"multipart/form-data": form}},
        "responses": {"200": {"description": "Done.", "content": {_JSON: answer}}, **_problems(statuses)},
    }


def _download_operation(schemas: Mapping[str, Any]) -> dict[str, Any]:
    statuses = {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.SERVICE_UNAVAILABLE,
    }
    content = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in SUFFIXES}
    return {
        "operationId": "get_attachment",
        "summary": "A photo or document",
        "description": "Sent to be saved, never to be shown by the browser itself.",
        "tags": ["incidents"],
        "parameters": _parameters("path", AttachmentPath, schemas),
        "responses": {"200": {"description": "The file.", "content": content}, **_problems(statuses)},
    }


def _plain(operation: str, summary: str, media_type: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "operationId": operation,
        "summary": summary,
        "tags": ["service"],
        "security": [],
        "responses": {"200": {"description": "The answer.", "content": {media_type: {"schema": schema}}}},
    }


def _parameters(place: str, model: type[Request], schemas: Mapping[str, Any]) -> list[dict[str, Any]]:
    if model is Nothing:
        return []
    schema = schemas[model.__name__]
    parameters = []
    for name, field in schema["properties"].items():
        described = {key: value for key, value in field.items() if key not in {"title", "description"}}
        parameter: dict[str, Any] = {"name": name, "in": place, "required": name in schema.get("required", ())}
        if "description" in field:
            parameter["description"] = field["description"]
        parameters.append(parameter | {"schema": _without_null(described)})
    return parameters


def _without_null(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """A parameter is left out, and never null."""
    choices = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) == 1:
        rest = {key: value for key, value in schema.items() if key not in {"anyOf", "default"}}
        return {**choices[0], **rest}
    return schema


def _problems(statuses: set[HTTPStatus]) -> dict[str, Any]:
    return {str(int(status)): {"$ref": "#/components/responses/Problem"} for status in sorted(statuses)}


def _problem_response() -> dict[str, Any]:
    schema = {"$ref": _REFERENCE.format(model=models.Problem.__name__)}
    return {"description": "What went wrong, and what to do about it.", "content": {MEDIA_TYPE: {"schema": schema}}}


def _unique(models_: Sequence[type[BaseModel]]) -> list[type[BaseModel]]:
    return list(dict.fromkeys(models_))
