"""Proof that entries stand in the journal, at their numbers, as the service signed it.

Of each entry: its text, the hash before it, and the path of its hash to the root of the tree that a signed head names.
SHA-256 over the hash before and the text is the entry's hash; the path shows that it is the leaf of its number.
Nobody else's entries are needed, nor shown.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from alerting.journal.heads import Head, head_of
from alerting.journal.journal import FIRST_HASH, chain
from alerting.journal.keys import VerifyKey
from alerting.journal.merkle import paths, root_by
from alerting.ledger.ledger import reaching
from alerting.ledger.record_schema import journal_head, journal_newest
from alerting.ledger.schema import journal
from alerting.records import Entry


class NotSigned(Exception):
    """The journal has no signed heads, so nothing of it can be proven."""


async def prove(engine: AsyncEngine, entries: Sequence[Entry]) -> tuple[dict[str, Any], list[Entry]]:
    """The proof of entries, and those of them that it covers: what came after the newest head was read is left out.

    Raises NotSigned, LedgerUnavailable.
    """
    heads = await _heads(engine)
    used: list[Head] = []
    proofs: list[dict[str, Any]] = []
    covered: list[Entry] = []
    for head in heads:
        ours = [entry for entry in entries if head.first <= entry.sequence <= head.sequence]
        if not ours:
            continue
        before, hashes = await _hashes(engine, head)
        found = paths(hashes, [entry.sequence - head.first for entry in ours])
        for entry in ours:
            index = entry.sequence - head.first
            proofs.append(
                {
                    "sequence": entry.sequence,
                    "head": len(used),
                    "before": (hashes[index - 1] if index else before).hex(),
                    "path": [node.hex() for node in found[index]],
                }
            )
            covered.append(entry)
        used.append(head)
    return {"heads": [head.document for head in used], "entries": proofs}, covered


async def _heads(engine: AsyncEngine) -> list[Head]:
    """All heads, that of the newest entries last; a day's own is preferred, for it is kept elsewhere too."""
    async with reaching(engine) as connection:
        newest = (await connection.execute(select(journal_newest))).mappings().first()
        days = (await connection.execute(select(journal_head).order_by(journal_head.c.sequence))).mappings().all()
    if newest is None:
        raise NotSigned("the journal is not signed yet: start the service on this ledger once")
    heads = [head_of(dict(row)) for row in days]
    last = head_of(dict(newest))
    if not heads or heads[-1].sequence < last.sequence:
        heads.append(last)
    return heads


async def _hashes(engine: AsyncEngine, head: Head) -> tuple[bytes, list[bytes]]:
    """Hash before the first entry that a head covers, and those of the entries."""
    query = (
        select(journal.c.sequence, journal.c.hash)
        .where(journal.c.sequence >= head.first - 1, journal.c.sequence <= head.sequence)
        .order_by(journal.c.sequence)
    )
    async with reaching(engine) as connection:
        rows = [(row.sequence, bytes(row.hash)) for row in await connection.execute(query)]
    before = rows.pop(0)[1] if head.first > 1 and rows else FIRST_HASH
    return before, [entry_hash for _, entry_hash in rows]


def check_proof(
    lines: Sequence[bytes], proof: Mapping[str, Any], keys: Mapping[str, VerifyKey], incident: int
) -> list[str]:
    """Faults of a journal part: ``lines`` are the entries' texts, ``keys`` those that heads may be signed with."""
    faults: list[str] = []
    heads = [head_of(document) for document in proof["heads"]]
    for number, head in enumerate(heads):
        key = keys.get(head.key)
        if key is None or not head.is_signed_by(key):
            faults.append(f"proof.json, head {number} ({head.day}): its signature does not hold")
    proofs = proof["entries"]
    if len(proofs) != len(lines):
        faults.append(f"journal.jsonl has {len(lines)} entries, proof.json proves {len(proofs)}")
    known: dict[int, bytes] = {}
    for number, (line, one) in enumerate(zip(lines, proofs, strict=False), 1):
        fault = _check_entry(line, one, heads, known, incident)
        if fault:
            faults.append(f"journal.jsonl, line {number} (entry {one['sequence']}): {fault}")
    return faults


def _check_entry(
    line: bytes, one: Mapping[str, Any], heads: Sequence[Head], known: dict[int, bytes], incident: int
) -> str | None:
    sequence, head = one["sequence"], heads[one["head"]]
    before = bytes.fromhex(one["before"])
    entry_hash = chain(before, line)
    body = orjson.loads(line)
    root = root_by(
        [bytes.fromhex(node) for node in one["path"]],
        entry_hash,
        sequence - head.first,
        head.sequence - head.first + 1,
    )
    if body["sequence"] != sequence:
        return f"its text is that of entry {body['sequence']}"
    if root != head.root:
        return f"it is not among the entries that the head of {head.day} was signed for"
    if sequence == head.sequence and entry_hash != head.hash:
        return "it is not the last entry of its head"
    if known.get(sequence - 1, before) != before:
        return "it does not stand on the entry before it"
    known[sequence] = entry_hash
    if body["kind"] == "incident.opened" and sequence == incident and body["incident"] != incident:
        return "it opened another incident"
    return None
