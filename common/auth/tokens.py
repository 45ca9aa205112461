"""Access tokens (JWT, RFC 7519 with RFC 8725's advice): EdDSA only, keys from known places only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Any, Protocol
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from jwt.types import Options

from common.auth.authenticator import token_expired, token_invalid
from common.auth.jwks import Jwks, JwksUnavailable
from common.auth.keyfiles import KeyRing
from common.auth.policy import ACCESS_KIND, Caller
from common.clock import Clock
from common.settings import Settings
from common.web.problems import problem

ALGORITHM = "EdDSA"
TOKEN_TYPES = frozenset({"at+jwt", "application/at+jwt", "jwt"})
LEEWAY = timedelta(seconds=30)
MAX_ROLES = 20
# The times are checked here against the clock that is handed in.
_CHECKS: Options = {
    "require": ["exp", "iat", "iss", "aud", "sub"],
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
}


class KeySource(Protocol):
    """Where the public keys of an issuer are."""

    def key(self, key_id: str) -> Ed25519PublicKey | None:
        """The key, or None. Raises JwksUnavailable."""
        ...


class RingKeys:
    """The keys of our own ring, for what we have signed ourselves."""

    def __init__(self, ring: Callable[[], KeyRing]) -> None:
        self._ring = ring

    def key(self, key_id: str) -> Ed25519PublicKey | None:
        """See KeySource."""
        return self._ring().public_keys().get(key_id)


class TokenVerifier:
    """Reads access tokens. `issuers`: issuer -> its keys; a token of another issuer is not good.

    So a key of one issuer never vouches for another. `jku`, `x5u`, `jwk` and `x5c` in a token's header are
    not looked at: who brings a token does not say where its key is.
    """

    def __init__(self, *, issuers: Mapping[str, KeySource], audience: str, clock: Clock) -> None:
        self._issuers, self._audience, self._clock = dict(issuers), audience, clock

    def caller(self, token: str) -> Caller:
        """Whose token it is. Raises Problem 401 TOKEN_EXPIRED or TOKEN_INVALID, 503 KEYS_UNAVAILABLE."""
        try:
            return _caller(self._claims(token))
        except JwksUnavailable as error:
            raise problem("KEYS_UNAVAILABLE", headers={"Retry-After": "5"}) from error
        except (jwt.InvalidTokenError, ValueError, TypeError, KeyError) as error:
            raise token_invalid() from error

    def _claims(self, token: str) -> Mapping[str, Any]:
        header = jwt.get_unverified_header(token)
        kind, key_id = header.get("typ", "JWT"), header.get("kid")
        if header.get("alg") != ALGORITHM or "crit" in header or not isinstance(key_id, str):
            raise ValueError("another algorithm or no key id")
        if not isinstance(kind, str) or kind.lower() not in TOKEN_TYPES:
            raise ValueError("not an access token")
        # Only to choose the keys; nothing of it counts before the signature is checked with them.
        issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
        source = self._issuers.get(issuer) if isinstance(issuer, str) else None
        key = None if source is None else source.key(key_id)
        if key is None:
            raise ValueError("no key of that issuer")
        claims = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            audience=self._audience,
            issuer=issuer,
            options=_CHECKS,
        )
        self._check_times(claims)
        return claims

    def _check_times(self, claims: Mapping[str, Any]) -> None:
        now, leeway = self._clock().timestamp(), LEEWAY.total_seconds()
        expires, issued, begins = (_seconds(claims.get(name, 0)) for name in ("exp", "iat", "nbf"))
        if max(issued, begins) > now + leeway:
            raise ValueError("from the future")
        if expires <= now:
            raise token_expired()


def token_verifier(settings: Settings, clock: Clock) -> TokenVerifier:
    """For tokens that another service signs: the keys of JWKS_SOURCE, for the issuers that are trusted.
    Without JWKS_SOURCE no access token is good.
    """
    issuers: dict[str, KeySource] = {}
    if settings.jwks_source:
        # Named by its source: the keys of one that was left behind verify nothing.
        name = f"jwks-{sha256(settings.jwks_source.encode()).hexdigest()[:16]}.json"
        published = Jwks(settings.jwks_source, kept=settings.data_dir / "standing" / name)
        issuers = dict.fromkeys((settings.token_issuer, *settings.trusted_issuers), published)
    return TokenVerifier(issuers=issuers, audience=settings.token_audience, clock=clock)


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("a time that is no number")
    return float(value)


def _caller(claims: Mapping[str, Any]) -> Caller:
    subject, roles, places = claims["sub"], claims.get("roles", []), claims.get("poiIds")
    if not isinstance(subject, str) or not 0 < len(subject) <= 100 or not subject.isprintable():
        raise ValueError("a subject that is none")
    if (
        not isinstance(roles, list)
        or len(roles) > MAX_ROLES
        or not all(isinstance(role, str) for role in roles)
    ):
        raise ValueError("roles that are none")
    if places is not None and not (
        isinstance(places, list) and all(isinstance(place, str) for place in places)
    ):
        raise ValueError("places that are none")
    return Caller(
        kind=ACCESS_KIND,
        subject=subject,
        roles=frozenset(roles),
        claims=claims,
        poi_ids=None if places is None else frozenset(UUID(place) for place in places),
    )
