"""Messages (消息): one recipient told of one thing, from queued to acknowledged.

| state | means |
|---|---|
| queued | to be sent, or tried again, or waiting for its digest |
| sent | the channel has taken it |
| delivered, read | the channel, or a receipt, says so |
| acknowledged | the recipient has used the code |
| failed | given up after ``Limits.keep_trying``, or the recipient has no address |
| superseded | a newer message of the same incident to the same recipient, or the incident's end, came before it left |
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import RowMapping

from domain.scales import Grade

ERROR_SHOWN = 300
"""Characters of a channel's complaint that are kept."""
GRADES_ZH: Mapping[Grade, str] = {Grade.BLUE: "蓝", Grade.YELLOW: "黄", Grade.ORANGE: "橙", Grade.RED: "红"}


class MessageState(StrEnum):
    """States of a message."""

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    ACKNOWLEDGED = "acknowledged"
    FAILED = "failed"
    SUPERSEDED = "superseded"


ORDER = [MessageState.QUEUED, MessageState.SENT, MessageState.DELIVERED, MessageState.READ, MessageState.ACKNOWLEDGED]
ENDS = {MessageState.FAILED, MessageState.SUPERSEDED}


class Place(NamedTuple):
    """Where an incident is."""

    region: str
    enterprise: str
    unit: str


@dataclass(slots=True)
class Message:
    """One row of the table ``message``. Times in ms UTC."""

    id: int
    incident: int | None
    drill: int | None
    contact: str
    name: str
    side: str
    reason: str
    grade: Grade
    tier: int
    step: int
    language: str
    subject: str
    text: str
    routes: list[list[str]]
    """[channel, address] in the order in which they are tried."""
    created_at: int
    expires_at: int
    next_attempt_at: int | None
    channel: str | None
    state: MessageState = MessageState.QUEUED
    route: int = 0
    tries: int = 0
    """On the route whose turn it is."""
    attempts: int = 0
    sent_at: int | None = None
    delivered_at: int | None = None
    read_at: int | None = None
    acknowledged_at: int | None = None
    undelivered_at: int | None = None
    failed_at: int | None = None
    digest: int | None = None
    last_error: str | None = None
    place: Place | None = None
    """Of its incident, so that the journal tells those who see the incident. In no column; a digest has none."""

    @property
    def is_waiting(self) -> bool:
        """To be sent or tried again, by itself or within a digest."""
        return self.state is MessageState.QUEUED

    @property
    def is_unreached(self) -> bool:
        """Each way to the recipient has failed, and none has worked since."""
        return self.undelivered_at is not None and self.state in {MessageState.QUEUED, MessageState.FAILED}

    def named(self) -> dict[str, Any]:
        """As the journal names it."""
        named = {"message": self.id, "contact": self.contact, "recipient": self.name, "tier": self.tier}
        return named if self.drill is None else named | {"drill": self.drill}

    def row(self) -> dict[str, Any]:
        """For the ledger."""
        values = asdict(self)
        del values["place"]
        values["grade"], values["state"] = int(self.grade), self.state.value
        return values


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one try. ``error`` None: the channel has taken it."""

    message: int
    channel: str
    at: int
    error: str | None
    delivered: bool = False
    """The channel says that it has reached the receiver, and not only been taken."""


def message_of(row: RowMapping) -> Message:
    """Message from a row."""
    values = dict(row)
    return Message(**values | {"grade": Grade(values["grade"]), "state": MessageState(values["state"])})
