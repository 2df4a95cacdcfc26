"""The key pair (Ed25519, RFC 8032) that the journal's heads are signed with.

Its private part is made at the first start and never leaves ``data_dir/keys``. Whoever reads it can sign as the service
does: it is guarded by the rights of the file (0600), and what it signed should be kept elsewhere too.
"""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

PRIVATE = "journal.key"
"""File of the private key, PEM (PKCS #8)."""
SHORTEST_FINGERPRINT = 16
"""Hexadecimal digits by which a person may name a key [ours]."""


class KeyUnusable(Exception):
    """A key file that cannot be read or is no Ed25519 key; says which file, and what to do."""


class VerifyKey:
    """The public half."""

    def __init__(self, raw: bytes) -> None:
        """``raw``: 32 bytes. Raises ValueError."""
        self.raw = raw
        self.fingerprint = hashlib.sha256(raw).hexdigest()
        self._key = Ed25519PublicKey.from_public_bytes(raw)

    def holds(self, signature: bytes, statement: bytes) -> bool:
        """Whether the statement was signed with this key."""
        try:
            self._key.verify(signature, statement)
        except InvalidSignature:
            return False
        return True

    @property
    def pem(self) -> bytes:
        """As a file."""
        return self._key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


class SigningKey:
    """The private half, and the public one with it."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = VerifyKey(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    @classmethod
    def make(cls) -> "SigningKey":
        """A new one."""
        return cls(Ed25519PrivateKey.generate())

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the public key, in hex."""
        return self.public.fingerprint

    def sign(self, statement: bytes) -> bytes:
        """Signature, 64 bytes; the same for the same statement."""
        return self._key.sign(statement)

    def write(self, path: Path) -> None:
        """Save it, readable by its owner only. Raises FileExistsError: a key is never overwritten."""
        pem = self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        part = path.with_suffix(".part")
        part.unlink(missing_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        os.link(part, path)
        part.unlink()
        sync_folder(path.parent)


def open_key(folder: Path) -> SigningKey:
    """The service's key, made where there is none. Raises KeyUnusable, OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / PRIVATE
    if not file.exists():
        SigningKey.make().write(file)
    key = read_private(file)
    public = folder / f"{key.fingerprint}.pub"
    if not public.exists():
        public.write_bytes(key.public.pem)
    return key


def read_private(file: Path) -> SigningKey:
    """A private key from its file. Raises KeyUnusable, FileNotFoundError."""
    try:
        key = load_pem_private_key(file.read_bytes(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as fault:
        raise KeyUnusable(f"{file} holds no private key: restore it from a backup, or set it aside ({fault})") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyUnusable(f"{file} holds a key of another kind: the journal is signed with Ed25519")
    return SigningKey(key)


def read_public(file: Path) -> VerifyKey:
    """A public key from its file. Raises KeyUnusable, OSError."""
    try:
        key = load_pem_public_key(file.read_bytes())
    except (ValueError, TypeError, UnsupportedAlgorithm) as fault:
        raise KeyUnusable(f"{file} holds no public key: give a file that ends in .pub ({fault})") from None
    if not isinstance(key, Ed25519PublicKey):
        raise KeyUnusable(f"{file} holds a key of another kind: the journal is signed with Ed25519")
    return VerifyKey(key.public_bytes(Encoding.Raw, PublicFormat.Raw))


def known_keys(folder: Path) -> Mapping[str, VerifyKey]:
    """Public keys of this service, of today and of earlier, by fingerprint. Raises KeyUnusable."""
    keys = [read_public(file) for file in sorted(folder.glob("*.pub"))]
    if (folder / PRIVATE).exists():
        keys.append(read_private(folder / PRIVATE).public)
    return {key.fingerprint: key for key in keys}


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
