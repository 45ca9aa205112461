"""One write: a verb, and the idempotency document that is committed with it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Protocol, TypeVar

from common.mongo.collections import Collection
from common.mongo.database import MongoDatabase
from common.mongo.transaction import Transaction
from common.mongo.values import Document, ms
from common.monitoring import tracing
from common.web.idempotency import Answer, Idempotency, KeyReused, Replayed

T = TypeVar("T")

_TRACE = "traceparent"


class Write(Protocol):
    """Runs a verb in one commit, once under its idempotency key."""

    def __call__(
        self,
        verb: Callable[[Transaction], T],
        idempotency: Idempotency | None = None,
        turns: Iterable[Hashable] = (),
    ) -> T:
        """Raises what the verb raises, `Replayed`, `KeyReused` or `StoreUnavailable`. `turns`: see
        `MongoDatabase.write`.
        """
        ...


class Writer:
    """`Write` on a database; `collection`: see `idempotency_collection`."""

    def __init__(self, database: MongoDatabase, collection: Collection) -> None:
        self._database, self._collection = database, collection

    def __call__(
        self,
        verb: Callable[[Transaction], T],
        idempotency: Idempotency | None = None,
        turns: Iterable[Hashable] = (),
    ) -> T:
        """See Write."""
        trace = tracing.for_later()

        def traced(tx: Transaction) -> T:
            tx.noted[_TRACE] = trace
            return verb(tx) if idempotency is None else self._once(tx, verb, idempotency)

        own = () if idempotency is None else (("key", idempotency.scope, idempotency.key),)
        return self._database.write(traced, (*turns, *own))

    def _once(self, tx: Transaction, verb: Callable[[Transaction], T], idempotency: Idempotency) -> T:
        """Run `verb` and keep its answer. Raises Replayed or KeyReused when the key is taken."""
        _id = {"scope": idempotency.scope, "key": idempotency.key}
        kept = tx.one(self._collection, {"_id": _id})
        if kept is not None:
            raise _taken(kept, idempotency)
        blank = {
            "_id": _id,
            "fingerprint": idempotency.fingerprint,
            "status": 0,
            "headers": [],
            "body": b"",
            "created_at": ms(idempotency.created_at),
        }
        # goes in first: of two requests under one key the second loses here, and comes back when the first is
        # decided
        tx.insert_or_lose(self._collection, [blank])
        result = verb(tx)
        answer = idempotency.render(result)
        change = {
            "status": answer.status,
            "headers": [list(header) for header in answer.headers],
            "body": answer.body,
        }
        tx.update(self._collection, {"_id": _id}, {"$set": change})
        return result


def trace_of(tx: Transaction) -> str | None:
    """The traceparent of the request whose verb runs in the transaction."""
    found: str | None = tx.noted.get(_TRACE)
    return found


def _taken(kept: Document, idempotency: Idempotency) -> Replayed | KeyReused:
    if kept["fingerprint"] != idempotency.fingerprint:
        return KeyReused()
    headers = tuple((name, value) for name, value in kept["headers"])
    return Replayed(Answer(kept["status"], kept["body"], headers))
