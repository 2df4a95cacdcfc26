"""The alarm topic on a real broker: everything, in order, at least once, whatever was down meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiomqtt
import orjson
import pytest

from alerting import announcer as announcer_module
from alerting.announcer import CURSOR, PAGE, Announcer, BrokerAddress
from alerting.journal.journal import Journal, describe
from alerting.ledger.ledger import Ledger, LedgerUnavailable
from alerting.records import Change, Entry
from tests import servers
from tests.running import until

AT = 1_750_032_000_000


@dataclass
class Desk:
    """A ledger, an announcer that follows it, and the journal's end."""

    ledger: Ledger
    announcer: Announcer
    running: asyncio.Task[None]
    journal: Journal
    entries: list[Entry] = field(default_factory=list)

    async def journals(self, count: int = 1, kind: str = "alarm.entered", enterprise: str = "works") -> list[Entry]:
        """Commit entries, as the pipeline does."""
        entries = [
            self.journal.append(
                AT, kind, "anshao", {"value": 1.5, "source_time": AT}, region="370783", enterprise=enterprise
            )
            for _ in range(count)
        ]
        await self.ledger.commit(Change(entries=entries))
        self.entries += entries
        self.announcer.wake()
        return entries

    async def cursor_at(self, sequence: int) -> None:
        """The announcer has come so far, and the ledger knows."""

        async def there() -> bool:
            return await self.ledger.cursor(CURSOR) == sequence

        await until(there)


@asynccontextmanager
async def desk(folder: Path, broker: servers.Broker) -> AsyncIterator[Desk]:
    """A running announcer; made again in the same folder it goes on where it was."""
    ledger = Ledger(f"sqlite+aiosqlite:///{folder}/ledger.sqlite")
    await ledger.start()
    loaded = await ledger.load(0)
    announcer = Announcer(ledger, BrokerAddress(broker.host, broker.port, "anshao-alarms"))
    running = asyncio.create_task(announcer.run())
    try:
        yield Desk(ledger, announcer, running, Journal(loaded.sequence, loaded.last_hash))
        assert not running.done(), running.exception()
    finally:
        running.cancel()
        await asyncio.wait([running])
        await ledger.close()


@dataclass
class Listener:
    """What a subscriber has got: topics and bodies."""

    got: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    @property
    def sequences(self) -> list[int]:
        """Numbers of the entries, in the order in which they came."""
        return [int(body["sequence"]) for _, body in self.got]

    @property
    def first_times(self) -> list[int]:
        """The same, without what came again."""
        return list(dict.fromkeys(self.sequences))

    async def has(self, entries: list[Entry]) -> None:
        """Wait until all of these have come, each for the first time in order."""
        expected = [entry.sequence for entry in entries]

        async def complete() -> bool:
            return len(self.first_times) >= len(expected)

        await until(complete, 60)
        assert self.first_times == expected


@asynccontextmanager
async def listener(broker: servers.Broker) -> AsyncIterator[Listener]:
    """A subscriber whose session the broker keeps, and which comes back for ever."""
    found, subscribed = Listener(), asyncio.Event()

    async def listen() -> None:
        while True:
            try:
                async with aiomqtt.Client(
                    broker.host, broker.port, identifier="listener", clean_session=False
                ) as client:
                    await client.subscribe("anshao/v1/alarms/#", qos=1)
                    subscribed.set()
                    async for message in client.messages:
                        assert isinstance(message.payload, bytes)
                        found.got.append((message.topic.value, orjson.loads(message.payload)))
            except aiomqtt.MqttError:
                await asyncio.sleep(0.02)

    listening = asyncio.create_task(listen())
    try:
        await asyncio.wait_for(subscribed.wait(), 10)
        yield found
    finally:
        listening.cancel()
        await asyncio.wait([listening])


async def test_entries_come_in_order_once_and_as_the_api_shows_them(tmp_path: Path, broker: servers.Broker) -> None:
    async with listener(broker) as heard, desk(tmp_path, broker) as at:
        for count in (1, 3, 2 * PAGE + 7, 1, 40):
            await at.journals(count)
        await heard.has(at.entries)
    assert heard.sequences == heard.first_times
    assert [body for _, body in heard.got] == [describe(entry) for entry in at.entries]
    assert {topic for topic, _ in heard.got} == {"anshao/v1/alarms/370783/works"}


async def test_each_enterprise_has_its_topic_and_the_services_own_notes_are_not_told(
    tmp_path: Path, broker: servers.Broker
) -> None:
    async with listener(broker) as heard, desk(tmp_path, broker) as at:
        await at.journals(kind="service.started")
        told = await at.journals(kind="incident.opened", enterprise="other")
        told += await at.journals(kind="alarm.acknowledged")
        await at.journals(kind="gateway.added")
        told += await at.journals(kind="incident.closed")
        await heard.has(told)
    assert [topic.rpartition("/")[2] for topic, _ in heard.got] == ["other", "works", "works"]


async def test_a_broker_that_restarts_amidst_it_costs_no_entry(tmp_path: Path, broker: servers.Broker) -> None:
    async with listener(broker) as heard, desk(tmp_path, broker) as at:
        for _ in range(3):
            await at.journals(4 * PAGE)

            async def some_are_out(before: int = at.announcer.published) -> bool:
                return at.announcer.published > before

            await until(some_are_out, pause=0.001)
            await asyncio.to_thread(broker.stop)
            await at.journals(10)
            await asyncio.to_thread(broker.start)
        await heard.has(at.entries)
        await at.cursor_at(at.entries[-1].sequence)


async def test_a_broker_that_was_away_while_all_was_calm_is_found_again(tmp_path: Path, broker: servers.Broker) -> None:
    async with listener(broker) as heard, desk(tmp_path, broker) as at:
        await at.journals(3)
        await heard.has(at.entries)
        await asyncio.to_thread(broker.restart)
        await at.journals(3)
        await heard.has(at.entries)


async def test_a_broker_that_is_not_there_at_first_is_waited_for(tmp_path: Path, broker: servers.Broker) -> None:
    await asyncio.to_thread(broker.stop)
    async with desk(tmp_path, broker) as at:
        await at.journals(3)
        await asyncio.to_thread(broker.start)
        async with listener(broker):
            await at.journals(3)
            await at.cursor_at(6)
        assert at.announcer.published == 6


async def test_a_broker_that_answers_nothing_for_a_while_is_told_all_the_same(
    tmp_path: Path, broker: servers.Broker
) -> None:
    async with listener(broker) as heard, desk(tmp_path, broker) as at:
        await at.journals(3)
        await heard.has(at.entries)
        broker.pause()
        await at.journals(PAGE)
        broker.resume()
        await heard.has(at.entries)


async def test_after_a_restart_of_the_service_it_goes_on_where_it_was(tmp_path: Path, broker: servers.Broker) -> None:
    async with listener(broker) as heard:
        async with desk(tmp_path, broker) as at:
            first = await at.journals(20)
            await heard.has(first)
            await at.cursor_at(20)
        ledger = Ledger(f"sqlite+aiosqlite:///{tmp_path}/ledger.sqlite")
        journal = Journal(20, first[-1].hash)
        unseen = [
            journal.append(AT, "alarm.entered", "anshao", {"source_time": AT}, region="370783", enterprise="works")
        ]
        await ledger.commit(Change(entries=unseen))
        await ledger.close()
        async with desk(tmp_path, broker) as at:
            later = await at.journals(5)
            await heard.has([*first, *unseen, *later])
    assert heard.sequences == list(range(1, 27))


async def test_a_crash_before_the_cursor_moved_tells_again_and_leaves_nothing_out(
    tmp_path: Path, broker: servers.Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with listener(broker) as heard:
        with monkeypatch.context() as patch:
            patch.setattr(announcer_module, "CALM", 1_000.0)
            async with desk(tmp_path, broker) as at:
                first = await at.journals(20)
                await heard.has(first)
                assert await at.ledger.cursor(CURSOR) == 0
        async with desk(tmp_path, broker) as at:
            later = await at.journals(5)
            await heard.has([*first, *later])
    assert heard.sequences == [*range(1, 21), *range(1, 26)]


async def test_a_ledger_that_is_away_is_waited_for(
    tmp_path: Path, broker: servers.Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = asyncio.Event()

    def refuse(_: object) -> object:
        refused.set()
        raise LedgerUnavailable("the disk is gone")

    async with listener(broker) as heard, desk(tmp_path, broker) as at:
        await at.journals(3)
        await heard.has(at.entries)
        with monkeypatch.context() as patch:
            patch.setattr(announcer_module, "reaching", refuse)
            await at.journals(3)
            await asyncio.wait_for(refused.wait(), 10)
        await heard.has(at.entries)


async def test_the_cursor_moves_on_the_way_through_a_long_journal(
    tmp_path: Path, broker: servers.Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announcer_module, "CALM", 1_000.0)
    monkeypatch.setattr(announcer_module, "FAR", 100)
    async with listener(broker) as heard, desk(tmp_path, broker) as at:
        await at.journals(2 * PAGE)
        await heard.has(at.entries)
        await at.cursor_at(2 * PAGE)
        await at.journals(50)
        await heard.has(at.entries)
        assert await at.ledger.cursor(CURSOR) == 2 * PAGE


async def test_what_comes_too_late_to_page_anybody_is_not_told(tmp_path: Path, broker: servers.Broker) -> None:
    async with listener(broker) as heard, desk(tmp_path, broker) as at:
        await at.journals(3, kind="alarm.retrospective")
        told = await at.journals(2)
        await heard.has(told)
    assert heard.sequences == [4, 5]
