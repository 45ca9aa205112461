"""One write of this service: it also tells of the holds that it has ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from common.coordination.signal import ALONE, Signal
from common.database import writing
from common.database.engine import Database
from common.database.prepared import Script
from common.database.writing import IdempotencyRows
from common.web.idempotency import Idempotency
from ticketing_service.storage.sql import schema
from ticketing_service.storage.sql.webhook_events import read_wanted, tell_of
from ticketing_service.storage.subscribed import Subscribed

T = TypeVar("T")


Expired = Callable[[int], None]
"""Is told how many holds a commit has ended, whatever else it was for."""

_EXPIRED = "expired holds"
_KEYS = IdempotencyRows(schema.idempotency)


class Writer(writing.Writer):
    """Runs verbs on the database, each exactly once under its idempotency key."""

    def __init__(self, database: Database, expired: Expired | None = None, signal: Signal = ALONE) -> None:
        super().__init__(database, _KEYS)
        self._expired = expired
        self.subscribed = Subscribed(lambda: read_wanted(database), signal)

    def __call__(self, verb: Callable[[Connection], T], idempotency: Idempotency | None = None) -> T:
        """See `common.database.writing.Write`."""
        ended, wanted = 0, self.subscribed()

        def counted(connection: Connection) -> T:
            nonlocal ended
            connection.info[_EXPIRED] = 0
            tell_of(connection, wanted)
            result = verb(connection)
            ended = connection.info[_EXPIRED]
            return result

        result = super().__call__(counted, idempotency)
        if ended and self._expired is not None:
            self._expired(ended)
        return result

    def script(self) -> Script:
        """See `common.database.writing.Writer`."""
        script = super().script()
        tell_of(script, self.subscribed())
        return script


def note_expired(connection: Connection, count: int) -> None:
    """The verb that runs on `connection` has ended so many holds."""
    connection.info[_EXPIRED] = connection.info.get(_EXPIRED, 0) + count
