"""Messages to people, the channels that they go by, receipts, and one-time codes."""

from asyncio import sleep
from http import HTTPStatus
from typing import Any

from alerting.notify.codes import digest_of
from alerting.notify.message import Message, MessageState
from alerting.notify.sending import ChannelHealth
from alerting.notify.texts import CODE_MARK, CODE_SHOWN
from alerting.refusals import NotFound
from alerting.response import queries
from alerting.response.queries import MessageFilter
from domain.clock import iso
from service.api import messages_models as models
from service.api.problems import Problem
from service.api.requests import Nothing
from service.api.routes import PREFIX, Call, Route
from service.api.views import iso_or_none

_CALLER_BY_CODE = "acknowledge code"
_NOT_FOUND, _CONFLICT, _AWAY = HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE


async def list_messages(call: Call[Nothing, models.MessagesQuery, Nothing]) -> dict[str, Any]:
    """Messages to people, newest first."""
    query = call.query
    which = MessageFilter(
        query.incident, query.contact, query.channel, query.state, query.undelivered, call.reach.enterprises
    )
    page = await queries.messages(call.service.ledger, which, query.limit, query.after)
    return {
        "items": [_message_view(message) for message in page.items],
        "next": str(page.items[-1].id) if page.more else None,
    }


async def get_message(call: Call[models.MessagePath, Nothing, Nothing]) -> dict[str, Any]:
    """One message with its text and its tries."""
    found = await queries.message_with_tries(call.service.ledger, call.path.id)
    if found is None:
        raise _no_message(call.path.id)
    message, tries = found
    return _message_view(message) | {
        "text": message.text.replace(CODE_MARK, CODE_SHOWN),
        "tries": [
            {"channel": row["channel"], "at": iso(row["at"]), "ok": row["ok"], "error": row["error"]} for row in tries
        ],
    }


async def receive_receipt(call: Call[models.MessagePath, Nothing, models.Receipt]) -> dict[str, Any]:
    """A gateway says that a message has arrived, or has been read."""
    response, state = call.service.response, MessageState(call.body.state)
    try:
        message = await call.service.act(lambda _, now, change: response.receive(call.path.id, state, now, change))
    except NotFound:
        if await queries.message_with_tries(call.service.ledger, call.path.id) is None:
            raise _no_message(call.path.id) from None
        raise Problem(_CONFLICT, f"the incident of message {call.path.id} is closed; no receipt is kept") from None
    return _message_view(message)


async def list_channels(call: Call[Nothing, Nothing, Nothing]) -> dict[str, Any]:
    """Channels, and how they do."""
    service = call.service
    waiting = await queries.waiting_by_channel(service.ledger)
    items = []
    for channel in service.response.book.channels.values():
        health = service.outbox.sending.health.get(channel.id, ChannelHealth())
        items.append(
            {
                "id": channel.id,
                "name": channel.name,
                "kind": channel.kind,
                "needs": channel.needs,
                "failing": health.is_failing,
                "sent": health.sent,
                "failed": health.failed,
                "last_ok_at": iso_or_none(health.last_ok_at),
                "last_failed_at": iso_or_none(health.last_failed_at),
                "last_error": health.last_error,
                "tested_at": iso_or_none(health.tested_at),
                "test_error": health.test_error,
                "waiting": waiting.get(channel.id, 0),
            }
        )
    return {"items": items}


async def test_channel(call: Call[models.ChannelPath, Nothing, models.ChannelTest]) -> dict[str, Any]:
    """Send a test message by a channel now; answers what came of it."""
    channel = call.service.response.book.channels.get(call.path.id)
    if channel is None:
        raise Problem(_NOT_FOUND, f"there is no channel {call.path.id!r}; GET {PREFIX}/channels lists them")
    tested = await call.service.outbox.tests.test(channel, call.body.to, call.caller, call.body.name)
    return {"channel": tested.channel, "at": iso(tested.at), "ok": tested.error is None, "error": tested.error}


async def use_acknowledge_code(call: Call[Nothing, Nothing, models.CodeBody]) -> dict[str, Any]:
    """Acknowledge an incident by the one-time code of a message. No token: the code is one, and works once."""
    service, now = call.service, call.service.clock.now()
    throttle = call.context.wrong_codes
    wait = throttle.wait(call.remote, now)
    if wait:
        seconds = -(-wait // 1000)
        raise Problem(
            HTTPStatus.TOO_MANY_REQUESTS,
            f"too many wrong codes; try again in {seconds} s, or acknowledge in the console",
            headers={"Retry-After": str(seconds)},
        )
    await sleep(throttle.delay(now) / 1000)
    digest = digest_of(call.body.code)
    row = None if digest is None else await queries.code(service.ledger, digest)
    if digest is None or row is None:
        throttle.count(call.remote, now)
        raise Problem(_NOT_FOUND, "this code is not known; type it as the message has it, 13 letters and digits")
    used = await service.act(
        lambda _, at, change: service.response.use_code(digest, row, _CALLER_BY_CODE, call.body.name, at, change)
    )
    return {"incident": used.incident, "side": used.side, "acknowledged": used.acknowledged}


def _no_message(identity: int) -> Problem:
    return Problem(_NOT_FOUND, f"there is no message {identity}; GET {PREFIX}/messages lists them")


def _message_view(message: Message) -> dict[str, Any]:
    return {
        "id": message.id,
        "incident": message.incident,
        "drill": message.drill,
        "contact": message.contact,
        "name": message.name,
        "side": message.side,
        "reason": message.reason,
        "grade": message.grade.label,
        "tier": message.tier,
        "subject": message.subject,
        "channels": [channel for channel, _ in message.routes],
        "channel": message.channel,
        "state": message.state.value,
        "attempts": message.attempts,
        "created_at": iso(message.created_at),
        "next_attempt_at": iso_or_none(message.next_attempt_at),
        "expires_at": iso(message.expires_at),
        "sent_at": iso_or_none(message.sent_at),
        "delivered_at": iso_or_none(message.delivered_at),
        "read_at": iso_or_none(message.read_at),
        "acknowledged_at": iso_or_none(message.acknowledged_at),
        "undelivered_at": iso_or_none(message.undelivered_at),
        "failed_at": iso_or_none(message.failed_at),
        "digest": message.digest,
        "last_error": message.last_error,
    }


ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        f"{PREFIX}/messages",
        list_messages,
        "Messages to people",
        models.MessagePage,
        errors=(_AWAY,),
        tag="response",
    ),
    Route(
        "GET",
        f"{PREFIX}/messages/{{id}}",
        get_message,
        "One message",
        models.MessageDetail,
        errors=(_NOT_FOUND, _AWAY),
        tag="response",
    ),
    Route(
        "POST",
        f"{PREFIX}/messages/{{id}}/receipt",
        receive_receipt,
        "A message has arrived",
        models.Message,
        errors=(_NOT_FOUND, _CONFLICT, _AWAY),
        tag="response",
    ),
    Route(
        "GET",
        f"{PREFIX}/channels",
        list_channels,
        "Channels and how they do",
        models.ChannelList,
        errors=(_AWAY,),
        tag="response",
    ),
    Route(
        "POST",
        f"{PREFIX}/channels/{{id}}/test",
        test_channel,
        "Test a channel",
        models.ChannelTested,
        errors=(_NOT_FOUND, _AWAY),
        tag="response",
    ),
    Route(
        "POST",
        f"{PREFIX}/acknowledge-code",
        use_acknowledge_code,
        "Acknowledge by a one-time code",
        models.CodeUsed,
        errors=(_NOT_FOUND, _CONFLICT, HTTPStatus.TOO_MANY_REQUESTS, _AWAY),
        tag="response",
        is_open=True,
    ),
)
