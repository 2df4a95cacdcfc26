"""The journal: append-only and hash-chained.

Each entry's hash is SHA-256 over the hash before it and the entry's body, a JSON text with sorted keys; the first
entry stands on 32 zero bytes. So no entry can be changed, removed or put in without every later hash being wrong.
"""

import hashlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from alerting.records import Entry
from domain.clock import iso

FIRST_HASH = bytes(32)
RETROSPECTIVE = "alarm.retrospective"
"""Kind of entries about late samples, which page nobody."""


class Journal:
    """Numbers and chains new entries. What stands in the ledger is the journal; this is its end."""

    def __init__(self, sequence: int = 0, last_hash: bytes = FIRST_HASH) -> None:
        self.sequence = sequence
        self._hash = last_hash

    def append(
        self,
        at: int,
        kind: str,
        actor: str,
        data: Mapping[str, Any],
        *,
        region: str | None = None,
        enterprise: str | None = None,
        unit: str | None = None,
        tag: str | None = None,
        rule: str | None = None,
        alarm: int | None = None,
        incident: int | None = None,
    ) -> Entry:
        """Make the next entry. An alarm or incident of 0 stands for the entry's own number."""
        sequence = self.sequence + 1
        if alarm == 0:
            alarm = sequence
        if incident == 0:
            incident = sequence
        body = orjson.dumps(
            {
                "sequence": sequence,
                "at": at,
                "kind": kind,
                "actor": actor,
                "region": region,
                "enterprise": enterprise,
                "unit": unit,
                "tag": tag,
                "rule": rule,
                "alarm": alarm,
                "incident": incident,
                "data": data,
            },
            option=orjson.OPT_SORT_KEYS,
        )
        self._hash = chain(self._hash, body)
        self.sequence = sequence
        return Entry(sequence, at, kind, enterprise, alarm, incident, body.decode(), self._hash)


def chain(before: bytes, body: bytes) -> bytes:
    """Hash of an entry."""
    return hashlib.sha256(before + body).digest()


def describe(entry: Entry) -> dict[str, Any]:
    """An entry as the API, the WebSocket, the alarm topic and webhooks show it."""
    shown: dict[str, Any] = orjson.loads(entry.body)
    shown["at"] = iso(entry.at)
    shown["hash"] = entry.hash.hex()
    return shown


@dataclass(frozen=True, slots=True)
class Verification:
    """Result of reading the whole journal. ``fault`` names the first place that is wrong."""

    entries: int
    fault: str | None


class Verifier:
    """Reads entries in order and finds the first that is missing, put in or changed."""

    def __init__(self) -> None:
        self.entries = 0
        self._hash = FIRST_HASH

    def check(self, entry: Entry) -> str | None:
        """What is wrong with the next entry; None if nothing is."""
        expected = self.entries + 1
        if entry.sequence != expected:
            return f"entry {expected} is missing: after entry {self.entries} comes entry {entry.sequence}"
        body = entry.body.encode()
        self._hash = chain(self._hash, body)
        if self._hash != entry.hash:
            return f"entry {entry.sequence} was changed, or the one before it: its hash does not follow"
        stated = _read(body)
        for column in ("sequence", "at", "kind", "enterprise", "alarm", "incident"):
            if stated.get(column) != getattr(entry, column):
                return f"entry {entry.sequence}: its column {column} was changed and differs from its body"
        self.entries = expected
        return None


def _read(body: bytes) -> dict[str, Any]:
    try:
        stated = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return stated if isinstance(stated, dict) else {}


async def verify(entries: AsyncIterator[Entry]) -> Verification:
    """Check a whole journal, entry by entry, up to the first fault."""
    verifier = Verifier()
    async for entry in entries:
        fault = verifier.check(entry)
        if fault is not None:
            return Verification(verifier.entries, fault)
    return Verification(verifier.entries, None)
