"""What an instrument is like unless the scenario says otherwise. All figures are our own [ours]."""

import math
from collections.abc import Iterable
from fnmatch import fnmatchcase

from domain.site import Tag
from simulators.instruments import Point
from simulators.scenarios.schema import InstrumentSection

NOISE = 0.0005
"""Standard deviation of the noise, share of the span: what a 4-20 mA loop with a good transmitter shows [ours]."""
GAS_NOISE = 0.001
"""The same of gas detectors [ours]."""
LAGS = {"temperature": 8.0, "level": 3.0, "tank_level": 3.0, "pressure": 0.5, "flow": 1.0, "humidity": 30.0}
"""s by measurand; none for others [ours]."""
GAS_LAG = 13.0
"""s: a T90 of 30 s, as is common for electrochemical cells and catalytic beads [ours]."""
_UNKNOWN_SPAN = 100.0
_DIGITS = (0, 6)


def point_of(tag: Tag, name: str, sections: Iterable[InstrumentSection]) -> Point:
    """The instrument of a tag; ``name`` seeds its noise."""
    span = tag.high - tag.low
    span = span if math.isfinite(span) and span > 0.0 else _UNKNOWN_SPAN
    gas = tag.gas is not None
    switched = tag.measurand in {"status", ""}
    noise = 0.0 if switched else span * (GAS_NOISE if gas else NOISE)
    lag = GAS_LAG if gas else LAGS.get(tag.measurand, 0.0)
    drift, decimals = 0.0, None
    for section in sections:
        if any(fnmatchcase(tag.path, pattern) for pattern in section.tags):
            noise = noise if section.noise is None else section.noise
            drift = drift if section.drift is None else section.drift
            lag = lag if section.lag is None else section.lag / 1000.0
            decimals = decimals if section.decimals is None else section.decimals
    if decimals is None:
        finest = noise if noise > 0.0 else span * NOISE
        decimals = min(max(math.ceil(-math.log10(finest)), _DIGITS[0]), _DIGITS[1])
    floor = tag.low if gas or switched else -math.inf
    return Point(
        name,
        tag.gateway,
        noise=noise,
        decimals=decimals,
        lag=lag,
        drift=drift,
        floor=floor,
        low=tag.low,
        high=tag.high,
    )
