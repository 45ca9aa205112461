"""Attempts to sign in, counted by address, known or not."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, delete, select, update

from admin_service.domain.errors import Code, Refused
from admin_service.domain.sessions import LOCKED_FOR, MOST_FAILURES
from admin_service.storage.sql.people_tables import sign_in_attempts as table
from common.database.inserting import insert_new


def count(connection: Connection, email_hash: str, now: datetime) -> None:
    """Count one, as failed. Raises ACCOUNT_LOCKED when there were five."""
    first = {"email_hash": email_hash, "failures": 0, "last_at": now, "locked_until": None}
    connection.execute(insert_new(connection, table).values(**first))
    row = connection.execute(_of(email_hash).with_for_update()).one()
    if row.locked_until is not None and row.locked_until > now:
        raise _locked(row.locked_until, now)
    is_over = row.locked_until is not None or row.last_at <= now - LOCKED_FOR
    failures = 1 if is_over else row.failures + 1
    until = now + LOCKED_FOR if failures >= MOST_FAILURES else None
    values = {"failures": failures, "last_at": now, "locked_until": until}
    connection.execute(update(table).where(table.c.email_hash == email_hash).values(**values))


def take_back(connection: Connection, email_hash: str) -> None:
    """The last one did not fail."""
    counted = update(table).where(table.c.email_hash == email_hash, table.c.failures > 0)
    connection.execute(counted.values(failures=table.c.failures - 1, locked_until=None))


def forget(connection: Connection, email_hash: str) -> None:
    """There were none."""
    connection.execute(delete(table).where(table.c.email_hash == email_hash))


def locked_until(connection: Connection, email_hash: str, now: datetime) -> datetime | None:
    """When the lock ends; None without one."""
    row = connection.execute(_of(email_hash)).one_or_none()
    if row is None or row.locked_until is None or row.locked_until <= now:
        return None
    until: datetime = row.locked_until
    return until


def _of(email_hash: str) -> Select[Any]:
    return select(table).where(table.c.email_hash == email_hash)


def _locked(until: datetime, now: datetime) -> Refused:
    seconds = (until - now).total_seconds()
    return Refused(Code.ACCOUNT_LOCKED, facts={"lockedUntil": until}, retry_after_seconds=seconds)
