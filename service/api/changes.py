"""Changes of rules: proposed, tried on history, approved by another person, watched in shadow, in force, taken back."""

from http import HTTPStatus
from typing import Any

from alerting.journal.journal import describe
from service.api.change_views import change_view
from service.api.changes_models import (
    ApplyBody,
    BacktestBody,
    ChangePath,
    ChangeProposal,
    ChangesQuery,
    RollbackBody,
    RuleChangeDetail,
    RuleChangePage,
    ShadowBody,
)
from service.api.changes_models import RuleChange as RuleChangeDocument
from service.api.problems import Problem, unfit_field
from service.api.requests import Nothing, Signature
from service.api.routes import PREFIX, Call, Handler, Route
from service.api.scopes import beyond, seen_page
from service.api.tuning_models import GivenFigures
from service.changes import queries
from service.changes.change import RuleChange
from service.changes.edits import EditRefused
from service.changes.states import OPEN, ChangeState
from service.config.tuned import Figures

HOUR = 3_600_000


async def list_changes(call: Call[Nothing, ChangesQuery, Nothing]) -> dict[str, Any]:
    """Changes, newest first."""
    query = call.query
    states = None if query.state is None else OPEN if query.state == "open" else {ChangeState(query.state)}
    ledger, reach = call.service.ledger, call.reach
    page, more = await seen_page(
        lambda limit, after: queries.changes(ledger, states, limit, after),
        lambda change: reach.sees_all(rule.path for rule in change.rules),
        lambda change: change.id,
        query.limit,
        query.after,
    )
    return {"items": [_view(call, each) for each in page], "next": str(page[-1].id) if more else None}


async def propose_change(call: Call[Nothing, Nothing, ChangeProposal]) -> dict[str, Any]:
    """Propose new figures for some rules, with a reason. Nothing changes yet."""
    body = call.body
    if not all(call.reach.sees(edit.enterprise) for edit in body.edits):
        raise beyond(call.who.scope)
    edits = [(f"{edit.enterprise}/{edit.tag}/{edit.rule}", figures_of(edit)) for edit in body.edits]
    try:
        made = await call.service.changes.propose(edits, body.name, body.reason, call.caller)
    except EditRefused as fault:
        raise refused_edit(fault, "edits") from None
    return _view(call, made)


async def get_change(call: Call[ChangePath, Nothing, Nothing]) -> dict[str, Any]:
    """One change with its acts and the result of its newest backtest."""
    ledger = call.service.ledger
    known = await queries.find(ledger, call.path.id)  # as it is committed: with its result and its acts
    if known is None:
        raise Problem(HTTPStatus.NOT_FOUND, f"there is no change {call.path.id}; GET {PREFIX}/changes lists them")
    return _view(call, known) | {
        "history": [describe(entry) for entry in await queries.history(ledger, known.id)],
        "result": await queries.result(ledger, known.id),
    }


async def backtest_change(call: Call[ChangePath, Nothing, BacktestBody]) -> dict[str, Any]:
    """Try the change on the history of the last days. It goes on by itself: `backtest` shows how far it has come."""
    body = call.body
    return _view(
        call, await call.service.changes.backtest(call.path.id, body.days, body.name or call.caller, call.caller)
    )


async def approve_change(call: Call[ChangePath, Nothing, Signature]) -> dict[str, Any]:
    """Approve, as a second and different person. What loosens a rule wants a finished backtest first."""
    body = call.body
    return _view(call, await call.service.changes.approve(call.path.id, body.name, call.caller, body.comment))


async def reject_change(call: Call[ChangePath, Nothing, Signature]) -> dict[str, Any]:
    """Reject a change that is not in force."""
    body = call.body
    return _view(call, await call.service.changes.reject(call.path.id, body.name, call.caller, body.comment))


async def withdraw_change(call: Call[ChangePath, Nothing, Signature]) -> dict[str, Any]:
    """Withdraw what one has proposed oneself."""
    body = call.body
    return _view(call, await call.service.changes.withdraw(call.path.id, body.name, call.caller, body.comment))


async def shadow_change(call: Call[ChangePath, Nothing, ShadowBody]) -> dict[str, Any]:
    """Evaluate the changed rules beside those in force for some hours: journaled, paging nobody, raising no alarm."""
    body = call.body
    length = round(body.hours * HOUR)
    return _view(call, await call.service.changes.shadow(call.path.id, length, body.name, call.caller, body.comment))


async def apply_change(call: Call[ChangePath, Nothing, ApplyBody]) -> dict[str, Any]:
    """Put an approved change in force, at once or at a time, while the service runs."""
    body = call.body
    return _view(call, await call.service.changes.apply(call.path.id, body.name, call.caller, body.comment, body.at))


async def roll_back_change(call: Call[ChangePath, Nothing, RollbackBody]) -> dict[str, Any]:
    """Put back the figures that its rules had before; what other changes did to other rules stays."""
    body = call.body
    return _view(call, await call.service.changes.rollback(call.path.id, body.name, call.caller, body.reason))


def figures_of(given: GivenFigures) -> Figures:
    """Figures that a caller gives."""
    return Figures(given.setpoint, given.deadband, given.on_delay_ms, given.off_delay_ms, given.window_ms)


def refused_edit(fault: EditRefused, field: str) -> Problem:
    """400: an edit that cannot be. ``field``: of the body, the list that it stands in."""
    name = f"{fault.field}_ms" if fault.field in {"on_delay", "off_delay", "window"} else fault.field
    place = f"{field}.{fault.index}.{name}"
    return unfit_field("body", place, fault.message, fault.remedy)


def _view(call: Call[Any, Any, Any], known: RuleChange) -> dict[str, Any]:
    return change_view(call.service.changes, call.service.site, known)


_NOT_FOUND, _AWAY = HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE
_ACT = (_NOT_FOUND, HTTPStatus.CONFLICT, _AWAY)
_ONE = f"{PREFIX}/changes/{{id}}"


def _route(act: str, handler: Handler, summary: str) -> Route:
    return Route("POST", f"{_ONE}/{act}", handler, summary, RuleChangeDocument, errors=_ACT, tag="changes")


ROUTES: tuple[Route, ...] = (
    Route("GET", f"{PREFIX}/changes", list_changes, "Changes", RuleChangePage, errors=(_AWAY,), tag="changes"),
    Route(
        "POST",
        f"{PREFIX}/changes",
        propose_change,
        "Propose a change",
        RuleChangeDocument,
        errors=_ACT,
        tag="changes",
    ),
    Route("GET", _ONE, get_change, "One change", RuleChangeDetail, errors=(_NOT_FOUND, _AWAY), tag="changes"),
    _route("backtest", backtest_change, "Backtest a change"),
    _route("approve", approve_change, "Approve a change"),
    _route("reject", reject_change, "Reject a change"),
    _route("withdraw", withdraw_change, "Withdraw a change"),
    _route("shadow", shadow_change, "Watch a change in shadow"),
    _route("apply", apply_change, "Put a change in force"),
    _route("rollback", roll_back_change, "Roll back a change"),
)
