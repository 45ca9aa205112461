"""Where media are used: written by whatever shows them, in its own commit."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import Connection, and_, delete, insert, select, update

from admin_service.domain.errors import Code, Refused
from admin_service.domain.media import Use
from admin_service.storage.sql.media_tables import media as _media
from admin_service.storage.sql.media_tables import media_uses as _uses

READY = "ready"


def set_uses(connection: Connection, use: Use, media_ids: Iterable[UUID], pointer: str | None = None) -> None:
    """From now on `use` shows exactly `media_ids`. Refuses MEDIA_NOT_FOUND, with `pointer`, for one that is
    not there, or not any more.

    A medium counts its uses in its own row: so it cannot be removed while something begins to show it.
    """
    of_it = and_(_uses.c.kind == use.kind, _uses.c.object_id == use.object_id)
    wanted = set(media_ids)
    present = set(connection.scalars(select(_uses.c.media_id).where(of_it)))
    # In the order of their ids, so that two commits never wait for each other.
    for media_id in sorted(wanted - present):
        is_there = and_(_media.c.id == media_id, _media.c.state == READY)
        counted = connection.execute(update(_media).where(is_there).values(uses=_media.c.uses + 1))
        if counted.rowcount == 0:
            raise Refused(Code.MEDIA_NOT_FOUND, pointer=pointer, facts={"mediaId": str(media_id)})
        connection.execute(insert(_uses).values(media_id=media_id, kind=use.kind, object_id=use.object_id))
    for media_id in sorted(present - wanted):
        connection.execute(delete(_uses).where(of_it, _uses.c.media_id == media_id))
        connection.execute(update(_media).where(_media.c.id == media_id).values(uses=_media.c.uses - 1))


def uses_of(connection: Connection, media_id: UUID, limit: int) -> tuple[Use, ...]:
    """Where it is used, at most `limit` of them."""
    statement = select(_uses.c.kind, _uses.c.object_id).where(_uses.c.media_id == media_id)
    rows = connection.execute(statement.order_by(_uses.c.kind, _uses.c.object_id).limit(limit))
    return tuple(Use(kind=row.kind, object_id=row.object_id) for row in rows)
