"""Files that belong to incidents: photos and PDF documents. What a file is, its content says and never its name."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from alerting.incidents.dossier import Stored
from alerting.kept_files import KeptFiles, sync

_HEAD = 64
"""Bytes that the type is known by."""
_LONGEST_NAME = 150
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis"})
SUFFIXES: dict[str, tuple[str, ...]] = {
    "image/jpeg": (".jpg", ".jpeg"),
    "image/png": (".png",),
    "image/webp": (".webp",),
    "image/heic": (".heic", ".heif"),
    "application/pdf": (".pdf",),
}
"""Types that are taken, each with how the names of such files end."""


class AttachmentRefused(Exception):
    """A file that is not taken, with a sentence that says why and what to do."""


class AttachmentTooLarge(AttachmentRefused):
    """It is larger than is allowed."""


@dataclass(frozen=True, slots=True)
class Received:
    """A file that has arrived and is not kept yet."""

    stored: Stored
    part: Path


class AttachmentStore(KeptFiles):
    """The folder. ``open`` first."""

    async def receive(self, chunks: AsyncIterator[bytes], name: str, largest: int) -> Received:
        """Write what arrives, of at most ``largest`` bytes. To be kept or dropped afterwards.

        Raises AttachmentRefused, AttachmentTooLarge, OSError; nothing is left behind then.
        """
        file, part = await asyncio.to_thread(self.begin)
        try:
            with file:
                stored = await _write(file, chunks, name, largest)
        except BaseException:
            await asyncio.to_thread(part.unlink, missing_ok=True)
            raise
        return Received(stored, part)

    async def keep(self, received: Received) -> Stored:
        """Give it its place for good. Raises OSError."""
        await asyncio.to_thread(self.place, received.part, received.stored.sha256)
        return received.stored

    async def drop(self, received: Received) -> None:
        """Remove what is not kept."""
        await asyncio.to_thread(received.part.unlink, missing_ok=True)


def type_of(head: bytes) -> str:
    """The media type of a file by its first bytes. Raises AttachmentRefused."""
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head.startswith(b"%PDF-"):
        return "application/pdf"
    if head[4:8] == b"ftyp":
        box = head[8 : min(int.from_bytes(head[:4], "big"), len(head))]
        if _HEIC_BRANDS & {box[at : at + 4] for at in range(0, len(box), 4)}:
            return "image/heic"
    if not head:
        raise AttachmentRefused("the file is empty; choose the photo or document again")
    raise AttachmentRefused(
        "the file is no JPEG, PNG, WebP or HEIC photo and no PDF document, whatever its name says; "
        "send a photo, or print the document to PDF"
    )


def clean_name(name: str, kind: str) -> str:
    """A file's name without folders and without what cannot be printed, ending as its type does."""
    base = PurePosixPath(name.replace("\\", "/")).name
    base = "".join(letter for letter in base if letter.isprintable()).strip(" .")
    suffixes = SUFFIXES[kind]
    if not base.casefold().endswith(suffixes):
        base = f"{base or 'attachment'}{suffixes[0]}"
    ending = PurePosixPath(base).suffix
    return base if len(base) <= _LONGEST_NAME else base[: _LONGEST_NAME - len(ending)] + ending


async def _write(file: BinaryIO, chunks: AsyncIterator[bytes], name: str, largest: int) -> Stored:
    digest, size, head = hashlib.sha256(), 0, b""
    async for chunk in chunks:
        size += len(chunk)
        if size > largest:
            raise AttachmentTooLarge(
                f"the file is larger than {largest:,} bytes; send a smaller picture or split the document"
            )
        if len(head) < _HEAD:
            head += chunk[: _HEAD - len(head)]
            if len(head) == _HEAD:
                type_of(head)  # refuses early
        digest.update(chunk)
        await asyncio.to_thread(file.write, chunk)
    kind = type_of(head)
    await asyncio.to_thread(sync, file)
    return Stored(clean_name(name, kind), kind, size, digest.hexdigest())
