"""The first two members of an evidence package: what it holds, and the signature over that."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from alerting.journal.keys import SigningKey, VerifyKey
from service.evidence.archive import Member, chunks, measure
from service.evidence.pieces import crcs

MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
FORMAT = "anshao evidence 1"


def described(name: str, content: bytes | Path) -> dict[str, Any]:
    """A member as the manifest names it. ``pieces``: CRC-32 of each 4,096 bytes, 8 hexadecimal digits each."""
    digest = hashlib.sha256()
    for chunk in chunks(content):
        digest.update(chunk)
    member = measure(name, content)
    pieces = "".join(f"{value:08x}" for value in crcs(chunks(content)))
    return {"name": name, "size": member.size, "sha256": digest.hexdigest(), "crc32": member.crc, "pieces": pieces}


def build(
    facts: Mapping[str, Any], members: Sequence[tuple[str, bytes | Path]], key: SigningKey
) -> tuple[bytes, bytes]:
    """The manifest and its signature."""
    document = {
        **facts,
        "format": FORMAT,
        "key": key.fingerprint,
        "members": [described(name, content) for name, content in members],
    }
    manifest = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    return manifest, key.sign(signed_text(manifest))


def signed_text(manifest: bytes) -> bytes:
    """What is signed: the format comes first, so that no signature of something else can stand for it."""
    return FORMAT.encode() + b"\n" + manifest


def is_signed(manifest: bytes, signature: bytes) -> bool:
    """Whether the manifest was signed with the key that it names."""
    try:
        document = orjson.loads(manifest)
        key = keys_of(document)[document["key"]]
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError):
        return False
    return key.holds(signature, signed_text(manifest))


def keys_of(document: Mapping[str, Any]) -> dict[str, VerifyKey]:
    """The public keys that a manifest carries, by fingerprint. Raises ValueError."""
    keys = [VerifyKey(bytes.fromhex(text)) for text in document["keys"]]
    return {key.fingerprint: key for key in keys}


def members_of(document: Mapping[str, Any], manifest: bytes, signature: bytes) -> list[Member]:
    """All members of the archive in their order."""
    return [
        measure(MANIFEST, manifest),
        measure(SIGNATURE, signature),
        *(Member(one["name"], one["size"], one["crc32"]) for one in document["members"]),
    ]


def digest_of(file: Path) -> str:
    """SHA-256 of a file, in hex."""
    digest = hashlib.sha256()
    for chunk in chunks(file):
        digest.update(chunk)
    return digest.hexdigest()
