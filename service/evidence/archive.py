"""The ZIP of an evidence package: one file for one list of members, to the byte.

Members are stored, not compressed, with fixed times and no extra fields, so that whoever knows the members knows every
byte of the file: a change in a header is found as one in a member is. Any program that reads ZIP files opens it.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

LOCAL = struct.Struct("<4s5H3I2H")
CENTRAL = struct.Struct("<4s6H3I5H2I")
END = struct.Struct("<4s4H2IH")
_VERSION, _UTF8, _STORED = 20, 0x0800, 0
_MIDNIGHT, _FIRST_DAY = 0, 0x0021
"""1980-01-01 00:00, the first instant that the format knows."""
LARGEST = 2**32 - 1
MOST_MEMBERS = 2**16 - 1
CHUNK = 1 << 20


class TooLarge(Exception):
    """More than fits into a ZIP without its 64-bit extension."""


@dataclass(frozen=True, slots=True)
class Member:
    """Name, size in bytes and CRC-32 of a member."""

    name: str
    size: int
    crc: int


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of the file: a header with its bytes, or the content of a member."""

    offset: int
    length: int
    what: str
    expected: bytes | None
    """None: the member's content."""


def layout(members: Sequence[Member]) -> Iterator[Part]:
    """The whole file, stretch by stretch. Raises TooLarge."""
    if len(members) > MOST_MEMBERS:
        raise TooLarge(f"{len(members)} members are more than a ZIP file holds")
    offset = 0
    central = b""
    for member in members:
        name = member.name.encode()
        local = LOCAL.pack(
            b"PK\x03\x04", _VERSION, _UTF8, _STORED, _MIDNIGHT, _FIRST_DAY,
            member.crc, member.size, member.size, len(name), 0,
        )  # fmt: skip
        central += CENTRAL.pack(
            b"PK\x01\x02", _VERSION, _VERSION, _UTF8, _STORED, _MIDNIGHT, _FIRST_DAY,
            member.crc, member.size, member.size, len(name), 0, 0, 0, 0, 0, offset,
        ) + name  # fmt: skip
        yield Part(offset, len(local) + len(name), f"header of {member.name}", local + name)
        offset += len(local) + len(name)
        yield Part(offset, member.size, member.name, None)
        offset += member.size
        if offset > LARGEST:
            raise TooLarge("the evidence is larger than 4 GB")
    count = len(members)
    yield Part(offset, len(central), "central directory", central)
    end = END.pack(b"PK\x05\x06", 0, 0, count, count, len(central), offset, 0)
    yield Part(offset + len(central), len(end), "end of the central directory", end)


def write(file: BinaryIO, members: Sequence[tuple[Member, bytes | Path]]) -> None:
    """Write an archive; contents as bytes or as files. Raises TooLarge, OSError."""
    contents = iter(content for _, content in members)
    for part in layout([member for member, _ in members]):
        if part.expected is not None:
            file.write(part.expected)
            continue
        file.writelines(chunks(next(contents)))


def chunks(content: bytes | Path) -> Iterator[bytes]:
    """Content in pieces of at most CHUNK bytes."""
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def measure(name: str, content: bytes | Path) -> Member:
    """The member that a content makes."""
    size = crc = 0
    for chunk in chunks(content):
        size, crc = size + len(chunk), zlib.crc32(chunk, crc)
    return Member(name, size, crc)
