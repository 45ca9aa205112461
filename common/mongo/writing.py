"""One write: a verb, and the idempotency document that is committed with it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Protocol, TypeVar

from pymongo.errors import DuplicateKeyError

from common.database.unavailable import StoreUnavailable
from common.mongo.collections import Collection
from common.mongo.database import MongoDatabase
from common.mongo.transaction import Transaction
from common.mongo.values import ms
from common.monitoring import tracing
from common.web.idempotency import Answer, Idempotency, KeyReused, Replayed, about

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

        if idempotency is None:
            return self._database.write(traced, turns)
        own = ("key", idempotency.scope, idempotency.key)
        try:
            return self._database.write(traced, (*turns, own))
        except _KeyTaken as error:
            raise self._taken(idempotency) from error

    def _once(self, tx: Transaction, verb: Callable[[Transaction], T], idempotency: Idempotency) -> T:
        """Run `verb` and keep its answer. Raises Replayed or KeyReused when the key is taken."""
        _id = {"scope": idempotency.scope, "key": idempotency.key}
        blank = {
            "_id": _id,
            "fingerprint": idempotency.fingerprint,
            "status": 0,
            "headers": [],
            "body": b"",
            "created_at": ms(idempotency.created_at),
            "about": None,
        }
        # goes in first: of two requests under one key the second loses here, and comes back when the first is
        # decided
        try:
            tx.insert(self._collection, [blank])
        except DuplicateKeyError as error:
            raise _KeyTaken from error
        result = verb(tx)
        answer = idempotency.answer(result)
        change = {
            "status": answer.status,
            "headers": [list(header) for header in answer.headers],
            "body": answer.body,
            "about": about(result),
        }
        tx.update(self._collection, {"_id": _id}, {"$set": change})
        return result

    def _taken(self, idempotency: Idempotency) -> Replayed | KeyReused | StoreUnavailable:
        with self._database.read() as reading:
            kept = reading.one(
                self._collection, {"_id": {"scope": idempotency.scope, "key": idempotency.key}}
            )
        if kept is None:
            return StoreUnavailable("the answer under the key has just been forgotten")
        if kept["fingerprint"] != idempotency.fingerprint:
            return KeyReused()
        headers = tuple((name, value) for name, value in kept["headers"])
        return Replayed(Answer(kept["status"], kept["body"], headers))


class _KeyTaken(Exception):
    """The key has an answer already; the transaction that found out is over."""


def trace_of(tx: Transaction) -> str | None:
    """The traceparent of the request whose verb runs in the transaction."""
    found: str | None = tx.noted.get(_TRACE)
    return found
