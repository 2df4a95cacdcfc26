"""Samples in columns: no Python object per sample after the codec."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Int64 = NDArray[np.int64]
Int32 = NDArray[np.int32]
Float64 = NDArray[np.float64]
UInt8 = NDArray[np.uint8]
Bool = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class SampleBlock:
    """Whatever samples have arrived together, in the order of their arrival; all columns have length n.

    tag: int32, index into ``Site.tags``
    source_time: int64, ms UTC, by the gateway's clock
    received_time: int64, ms UTC, by the service's clock
    value: float64, NaN where there is none (its quality is BAD then)
    quality: uint8, ``Quality``
    reason: uint8, ``QualityReason``
    """

    tag: Int32
    source_time: Int64
    received_time: Int64
    value: Float64
    quality: UInt8
    reason: UInt8

    def __len__(self) -> int:
        return len(self.tag)

    @classmethod
    def empty(cls) -> "SampleBlock":
        """A block of no samples."""
        return cls.of([], [], [], [], [], [])

    @classmethod
    def of(
        cls,
        tag: Sequence[int],
        source_time: Sequence[int],
        received_time: Sequence[int],
        value: Sequence[float],
        quality: Sequence[int],
        reason: Sequence[int],
    ) -> "SampleBlock":
        """A block from Python lists of equal length."""
        return cls(
            np.array(tag, dtype=np.int32),
            np.array(source_time, dtype=np.int64),
            np.array(received_time, dtype=np.int64),
            np.array(value, dtype=np.float64),
            np.array(quality, dtype=np.uint8),
            np.array(reason, dtype=np.uint8),
        )

    @classmethod
    def concatenate(cls, blocks: Sequence["SampleBlock"]) -> "SampleBlock":
        """One block from several, in their order."""
        if len(blocks) == 1:
            return blocks[0]
        if not blocks:
            return cls.empty()
        return cls(
            np.concatenate([b.tag for b in blocks]),
            np.concatenate([b.source_time for b in blocks]),
            np.concatenate([b.received_time for b in blocks]),
            np.concatenate([b.value for b in blocks]),
            np.concatenate([b.quality for b in blocks]),
            np.concatenate([b.reason for b in blocks]),
        )

    def take(self, picked: Bool | Int64 | slice) -> "SampleBlock":
        """The samples that a mask, an index array or a slice picks."""
        return SampleBlock(
            self.tag[picked],
            self.source_time[picked],
            self.received_time[picked],
            self.value[picked],
            self.quality[picked],
            self.reason[picked],
        )
