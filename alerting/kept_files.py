"""Files in a folder, each named by the SHA-256 of its content: attachments of incidents, images of site plans.

A file is on disk, synced, before the ledger says that it is there; what was being written when the process died is
removed at the next start.
"""

import os
import tempfile
from pathlib import Path
from typing import BinaryIO

_PART = ".part"


class KeptFiles:
    """The folder. ``open`` first. Everything here blocks: call it in a thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def open(self) -> None:
        """Make the folder, and remove what was never written in full. Raises OSError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for part in self._folder.glob(f"*{_PART}"):
            part.unlink()

    def path(self, sha256: str) -> Path:
        """Where a file of that content is."""
        return self._folder / sha256

    def begin(self) -> tuple[BinaryIO, Path]:
        """A new file to be written and synced, then placed or removed. Raises OSError."""
        descriptor, written = tempfile.mkstemp(_PART, "", self._folder)
        return os.fdopen(descriptor, "wb"), Path(written)

    def place(self, part: Path, sha256: str) -> None:
        """Give a written file its place for good. Raises OSError."""
        part.replace(self.path(sha256))
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def sync(file: BinaryIO) -> None:
    """All that was written is on disk. Raises OSError."""
    file.flush()
    os.fsync(file.fileno())
