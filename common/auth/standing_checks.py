"""Credentials held to the present standing: access tokens, and keys of machines."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from common.auth.api_keys import API_KEY_KIND, key_hash, looks_right
from common.auth.authenticator import AccessVerifier, token_expired, token_invalid
from common.auth.policy import Caller
from common.auth.standing import Standing, StandingSource
from common.clock import Clock


class PresentStanding:
    """`StandingSource` that is made after the fork, for who is made before it."""

    def __init__(self, source: Callable[[], StandingSource]) -> None:
        self._source = source

    def current(self) -> Standing:
        """See StandingSource."""
        return self._source().current()


class StandingVerifier:
    """Access tokens that are good by themselves, held to the present standing."""

    def __init__(self, tokens: AccessVerifier, source: StandingSource) -> None:
        self._tokens, self._source = tokens, source

    def caller(self, token: str) -> Caller:
        """See AccessVerifier. A token of a session that has ended is 401 TOKEN_INVALID; one of other
        privileges 401 TOKEN_EXPIRED, as a fresh one can be had.
        """
        caller = self._tokens.caller(token)
        standing = self._source.current()
        if caller.claims.get("sid") in standing.ended:
            raise token_invalid()
        least = standing.privileges.get(caller.subject)
        if least is not None:
            has = caller.claims.get("ver")
            if not isinstance(has, int) or has < least:
                raise token_expired()
        return caller


class ApiKeys:
    """Reads API keys by the present standing."""

    def __init__(self, source: StandingSource, clock: Clock, used: Callable[[UUID, datetime], None]) -> None:
        """`used` is told of each use."""
        self._source, self._clock, self._used = source, clock, used

    def caller(self, token: str) -> Caller | None:
        """Whose key it is; None for one that is not good."""
        if not looks_right(token):
            return None
        known = self._source.current().keys.get(key_hash(token))
        now = self._clock()
        if known is None or now >= known.expires_at:
            return None
        self._used(known.id, now)
        return Caller(
            kind=API_KEY_KIND,
            subject=str(known.id),
            roles=frozenset(known.roles),
            poi_ids=None if known.poi_ids is None else frozenset(known.poi_ids),
        )
