"""What an image is and how large, from its bytes alone: PNG, JPEG and WebP that stand still.

Nothing is decoded. The structure is followed from the first byte to the last part that an image must have, so that a
file which broke off under way is refused when it is sent and not when somebody looks for a detector.
"""

import struct
from dataclasses import dataclass

MOST_PIXELS = 50_000_000
"""Of an image: a browser needs four bytes for each [ours]."""
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
"""Bits of a sample by colour type: table 11.1 of the PNG specification."""
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of JPEG that begin a frame: SOF0 to SOF15 without DHT, JPG and DAC."""
_BARE = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers of JPEG without a length: TEM and RST."""
_SCAN, _END = 0xDA, b"\xff\xd9"
_MOVES = 0x02
"""Flag of VP8X: the image is an animation."""


class PictureRefused(Exception):
    """A file that is no image to draw on, with a sentence that says why and what to do."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What an image is. Of a JPEG with an orientation, width and height are those before it is turned."""

    type: str
    width: int
    height: int


def type_of(head: bytes) -> str:
    """The media type of an image by its first bytes. Raises PictureRefused."""
    if head.startswith(_PNG):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if not head:
        raise PictureRefused("the file is empty; choose the image again")
    raise PictureRefused(
        "the file is no PNG, JPEG or WebP image, whatever its name says; save the drawing as PNG and send that"
    )


def recognise(data: bytes) -> Picture:
    """Type and size of an image that is there in full. Raises PictureRefused."""
    kind = type_of(data[:64])
    try:
        width, height = _SIZES[kind](data)
    except (IndexError, struct.error):
        raise _broken() from None
    if width < 1 or height < 1:
        raise _broken()
    if width * height > MOST_PIXELS:
        raise PictureRefused(
            f"the image has {width} x {height} pixels, where {MOST_PIXELS:,} in all are allowed; make it smaller"
        )
    return Picture(kind, width, height)


def _broken() -> PictureRefused:
    return PictureRefused("the image is damaged or not there in full; save it anew and send it again")


def _png(data: bytes) -> tuple[int, int]:
    """IHDR first, then chunks up to IEND, image data among them."""
    length, name, width, height, depth, colour = struct.unpack_from(">I4sIIBB", data, len(_PNG))
    if (length, name) != (13, b"IHDR") or depth not in _PNG_DEPTHS.get(colour, ()):
        raise _broken()
    at, has_data = len(_PNG), False
    while True:
        length, name = struct.unpack_from(">I4s", data, at)
        at += 12 + length
        if at > len(data):
            raise _broken()
        if name == b"acTL":
            raise _moving()
        has_data = has_data or name == b"IDAT"
        if name == b"IEND":
            if not has_data:
                raise _broken()
            return width, height


def _jpeg(data: bytes) -> tuple[int, int]:
    """Segments up to the first scan, a frame among them, and the mark of the end after it."""
    size: tuple[int, int] | None = None
    at = 2
    while True:
        if data[at] != 0xFF:  # noqa: PLR2004 -- what every marker begins with
            raise _broken()
        marker = data[at + 1]
        if marker == 0xFF:  # noqa: PLR2004 -- a fill byte
            at += 1
            continue
        if marker in _BARE:
            at += 2
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        if length < 2:  # noqa: PLR2004 -- it counts itself
            raise _broken()
        if marker in _FRAMES and size is None:
            height, width, components = struct.unpack_from(">HHB", data, at + 5)
            if components not in {1, 3, 4}:
                raise _broken()
            size = width, height
        if marker == _SCAN:
            if size is None or data.rfind(_END) < at + 2 + length:
                raise _broken()
            return size
        at += 2 + length


def _webp(data: bytes) -> tuple[int, int]:
    """The container is there in full, and its first chunk tells the size."""
    (length,) = struct.unpack_from("<I", data, 4)
    if length + 8 > len(data):
        raise _broken()
    first = data[12:16]
    if first == b"VP8 ":
        if data[23:26] != b"\x9d\x01\x2a":
            raise _broken()
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    if first == b"VP8L":
        signature, bits = struct.unpack_from("<BI", data, 20)
        if signature != 0x2F:  # noqa: PLR2004 -- of the lossless format
            raise _broken()
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if first == b"VP8X":
        if data[20] & _MOVES:
            raise _moving()
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
        if len(data) < 30 + 8 or not _has_image(data):
            raise _broken()
        return width, height
    raise _broken()


def _has_image(data: bytes) -> bool:
    """A chunk of image data follows VP8X."""
    at = 30
    while at + 8 <= len(data):
        name, length = struct.unpack_from("<4sI", data, at)
        if name in {b"VP8 ", b"VP8L"}:
            return at + 8 + int(length) <= len(data)
        at += 8 + length + (length & 1)
    return False


def _moving() -> PictureRefused:
    return PictureRefused("the image moves; save one picture of it as PNG and send that")


_SIZES = {"image/png": _png, "image/jpeg": _jpeg, "image/webp": _webp}
