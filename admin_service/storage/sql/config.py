"""The platform's configuration and mode."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, func, select, update

from admin_service.domain.audit import AuditEvent
from admin_service.domain.configuration import FIRST, Revision, usable
from admin_service.domain.errors import Code, Refused
from admin_service.domain.media import Use
from admin_service.domain.modes import Mode, SystemMode
from admin_service.storage.sql.audit import append
from admin_service.storage.sql.config_tables import revisions as _revisions
from admin_service.storage.sql.config_tables import system_mode as _mode
from admin_service.storage.sql.media_uses import set_uses
from common.database.engine import Database
from common.database.inserting import insert_new
from common.database.keyset import number_cursor, page_from
from common.database.writing import Write
from common.pages import Page
from common.web.idempotency import Idempotency

LOGO = "brand.logo"
_ONLY = 1
_NEWEST = select(_revisions).order_by(_revisions.c.number.desc()).limit(1)


class SqlConfig:
    """The `ConfigStore` on an SQL database."""

    def __init__(self, database: Database, write: Write) -> None:
        self._database, self._write = database, write

    def current(self) -> Revision:
        """See ConfigStore."""
        with self._database.read() as connection:
            return _current(connection)

    def revision(self, number: int) -> Revision | None:
        """See ConfigStore."""
        with self._database.read() as connection:
            row = connection.execute(select(_revisions).where(_revisions.c.number == number)).one_or_none()
        return None if row is None else _revision_of(row)

    def page(self, limit: int, cursor: str | None) -> Page[Revision]:
        """See ConfigStore."""
        statement = select(_revisions).order_by(_revisions.c.number.desc()).limit(limit + 1)
        if cursor is not None:
            statement = statement.where(_revisions.c.number < number_cursor(cursor))
        with self._database.read() as connection:
            rows = connection.execute(statement).all()
        return page_from([_revision_of(row) for row in rows], limit, lambda each: (each.number,))

    def change(
        self, revision: Revision, event: AuditEvent, *, idempotency: Idempotency | None = None
    ) -> Revision:
        """See ConfigStore."""

        def verb(connection: Connection) -> Revision:
            # The number is taken first: of two changes at a time the second finds it gone.
            made = connection.execute(insert_new(connection, _revisions).values(**_row(revision)))
            before = select(func.max(_revisions.c.number)).where(_revisions.c.number != revision.number)
            newest = connection.scalar(before) or 0
            if made.rowcount == 0:
                raise Refused(Code.VERSION_CONFLICT, facts={"version": _current(connection).number})
            if newest != revision.number - 1:
                raise Refused(Code.VERSION_CONFLICT, facts={"version": newest})
            logo = revision.effective[LOGO]
            shown = [UUID(logo)] if logo else []
            set_uses(connection, Use(kind="config", object_id=LOGO), shown, f"/values/{LOGO}")
            append(connection, event)
            return revision

        return self._write(verb, idempotency)

    def mode(self) -> SystemMode:
        """See ConfigStore."""
        with self._database.read() as connection:
            row = connection.execute(select(_mode)).one_or_none()
        return SystemMode() if row is None else _mode_of(row)

    def set_mode(self, mode: SystemMode, event: AuditEvent) -> SystemMode:
        """See ConfigStore."""
        values = {
            "mode": mode.mode.value,
            "reason": mode.reason,
            "changed_at": mode.changed_at,
            "changed_by": mode.changed_by,
            "version": mode.version,
        }

        def verb(connection: Connection) -> SystemMode:
            if mode.version == 1:
                made = connection.execute(insert_new(connection, _mode).values(id=_ONLY, **values))
            else:
                is_last = _mode.c.version == mode.version - 1
                made = connection.execute(update(_mode).where(is_last).values(**values))
            if made.rowcount == 0:
                raise Refused(Code.VERSION_CONFLICT)
            append(connection, event)
            return mode

        return self._write(verb)


def _current(connection: Connection) -> Revision:
    row = connection.execute(_NEWEST).one_or_none()
    return FIRST if row is None else _revision_of(row)


def _row(revision: Revision) -> dict[str, Any]:
    return {
        "number": revision.number,
        "values": dict(revision.values),
        "changed": list(revision.changed),
        "changed_at": revision.changed_at,
        "changed_by": revision.changed_by,
        "reason": revision.reason,
    }


def _revision_of(row: Row[Any]) -> Revision:
    values = row._mapping["values"]  # noqa: SLF001 - a row has a method of that name
    return Revision(
        number=row.number,
        values=usable(values),
        changed=tuple(row.changed),
        changed_at=row.changed_at,
        changed_by=row.changed_by,
        reason=row.reason,
    )


def _mode_of(row: Row[Any]) -> SystemMode:
    return SystemMode(
        mode=Mode(row.mode),
        reason=row.reason,
        changed_at=row.changed_at,
        changed_by=row.changed_by,
        version=row.version,
    )
