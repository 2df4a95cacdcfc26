"""A scenario through the broker, each of its gateways by a connection of its own."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from domain.samples import Bool
from domain.scales import Quality
from simulators.link import IN_FLIGHT, Link, Value
from simulators.publisher import BATCH, GatewayPublisher, WallClock
from simulators.scenarios.simulation import Chunk, Part

AHEAD = BATCH * IN_FLIGHT * 2
"""Messages of a gateway that wait for the broker."""
UNCERTAIN, BAD = int(Quality.UNCERTAIN), int(Quality.BAD)

Message = tuple[int, str, int, Mapping[str, Value]]
"""Received time, path of the gateway, source time (ms UTC) and the values."""


async def publish(
    chunks: Iterator[Chunk],
    links: Mapping[str, Link],
    *,
    shift: int = 0,
    speed: float | None = None,
    progress: Callable[[int], None] | None = None,
    give_up: float = 30.0,
) -> int:
    """Publish what arrives in a scenario: see ``publish_messages``."""
    batches = map(messages, chunks)
    return await publish_messages(batches, links, shift=shift, speed=speed, progress=progress, give_up=give_up)


async def publish_messages(
    batches: Iterator[Sequence[Message]],
    links: Mapping[str, Link],
    *,
    shift: int = 0,
    speed: float | None = None,
    progress: Callable[[int], None] | None = None,
    give_up: float = 30.0,
) -> int:
    """Publish what arrives, in its order and with its source times; how many messages, once the broker has them.

    links: by path of the gateway. shift: ms that is added to source times. speed: 1 in the scenario's own time, N times
    faster, None as fast as it goes. progress: called with the number of messages that have become safe.
    give_up: seconds without a connection after which LinkLost is raised.
    """
    if speed is not None and speed <= 0.0:
        raise ValueError("speed must be above 0, or None for as fast as it goes")
    safe, stop = asyncio.Event(), asyncio.Event()

    def settled(count: int) -> None:
        if progress is not None:
            progress(count)
        safe.set()

    gateways = {
        path: GatewayPublisher(link, WallClock(), receipts=False, limit=AHEAD, give_up=give_up, settled=settled)
        for path, link in links.items()
    }
    running = [asyncio.create_task(gateway.run(stop)) for gateway in gateways.values()]
    feeding = asyncio.create_task(_feed(batches, gateways, safe, shift, speed))
    try:
        done, _ = await asyncio.wait([*running, feeding], return_when=asyncio.FIRST_COMPLETED)
        for task in done - {feeding}:
            await task
        count = await feeding
        stop.set()
        await asyncio.gather(*running)
        return count
    finally:
        stop.set()
        feeding.cancel()
        await asyncio.gather(feeding, *running, return_exceptions=True)


async def _feed(
    batches: Iterator[Sequence[Message]],
    gateways: Mapping[str, GatewayPublisher],
    safe: asyncio.Event,
    shift: int,
    speed: float | None,
) -> int:
    loop = asyncio.get_running_loop()
    begin, first, count = loop.time(), None, 0
    while (batch := await asyncio.to_thread(next, batches, None)) is not None:
        for received, path, source_time, values in batch:
            first = received if first is None else first
            if speed is not None:
                wait = begin + (received - first) / 1000.0 / speed - loop.time()
                if wait > 0.0:
                    await asyncio.sleep(wait)
            gateway = gateways[path]
            await gateway.room()
            gateway.put(source_time + shift, values)
            count += 1
            if count % BATCH == 0:
                await asyncio.sleep(0)
    while any(len(gateway.store) for gateway in gateways.values()):
        safe.clear()
        await safe.wait()
    return count


def messages(chunk: Chunk) -> Sequence[Message]:
    """The messages of all gateways in the order of their arrival."""
    found = [message for part in chunk.parts for message in _of_part(part)]
    found.sort(key=lambda message: message[0])
    return found


def _of_part(part: Part) -> Iterator[Message]:
    delivered = part.delivered
    names = [tag.name for tag in part.station.tags]
    good = (delivered.measured.quality == Quality.GOOD).all(axis=1)
    path = part.station.gateway.name
    rows = zip(
        delivered.received_time.tolist(),
        delivered.source_time.tolist(),
        delivered.measured.value.tolist(),
        _flags(good, part),
        strict=True,
    )
    for received, source_time, values, flags in rows:
        told: Mapping[str, Value] = dict(zip(names, values, strict=True))
        if flags is not None:
            told = {name: _flagged(value, flag) for (name, value), flag in zip(told.items(), flags, strict=True)}
        yield received, path, source_time, told


def _flags(good: Bool, part: Part) -> Iterator[Sequence[int] | None]:
    """Of each message the qualities of its values, if they are not all good."""
    quality = part.delivered.measured.quality
    for row in range(len(good)):
        yield None if good[row] else quality[row].tolist()


def _flagged(value: Value, flag: int) -> Value:
    if flag == UNCERTAIN:
        return {"v": value if isinstance(value, float) else None, "q": UNCERTAIN}
    if flag == BAD or (isinstance(value, float) and np.isnan(value)):
        return {"v": None, "q": BAD}
    return value
