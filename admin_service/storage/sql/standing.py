"""What all who verify credentials must know, as it is now."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, select, update

from admin_service.domain.sessions import REMEMBERED
from admin_service.storage.sql.people_tables import api_keys, sessions, standing, users
from common.auth.standing import KnownKey, Standing
from common.database.engine import Database
from common.database.inserting import insert_new

_ONLY = 1


def count_up(connection: Connection) -> None:
    """What this commit does changes the standing."""
    following = update(standing).where(standing.c.id == _ONLY).values(generation=standing.c.generation + 1)
    if connection.execute(following).rowcount == 0:
        connection.execute(insert_new(connection, standing).values(id=_ONLY, generation=0))
        connection.execute(following)


class SqlStanding:
    """The `StandingStore` on an SQL database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def generation(self) -> int:
        """See StandingStore."""
        with self._database.read() as connection:
            return _generation(connection)

    def read(self, now: datetime) -> Standing:
        """See StandingStore."""
        since = now - REMEMBERED
        ended = select(sessions.c.id).where(sessions.c.ended_at > since)
        changed = select(users.c.id, users.c.privileges).where(users.c.privileges_changed_at > since)
        good = select(api_keys).where(api_keys.c.revoked_at.is_(None), api_keys.c.expires_at > now)
        with self._database.read() as connection:
            return Standing(
                generation=_generation(connection),
                ended=frozenset(str(session_id) for session_id in connection.scalars(ended)),
                privileges={str(row.id): row.privileges for row in connection.execute(changed)},
                keys={
                    row.hash: KnownKey(
                        id=row.id,
                        roles=tuple(row.roles),
                        poi_ids=None if row.poi_ids is None else tuple(map(UUID, row.poi_ids)),
                        expires_at=row.expires_at,
                    )
                    for row in connection.execute(good)
                },
            )


def _generation(connection: Connection) -> int:
    return connection.scalar(select(standing.c.generation).where(standing.c.id == _ONLY)) or 0
