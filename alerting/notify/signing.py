"""Signatures of webhooks, as Standard Webhooks 1.0 says.

Headers: ``webhook-id``, ``webhook-timestamp`` (s), ``webhook-signature``: ``v1,`` and the base64 of HMAC-SHA256 over
``id.timestamp.body`` with the secret (base64 after ``whsec_``, or else its bytes).
"""

import base64
import contextlib
import hashlib
import hmac

import aiohttp

PREFIX = "whsec_"
OK = range(200, 300)
_SHOWN = 200
"""Bytes of a receiver's complaint that are kept."""


def sign(secret: str, identity: str, timestamp: int, body: bytes) -> str:
    """The header ``webhook-signature``; ``timestamp`` in seconds."""
    key = secret.encode()
    if secret.startswith(PREFIX):
        with contextlib.suppress(ValueError):  # no base64: its bytes are the secret
            key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    signed = f"{identity}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def headers(secret: str, identity: str, timestamp: int, body: bytes) -> dict[str, str]:
    """All headers of a signed request."""
    return {
        "content-type": "application/json",
        "webhook-id": identity,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(secret, identity, timestamp, body),
    }


async def complaint(response: aiohttp.ClientResponse) -> str:
    """What a receiver answers in place of 2xx, as far as it can be stored."""
    said = (await response.content.read(_SHOWN)).decode("utf-8", "backslashreplace").replace("\x00", "")
    return f"HTTP {response.status}: {said}"
