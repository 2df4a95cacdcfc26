"""What a file is, told from its bytes: real images of all kinds, broken ones, and anything at all."""

import base64
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.siteplans.pictures import MOST_PIXELS, Picture, PictureRefused, recognise

JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgICAgMCAgIDAwMDBAYEBAQEBAgGBgUGCQgKCgkICQkKDA8MCgsOCwkJDRENDg8QEBEQCgwSExIQ"
    "Ew8QEBD/yQALCAABAAIBAREA/8wABgAQEAX/2gAIAQEAAD8A0s8g/9k="
)
WEBP_LOSSY = (
    b"RIFF"
    + struct.pack("<I", 30)
    + b"WEBPVP8 "
    + struct.pack("<I", 18)
    + (b"\x10\x00\x00\x9d\x01\x2a" + struct.pack("<HH", 640, 480) + bytes(8))
)
WEBP_LOSSLESS = (
    b"RIFF"
    + struct.pack("<I", 24)
    + b"WEBPVP8L"
    + struct.pack("<I", 12)
    + (b"\x2f" + struct.pack("<I", (800 - 1) | (600 - 1) << 14) + bytes(7))
)


def extended(flags: int = 0) -> bytes:
    """A WebP with VP8X before its image."""
    head = bytes([flags, 0, 0, 0]) + (1023).to_bytes(3, "little") + (767).to_bytes(3, "little")
    parts = b"VP8X" + struct.pack("<I", 10) + head + WEBP_LOSSLESS[12:]
    return b"RIFF" + struct.pack("<I", 4 + len(parts)) + b"WEBP" + parts


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int = 3, height: int = 2, *, extra: bytes = b"") -> bytes:
    """A grey image."""
    rows = zlib.compress((b"\0" + bytes(min(width, 64))) * min(height, 64))
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + extra + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


GOOD = {
    "png": (png(), Picture("image/png", 3, 2)),
    "jpeg": (JPEG, Picture("image/jpeg", 2, 1)),
    "lossy": (WEBP_LOSSY, Picture("image/webp", 640, 480)),
    "lossless": (WEBP_LOSSLESS, Picture("image/webp", 800, 600)),
    "extended": (extended(), Picture("image/webp", 1024, 768)),
}


@pytest.mark.parametrize(("data", "picture"), GOOD.values(), ids=GOOD)
def test_images_are_known_by_their_content(data: bytes, picture: Picture) -> None:
    assert recognise(data) == picture
    assert recognise(data + b"\0\0") == picture  # some programs write more behind the end


@pytest.mark.parametrize(("data", "picture"), GOOD.values(), ids=GOOD)
def test_an_image_that_broke_off_is_refused_wherever_it_did(data: bytes, picture: Picture) -> None:
    del picture
    for length in range(len(data)):
        with pytest.raises(PictureRefused):
            recognise(data[:length])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "no PNG, JPEG or WebP"),
        (b"<!doctype html><script>alert(1)</script>", "no PNG, JPEG or WebP"),
        (b"%PDF-1.7 and so on", "no PNG, JPEG or WebP"),
        (b"GIF89a", "no PNG, JPEG or WebP"),
        (png(0, 2), "damaged"),
        (png(50_001, 1_000), "50001 x 1000 pixels"),
        (png(2**31, 2**31), "pixels"),
        (png(extra=chunk(b"acTL", bytes(8))), "moves"),
        (extended(0x02), "moves"),
        (png().replace(b"IDAT", b"iDAT"), "damaged"),
        (JPEG.replace(b"\xff\xc9", b"\xff\xe9"), "damaged"),
        (WEBP_LOSSY.replace(b"\x9d\x01\x2a", b"\0\0\0"), "damaged"),
        (WEBP_LOSSLESS.replace(b"VP8L\x0c", b"ALPH\x0c"), "damaged"),
    ],
)
def test_what_is_no_image_is_refused_with_what_to_do(data: bytes, words: str) -> None:
    with pytest.raises(PictureRefused, match=words):
        recognise(data)


HEADS = st.sampled_from(
    [b"", *(data[:size] for data, _ in GOOD.values() for size in (3, 8, 12, 16, 20, 30, len(data)))]
)


@given(head=HEADS, rest=st.binary(max_size=300))
def test_anything_is_an_image_within_bounds_or_refused(head: bytes, rest: bytes) -> None:
    within(head + rest)


@given(
    which=st.sampled_from(sorted(GOOD)),
    changes=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=8),
)
def test_an_image_with_other_bytes_in_it_is_one_within_bounds_or_refused(
    which: str, changes: list[tuple[int, int]]
) -> None:
    data = bytearray(GOOD[which][0])
    for at, value in changes:
        data[at % len(data)] = value
    within(bytes(data))


def within(data: bytes) -> None:
    """Recognised as something that may be shown, or refused; nothing else."""
    try:
        found = recognise(data)
    except PictureRefused:
        return
    assert found.width >= 1
    assert found.height >= 1
    assert found.width * found.height <= MOST_PIXELS
