"""Files that survive a power cut."""

import os
from pathlib import Path
from typing import BinaryIO


def write_all(file: BinaryIO, content: bytes) -> None:
    """Write to an unbuffered file, which may take less at a time than it is given. Raises OSError."""
    left = memoryview(content)
    while left:
        left = left[file.write(left) :]


def sync(file: BinaryIO) -> None:
    """Return once what was written is on disk. Raises OSError, after which nothing is known of what is there."""
    os.fsync(file.fileno())


def sync_directory(directory: Path) -> None:
    """Return once files made, renamed or removed in the directory are so on disk."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_whole(path: Path, content: bytes, *, synced: bool) -> None:
    """Replace a file so that either the old or the new content is there, whatever happens; ``synced``: the new."""
    new = path.with_suffix(".new")
    with new.open("wb") as file:
        file.write(content)
        if synced:
            file.flush()
            sync(file)
    new.replace(path)
    if synced:
        sync_directory(path.parent)
