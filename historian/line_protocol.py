"""Samples as InfluxDB line protocol.

Measurement ``sample``; tags ``enterprise`` and ``tag``; fields ``value`` (float; absent if there is none or it is not
finite), ``quality`` (integer), ``reason`` (integer), ``received`` (integer, ms); time is the source time in ms::

    sample,enterprise=huarui,tag=GT-101 value=3.25,quality=192i,reason=0i,received=1760000000123i 1760000000000

Line protocol can carry no newline, and servers differ on backslashes in tag values (a trailing one swallows what
follows). So control characters and backslashes are percent-encoded, and a percent sign that would look like such a
code is too; all other names stay as they are.
"""

import re
from collections.abc import Sequence

import numpy as np
import orjson

from domain.samples import Float64, Int64, SampleBlock

MEASUREMENT = "sample"

_UNSAFE = re.compile(r"[\x00-\x1f\x7f\\]|%(?=[0-9A-F]{2})")
_CODE = re.compile(r"%([0-9A-F]{2})")
_SPECIAL = re.compile(r"[,= ]")
_LISTS_KEPT = 4


def tag_value(name: str) -> str:
    """A name as the value of a tag in the store."""
    return _UNSAFE.sub(lambda match: f"%{ord(match[0]):02X}", name)


def name_of(value: str) -> str:
    """The name that ``tag_value`` has made a tag value of."""
    return _CODE.sub(lambda match: chr(int(match[1], 16)), value)


def series_of(path: str) -> tuple[str, str]:
    """Values of the tags ``enterprise`` and ``tag`` of a tag path."""
    enterprise, _, tag = path.partition("/")
    return tag_value(enterprise), tag_value(tag)


class LineEncoder:
    """Makes line protocol of blocks. Keeps what it has derived from the last few lists of paths."""

    def __init__(self) -> None:
        self._prefixes: list[tuple[Sequence[str], list[bytes]]] = []
        self._suffixes: dict[int, bytes] = {}

    def encode(self, block: SampleBlock, paths: Sequence[str]) -> bytes:
        """Lines of a block, each ended by a newline; ``block.tag`` is an index into ``paths``.

        About 0.25 µs a sample, all of it under the interpreter's lock: pass slices where others wait for it.
        """
        count = len(block)
        if not count:
            return b""
        prefixes = self._prefixes_of(block, paths)
        suffixes = self._suffixes
        kinds = ((block.quality.astype(np.int64) << 8) | block.reason).tolist()
        for kind in set(kinds) - suffixes.keys():
            suffixes[kind] = b",quality=%di,reason=%di,received=" % (kind >> 8, kind & 255)
        parts = [b"i "] * (6 * count)
        parts[0::6] = [prefixes[tag] for tag in block.tag.tolist()]
        parts[1::6] = _texts(block.value)
        parts[2::6] = [suffixes[kind] for kind in kinds]
        parts[3::6] = _texts(block.received_time)
        parts[5::6] = _texts(block.source_time)
        for index in (6 * np.flatnonzero(~np.isfinite(block.value))).tolist():
            parts[index] = parts[index].removesuffix(b"value=")
            parts[index + 1] = b""
            parts[index + 2] = parts[index + 2].removeprefix(b",")
        return b"".join(parts)[1:] + b"\n"

    def _prefixes_of(self, block: SampleBlock, paths: Sequence[str]) -> list[bytes]:
        """For each path newline, measurement, tags and ``value=``; empty where no block has used the path yet."""
        prefixes = next((prefixes for known, prefixes in self._prefixes if known is paths), None)
        if prefixes is None:
            prefixes = [b""] * len(paths)
            self._prefixes = [(paths, prefixes), *self._prefixes[: _LISTS_KEPT - 1]]
        for tag in set(block.tag.tolist()):
            if not prefixes[tag]:
                enterprise, name = (_SPECIAL.sub(r"\\\g<0>", value) for value in series_of(paths[tag]))
                prefixes[tag] = f"\n{MEASUREMENT},enterprise={enterprise},tag={name} value=".encode()
        return prefixes


def _texts(column: Float64 | Int64) -> list[bytes]:
    """Numbers in decimal; floats in the shortest form that reads back as the same float."""
    return orjson.dumps(np.ascontiguousarray(column), option=orjson.OPT_SERIALIZE_NUMPY)[1:-1].split(b",")
