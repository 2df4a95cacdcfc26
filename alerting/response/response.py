"""The response as one part of the service: its clocks, its messages, and what people and receivers do to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from alerting.alarms.register import Register
from alerting.incidents.closed_loop import Side
from alerting.ledger.ledger import reaching
from alerting.notify.message import Message, MessageState
from alerting.notify.messages import Messages
from alerting.records import Change
from alerting.refusals import Conflict, NotFound
from alerting.response.book import ResponseBook
from alerting.response.cards import Card
from alerting.response.escalation import Circle, Escalation
from domain.site import Site


@dataclass(frozen=True, slots=True)
class CodeUse:
    """What the use of a one-time code did."""

    message: int
    incident: int
    side: str
    acknowledged: bool
    """False: that side had acknowledged the incident before."""


class Response:
    """A participant of every commit. ``circle``: whom a drill may tell, nobody by default."""

    def __init__(self, book: ResponseBook, site: Site, register: Register, circle: Circle = lambda _: ()) -> None:
        self.book = book
        self._site = site
        self._register = register
        self.messages = Messages(book, register.journal)
        self.escalation = Escalation(book, site, register, self.messages, circle)
        self._used: set[str] = set()
        """Digests of codes used since the start."""

    async def load(self, engine: AsyncEngine, now: int) -> None:
        """Take what stands in the ledger. Raises LedgerUnavailable."""
        async with reaching(engine) as connection:
            await self.messages.load(connection, self._register.incidents, now)
            await self.escalation.load(connection)

    def reconfigure(self, book: ResponseBook, site: Site) -> None:
        """Take another book and site, on the road of the commits."""
        self.book, self._site = book, site
        self.messages.reconfigure(book)
        self.escalation.reconfigure(book, site)

    def take_part(self, change: Change, now: int) -> None:
        """See ``Participant``. It comes after whoever may escalate an incident."""
        self.messages.advance(now, change)
        self.escalation.take_part(change, now)

    def use_code(self, digest: str, row: dict[str, Any], actor: str, name: str, now: int, change: Change) -> CodeUse:
        """Acknowledge an incident by a one-time code. ``row``: of the table of codes.

        Raises NotFound, Conflict (used, expired, the incident is over, or graver than the message says).
        """
        if row["used_at"] is not None or digest in self._used:
            raise Conflict("this code has been used already; each message has its own")
        if row["expires_at"] <= now:
            raise Conflict("this code has expired; acknowledge in the console")
        message = self.messages.find(row["message"])
        if message is None or message.incident is None:
            raise Conflict("the incident of this code is closed; nothing needs to be acknowledged")
        incident = self._register.casebook.opened(message.incident)
        if incident.grade > message.grade or message.created_at < incident.loop.get("reopened_at", 0):
            raise Conflict(
                f"this code is of a message from before incident {incident.id} came to be {incident.grade.label}; "
                "use that of the newest message, or acknowledge in the console"
            )
        side = Side(message.side)
        before = incident.desk_acknowledged_at if side is Side.DESK else incident.enterprise_acknowledged_at
        if before is None:
            self._register.casebook.acknowledge(incident.id, side, actor, name, "", now, change)
        self.messages.acknowledge(message, actor, name, now, change)
        self._used.add(digest)
        change.upsert("acknowledge_code", row | {"used_at": now})
        return CodeUse(message.id, incident.id, side.value, before is None)

    def receive(self, identity: int, state: MessageState, now: int, change: Change) -> Message:
        """Take a receipt. Raises NotFound, Conflict."""
        return self.messages.receive(identity, state, now, change)

    def finish_call(
        self, identity: int, actor: str, name: str, comment: str, now: int, change: Change
    ) -> dict[str, Any]:
        """Somebody has called the site back. Raises NotFound."""
        if identity not in self.escalation.calls.open:
            raise NotFound(f"there is no call back {identity} to be made")
        return self.escalation.calls.finish(identity, actor, name, comment, now, change)

    def cards_of(self, enterprise: str, tag: str, rule: str) -> Sequence[Card]:
        """Response cards of an alarm."""
        return self.book.cards_for(self._site, enterprise, tag, rule)
