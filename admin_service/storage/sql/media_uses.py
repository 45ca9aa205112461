"""Where media are used: written by whatever shows them, in its own commit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

from sqlalchemy import Connection, and_, bindparam, delete, insert, select, update

from admin_service.domain.errors import Code, Refused
from admin_service.domain.media import Use
from admin_service.storage.sql.media_tables import media as _media
from admin_service.storage.sql.media_tables import media_uses as _uses

READY = "ready"
_IS_IT = and_(
    _uses.c.media_id == bindparam("of"), _uses.c.kind == bindparam("by"), _uses.c.object_id == bindparam("in")
)


def set_uses(connection: Connection, use: Use, media_ids: Iterable[UUID], pointer: str | None = None) -> None:
    """From now on `use` shows exactly `media_ids`. Refuses UNKNOWN_MEDIA, with `pointer`, for one that is not
    there, or not any more."""
    wanted = {use.object_id: frozenset(media_ids)}
    set_uses_of_many(connection, use.kind, wanted, wanted, pointer)


def set_uses_of_many(
    connection: Connection,
    kind: str,
    wanted: Mapping[str, frozenset[UUID]],
    old: Collection[str],
    pointer: str | None = None,
) -> None:
    """The same for many things of one kind, by their ids; only those in `old` may have shown anything before.

    A medium counts its uses in its own row: so it cannot be removed while something begins to show it.
    """
    pairs = {(media_id, thing) for thing, media_ids in wanted.items() for media_id in media_ids}
    there: set[tuple[UUID, str]] = set()
    if old:
        of_them = and_(_uses.c.kind == kind, _uses.c.object_id.in_(sorted(old)))
        rows = connection.execute(select(_uses.c.media_id, _uses.c.object_id).where(of_them))
        there = {(row.media_id, row.object_id) for row in rows}
    new, gone = sorted(pairs - there), sorted(there - pairs)
    # In the order of their ids, so that two commits never wait for each other.
    for media_id, times in sorted(Counter(media_id for media_id, _ in new).items()):
        is_there = and_(_media.c.id == media_id, _media.c.state == READY)
        counted = connection.execute(update(_media).where(is_there).values(uses=_media.c.uses + times))
        if counted.rowcount == 0:
            raise Refused(Code.UNKNOWN_MEDIA, pointer=pointer, facts={"mediaId": str(media_id)})
    if new:
        rows_in = [{"media_id": media_id, "kind": kind, "object_id": thing} for media_id, thing in new]
        connection.execute(insert(_uses), rows_in)
    if gone:
        rows_out = [{"of": media_id, "by": kind, "in": thing} for media_id, thing in gone]
        connection.execute(delete(_uses).where(_IS_IT), rows_out)
    for media_id, times in sorted(Counter(media_id for media_id, _ in gone).items()):
        fewer = update(_media).where(_media.c.id == media_id)
        connection.execute(fewer.values(uses=_media.c.uses - times))


def known_media(connection: Connection, media_ids: Collection[UUID]) -> frozenset[UUID]:
    """Those of them that can be shown."""
    statement = select(_media.c.id).where(_media.c.id.in_(sorted(media_ids)), _media.c.state == READY)
    return frozenset(connection.scalars(statement))


def uses_of(connection: Connection, media_id: UUID, limit: int) -> tuple[Use, ...]:
    """Where it is used, at most `limit` of them."""
    statement = select(_uses.c.kind, _uses.c.object_id).where(_uses.c.media_id == media_id)
    rows = connection.execute(statement.order_by(_uses.c.kind, _uses.c.object_id).limit(limit))
    return tuple(Use(kind=row.kind, object_id=row.object_id) for row in rows)
