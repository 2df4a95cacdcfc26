"""One MQTT 5 connection at the level of bytes, without a socket."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import mqtt5
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.links import mqtt5_link
from ingest.links.mqtt5_link import BUFFER_BYTES, Mqtt5Connection
from ingest.links.protocol import LinkDown, LinkSettings, Message, PublishRefused, Subscription
from ingest.links.reconnecting import Connection, Refused

TOPIC = "anshao/v1/huarui/gw1/data"
SETTINGS = LinkSettings("anshao", [Subscription("anshao/v1/+/+/data")])


class Owner:
    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.generations = 0
        self.wants_more = True

    def accepted(self, connection: Connection) -> None:
        assert isinstance(connection, Mqtt5Connection)
        self.generations += 1

    def received(self, messages: list[Message], size: int) -> bool:
        assert size > 0
        self.messages += messages
        return self.wants_more


class Transport(asyncio.Transport):
    """Keeps what is written; ends the connection on abort, as a real one does."""

    def __init__(self, connection: Mqtt5Connection) -> None:
        super().__init__()
        self._connection = connection
        self.written = b""
        self.reading = True
        self.aborted = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def abort(self) -> None:
        self.aborted = True
        self._connection.connection_lost(None)

    def packets(self) -> list[mqtt5.Packet]:
        """What has been written since the last call."""
        written, self.written = memoryview(self.written), b""
        packets = []
        while written:
            packet, size = mqtt5.read(written)
            packets.append(packet)
            written = written[size:]
        return packets


class Bench:
    """A connection between an owner and a transport."""

    def __init__(self) -> None:
        self.owner = Owner()
        self.connection = Mqtt5Connection(SETTINGS, self.owner)
        self.transport = Transport(self.connection)
        self.connection.connection_made(self.transport)

    def feed(self, data: bytes) -> None:
        """Data from the broker, in as many readings as the buffer asks for."""
        rest = memoryview(data)
        while rest:
            buffer = self.connection.get_buffer(-1)
            count = min(len(buffer), len(rest))
            assert count > 0
            buffer[:count] = rest[:count]
            self.connection.buffer_updated(count)
            rest = rest[count:]

    @property
    def payloads(self) -> list[bytes]:
        return [message.payload for message in self.owner.messages]


def published(payload: bytes, packet_id: int = 1, qos: int = 1) -> bytes:
    return mqtt5.PublishPacket(TOPIC, payload, qos=mqtt5.QoS(qos), packet_id=packet_id if qos else None).write()


@pytest.fixture
async def bench() -> Bench:
    return Bench()


@given(
    payloads=st.lists(st.binary(max_size=200), min_size=1, max_size=20),
    cuts=st.lists(st.integers(min_value=0, max_value=5000), max_size=30),
)
def test_any_split_of_the_stream_gives_the_same_messages(payloads: list[bytes], cuts: list[int]) -> None:
    async def check() -> None:
        bench = Bench()
        stream = mqtt5.ConnAckPacket().write() + b"".join(
            published(payload, packet_id) for packet_id, payload in enumerate(payloads, 1)
        )
        ends = [*sorted({cut for cut in cuts if 0 < cut < len(stream)}), len(stream)]
        for start, end in zip([0, *ends], ends, strict=False):
            bench.feed(stream[start:end])
        assert bench.payloads == payloads
        assert [message.packet_id for message in bench.owner.messages] == list(range(1, len(payloads) + 1))
        assert bench.owner.generations == 1

    asyncio.run(check())


async def test_a_packet_larger_than_the_buffer_makes_it_grow_and_shrink_again(bench: Bench) -> None:
    large = bytes(range(256)) * (3 * BUFFER_BYTES // 256)
    bench.feed(published(b"before") + published(large) + published(b"after")[:-2])
    assert bench.payloads == [b"before", large]
    assert len(bench.connection.get_buffer(-1)) <= BUFFER_BYTES
    bench.feed(published(b"after")[-2:])
    assert bench.payloads[2] == b"after"


@pytest.mark.parametrize(
    "malformed",
    [
        pytest.param(b"\x00\x00", id="no such packet"),
        pytest.param(b"\x36\x05\x00\x01a\x00\x01", id="QoS 3"),
        pytest.param(b"\x30\x03\x00\x10a", id="topic longer than its packet"),
        pytest.param(b"\x30\xff\xff\xff\xff\x7f", id="length without end"),
        pytest.param(
            b"\x30\x05\x00\x02\xff\xfe\x00",
            id="topic not UTF-8",  # the codec panics, and prints so
            marks=pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
        ),
        pytest.param(mqtt5.PingReqPacket().write(), id="a packet that only clients send"),
    ],
)
async def test_after_a_malformed_packet_the_connection_ends_and_what_came_before_is_kept(
    bench: Bench, malformed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt5_link, "CLOSE_SECONDS", 0)
    bench.feed(published(b"good") + malformed + published(b"never read"))
    assert bench.payloads == [b"good"]
    (disconnect,) = bench.transport.packets()
    assert isinstance(disconnect, mqtt5.DisconnectPacket)
    assert disconnect.reason_code == mqtt5.DisconnectReasonCode.MALFORMED_PACKET
    bench.feed(published(b"neither"))
    assert (await bench.connection.lost()).startswith("malformed packet")
    assert bench.transport.aborted  # the broker has not closed it
    assert bench.payloads == [b"good"]


async def test_acknowledgements_go_out_in_order_as_the_codec_would_write_them(bench: Bench) -> None:
    ids = [1, 2, 255, 256, 60_000, 65_535]
    bench.feed(b"".join(published(b"", packet_id) for packet_id in ids) + published(b"", qos=0))
    bench.connection.acknowledge(bench.owner.messages)
    assert bench.transport.written == b"".join(b"\x40\x02" + packet_id.to_bytes(2, "big") for packet_id in ids)
    acknowledged = bench.transport.packets()
    assert [p.packet_id for p in acknowledged if isinstance(p, mqtt5.PubAckPacket)] == ids


async def test_qos_2_is_settled_in_its_four_steps(bench: Bench) -> None:
    bench.feed(published(b"two", 7, qos=2) + published(b"one", 8))
    bench.connection.acknowledge(bench.owner.messages)
    received, acknowledged = bench.transport.packets()
    assert isinstance(received, mqtt5.PubRecPacket)
    assert isinstance(acknowledged, mqtt5.PubAckPacket)
    assert (received.packet_id, acknowledged.packet_id) == (7, 8)
    bench.feed(mqtt5.PubRelPacket(7).write())
    (complete,) = bench.transport.packets()
    assert isinstance(complete, mqtt5.PubCompPacket)


async def test_reading_stops_when_the_owner_has_enough_and_goes_on(bench: Bench) -> None:
    bench.owner.wants_more = False
    bench.feed(published(b"first"))
    assert not bench.transport.reading
    bench.connection.resume()
    assert bench.transport.reading


async def test_a_broker_that_answers_no_ping_is_given_up_but_not_while_we_do_not_read(bench: Bench) -> None:
    connection, transport = bench.connection, bench.transport
    connection._watch()
    assert [type(packet) for packet in transport.packets()] == [mqtt5.PingReqPacket]
    bench.feed(mqtt5.PingRespPacket().write())
    connection._watch()
    bench.owner.wants_more = False
    bench.feed(published(b""))
    for _ in range(5):  # keep-alives pass, the answers wait in the socket
        connection._watch()
    connection.resume()
    connection._watch()
    assert not transport.aborted
    connection._watch()
    assert transport.aborted
    assert await connection.lost() == "the broker does not answer"


async def test_a_refused_subscription_is_named(bench: Bench) -> None:
    subscribing = asyncio.create_task(bench.connection.subscribe())
    await asyncio.sleep(0)
    (subscribe,) = bench.transport.packets()
    assert isinstance(subscribe, mqtt5.SubscribePacket)
    (wanted,) = subscribe.topic_filters
    assert wanted.retain_handling == mqtt5.RetainHandling.SEND_NEVER
    assert not wanted.retain_as_published
    codes = [mqtt5.SubAckReasonCode.NOT_AUTHORIZED]
    bench.feed(mqtt5.SubAckPacket(subscribe.packet_id, codes, reason_str="by the ACL").write())
    with pytest.raises(Refused, match=r"anshao/v1/\+/\+/data refused: not authorized \(by the ACL\)"):
        await subscribing
    await end(bench)


async def end(bench: Bench) -> None:
    await bench.connection.end()
    await bench.connection.end()  # any number of times
    assert bench.transport.aborted


async def test_the_reason_that_the_broker_gives_is_passed_on(bench: Bench) -> None:
    reason = mqtt5.DisconnectReasonCode.SESSION_TAKEN_OVER
    bench.feed(mqtt5.DisconnectPacket(reason_code=reason).write())
    assert await bench.connection.lost() == "disconnected by the broker: session taken over"


async def begin(bench: Bench, bodies: Sequence[bytes], **options: Any) -> list[asyncio.Task[None]]:
    options = {"qos": 1, "retain": False} | options
    tasks = [asyncio.create_task(bench.connection.publish(TOPIC, body, **options)) for body in bodies]
    await asyncio.sleep(0)
    return tasks


async def test_a_publish_ends_with_its_own_answer(bench: Bench) -> None:
    first, second, third = await begin(bench, [b"1", b"2", b"3"])
    ids = [p.packet_id for p in bench.transport.packets() if isinstance(p, mqtt5.PublishPacket)]
    assert len(set(ids)) == 3
    codes = mqtt5.PubAckReasonCode
    bench.feed(
        mqtt5.PubAckPacket(ids[2] or 0, reason_code=codes.NOT_AUTHORIZED).write()
        + mqtt5.PubAckPacket(ids[0] or 0, reason_code=codes.NO_MATCHING_SUBSCRIBERS).write()
    )
    await first
    with pytest.raises(PublishRefused, match="not authorized"):
        await third
    assert not second.done()
    bench.transport.abort()
    with pytest.raises(LinkDown):
        await second
    with pytest.raises(LinkDown):
        await bench.connection.publish(TOPIC, b"4", 1, retain=False)


async def test_no_more_publishes_are_under_way_than_the_broker_allows() -> None:
    bench = Bench()
    bench.connection._loop.create_connection = connecting  # type: ignore[method-assign, assignment]
    opening = asyncio.create_task(bench.connection.open())
    await asyncio.sleep(0)
    bench.feed(mqtt5.ConnAckPacket(receive_max=2, max_packet_size=1000, session_present=True).write())
    assert await opening
    bench.transport.packets()
    tasks = await begin(bench, [b"1", b"2", b"3"])
    one, two = bench.transport.packets()
    assert isinstance(one, mqtt5.PublishPacket)
    assert isinstance(two, mqtt5.PublishPacket)
    bench.feed(mqtt5.PubAckPacket(one.packet_id or 0).write())
    await tasks[0]
    await asyncio.sleep(0)
    assert len(bench.transport.packets()) == 1
    for task in tasks:
        task.cancel()
    with suppress(asyncio.CancelledError):
        await asyncio.gather(*tasks)
    with pytest.raises(PublishRefused, match="at most 1000"):
        await bench.connection.publish(TOPIC, bytes(2000), 1, retain=False)
    bench.transport.abort()
    del bench.connection._loop.create_connection


async def connecting(*_: object, **__: object) -> None:
    """Stands for ``create_connection``: the transport is there already."""


async def test_packet_ids_of_unanswered_publishes_are_not_used_again(bench: Bench) -> None:
    (cancelled,) = await begin(bench, [b"unanswered"])
    (packet,) = bench.transport.packets()
    assert isinstance(packet, mqtt5.PublishPacket)
    cancelled.cancel()
    with suppress(asyncio.CancelledError):
        await cancelled
    ids = {bench.connection._next_packet_id() for _ in range(0xFFFF)}
    assert packet.packet_id not in ids
    assert ids == set(range(2, 0x10000)) - {packet.packet_id}
    bench.feed(mqtt5.PubAckPacket(packet.packet_id or 0).write())  # nobody waits for it
    assert packet.packet_id in {bench.connection._next_packet_id() for _ in range(0xFFFF)}
