"""The public keys of access tokens (RFC 7517), from a file or an address; the last good copy is kept."""

from __future__ import annotations

import base64
import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from common.auth.keyfiles import write_private
from common.monitoring import tracing
from common.tls import trusted

log = logging.getLogger(__name__)

FETCH_SECONDS = 2.0
RETRY_SECONDS = 30.0
REFRESH_SECONDS = 300.0
MAX_BYTES = 256 * 1024


class JwksUnavailable(Exception):
    """No key set was ever read, and none can be read now."""


class Jwks:
    """A key set at `source`: an http(s) URL, else the path of a file.

    An unknown key id makes it look again, at most every 30 s. It also looks again every 5 minutes, so that a
    key that was withdrawn ends. Safe for threads: one looks, the others use what is there.
    """

    def __init__(
        self, source: str, *, kept: Path | None = None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """`kept`: where the last good copy lies, for a process that starts while the source is away."""
        self._source, self._kept, self._monotonic = source, kept, monotonic
        self._lock = threading.Lock()
        self._keys: Mapping[str, Ed25519PublicKey] | None = None
        self._tried_at = float("-inf")

    def key(self, key_id: str) -> Ed25519PublicKey | None:
        """The key, or None when the set has no such. Raises JwksUnavailable."""
        age = self._monotonic() - self._tried_at
        keys = self._keys
        if age >= REFRESH_SECONDS or ((keys is None or key_id not in keys) and age >= RETRY_SECONDS):
            self._look(wait=keys is None)
            keys = self._keys
        if keys is None:
            raise JwksUnavailable(self._source)
        return keys.get(key_id)

    def _look(self, *, wait: bool) -> None:
        tried_at = self._tried_at
        if not self._lock.acquire(blocking=wait):
            return
        try:
            if self._tried_at == tried_at:  # else another thread looked while this one waited
                try:
                    content = self._read()
                    self._keys = parse_jwks(content)
                    self._keep(content)
                finally:
                    # Only now, so that whoever comes during the first look waits for its outcome.
                    self._tried_at = self._monotonic()
        except (OSError, ValueError, httpx.HTTPError) as error:
            log.warning("the key set cannot be read: %s: %s", type(error).__name__, error)
            self._take_kept()
        finally:
            self._lock.release()

    def _keep(self, content: bytes) -> None:
        if self._kept is None:
            return
        try:
            if not self._kept.exists() or self._kept.read_bytes() != content:
                self._kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                write_private(self._kept, content)
        except OSError as error:
            log.warning("the key set cannot be kept: %s", type(error).__name__)

    def _take_kept(self) -> None:
        if self._keys is None and self._kept is not None:
            with suppress(OSError, ValueError):
                self._keys = parse_jwks(self._kept.read_bytes())

    def _read(self) -> bytes:
        if not self._source.startswith(("http://", "https://")):
            return Path(self._source).read_bytes()
        # Rare enough that a connection of its own costs less than a client that must survive forks.
        headers = tracing.outgoing()
        with httpx.stream(
            "GET",
            self._source,
            headers=headers,
            verify=trusted(),
            timeout=FETCH_SECONDS,
            follow_redirects=False,
        ) as answer:
            answer.raise_for_status()
            content = b""
            for part in answer.iter_bytes():
                content += part
                if len(content) > MAX_BYTES:
                    raise ValueError("more than 256 KiB")
        return content


def parse_jwks(content: bytes) -> dict[str, Ed25519PublicKey]:
    """Key id -> key, of the Ed25519 signing keys in a JWK set (RFC 8037); others are passed over. Raises
    ValueError."""
    document = orjson.loads(content)
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise ValueError("not a JWK set")
    return {entry["kid"]: _public_key(entry) for entry in entries if _is_ours(entry)}


def public_jwk(key_id: str, key: bytes) -> dict[str, str]:
    """The JWK of an Ed25519 public key of 32 bytes."""
    text = base64.urlsafe_b64encode(key).decode().rstrip("=")
    return {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": key_id, "x": text}


def _is_ours(entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and (entry.get("kty"), entry.get("crv")) == ("OKP", "Ed25519")
        and entry.get("use", "sig") == "sig"
        and isinstance(entry.get("kid"), str)
        and isinstance(entry.get("x"), str)
    )


def _public_key(entry: Mapping[str, str]) -> Ed25519PublicKey:
    text = entry["x"]
    return Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
