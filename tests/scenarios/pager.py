"""Who is told of an incident, and when: register, clocks, messages and a real ledger, on virtual time.

Only the wires are made of paper: each channel does what the story says. A story may be told with a restart after every
commit; it must be the same story.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
from sqlalchemy import select

from alerting.alarms.register import Register
from alerting.incidents.closed_loop import Result, Side
from alerting.incidents.grading import load_grading
from alerting.journal.journal import Journal, verify
from alerting.ledger.ledger import Ledger
from alerting.ledger.response_schema import message as message_table
from alerting.notify.message import Message, MessageState, Outcome, message_of
from alerting.records import Change
from alerting.response.book import Channel, ResponseBook
from alerting.response.contacts import Contact
from alerting.response.response import Response
from domain.transitions import Transition
from service.config.response_file import shipped_book
from tests.watched_unit import MIDNIGHT, make_site

COUNTY, CITY = "370783", "370000"
"""The tree of the story has no city: the province stands in for it."""
CONTACTS = (
    Contact("op", "操作员", "operator", COUNTY, "works", phone="1", mail="op@works.cn"),
    Contact("safety", "安全", "safety_head", COUNTY, "works", phone="2", mail="safety@works.cn"),
    Contact("head", "厂长", "head", COUNTY, "works", phone="3", mail="head@works.cn"),
    Contact("county", "县值班", "duty", COUNTY, phone="4", mail="duty@county.cn"),
    Contact("city", "市值班", "duty", CITY, phone="5", mail="duty@city.cn"),
    Contact("mayor", "市指挥", "commander", CITY, phone="6", mail="mayor@city.cn"),
)
CHANNELS = (
    Channel("sms", "apprise", "sms://{phone}", retries=3),
    Channel("mail", "apprise", "mailto://{mail}", retries=2),
)
GRADES = {
    "blue": ("PI-1/H",),
    "yellow": ("PI-1/HH",),
    "orange": ("PI-1/HH", "PI-2/HH"),
    "red": ("PI-1/HH", "AT-1/HH"),
}
"""Conditions that make a grade and, however long they stay, no other."""
Behaviour = Callable[[str, int], str | None]
"""What a channel answers to an address at a time (ms): an error, or None."""


def book_of(**changes: Any) -> ResponseBook:
    """The shipped plans, with the story's people and channels."""
    shipped = shipped_book()
    given: dict[str, Any] = {
        "channels": {channel.id: channel for channel in CHANNELS},
        "contacts": {contact.id: contact for contact in CONTACTS},
    }
    return replace(shipped, **(given | changes))


@cache
def _empty_ledger() -> bytes:
    """A ledger with its tables: to make them takes longer than most stories."""

    async def make(path: Path) -> None:
        ledger = Ledger(f"sqlite+aiosqlite:///{path}")
        await ledger.start()
        await ledger.close()

    with TemporaryDirectory() as folder, asyncio.Runner() as runner:
        path = Path(folder) / "ledger.sqlite"
        runner.run(make(path))
        return path.read_bytes()


class Pager:
    """``told`` lists what reached whom, ``00:00 sms op opened``; ``lines`` what was journaled of the incident."""

    def __init__(self, folder: Path, runner: asyncio.Runner, book: ResponseBook, *, restarting: bool = False) -> None:
        self.book = book
        self.site = make_site()
        self.now = MIDNIGHT
        self.told: list[str] = []
        self.lines: list[str] = []
        self.tries: list[str] = []
        self.texts: list[str] = []
        self.channels: dict[str, Behaviour] = {}
        self.delivers: set[str] = set()
        self.circle: dict[int, tuple[str, ...]] = {}
        self._run = runner.run
        self._restarting = restarting
        (folder / "ledger.sqlite").write_bytes(_empty_ledger())
        self.ledger = Ledger(f"sqlite+aiosqlite:///{folder}/ledger.sqlite")
        self.restarts()

    def restarts(self) -> None:
        """The process is gone, and back with what the ledger holds."""
        self._run(self._load())

    async def _load(self) -> None:
        loaded = await self.ledger.load(0)
        journal = Journal(loaded.sequence, loaded.last_hash)
        self.register = Register(
            self.site, load_grading(), journal, loaded.alarms, loaded.incidents, loaded.settled, loaded.overlaid
        )
        self.response = Response(self.book, self.site, self.register, lambda drill: self.circle.get(drill, ()))
        await self.response.load(self.ledger.engine, self.now)

    # ---- what happens

    def raises(self, grade: str, at: float = 0, drill: int | None = None) -> None:
        """Conditions that make this grade enter at minute ``at``."""
        self.enters(*GRADES[grade], at=at, drill=drill)

    def enters(self, *paths: str, at: float, drill: int | None = None) -> None:
        """Conditions of ``works`` enter."""
        self.passes(at)
        transitions = [
            Transition(self.site.rule_row(f"works/{path}"), True, self.now, self.now, 21.5, drill=drill)  # noqa: FBT003
            for path in paths
        ]
        self._commit(lambda change: self.register.apply(transitions, self.now, change))

    def leaves(self, *paths: str, at: float) -> None:
        """Conditions leave, and their alarms are acknowledged."""
        self.passes(at)
        transitions = [
            Transition(self.site.rule_row(f"works/{path}"), False, self.now, self.now, 1.0)  # noqa: FBT003
            for path in paths
        ]

        def act(change: Change) -> None:
            self.register.apply(transitions, self.now, change)
            for alarm in list(self.register.active.values()):
                if not alarm.condition and alarm.is_unacknowledged:
                    self.register.acknowledge(alarm.id, "county", "王芳", "", self.now, change)

        self._commit(act)

    def acknowledges(self, side: str, at: float) -> None:
        """A side acknowledges the incident."""
        self.acts(
            at,
            lambda change: self.register.casebook.acknowledge(
                self.incident, Side(side), "api", "王芳", "", self.now, change
            ),
        )

    def feeds_back(self, at: float) -> None:
        """It is verified, and the enterprise feeds back."""

        def act(change: Change) -> None:
            book = self.register.casebook
            book.verify(self.incident, Result.REAL, "api", "李工", "", self.now, change)
            book.feed_back(self.incident, "阀门已关", [], "api", "李工", self.now, change)

        self.acts(at, act)

    def closes(self, at: float) -> None:
        """The newest incident is closed."""
        incident = self.incident
        self.acts(at, lambda change: self.register.casebook.close(incident, "api", "王芳", "", self.now, change))

    def acts(self, at: float, act: Callable[[Change], Any]) -> None:
        """Somebody does something at minute ``at``."""
        self.passes(at)
        self._commit(act)

    def passes(self, until: float) -> None:
        """Time passes: from one thing that is due to the next, and a minute at the most."""
        end = MIDNIGHT + round(until * 60_000)
        while self.now < end:
            self.now = min(max(self._next_due(), self.now + 1_000), self.now + 60_000, end)
            self._commit(lambda _: None)

    def _next_due(self) -> int:
        messages, escalation = self.response.messages, self.response.escalation
        due = [each.next_attempt_at for each in messages._by_id.values()]
        due += [escalation._next_due, messages._holding._next, messages._expire_at]
        return min((at for at in due if at is not None), default=self.now)

    @property
    def incident(self) -> int:
        """The newest open incident."""
        return max(self.register.incidents)

    # ---- one commit, and what leaves after it

    def _commit(self, act: Callable[[Change], Any]) -> None:
        self._commit_one(act)
        while self._has_due() and (outcomes := self._run(self._try_due())):
            self._commit_one(lambda change, found=outcomes: self._record(found, change))  # type: ignore[misc]

    def _commit_one(self, act: Callable[[Change], Any]) -> None:
        change = Change()
        act(change)
        self.register.advance(self.now, change)
        self.response.take_part(change, self.now)
        if change.is_empty:
            return
        self._run(self.ledger.commit(change))
        for entry in change.entries:
            # What is of an incident is seen by those who see it, who are found by its enterprise.
            assert entry.incident is None or entry.enterprise == "works", entry.kind
            if entry.kind.startswith(_SHOWN):
                self.lines.append(f"{self._clock()} {_line(orjson.loads(entry.body))}")
        if self._restarting and (change.entries or change.upserts):
            self.restarts()

    def _has_due(self) -> bool:
        moving = self.response.messages._by_id.values()
        return any(each.next_attempt_at is not None and each.next_attempt_at <= self.now for each in moving)

    async def _try_due(self) -> list[Outcome]:
        """What the ledger says is due is tried, as ``Sending`` does."""
        table = message_table
        due = (
            select(table).where(table.c.next_attempt_at <= self.now, table.c.channel.is_not(None)).order_by(table.c.id)
        )
        async with self.ledger.engine.connect() as connection:
            rows = (await connection.execute(due)).mappings().all()
        return [self._try(message_of(row)) for row in rows]

    def _try(self, message: Message) -> Outcome:
        channel = str(message.channel)
        if message.state is MessageState.SENT:
            return Outcome(message.id, channel, self.now, _NO_RECEIPT)
        address = message.routes[message.route % len(message.routes)][1]
        behaviour = self.channels.get(channel)
        error = behaviour(address, self.now) if behaviour else None
        self.tries.append(f"{self._clock()} {channel} {message.contact}")
        if error is None:
            self.told.append(f"{self._clock()} {channel} {message.contact} {message.reason}")
            self.texts.append(message.subject + "\n" + message.text)
        return Outcome(message.id, channel, self.now, error, channel in self.delivers)

    def _record(self, outcomes: list[Outcome], change: Change) -> None:
        messages = self.response.messages
        for outcome in outcomes:
            if outcome.error == _NO_RECEIPT:
                messages.miss_receipts(outcome.message, outcome.channel, self.now, change)
            else:
                messages.record([outcome], self.now, change)

    def rows(self) -> list[Message]:
        """All messages, as the ledger has them."""

        async def read() -> list[Message]:
            async with self.ledger.engine.connect() as connection:
                found = await connection.execute(select(message_table).order_by(message_table.c.id))
                return [message_of(row) for row in found.mappings()]

        return self._run(read())

    def _clock(self) -> str:
        seconds = (self.now - MIDNIGHT) // 1000
        return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


_NO_RECEIPT = "no receipt"
_SHOWN = ("incident.", "delivery.", "call_back.", "message.undelivered", "message.failed")


_SAID = {
    "incident.escalated": "{from}>{to} {reason}",
    "incident.acknowledged": "{side}",
    "incident.opened": "{grade}",
    "incident.reopened": "{grade}",
    "incident.graded": "{to}",
    "message.undelivered": "{contact}",
    "message.failed": "{contact}",
    "delivery.nobody": "{who[0]}",
}
"""What a line says of an entry, by its kind."""


def _line(body: dict[str, Any]) -> str:
    kind = str(body["kind"])
    return f"{kind} {_SAID.get(kind, '').format_map(body['data'])}".strip()


@contextmanager
def pager(folder: Path, book: ResponseBook | None = None, *, restarting: bool = False) -> Iterator[Pager]:
    """A story from 08:00 on; at its end the journal is whole."""
    with asyncio.Runner() as runner:
        story = Pager(folder, runner, book or book_of(), restarting=restarting)
        try:
            yield story
            assert runner.run(verify(story.ledger.entries())).fault is None
        finally:
            runner.run(story.ledger.close())
