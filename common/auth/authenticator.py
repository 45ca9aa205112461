"""From an Authorization header to a caller: the token's look decides who reads it."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from common.auth.policy import GUEST, OPERATOR_KIND, Caller
from common.web.problems import Problem, problem

MAX_TOKEN_LENGTH = 4000
BearerResolver = Callable[[str], Caller | None]
"""Reads one kind of token: its caller, or None when the token is not good. May raise Problem, such as
`token_expired()`."""


class AccessVerifier(Protocol):
    """Reads access tokens (JWT)."""

    def caller(self, token: str) -> Caller:
        """Whose token it is. Raises Problem 401 TOKEN_EXPIRED or TOKEN_INVALID, 503 KEYS_UNAVAILABLE."""
        ...


def token_invalid() -> Problem:
    """401 for a token that is not good, without saying why."""
    return problem("TOKEN_INVALID", headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})


def token_expired() -> Problem:
    """401 for a token that was good once."""
    header = 'Bearer error="invalid_token", error_description="expired"'
    return problem("TOKEN_EXPIRED", headers={"WWW-Authenticate": header})


class Authenticator:
    """Knows every kind of bearer that a service takes. `resolvers`: token prefix -> who reads such tokens."""

    def __init__(
        self,
        access: AccessVerifier,
        *,
        resolvers: Mapping[str, BearerResolver] | None = None,
        operator_keys: Sequence[str] = (),
    ) -> None:
        self._access = access
        self._resolvers = tuple((resolvers or {}).items())
        self._operator_keys = tuple(key.encode() for key in operator_keys)

    def caller(self, header: str | None) -> Caller:
        """Who sent the Authorization `header`; a guest without one. Raises Problem 401 for one that is not
        good."""
        if header is None:
            return GUEST
        scheme, _, token = header.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token or len(token) > MAX_TOKEN_LENGTH or not token.isascii():
            raise token_invalid()
        for prefix, resolve in self._resolvers:
            if token.startswith(prefix):
                caller = resolve(token)
                if caller is None:
                    raise token_invalid()
                return caller
        if self._is_operator_key(token):
            return Caller(kind=OPERATOR_KIND, subject="key", roles=frozenset({"operator"}))
        return self._access.caller(token)

    def _is_operator_key(self, token: str) -> bool:
        given = token.encode()
        # No early end: the time must not tell which of the keys was nearly right.
        return sum(hmac.compare_digest(given, key) for key in self._operator_keys) > 0
