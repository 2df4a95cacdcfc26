"""Sending: what the ledger holds to be sent, each channel by itself, so that one that hangs delays no other.

What became of each try goes back by the same road as readings and people's acts. A message may be sent twice, where the
service dies between the two, never not at all.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import aiohttp
import structlog
from sqlalchemy import RowMapping, func, select

from alerting.alarms.register import Register
from alerting.ledger.ledger import Ledger, LedgerUnavailable, reaching
from alerting.ledger.response_schema import acknowledge_code
from alerting.ledger.response_schema import message as message_table
from alerting.notify import codes
from alerting.notify.channels import PARALLEL, ChannelFault, Letter, Way, way_of
from alerting.notify.message import Message, MessageState, Outcome, message_of
from alerting.notify.texts import CODE_MARK, Templates
from alerting.records import Change
from alerting.response.book import Channel, ResponseBook
from domain.clock import Clock, iso

log = structlog.get_logger(__name__)

PAGE = 32
IDLE = 30.0
"""Seconds between looks at the ledger where nothing wakes us."""
CALM = 1.0
"""Seconds before another try where the ledger is away."""
FAILING_AFTER = 5
"""Failures in a row, of whatever messages, after which a channel counts as failing [ours]."""

Result = TypeVar("Result")


class Act(Protocol):
    """The road of all acts: see ``ServicePort.act``."""

    def __call__(self, act: Callable[[Register, int, Change], Result]) -> Awaitable[Result]:
        """Do it and commit it."""
        ...


class Recorder(Protocol):
    """Who takes what became of the tries: ``Messages``."""

    def record(self, outcomes: list[Outcome], now: int, change: Change) -> None:
        """Take outcomes."""
        ...

    def miss_receipts(self, identity: int, channel: str, now: int, change: Change) -> None:
        """A receipt has not come in time."""
        ...


@dataclass(slots=True)
class ChannelHealth:
    """How a channel does, since the start. Times in ms UTC."""

    sent: int = 0
    failed: int = 0
    failures_in_a_row: int = 0
    last_ok_at: int | None = None
    last_failed_at: int | None = None
    last_error: str | None = None
    tested_at: int | None = None
    test_error: str | None = None
    is_failing: bool = False


class Sending:
    """Run ``run`` as a task; ``wake`` after each commit that may have queued something."""

    def __init__(
        self,
        ledger: Ledger,
        book: ResponseBook,
        clock: Clock,
        recorder: Recorder,
        act: Act,
        on_health: Callable[[str, bool], None],
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._recorder = recorder
        self._act = act
        self._on_health = on_health
        self._flying: set[int] = set()
        """Messages under way."""
        self._awake: dict[str, asyncio.Event] = {}
        self._changed = asyncio.Event()
        self._ways: dict[str, Way] = {}
        self.health: dict[str, ChannelHealth] = {}
        self.reconfigure(book)

    def reconfigure(self, book: ResponseBook) -> None:
        """Take another book; channels that are the same go on undisturbed."""
        self._book = book
        self._templates = Templates(book.templates)
        self.health = {name: self.health.get(name, ChannelHealth()) for name in book.channels}
        self._changed.set()

    def wake(self) -> None:
        """There may be something new."""
        for awake in self._awake.values():
            awake.set()

    async def run(self) -> None:
        """Send for ever."""
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
            asyncio.TaskGroup() as group,
        ):
            serving: dict[str, tuple[Channel, asyncio.Task[None]]] = {}
            while True:
                self._changed.clear()
                for name, (channel, task) in list(serving.items()):
                    if self._book.channels.get(name) != channel:
                        task.cancel()
                        await asyncio.wait([task])
                        del serving[name], self._ways[name]
                for name, channel in self._book.channels.items():
                    if name not in serving:
                        self._ways[name] = way_of(channel, session, self._clock)
                        self._awake[name] = asyncio.Event()
                        serving[name] = channel, group.create_task(self._serve(channel))
                await self._changed.wait()

    async def try_once(self, channel: Channel, letter: Letter) -> str | None:
        """Send something that is no message of the ledger, as a test; what went wrong, None if nothing did."""
        way = self._ways.get(channel.id)
        if way is None:
            return "the channel is not served yet"
        try:
            await way.send(letter)
        except ChannelFault as fault:
            error: str | None = str(fault)
        else:
            error = None
        self._note(channel.id, error)
        return error

    def declare(self, channel: str, *, failing: bool) -> None:
        """Say of a channel whether it is failing."""
        health = self.health.get(channel)
        if health is not None:
            health.is_failing = failing
            self._on_health(channel, failing)

    # ---- one channel

    async def _serve(self, channel: Channel) -> None:
        awake, slots = self._awake[channel.id], asyncio.Semaphore(PARALLEL)
        async with asyncio.TaskGroup() as group:
            while True:
                awake.clear()
                try:
                    wait = await self._begin_due(channel, slots, group)
                except LedgerUnavailable as fault:
                    log.info("messages wait for the ledger", reason=str(fault))
                    wait = CALM
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        await awake.wait()

    async def _begin_due(self, channel: Channel, slots: asyncio.Semaphore, group: asyncio.TaskGroup) -> float:
        """Begin to send what is due, gravest first; returns seconds until there may be more."""
        table, now = message_table, self._clock.now()
        moving = table.c.state.in_([MessageState.QUEUED.value, MessageState.SENT.value])
        mine = (table.c.channel == channel.id) & table.c.next_attempt_at.is_not(None) & moving
        if self._flying:
            mine &= table.c.id.not_in(sorted(self._flying))
        due = (
            select(table)
            .where(mine, table.c.next_attempt_at <= now)
            .order_by(table.c.grade.desc(), table.c.next_attempt_at, table.c.id)
            .limit(PAGE)
        )
        async with reaching(self._ledger.engine) as connection:
            rows = (await connection.execute(due)).mappings().all()
            if not rows:
                following = await connection.scalar(select(func.min(table.c.next_attempt_at)).where(mine))
                return IDLE if following is None else min(max(following - now, 50) / 1000, IDLE)
        for row in rows:
            await slots.acquire()
            self._flying.add(row["id"])
            group.create_task(self._carry(channel, row, slots))
        return 0.0

    async def _carry(self, channel: Channel, row: RowMapping, slots: asyncio.Semaphore) -> None:
        message = message_of(row)
        try:
            if message.state is MessageState.SENT:
                await self._act(
                    lambda _, now, change: self._recorder.miss_receipts(message.id, channel.id, now, change)
                )
                return
            outcome = await self._try(channel, message)
            await self._act(lambda _, now, change: self._recorder.record([outcome], now, change))
        except LedgerUnavailable as fault:
            # Nobody knows whether the outcome is written; if not, the message goes out once more.
            log.info("a message's outcome waits for the ledger", message=message.id, reason=str(fault))
            await asyncio.sleep(CALM)
        finally:
            self._flying.discard(message.id)
            slots.release()
            self._awake[channel.id].set()

    async def _try(self, channel: Channel, message: Message) -> Outcome:
        code = await self._mint(message) if CODE_MARK in message.text else ""
        text = message.text.replace(CODE_MARK, code)
        letter = Letter(
            identity=f"message-{message.id}",
            address=message.routes[message.route % len(message.routes)][1],
            subject=message.subject,
            text=text,
            html=self._templates.html(message.language, text) if channel.format == "html" else None,
            facts=_facts(message, code),
        )
        delivered, error = False, None
        try:
            delivered = await self._ways[channel.id].send(letter)
        except ChannelFault as fault:
            error = str(fault)
        self._note(channel.id, error)
        return Outcome(message.id, channel.id, self._clock.now(), error, delivered)

    async def _mint(self, message: Message) -> str:
        """A code for one try; only its digest is kept."""
        code = codes.mint()
        row = {
            "digest": codes.digest_of(code),
            "message": message.id,
            "expires_at": self._clock.now() + self._book.limits.code_lifetime,
            "used_at": None,
        }
        async with reaching(self._ledger.engine) as connection, connection.begin():
            await connection.execute(acknowledge_code.insert(), row)
        return code

    def _note(self, channel: str, error: str | None) -> None:
        health = self.health.get(channel)
        if health is None:
            return
        now = self._clock.now()
        if error is None:
            health.sent += 1
            health.failures_in_a_row, health.last_ok_at = 0, now
            self.declare(channel, failing=False)
            return
        health.failed += 1
        health.failures_in_a_row += 1
        health.last_failed_at, health.last_error = now, error
        if health.failures_in_a_row >= FAILING_AFTER:
            self.declare(channel, failing=True)


def _facts(message: Message, code: str) -> dict[str, Any]:
    """What a receiver that is a machine is told beside the text."""
    return {
        "message": message.id,
        "incident": message.incident,
        "drill": message.drill,
        "contact": message.contact,
        "name": message.name,
        "reason": message.reason,
        "grade": message.grade.label,
        "tier": message.tier,
        "created_at": iso(message.created_at),
        "code": code or None,
    }
