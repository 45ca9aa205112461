"""Hashes of passwords: argon2id (RFC 9106) with the parameters that OWASP names for it."""

from __future__ import annotations

from functools import cache
from typing import Protocol

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from common.resilience.bulkhead import Bulkhead

MEMORY_KIB, PASSES, LANES = 19 * 1024, 2, 1
AT_ONCE = 2
"""Hashes that one process computes at a time: each takes a core for its time, and requests go on beside."""


class Passwords(Protocol):
    """Every verb costs one computation of a hash, whatever it is asked; BulkheadFull when there are too many
    at once.
    """

    def hashed(self, password: str) -> str:
        """What is stored for `password`."""
        ...

    def is_it(self, stored: str | None, password: str) -> bool:
        """Whether `stored` was made of `password`. None costs the same time, and is never it."""
        ...

    def is_old(self, stored: str) -> bool:
        """Whether `stored` was made with other parameters than those of today; costs nothing."""
        ...


class Argon2Passwords:
    """`Passwords` by argon2id. `memory_kib`, `passes` and `lanes` are its parameters."""

    def __init__(
        self,
        *,
        memory_kib: int = MEMORY_KIB,
        passes: int = PASSES,
        lanes: int = LANES,
        at_once: int = AT_ONCE,
    ) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=lanes)
        self._places = Bulkhead("passwords", at_once, patience_seconds=2.0)
        self._dummy = _dummy(memory_kib, passes, lanes)

    def hashed(self, password: str) -> str:
        """See Passwords."""
        with self._places.place():
            return self._hasher.hash(password)

    def is_it(self, stored: str | None, password: str) -> bool:
        """See Passwords."""
        with self._places.place():
            try:
                self._hasher.verify(self._dummy if stored is None else stored, password)
            except VerifyMismatchError:
                return False
            except (VerificationError, InvalidHashError):
                return False
        return stored is not None

    def is_old(self, stored: str) -> bool:
        """See Passwords."""
        return self._hasher.check_needs_rehash(stored)


@cache
def _dummy(memory_kib: int, passes: int, lanes: int) -> str:
    """A hash of nothing that anybody could type; compared with where there is none."""
    hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=lanes)
    return hasher.hash("\x00 nobody's password")
