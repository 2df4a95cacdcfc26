"""Answers that callers may keep, as long as they ask each time whether these still hold."""

import hashlib
from http import HTTPStatus

from aiohttp import hdrs, web


def kept(request: web.Request, answer: web.Response) -> web.Response:
    """The answer with its ETag; 304 without a body where the caller has it already.

    It is the caller's own: no cache on the way may give it to another.
    """
    tag = hashlib.sha256(answer.body if isinstance(answer.body, bytes) else b"").hexdigest()[:32]
    known = {each.value for each in request.if_none_match or ()}
    if known & {tag, "*"}:
        answer = web.Response(status=HTTPStatus.NOT_MODIFIED)
    answer.etag = tag
    answer.headers[hdrs.CACHE_CONTROL] = "private, no-cache"
    answer.headers[hdrs.VARY] = f"{hdrs.AUTHORIZATION}, {hdrs.COOKIE}"
    return answer
