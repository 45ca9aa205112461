"""Secrets that must be read again, sealed for storage (AES-256-GCM): a stolen database alone opens none."""

from __future__ import annotations

import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12


class Secrets(Protocol):
    """Secrets of 32 bytes by id, oldest first; the newest seals."""

    def keys(self) -> Mapping[str, bytes]: ...
    def newest(self) -> tuple[str, bytes]: ...


class SealBroken(Exception):
    """What was stored cannot be opened: another key, another owner, or it was changed."""


class Sealing:
    """Seals texts, each for one `owner`: it opens for nobody else."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def seal(self, text: str, owner: str) -> str:
        """The sealed text, as ASCII."""
        key_id, secret = self._secrets.newest()
        nonce = os.urandom(_NONCE_BYTES)
        sealed = AESGCM(secret).encrypt(nonce, text.encode(), owner.encode())
        return f"{key_id}.{urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, owner: str) -> str:
        """The text. Raises SealBroken."""
        key_id, _, content = sealed.partition(".")
        secret = self._secrets.keys().get(key_id)
        if secret is None:
            raise SealBroken
        try:
            raw = urlsafe_b64decode(content)
            opened = AESGCM(secret).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], owner.encode())
        except (InvalidTag, ValueError) as error:
            raise SealBroken from error
        return opened.decode()
