"""The SQLite file: schema, transactions and idempotency keys.

One connection is shared by all threads under a lock. Every transaction is short and begins as a writer,
so none ever fails half-way because another one wrote first. Full sync: a commit survives kill -9 and a
power cut.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from payment_sandbox.errors import Refusal

KEY_LIFETIME_MS = 48 * 3600 * 1000

SCHEMA = """
CREATE TABLE IF NOT EXISTS payments (
    id TEXT PRIMARY KEY,
    reference TEXT NOT NULL UNIQUE,
    session_id TEXT NOT NULL,
    status TEXT NOT NULL,
    failure TEXT,
    amount INTEGER NOT NULL,
    currency TEXT NOT NULL,
    authorized_amount INTEGER NOT NULL DEFAULT 0,
    captured_amount INTEGER NOT NULL DEFAULT 0,
    reserved_amount INTEGER NOT NULL DEFAULT 0,
    refunded_amount INTEGER NOT NULL DEFAULT 0,
    resource_type TEXT NOT NULL,
    resource_id TEXT NOT NULL,
    return_url TEXT,
    metadata TEXT NOT NULL,
    capture_mode TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    CHECK (refunded_amount <= reserved_amount AND reserved_amount <= captured_amount)
);
CREATE INDEX IF NOT EXISTS payments_resource ON payments (resource_id, created_at);
CREATE INDEX IF NOT EXISTS payments_open ON payments (expires_at) WHERE status = 'pending';
CREATE TABLE IF NOT EXISTS refunds (
    id TEXT PRIMARY KEY,
    payment_id TEXT NOT NULL REFERENCES payments (id),
    reference TEXT NOT NULL UNIQUE,
    amount INTEGER NOT NULL,
    reason TEXT,
    details TEXT,
    status TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    completed_at INTEGER
);
CREATE INDEX IF NOT EXISTS refunds_payment ON refunds (payment_id, created_at);
CREATE INDEX IF NOT EXISTS refunds_open ON refunds (created_at) WHERE status = 'processing';
CREATE TABLE IF NOT EXISTS deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    payment_id TEXT NOT NULL REFERENCES payments (id),
    event TEXT NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL,
    copies_left INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    last_status INTEGER,
    last_error TEXT,
    created_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    delivered_at INTEGER
);
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (due_at, id) WHERE state = 'pending';
CREATE INDEX IF NOT EXISTS deliveries_payment ON deliveries (payment_id, id);
CREATE TABLE IF NOT EXISTS idempotency_keys (
    key TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    status INTEGER NOT NULL,
    body TEXT NOT NULL,
    created_at INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS behaviour (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    document TEXT NOT NULL
);
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer as it was first given, so that a replay is the same byte for byte."""

    status: int
    body: str


class Store:
    """The open database file."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=5)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        self._connection.executescript(SCHEMA)
        self._connection.execute(
            "DELETE FROM idempotency_keys WHERE created_at < ?", (now_ms() - KEY_LIFETIME_MS,)
        )

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One write transaction: committed at the end, rolled back by any exception."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection for reads that need no transaction of their own."""
        with self._lock:
            yield self._connection

    def once(self, key: str, fingerprint: str, effect: Callable[[sqlite3.Connection], Answer]) -> Answer:
        """Run `effect` and keep its answer under `key`, both in one commit; a replay gets that answer.

        An effect that raises leaves no key, so the caller may try again. Raises Refusal 422 when the key
        was used for another request.
        """
        with self.transaction() as tx:
            row = tx.execute(
                "SELECT fingerprint, status, body FROM idempotency_keys WHERE key = ?", (key,)
            ).fetchone()
            if row is not None:
                if row["fingerprint"] != fingerprint:
                    raise Refusal(422, "IDEMPOTENCY_KEY_REUSED", "This key was used for another request.")
                return Answer(row["status"], row["body"])
            answer = effect(tx)
            tx.execute(
                "INSERT INTO idempotency_keys (key, fingerprint, status, body, created_at)"
                " VALUES (?, ?, ?, ?, ?)",
                (key, fingerprint, answer.status, answer.body, now_ms()),
            )
            return answer

    def close(self) -> None:
        """Close the file; the write-ahead log is folded in."""
        with self._lock:
            self._connection.close()


def now_ms() -> int:
    """This instant in milliseconds since 1970, UTC."""
    return time.time_ns() // 1_000_000


def iso(milliseconds: int) -> str:
    """An instant as the contract writes it: UTC, milliseconds, `Z`."""
    instant = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")
