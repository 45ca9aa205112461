"""One write of this service: it also tells of the holds that it has ended."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

from common.coordination.signal import ALONE, Signal
from common.mongo import writing
from common.mongo.database import MongoDatabase
from common.mongo.transaction import Transaction
from common.web.idempotency import Idempotency
from ticketing_service.storage.mongo import schema
from ticketing_service.storage.mongo.webhook_events import read_wanted, tell_of
from ticketing_service.storage.subscribed import Subscribed

T = TypeVar("T")

Expired = Callable[[int], None]
"""Is told how many holds a commit has ended, whatever else it was for."""

_EXPIRED = "expired holds"


class Writer(writing.Writer):
    """Runs verbs on the database, each exactly once under its idempotency key."""

    def __init__(
        self, database: MongoDatabase, expired: Expired | None = None, signal: Signal = ALONE
    ) -> None:
        super().__init__(database, schema.idempotency)
        self._expired = expired
        self.subscribed = Subscribed(lambda: read_wanted(database), signal)

    def __call__(
        self,
        verb: Callable[[Transaction], T],
        idempotency: Idempotency | None = None,
        turns: Iterable[Hashable] = (),
    ) -> T:
        """See `common.mongo.writing.Write`."""
        ended, wanted = 0, self.subscribed()

        def counted(tx: Transaction) -> T:
            nonlocal ended
            tell_of(tx, wanted)
            result = verb(tx)
            ended = tx.noted.get(_EXPIRED, 0)
            return result

        result = super().__call__(counted, idempotency, turns)
        if ended and self._expired is not None:
            self._expired(ended)
        return result


def note_expired(tx: Transaction, count: int) -> None:
    """The verb that runs in the transaction has ended so many holds."""
    tx.noted[_EXPIRED] = tx.noted.get(_EXPIRED, 0) + count
