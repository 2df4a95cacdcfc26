"""Webhooks to real receivers: signed, tried until they are taken, every try recorded, nobody held up by another."""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import web
from sqlalchemy import select

from alerting.journal.journal import Journal
from alerting.ledger import schema
from alerting.ledger.ledger import Ledger, LedgerUnavailable
from alerting.notify import entries as outbox_module
from alerting.notify.entries import LONGEST_WAIT, EntryDeliveries, Webhook
from alerting.records import Change, Entry
from tests import office, servers
from tests.office import Answer, HandClock, Receiver
from tests.running import until

NOON = 1_750_075_200_000
SECRET = "whsec_" + base64.b64encode(b"a secret of the tests").decode()
receiver = partial(office.receiver, method="POST")


def sequences(hook: Receiver) -> list[int]:
    """Numbers of the entries it was told of."""
    return [body["data"]["sequence"] for body in hook.bodies]


def status(*codes: int, text: str = "") -> Answer:
    """Answers with these statuses in turn, the last for ever."""
    left = list(codes)

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=left.pop(0) if len(left) > 1 else left[0], text=text or None)

    return answer


@dataclass
class Desk:
    """A ledger, an outbox that delivers from it, and the journal's end."""

    ledger: Ledger
    outbox: EntryDeliveries
    clock: HandClock
    journal: Journal

    async def journals(self, count: int = 1, kind: str = "alarm.entered") -> list[Entry]:
        """Commit entries with their deliveries, as the pipeline does."""
        entries = [
            self.journal.append(
                self.clock.now(),
                kind,
                "anshao",
                {"value": 1.5, "source_time": self.clock.now()},
                region="370783",
                enterprise="works",
                tag="GT-101",
                rule="H",
            )
            for _ in range(count)
        ]
        await self.ledger.commit(Change(entries=entries), (), self.outbox.deliveries_for(entries, self.clock.now()))
        self.outbox.wake()
        return entries

    def moves_on(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.time += round(seconds * 1000)
        self.outbox.wake()

    async def records(self) -> list[dict[str, Any]]:
        """Rows of the outbox, in order."""
        table = schema.delivery
        async with self.ledger.engine.connect() as connection:
            rows = await connection.execute(select(table).order_by(table.c.sequence, table.c.channel))
            return [dict(row) for row in rows.mappings()]

    async def tried(self, attempts: int, channel: str = "county") -> dict[str, Any]:
        """The record of the only delivery of a channel, once it has been tried so often."""

        async def look() -> dict[str, Any] | None:
            (row,) = [row for row in await self.records() if row["channel"] == channel]
            return row if row["attempts"] == attempts else None

        found: dict[str, Any] = await until(look, pause=0.01)
        return found

    async def all_delivered(self) -> list[dict[str, Any]]:
        """All records, once all is delivered."""

        async def look() -> list[dict[str, Any]] | None:
            rows = await self.records()
            return rows if all(row["state"] == "delivered" for row in rows) else None

        found: list[dict[str, Any]] = await until(look, pause=0.01)
        return found


@asynccontextmanager
async def desk(place: Path | str, webhooks: Sequence[Webhook], clock: HandClock | None = None) -> AsyncIterator[Desk]:
    """A running outbox; made again at the same place it goes on where it was."""
    url = place if isinstance(place, str) else f"sqlite+aiosqlite:///{place}/ledger.sqlite"
    ledger = Ledger(url)
    await ledger.start()
    loaded = await ledger.load(0)
    clock = clock or HandClock(NOON)
    outbox = EntryDeliveries(ledger, webhooks, clock)
    running = asyncio.create_task(outbox.run())
    try:
        yield Desk(ledger, outbox, clock, Journal(loaded.sequence, loaded.last_hash))
        assert not running.done() or not webhooks, running.exception()
    finally:
        running.cancel()
        await asyncio.wait([running])
        await ledger.close()


def expected_signature(secret: bytes, headers: dict[str, str], body: bytes) -> str:
    """HMAC by hand (RFC 2104), as Standard Webhooks 1.0 wants it."""
    key = (secret if len(secret) <= 64 else hashlib.sha256(secret).digest()).ljust(64, b"\0")
    signed = headers["webhook-id"].encode() + b"." + headers["webhook-timestamp"].encode() + b"." + body
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key) + signed).digest()
    return "v1," + base64.b64encode(hashlib.sha256(bytes(byte ^ 0x5C for byte in key) + inner).digest()).decode()


@pytest.mark.parametrize(
    ("secret", "key"),
    [
        (SECRET, b"a secret of the tests"),
        ("whsec_" + base64.b64encode(bytes(range(100))).decode(), bytes(range(100))),
        ("plain words", b"plain words"),
        ("密码", "密码".encode()),
        ("whsec_not base64!", b"whsec_not base64!"),
        ("whsec_密码", "whsec_密码".encode()),
    ],
)
async def test_a_delivery_is_signed_and_says_what_happened(tmp_path: Path, secret: str, key: bytes) -> None:
    async with receiver() as hook, desk(tmp_path, [Webhook("county", hook.url, secret)]) as at:
        (entry,) = await at.journals()
        await at.all_delivered()
    ((headers, body),) = hook.got
    assert headers["webhook-signature"] == expected_signature(key, headers, body)
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == ("county-1", str(NOON // 1000))
    assert headers["content-type"] == "application/json"
    told = orjson.loads(body)
    assert (told["type"], told["timestamp"]) == ("alarm.entered", "2025-06-16T12:00:00.000Z")
    assert (told["data"]["hash"], told["data"]["sequence"]) == (entry.hash.hex(), 1)


def test_the_signature_is_that_of_a_known_library() -> None:
    """The example of the Standard Webhooks specification."""
    webhook = Webhook("any", "http://x", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    signature = webhook.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signed = b"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330." + body
    assert signature == "v1," + base64.b64encode(hmac.new(key, signed, "sha256").digest()).decode()


async def test_only_alarms_and_incidents_are_told_and_to_every_receiver(tmp_path: Path) -> None:
    async with receiver() as one, receiver() as other:
        hooks = [Webhook("county", one.url, SECRET), Webhook("city", other.url, SECRET)]
        async with desk(tmp_path, hooks) as at:
            for kind in (
                "service.started", "alarm.entered", "incident.opened", "alarm.retrospective", "alarm.acknowledged",
            ):  # fmt: skip
                await at.journals(kind=kind)
            rows = await at.all_delivered()
    assert [(row["sequence"], row["channel"]) for row in rows] == [
        (2, "city"), (2, "county"), (3, "city"), (3, "county"), (5, "city"), (5, "county"),
    ]  # fmt: skip
    assert sorted(sequences(one)) == sorted(sequences(other)) == [2, 3, 5]


async def test_without_receivers_nothing_is_recorded(tmp_path: Path) -> None:
    ledger = Ledger(f"sqlite+aiosqlite:///{tmp_path}/ledger.sqlite")
    outbox = EntryDeliveries(ledger, [], HandClock(NOON))
    await outbox.run()
    assert outbox.deliveries_for([Journal().append(NOON, "alarm.entered", "anshao", {})], NOON) == []
    await ledger.close()


async def test_a_receiver_that_fails_is_tried_again_ever_more_slowly_until_it_takes_it(tmp_path: Path) -> None:
    failing = status(500, text="down for repairs")
    async with receiver(failing) as hook, desk(tmp_path, [Webhook("county", hook.url, SECRET)]) as at:
        await at.journals()
        waits = []
        for attempt in range(1, 12):
            row = await at.tried(attempt)
            assert (row["state"], row["last_error"]) == ("queued", "HTTP 500: down for repairs")
            wait = (row["next_attempt_at"] - at.clock.now()) / 1000
            waits.append(wait)
            at.moves_on(wait - 0.001)
            await until_idle(at)
            assert (await at.tried(attempt))["attempts"] == attempt
            if attempt == 11:
                hook.answer = status(200)
            at.moves_on(0.001)
        (row,) = await at.all_delivered()
        assert waits == [2, 4, 8, 16, 32, 64, 128, 256, LONGEST_WAIT, LONGEST_WAIT, LONGEST_WAIT]
        assert (row["attempts"], row["delivered_at"], row["last_error"]) == (12, at.clock.now(), None)
        assert (at.outbox.delivered, at.outbox.failures) == (1, 11)
    assert {headers["webhook-id"] for headers, _ in hook.got} == {"county-1"}
    assert len({body for _, body in hook.got}) == 1
    assert len({headers["webhook-timestamp"] for headers, _ in hook.got}) == 12


async def until_idle(at: Desk) -> None:
    """The outbox has looked since it was woken, and waits."""

    async def looked() -> bool:
        return not any(awake.is_set() for awake in at.outbox._awake.values())

    await until(looked, pause=0.01)


async def test_a_receiver_that_hangs_is_given_up_for_now_and_delays_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "TIMEOUT", 2.0)

    released = asyncio.Event()

    async def hang(_: web.Request) -> web.Response:
        await released.wait()
        return web.Response()

    async with receiver(hang) as slow, receiver() as quick:
        hooks = [Webhook(f"slow-{number}", slow.url, SECRET) for number in range(15)]
        async with desk(tmp_path, [*hooks, Webhook("county", quick.url, SECRET)]) as at:
            await at.journals(count=20)

            async def all_quick() -> bool:
                return sorted(sequences(quick)) == list(range(1, 21))

            await until(all_quick, seconds=1.8, pause=0.01)
            assert at.outbox.failures == 0

            async def given_up() -> list[dict[str, Any]]:
                return [row for row in await at.records() if row["last_error"]]

            rows = await until(given_up, seconds=30)
            assert {row["last_error"].split(":")[0] for row in rows} == {"TimeoutError"}
            assert all(row["state"] == "queued" for row in rows)
        released.set()


async def test_a_receiver_that_is_not_there_gets_it_when_it_is(tmp_path: Path) -> None:
    port = servers.free_port()
    async with desk(tmp_path, [Webhook("county", f"http://127.0.0.1:{port}/hook", SECRET)]) as at:
        await at.journals()
        row = await at.tried(1)
        assert row["last_error"].startswith("ClientConnectorError")
        async with receiver(port=port) as hook:
            at.moves_on(2)
            await at.all_delivered()
            assert sequences(hook) == [1]


async def test_a_redirect_is_not_followed(tmp_path: Path) -> None:
    async with receiver() as target:

        async def redirect(_: web.Request) -> web.Response:
            return web.Response(status=302, headers={"Location": target.url})

        async with receiver(redirect) as hook, desk(tmp_path, [Webhook("county", hook.url, SECRET)]) as at:
            await at.journals()
            row = await at.tried(1)
    assert row["last_error"].startswith("HTTP 302")
    assert target.got == []


async def breaks_off(request: web.Request) -> web.StreamResponse:
    """Closes the connection without an answer."""
    assert request.transport is not None
    request.transport.close()
    return web.Response()


async def never_ends(request: web.Request) -> web.StreamResponse:
    """Answers with an error that has no end."""
    response = web.StreamResponse(status=503)
    await response.prepare(request)
    while True:
        await response.write(b"x" * 65_536)


def says(body: bytes, **headers: str) -> Answer:
    """Answers with an error in these bytes."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=418, body=body, headers=headers)

    return answer


@pytest.mark.parametrize(
    ("answer", "recorded"),
    [
        (status(404), "HTTP 404"),
        (status(410), "HTTP 410"),
        (status(304), "HTTP 304"),
        (breaks_off, "ServerDisconnectedError"),
        (never_ends, "HTTP 503: xxx"),
        (says(b"\xff\xfe\x00 NUL"), "HTTP 418: \\xff\\xfe NUL"),
        (says(b"?", **{"Content-Type": "text/plain; charset=klingon"}), "HTTP 418: ?"),
        (says("报警".encode("gbk"), **{"Content-Type": "text/plain; charset=gbk"}), "HTTP 418: \\x"),
        (says(b"x", **{"Content-Encoding": "gzip"}), "HTTP 418"),
    ],
    ids=["404", "410", "304", "no answer", "endless", "NUL", "unknown charset", "GBK", "not gzip"],
)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_whatever_a_receiver_answers_is_recorded_and_tried_again(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str, answer: Answer, recorded: str
) -> None:
    place = tmp_path if kind == "sqlite" else request.getfixturevalue("postgres_url")
    async with receiver(answer) as hook, desk(place, [Webhook("county", hook.url, SECRET)]) as at:
        await at.journals()
        row = await at.tried(1)
        assert row["state"] == "queued"
        assert len(row["last_error"]) <= 1_000
        assert row["last_error"].startswith(recorded) or recorded == "HTTP 418"
        hook.answer = None
        at.moves_on(2)
        await at.all_delivered()


async def test_a_url_that_leads_nowhere_is_recorded(tmp_path: Path) -> None:
    hooks = [Webhook("county", "http://no-such-host.invalid/hook", SECRET)]
    async with desk(tmp_path, hooks) as at:
        await at.journals()
        row = await at.tried(1)
        assert row["last_error"]
        assert row["state"] == "queued"


async def test_after_a_restart_what_waited_is_delivered_and_what_was_delivered_is_not(tmp_path: Path) -> None:
    async with receiver() as hook:
        webhook, clock = Webhook("county", hook.url, SECRET), HandClock(NOON)
        async with desk(tmp_path, [webhook], clock) as at:
            await at.journals(count=3)
            await at.all_delivered()
        async with desk(tmp_path, [], clock) as at:
            entries = await at.journals(count=2)
            rows = EntryDeliveries(at.ledger, [webhook], clock).deliveries_for(entries, NOON)
            await at.ledger.commit(Change(), (), rows)
        async with desk(tmp_path, [webhook], clock) as at:
            await at.all_delivered()
    assert sorted(sequences(hook)) == [1, 2, 3, 4, 5]


async def test_more_than_a_page_is_delivered_each_once(tmp_path: Path) -> None:
    async with receiver() as hook, desk(tmp_path, [Webhook("county", hook.url, SECRET)]) as at:
        await at.journals(count=250)
        await at.all_delivered()
    assert sorted(sequences(hook)) == list(range(1, 251))


async def test_a_ledger_that_is_away_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = asyncio.Event()

    def refuse(_: object) -> object:
        refused.set()
        raise LedgerUnavailable("the disk is gone")

    async with receiver() as hook, desk(tmp_path, [Webhook("county", hook.url, SECRET)]) as at:
        await at.journals()
        await at.all_delivered()
        with monkeypatch.context() as patch:
            patch.setattr(outbox_module, "reaching", refuse)
            await at.journals()
            await asyncio.wait_for(refused.wait(), 5)
            assert sequences(hook) == [1]
        at.outbox.wake()
        await at.all_delivered()
    assert sequences(hook) == [1, 2]
