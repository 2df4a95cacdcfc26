"""All messages that still move, in memory as the ledger will have them: written, held back, tried, taken.

A message goes by its routes in order: so many tries on one, then the next. When all have failed once it is undelivered
(``undelivered_at``), which escalates; it is tried further all the same, round and round, ever more slowly.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from alerting.journal.journal import Journal
from alerting.ledger.response_schema import message as message_table
from alerting.ledger.schema import incident as incident_table
from alerting.notify.holding import Holding
from alerting.notify.message import (
    ENDS,
    GRADES_ZH,
    ORDER,
    Message,
    MessageState,
    Outcome,
    Place,
    message_of,
)
from alerting.notify.routing import after_failure, next_route, reroute, routes_of
from alerting.notify.texts import Templates
from alerting.records import SERVICE, Change, Incident
from alerting.refusals import Conflict, NotFound
from alerting.response.book import Limits, Recipient, ResponseBook
from domain.scales import Grade


class Messages:
    """Messages that still move or whose incident is open. ``open_incident`` tells which incidents are."""

    def __init__(self, book: ResponseBook, journal: Journal) -> None:
        self._journal = journal
        self._by_id: dict[int, Message] = {}
        self._of_incident: dict[int, list[int]] = {}
        self._holding = Holding()
        self._last = 0
        self._expire_at: int | None = None
        self.unreached: list[int] = []
        """Messages found undelivered in this commit; whoever escalates takes them."""
        self.reconfigure(book)

    def reconfigure(self, book: ResponseBook) -> None:
        """Take another book; messages that are queued keep the routes that they were given."""
        self._book = book
        self._templates = Templates(book.templates)
        self._reroutes = True

    @property
    def templates(self) -> Templates:
        """The texts of the book."""
        return self._templates

    async def load(self, connection: AsyncConnection, incidents: Iterable[int], now: int) -> None:
        """Take from the ledger what still moves, and what belongs to these incidents, which are open."""
        table = message_table
        self._last = int(await connection.scalar(select(table.c.id).order_by(table.c.id.desc()).limit(1)) or 0)
        waits = or_(table.c.state == MessageState.QUEUED.value, table.c.next_attempt_at.is_not(None))
        rows = list((await connection.execute(select(table).where(waits).order_by(table.c.id))).mappings())
        known = {row["id"] for row in rows}
        wanted = list(incidents)
        for start in range(0, len(wanted), 500):
            part = select(table).where(table.c.incident.in_(wanted[start : start + 500])).order_by(table.c.id)
            rows += [row for row in (await connection.execute(part)).mappings() if row["id"] not in known]
        recent = select(table.c.contact, table.c.created_at).where(
            table.c.created_at > now - self._limits.digest_window,
            table.c.grade < int(Grade.ORANGE),
            table.c.digest.is_(None),
            table.c.channel.is_not(None),
            table.c.incident.is_not(None),
        )
        for contact, at in await connection.execute(recent.order_by(table.c.created_at)):
            self._holding.count(contact, at)
        places = await _places(connection, {row["incident"] for row in rows} - {None})
        for row in sorted(rows, key=lambda row: int(row["id"])):
            found = message_of(row)
            found.place = places.get(found.incident)
            self._keep(found)
            if found.is_waiting:
                self._due_no_later(found.expires_at)
                if found.digest is None and found.channel is None and found.routes:
                    self._holding.hold(found.contact, found.id, self._digest_at(found))

    def get(self, identity: int) -> Message:
        """A message that still moves or whose incident is open. Raises NotFound."""
        found = self._by_id.get(identity)
        if found is None:
            raise NotFound(f"there is no message {identity}, or its incident is closed")
        return found

    def find(self, identity: int) -> Message | None:
        """As ``get``; None where there is none."""
        return self._by_id.get(identity)

    def of_incident(self, incident: int) -> list[Message]:
        """Messages of an incident that is open."""
        return [self._by_id[identity] for identity in self._of_incident.get(incident, ())]

    # ---- they come

    def queue(
        self,
        recipient: Recipient,
        by: Sequence[str],
        incident: Incident,
        reason: str,
        step: int,
        facts: Mapping[str, Any],
        now: int,
        change: Change,
    ) -> Message:
        """Write a message that is to be sent, by these channels in order as far as the recipient is on them.

        What waits for the same recipient about the same incident is superseded. Below orange the message may have to
        wait for a digest, and below red for the end of the recipient's quiet hours unless it is on duty.
        """
        contact = recipient.contact
        routes = routes_of(self._book, contact, by)
        self.supersede(incident.id, change, contact.id)
        text = self._templates.message(contact.language, facts, drill=incident.drill is not None)
        self._last += 1
        message = Message(
            id=self._last,
            incident=incident.id,
            drill=incident.drill,
            contact=contact.id,
            name=contact.name,
            side=contact.side,
            reason=reason,
            grade=incident.grade,
            tier=incident.tier,
            step=step,
            language=contact.language,
            subject=text.subject,
            text=text.text,
            routes=routes,
            created_at=now,
            expires_at=now + self._limits.keep_trying,
            next_attempt_at=now,
            channel=routes[0][0] if routes else None,
            place=Place(incident.region, incident.enterprise, incident.unit),
        )
        self._note(message, "message.queued", now, change, reason=reason, channels=[row[0] for row in routes])
        if not routes:
            message.state, message.failed_at, message.undelivered_at = MessageState.FAILED, now, now
            message.next_attempt_at, message.last_error = None, "no address on any channel"
            self._note(message, "message.failed", now, change, error=message.last_error)
            self.unreached.append(message.id)
        else:
            self._due_no_later(message.expires_at)
            self._hold_back(message, recipient, now)
        self._keep(message)
        change.upsert("message", message.row())
        return message

    def supersede(self, incident: int, change: Change, contact: str | None = None) -> None:
        """Let go of what waits about an incident, for one recipient or all: something newer says it, or it is over."""
        for message in self.of_incident(incident):
            if message.is_waiting and contact in {None, message.contact}:
                message.state, message.next_attempt_at = MessageState.SUPERSEDED, None
                if message.digest is None and message.channel is None:
                    self._holding.let_go(message.contact, message.id)
                change.upsert("message", message.row())
        if contact is None:
            for identity in self._of_incident.pop(incident, ()):
                if self._by_id[identity].next_attempt_at is None:
                    del self._by_id[identity]

    def _digest_at(self, message: Message) -> int:
        contact, at = self._book.contacts.get(message.contact), message.created_at
        return max(at + self._limits.digest_wait, (contact.quiet_until(at) if contact else None) or 0)

    def _hold_back(self, message: Message, recipient: Recipient, now: int) -> None:
        quiet = None if recipient.on_duty else recipient.contact.quiet_until(now)
        if quiet is not None and message.grade < Grade.RED:
            message.next_attempt_at = quiet
        if message.grade >= Grade.ORANGE:
            return
        if not self._holding.admits(message.contact, now, self._limits):
            self._holding.hold(message.contact, message.id, max(now + self._limits.digest_wait, quiet or 0))
            message.channel = message.next_attempt_at = None

    # ---- time

    def advance(self, now: int, change: Change) -> None:
        """Let time pass: digests fall due, and what nobody has taken for so long is given up."""
        if self._reroutes:
            self._reroutes = False
            self._reroute(now, change)
        for contact, held in self._holding.due(now):
            if waiting := [each for each in map(self._by_id.get, held) if each is not None and each.is_waiting]:
                self._send_digest(contact, waiting, now, change)
        if self._expire_at is not None and now >= self._expire_at:
            self._expire(now, change)

    def _send_digest(self, contact: str, held: Sequence[Message], now: int, change: Change) -> None:
        first = max(held, key=lambda message: (message.grade, -message.id))
        self._last += 1
        text = self._templates.digest(
            first.language,
            {
                "count": len(held),
                "grade": first.grade.label,
                "grade_zh": GRADES_ZH[first.grade],
                "lines": [message.subject for message in held],
                "link": self._book.public_url,
            },
        )
        digest = Message(
            id=self._last,
            incident=None,
            drill=None,
            contact=contact,
            name=first.name,
            side=first.side,
            reason="digest",
            grade=first.grade,
            tier=first.tier,
            step=-1,
            language=first.language,
            subject=text.subject,
            text=text.text,
            routes=first.routes,
            created_at=now,
            expires_at=now + self._limits.keep_trying,
            next_attempt_at=now,
            channel=first.routes[0][0],
        )
        self._note(digest, "message.queued", now, change, reason="digest", messages=[message.id for message in held])
        self._keep(digest)
        change.upsert("message", digest.row())
        for message in held:
            message.digest, message.expires_at = digest.id, digest.expires_at
            change.upsert("message", message.row())
        self._due_no_later(digest.expires_at)

    def _reroute(self, now: int, change: Change) -> None:
        """The book is another than before: what waits goes by the channels that there are."""
        for message in list(self._by_id.values()):
            if message.is_waiting and message.digest is None and reroute(message, self._book, now):
                if not message.routes:
                    self._holding.let_go(message.contact, message.id)
                    self._fail(message, "its channels are no longer configured", now, change)
                change.upsert("message", message.row())

    def _expire(self, now: int, change: Change) -> None:
        for message in list(self._by_id.values()):
            if message.is_waiting and message.expires_at <= now and (message.digest is None):
                self._fail(message, "nobody took it in time", now, change)
        waiting = (message.expires_at for message in self._by_id.values() if message.is_waiting)
        self._expire_at = min(waiting, default=None)

    def _fail(self, message: Message, error: str, now: int, change: Change) -> None:
        for each in self._with_members(message):
            each.state, each.failed_at, each.next_attempt_at = MessageState.FAILED, now, None
            each.last_error = each.last_error or error
            self._note(each, "message.failed", now, change, error=each.last_error)
            if each.undelivered_at is None:
                each.undelivered_at = now
                self.unreached.append(each.id)
            change.upsert("message", each.row())
            self._forget_if_over(each)

    # ---- what became of them

    def record(self, outcomes: Iterable[Outcome], now: int, change: Change) -> None:
        """Take what the channels say of their tries."""
        for outcome in outcomes:
            row = {
                "message": outcome.message,
                "channel": outcome.channel,
                "at": outcome.at,
                "ok": outcome.error is None,
                "error": outcome.error,
            }
            change.insert("message_attempt", row)
            message = self._by_id.get(outcome.message)
            if message is None:
                continue
            message.attempts += 1
            if outcome.error is None:
                state = MessageState.DELIVERED if outcome.delivered else MessageState.SENT
                self._reach(message, state, now, change, outcome.channel)
            elif message.is_waiting:
                after_failure(message, outcome.error, self._book, now)
                self._report_unreached(message, now, change)
            change.upsert("message", message.row())
            self._forget_if_over(message)

    def receive(self, identity: int, state: MessageState, now: int, change: Change) -> Message:
        """Take a receipt: delivered or read. Raises NotFound, Conflict (it is past that)."""
        message = self.get(identity)
        if message.state in ENDS or ORDER.index(state) <= ORDER.index(message.state):
            raise Conflict(f"message {identity} is {message.state.value} already")
        self._reach(message, state, now, change, message.channel)
        change.upsert("message", message.row())
        self._forget_if_over(message)
        return message

    def acknowledge(self, message: Message, actor: str, name: str, now: int, change: Change) -> None:
        """The recipient has used its code."""
        message.state, message.acknowledged_at, message.next_attempt_at = MessageState.ACKNOWLEDGED, now, None
        self._note(message, "message.acknowledged", now, change, actor=actor, name=name)
        change.upsert("message", message.row())

    def miss_receipts(self, identity: int, channel: str, now: int, change: Change) -> None:
        """A channel that says when a message has arrived has not said so in time: the next one has its turn."""
        message = self._by_id.get(identity)
        if message is None or message.state is not MessageState.SENT or message.channel != channel:
            return
        if message.next_attempt_at is None or message.next_attempt_at > now:
            return
        message.state = MessageState.QUEUED
        next_route(message, self._book, now)
        message.last_error = f"{channel}: no receipt in time"
        self._report_unreached(message, now, change)
        change.upsert("message", message.row())

    def _reach(self, message: Message, state: MessageState, now: int, change: Change, channel: str | None) -> None:
        if message.state is MessageState.ACKNOWLEDGED:
            return
        for each in self._with_members(message):
            each.state = state
            each.next_attempt_at = None
            if each.sent_at is None:
                each.sent_at = now
            if state is MessageState.SENT:
                known = self._book.channels.get(channel or "")
                if known is not None and known.receipt_within and each is message:
                    each.next_attempt_at = now + known.receipt_within
            if state is MessageState.DELIVERED:
                each.delivered_at = now
            if state is MessageState.READ:
                each.read_at = now
            self._note(each, f"message.{state.value}", now, change, channel=channel)
            change.upsert("message", each.row())
            if each is not message:
                self._forget_if_over(each)

    def _report_unreached(self, message: Message, now: int, change: Change) -> None:
        if message.route < len(message.routes) or message.undelivered_at is not None:
            return
        for each in self._with_members(message):
            each.undelivered_at = now
            each.last_error = message.last_error
            self._note(each, "message.undelivered", now, change, error=message.last_error)
            self.unreached.append(each.id)
            change.upsert("message", each.row())

    # ---- bookkeeping

    @property
    def _limits(self) -> Limits:
        return self._book.limits

    def _with_members(self, message: Message) -> list[Message]:
        """A message, and those that a digest says."""
        if message.incident is not None:
            return [message]
        members = [each for each in self._by_id.values() if each.digest == message.id and each.state not in ENDS]
        return [message, *members]

    def _due_no_later(self, at: int) -> None:
        self._expire_at = at if self._expire_at is None else min(self._expire_at, at)

    def _keep(self, message: Message) -> None:
        self._by_id[message.id] = message
        if message.incident is not None:
            self._of_incident.setdefault(message.incident, []).append(message.id)

    def _forget_if_over(self, message: Message) -> None:
        """What neither moves nor belongs to an open incident is in the ledger only."""
        is_over = not message.is_waiting and message.next_attempt_at is None
        if is_over and message.id not in self._of_incident.get(message.incident or 0, ()):
            self._by_id.pop(message.id, None)

    def _note(
        self,
        message: Message,
        kind: str,
        now: int,
        change: Change,
        *,
        actor: str = SERVICE,
        **data: Any,
    ) -> None:
        place = {} if message.place is None else message.place._asdict()
        entry = self._journal.append(now, kind, actor, message.named() | data, **place, incident=message.incident)
        change.entries.append(entry)


async def _places(connection: AsyncConnection, incidents: Iterable[int]) -> dict[int | None, Place]:
    """Where these incidents are."""
    table, wanted, found = incident_table, list(incidents), dict[int | None, Place]()
    for start in range(0, len(wanted), 500):
        columns = select(table.c.id, table.c.region, table.c.enterprise, table.c.unit)
        rows = await connection.execute(columns.where(table.c.id.in_(wanted[start : start + 500])))
        found |= {identity: Place(*place) for identity, *place in rows}
    return found
