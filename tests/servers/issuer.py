"""Access tokens for tests: a key of their own, published as a file that JWKS_SOURCE names.

So a test of ticketing needs no admin service to have somebody of a role.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import jwt
import orjson

from common.auth.jwks import public_jwk
from common.auth.keyfiles import KeyRing, write_private
from common.auth.tokens import ALGORITHM
from common.clock import Clock, system_clock

ISSUER = "urn:tests:issuer"
AUDIENCE = "destination"
LIFETIME = timedelta(hours=12)
ROLES = ("platform_admin", "ticket_manager", "finance", "support", "gate", "operator")


class Issuer:
    """Issuers of one folder have one key, as the processes of one service that are tested side by side."""

    def __init__(self, folder: Path, *, clock: Clock = system_clock) -> None:
        self._ring, self._clock = KeyRing(folder / "keys" / "test-issuer"), clock
        self._ring.newest()  # made at the first use
        self.jwks_file = self._ring.folder / "jwks.json"
        keys = [public_jwk(key_id, key) for key_id, key in self._ring.public_bytes().items()]
        write_private(self.jwks_file, orjson.dumps({"keys": keys}))

    @property
    def settings(self) -> dict[str, str]:
        """With these a service takes the tokens."""
        return {"JWKS_SOURCE": str(self.jwks_file), "TRUSTED_ISSUERS": ISSUER}

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
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": subject or f"test-{role}",
            "iat": int(now.timestamp()),
            "exp": int((now + ttl).timestamp()),
            "roles": [role],
        }
        if poi_ids is not None:
            claims["poiIds"] = [str(poi_id) for poi_id in poi_ids]
        return jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": key_id, "typ": "at+jwt"})
