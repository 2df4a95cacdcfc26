"""Errors as RFC 9457 problem details: what went wrong, where, and what to do about it."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import web
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

MEDIA_TYPE = "application/problem+json"
_MOST_ERRORS = 20
_LONGEST_FIELD = 100


class Problem(Exception):
    """An answer that is an error. ``errors`` name single fields; ``headers`` go with it; ``code`` is for programs."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        instance: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors
        self.headers = headers
        self.instance = instance
        self.code = code

    def response(self) -> web.Response:
        """The answer."""
        document: dict[str, Any] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors:
            document["errors"] = list(self.errors)
        if self.code:
            document["code"] = self.code
        if self.instance:
            document["instance"] = self.instance
        return web.Response(
            body=orjson.dumps(document), status=self.status, content_type=MEDIA_TYPE, headers=self.headers
        )


def unavailable(detail: str) -> Problem:
    """503: something that the service stands on does not answer now."""
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers={"Retry-After": "5"})


def invalid(place: str, model: type[BaseModel], fault: ValidationError) -> Problem:
    """400 from what pydantic found. ``place``: path, query or body."""
    found = fault.errors(include_url=False, include_input=False)[:_MOST_ERRORS]
    errors = [_field_error(place, model, error) for error in found]
    first = errors[0]
    detail = f"{place} {first['field']}: {first['message']}. {first['remedy']}"
    return Problem(HTTPStatus.BAD_REQUEST, detail, errors=errors)


def unfit_field(place: str, field: str, message: str, remedy: str) -> Problem:
    """400 for one field of what a caller sent. ``place``: path, query or body."""
    error = {"in": place, "field": field, "message": message, "remedy": remedy}
    return Problem(HTTPStatus.BAD_REQUEST, f"{place} {field}: {message}. {remedy}", errors=[error])


def _field_error(place: str, model: type[BaseModel], error: ErrorDetails) -> dict[str, str]:
    context = error.get("ctx", {})
    field = ".".join(str(part) for part in error["loc"])[:_LONGEST_FIELD] or place
    message = str(context.get("message") or error["msg"])
    remedy = str(context.get("remedy") or _remedy(error["type"], context, model))
    return {"in": place, "field": field, "message": message[:1].lower() + message[1:], "remedy": remedy}


_REMEDIES = {
    "missing": "Give it.",
    "enum": "Use {expected}.",
    "literal_error": "Use {expected}.",
    "int_parsing": "Give a whole number.",
    "int_type": "Give a whole number.",
    "int_parsing_size": "Give a smaller number.",
    "bool_parsing": "Use true or false.",
    "less_than_equal": "Give at most {le}.",
    "greater_than_equal": "Give at least {ge}.",
    "string_too_long": "Give at most {max_length} characters.",
    "string_too_short": "Give a value, or leave the field out.",
    "string_type": "Give a text.",
    "model_type": "Send a JSON object.",
}
"""By pydantic's type of error, filled from its context."""


def _remedy(kind: str, context: Mapping[str, Any], model: type[BaseModel]) -> str:
    if kind == "extra_forbidden":
        known = ", ".join(model.model_fields)
        return f"Remove it; known here: {known}." if known else "Remove it; nothing is expected here."
    return _REMEDIES.get(kind, "See the OpenAPI document at /api/v1/openapi.json.").format_map(context)
