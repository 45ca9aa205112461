"""Signatures of webhooks, as the Standard Webhooks specification has them (HMAC-SHA256)."""

from __future__ import annotations

import hmac
import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterable
from hashlib import sha256

SECRET_PREFIX = "whsec_"  # noqa: S105  # what every secret begins with
SECRET_BYTES = 32


def new_secret() -> str:
    """Such as receivers keep it: `whsec_` and base64."""
    return SECRET_PREFIX + b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signed_headers(message_id: str, timestamp: int, body: bytes, keys: Iterable[str]) -> dict[str, str]:
    """The headers of a message that is sent at `timestamp` (Unix seconds), signed with each of `keys`."""
    signatures = (signature(message_id, timestamp, body, key) for key in keys)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{each}" for each in signatures),
    }


def signature(message_id: str, timestamp: int, body: bytes, secret: str) -> str:
    """The signature alone, in base64."""
    key = b64decode(secret.removeprefix(SECRET_PREFIX))
    content = f"{message_id}.{timestamp}.".encode() + body
    return b64encode(hmac.digest(key, content, sha256)).decode()
