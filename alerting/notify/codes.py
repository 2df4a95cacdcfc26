"""One-time acknowledge codes (确认码): 65 random bits in 13 letters and digits that are hard to confuse."""

import hashlib
import re
import secrets

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32, without I, L, O and U."""
LENGTH = 13
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1"})
_SEPARATORS = re.compile(r"[\s\-–—_.]+")


def mint() -> str:
    """A new code, e.g. ``K7QD-3M9X-TP2WA``."""
    text = "".join(secrets.choice(_ALPHABET) for _ in range(LENGTH))
    return f"{text[:4]}-{text[4:8]}-{text[8:]}"


def digest_of(text: str) -> str | None:
    """SHA-256 in hex of a code as somebody typed it; None where it can be no code.

    65 random bits need no salt and no slow hash.
    """
    plain = _SEPARATORS.sub("", text).upper().translate(_READ_AS)
    if len(plain) != LENGTH or any(letter not in _ALPHABET for letter in plain):
        return None
    return hashlib.sha256(plain.encode()).hexdigest()
