"""Media, and the room that they take."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, and_, delete, func, select, update

from admin_service.domain.audit import AuditEvent
from admin_service.domain.errors import Code, Refused
from admin_service.domain.media import Media, MediaType, Use
from admin_service.storage.ports.media import MediaQuery, Reserved, Taken
from admin_service.storage.sql.audit import append
from admin_service.storage.sql.media_records import media_of, media_row, texts_row
from admin_service.storage.sql.media_tables import media as _media
from admin_service.storage.sql.media_tables import media_taken as _taken
from admin_service.storage.sql.media_uses import READY, uses_of
from admin_service.storage.sql.outbox import add_task
from common.database.engine import Database
from common.database.inserting import insert_new
from common.database.keyset import id_cursor, page_from
from common.database.writing import Write
from common.pages import Page
from common.web.idempotency import Idempotency

STORING, REMOVED = "storing", "removed"
DELETE_TASK = "media-delete"
USES_SHOWN = 100
_ONLY = 1
Condition = ColumnElement[bool]


class SqlMedia:
    """The `MediaStore` on an SQL database."""

    def __init__(self, database: Database, write: Write) -> None:
        self._database, self._write = database, write

    def reserve(self, media: Sequence[Media], quota_bytes: int, now: datetime) -> tuple[Reserved, ...]:
        """See MediaStore."""
        return self._write(
            lambda connection: tuple(_reserved(connection, each, quota_bytes, now) for each in media)
        )

    def finish(
        self,
        media_ids: Sequence[UUID],
        events: Sequence[AuditEvent],
        now: datetime,
        *,
        idempotency: Idempotency | None = None,
    ) -> tuple[Media, ...]:
        """See MediaStore."""

        def verb(connection: Connection) -> tuple[Media, ...]:
            coming = and_(_media.c.id.in_(media_ids), _media.c.state == STORING)
            connection.execute(update(_media).where(coming).values(state=READY, changed_at=now))
            rows = connection.execute(_ready(_media.c.id.in_(media_ids)))
            found = {row.id: media_of(row) for row in rows}
            if not set(media_ids) <= found.keys():
                raise Refused(Code.MEDIA_BUSY)
            for event in events:
                append(connection, event)
            return tuple(found[media_id] for media_id in media_ids)

        return self._write(verb, idempotency)

    def get(self, media_id: UUID) -> Media | None:
        """See MediaStore."""
        with self._database.read() as connection:
            row = connection.execute(_ready(_media.c.id == media_id)).one_or_none()
        return None if row is None else media_of(row)

    def page(self, query: MediaQuery) -> Page[Media]:
        """See MediaStore."""
        # Ids are UUIDv7, so their order is that of creation.
        statement = _filtered(query).order_by(_media.c.id.desc()).limit(query.limit + 1)
        with self._database.read() as connection:
            rows = connection.execute(statement).all()
        return page_from([media_of(row) for row in rows], query.limit, lambda media: (str(media.id),))

    def replace(
        self,
        media: Media,
        expected_version: int,
        event: AuditEvent,
        *,
        idempotency: Idempotency | None = None,
    ) -> Media:
        """See MediaStore."""

        def verb(connection: Connection) -> Media:
            is_it = and_(_media.c.id == media.id, _media.c.state == READY)
            values = {**texts_row(media, event.at), "version": expected_version + 1}
            unchanged = and_(is_it, _media.c.version == expected_version)
            changed = connection.execute(update(_media).where(unchanged).values(**values))
            row = connection.execute(select(_media).where(is_it)).one_or_none()
            if row is None:
                raise Refused(Code.MEDIA_NOT_FOUND)
            if changed.rowcount == 0:
                raise Refused(Code.VERSION_CONFLICT, facts={"version": row.version})
            append(connection, event)
            return media_of(row)

        return self._write(verb, idempotency)

    def remove(self, media_id: UUID, event: AuditEvent, now: datetime) -> None:
        """See MediaStore."""

        def verb(connection: Connection) -> None:
            is_it = and_(_media.c.id == media_id, _media.c.state == READY)
            unused = and_(is_it, _media.c.uses == 0)
            if _remove(connection, unused, media_id, now) == 0:
                row = connection.execute(select(_media.c.uses).where(is_it)).one_or_none()
                if row is None:
                    raise Refused(Code.MEDIA_NOT_FOUND)
                shown = uses_of(connection, media_id, USES_SHOWN)
                uses = [{"kind": use.kind, "id": use.object_id} for use in shown]
                raise Refused(Code.MEDIA_IN_USE, facts={"uses": uses, "count": row.uses})
            append(connection, event)

        self._write(verb)

    def removed(self, media_id: UUID) -> Media | None:
        """See MediaStore."""
        statement = select(_media).where(_media.c.id == media_id, _media.c.state == REMOVED)
        with self._database.read() as connection:
            row = connection.execute(statement).one_or_none()
        return None if row is None else media_of(row)

    def forget(self, media_id: UUID) -> None:
        """See MediaStore."""

        def verb(connection: Connection) -> None:
            is_it = and_(_media.c.id == media_id, _media.c.state == REMOVED)
            stored = connection.scalar(select(_media.c.stored_bytes).where(is_it).with_for_update())
            if stored is not None and connection.execute(delete(_media).where(is_it)).rowcount:
                connection.execute(
                    update(_taken).values(bytes=_taken.c.bytes - stored, files=_taken.c.files - 1)
                )

        self._write(verb)

    def give_up(self, before: datetime, now: datetime, limit: int) -> int:
        """See MediaStore."""
        stale = and_(_media.c.state == STORING, _media.c.changed_at < before)

        def verb(connection: Connection) -> int:
            ids = connection.scalars(select(_media.c.id).where(stale).limit(limit)).all()
            return sum(
                _remove(connection, and_(_media.c.id == media_id, stale), media_id, now) for media_id in ids
            )

        return self._write(verb)

    def uses(self, media_id: UUID) -> tuple[Use, ...]:
        """See MediaStore."""
        with self._database.read() as connection:
            return uses_of(connection, media_id, USES_SHOWN)

    def taken(self) -> Taken:
        """See MediaStore."""
        with self._database.read() as connection:
            row = connection.execute(select(_taken.c.bytes, _taken.c.files)).one_or_none()
        return Taken(bytes=0, files=0) if row is None else Taken(bytes=row.bytes, files=row.files)


def _reserved(connection: Connection, media: Media, quota_bytes: int, now: datetime) -> Reserved:
    made = insert_new(connection, _media).values(**media_row(media), uses=0, state=STORING)
    if connection.execute(made).rowcount == 1:
        _take_room(connection, media.stored_bytes, quota_bytes)
        return Reserved(media=media, is_new=True)
    found = select(_media).where(_media.c.digest == media.digest).with_for_update()
    row = connection.execute(found).one()
    if row.state == REMOVED:
        raise Refused(Code.MEDIA_BUSY)
    if row.state == STORING:
        # An upload that did not come to its end, or one beside us: both store the same bytes.
        touched = update(_media).where(_media.c.id == row.id).values(changed_at=now)
        connection.execute(touched)
        return Reserved(media=media_of(row), is_new=True)
    return Reserved(media=media_of(row), is_new=False)


def _take_room(connection: Connection, wanted: int, quota_bytes: int) -> None:
    connection.execute(insert_new(connection, _taken).values(id=_ONLY, bytes=0, files=0))
    fits = _taken.c.bytes + wanted <= quota_bytes
    raised = update(_taken).where(_taken.c.id == _ONLY, fits)
    if (
        connection.execute(raised.values(bytes=_taken.c.bytes + wanted, files=_taken.c.files + 1)).rowcount
        == 0
    ):
        used = connection.scalar(select(_taken.c.bytes))
        raise Refused(Code.QUOTA_EXCEEDED, facts={"usedBytes": used, "quotaBytes": quota_bytes})


def _remove(connection: Connection, guard: Condition, media_id: UUID, now: datetime) -> int:
    statement = update(_media).where(guard).values(state=REMOVED, changed_at=now)
    removed: int = connection.execute(statement).rowcount
    if removed:
        add_task(connection, DELETE_TASK, {"mediaId": str(media_id)}, now)
    return removed


def _ready(*conditions: Condition) -> Select[Any]:
    return select(_media).where(_media.c.state == READY, *conditions)


def _filtered(query: MediaQuery) -> Select[Any]:
    conditions: list[Condition] = []
    if query.text is not None:
        conditions.append(func.lower(_media.c.file_name).contains(query.text.lower(), autoescape=True))
    if query.pictures is not None:
        is_document = _media.c.media_type == MediaType.PDF.value
        conditions.append(~is_document if query.pictures else is_document)
    if query.used is not None:
        conditions.append(_media.c.uses > 0 if query.used else _media.c.uses == 0)
    if query.uploaded_by is not None:
        conditions.append(_media.c.uploaded_by == query.uploaded_by)
    if query.cursor is not None:
        conditions.append(_media.c.id < id_cursor(query.cursor))
    return _ready(*conditions)
