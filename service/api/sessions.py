"""Signing in and out, the caller's own account, and accounts for administrators."""

from http import HTTPStatus
from typing import Any

from domain.clock import iso
from domain.site import SERVICE_ENTERPRISE
from service.accounts import Account, Scope, unfit
from service.accounts.book import csrf_of
from service.accounts.control import CodeNeeded, HeldOff, SignInRefused, WeakPassword
from service.accounts.passwords import totp_uri
from service.api import session_models as models
from service.api.access import SIGNED, allowed
from service.api.authentication import Caller
from service.api.problems import Problem, unfit_field
from service.api.requests import Nothing
from service.api.routes import PREFIX, Call, Cookie, Route
from service.api.views import iso_or_none

_CONFLICT, _AWAY = HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE
_WRONG, _OFTEN = HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS


async def begin_session(call: Call[Nothing, Nothing, models.SignIn]) -> dict[str, Any]:
    """Sign in. The answer sets a cookie that scripts of the page cannot read."""
    body, accounts = call.body, call.service.account_control
    try:
        token, session = await accounts.sign_in(body.name, body.password, body.code, call.remote)
    except SignInRefused as refusal:
        raise _refused(refusal, "body") from None
    call.cookies.append(Cookie(token, (session.ends_at - session.begun_at) // 1000))
    account = call.service.accounts.require(session.account)
    return _state(Caller(account.name, account.role, account.scope, account, session, csrf_of(token)))


async def get_session(call: Call[Nothing, Nothing, Nothing]) -> dict[str, Any]:
    """Who calls."""
    return _state(call.who)


async def end_session(call: Call[Nothing, Nothing, Nothing]) -> dict[str, Any]:
    """Sign out."""
    if call.who.session is not None:
        await call.service.account_control.sign_out(call.who.session)
        call.cookies.append(Cookie("", 0))
    return {"done": True}


async def change_password(call: Call[Nothing, Nothing, models.NewPassword]) -> dict[str, Any]:
    """Set a password of one's own; all other sessions of the account end."""
    account, body = _own(call), call.body
    try:
        changed = await call.service.account_control.change_password(
            account, call.who.session, body.password, body.new_password
        )
    except SignInRefused as refusal:
        raise _refused(refusal, "password") from None
    except WeakPassword as fault:
        error = {"in": "body", "field": "new_password", "message": str(fault), "remedy": "Choose another one."}
        raise Problem(HTTPStatus.BAD_REQUEST, f"body new_password: {fault}", errors=[error]) from None
    return _view(changed)


async def sign_act(call: Call[Nothing, Nothing, models.SignatureProof]) -> dict[str, Any]:
    """A signature for the caller's next act that asks for one: `signed` of `GET /session` lists them."""
    account, body, session = _own(call), call.body, call.who.session
    if session is None or (body.password is None and body.code is None):
        raise unfit_field("body", "password", "neither a password nor a code", "Give one.")
    try:
        signature, until = await call.service.account_control.sign(account, session, body.password, body.code)
    except SignInRefused as refusal:
        raise _refused(refusal, "password" if body.code is None else "code") from None
    return {"signature": signature, "until": iso(until)}


async def prove_second(call: Call[Nothing, Nothing, models.SecondProof]) -> dict[str, Any]:
    """The second person of the caller's next act, who proves here and now that it is he.

    What is given counts for the acts named, of this session, for a minute; the person has to be allowed them himself.
    """
    own, body, session = _own(call), call.body, call.who.session
    if session is None or (body.password is None and body.code is None):
        raise unfit_field("body", "password", "neither a password nor a code", "Give one.")
    if call.service.accounts.find(body.name) == own:
        raise unfit_field("body", "name", "this is who is signed in", "Another person gives the name of his account.")
    try:
        second, account, until = await call.service.account_control.vouch(
            session, body.name, body.password, body.code, call.remote, body.act, body.times
        )
    except SignInRefused as refusal:
        raise _refused(refusal, "password" if body.code is None else "code") from None
    return {"second": second, "name": account.display_name, "until": iso(until)}


async def begin_codes(call: Call[Nothing, Nothing, models.Proof]) -> dict[str, Any]:
    """A secret for one-time codes (RFC 6238). It counts once `POST /session/codes/confirm` has had a code of it."""
    account = _own(call)
    try:
        secret = await call.service.account_control.offer_codes(account, call.body.password)
    except SignInRefused as refusal:
        raise _refused(refusal, "password") from None
    return {"secret": secret, "uri": totp_uri(secret, account.name)}


async def confirm_codes(call: Call[Nothing, Nothing, models.CodeProof]) -> dict[str, Any]:
    """From now on a one-time code is asked for."""
    try:
        return _view(await call.service.account_control.confirm_codes(_own(call), call.body.code))
    except SignInRefused as refusal:
        raise _refused(refusal, "code") from None


async def end_codes(call: Call[Nothing, Nothing, models.Proof]) -> dict[str, Any]:
    """No one-time code is asked for any more."""
    try:
        return _view(await call.service.account_control.end_codes(_own(call), call.body.password))
    except SignInRefused as refusal:
        raise _refused(refusal, "password") from None


async def list_accounts(call: Call[Nothing, Nothing, Nothing]) -> dict[str, Any]:
    """All accounts, by name."""
    return {"items": [_view(each) for each in call.service.accounts.accounts]}


async def add_account(call: Call[Nothing, Nothing, models.NewAccount]) -> dict[str, Any]:
    """Make an account. Its first password is told this once, and has to be changed at the first signing in."""
    body, scope = call.body, _scope(call)
    account, password = await call.service.account_control.add(
        body.name, body.display_name, body.role, call.caller, scope
    )
    return {"account": _view(account), "first_password": password}


async def give_password(call: Call[models.AccountPath, Nothing, models.AccountReason]) -> dict[str, Any]:
    """A first password anew, for who has forgotten his; one-time codes are off, all sessions end."""
    account, password = await call.service.account_control.give_password(call.path.name, call.body.reason, call.caller)
    return {"account": _view(account), "first_password": password}


async def set_account_role(call: Call[models.AccountPath, Nothing, models.RoleBody]) -> dict[str, Any]:
    """Give an account another role, and bind it to a region, an enterprise or the whole site. It holds at once."""
    book, role, reason, scope = call.service.accounts, call.body.role, call.body.reason, _scope(call)
    return _view(
        await call.service.act(
            lambda _register, now, change: book.set_role(call.path.name, role, scope, reason, call.caller, now, change)
        )
    )


async def disable_account(call: Call[models.AccountPath, Nothing, models.AccountReason]) -> dict[str, Any]:
    """Nobody signs in by it any more, and its sessions end."""
    book = call.service.accounts
    return _view(
        await call.service.act(
            lambda _register, now, change: book.disable(call.path.name, call.body.reason, call.caller, now, change)
        )
    )


async def enable_account(call: Call[models.AccountPath, Nothing, models.AccountReason]) -> dict[str, Any]:
    """Undo that."""
    book = call.service.accounts
    return _view(
        await call.service.act(
            lambda _register, now, change: book.enable(call.path.name, call.body.reason, call.caller, now, change)
        )
    )


def _own(call: Call[Any, Any, Any]) -> Account:
    if call.who.account is None:
        raise Problem(_CONFLICT, "a bearer token of the main file has no account; sign in with a name and a password")
    return call.who.account


def _scope(call: Call[Any, Nothing, Any]) -> Scope:
    """What an account is to be bound to. Raises Problem: there is no such thing, or the role cannot be bound so."""
    body, site = call.body, call.service.site
    scope = Scope(body.region, body.enterprise)
    for field, given, known in (
        ("region", body.region, site.regions.keys()),
        ("enterprise", body.enterprise, site.enterprises.keys() - {SERVICE_ENTERPRISE}),
    ):
        if given is not None and given not in known:
            remedy = f"Give the {'code' if field == 'region' else 'id'} of one that the site file has."
            raise unfit_field("body", field, f"there is no {field} {given[:100]!r}", remedy)
    fault = unfit(body.role, scope)
    if fault is not None:
        field = "region" if body.region is not None else "enterprise"
        raise unfit_field("body", field, "not with this role", f"{fault[:1].upper()}{fault[1:]}.")
    return scope


def _refused(refusal: SignInRefused, field: str) -> Problem:
    if isinstance(refusal, HeldOff):
        return Problem(_OFTEN, str(refusal), headers={"Retry-After": str(refusal.seconds)})
    name = "code" if isinstance(refusal, CodeNeeded) else field
    error = {"in": "body", "field": name, "message": str(refusal), "remedy": "Try again."}
    return Problem(_WRONG, str(refusal), errors=[error])


def _state(who: Caller) -> dict[str, Any]:
    """``session_models.SessionState``."""
    may = allowed(who.role, who.scope)
    return {
        "name": who.name,
        "role": who.role.value,
        **who.scope._asdict(),
        "account": None if who.account is None else _view(who.account),
        "csrf": who.csrf,
        "ends_at": None if who.session is None else iso(who.session.ends_at),
        "may": may,
        "signed": [operation for operation in may if operation in SIGNED and who.session is not None],
    }


def _view(account: Account) -> dict[str, Any]:
    """``session_models.Account``."""
    return {
        "name": account.name,
        "display_name": account.display_name,
        "role": account.role.value,
        **account.scope._asdict(),
        "must_change": account.must_change,
        "codes": account.totp is not None,
        "made_at": iso(account.made_at),
        "disabled_at": iso_or_none(account.disabled_at),
    }


_SESSION, _ACCOUNTS = f"{PREFIX}/session", f"{PREFIX}/accounts"
ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        _SESSION,
        begin_session,
        "Sign in",
        models.SessionState,
        errors=(_WRONG, _OFTEN, _AWAY),
        tag="accounts",
        is_open=True,
    ),
    Route("GET", _SESSION, get_session, "Who calls", models.SessionState, tag="accounts"),
    Route("DELETE", _SESSION, end_session, "Sign out", models.Done, errors=(_AWAY,), tag="accounts"),
    Route(
        "POST",
        f"{_SESSION}/password",
        change_password,
        "Change one's password",
        models.Account,
        errors=(_CONFLICT, _OFTEN, _AWAY),
        tag="accounts",
    ),
    Route(
        "POST",
        f"{_SESSION}/signature",
        sign_act,
        "Sign the next act",
        models.GivenSignature,
        errors=(_CONFLICT, _OFTEN),
        tag="accounts",
    ),
    Route(
        "POST",
        f"{_SESSION}/second",
        prove_second,
        "Prove who the second person is",
        models.GivenSecond,
        errors=(_CONFLICT, _OFTEN, _AWAY),
        tag="accounts",
    ),
    Route(
        "POST",
        f"{_SESSION}/codes",
        begin_codes,
        "A secret for one-time codes",
        models.NewCodes,
        errors=(_CONFLICT, _OFTEN),
        tag="accounts",
    ),
    Route(
        "POST",
        f"{_SESSION}/codes/confirm",
        confirm_codes,
        "Begin one-time codes",
        models.Account,
        errors=(_CONFLICT, _AWAY),
        tag="accounts",
    ),
    Route(
        "POST",
        f"{_SESSION}/codes/end",
        end_codes,
        "End one-time codes",
        models.Account,
        errors=(_CONFLICT, _OFTEN, _AWAY),
        tag="accounts",
    ),
    Route("GET", _ACCOUNTS, list_accounts, "Accounts", models.AccountList, tag="accounts"),
    Route(
        "POST",
        _ACCOUNTS,
        add_account,
        "Make an account",
        models.GivenPassword,
        errors=(_CONFLICT, _AWAY),
        tag="accounts",
    ),
    *(
        Route(
            "POST",
            f"{_ACCOUNTS}/{{name}}/{word}",
            handler,
            summary,
            answer,
            errors=(HTTPStatus.NOT_FOUND, _CONFLICT, _AWAY),
            tag="accounts",
        )
        for word, handler, summary, answer in (
            ("password", give_password, "Give a first password anew", models.GivenPassword),
            ("role", set_account_role, "Give another role", models.Account),
            ("disable", disable_account, "Disable an account", models.Account),
            ("enable", enable_account, "Enable an account", models.Account),
        )
    ),
)
