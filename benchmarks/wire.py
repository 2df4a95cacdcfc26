"""The bare wire: a publisher as fast as the broker takes it, and the subscribers that the service is held against.

Run as a program it is one of the subscribers: ``python -m benchmarks.wire paho|mqtt5 PORT COUNT`` drains COUNT messages
of the persistent session ``bench`` and prints the seconds from the first to the last of them.
"""

import asyncio
import sys
import time
from collections.abc import Sequence

import mqtt5
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

SESSION = "bench"
FILTER = "anshao/v1/+/+/data"
FOREVER = 0xFFFF_FFFF


class Wire(asyncio.Protocol):
    """One MQTT 5 connection without any convenience."""

    def __init__(self) -> None:
        self.connected: asyncio.Future[mqtt5.ConnAckPacket] = asyncio.get_running_loop().create_future()
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.first = self.last = 0.0
        self._waiting = b""
        self._transport: asyncio.Transport | None = None
        self._expected = 0
        self._received = 0
        self._packets: list[bytes] = []
        self._sent = self._acknowledged = 0
        self._window = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def write(self, data: bytes) -> None:
        """Send bytes."""
        assert self._transport is not None
        self._transport.write(data)

    def data_received(self, data: bytes) -> None:
        """Take whole packets; acknowledge publishes in one write."""
        buffer = memoryview(self._waiting + data)
        at, acknowledgements = 0, []
        while at < len(buffer):
            try:
                packet, length = mqtt5.read(buffer[at:])
            except IndexError:
                break
            at += length
            if type(packet) is mqtt5.PublishPacket:
                if not self._received:
                    self.first = time.perf_counter()
                self._received += 1
                if packet.packet_id is not None:
                    acknowledgements.append(b"\x40\x02" + packet.packet_id.to_bytes(2, "big"))
            else:
                self._take(packet)
        self._waiting = bytes(buffer[at:])
        if acknowledgements:
            self.write(b"".join(acknowledgements))
        if self._expected and self._received == self._expected and not self.done.done():
            self.last = time.perf_counter()
            self.done.set_result(None)
        self._send()

    def _take(self, packet: mqtt5.Packet) -> None:
        if type(packet) is mqtt5.PubAckPacket:
            self._acknowledged += 1
        elif type(packet) is mqtt5.ConnAckPacket:
            self.connected.set_result(packet)
        elif type(packet) is mqtt5.SubAckPacket:
            self.done.set_result(None)

    async def drain(self, count: int) -> float:
        """Seconds from the first to the last of so many messages."""
        self._expected = count
        await self.done
        return self.last - self.first

    async def publish(self, packets: Sequence[bytes], window: int) -> None:
        """Send PUBLISH packets, so many ahead of their acknowledgements; their packet ids run from 1 and wrap."""
        self._packets, self._window = list(packets), window
        self._send()
        await self.done

    def _send(self) -> None:
        if not self._packets:
            return
        free = self._window - (self._sent - self._acknowledged)
        part = self._packets[self._sent : self._sent + free]
        if part:
            self._sent += len(part)
            self.write(b"".join(part))
        if self._acknowledged == len(self._packets) and not self.done.done():
            self.done.set_result(None)


async def connect(port: int, client_id: str, *, expiry: int = 0) -> tuple[Wire, mqtt5.ConnAckPacket]:
    """A connection, and what the broker has said to it."""
    _, wire = await asyncio.get_running_loop().create_connection(Wire, "127.0.0.1", port)
    wire.write(mqtt5.ConnectPacket(client_id, session_expiry_interval=expiry, receive_max=60_000).write())
    return wire, await wire.connected


async def make_session(port: int, client_id: str) -> None:
    """A persistent session that is subscribed to all data, and away."""
    wire, _ = await connect(port, client_id, expiry=FOREVER)
    wire.write(mqtt5.SubscribePacket(1, [mqtt5.TopicFilter(FILTER, max_qos=mqtt5.QoS.AT_LEAST_ONCE)]).write())
    await wire.done
    wire.write(mqtt5.DisconnectPacket().write())


async def publish(port: int, messages: Sequence[tuple[str, bytes]]) -> None:
    """Publish messages with QoS 1 as fast as the broker takes them; returns when it has acknowledged all."""
    wire, connack = await connect(port, "bench-publisher")
    window = min(connack.receive_max, 2_000)
    packets = [
        mqtt5.PublishPacket(topic, payload, qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=index % 60_000 + 1).write()
        for index, (topic, payload) in enumerate(messages)
    ]
    await wire.publish(packets, window)
    wire.write(mqtt5.DisconnectPacket().write())


async def drain_mqtt5(port: int, count: int) -> float:
    """The do-nothing mqtt5 subscriber."""
    wire, _ = await connect(port, SESSION, expiry=FOREVER)
    return await wire.drain(count)


def drain_paho(port: int, count: int) -> float:
    """The bare paho subscriber: counts, and lets the library acknowledge."""
    times: list[float] = []
    received = 0

    def on_message(client: paho.Client, _data: object, _message: paho.MQTTMessage) -> None:
        nonlocal received
        received += 1
        if received in {1, count}:
            times.append(time.perf_counter())
        if received == count:
            client.disconnect()

    client = paho.Client(CallbackAPIVersion.VERSION2, SESSION, clean_session=False)
    client.on_message = on_message
    client.connect("127.0.0.1", port)
    client.loop_forever()
    return times[1] - times[0]


if __name__ == "__main__":
    kind, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    print(drain_paho(port, count) if kind == "paho" else asyncio.run(drain_mqtt5(port, count)))
