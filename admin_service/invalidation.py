"""Which cached answers a committed change ends: the tags of answers, and the listener that bumps them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from uuid import UUID

from admin_service.storage.changes import Change
from common.caching.cache import Caches
from common.coordination.port import Coordination

STANDING = "standing"
"""The epoch that counts the changes of credentials: sessions, privileges, keys."""

CREDENTIALS = frozenset({"users", "sessions", "api_keys"})
"""Aggregates whose changes make credentials good or bad."""

CONFIG = "config"
"""The tag of all that shows the platform's configuration."""

POIS = "pois"
"""Of every answer that shows more than one POI."""


def poi_tags(poi_id: UUID) -> tuple[str, ...]:
    """Of an answer that shows one POI."""
    return (f"poi:{poi_id}",)


def _by_pois(change: Change) -> Iterable[str]:
    yield POIS
    for poi_id in sorted(change.ids):
        yield from poi_tags(poi_id)


ENDED_BY: Mapping[str, Callable[[Change], Iterable[str]]] = {
    "config": lambda _: (CONFIG,),
    "pois": _by_pois,
    "duplicates": _by_pois,
    "imports": _by_pois,
}
"""By aggregate: the tags of all answers that a change of it makes untrue."""


class Invalidation:
    """A listener of committed changes."""

    def __init__(self, caches: Caches) -> None:
        self._caches = caches

    def __call__(self, change: Change) -> None:
        """End what `change` makes untrue."""
        ended_by = ENDED_BY.get(change.aggregate)
        tags = () if ended_by is None else tuple(ended_by(change))
        if tags:
            self._caches.invalidate(tags)


class StandingMoves:
    """A listener of committed changes: all processes look at the standing of credentials again."""

    def __init__(self, coordination: Coordination) -> None:
        self._coordination = coordination

    def __call__(self, change: Change) -> None:
        """Count up, when credentials are concerned."""
        if change.aggregate in CREDENTIALS:
            self._coordination.bump(STANDING)
