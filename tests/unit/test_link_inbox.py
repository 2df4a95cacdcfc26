"""What waits to be taken, how long to wait before coming back, and where to connect to."""

import asyncio
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.links.inbox import Inbox
from ingest.links.protocol import Backoff, LinkDown, LinkSettings, Message, parse_broker_url


class Sent(NamedTuple):
    topic: str
    payload: bytes
    retain: bool = False
    packet_id: int | None = 1


def sent(*payloads: bytes) -> list[Message]:
    return [Sent("anshao/v1/huarui/gw1/data", payload) for payload in payloads]


async def test_everything_of_one_generation_is_taken_at_once_the_older_first() -> None:
    inbox = Inbox(10, 1000)
    inbox.put(1, sent(b"a"), 1)
    inbox.put(1, sent(b"b", b"c"), 2)
    inbox.put(2, sent(b"a"), 1)
    assert await inbox.take() == (1, sent(b"a", b"b", b"c"))
    assert await inbox.take() == (2, sent(b"a"))


async def test_taking_waits_for_the_next_and_ends_with_the_inbox() -> None:
    inbox = Inbox(10, 1000)
    taking = asyncio.create_task(inbox.take())
    await asyncio.sleep(0)
    assert not taking.done()
    inbox.put(1, sent(b"a"), 1)
    assert (await taking).messages == sent(b"a")
    taking = asyncio.create_task(inbox.take())
    await asyncio.sleep(0)
    inbox.close()
    with pytest.raises(LinkDown):
        await taking
    inbox.put(1, sent(b"b"), 1)
    with pytest.raises(LinkDown):
        await inbox.take()


@pytest.mark.parametrize(("count", "size"), [(10, 1), (1, 1000)])
async def test_it_is_full_by_number_or_by_size_and_takes_what_comes_nevertheless(count: int, size: int) -> None:
    inbox = Inbox(10, 1000)
    inbox.put(1, sent(*[b""] * count), size)
    assert inbox.full
    inbox.put(2, sent(b"more"), 1)
    waiting = asyncio.create_task(inbox.room())
    await asyncio.sleep(0)
    assert not waiting.done()
    await inbox.take()
    await waiting
    assert not inbox.full
    assert (await inbox.take()).messages == sent(b"more")


@given(lasted=st.lists(st.floats(min_value=0, max_value=100), min_size=1, max_size=20), refused=st.booleans())
def test_the_wait_before_coming_back_stays_within_its_bounds(lasted: list[float], *, refused: bool) -> None:
    backoff = Backoff(0.2, 15)
    for seconds in lasted:
        delay = backoff.delay(lasted=seconds, refused=refused)
        assert (7.5 if refused else 0.1) <= delay <= 15


def test_the_wait_doubles_and_begins_anew_after_a_connection_that_lasted() -> None:
    backoff = Backoff(1, 8)
    longest = [2 * backoff.delay(lasted=0, refused=False) for _ in range(5)]
    assert all(least <= twice <= 2 * least for least, twice in zip([1, 2, 4, 8, 8], longest, strict=True))
    assert backoff.delay(lasted=9, refused=False) <= 1


@pytest.mark.parametrize(
    ("url", "host", "port", "secure"),
    [
        ("mqtt://127.0.0.1:1884", "127.0.0.1", 1884, False),
        ("mqtt://broker", "broker", 1883, False),
        ("mqtts://broker.example", "broker.example", 8883, True),
        ("mqtts://[::1]:8884", "::1", 8884, True),
    ],
)
def test_a_broker_url_names_host_port_and_whether_it_is_encrypted(
    url: str, host: str, port: int, *, secure: bool
) -> None:
    assert parse_broker_url(url)[:2] == (host, port)
    assert (parse_broker_url(url)[2] is not None) == secure


@pytest.mark.parametrize("url", ["broker:1883", "http://broker", "mqtt://", "mqtt://broker:port", ""])
def test_any_other_url_is_refused_with_its_remedy(url: str) -> None:
    with pytest.raises(ValueError, match=r"mqtt://host:port|[Pp]ort"):
        parse_broker_url(url)


def test_a_password_is_not_shown() -> None:
    assert "secret" not in repr(LinkSettings("anshao", [], password="secret"))
