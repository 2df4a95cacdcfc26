"""The tag lists that the spool's segments refer to: one file per site revision, as long as a segment needs it."""

import json
import re
import threading
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import structlog

from domain.samples import Int32
from historian.files import write_whole

log = structlog.get_logger(__name__)

REVISION = re.compile(r"[A-Za-z0-9_]{1,64}")
_NAME = re.compile(rf"tags-({REVISION.pattern})\.json")


class Catalogue:
    """Tag paths by revision. Thread-safe."""

    def __init__(self, directory: Path, tag_paths: Sequence[str], revision: str) -> None:
        """Write the list of today's revision. Raises OSError, ValueError (a revision that names another list)."""
        self._directory = directory
        self._lists: dict[str, Sequence[str]] = {}
        self._lock = threading.Lock()
        names = (_NAME.fullmatch(path.name) for path in directory.glob("tags-*.json"))
        self._revisions = {match[1] for match in names if match}
        self.add(tag_paths, revision)
        self.revision = revision

    def add(self, tag_paths: Sequence[str], revision: str) -> None:
        """Write the list of a revision, which may become today's. Raises as the constructor."""
        if not REVISION.fullmatch(revision):
            raise ValueError(f"revision {revision!r}: use 1 to 64 of A-Z a-z 0-9 _")
        content = json.dumps(list(tag_paths), ensure_ascii=False).encode()
        path = self._file(revision)
        if not path.exists():
            write_whole(path, content, synced=True)
        elif path.read_bytes() != content:
            raise ValueError(f"{path}: revision {revision} was written with another list of tags")
        with self._lock:
            self._lists.setdefault(revision, tag_paths)
            self._revisions.add(revision)
            self._coming = revision

    def paths(self, revision: str) -> Sequence[str]:
        """Tag paths of a revision, always the same object; empty if they are lost, and with them what samples mean."""
        with self._lock:
            if revision not in self._lists:
                try:
                    self._lists[revision] = json.loads(self._file(revision).read_bytes())
                except (OSError, ValueError):
                    log.exception("tag list unreadable, samples of this revision are lost", revision=revision)
                    self._lists[revision] = ()
            return self._lists[revision]

    def today(self, revision: str) -> Int32 | None:
        """Index of today's tag for each tag of an older revision, -1 where it is gone; None: today's revision."""
        if revision == self.revision:
            return None
        today = {path: index for index, path in enumerate(self.paths(self.revision))}
        return np.array([today.get(path, -1) for path in self.paths(revision)], dtype=np.int32)

    def keep(self, revisions: Collection[str]) -> None:
        """Remove the lists of all other revisions but today's and one that may become it. Raises OSError."""
        with self._lock:
            for revision in self._revisions.difference(revisions, [self.revision, self._coming]):
                self._file(revision).unlink(missing_ok=True)
                self._lists.pop(revision, None)
                self._revisions.discard(revision)

    def _file(self, revision: str) -> Path:
        return self._directory / f"tags-{revision}.json"
