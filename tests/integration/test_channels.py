"""Real channels: mail to a real SMTP server, signed webhooks, apprise's own schemes and one of the site's.

The wires are real and the clock is moved by hand, so that an hour passes at once.
"""

import asyncio
import base64
import email
import email.policy
import hmac
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import apprise
import pytest
from aiohttp import web
from aiosmtpd.controller import Controller
from apprise.decorators import notify
from sqlalchemy import select

from alerting.incidents.closed_loop import Side
from alerting.ledger.response_schema import acknowledge_code, message_attempt
from alerting.notify import channels as channels_module
from alerting.notify.codes import digest_of
from alerting.notify.message import MessageState
from alerting.response.book import Channel, Limits
from tests import servers
from tests.office import DUTY, Office, office, receiver
from tests.running import until

SECRET = "whsec_" + base64.b64encode(b"a secret of the tests").decode()


class Mailbox:
    """What an SMTP server has taken. ``refuses``: what it says instead."""

    def __init__(self) -> None:
        self.letters: list[tuple[list[str], Any]] = []
        self.refuses: str | None = None

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if self.refuses:
            return self.refuses
        letter = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.letters.append((envelope.rcpt_tos, letter))
        return "250 OK"


@asynccontextmanager
async def mail_server() -> AsyncIterator[tuple[Mailbox, int]]:
    box, port = Mailbox(), servers.free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    await asyncio.to_thread(controller.start)
    try:
        yield box, port
    finally:
        await asyncio.to_thread(controller.stop)


def hook(url: str, identity: str = "county", **changes: Any) -> Channel:
    return Channel(identity, "webhook", f"{url}/messages?to={{phone}}", secret=SECRET, **changes)


def answers(status: int) -> Any:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text="down for repairs")

    return answer


# ---- mail


@pytest.mark.parametrize("form", ["text", "html"])
async def test_mail_goes_to_a_real_server_with_text_link_and_code(tmp_path: Path, form: str) -> None:
    async with mail_server() as (box, port):
        channel = Channel(
            "mail", "apprise", f"mailto://127.0.0.1:{port}?from=anshao@county.cn&to={{mail}}&format={form}", format=form
        )
        async with office(tmp_path, channel, public_url="https://anshao.example") as at:
            incident = await at.raises("PI-1/H")
            message = await at.comes_to(MessageState.SENT)
    ((to, letter),) = box.letters
    assert to == ["op@works.cn"]
    assert letter["Subject"] == "【蓝色】测试厂 罐区：新警情"
    text = letter.get_body(("html" if form == "html" else "plain", "plain")).get_content()
    assert f"https://anshao.example/#/incidents/{incident}" in text
    code = text.partition("确认码：")[2].split("<")[0].split()[0]
    assert digest_of(code) is not None
    assert f"https://anshao.example/#/acknowledge?code={code}" in text
    assert code not in message.text
    assert message.delivered_at is None  # a mail server says that it has taken it, and no more


async def test_a_mail_server_that_refuses_is_tried_and_then_given_up_for_the_next_channel(tmp_path: Path) -> None:
    async with mail_server() as (box, port), receiver() as county:
        box.refuses = "451 try again later"
        mail = Channel("mail", "apprise", f"mailto://127.0.0.1:{port}?from=a@county.cn&to={{mail}}", retries=2)
        async with office(tmp_path, mail, hook(county.url)) as at:
            await at.raises("PI-1/H")
            first = await at.comes_to(MessageState.QUEUED, attempts=1)
            assert (first.channel, first.last_error) == ("mail", "mail: the service refused it or did not answer")
            await at.passes(2)
            await at.comes_to(MessageState.DELIVERED, attempts=3)
    assert county.bodies[0]["data"]["contact"] == "op"
    assert not box.letters


# ---- webhooks


async def test_a_webhook_is_signed_and_says_what_a_machine_needs(tmp_path: Path) -> None:
    async with receiver() as county, office(tmp_path, hook(county.url)) as at:
        incident = await at.raises("PI-1/HH", "AT-1/HH")
        for number in range(2):
            await at.comes_to(MessageState.DELIVERED, number=number)
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    for headers, body in county.got:
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        expected = "v1," + base64.b64encode(hmac.new(key, signed, "sha256").digest()).decode()
        assert headers["webhook-signature"] == expected
    data = {body["data"]["contact"]: body["data"] for body in county.bodies}
    assert set(data) == {"op", "wang"}
    assert (data["op"]["incident"], data["op"]["grade"], data["op"]["tier"]) == (incident, "red", 4)
    assert data["op"]["address"] == "13800000000"
    assert data["op"]["code"] in data["op"]["text"]
    assert data["op"]["code"] != data["wang"]["code"]


async def test_a_receiver_that_answers_500_and_is_back_after_an_hour(tmp_path: Path) -> None:
    async with receiver(answers(500)) as county, office(tmp_path, hook(county.url, retries=3)) as at:
        await at.raises("PI-1/H")
        await at.act(acknowledge)
        tries = 1
        while at.clock.time < at_hour(at):
            message = await at.comes_to(MessageState.QUEUED, attempts=tries)
            assert message.last_error == "county: HTTP 500: down for repairs"
            assert message.next_attempt_at is not None
            await at.passes((message.next_attempt_at - at.clock.time) / 1000)
            tries += 1
        await at.comes_to(MessageState.QUEUED, attempts=tries)
        county.answer = None
        await at.passes(300)
        message = await at.comes_to(MessageState.DELIVERED)
        assert message.undelivered_at is not None
        assert 15 <= message.attempts <= 30
    assert {headers["webhook-id"] for headers, _ in county.got} == {f"message-{message.id}"}
    codes = [body["data"]["code"] for body in county.bodies]
    assert len(set(codes)) == len(codes)


def at_hour(at: Office) -> int:
    """An hour after the story's begin."""
    return min(entry.created_at for entry in at.response.messages._by_id.values()) + 3_600_000


def acknowledge(register: Any, now: int, change: Any) -> None:
    """So that no further tier is told."""
    register.casebook.acknowledge(max(register.incidents), Side.DESK, "api", "王芳", "", now, change)


async def test_a_receiver_that_hangs_is_given_up_and_delays_no_other(tmp_path: Path) -> None:
    released = asyncio.Event()

    async def hang(_: web.Request) -> web.Response:
        await released.wait()
        return web.Response()

    async with receiver(hang) as slow, receiver() as quick:
        slow_one = hook(slow.url, "slow", timeout=1_500, retries=1)
        async with office(tmp_path, slow_one, hook(quick.url, "quick")) as at:
            begin = asyncio.get_running_loop().time()
            await at.raises("PI-1/HH")
            await at.comes_to(MessageState.DELIVERED, number=0)
            assert 1.4 < asyncio.get_running_loop().time() - begin < 6
            message = (await at.messages())[0]
            assert message.channel == "quick"
            async with at.ledger.engine.connect() as connection:
                tries = (await connection.execute(select(message_attempt).order_by(message_attempt.c.id))).mappings()
                assert {(row["channel"], row["error"]) for row in tries} >= {
                    ("slow", "no answer within 1.5 s"),
                    ("quick", None),
                }
        released.set()


async def test_a_receiver_that_is_not_there_and_comes_up(tmp_path: Path) -> None:
    port = servers.free_port()
    async with office(tmp_path, hook(f"http://127.0.0.1:{port}")) as at:
        await at.raises("PI-1/H")
        message = await at.comes_to(MessageState.QUEUED, attempts=1)
        assert message.last_error
        assert "13800000000" not in message.last_error
        async with receiver(port=port) as county:
            await at.passes(2)
            await at.comes_to(MessageState.DELIVERED)
            assert len(county.got) == 1


async def test_what_waited_is_sent_after_a_restart_and_what_was_sent_is_not(tmp_path: Path) -> None:
    async with receiver(answers(503)) as county:
        async with office(tmp_path, hook(county.url)) as at:
            await at.raises("PI-1/H")
            await at.comes_to(MessageState.QUEUED, attempts=1)
            clock = at.clock
        county.answer = None
        clock.time += 10_000
        async with office(tmp_path, hook(county.url), clock=clock) as at:
            await at.comes_to(MessageState.DELIVERED, attempts=2)
        async with office(tmp_path, hook(county.url), clock=clock) as at:
            await at.passes(30)
            await at.outbox.tests.look()
        messages = [body["data"] for body in county.bodies if "message" in body["data"]]
    assert len(messages) == 2


# ---- apprise


async def test_apprise_json_reaches_a_local_receiver(tmp_path: Path) -> None:
    async with receiver() as chat:
        port = chat.url.rpartition(":")[2]
        async with office(tmp_path, Channel("chat", "apprise", f"json://127.0.0.1:{port}/{{phone}}")) as at:
            await at.raises("PI-1/H")
            await at.comes_to(MessageState.SENT)
    (body,) = chat.bodies
    assert body["title"] == "【蓝色】测试厂 罐区：新警情"
    assert "确认码：" in body["message"]


async def test_apprise_json_that_answers_500_is_a_failure(tmp_path: Path) -> None:
    async with receiver(answers(500)) as chat:
        port = chat.url.rpartition(":")[2]
        async with office(tmp_path, Channel("chat", "apprise", f"json://127.0.0.1:{port}/")) as at:
            await at.raises("PI-1/H")
            message = await at.comes_to(MessageState.QUEUED, attempts=1)
            assert message.last_error == "chat: the service refused it or did not answer"


@pytest.fixture
def pager_scheme() -> Iterator[dict[str, Any]]:
    """A scheme of the site's own, ``anshaopager://``, as apprise's decorator makes one."""
    state: dict[str, Any] = {"got": [], "hangs": None, "raises": None}

    @notify(on="anshaopager", name="Pager")  # type: ignore[no-untyped-call, untyped-decorator]
    def page(body: str, title: str, _notify_type: str, *_args: Any, **_kwargs: Any) -> bool:
        state["got"].append((title, body))
        if state["raises"]:
            raise state["raises"]
        if state["hangs"] is not None:
            state["hangs"].wait(30)
        return True

    yield state
    apprise.plugins.N_MGR.remove("anshaopager")  # type: ignore[no-untyped-call]


async def test_a_scheme_of_the_sites_own(tmp_path: Path, pager_scheme: dict[str, Any]) -> None:
    async with office(tmp_path, Channel("pager", "apprise", "anshaopager://{phone}")) as at:
        await at.raises("PI-1/H")
        await at.comes_to(MessageState.SENT)
    assert pager_scheme["got"][0][0] == "【蓝色】测试厂 罐区：新警情"


async def test_a_plugin_that_raises_is_a_failure_and_no_crash(tmp_path: Path, pager_scheme: dict[str, Any]) -> None:
    pager_scheme["raises"] = RuntimeError("a bug of its own")
    async with office(tmp_path, Channel("pager", "apprise", "anshaopager://{phone}")) as at:
        await at.raises("PI-1/H")
        message = await at.comes_to(MessageState.QUEUED, attempts=1)
        assert message.last_error is not None


async def test_a_plugin_that_hangs_is_let_go_and_delays_no_other_channel(
    tmp_path: Path, pager_scheme: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channels_module, "PARALLEL", 2)
    pager_scheme["hangs"] = threading.Event()
    pager = Channel("pager", "apprise", "anshaopager://{phone}", timeout=500, retries=3)
    async with (
        receiver() as county,
        office(tmp_path, pager, hook(county.url), limits=Limits(backoff=1_000, test_interval=0)) as at,
    ):
        await at.raises("PI-1/H")
        await at.comes_to(MessageState.QUEUED, attempts=1)
        await at.passes(1)
        await at.comes_to(MessageState.QUEUED, attempts=2)
        await at.passes(2)
        # Both threads are still caught: the third try fails at once, and the next channel has its turn.
        message = await at.comes_to(MessageState.DELIVERED, attempts=4)
        assert message.channel == "county"
        async with at.ledger.engine.connect() as connection:
            tries = (await connection.execute(select(message_attempt).order_by(message_attempt.c.id))).mappings().all()
        assert [row["error"] for row in tries] == [
            "no answer within 0.5 s",
            "no answer within 0.5 s",
            "the channel hangs: earlier tries have not come back",
            None,
        ]
        pager_scheme["hangs"].set()


# ---- health and tests


async def test_a_channel_that_fails_again_and_again_raises_its_condition_until_it_works(tmp_path: Path) -> None:
    async with receiver(answers(500)) as county, office(tmp_path, hook(county.url, retries=20)) as at:
        await at.raises("PI-1/H")
        for attempts in range(1, 6):
            assert not at.failing.get("county", False)
            message = await at.comes_to(MessageState.QUEUED, attempts=attempts)
            if attempts < 5:
                assert message.next_attempt_at is not None
                await at.passes((message.next_attempt_at - at.clock.time) / 1000)
        assert at.failing["county"]
        county.answer = None
        await at.passes(60)
        await at.comes_to(MessageState.DELIVERED)
        assert at.failing["county"] is False


async def test_the_scheduled_test_of_each_channel_and_desk(tmp_path: Path) -> None:
    async with receiver() as county, receiver(answers(500)) as city:
        async with office(tmp_path, hook(county.url), hook(city.url, "city"), limits=Limits()) as at:

            async def both() -> bool:
                return at.failing == {"county": False, "city": True}

            await until(both, pause=0.01)
            assert county.bodies[0]["data"]["test"] is True
            assert county.bodies[0]["data"]["address"] == DUTY.phone
            assert await at.outbox.tests.look() == []
            at.clock.time += 301_000  # what failed is tried again soon, what worked tomorrow
            again = await at.outbox.tests.look()
            assert [(tested.channel, tested.error is None) for tested in again] == [("city", False)]
            city.answer = None
            at.clock.time += 301_000
            again = await at.outbox.tests.look()
            assert [(tested.channel, tested.error is None) for tested in again] == [("city", True)]
            assert at.failing["city"] is False
            clock = at.clock
        async with office(tmp_path, hook(county.url), hook(city.url, "city"), clock=clock, limits=Limits()) as at:
            assert await at.outbox.tests.look() == []  # remembered over a restart
            at.clock.time += 86_400_000
            assert len(await at.outbox.tests.look()) == 2


async def test_a_test_by_hand_says_what_came_of_it_and_is_journaled(tmp_path: Path) -> None:
    async with receiver() as county, office(tmp_path, hook(county.url)) as at:

        async def served() -> bool:
            return "county" in at.outbox.sending._ways

        await until(served, pause=0.01)
        channel = at.book.channels["county"]
        tested = await at.outbox.tests.test(channel, "13812345678", "api", "王芳")
        assert tested.error is None
        assert county.bodies[-1]["data"]["address"] == "13812345678"
        county.answer = answers(500)
        tested = await at.outbox.tests.test(channel, None, "api", "王芳")
        assert tested.error == "HTTP 500: down for repairs"
        kinds = [entry.kind async for entry in at.ledger.entries()]
        assert kinds.count("channel.tested") == 2


# ---- codes


async def test_a_code_from_a_message_acknowledges_for_its_recipients_side_once(tmp_path: Path) -> None:
    async with receiver() as county, office(tmp_path, hook(county.url)) as at:
        incident = await at.raises("PI-1/HH", "PI-2/HH")
        for number in range(2):
            await at.comes_to(MessageState.DELIVERED, number=number)
        codes = {body["data"]["contact"]: body["data"]["code"] for body in county.bodies}
        async with at.ledger.engine.connect() as connection:
            rows = {row["digest"]: dict(row) for row in (await connection.execute(select(acknowledge_code))).mappings()}
        assert not any(code in str(rows) for code in codes.values())
        for contact, side in (("op", "enterprise"), ("wang", "desk")):
            digest = digest_of(codes[contact].lower().replace("-", " "))
            assert digest is not None
            use = use_of(at, digest, rows[digest])
            used = await at.act(use)
            assert (used.incident, used.side, used.acknowledged) == (incident, side, True)
            with pytest.raises(Exception, match="used already"):
                await at.act(use)
        found = at.register.incidents[incident]
        assert (found.enterprise_acknowledged_by, found.desk_acknowledged_by) == ("某人", "某人")
        assert {message.state for message in await at.messages()} == {MessageState.ACKNOWLEDGED}
        await at.passes(600)
        assert at.register.incidents[incident].tier == 3


def use_of(at: Office, digest: str, row: dict[str, Any]) -> Any:
    """The use of a code, as an act."""

    def use(_register: Any, now: int, change: Any) -> Any:
        return at.response.use_code(digest, row, "code", "某人", now, change)

    return use
