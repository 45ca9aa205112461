"""The platform's configuration and mode."""

from __future__ import annotations

from uuid import UUID

from admin_service.domain.audit import AuditEvent
from admin_service.domain.configuration import FIRST, Revision, usable
from admin_service.domain.errors import Code, Refused
from admin_service.domain.media import Use
from admin_service.domain.modes import Mode, SystemMode
from admin_service.storage.mongo.audit import append
from admin_service.storage.mongo.config_collections import revisions, system_mode
from admin_service.storage.mongo.media_uses import set_uses
from admin_service.storage.mongo.schema import ONLY
from common.database.cursors import number_cursor, page_from
from common.mongo.database import MongoDatabase
from common.mongo.transaction import Transaction
from common.mongo.values import Document, instant, ms
from common.mongo.writing import Write
from common.pages import Page
from common.web.idempotency import Idempotency

LOGO = "brand.logo"


class MongoConfig:
    """The `ConfigStore` on MongoDB."""

    def __init__(self, database: MongoDatabase, write: Write) -> None:
        self._database, self._write = database, write

    def current(self) -> Revision:
        """See ConfigStore."""
        with self._database.read() as tx:
            return _current(tx)

    def revision(self, number: int) -> Revision | None:
        """See ConfigStore."""
        with self._database.read() as tx:
            found = tx.one(revisions, {"_id": number})
        return None if found is None else _revision_of(found)

    def page(self, limit: int, cursor: str | None) -> Page[Revision]:
        """See ConfigStore."""
        earlier = {} if cursor is None else {"_id": {"$lt": number_cursor(cursor)}}
        with self._database.read() as tx:
            found = tx.find(revisions, earlier, sort=[("_id", -1)], limit=limit + 1)
        return page_from([_revision_of(each) for each in found], limit, lambda each: (each.number,))

    def change(
        self, revision: Revision, event: AuditEvent, *, idempotency: Idempotency | None = None
    ) -> Revision:
        """See ConfigStore."""

        def verb(tx: Transaction) -> Revision:
            newest = _current(tx).number
            # of two changes at a time the second finds its number gone
            if newest != revision.number - 1 or not tx.insert_new(revisions, _document(revision)):
                raise Refused(Code.VERSION_CONFLICT, facts={"version": newest})
            append(tx, event)
            logo = revision.effective[LOGO]
            shown = [UUID(logo)] if logo else []
            set_uses(tx, Use(kind="config", object_id=LOGO), shown, f"/values/{LOGO}")
            return revision

        return self._write(verb, idempotency)

    def mode(self) -> SystemMode:
        """See ConfigStore."""
        with self._database.read() as tx:
            found = tx.one(system_mode, {"_id": ONLY})
        return SystemMode() if found is None else _mode_of(found)

    def set_mode(self, mode: SystemMode, event: AuditEvent) -> SystemMode:
        """See ConfigStore."""
        values = {
            "mode": mode.mode.value,
            "reason": mode.reason,
            "changed_at": ms(mode.changed_at),
            "changed_by": mode.changed_by,
            "version": mode.version,
        }

        def verb(tx: Transaction) -> SystemMode:
            if mode.version == 1:
                made: int = tx.insert_new(system_mode, {"_id": ONLY, **values})
            else:
                made = tx.update(system_mode, {"_id": ONLY, "version": mode.version - 1}, {"$set": values})
            if not made:
                raise Refused(Code.VERSION_CONFLICT)
            append(tx, event)
            return mode

        return self._write(verb)


def _current(tx: Transaction) -> Revision:
    newest = tx.find(revisions, {}, sort=[("_id", -1)], limit=1)
    return _revision_of(newest[0]) if newest else FIRST


def _document(revision: Revision) -> Document:
    return {
        "_id": revision.number,
        "values": [{"key": key, "value": value} for key, value in revision.values.items()],
        "changed": list(revision.changed),
        "changed_at": ms(revision.changed_at),
        "changed_by": revision.changed_by,
        "reason": revision.reason,
    }


def _revision_of(found: Document) -> Revision:
    return Revision(
        number=found["_id"],
        values=usable({each["key"]: each["value"] for each in found["values"]}),
        changed=tuple(found["changed"]),
        changed_at=instant(found["changed_at"]),
        changed_by=found["changed_by"],
        reason=found["reason"],
    )


def _mode_of(found: Document) -> SystemMode:
    return SystemMode(
        mode=Mode(found["mode"]),
        reason=found["reason"],
        changed_at=instant(found["changed_at"]),
        changed_by=found["changed_by"],
        version=found["version"],
    )
