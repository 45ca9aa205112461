"""How the services of one installation know each other: tokens of five minutes, signed with a shared key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import jwt

from common.auth.keyfiles import SecretRing
from common.auth.policy import Caller, Policy, bearer
from common.clock import Clock

PREFIX = "svc_"
SERVICE_KIND = "service"
LIFETIME = timedelta(minutes=5)
LEEWAY = timedelta(seconds=30)
_ALGORITHM, _TYPE = "HS256", "service+jwt"
_OPTIONS = {"verify_exp": False, "verify_iat": False, "require": ["exp", "iat", "iss", "aud"]}

Keys = Callable[[], Sequence[bytes]]
"""What tokens are signed with; the first signs, all verify."""


def services() -> Policy:
    """Routes that only our own services call."""
    return bearer(SERVICE_KIND)


def shared_keys(given: Sequence[str], data_dir: Path) -> Keys:
    """The keys of SERVICE_KEY; without it one that lies in `data_dir`, for services that share the folder."""
    if given:
        fixed = tuple(key.encode() for key in given)
        return lambda: fixed
    ring = SecretRing(data_dir / "keys" / "services")
    return lambda: tuple(reversed(tuple(ring.keys().values())))


class ServiceTokens:
    """Signs tokens in the name of `service`, and reads those that others have signed for it."""

    def __init__(self, service: str, keys: Keys, clock: Clock) -> None:
        self._service, self._keys, self._clock = service, keys, clock

    def issue(self, audience: str) -> str:
        """A bearer for one call to the service `audience`."""
        now = self._clock()
        claims = {
            "iss": self._service,
            "aud": audience,
            "iat": int(now.timestamp()),
            "exp": int((now + LIFETIME).timestamp()),
        }
        return PREFIX + jwt.encode(claims, self._keys()[0], algorithm=_ALGORITHM, headers={"typ": _TYPE})

    def caller(self, token: str) -> Caller | None:
        """Which service sends the bearer; None when it is not good. For `Authenticator(resolvers=...)`."""
        for key in self._keys():
            try:
                decoded = jwt.decode_complete(
                    token.removeprefix(PREFIX),
                    key,
                    algorithms=[_ALGORITHM],
                    audience=self._service,
                    options=_OPTIONS,  # type: ignore[arg-type]
                )
            except (jwt.PyJWTError, ValueError):
                continue
            claims, now = decoded["payload"], self._clock().timestamp()
            lives = _is_time(claims["exp"]) and now <= claims["exp"] + LEEWAY.total_seconds()
            # A clock that is ahead of ours is no reason; a token made for later than its own life is.
            begun = _is_time(claims["iat"]) and claims["iat"] <= now + LIFETIME.total_seconds()
            if decoded["header"].get("typ") == _TYPE and lives and begun:
                return Caller(kind=SERVICE_KIND, subject=str(claims["iss"]))
        return None


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
