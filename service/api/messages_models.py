"""Messages, channels and one-time codes, as callers send and get them."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from alerting.notify.message import MessageState
from service.api.models import Document, GradeName, Instant
from service.api.requests import Number, PageQuery, Request, Text, printable

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), AfterValidator(printable)]
_MESSAGE: dict[str, Any] = {
    "id": 7,
    "incident": 41,
    "drill": None,
    "contact": "wang-fang",
    "name": "王芳",
    "side": "desk",
    "reason": "opened",
    "grade": "orange",
    "tier": 3,
    "subject": "【橙色】华瑞化工储运 原料罐区：新警情",
    "channels": ["sms", "mail"],
    "channel": "sms",
    "state": "sent",
    "attempts": 1,
    "created_at": "2026-06-08T02:30:04.250Z",
    "next_attempt_at": None,
    "expires_at": "2026-06-09T02:30:04.250Z",
    "sent_at": "2026-06-08T02:30:04.900Z",
    "delivered_at": None,
    "read_at": None,
    "acknowledged_at": None,
    "undelivered_at": None,
    "failed_at": None,
    "digest": None,
    "last_error": None,
}


# ---- what callers send


class MessagePath(Request):
    """Path of one message."""

    id: Number


class ChannelPath(Request):
    """Path of one channel."""

    id: Text


class MessagesQuery(PageQuery):
    """Which messages."""

    incident: Number | None = None
    contact: Text | None = None
    channel: Text | None = None
    state: MessageState | None = None
    undelivered: bool | None = Field(None, description="true: each way to the recipient has failed at least once.")


class Receipt(Request):
    """What a gateway says of a message that it took."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"state": "delivered"}]})

    state: Literal["delivered", "read"]


class ChannelTest(Request):
    """Who asks for a test, and where it goes."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "王芳", "to": "13800000000"}]})

    name: Name
    to: Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(printable)] | None = Field(
        None, description="Address on the channel; default: where its scheduled tests go."
    )


class CodeBody(Request):
    """A one-time code, as the message has it, and who uses it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"code": "K7QD-3M9X-TP2WA", "name": "王芳"}]})

    code: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    name: Name


# ---- what they get


class Message(Document):
    """消息: one recipient told of one thing."""

    model_config = ConfigDict(json_schema_extra={"examples": [_MESSAGE]})

    id: int
    incident: int | None = Field(description="null: a digest.")
    drill: int | None
    contact: str
    name: str
    side: Literal["enterprise", "desk"]
    reason: str = Field(
        description="opened, reopened, graded, escalated, not_acknowledged, no_feedback, not_delivered, unanswered, "
        "repeated or digest."
    )
    grade: GradeName
    tier: int
    subject: str
    channels: list[str] = Field(description="In the order in which they are tried.")
    channel: str | None = Field(description="Whose turn it is; null: it waits for a digest, or goes nowhere.")
    state: MessageState
    attempts: int
    created_at: Instant
    next_attempt_at: Instant | None
    expires_at: Instant
    sent_at: Instant | None
    delivered_at: Instant | None
    read_at: Instant | None
    acknowledged_at: Instant | None
    undelivered_at: Instant | None
    failed_at: Instant | None
    digest: int | None = Field(description="The message that says it together with others.")
    last_error: str | None


class MessagePage(Document):
    """A page of messages."""

    items: list[Message]
    next: str | None


class Attempt(Document):
    """One try."""

    channel: str
    at: Instant
    ok: bool
    error: str | None


class MessageDetail(Message):
    """A message with its text and its tries. A one-time code is not shown."""

    text: str
    tries: list[Attempt]


class Channel(Document):
    """通道 and how it does since the service's start."""

    id: str
    name: str
    kind: Literal["webhook", "apprise"]
    needs: Literal["phone", "mail", "address", ""] = Field(description="What a recipient must have.")
    failing: bool
    sent: int
    failed: int
    last_ok_at: Instant | None
    last_failed_at: Instant | None
    last_error: str | None
    tested_at: Instant | None
    test_error: str | None
    waiting: int = Field(description="Messages whose next try is by this channel.")


class ChannelList(Document):
    """All channels, in their order."""

    items: list[Channel]


class ChannelTested(Document):
    """Result of a test."""

    channel: str
    at: Instant
    ok: bool
    error: str | None


class CodeUsed(Document):
    """What a one-time code has done."""

    incident: int
    side: Literal["enterprise", "desk"]
    acknowledged: bool = Field(description="false: this side had acknowledged the incident before.")
