"""How a tag behaves: its noise, where its values lie, how often it is heard."""

from dataclasses import dataclass

import numpy as np

from tuning.sweep.along import TagReadings

NORMAL = 1.4826
"""From the median of absolute deviations to the standard deviation of normal noise."""
SHARES = (0.0001, 0.001, 0.01, 0.05, 0.5, 0.95, 0.99, 0.999, 0.9999)
"""Of readings, for which the value below which they lie is told."""


@dataclass(frozen=True, slots=True)
class Habits:
    """Of one tag over the data.

    noise: standard deviation of what changes from one reading to the next, in its engineering unit
    quantiles: by ``SHARES``
    interval, longest_usual: ms between readings, the median and what 999 in 1,000 stay below
    """

    readings: int
    noise: float
    quantiles: dict[float, float]
    interval: int
    longest_usual: int


def habits_of(readings: TagReadings) -> Habits | None:
    """None where there are too few readings to tell."""
    value = readings.value[readings.good & np.isfinite(readings.value)]
    if len(value) < 3:  # noqa: PLR2004 -- two differences
        return None
    steps = np.diff(value)
    # Instruments that repeat a value between their own updates would make the median of their steps zero.
    moved = steps[steps != 0]
    noise = float(np.median(np.abs(moved - np.median(moved)))) * NORMAL / np.sqrt(2) if len(moved) else 0.0
    gaps = np.diff(readings.time)
    return Habits(
        readings=len(readings.time),
        noise=float(noise),
        quantiles=dict(zip(SHARES, np.quantile(value, SHARES).tolist(), strict=True)),
        interval=int(np.median(gaps)),
        longest_usual=int(np.quantile(gaps, 0.999)),
    )
