"""The spool's files: records of samples in binary columns, each found again by itself after damage.

A segment is a file of records, named ``<ordinal>-<revision>.seg``: the ordinal of its first sample (samples are
numbered from 0 for the life of the spool) and the site revision whose tag list its tag column refers to.

A record is a header and a payload, little-endian:

======  ====  =====================================================================
offset  type  header, 32 bytes
======  ====  =====================================================================
0       4s    ``ASR1``
4       u32   CRC-32 of bytes 8 to 31
8       u32   CRC-32 of the payload
12      u32   n, number of samples
16      u64   ordinal of the first sample
24      i64   latest received time in the record, ms UTC
======  ====  =====================================================================

The payload holds the columns source_time (i64), received_time (i64), value (f64), tag (i32), quality (u8) and
reason (u8), each of length n, and zeros up to a multiple of 8 bytes.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from domain.samples import SampleBlock

MAGIC = b"ASR1"
HEADER = struct.Struct("<4sIIIQq")
_CHECKED = struct.Struct("<IIQq")
RECORD_SAMPLES = 4_096
"""Most samples in one record, so that reading a small batch out of it is cheap."""
_SAMPLE_BYTES = 30


@dataclass(slots=True)
class Segment:
    """One file of the spool, as the spool knows it. ``end`` is the length of what is synced."""

    path: Path
    first: int
    revision: str
    end: int
    received_max: int | None = None
    """Latest received time in it, ms; None: not known yet."""


@dataclass(frozen=True, slots=True)
class Record:
    """A record whose header is sound; ``payload`` is not checked yet."""

    offset: int
    ordinal: int
    count: int
    received_max: int
    crc: int
    payload: memoryview

    @property
    def end(self) -> int:
        """Offset of the first byte after it."""
        return self.offset + HEADER.size + len(self.payload)

    @property
    def sound(self) -> bool:
        """The payload is what was written."""
        return zlib.crc32(self.payload) == self.crc


def payload_bytes(count: int) -> int:
    """Length of the payload of ``count`` samples."""
    return (count * _SAMPLE_BYTES + 7) & ~7


def record_bytes(count: int) -> int:
    """Length of the records that ``count`` samples take."""
    whole, rest = divmod(count, RECORD_SAMPLES)
    return whole * (HEADER.size + payload_bytes(RECORD_SAMPLES)) + (HEADER.size + payload_bytes(rest) if rest else 0)


def encode(block: SampleBlock, ordinal: int) -> bytes:
    """Records of a block whose first sample has the given ordinal."""
    parts: list[bytes] = []
    for start in range(0, len(block), RECORD_SAMPLES):
        part = block if len(block) <= RECORD_SAMPLES else block.take(slice(start, start + RECORD_SAMPLES))
        count = len(part)
        payload = b"".join(
            (
                np.ascontiguousarray(part.source_time, "<i8").data,
                np.ascontiguousarray(part.received_time, "<i8").data,
                np.ascontiguousarray(part.value, "<f8").data,
                np.ascontiguousarray(part.tag, "<i4").data,
                np.ascontiguousarray(part.quality, "u1").data,
                np.ascontiguousarray(part.reason, "u1").data,
                bytes(payload_bytes(count) - count * _SAMPLE_BYTES),
            )
        )
        checked = _CHECKED.pack(zlib.crc32(payload), count, ordinal + start, int(part.received_time.max()))
        parts += (MAGIC, zlib.crc32(checked).to_bytes(4, "little"), checked, payload)
    return b"".join(parts)


def decode(record: Record) -> SampleBlock:
    """The samples of a sound record; its columns are read-only."""
    count, payload = record.count, record.payload
    return SampleBlock(
        tag=np.frombuffer(payload, "<i4", count, 24 * count),
        source_time=np.frombuffer(payload, "<i8", count, 0),
        received_time=np.frombuffer(payload, "<i8", count, 8 * count),
        value=np.frombuffer(payload, "<f8", count, 16 * count),
        quality=np.frombuffer(payload, "u1", count, 28 * count),
        reason=np.frombuffer(payload, "u1", count, 29 * count),
    )


def records(file: BinaryIO, offset: int, end: int, chunk: int = 1 << 20) -> Iterator[Record]:
    """Records between two offsets in the order of the file; bytes that are no record are passed over.

    A record whose payload is damaged comes out too: its header still says how long it is. ``chunk`` bytes are read
    at a time.
    """
    buffer, base = memoryview(b""), offset
    while offset + HEADER.size <= end:
        if offset + HEADER.size > base + len(buffer):
            buffer, base = _load(file, offset, min(chunk, end - offset)), offset
            if len(buffer) < HEADER.size:
                return
        at = offset - base
        magic, header_crc, crc, count, ordinal, received_max = HEADER.unpack_from(buffer, at)
        length = HEADER.size + payload_bytes(count)
        if (
            magic != MAGIC
            or header_crc != zlib.crc32(buffer[at + 8 : at + HEADER.size])
            or not 0 < count <= RECORD_SAMPLES
            or offset + length > end
        ):
            found = buffer.obj.find(MAGIC, at + 1)  # type: ignore[attr-defined]  # obj is the bytes under the view
            offset = base + found if found >= 0 else max(base + len(buffer) - len(MAGIC) + 1, offset + 1)
            continue
        if at + length > len(buffer):
            buffer, base, at = _load(file, offset, max(length, min(chunk, end - offset))), offset, 0
            if len(buffer) < length:
                return
        yield Record(offset, ordinal, count, received_max, crc, buffer[at + HEADER.size : at + length])
        offset += length


def _load(file: BinaryIO, offset: int, length: int) -> memoryview:
    file.seek(offset)
    return memoryview(file.read(length))
