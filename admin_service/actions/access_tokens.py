"""The tokens of people: access tokens, and those that lead from one step of signing in to the next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import jwt

from admin_service.domain.sessions import ACCESS_LIFETIME
from admin_service.domain.users import User
from common.auth.keyfiles import KeyRing

ALGORITHM = "EdDSA"
ACCESS_TYPE, STEP_TYPE = "at+jwt", "step+jwt"
STEP_LIFETIME = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class AccessTokens:
    """Signed with the newest key of `ring`, in the name of `issuer` and for `audience`."""

    ring: KeyRing
    issuer: str
    audience: str

    def issue(self, user: User, session_id: UUID, now: datetime) -> str:
        """What the user may do now, for 15 minutes (RFC 9068)."""
        claims: dict[str, Any] = {
            "aud": self.audience,
            "sid": str(session_id),
            "ver": user.privileges,
            "roles": list(user.roles),
        }
        if user.poi_ids is not None:
            claims["poiIds"] = [str(poi_id) for poi_id in user.poi_ids]
        return self._signed(ACCESS_TYPE, user.id, claims, now, ACCESS_LIFETIME)

    def step(self, user_id: UUID, step: str, now: datetime) -> str:
        """A token that proves the password, and leads to `step` alone: it is no access token."""
        return self._signed(STEP_TYPE, user_id, {"aud": f"step:{step}"}, now, STEP_LIFETIME)

    def read_step(self, token: str, step: str, now: datetime) -> UUID | None:
        """Whom a token leads to `step`; None when it is not good."""
        try:
            header = jwt.get_unverified_header(token)
            key = self.ring.public_keys().get(str(header.get("kid")))
            if key is None or (header.get("typ"), header.get("alg")) != (STEP_TYPE, ALGORITHM):
                return None
            claims = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=f"step:{step}",
                issuer=self.issuer,
                # the time is checked against the clock that is handed in
                options={
                    "require": ["exp", "sub"], "verify_exp": False, "verify_iat": False, "verify_nbf": False,
                },
            )  # fmt: skip
            return UUID(claims["sub"]) if claims["exp"] > now.timestamp() else None
        except (jwt.InvalidTokenError, ValueError, TypeError):
            return None

    def _signed(
        self, kind: str, user_id: UUID, claims: dict[str, Any], now: datetime, lifetime: timedelta
    ) -> str:
        key_id, key = self.ring.newest()
        whole = {
            "iss": self.issuer,
            "sub": str(user_id),
            "iat": int(now.timestamp()),
            "exp": int((now + lifetime).timestamp()),
            **claims,
        }
        return jwt.encode(whole, key, algorithm=ALGORITHM, headers={"kid": key_id, "typ": kind})
