"""All ports on one MongoDB database."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

from admin_service.storage.mongo import schema
from admin_service.storage.mongo.api_keys import MongoApiKeys
from admin_service.storage.mongo.audit import MongoAudit
from admin_service.storage.mongo.config import MongoConfig
from admin_service.storage.mongo.duplicates import MongoDuplicates
from admin_service.storage.mongo.imports import MongoImports
from admin_service.storage.mongo.media import MongoMedia
from admin_service.storage.mongo.outbox import MongoOutbox
from admin_service.storage.mongo.pois import MongoPois
from admin_service.storage.mongo.sessions import MongoSessions
from admin_service.storage.mongo.standing import MongoStanding
from admin_service.storage.mongo.users import MongoUsers
from admin_service.storage.port import Store
from common.mongo import migrations
from common.mongo.database import MongoDatabase
from common.mongo.listening import Heard
from common.mongo.transaction import Transaction
from common.mongo.writing import Write, Writer
from common.web.idempotency import Idempotency

T = TypeVar("T")

STEPS = (migrations.Step("0001"),)
COLLECTIONS = schema.collections
"""All of them, as the aggregates above have made them."""

_TURN = "admin"


def open_store(url: str, threads: int = 8, heard: Heard | None = None) -> Store:
    """The store on a database that was migrated; nothing is connected to before it is asked for something.

    Args:
        url: `mongodb://user:password@host:port/name`.
        threads: how many requests read at the same time.
        heard: is told of each command that was answered.
    """
    database = MongoDatabase(url, threads, heard)
    writer = Writer(database, schema.idempotency)
    write = OneByOne(writer)
    return Store(
        kind=database.kind,
        users=MongoUsers(database, write),
        sessions=MongoSessions(database, write),
        api_keys=MongoApiKeys(database, write),
        standing=MongoStanding(database),
        audit=MongoAudit(database, write),
        config=MongoConfig(database, write),
        media=MongoMedia(database, write),
        outbox=MongoOutbox(database, writer),
        pois=MongoPois(database, write),
        duplicates=MongoDuplicates(database, write),
        imports=MongoImports(database, write),
        ping=database.ping,
        connections_in_use=database.connections_in_use,
        close=database.close,
    )


class OneByOne:
    """`Write` for verbs that nearly all add to the audit trail, and so meet at its end: in a process they go
    one after the other, and only those of other processes can be in the way.
    """

    def __init__(self, write: Write) -> None:
        self._write = write

    def __call__(
        self,
        verb: Callable[[Transaction], T],
        idempotency: Idempotency | None = None,
        turns: Iterable[Hashable] = (),
    ) -> T:
        """See Write."""
        return self._write(verb, idempotency, (_TURN, *turns))


def migrate(url: str) -> bool:
    """Bring the database to the shape that this code expects; says whether anything was to be done.

    Raises `StoreUnavailable`. Safe to run from several processes at a time.
    """
    database = MongoDatabase(url, threads=1)
    try:
        return migrations.upgrade(database, COLLECTIONS, STEPS)
    finally:
        database.close()
