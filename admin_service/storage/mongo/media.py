"""Media, and the room that they take."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from admin_service.domain.audit import AuditEvent
from admin_service.domain.errors import Code, Refused
from admin_service.domain.media import Media, MediaType, Use
from admin_service.storage.mongo.audit import append
from admin_service.storage.mongo.media_collections import media as _media
from admin_service.storage.mongo.media_collections import media_taken as _taken
from admin_service.storage.mongo.media_records import media_document, media_of, texts_fields
from admin_service.storage.mongo.media_uses import READY, uses_of
from admin_service.storage.mongo.outbox import add_task
from admin_service.storage.mongo.schema import ONLY
from admin_service.storage.ports.media import MediaQuery, Reserved, Taken
from common.database.cursors import id_cursor, page_from
from common.mongo.database import MongoDatabase
from common.mongo.transaction import Filter, Transaction
from common.mongo.values import ms
from common.mongo.writing import Write
from common.pages import Page
from common.web.idempotency import Idempotency

STORING, REMOVED = "storing", "removed"
DELETE_TASK = "media-delete"
USES_SHOWN = 100


class MongoMedia:
    """The `MediaStore` on MongoDB."""

    def __init__(self, database: MongoDatabase, write: Write) -> None:
        self._database, self._write = database, write

    def reserve(self, media: Sequence[Media], quota_bytes: int, now: datetime) -> tuple[Reserved, ...]:
        """See MediaStore."""
        return self._write(lambda tx: tuple(_reserved(tx, each, quota_bytes, now) for each in media))

    def finish(
        self,
        media_ids: Sequence[UUID],
        events: Sequence[AuditEvent],
        now: datetime,
        *,
        idempotency: Idempotency | None = None,
    ) -> tuple[Media, ...]:
        """See MediaStore."""
        these = {"$in": list(media_ids)}

        def verb(tx: Transaction) -> tuple[Media, ...]:
            for event in events:
                append(tx, event)
            coming = {"_id": these, "state": STORING}
            tx.update_all(_media, coming, {"$set": {"state": READY, "changed_at": ms(now)}})
            ready = tx.find(_media, {"_id": these, "state": READY})
            found = {each["_id"]: media_of(each) for each in ready}
            if not set(media_ids) <= found.keys():
                raise Refused(Code.MEDIA_BUSY)
            return tuple(found[media_id] for media_id in media_ids)

        return self._write(verb, idempotency)

    def get(self, media_id: UUID) -> Media | None:
        """See MediaStore."""
        return self._in_state(media_id, READY)

    def page(self, query: MediaQuery) -> Page[Media]:
        """See MediaStore."""
        # Ids are UUIDv7, so their order is that of creation.
        with self._database.read() as tx:
            found = tx.find(_media, _condition(query), sort=[("_id", -1)], limit=query.limit + 1)
        return page_from([media_of(each) for each in found], query.limit, lambda media: (str(media.id),))

    def replace(
        self,
        media: Media,
        expected_version: int,
        event: AuditEvent,
        *,
        idempotency: Idempotency | None = None,
    ) -> Media:
        """See MediaStore."""
        is_it = {"_id": media.id, "state": READY}

        def verb(tx: Transaction) -> Media:
            values = {**texts_fields(media, event.at), "version": expected_version + 1}
            changed = tx.update(_media, {**is_it, "version": expected_version}, {"$set": values})
            found = tx.one(_media, is_it)
            if found is None:
                raise Refused(Code.MEDIA_NOT_FOUND)
            if not changed:
                raise Refused(Code.VERSION_CONFLICT, facts={"version": found["version"]})
            append(tx, event)
            return media_of(found)

        return self._write(verb, idempotency)

    def remove(self, media_id: UUID, event: AuditEvent, now: datetime) -> None:
        """See MediaStore."""
        is_it = {"_id": media_id, "state": READY}

        def verb(tx: Transaction) -> None:
            append(tx, event)
            if _remove(tx, {**is_it, "uses": 0}, media_id, now) == 0:
                found = tx.one(_media, is_it, ["uses"])
                if found is None:
                    raise Refused(Code.MEDIA_NOT_FOUND)
                shown = uses_of(tx, media_id, USES_SHOWN)
                uses = [{"kind": use.kind, "id": use.object_id} for use in shown]
                raise Refused(Code.MEDIA_IN_USE, facts={"uses": uses, "count": found["uses"]})

        self._write(verb)

    def removed(self, media_id: UUID) -> Media | None:
        """See MediaStore."""
        return self._in_state(media_id, REMOVED)

    def forget(self, media_id: UUID) -> None:
        """See MediaStore."""
        is_it = {"_id": media_id, "state": REMOVED}

        def verb(tx: Transaction) -> None:
            found = tx.one(_media, is_it, ["stored_bytes"])
            if found is not None and tx.delete(_media, is_it):
                freed = {"bytes": -found["stored_bytes"], "files": -1}
                tx.update(_taken, {"_id": ONLY}, {"$inc": freed})

        self._write(verb)

    def give_up(self, before: datetime, now: datetime, limit: int) -> int:
        """See MediaStore."""
        stale = {"state": STORING, "changed_at": {"$lt": ms(before)}}

        def verb(tx: Transaction) -> int:
            ids = [each["_id"] for each in tx.find(_media, stale, limit=limit, fields=["_id"])]
            return sum(_remove(tx, {"_id": media_id, **stale}, media_id, now) for media_id in ids)

        return self._write(verb)

    def uses(self, media_id: UUID) -> tuple[Use, ...]:
        """See MediaStore."""
        with self._database.read() as tx:
            return uses_of(tx, media_id, USES_SHOWN)

    def taken(self) -> Taken:
        """See MediaStore."""
        with self._database.read() as tx:
            found = tx.one(_taken, {"_id": ONLY})
        return Taken(bytes=0, files=0) if found is None else Taken(bytes=found["bytes"], files=found["files"])

    def _in_state(self, media_id: UUID, state: str) -> Media | None:
        with self._database.read() as tx:
            found = tx.one(_media, {"_id": media_id, "state": state})
        return None if found is None else media_of(found)


def _reserved(tx: Transaction, media: Media, quota_bytes: int, now: datetime) -> Reserved:
    found = tx.one(_media, {"digest": media.digest})
    if found is None:
        tx.insert_new(_media, {**media_document(media), "uses": 0, "state": STORING})
        _take_room(tx, media.stored_bytes, quota_bytes)
        return Reserved(media=media, is_new=True)
    if found["state"] == REMOVED:
        raise Refused(Code.MEDIA_BUSY)
    if found["state"] == STORING:
        # An upload that did not come to its end, or one beside us: both store the same bytes.
        tx.update(_media, {"_id": found["_id"]}, {"$set": {"changed_at": ms(now)}})
        return Reserved(media=media_of(found), is_new=True)
    return Reserved(media=media_of(found), is_new=False)


def _take_room(tx: Transaction, wanted: int, quota_bytes: int) -> None:
    tx.insert_new(_taken, {"_id": ONLY, "bytes": 0, "files": 0})
    fits = {"_id": ONLY, "bytes": {"$lte": quota_bytes - wanted}}
    if not tx.update(_taken, fits, {"$inc": {"bytes": wanted, "files": 1}}):
        found = tx.one(_taken, {"_id": ONLY})
        used = 0 if found is None else found["bytes"]
        raise Refused(Code.QUOTA_EXCEEDED, facts={"usedBytes": used, "quotaBytes": quota_bytes})


def _remove(tx: Transaction, guard: Filter, media_id: UUID, now: datetime) -> int:
    removed = tx.update(_media, guard, {"$set": {"state": REMOVED, "changed_at": ms(now)}})
    if removed:
        add_task(tx, DELETE_TASK, {"mediaId": str(media_id)}, now)
    return removed


def _condition(query: MediaQuery) -> dict[str, Any]:
    wanted: dict[str, Any] = {"state": READY}
    if query.text is not None:
        wanted["name_key"] = {"$regex": re.escape(query.text.lower())}
    if query.pictures is not None:
        pdf = MediaType.PDF.value
        wanted["media_type"] = {"$ne": pdf} if query.pictures else pdf
    if query.used is not None:
        wanted["uses"] = {"$gt": 0} if query.used else 0
    if query.uploaded_by is not None:
        wanted["uploaded_by"] = query.uploaded_by
    if query.cursor is not None:
        wanted["_id"] = {"$lt": id_cursor(query.cursor)}
    return wanted
