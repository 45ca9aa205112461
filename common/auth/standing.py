"""What is known of credentials beside their signatures: sessions that have ended, privileges that have
changed, and the keys of machines. The admin service decides it; every service follows it within seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownKey:
    """A key that is good until `expires_at`. `poi_ids`: the places that it is limited to; None: any."""

    id: UUID
    roles: tuple[str, ...]
    poi_ids: tuple[UUID, ...] | None
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """`ended`: ids of sessions whose access tokens are good no more. `privileges`: by user, the number that
    an access token must carry at least. `keys`: by hash, all that there are. `generation` tells one standing
    from another.
    """

    generation: int = 0
    ended: frozenset[str] = frozenset()
    privileges: Mapping[str, int] = field(default_factory=dict)
    keys: Mapping[str, KnownKey] = field(default_factory=dict)


class StandingSource(Protocol):
    """Where the present standing is to be had."""

    def current(self) -> Standing:
        """The last that is known; raises nothing."""
        ...


class FixedStanding:
    """`StandingSource` where nobody is followed: credentials are good as they are."""

    def current(self) -> Standing:
        """See StandingSource."""
        return Standing()


class KeyUses:
    """When keys were last used here, until that is written down where they are kept."""

    def __init__(self) -> None:
        self._last: dict[UUID, datetime] = {}

    def note(self, key_id: UUID, now: datetime) -> None:
        """The key was used."""
        self._last[key_id] = now

    def taken(self) -> dict[UUID, datetime]:
        """What was noted since the last time; a use in the very moment may be told with the next."""
        taken, self._last = self._last, {}
        return taken

    def give_back(self, uses: Mapping[UUID, datetime]) -> None:
        """They could not be written down; what was noted since stands."""
        self._last = {**uses, **self._last}


def standing_document(standing: Standing) -> dict[str, Any]:
    """As it travels between services."""
    return {
        "generation": standing.generation,
        "endedSessions": sorted(standing.ended),
        "privileges": dict(standing.privileges),
        "apiKeys": [
            {
                "hash": hashed,
                "id": str(key.id),
                "roles": list(key.roles),
                "poiIds": None if key.poi_ids is None else [str(poi_id) for poi_id in key.poi_ids],
                "expiresAt": int(key.expires_at.timestamp()),
            }
            for hashed, key in standing.keys.items()
        ],
    }


def read_standing(document: Any) -> Standing:
    """What `standing_document` wrote. Raises ValueError when it is none."""
    try:
        return Standing(
            generation=int(document["generation"]),
            ended=frozenset(map(str, document["endedSessions"])),
            privileges={str(user): int(least) for user, least in document["privileges"].items()},
            keys={str(each["hash"]): _known_key(each) for each in document["apiKeys"]},
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("not a standing") from error


def _known_key(document: Any) -> KnownKey:
    places = document["poiIds"]
    return KnownKey(
        id=UUID(document["id"]),
        roles=tuple(map(str, document["roles"])),
        poi_ids=None if places is None else tuple(map(UUID, places)),
        expires_at=datetime.fromtimestamp(int(document["expiresAt"]), UTC),
    )
