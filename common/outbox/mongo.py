"""The outbox on MongoDB: what is to be done outside after a commit, and the one active worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from common.database.cursors import id_cursor, page_from
from common.identifiers import uuid7
from common.mongo.collections import Collection
from common.mongo.database import MongoDatabase
from common.mongo.transaction import Transaction
from common.mongo.values import Document, instant, ms
from common.mongo.writing import Write, trace_of
from common.outbox.port import DeadTask, StoredTask, TaskCount
from common.outbox.rules import ANSWERS_KEPT, ERROR_LENGTH, WORKER
from common.pages import Page
from common.web.idempotency import Idempotency


class OutboxDocuments:
    """The tasks in `collection` (see `outbox_collection`), added by whoever writes."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection

    def add_task(
        self,
        tx: Transaction,
        kind: str,
        payload: Mapping[str, Any],
        now: datetime,
        due_at: datetime | None = None,
    ) -> None:
        """Have something done once this transaction is committed, and not before `due_at`; `payload` is
        JSON.
        """
        self._add(tx, [(kind, payload)], now, due_at or now)

    def add_tasks(
        self, tx: Transaction, tasks: Sequence[tuple[str, Mapping[str, Any]]], now: datetime
    ) -> None:
        """`add_task` for several pairs of kind and payload, in one statement."""
        self._add(tx, tasks, now, now)

    def _add(
        self, tx: Transaction, tasks: Sequence[tuple[str, Mapping[str, Any]]], now: datetime, due_at: datetime
    ) -> None:
        tx.insert(
            self._collection,
            [
                {
                    "_id": uuid7(),
                    "kind": kind,
                    "payload": orjson.dumps(dict(payload)).decode(),
                    "attempts": 0,
                    "due_at": ms(due_at),
                    "last_error": None,
                    "created_at": ms(now),
                    "traceparent": trace_of(tx),
                }
                for kind, payload in tasks
            ],
        )


class MongoOutbox:
    """The outbox of a service: its collections `outbox`, `leases` and `idempotency`, and what it is added to
    by.
    """

    def __init__(
        self,
        database: MongoDatabase,
        write: Write,
        documents: OutboxDocuments,
        *,
        outbox: Collection,
        leases: Collection,
        idempotency: Collection,
    ) -> None:
        self._database, self._write, self._documents = database, write, documents
        self._outbox, self._leases, self._idempotency = outbox, leases, idempotency

    def claim(self, now: datetime, lease_until: datetime, limit: int) -> tuple[StoredTask, ...]:
        """Due tasks, leased to the caller until `lease_until`; oldest first. `attempts` counts this claim
        in.
        """
        table, due = self._outbox, {"due_at": {"$lte": ms(now)}}
        with self._database.read() as reading:
            # asked many times a second, and nearly always in vain
            if reading.one(table, due, ["_id"]) is None:
                return ()

        def verb(tx: Transaction) -> tuple[StoredTask, ...]:
            found = tx.find(table, due, sort=[("due_at", 1), ("_id", 1)], limit=limit)
            ids = [each["_id"] for each in found]
            tx.update_all(
                table, {"_id": {"$in": ids}}, {"$set": {"due_at": ms(lease_until)}, "$inc": {"attempts": 1}}
            )
            return tuple(
                StoredTask(
                    id=each["_id"],
                    kind=each["kind"],
                    payload=orjson.loads(each["payload"]),
                    attempts=each["attempts"] + 1,
                    created_at=instant(each["created_at"]),
                    traceparent=each["traceparent"],
                )
                for each in found
            )

        return self._write(verb)

    def done(self, task_id: UUID) -> None:
        """The task is done: its document goes."""
        self._write(lambda tx: tx.delete(self._outbox, {"_id": task_id}), None, [task_id])

    def failed(self, task_id: UUID, error: str, retry_at: datetime | None) -> None:
        """Try again at `retry_at`; None gives the task up and keeps it as dead."""
        change = {"$set": {"due_at": ms(retry_at), "last_error": error[:ERROR_LENGTH]}}
        self._write(lambda tx: tx.update(self._outbox, {"_id": task_id}, change), None, [task_id])

    def add(
        self,
        kind: str,
        payload: Mapping[str, Any],
        now: datetime,
        *,
        idempotency: Idempotency | None = None,
    ) -> None:
        """Have something done."""
        self._write(lambda tx: self._documents.add_task(tx, kind, payload, now), idempotency)

    def depth(self, now: datetime) -> tuple[int, float]:
        """Tasks that wait, and the age of the oldest in seconds. Counts tasks that are due, leased or to be
        tried again; one whose time has not come is not late.
        """
        late = {"$or": [{"due_at": {"$lte": ms(now)}}, {"due_at": {"$ne": None}, "attempts": {"$gt": 0}}]}
        totals = {"_id": None, "count": {"$sum": 1}, "oldest": {"$min": "$created_at"}}
        with self._database.read() as reading:
            found = reading.aggregate(self._outbox, [{"$match": late}, {"$group": totals}])
        if not found:
            return 0, 0.0
        return found[0]["count"], max(0.0, (now - instant(found[0]["oldest"])).total_seconds())

    def by_kind(self) -> tuple[TaskCount, ...]:
        """How many tasks of each kind wait, and how many were given up."""
        dead = {"$sum": {"$cond": [{"$eq": ["$due_at", None]}, 1, 0]}}
        totals = {"_id": "$kind", "count": {"$sum": 1}, "dead": dead}
        with self._database.read() as reading:
            found = reading.aggregate(self._outbox, [{"$group": totals}, {"$sort": {"_id": 1}}])
        return tuple(TaskCount(each["_id"], each["count"] - each["dead"], each["dead"]) for each in found)

    def given_up(self, limit: int, cursor: str | None) -> Page[DeadTask]:
        """Those that were given up, the newest first."""
        condition: Document = {"due_at": None}
        if cursor is not None:
            condition["_id"] = {"$lt": id_cursor(cursor)}
        with self._database.read() as reading:
            found = reading.find(self._outbox, condition, sort=[("_id", -1)], limit=limit + 1)
        tasks = [
            DeadTask(
                id=each["_id"],
                kind=each["kind"],
                attempts=each["attempts"],
                error=each["last_error"] or "",
                created_at=instant(each["created_at"]),
            )
            for each in found
        ]
        return page_from(tasks, limit, lambda task: (str(task.id),))

    def revive(self, task_id: UUID, now: datetime) -> bool:
        """Try one again that was given up; False when there is none."""
        change = {"$set": {"due_at": ms(now), "attempts": 0}}
        found = {"_id": task_id, "due_at": None}
        return self._write(lambda tx: tx.update(self._outbox, found, change), None, [task_id]) == 1

    def beat(self, owner: str, now: datetime, lease_until: datetime) -> bool:
        """Be, or stay, the one active worker. False while another one's lease runs. Records the heartbeat."""
        values = {"owner": owner, "until": ms(lease_until), "beat_at": ms(now)}
        free = {"_id": WORKER, "$or": [{"owner": owner}, {"until": {"$lte": ms(now)}}]}

        def verb(tx: Transaction) -> bool:
            if tx.insert_new(self._leases, {"_id": WORKER, **values}):
                return True
            return tx.update(self._leases, free, {"$set": values}) == 1

        return self._write(verb, None, [WORKER])

    def heartbeat(self) -> datetime | None:
        """When the active worker last gave a sign of life."""
        with self._database.read() as reading:
            found = reading.one(self._leases, {"_id": WORKER})
        return None if found is None else instant(found["beat_at"])

    def purge(self, now: datetime, limit: int) -> int:
        """Forget up to `limit` answers older than 48 hours; says how many."""
        old = {"created_at": {"$lt": ms(now - ANSWERS_KEPT)}}

        def verb(tx: Transaction) -> int:
            found = tx.find(self._idempotency, old, sort=[("created_at", 1)], limit=limit, fields=["_id"])
            return tx.delete(self._idempotency, {"_id": {"$in": [each["_id"] for each in found]}})

        return self._write(verb)
