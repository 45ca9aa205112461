"""Webhooks: an outbox in the database, and the one thread that empties it.

A delivery is written in the commit of the change it tells of, and is sent until the receiver answers
2xx. So a sandbox that is killed and started again still delivers; now and then something twice.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx

from payment_sandbox.behaviour import WebhookBehaviour
from payment_sandbox.model import Payment
from payment_sandbox.settings import Settings
from payment_sandbox.store import Store, iso, now_ms

log = logging.getLogger("payment_sandbox.webhooks")

MAX_ATTEMPTS = 15
FIRST_WAIT_MS = 250
LONGEST_WAIT_MS = 60_000
SEND_TIMEOUT_SECONDS = 5.0
SWEEP_SECONDS = 0.25
# A call that delivers before it answers sends its own webhooks; the thread steps in if that call died.
BEFORE_ANSWER_MS = 10_000


def enqueue(tx: sqlite3.Connection, how: WebhookBehaviour, payment: Payment, event: str, amount: int) -> None:
    """Write one webhook into the outbox. `amount`: what the event is about, in minor units."""
    now = now_ms()
    body = {
        "event": event,
        "paymentId": payment.id,
        "resourceId": payment.resource_id,
        "status": payment.status,
        "amount": amount,
        "currency": payment.currency,
        "occurredAt": iso(now),
    }
    state, due_at = "pending", now
    if how.delivery == "lost":
        state = "withheld"
    elif how.delivery == "delayed":
        due_at = now + how.delay_ms
    elif how.delivery == "reorder":
        # Held back until the next event of the payment, and sent behind that one.
        released = tx.execute(
            "UPDATE deliveries SET state = 'pending', due_at = ? WHERE payment_id = ? AND state = 'withheld'",
            (now + 1, payment.id),
        ).rowcount
        state = "pending" if released else "withheld"
    elif how.before_answer:
        due_at = now + BEFORE_ANSWER_MS
    copies = how.repeat if how.delivery == "repeat" else 1
    tx.execute(
        "INSERT INTO deliveries (payment_id, event, body, state, copies_left, created_at, due_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (payment.id, event, json.dumps(body, separators=(",", ":")), state, copies, now, due_at),
    )


def release_withheld(tx: sqlite3.Connection) -> int:
    """Make everything undelivered due now, the newest first; those given up too. Returns how many."""
    return tx.execute(
        # The higher the id the earlier it is due: what was held back arrives in reverse.
        "UPDATE deliveries SET due_at = ? - id, attempts = 0, state = 'pending'"
        " WHERE state IN ('withheld', 'abandoned', 'pending')",
        (now_ms(),),
    ).rowcount


def list_deliveries(
    connection: sqlite3.Connection, payment_id: str | None, state: str | None, limit: int
) -> list[dict[str, Any]]:
    """The newest deliveries first, with their result."""
    rows = connection.execute(
        "SELECT * FROM deliveries WHERE (? IS NULL OR payment_id = ?) AND (? IS NULL OR state = ?)"
        " ORDER BY id DESC LIMIT ?",
        (payment_id, payment_id, state, state, limit),
    )
    return [
        {
            "deliveryId": row["id"],
            "paymentId": row["payment_id"],
            "event": row["event"],
            "state": row["state"],
            "attempts": row["attempts"],
            "lastStatus": row["last_status"],
            "lastError": row["last_error"],
            "createdAt": iso(row["created_at"]),
            "dueAt": iso(row["due_at"]),
            "deliveredAt": None if row["delivered_at"] is None else iso(row["delivered_at"]),
            "body": json.loads(row["body"]),
        }
        for row in rows
    ]


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """The `X-Signature` header: HMAC-SHA256 over `t.body`, so that neither can be changed."""
    digest = hmac.new(secret.encode(), b"%d." % timestamp + body, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


class Deliverer:
    """Sends what is due, and between two deliveries lets `sweep` finish what time has finished."""

    def __init__(self, store: Store, settings: Settings, sweep: Callable[[], None]) -> None:
        self._store = store
        self._url = settings.webhook_url
        self._secret = settings.webhook_secrets[0]
        self._sweep = sweep
        # Which deliveries are on their way is known only here: after a crash they are simply sent again.
        self._in_flight: set[int] = set()
        self._in_flight_lock = threading.Lock()
        self._wake = threading.Event()
        self._stopping = False
        self._client = httpx.Client(timeout=SEND_TIMEOUT_SECONDS, trust_env=False)
        self._thread = threading.Thread(target=self._run, name="deliveries", daemon=True)

    def start(self) -> None:
        """Begin delivering."""
        self._thread.start()

    def wake(self) -> None:
        """Something may be due."""
        self._wake.set()

    def stop(self) -> None:
        """Finish the delivery under way; the rest stays in the outbox."""
        self._stopping = True
        self._wake.set()
        self._thread.join(SEND_TIMEOUT_SECONDS + 1)
        self._client.close()

    def deliver_payment(self, payment_id: str) -> None:
        """Send one payment's open deliveries in the caller's thread, oldest first, each once."""
        with self._store.reading() as connection:
            rows = connection.execute(
                "SELECT * FROM deliveries WHERE payment_id = ? AND state = 'pending' ORDER BY id",
                (payment_id,),
            ).fetchall()
        for row in rows:
            self._send_claimed(row)

    def _run(self) -> None:
        next_sweep = 0.0
        while not self._stopping:
            self._wake.clear()
            try:
                if time.monotonic() >= next_sweep:
                    self._sweep()
                    next_sweep = time.monotonic() + SWEEP_SECONDS
                row = self._next_due()
                if row is None:
                    if self._wake.wait(SWEEP_SECONDS):
                        next_sweep = 0.0
                else:
                    self._send_claimed(row)
            except sqlite3.Error:
                log.exception("the outbox could not be read or written; trying again")
                self._wake.wait(1.0)

    def _next_due(self) -> sqlite3.Row | None:
        with self._store.reading() as connection:
            rows = connection.execute(
                "SELECT * FROM deliveries WHERE state = 'pending' AND due_at <= ?"
                " ORDER BY due_at, id LIMIT 32",
                (now_ms(),),
            ).fetchall()
        return next((row for row in rows if row["id"] not in self._in_flight), None)

    def _send_claimed(self, row: sqlite3.Row) -> None:
        """Send, unless another thread is sending the same one or has just sent it."""
        with self._in_flight_lock:
            if row["id"] in self._in_flight:
                return
            self._in_flight.add(row["id"])
        try:
            if self._is_still(row):
                status, error = self._post(row["body"].encode())
                self._record(row, status, error)
        finally:
            with self._in_flight_lock:
                self._in_flight.discard(row["id"])

    def _is_still(self, row: sqlite3.Row) -> bool:
        with self._store.reading() as connection:
            found = connection.execute(
                "SELECT 1 FROM deliveries WHERE id = ? AND state = 'pending' AND attempts = ?",
                (row["id"], row["attempts"]),
            ).fetchone()
        return found is not None

    def _post(self, body: bytes) -> tuple[int | None, str | None]:
        headers = {
            "Content-Type": "application/json",
            "X-Signature": signature(self._secret, int(time.time()), body),
        }
        try:
            return self._client.post(self._url, content=body, headers=headers).status_code, None
        except httpx.HTTPError as error:
            return None, f"{type(error).__name__}: {error}"[:300]

    def _record(self, row: sqlite3.Row, status: int | None, error: str | None) -> None:
        now = now_ms()
        if status is not None and 200 <= status < 300:
            statement = """
                UPDATE deliveries SET attempts = attempts + 1, last_status = :status, last_error = NULL,
                    delivered_at = :now, due_at = :now, copies_left = copies_left - 1,
                    state = CASE WHEN copies_left > 1 THEN 'pending' ELSE 'delivered' END
                WHERE id = :id AND state = 'pending'"""
        else:
            statement = """
                UPDATE deliveries SET attempts = attempts + 1, last_status = :status, last_error = :error,
                    due_at = :retry_at,
                    state = CASE WHEN attempts + 1 >= :most THEN 'abandoned' ELSE 'pending' END
                WHERE id = :id AND state = 'pending'"""
        wait = min(FIRST_WAIT_MS * 2 ** row["attempts"], LONGEST_WAIT_MS)
        values = {"id": row["id"], "status": status, "error": error, "now": now}
        with self._store.transaction() as tx:
            tx.execute(statement, {**values, "retry_at": now + wait, "most": MAX_ATTEMPTS})
        log.info("webhook %s of %s: %s", row["event"], row["payment_id"], status or error)
