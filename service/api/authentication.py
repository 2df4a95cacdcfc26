"""Bearer tokens: known by their SHA-256 only, compared in constant time."""

import hashlib
import hmac
from collections.abc import Sequence
from http import HTTPStatus

from aiohttp import web

from service.api.problems import Problem

LIVE_PROTOCOL = "anshao.live.v1"
"""Subprotocol of the WebSocket."""
_BEARER_PROTOCOL = "bearer."
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="anshao"'}


def caller_of(request: web.Request, tokens: Sequence[tuple[str, str]]) -> str:
    """Name of the token in the ``Authorization`` header. Raises Problem (401)."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise _refusal("no bearer token was sent; send the header Authorization: Bearer TOKEN")
    return _name(token.strip(), tokens)


def live_caller_of(request: web.Request, tokens: Sequence[tuple[str, str]]) -> str:
    """As ``caller_of``; browsers, which cannot set the header of a WebSocket, offer ``bearer.TOKEN`` as a protocol."""
    offered = [part.strip() for part in request.headers.get("Sec-WebSocket-Protocol", "").split(",") if part.strip()]
    if offered and LIVE_PROTOCOL not in offered:
        # Also keeps aiohttp from logging the offer, token and all.
        raise Problem(HTTPStatus.BAD_REQUEST, f"unknown WebSocket subprotocol; offer {LIVE_PROTOCOL}")
    if "Authorization" in request.headers:
        return caller_of(request, tokens)
    for protocol in offered:
        if protocol.startswith(_BEARER_PROTOCOL):
            return _name(protocol.removeprefix(_BEARER_PROTOCOL), tokens)
    raise _refusal(
        f"no bearer token was sent; send the header Authorization: Bearer TOKEN, or the subprotocols {LIVE_PROTOCOL} "
        f"and {_BEARER_PROTOCOL}TOKEN"
    )


def _name(token: str, tokens: Sequence[tuple[str, str]]) -> str:
    given = hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
    found: str | None = None
    for name, digest in tokens:  # all of them, so that the time taken tells nothing
        if hmac.compare_digest(given, digest.lower()):
            found = name
    if found is None:
        raise _refusal("the bearer token is not known; its SHA-256 must stand under tokens in the configuration")
    return found


def _refusal(detail: str) -> Problem:
    return Problem(HTTPStatus.UNAUTHORIZED, detail, headers=_CHALLENGE)
