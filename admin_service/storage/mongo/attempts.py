"""Attempts to sign in, counted by address, known or not."""

from __future__ import annotations

from datetime import datetime

from admin_service.domain.errors import Code, Refused
from admin_service.domain.sessions import LOCKED_FOR, MOST_FAILURES
from admin_service.storage.mongo.people_collections import sign_in_attempts as attempts
from common.mongo.transaction import Transaction
from common.mongo.values import Document, instant, ms


def count(tx: Transaction, email_hash: str, now: datetime) -> None:
    """Count one, as failed. Raises ACCOUNT_LOCKED when there were five.

    Who counts the same address beside us writes the same document: one of the two is run again.
    """
    found = tx.one(attempts, {"_id": email_hash})
    if found is None:
        first = {"failures": 1, "last_at": ms(now), "locked_until": None}
        tx.insert_new(attempts, {"_id": email_hash, **first})
        return
    until = _until(found)
    if until is not None and until > now:
        raise _locked(until, now)
    is_over = until is not None or instant(found["last_at"]) <= now - LOCKED_FOR
    failures = 1 if is_over else found["failures"] + 1
    lock = now + LOCKED_FOR if failures >= MOST_FAILURES else None
    values = {"failures": failures, "last_at": ms(now), "locked_until": ms(lock)}
    tx.update(attempts, {"_id": email_hash}, {"$set": values})


def take_back(tx: Transaction, email_hash: str) -> None:
    """The last one did not fail."""
    counted = {"_id": email_hash, "failures": {"$gt": 0}}
    tx.update(attempts, counted, {"$inc": {"failures": -1}, "$set": {"locked_until": None}})


def forget(tx: Transaction, email_hash: str) -> None:
    """There were none."""
    tx.delete(attempts, {"_id": email_hash})


def locked_until(tx: Transaction, email_hash: str, now: datetime) -> datetime | None:
    """When the lock ends; None without one."""
    found = tx.one(attempts, {"_id": email_hash})
    until = None if found is None else _until(found)
    return None if until is None or until <= now else until


def _until(found: Document) -> datetime | None:
    until: int | None = found["locked_until"]
    return instant(until)


def _locked(until: datetime, now: datetime) -> Refused:
    seconds = (until - now).total_seconds()
    return Refused(Code.ACCOUNT_LOCKED, facts={"lockedUntil": until}, retry_after_seconds=seconds)
