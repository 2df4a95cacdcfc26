"""Where the texts of a configuration come from: the files on disk, or a revision held in memory.

A document is everything that the main file leads to: site files, their point tables, the table of grades, the plans
and what they name, and the tuned limits. Its name is its path relative to the main file's folder. The main file itself
is none: it holds addresses and secrets, and is always read from disk.
"""

import hashlib
import json
import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

ROOTS = ("sites", "grading", "response", "tuned")
"""Keys of the main file that name documents."""


class Documents(Protocol):
    """Files as far as configuration reads them, by their paths."""

    def read(self, path: Path) -> bytes:
        """Content of a document. Raises OSError, ValueError (a path that cannot be one)."""
        ...

    def listing(self, folder: Path, suffix: str) -> Sequence[Path]:
        """Documents right in a folder whose name ends so, sorted; empty where there is no such folder."""
        ...


class Disk:
    """The files on disk."""

    def read(self, path: Path) -> bytes:
        """As ``Documents``."""
        return path.read_bytes()

    def listing(self, folder: Path, suffix: str) -> Sequence[Path]:
        """As ``Documents``."""
        try:
            return sorted(path for path in folder.iterdir() if path.name.endswith(suffix) and path.is_file())
        except (OSError, ValueError):
            return []

    def holds(self, path: Path, content: bytes) -> bool:
        """Whether a plain file has just this content. A pipe or a device, which may never end, is not read."""
        try:
            found = path.stat()
            return stat.S_ISREG(found.st_mode) and found.st_size == len(content) and path.read_bytes() == content
        except (OSError, ValueError):
            return False


DISK = Disk()


class Recorded:
    """The files on disk, with a memory of what was read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.contents: dict[str, bytes] = {}
        """By name."""

    def read(self, path: Path) -> bytes:
        """As ``Documents``."""
        name = document_name(path, self._folder)
        if name not in self.contents:
            self.contents[name] = path.read_bytes()
        return self.contents[name]

    def listing(self, folder: Path, suffix: str) -> Sequence[Path]:
        """As ``Documents``."""
        return DISK.listing(folder, suffix)


class Held:
    """Documents in memory, and no others."""

    def __init__(self, folder: Path, contents: Mapping[str, bytes]) -> None:
        self._folder = folder
        self._contents = contents
        self.contents: dict[str, bytes] = {}
        """Those that were read, by name: what nothing names any more is no part of a configuration."""

    def read(self, path: Path) -> bytes:
        """As ``Documents``."""
        name = document_name(path, self._folder)
        content = self._contents.get(name)
        if content is None:
            raise FileNotFoundError(2, "no such document", str(path))
        self.contents[name] = content
        return content

    def listing(self, folder: Path, suffix: str) -> Sequence[Path]:
        """As ``Documents``."""
        wanted = PurePosixPath(document_name(folder, self._folder))
        names = (PurePosixPath(name) for name in self._contents)
        return sorted(folder / name.name for name in names if name.parent == wanted and name.name.endswith(suffix))


def document_name(path: Path, folder: Path) -> str:
    """Name of the document at a path: relative to the main file's folder, with / between its parts."""
    try:
        return Path(os.path.relpath(os.path.realpath(path.parent), os.path.realpath(folder)), path.name).as_posix()
    except ValueError:  # a path that holds what no path can
        return path.as_posix()


@dataclass(frozen=True, slots=True)
class DocumentSet:
    """All documents of a configuration, and the main file's keys that lead to them."""

    roots: Mapping[str, Any] = field(default_factory=dict)
    """``ROOTS`` as far as they are given."""
    contents: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    digests: Mapping[str, str] = field(default_factory=dict, repr=False)
    """SHA-256 of each document in hex."""
    digest: str = ""
    """SHA-256 of names, digests and roots: two sets with the same one are equal."""

    @classmethod
    def of(cls, roots: Mapping[str, Any], contents: Mapping[str, bytes]) -> "DocumentSet":
        """A set from its contents."""
        held = dict(sorted(contents.items()))
        digests = {name: hashlib.sha256(content).hexdigest() for name, content in held.items()}
        named = {key: roots[key] for key in ROOTS if roots.get(key) is not None}
        return cls(named, held, digests, set_digest(named, digests.items()))


def set_digest(roots: Mapping[str, Any], digests: Iterable[tuple[str, str]]) -> str:
    """Digest of a whole set."""
    lines = [f"{name}\0{digest}" for name, digest in sorted(digests)]
    lines.append(json.dumps({key: roots[key] for key in ROOTS if roots.get(key) is not None}, sort_keys=True))
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()
