"""What the rest of the service knows of a historian: the protocol, its results and its errors.

Two implementations exist: ``historian.influx`` (InfluxDB and what speaks its protocols) and ``historian.embedded``
(DuckDB).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.samples import Float64, Int64, SampleBlock, UInt8


class HistorianError(Exception):
    """Something that the historian could not do. ``remedy`` says what a person can do about it."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


class HistorianUnavailable(HistorianError):
    """Not now: no connection, no permission, a fault of the server. The same request may pass later."""


class HistorianRefused(HistorianError):
    """Never: the historian read the request and refused some of it. Nothing says that the rest was written.

    ``whole``: all of it was refused, so that there is nothing to be gained by sending it in parts.
    """

    def __init__(self, message: str, remedy: str = "", *, whole: bool = False) -> None:
        super().__init__(message, remedy)
        self.whole = whole


@dataclass(frozen=True, slots=True)
class Samples:
    """Raw samples of one tag in columns of equal length, ordered by source time, which is unique.

    source_time, received_time: int64, ms UTC
    value: float64, NaN where there is none
    quality: uint8, ``Quality``
    reason: uint8, ``QualityReason``
    """

    source_time: Int64
    received_time: Int64
    value: Float64
    quality: UInt8
    reason: UInt8

    def __len__(self) -> int:
        return len(self.source_time)


@dataclass(frozen=True, slots=True)
class Buckets:
    """Samples of one tag summed up per bucket of source time, ordered, empty buckets left out.

    time: int64, ms UTC, beginning of the bucket, a multiple of its width
    minimum, maximum, mean: float64, over the samples that have a value; NaN where none has
    count: int64, samples that have a value
    quality: uint8, ``Quality``, the worst of all samples, with a value or without
    """

    time: Int64
    minimum: Float64
    maximum: Float64
    mean: Float64
    count: Int64
    quality: UInt8

    def __len__(self) -> int:
        return len(self.time)


class Historian(Protocol):
    """The time-series store of samples. Idempotent: a later write of a tag and source time replaces the earlier."""

    async def start(self) -> None:
        """Make ready, and create what is missing in the store. Raises HistorianUnavailable; may be called again."""
        ...

    async def write(self, block: SampleBlock, paths: Sequence[str]) -> None:
        """Write a block whose ``tag`` column is an index into ``paths``; returns when the store has it.

        Pass the same ``paths`` object for as long as the list is the same: what is derived from it is cached.
        Raises HistorianUnavailable (some of it may have been written) or HistorianRefused.
        """
        ...

    async def read(self, path: str, start: int, end: int, limit: int) -> Samples:
        """The first ``limit`` samples of a tag with start <= source time < end (ms). Raises HistorianUnavailable."""
        ...

    async def read_buckets(self, path: str, start: int, end: int, bucket: int) -> Buckets:
        """Minimum, maximum, mean, count and worst quality per bucket of ``bucket`` ms. Raises HistorianUnavailable."""
        ...

    async def close(self) -> None:
        """Let go of connections and files. May be called twice, and without ``start``."""
        ...
