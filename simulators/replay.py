"""Publishing a recording as the gateway that made it, as fast as it was, N times faster, or as fast as it goes."""

import asyncio
from collections.abc import Callable, Iterable, Mapping

from domain.clock import Clock
from simulators.link import IN_FLIGHT, Link
from simulators.publisher import BATCH, GatewayPublisher, WallClock

Row = tuple[int, Mapping[str, float | None]]
"""Source time in ms and the values by tag."""

AHEAD = BATCH * IN_FLIGHT * 2
"""Rows read ahead of the slowest acknowledgement."""


async def replay(
    rows: Iterable[Row],
    link: Link,
    *,
    speed: float | None = None,
    receipts: bool = False,
    progress: Callable[[int], None] | None = None,
    give_up: float = 30.0,
    clock: Clock | None = None,
) -> int:
    """Publish ``rows`` in their order; returns their number once all of them are safe.

    speed: 1 as recorded, N times faster, None as fast as it goes (then up to ``BATCH`` rows share a message).
    receipts: False, a row is safe with the broker's PUBACK; True, with the service's receipt.
    progress: called with the number of rows that have become safe since the last call.
    give_up: seconds without a connection after which LinkLost is raised; shorter outages are sat out.
    """
    if speed is not None and speed <= 0.0:
        raise ValueError("speed must be above 0, or None for as fast as it goes")
    safe = asyncio.Event()

    def settled(count: int) -> None:
        if progress is not None:
            progress(count)
        safe.set()

    stop = asyncio.Event()
    gateway = GatewayPublisher(
        link, clock or WallClock(), receipts=receipts, limit=AHEAD, give_up=give_up, settled=settled
    )

    running = asyncio.create_task(gateway.run(stop))
    feeding = asyncio.create_task(_feed(rows, gateway, safe, speed))
    try:
        await asyncio.wait([running, feeding], return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            await running
        return await feeding
    finally:
        stop.set()
        feeding.cancel()
        await asyncio.gather(feeding, running, return_exceptions=True)


async def _feed(rows: Iterable[Row], gateway: GatewayPublisher, safe: asyncio.Event, speed: float | None) -> int:
    """Put the rows at their times, then wait until the gateway keeps none of them any more."""
    loop = asyncio.get_running_loop()
    begin, first, count = loop.time(), None, 0
    for source_time, values in rows:
        first = source_time if first is None else first
        if speed is not None:
            wait = begin + (source_time - first) / 1000.0 / speed - loop.time()
            if wait > 0.0:
                await asyncio.sleep(wait)
        await gateway.room()
        gateway.put(source_time, values)
        count += 1
        if count % BATCH == 0:
            await asyncio.sleep(0)
    while len(gateway.store):
        safe.clear()
        await safe.wait()
    return count
