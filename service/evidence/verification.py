"""Proving an evidence package without the database: every byte of the file, then what its journal part claims."""

import hashlib
import struct
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from alerting.journal.keys import SHORTEST_FINGERPRINT
from service.evidence.archive import LOCAL, layout
from service.evidence.manifest import FORMAT, MANIFEST, SIGNATURE, is_signed, keys_of, members_of
from service.evidence.pieces import locate, wrong_byte
from service.evidence.proofs import check_proof

SIGNATURE_BYTES = 64
_AFTER_NAME = LOCAL.size + len(MANIFEST)
"""Where the manifest begins."""
_SIGNATURE_HEADER = LOCAL.size + len(SIGNATURE)
_CRC_AT = 14
"""Place of the CRC-32 in a member's header."""
MOST_FAULTS = 20


@dataclass(slots=True)
class Verdict:
    """What an evidence package is found to be."""

    faults: list[str] = field(default_factory=list)
    """Each names its place."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """The manifest, its members left out."""
    entries: int = 0
    """Journal entries that are proven."""
    days: list[str] = field(default_factory=list)
    """Days of the heads that they are proven by."""
    keys: list[str] = field(default_factory=list)
    """Fingerprints of the keys that signed; the manifest's first."""

    @property
    def holds(self) -> bool:
        """Nothing is wrong."""
        return not self.faults


def verify_evidence(file: Path, trusted: Collection[str] = ()) -> Verdict:
    """Check a package. ``trusted``: beginnings of fingerprints; every key that signed must be one of them.

    Raises OSError.
    """
    content = file.read_bytes()
    verdict = Verdict()
    manifest, signature = _find_manifest(content, verdict.faults)
    if manifest is None:
        verdict.faults = verdict.faults or ["the file holds no manifest that is signed: it is no evidence of AnShao"]
        return verdict
    document: dict[str, Any] = orjson.loads(manifest)
    verdict.facts = {name: value for name, value in document.items() if name not in {"members", "keys"}}
    if document.get("format") != FORMAT:
        verdict.faults.append(f"the format is {document.get('format')!r}: this version reads {FORMAT!r}")
        return verdict
    contents = _check_bytes(content, document, manifest, signature, verdict.faults)
    keys = keys_of(document)
    try:
        proof = orjson.loads(contents["proof.json"])
        lines = contents["journal.jsonl"].split(b"\n")[:-1]
        verdict.faults += check_proof(lines, proof, keys, document["incident"])
    except (KeyError, IndexError, TypeError, ValueError) as fault:
        verdict.faults.append(f"proof.json or journal.jsonl cannot be read: {fault!r}")
    else:
        verdict.entries = len(lines)
        verdict.days = [head["day"] for head in proof["heads"]]
        signers = [document["key"], *(head["key"] for head in proof["heads"])]
        verdict.keys = list(dict.fromkeys(signers))
    _check_trust(verdict, trusted)
    del verdict.faults[MOST_FAULTS:]
    return verdict


def _check_trust(verdict: Verdict, trusted: Collection[str]) -> None:
    if not trusted:
        return
    for key in verdict.keys:
        if not any(len(known) >= SHORTEST_FINGERPRINT and key.startswith(known.lower()) for known in trusted):
            verdict.faults.append(f"signed with the key {key}, which is none of those that you named")


def _find_manifest(content: bytes, faults: list[str]) -> tuple[bytes | None, bytes]:
    """The signed manifest, wherever the headers say that it ends; one that is spoilt in one byte is put right."""
    spans = list(_spans(content))
    for size in spans:
        manifest, signature = _cut(content, size)
        if is_signed(manifest, signature):
            return manifest, signature
    for size in spans:
        manifest, signature = _cut(content, size)
        after = _AFTER_NAME + size
        mended = _mend(manifest, struct.unpack_from("<I", content, _CRC_AT)[0])
        if mended is not None and is_signed(mended[1], signature):
            faults.append(f"{MANIFEST}, byte {mended[0]} (byte {_AFTER_NAME + mended[0]} of the file): changed")
            return mended[1], signature
        mended = _mend(signature, struct.unpack_from("<I", content, after + _CRC_AT)[0])
        if mended is not None and is_signed(manifest, mended[1]):
            at = after + _SIGNATURE_HEADER + mended[0]
            faults.append(f"{SIGNATURE}, byte {mended[0]} (byte {at} of the file): changed")
            return manifest, mended[1]
    if content[LOCAL.size : _AFTER_NAME] == MANIFEST.encode():
        faults.append(f"{MANIFEST} or {SIGNATURE}: the signature does not hold")
    return None, b""


def _spans(content: bytes) -> Iterator[int]:
    """Sizes that the manifest may have: what its header says, twice, the directory, and where the next header is."""
    found = []
    if len(content) >= LOCAL.size:
        found += [struct.unpack_from("<I", content, at)[0] for at in (18, 22)]
    at = content.find(SIGNATURE.encode())
    if at >= 0:
        found.append(at - LOCAL.size - _AFTER_NAME)
    at = content.find(b"PK\x03\x04", LOCAL.size)
    if at >= 0:
        found.append(at - _AFTER_NAME)
    yield from dict.fromkeys(size for size in found if 0 < size <= len(content) - _AFTER_NAME - _SIGNATURE_HEADER)


def _cut(content: bytes, size: int) -> tuple[bytes, bytes]:
    after = _AFTER_NAME + size + _SIGNATURE_HEADER
    return content[_AFTER_NAME : _AFTER_NAME + size], content[after : after + SIGNATURE_BYTES]


def _mend(content: bytes, crc: int) -> tuple[int, bytes] | None:
    """Place of the one byte that is wrong, and the content without the fault."""
    found = wrong_byte(content, crc)
    if found is None:
        return None
    place, value = found
    return place, content[:place] + bytes([value]) + content[place + 1 :]


def _check_bytes(
    content: bytes, document: Mapping[str, Any], manifest: bytes, signature: bytes, faults: list[str]
) -> dict[str, bytes]:
    """Compare the file with the one that the manifest makes; contents of the members."""
    members = {one["name"]: one for one in document["members"]}
    contents: dict[str, bytes] = {}
    end = 0
    for part in layout(members_of(document, manifest, signature)):
        end = part.offset + part.length
        given = content[part.offset : end]
        if part.expected is not None:
            if given != part.expected:
                at = _first_difference(given, part.expected)
                faults.append(f"{part.what}: byte {part.offset + at} of the file was changed")
        elif part.what in members:
            contents[part.what] = given
            _check_member(given, members[part.what], part.offset, faults)
        if len(given) < part.length:
            faults.append(f"the file ends at byte {len(content)}, within {part.what}")
            break
    if len(content) > end:
        faults.append(f"{len(content) - end} bytes were added at the end, from byte {end} on")
    return contents


def _check_member(given: bytes, member: Mapping[str, Any], offset: int, faults: list[str]) -> None:
    def is_right(whole: bytes) -> bool:
        return bool(hashlib.sha256(whole).hexdigest() == member["sha256"])

    if is_right(given):
        return
    text = member["pieces"]
    right = [int(text[at : at + 8], 16) for at in range(0, len(text), 8)]
    first, last, _ = locate(given, right, is_right)
    place = f"byte {first}" if first == last else f"bytes {first} to {last}"
    faults.append(f"{member['name']}, {place} (from byte {offset + first} of the file): changed")


def _first_difference(given: bytes, expected: bytes) -> int:
    pairs = zip(given, expected, strict=False)
    return next((at for at, (one, other) in enumerate(pairs) if one != other), min(len(given), len(expected)))
