"""Tests of channels: by hand at once, and by the clock for each channel and desk, with an alarm when one fails."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from alerting.desks.desks import Desk
from alerting.ledger.ledger import Ledger, LedgerUnavailable
from alerting.notify.channels import Letter
from alerting.notify.sending import Act, Sending
from alerting.notify.texts import Templates
from alerting.records import SERVICE
from alerting.response.book import Channel, ResponseBook
from alerting.response.local_time import local_text
from domain.clock import Clock

log = structlog.get_logger(__name__)

LOOK = 60.0
"""Seconds between looks whether a test is due."""
AGAIN = 300_000
"""ms after which a test that failed is repeated [ours]."""


@dataclass(frozen=True, slots=True)
class Tested:
    """Result of one test; ``error`` None: the channel took it."""

    channel: str
    desk: str | None
    to: str
    at: int
    error: str | None


class ChannelTests:
    """Run ``run`` as a task. ``desks``: those of the site, for whose contacts on duty each channel is tested."""

    def __init__(
        self, ledger: Ledger, book: ResponseBook, desks: Sequence[Desk], clock: Clock, sending: Sending, act: Act
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._sending = sending
        self._act = act
        self._due: dict[tuple[str, str], int] = {}
        self._number = 0
        self.reconfigure(book, desks)

    def reconfigure(self, book: ResponseBook, desks: Sequence[Desk]) -> None:
        """Take another book and other desks."""
        self._book = book
        self._desks = tuple(desks)

    async def run(self) -> None:
        """Test what is due, for ever."""
        while True:
            try:
                await self.look()
            except LedgerUnavailable as fault:
                log.info("tests of channels wait for the ledger", reason=str(fault))
            await asyncio.sleep(LOOK)

    async def look(self) -> list[Tested]:
        """Test what is due now, each channel by itself. Raises LedgerUnavailable."""
        interval, now = self._book.limits.test_interval, self._clock.now()
        if not interval:
            return []
        due: dict[str, list[tuple[Desk, str]]] = {}
        for channel in self._book.channels.values():
            for desk in self._desks:
                to = self._address(channel, desk, now)
                if to is None:
                    continue
                key = channel.id, desk.id
                if key not in self._due:
                    last = await self._ledger.cursor(_cursor(*key))
                    self._due[key] = last + interval
                if self._due[key] <= now:
                    due.setdefault(channel.id, []).append((desk, to))
        results = await asyncio.gather(*(self._test_desks(self._book.channels[name], due[name]) for name in due))
        return [tested for found in results for tested in found]

    async def test(self, channel: Channel, to: str | None, actor: str, name: str) -> Tested:
        """Test a channel now, to an address or to where its scheduled tests go. Raises LedgerUnavailable."""
        now = self._clock.now()
        address = to or channel.test_to or next(filter(None, (self._address(channel, d, now) for d in self._desks)), "")
        if not address and channel.needs:
            error = f"nobody to send it to: give an address, or `test_to` of the channel ({channel.needs})"
            return Tested(channel.id, None, "", now, error)
        return await self._test(channel, None, address or "test", actor, name)

    async def _test_desks(self, channel: Channel, desks: Sequence[tuple[Desk, str]]) -> list[Tested]:
        interval = self._book.limits.test_interval
        found = [await self._test(channel, desk, to, SERVICE, SERVICE) for desk, to in desks]
        failing = [tested for tested in found if tested.error is not None]
        self._sending.declare(channel.id, failing=bool(failing))
        for tested in found:
            key = channel.id, tested.desk or ""
            self._due[key] = tested.at + (interval if tested.error is None else min(AGAIN, interval))
            if tested.error is None:
                await self._ledger.move_cursor(_cursor(*key), tested.at)
        return found

    async def _test(self, channel: Channel, desk: Desk | None, to: str, actor: str, name: str) -> Tested:
        at = self._clock.now()
        text = Templates(self._book.templates).test("zh", {"channel": channel.name, "at": local_text(at)})
        self._number += 1
        letter = Letter(
            identity=f"test-{channel.id}-{at}-{self._number}",
            address=to,
            subject=text.subject,
            text=text.text,
            html=Templates(self._book.templates).html("zh", text.text) if channel.format == "html" else None,
            facts={"test": True, "channel": channel.id, "desk": None if desk is None else desk.id},
        )
        error = await self._sending.try_once(channel, letter)
        tested = Tested(channel.id, None if desk is None else desk.id, to, self._clock.now(), error)
        health = self._sending.health.get(channel.id)
        if health is not None:
            health.tested_at, health.test_error = tested.at, error
        data = {"channel": channel.id, "desk": tested.desk, "ok": error is None, "error": error, "name": name}
        await self._act(
            lambda register, now, change: change.entries.append(
                register.journal.append(now, "channel.tested", actor, data)
            )
        )
        return tested

    def _address(self, channel: Channel, desk: Desk, now: int) -> str | None:
        """Where the test of a desk goes: to whoever is on duty there and on the channel, else to ``test_to``."""
        people = self._book.on_duty_at_desk(desk, now) or tuple(
            contact
            for contact in self._book.contacts.values()
            if contact.post == "duty" and contact.enterprise is None and contact.region in desk.regions
        )
        addresses = (channel.address_of(contact) for contact in people)
        return next((address for address in addresses if address is not None), channel.test_to or None)


def _cursor(channel: str, desk: str) -> str:
    return f"test:{channel}:{desk}"[:200]
