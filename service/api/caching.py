"""Answers that callers may keep, as long as they ask each time whether these still hold."""

import hashlib
from http import HTTPStatus

from aiohttp import hdrs, web

NOT_MODIFIED = {"description": "It is as it was when the `ETag` in `If-None-Match` was given."}
"""What the OpenAPI document says of the 304."""


def kept(request: web.Request, answer: web.Response) -> web.Response:
    """The answer with its ETag; 304 without a body where the caller has it already."""
    tag = hashlib.sha256(answer.body if isinstance(answer.body, bytes) else b"").hexdigest()[:32]
    if is_kept(request, tag):
        answer = web.Response(status=HTTPStatus.NOT_MODIFIED)
    answer.headers.update(kept_headers(tag))
    return answer


def is_kept(request: web.Request, tag: str) -> bool:
    """Whether the caller has the answer of this ETag already."""
    return not {each.value for each in request.if_none_match or ()}.isdisjoint({tag, "*"})


def kept_headers(tag: str) -> dict[str, str]:
    """Headers of an answer that is the caller's own: no cache on the way may give it to another."""
    return {
        hdrs.ETAG: f'"{tag}"',
        hdrs.CACHE_CONTROL: "private, no-cache",
        hdrs.VARY: f"{hdrs.AUTHORIZATION}, {hdrs.COOKIE}",
    }
