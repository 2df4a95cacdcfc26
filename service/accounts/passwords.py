"""Passwords and one-time codes."""

import asyncio
import secrets

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST, LONGEST = 10, 200
"""Letters of a password [ours, within NIST SP 800-63B, 5.1.1]."""
_SYLLABLES = [first + second for first in "bdfghjkmnprstvz" for second in "aeiu"]
_NOBODY = "nobody has this account"


class Passwords:
    """Hashes and checks, one at a time: each takes 64 MiB and a twentieth of a second on purpose (argon2id)."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._turn = asyncio.Lock()
        self._dummy: str | None = None

    async def hashed(self, password: str) -> str:
        """The hash to be kept."""
        async with self._turn:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def matches(self, known: str | None, password: str) -> bool:
        """Whether a password is the one of this hash. None, there is no such account, takes as long as any other."""
        if known is None:
            self._dummy = self._dummy or await self.hashed(_NOBODY)
        async with self._turn:
            right = await asyncio.to_thread(self._verify, known or self._dummy or "", password)
        return right and known is not None

    def _verify(self, known: str, password: str) -> bool:
        try:
            return self._hasher.verify(known, password)
        except (VerificationError, InvalidHashError):
            return False


def fault_of(password: str, name: str) -> str | None:
    """Why a password cannot be taken; None: it can. What must be in it is not told: length is what counts."""
    if not SHORTEST <= len(password) <= LONGEST:
        return f"the password must have {SHORTEST} to {LONGEST} letters"
    if name.lower() in password.lower() or len(set(password.lower())) < SHORTEST // 2:
        return "the password can be guessed: use other letters than those of the name, and more than a few different"
    return None


def first_password() -> str:
    """One to be given out and changed at once: easy to read to somebody over the telephone, 60 bits."""
    return "-".join(
        "".join(secrets.choice(_SYLLABLES) for _ in range(2)) + str(secrets.randbelow(10)) for _ in range(4)
    )


def new_totp_secret() -> str:
    """A secret for one-time codes (RFC 6238), base32."""
    return pyotp.random_base32()


def totp_uri(secret: str, name: str) -> str:
    """What an authenticator application reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name="AnShao 安哨")


class Codes:
    """One-time codes, each of which counts once."""

    def __init__(self) -> None:
        self._used: dict[str, int] = {}

    def takes(self, account: str, secret: str, code: str, now: int) -> bool:
        """Whether it is the code of now, or of the step before or after, and newer than the last that was taken."""
        totp = pyotp.TOTP(secret)
        step = now // 1000 // totp.interval
        for offset in (-1, 0, 1):
            if pyotp.utils.strings_equal(totp.generate_otp(step + offset), code):
                if step + offset <= self._used.get(account, 0):
                    return False
                self._used[account] = step + offset
                return True
        return False
