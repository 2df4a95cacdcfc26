"""Who calls: a session's cookie of somebody who has signed in, or a bearer token of the main file.

Tokens and sessions are known by their SHA-256 only, compared in constant time. What a cookie allows is asked for by
pages of this service alone: an act has to show what only they can read.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TypeVar

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from pydantic import BaseModel

from service.accounts import WHOLE_SITE, Account, ApiToken, Role, Scope, Session
from service.accounts.book import csrf_of, digest_of
from service.api.access import BEFORE_THE_PASSWORD, OPEN, ROLES, SECONDED, SIGNED
from service.api.ports import ServicePort
from service.api.problems import Problem
from service.api.scopes import keep_within

Model = TypeVar("Model", bound=BaseModel)

LIVE_PROTOCOL = "anshao.live.v1"
"""Subprotocol of the WebSocket."""
COOKIE = "anshao_session"
CSRF_HEADER = "AnShao-CSRF"
"""Header that an act of a session carries: ``csrf`` of ``GET /session``."""
SIGNATURE_HEADER = "AnShao-Signature"
"""Header that a signed act of a session carries: what ``POST /session/signature`` gave."""
SECOND_HEADER = "AnShao-Second"
"""Header that an act of two carries: what ``POST /session/second`` gave."""
_BEARER_PROTOCOL = "bearer."
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="anshao"'}
_READING = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. ``name``: of the account or the token, as the journal has it."""

    name: str
    role: Role
    scope: Scope = WHOLE_SITE
    account: Account | None = None
    session: Session | None = None
    csrf: str = ""
    expires_at: int | None = None
    """When a token expires, ms UTC; None: never."""
    second: Account | None = None
    """Who has proved to be the second person of this act."""

    def is_still_in(self, service: ServicePort) -> bool:
        """Whether the session or the token counts still, for the same: who is on the line for long is asked again."""
        now = service.clock.now()
        if self.session is not None:
            if not service.accounts.counts(self.session, now):
                return False
            account = service.accounts.require(self.session.account)
            return (account.role, account.scope) == (self.role, self.scope)
        return self.expires_at is None or self.expires_at > now

    def sign(self, given: Model) -> Model:
        """What was sent, with the names of who is signed in and of who has agreed; a token names whom it names."""
        if self.account is None:
            return given
        names = {"name": self.account, "second": self.second}
        return given.model_copy(
            update={
                field: None if account is None else account.display_name
                for field, account in names.items()
                if field in type(given).model_fields
            }
        )


_CALLER = web.RequestKey("caller", Caller)


def caller_of(request: web.Request) -> Caller:
    """Who the door has let in."""
    return request[_CALLER]


def caller_if_asked(request: web.Request) -> Caller | None:
    """The same; None: the operation asks nobody who he is."""
    return request.get(_CALLER)


def door(service: ServicePort) -> Middleware:
    """Every request to the API goes through here: who calls, and whether he may."""

    @web.middleware
    async def let_in(request: web.Request, handler: Handler) -> web.StreamResponse:
        operation = request.match_info.route.name
        if operation is None or operation in OPEN:  # without a name: no such address
            return await handler(request)
        caller = _who(request, service, live=operation == "live")
        if caller.role not in ROLES.get(operation, ()):
            raise Problem(HTTPStatus.FORBIDDEN, f"the role {caller.role.value} may not do this; ask an administrator")
        if caller.session is not None and request.method not in _READING:
            _check_own_page(request, caller)
        if caller.account is not None and caller.account.must_change and operation not in BEFORE_THE_PASSWORD:
            raise Problem(HTTPStatus.FORBIDDEN, "the password was given out: change it first, POST /session/password")
        if not caller.scope.is_whole:
            await keep_within(operation, request, service, caller.scope)
        if caller.session is not None and operation in SIGNED:
            _check_signature(request, service, caller.session)
        if caller.session is not None and operation in SECONDED and SECOND_HEADER in request.headers:
            caller = replace(caller, second=await _second(request, service, caller.session, operation))
        request[_CALLER] = caller
        return await handler(request)

    return let_in


def _check_signature(request: web.Request, service: ServicePort, session: Session) -> None:
    if not service.account_control.takes_signature(session, request.headers.get(SIGNATURE_HEADER, "")):
        detail = (
            f"this act is signed: send the password or a one-time code to POST /api/v1/session/signature, and what it "
            f"gives in the header {SIGNATURE_HEADER} within a minute"
        )
        raise Problem(HTTPStatus.FORBIDDEN, detail, code="signature_needed")


async def _second(request: web.Request, service: ServicePort, session: Session, operation: str) -> Account:
    account = service.account_control.take_word(session, operation, request.headers[SECOND_HEADER])
    if account is None:
        raise second_needed()
    if account.role not in ROLES[operation]:
        raise second_unfit(account)
    if not account.scope.is_whole:
        try:
            await keep_within(operation, request, service, account.scope)
        except Problem:
            raise second_unfit(account) from None
    return account


def second_needed() -> Problem:
    """Nobody has agreed, or no longer."""
    detail = (
        f"this act takes two persons: another one proves who he is by POST /api/v1/session/second, and what it gives "
        f"goes in the header {SECOND_HEADER} within a minute"
    )
    return Problem(HTTPStatus.FORBIDDEN, detail, code="second_needed")


def second_unfit(account: Account) -> Problem:
    """Who has agreed may not do it himself."""
    detail = f"{account.name} cannot be the second person: the role or what the account is bound to does not allow it"
    return Problem(HTTPStatus.FORBIDDEN, detail, code="second_unfit")


def _check_own_page(request: web.Request, caller: Caller) -> None:
    shown = request.headers.get(CSRF_HEADER, "")
    if not hmac.compare_digest(shown.encode("utf-8", "surrogateescape"), caller.csrf.encode()):
        detail = f"the header {CSRF_HEADER} must carry what GET /api/v1/session tells as csrf; reload the page"
        raise Problem(HTTPStatus.FORBIDDEN, detail)


def _who(request: web.Request, service: ServicePort, *, live: bool) -> Caller:
    """The caller. Browsers, which cannot set a WebSocket's header, offer ``bearer.TOKEN`` as a protocol of it."""
    now = service.clock.now()
    offered = [part.strip() for part in request.headers.get("Sec-WebSocket-Protocol", "").split(",") if part.strip()]
    if live and offered and LIVE_PROTOCOL not in offered:
        # Also keeps aiohttp from logging the offer, token and all.
        raise Problem(HTTPStatus.BAD_REQUEST, f"unknown WebSocket subprotocol; offer {LIVE_PROTOCOL}")
    if "Authorization" in request.headers:
        scheme, _, token = request.headers["Authorization"].partition(" ")
        if scheme.lower() != "bearer":
            raise _nobody("no bearer token was sent; send the header Authorization: Bearer TOKEN")
        return _of_token(token.strip(), service.tokens, now)
    if live:
        for protocol in offered:
            if protocol.startswith(_BEARER_PROTOCOL):
                return _of_token(protocol.removeprefix(_BEARER_PROTOCOL), service.tokens, now)
    cookie = request.cookies.get(COOKIE)
    if cookie:
        found = service.accounts.session_of(cookie, now)
        if found is None:
            raise _nobody("the session has ended; sign in again")
        session, account = found
        return Caller(account.name, account.role, account.scope, account, session, csrf_of(cookie))
    raise _nobody(
        "no bearer token was sent, and nobody is signed in; send the header Authorization: Bearer TOKEN"
        + (f", or the subprotocols {LIVE_PROTOCOL} and {_BEARER_PROTOCOL}TOKEN" if live else "")
    )


def _of_token(token: str, tokens: Sequence[ApiToken], now: int) -> Caller:
    given = digest_of(token)
    found: ApiToken | None = None
    for known in tokens:  # all of them, so that the time taken tells nothing
        if hmac.compare_digest(given, known.sha256.lower()):
            found = known
    if found is None:
        raise _nobody("the bearer token is not known; its SHA-256 must stand under tokens in the configuration")
    if found.expires_at is not None and found.expires_at <= now:
        raise _nobody(f"the bearer token {found.name} has expired; make another with anshao token")
    return Caller(found.name, found.role, found.scope, expires_at=found.expires_at)


def _nobody(detail: str) -> Problem:
    return Problem(HTTPStatus.UNAUTHORIZED, detail, headers=_CHALLENGE)
