"""What the console is shown: a site of 10,000 thermometers, detectors whose alarms stand alone, and a day's trend."""

import asyncio
import itertools
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mqtt5
import numpy as np
import orjson

from benchmarks import wire
from domain.samples import Float64, Int64, SampleBlock
from historian.embedded import DuckDBHistorian
from tests.running import site_of

DESK = "370783"
UNITS = 20
VALUES = 20
"""Readings in a message of the flood."""
TOPIC = "anshao/v1/works/gw1/data"
NO_DELAY = {"deadband": 1, "on_delay": 0, "off_delay": 0}
LOW, HIGH = 20.0, 95.0
TREND = "TR-1"
SECONDS_OF_A_DAY = 86_400
PERIOD = 0.05
"""s between two messages of the stream of updates."""
GOOD = 192


def quiet(number: int) -> str:
    """A detector."""
    return f"Q-{number:04}"


def site(alarms: int, single: int) -> dict[str, Any]:
    """So many thermometers in units of equal size, so many detectors, and the tag that has a history."""
    common = {"gateway": "gw1", "stale": "off", "measurand": "temperature", "engineering_unit": "°C"}
    units: list[dict[str, Any]] = [
        {
            "id": f"unit{number:02}",
            "name": f"{number} 号装置",
            "hazard_level": 1,  # an orange incident, whose alarms the console never folds
            "tags": [
                {"tag": f"T-{tag:05}", **common, "limits": {"H": {"setpoint": 80, **NO_DELAY}}}
                for tag in range(number, alarms, UNITS)
            ],
        }
        for number in range(UNITS)
    ]
    gas = {**common, "measurand": "h2s", "engineering_unit": "mg/m3", "range": [0, 100]}
    second = {"HH": {"setpoint": 80, **NO_DELAY}}
    detectors = [{"tag": quiet(number), **gas, "description": "硫化氢", "limits": second} for number in range(single)]
    units.append({"id": "pumps", "name": "泵区", "hazard_level": 1, "tags": detectors})
    units.append({"id": "trend", "name": "趋势", "tags": [{"tag": TREND, **common}]})
    return site_of(units)


def day(end: int) -> tuple[Int64, Float64]:
    """A reading each second of the day before ``end``, ms: times, and values that wander."""
    times = end - np.arange(SECONDS_OF_A_DAY, 0, -1, dtype=np.int64) * 1000
    steps = np.random.default_rng(7).normal(0, 0.1, SECONDS_OF_A_DAY)
    return times, 40 + 10 * np.sin(np.arange(SECONDS_OF_A_DAY) / 9000) + np.cumsum(steps) / 4


async def remember(data: Path, times: Int64, values: Float64) -> None:
    """Put the day into the historian of a service that is not started yet; its folder is there."""
    historian = DuckDBHistorian(data / "history.duckdb")
    try:
        await historian.start()
        block = SampleBlock(
            tag=np.zeros(len(values), dtype=np.int32),
            source_time=times,
            received_time=times,
            value=values,
            quality=np.full(len(values), GOOD, dtype=np.uint8),
            reason=np.zeros(len(values), dtype=np.uint8),
        )
        await historian.write(block, [f"works/{TREND}"])
    finally:
        await historian.close()


def packet(values: Mapping[str, float], number: int) -> bytes:
    """A message of the gateway, with readings of this moment."""
    payload = orjson.dumps({"ts": time.time_ns() // 1_000_000, "values": values})
    return mqtt5.PublishPacket(TOPIC, payload, qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=number % 60_000 + 1).write()


class Gateway:
    """The gateway's connection."""

    def __init__(self, connection: wire.Wire) -> None:
        self._connection = connection
        self._number = itertools.count()

    def send(self, values: Mapping[str, float]) -> None:
        """Publish readings of this moment."""
        self._connection.write(packet(values, next(self._number)))

    async def all_at(self, alarms: int, value: float) -> None:
        """Every thermometer, within about a second."""
        for first in range(0, alarms, VALUES):
            self.send({f"T-{tag:05}": value for tag in range(first, min(first + VALUES, alarms))})
            if first % 500 == 0:
                await asyncio.sleep(0.04)


async def gateway(port: int, name: str) -> Gateway:
    """Connect to the broker."""
    connection, _ = await wire.connect(port, name)
    return Gateway(connection)


def update(port: int, alarms: int, rate: int, seconds: float) -> None:
    """In a process of its own: so many thermometers a second cross their limit, one after the other, and back."""
    asyncio.run(_update(port, alarms, rate, seconds))


async def _update(port: int, alarms: int, rate: int, seconds: float) -> None:
    sender = await gateway(port, "bench-updates")
    loop = asyncio.get_running_loop()
    begin, sent = loop.time(), 0
    while (passed := loop.time() - begin) < seconds:
        due = int(passed * rate)
        if sent < due:
            sender.send({f"T-{each % alarms:05}": (LOW, HIGH)[each // alarms % 2] for each in range(sent, due)})
            sent = due
        await asyncio.sleep(PERIOD)
