"""Finding the byte that was changed. SHA-256 proves that something was; CRC-32 of small pieces tells where.

The CRC of a piece with one wrong byte differs from the right one by a value that only that byte at that place makes,
so that the place can be computed. What is so found is put right and checked with the SHA-256 of the whole.
"""

import zlib
from collections.abc import Callable, Iterable

SIZE = 4_096
"""Bytes of a piece [ours]."""
_ALL = 0xFFFFFFFF


def _table() -> list[int]:
    table = []
    for number in range(256):
        value = number
        for _ in range(8):
            value = value >> 1 ^ 0xEDB88320 if value & 1 else value >> 1
        table.append(value)
    return table


_TABLE = _table()
_BY_TOP = {value >> 24: number for number, value in enumerate(_TABLE)}


def crcs(content: Iterable[bytes]) -> list[int]:
    """CRC-32 of each piece of a content that comes in chunks, whose lengths are multiples of SIZE but for the last."""
    return [zlib.crc32(chunk[at : at + SIZE]) for chunk in content for at in range(0, len(chunk), SIZE)]


def wrong_byte(piece: bytes, right: int) -> tuple[int, int] | None:
    """Place and right value of the one byte by which a piece differs from that of CRC ``right``; None: not one."""
    value = zlib.crc32(piece) ^ right
    for back in range(len(piece)):
        # Undo one step of the CRC: after the step that the byte took part in, the byte's error is left.
        number = _BY_TOP[value >> 24]
        value = (value ^ _TABLE[number]) << 8 & _ALL | number
        if value < 256:  # noqa: PLR2004 -- a byte
            place = len(piece) - 1 - back
            return place, piece[place] ^ value
    return None


def locate(content: bytes, right: list[int], is_right: Callable[[bytes], bool]) -> tuple[int, int, bytes | None]:
    """First and last byte of what was changed, and the content put right where that is certain."""
    pieces = [content[at : at + SIZE] for at in range(0, len(content), SIZE)]
    wrong = [
        number for number, piece in enumerate(pieces) if number >= len(right) or zlib.crc32(piece) != right[number]
    ]
    if not wrong:
        return 0, max(len(content) - 1, 0), None
    begin, end = wrong[0] * SIZE, min((wrong[-1] + 1) * SIZE, len(content)) - 1
    if len(wrong) == 1 and wrong[0] < len(right):
        found = wrong_byte(pieces[wrong[0]], right[wrong[0]])
        if found is not None:
            place = begin + found[0]
            mended = content[:place] + bytes([found[1]]) + content[place + 1 :]
            if is_right(mended):
                return place, place, mended
    return begin, end, None
