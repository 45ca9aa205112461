"""Tokens by which the services call each other, `svc_...`: five minutes, signed with a shared secret."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from datetime import timedelta
from hashlib import sha256

import orjson

from common.auth.policy import SERVICE_KIND, Caller
from common.clock import Clock

PREFIX = "svc_"
LIFETIME = timedelta(minutes=5)
LEEWAY_SECONDS = 30
_MAC_BYTES = 32


class ServiceTokens:
    """Makes and reads them. `secrets`: the first signs, all verify."""

    def __init__(self, secrets: Callable[[], Sequence[bytes]], clock: Clock) -> None:
        self._secrets, self._clock = secrets, clock

    def issue(self, service: str, audience: str) -> str:
        """A token of `service` for the service `audience`."""
        ends = int((self._clock() + LIFETIME).timestamp())
        content = orjson.dumps({"sub": service, "aud": audience, "exp": ends})
        return PREFIX + _text(_mac(self._secrets()[0], content) + content)

    def caller(self, token: str, audience: str) -> Caller | None:
        """The service whose token it is; None when it is not good for the service `audience` now."""
        try:
            raw = urlsafe_b64decode(token.removeprefix(PREFIX) + "==")
            given, content = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
            good = [hmac.compare_digest(_mac(secret, content), given) for secret in self._secrets()]
            if not any(good) or PREFIX + _text(raw) != token:
                return None
            claims = orjson.loads(content)
        except ValueError:
            return None
        left = claims["exp"] - self._clock().timestamp()
        if claims["aud"] != audience or not 0 < left <= LIFETIME.total_seconds() + LEEWAY_SECONDS:
            return None
        return Caller(kind=SERVICE_KIND, subject=claims["sub"])


def _mac(secret: bytes, content: bytes) -> bytes:
    return hmac.digest(secret, b"service-token\x00" + content, sha256)


def _text(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")
