"""Signed heads: what the service says, and cannot take back, of its journal up to an entry.

A head covers the entries ``first`` to ``sequence``, those since the head before it. It names the hash of the last one,
which stands on all entries before it, and the root of a hash tree over the hashes of those it covers, by which single
entries are proven. When a day (Asia/Shanghai) is over, its head is kept for ever, in the ledger and in a file beside
it. The newest head covers the entries since; it is replaced with every commit.

All of a head but its signature follows from the entries, so a changed column can be named.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from alerting.journal.keys import SigningKey, VerifyKey, sync_folder

_DAY, _AHEAD = 86_400_000, 28_800_000
"""ms; Asia/Shanghai is 8 h ahead of UTC and has had no summer time since 1991."""
FILE = "heads.jsonl"
"""Copy of the days' heads beside the ledger, in the data folder."""
_STATEMENT = "anshao journal head 1\nday {}\nentries {} to {}\nat {}\nhash {}\nroot {}\n"


@dataclass(frozen=True, slots=True)
class Head:
    """One signed head, a row of ``journal_head`` or ``journal_newest``."""

    first: int
    """Number of the first entry that it covers."""
    sequence: int
    """Number of the last."""
    day: str
    """Date of the last entry in Asia/Shanghai, ISO."""
    at: int
    """Time of the last entry, ms UTC: a head says nothing of when it was signed."""
    hash: bytes
    """Of the last entry."""
    root: bytes
    """Of the tree over the hashes of all entries that it covers."""
    key: str
    """Fingerprint of the key."""
    signature: bytes

    @property
    def statement(self) -> bytes:
        """The text that is signed."""
        return statement(self.day, self.first, self.sequence, self.at, self.hash, self.root)

    @property
    def line(self) -> bytes:
        """As a line of the file, without its end."""
        return orjson.dumps(self.document, option=orjson.OPT_SORT_KEYS)

    @property
    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {name: value.hex() if isinstance(value, bytes) else value for name, value in asdict(self).items()}

    def is_signed_by(self, key: VerifyKey) -> bool:
        """Whether the signature is the key's."""
        return key.fingerprint == self.key and key.holds(self.signature, self.statement)


def statement(day: str, first: int, sequence: int, at: int, last_hash: bytes, root: bytes) -> bytes:
    """The text that is signed."""
    return _STATEMENT.format(day, first, sequence, at, last_hash.hex(), root.hex()).encode()


def sign(key: SigningKey, first: int, sequence: int, at: int, last_hash: bytes, root: bytes) -> Head:
    """A head of these entries."""
    day = day_of(at)
    signature = key.sign(statement(day, first, sequence, at, last_hash, root))
    return Head(first, sequence, day, at, last_hash, root, key.fingerprint, signature)


def day_of(at: int) -> str:
    """Date in Asia/Shanghai of an instant in ms UTC."""
    return _date((at + _AHEAD) // _DAY)


@cache
def _date(day: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=day)).isoformat()


def head_of(row: Mapping[str, Any]) -> Head:
    """Head from a row, or from JSON. Raises ValueError, TypeError, KeyError: it is no head."""
    fields: dict[str, Any] = {}
    for name, kind in _KINDS.items():
        value = row[name]
        if kind is bytes:
            value = bytes.fromhex(value) if isinstance(value, str) else bytes(value)
        if type(value) is not kind:
            raise TypeError(f"{name} is not what it should be")
        fields[name] = value
    return Head(**fields)


_KINDS: Mapping[str, type] = {
    "first": int,
    "sequence": int,
    "day": str,
    "at": int,
    "hash": bytes,
    "root": bytes,
    "key": str,
    "signature": bytes,
}


def read_file(file: Path) -> bytes:
    """Content of the file; empty where there is none. Raises OSError."""
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return b""


def lines_of(content: bytes) -> Iterator[tuple[int, bytes, Head | None]]:
    """Lines of the file: number from 1, text, head (None: it cannot be read).

    A last line without an end was never written in full: a power cut took the rest, and it is left out.
    """
    for number, line in enumerate(content.split(b"\n")[:-1], 1):
        yield number, line, _parse(line)


def _parse(line: bytes) -> Head | None:
    try:
        data = orjson.loads(line)
        return head_of(data) if isinstance(data, dict) else None
    except (ValueError, TypeError, KeyError):
        return None


def append_line(file: Path, head: Head) -> None:
    """Add a head to the file and have it on disk; one that is its last line already is not repeated.

    Raises OSError; the file is as it was then.
    """
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
    with os.fdopen(descriptor, "r+b", buffering=0) as opened:
        content = opened.read()
        whole = content[: content.rfind(b"\n") + 1]
        line = head.line + b"\n"
        if whole.endswith(line):
            return
        opened.truncate(len(whole))
        opened.seek(len(whole))
        try:
            rest = memoryview(line)
            while rest:
                rest = rest[opened.write(rest) :]
            os.fsync(opened.fileno())
        except OSError:
            with contextlib.suppress(OSError):
                opened.truncate(len(whole))
            raise
    sync_folder(file.parent)
