"""Regions: how long what kind of answer may be kept."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from common.caching.entries import Life

JITTER = 0.1
_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A kind of answer.

    `ttl_seconds`: how long it is fresh, give or take a tenth, so that what was loaded together does not end
    together. `stale_seconds`: counted from its loading too, how long the old value may be served while one
    caller reloads or the source fails; at least the TTL. `negative_seconds`: how long "there is no such
    thing" is kept.
    """

    name: str
    ttl_seconds: float
    stale_seconds: float
    negative_seconds: float = 5.0

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"not a region's name: {self.name!r}")
        if not 0 < self.ttl_seconds <= self.stale_seconds:
            raise ValueError(f"{self.name}: 0 < ttl_seconds <= stale_seconds must hold")
        if self.negative_seconds < 0:
            raise ValueError(f"{self.name}: negative_seconds must not be negative")

    def life(
        self,
        now: float,
        *,
        fresh_until: float | None = None,
        absent: bool = False,
        chance: Callable[[], float] = random.random,
    ) -> Life:
        """The life of an entry loaded at `now` (seconds since 1970).

        From `fresh_until` on the answer is known to be another one, so it is not served as an old value
        either; the same for what was absent.
        """
        spread = 1 - JITTER + 2 * JITTER * chance()
        fresh = now + (self.negative_seconds if absent else self.ttl_seconds) * spread
        dead = fresh if absent else max(fresh, now + self.stale_seconds)
        if fresh_until is not None:
            fresh, dead = min(fresh, fresh_until), min(dead, fresh_until)
        return Life(now, fresh, dead)
