"""The sending side of the service on a real ledger, by a clock that is moved by hand: messages, channels, tests."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web
from sqlalchemy import select

from alerting.alarms.register import Register
from alerting.desks.desks import Desk
from alerting.incidents.grading import load_grading
from alerting.journal.journal import Journal
from alerting.ledger.ledger import Ledger
from alerting.ledger.response_schema import message as message_table
from alerting.notify.message import Message, MessageState, message_of
from alerting.notify.outbox import Outbox
from alerting.records import Change
from alerting.response.book import Channel, Limits, ResponseBook
from alerting.response.contacts import Contact
from alerting.response.response import Response
from domain.transitions import Transition
from service.config.response_file import shipped_book
from tests.running import until
from tests.watched_unit import MIDNIGHT, make_site

COUNTY = "370783"
OPERATOR = Contact("op", "操作员", "operator", COUNTY, "works", phone="13800000000", mail="op@works.cn")
DUTY = Contact("wang", "王芳", "duty", COUNTY, phone="13900000000", mail="wang@county.cn")
DESK = Desk(COUNTY, "寿光市值班席", (COUNTY,))
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class HandClock:
    """A clock that stands still until it is moved."""

    time: int = MIDNIGHT

    def now(self) -> int:
        return self.time


@dataclass
class Receiver:
    """A web server that keeps what it gets; ``answer`` may be changed at any time."""

    url: str
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answer: Answer | None = None

    @property
    def bodies(self) -> list[Any]:
        """What it got, as JSON."""
        return [orjson.loads(body) for _, body in self.got]


@asynccontextmanager
async def receiver(answer: Answer | None = None, port: int = 0, method: str = "*") -> AsyncIterator[Receiver]:
    """A receiver on a port of its own; requests of other methods are refused, and not kept."""

    async def take(request: web.Request) -> web.StreamResponse:
        found.got.append(({key.lower(): value for key, value in request.headers.items()}, await request.read()))
        return await found.answer(request) if found.answer else web.Response(status=204)

    app = web.Application()
    app.router.add_route(method, "/{tail:.*}", take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    found = Receiver(f"http://127.0.0.1:{runner.addresses[0][1]}", answer=answer)
    try:
        yield found
    finally:
        await runner.cleanup()


@dataclass
class Office:
    """Commits as the pipeline does, one act after another."""

    book: ResponseBook
    clock: HandClock
    ledger: Ledger
    register: Register
    response: Response
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    outbox: Outbox = field(init=False)
    failing: dict[str, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.outbox = Outbox(
            self.ledger, [], self.clock, self.book, (DESK,), self.response.messages, self.act, self.failing.__setitem__
        )

    async def act(self, act: Callable[[Register, int, Change], Any]) -> Any:
        """As ``ServicePort.act``."""
        async with self.lock:
            change, now = Change(), self.clock.now()
            result = act(self.register, now, change)
            self.register.advance(now, change)
            self.response.take_part(change, now)
            if not change.is_empty:
                await self.ledger.commit(change)
        self.outbox.wake()
        return result

    async def raises(self, *paths: str) -> int:
        """Conditions of ``works`` enter; the number of the incident."""

        def enter(register: Register, now: int, change: Change) -> int:
            site = make_site()
            found = [
                Transition(site.rule_row(f"works/{path}"), True, now, now, 21.5)  # noqa: FBT003
                for path in paths
            ]
            register.apply(found, now, change)
            return max(register.incidents)

        return int(await self.act(enter))

    async def passes(self, seconds: float) -> None:
        """Time passes."""
        self.clock.time += round(seconds * 1000)
        await self.act(lambda *_: None)

    async def messages(self) -> list[Message]:
        """All messages, as the ledger has them."""
        async with self.ledger.engine.connect() as connection:
            found = await connection.execute(select(message_table).order_by(message_table.c.id))
            return [message_of(row) for row in found.mappings()]

    async def comes_to(self, state: MessageState, *, attempts: int | None = None, number: int = 0) -> Message:
        """A message, once it is in a state and has been tried so often."""

        async def look() -> Message | None:
            found = await self.messages()
            if len(found) <= number:
                return None
            message = found[number]
            return message if message.state is state and attempts in {None, message.attempts} else None

        result: Message = await until(look, pause=0.01)
        return result


@asynccontextmanager
async def office(
    folder: Path | str,
    *channels: Channel,
    contacts: Sequence[Contact] = (OPERATOR, DUTY),
    limits: Limits = Limits(test_interval=0),  # noqa: B008 - never changed
    clock: HandClock | None = None,
    **changes: Any,
) -> AsyncIterator[Office]:
    """A running outbox; made again in the same folder it goes on where it was."""
    ledger = Ledger(folder if isinstance(folder, str) else f"sqlite+aiosqlite:///{folder}/ledger.sqlite")
    await ledger.start()
    clock = clock or HandClock()
    book = replace(
        shipped_book(),
        channels={channel.id: channel for channel in channels},
        contacts={contact.id: contact for contact in contacts},
        limits=limits,
        **changes,
    )
    loaded = await ledger.load(0)
    journal = Journal(loaded.sequence, loaded.last_hash)
    register = Register(make_site(), load_grading(), journal, loaded.alarms, loaded.incidents, loaded.settled)
    response = Response(book, make_site(), register)
    await response.load(ledger.engine, clock.now())
    desk = Office(book, clock, ledger, register, response)
    running = asyncio.create_task(desk.outbox.run())
    try:
        yield desk
        assert not running.done(), running.exception()
    finally:
        running.cancel()
        await asyncio.wait([running])
        await ledger.close()
