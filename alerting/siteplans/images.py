"""The files of site plans, in a folder, each named by the SHA-256 of its content.

A file is on disk, synced, before the ledger says that it is there; what was being written when the process died is
removed at the next start.
"""

import hashlib
import os
import tempfile
from pathlib import Path

from alerting.siteplans.pictures import recognise
from alerting.siteplans.plans import Image

LARGEST = 10_000_000
"""Bytes of an image [ours]."""
_PART = ".part"


class PlanImages:
    """The folder. ``open`` first. Everything here blocks: call it in a thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def open(self) -> None:
        """Make the folder, and remove what was never written in full. Raises OSError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for part in self._folder.glob(f"*{_PART}"):
            part.unlink()

    def path(self, sha256: str) -> Path:
        """Where the image of that content is."""
        return self._folder / sha256

    def keep(self, data: bytes) -> Image:
        """Put an image on disk for good. Raises PictureRefused, OSError; nothing is left behind then."""
        picture = recognise(data)
        image = Image(picture.type, len(data), hashlib.sha256(data).hexdigest(), picture.width, picture.height)
        descriptor, written = tempfile.mkstemp(_PART, "", self._folder)
        part = Path(written)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self.path(image.sha256))
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return image
