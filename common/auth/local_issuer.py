"""Tokens for a run on one's own machine; only a service that listens on a loopback address takes them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from common.auth.jwks import Jwks, public_jwk
from common.auth.keyfiles import KeyRing, write_private
from common.auth.tokens import ALGORITHM, KeySource, TokenVerifier
from common.clock import Clock, system_clock
from common.settings import Settings

LOCAL_ISSUER = "urn:ticketing:local"
LIFETIME = timedelta(hours=12)


class LocalIssuer:
    """Issues tokens with a key that lies under `data_dir`/keys/local-issuer, made at the first use."""

    def __init__(self, data_dir: Path, *, audience: str, clock: Clock = system_clock) -> None:
        self._ring = KeyRing(data_dir / "keys" / "local-issuer")
        self._audience, self._clock = audience, clock

    @property
    def jwks_file(self) -> Path:
        """Where `publish` puts the public keys."""
        return self._ring.folder / "jwks.json"

    def key(self, key_id: str) -> Ed25519PublicKey | None:
        """The public key of that id, for a TokenVerifier."""
        key = self._ring.keys().get(key_id)
        return None if key is None else key.public_key()

    def publish(self) -> Path:
        """Write the public keys as a JWK set; its file."""
        keys = [public_jwk(key_id, key) for key_id, key in self._ring.public_bytes().items()]
        write_private(self.jwks_file, orjson.dumps({"keys": keys}))
        return self.jwks_file

    def issue(
        self,
        role: str,
        *,
        ttl: timedelta = LIFETIME,
        subject: str | None = None,
        poi_ids: Iterable[UUID] | None = None,
    ) -> str:
        """An access token with `role`. `poi_ids`: the places that it is limited to; None: any."""
        key_id, key = self._ring.newest()
        now = self._clock()
        claims: dict[str, object] = {
            "iss": LOCAL_ISSUER,
            "aud": self._audience,
            "sub": subject or f"local-{role}",
            "iat": int(now.timestamp()),
            "exp": int((now + ttl).timestamp()),
            "roles": [role],
        }
        if poi_ids is not None:
            claims["poiIds"] = [str(poi_id) for poi_id in poi_ids]
        return jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": key_id, "typ": "at+jwt"})


def token_verifier(settings: Settings, clock: Clock = system_clock) -> TokenVerifier:
    """The verifier that `settings` ask for: JWKS_SOURCE's issuers, and on a loopback address the local
    one."""
    issuers: dict[str, KeySource] = {}
    if settings.jwks_source:
        # Named by its source: the keys of one that was left behind verify nothing.
        name = f"jwks-{sha256(settings.jwks_source.encode()).hexdigest()[:16]}.json"
        published = Jwks(settings.jwks_source, kept=settings.data_dir / "standing" / name)
        issuers = dict.fromkeys((settings.token_issuer, *settings.trusted_issuers), published)
    # Whatever TOKEN_ISSUER says: a service that others can reach must not take tokens that anybody's clone
    # can make.
    issuers.pop(LOCAL_ISSUER, None)
    if settings.is_loopback:
        issuers[LOCAL_ISSUER] = LocalIssuer(settings.data_dir, audience=settings.token_audience, clock=clock)
    return TokenVerifier(issuers=issuers, audience=settings.token_audience, clock=clock)
