"""A week in the life of a gas detector, in the historian before the service starts."""

import time
from pathlib import Path

import numpy as np

from domain.samples import Float64, SampleBlock
from historian.embedded import DuckDBHistorian

DAY = 86_400_000
GOOD = 192
DAYS = 7
PERIOD = 10_000
LEAKS = ((1.60, 14.5), (4.85, 27.0))
"""Days after the beginning, and how high it rose, mg/m³."""
FILTER_CHANGE = 3.30
"""Day on which the reading hung about its limit for three hours, and crossed it again and again."""


def readings(seed: int = 1) -> Float64:
    """A reading each ``PERIOD``: a background that follows the day, two leaks, and three hours of chattering."""
    rng = np.random.default_rng(seed)
    at = np.arange(DAYS * DAY // PERIOD) * PERIOD / DAY
    value = 4.2 + 1.6 * np.sin(2 * np.pi * (at - 0.3)) + rng.normal(0, 0.35, len(at))
    for begin, height in LEAKS:
        minutes = (at - begin) * 1440
        value += np.where(minutes > 0, height * minutes / 12 * np.exp(1 - minutes / 12), 0)
    hanging = (at >= FILTER_CHANGE) & (at < FILTER_CHANGE + 0.125)
    return np.where(hanging, 9.9 + rng.normal(0, 0.45, len(at)), value).clip(0)


async def fill(data: Path, path: str, values: Float64) -> None:
    """Write readings of a tag that end now to the historian of a service's data folder."""
    end = time.time_ns() // 1_000_000
    source = end - np.arange(len(values), 0, -1, dtype=np.int64) * PERIOD
    data.mkdir(parents=True, exist_ok=True)
    historian = DuckDBHistorian(data / "history.duckdb")
    try:
        await historian.start()
        await historian.write(
            SampleBlock(
                tag=np.zeros(len(values), dtype=np.int32),
                source_time=source,
                received_time=source + 80,
                value=values,
                quality=np.full(len(values), GOOD, dtype=np.uint8),
                reason=np.zeros(len(values), dtype=np.uint8),
            ),
            [path],
        )
    finally:
        await historian.close()
