"""Copies of MongoDB databases, by snapshot reads of the driver: BSON as the server has it.

A copy is, for each collection, one document with its name, options and indexes, then its documents, then four
zero bytes; four more end it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any, cast

from bson import CodecOptions, decode, decode_all, encode
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError, OperationFailure, PyMongoError

from common.backups.database import Contents, Copied, prefixes
from common.backups.digests import RowDigest
from common.backups.faults import BackupFault
from common.mongo.database import DURABLE, SNAPSHOT, database_name
from common.mongo.failures import NO_SUCH_TRANSACTION, translated
from common.mongo.migrations import SCHEMA, VERSION
from common.mongo.values import Document

CONNECT_SECONDS, ANSWER_SECONDS = 5, 120
MOST_BYTES, MOST_DOCUMENTS = 4_000_000, 1000
"""Of what is written at a time."""

_END = bytes(4)
_LENGTH = 4
_SMALLEST = 5
_RAW: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)
_OUTLIVED = frozenset({NO_SUCH_TRANSACTION, 290})  # TransactionExceededLifetimeLimitSeconds
_FORGOTTEN = 239  # SnapshotTooOld

Section = tuple[Mapping[str, Any], Iterable[bytes]]
"""What a collection is, and its documents, which are there to be read once."""


class MongodbCopying:
    """See DatabaseCopying. `url`: as `common.mongo.database.MongoDatabase` has it."""

    kind = "mongodb"
    ending = "bson"

    def __init__(self, url: str, services: Sequence[str]) -> None:
        self._url, self._services = url, tuple(services)
        self.database = database_name(url)

    def save(self, target: Path) -> Copied:
        """See DatabaseCopying. By one transaction or, where that takes longer than the server lets one live,
        by reads of one moment, which it remembers for longer.
        """
        with self._opened() as database:
            heads = self._heads(database)
            if not heads:
                raise BackupFault(
                    f"the database {self.database} has no collection of {', '.join(self._services)}"
                )
            version = database.client.server_info()["version"]
            try:
                with database.client.start_session() as session, _transaction(session):
                    _write(database, session, heads, target)
            except OperationFailure as error:
                if error.code not in _OUTLIVED:
                    raise
                with database.client.start_session(snapshot=True) as session:
                    _write(database, session, heads, target)
        return Copied(server=f"MongoDB {version}", database=self.database)

    def contents_of(self, copy: Path) -> Contents:
        """See DatabaseCopying."""
        with copy.open("rb") as file:
            return self._contents(_sections(file, str(copy)))

    def is_empty(self) -> bool:
        """See DatabaseCopying."""
        with self._opened() as database:
            return not self._heads(database)

    def clear(self, aside: Path) -> None:
        """See DatabaseCopying."""
        with self._opened() as database:
            for head in self._heads(database):
                database.drop_collection(head["collection"])

    def load(self, copy: Path) -> None:
        """See DatabaseCopying."""
        with self._opened() as database, copy.open("rb") as file:
            for head, documents in _sections(file, str(copy)):
                name = head["collection"]
                database.command("create", name, **head["options"])
                collection = database.get_collection(name, write_concern=DURABLE)
                for part in _parts(documents):
                    # as they were saved, whatever is thought of them now
                    collection.insert_many(part, ordered=False, bypass_document_validation=True)
                if head["indexes"]:
                    database.command("createIndexes", name, indexes=head["indexes"])

    def contents(self) -> Contents:
        """See DatabaseCopying."""
        with self._opened() as database:
            return self._contents(
                (head, _documents(database, head["collection"])) for head in self._heads(database)
            )

    def _heads(self, database: Database[Document]) -> list[dict[str, Any]]:
        """What each collection is, by name."""
        found = sorted(database.list_collections(), key=lambda each: str(each["name"]))
        return [
            {
                "collection": each["name"],
                "options": each["options"],
                "indexes": [
                    dict(index) for index in database[each["name"]].list_indexes() if index["name"] != "_id_"
                ],
            }
            for each in found
            if each["name"].startswith(prefixes(self._services)) and each["type"] == "collection"
        ]

    def _contents(self, sections: Iterable[Section]) -> Contents:
        tables, revisions = {}, {}
        services = {prefix + SCHEMA: prefix.removesuffix("_") for prefix in prefixes(self._services)}
        for head, documents in sections:
            name, digest = head["collection"], RowDigest()
            if name in services:
                documents = list(documents)
                for kept in map(decode, documents):
                    if kept["_id"] == VERSION:
                        revisions[services[name]] = str(kept["version"])
            digest.add(documents)
            tables[name] = digest.facts
        return Contents(tables=tables, revisions=revisions)

    @contextmanager
    def _opened(self) -> Iterator[Database[Document]]:
        client: MongoClient[Document] = MongoClient(
            self._url,
            readPreference="primary",
            retryReads=True,
            connectTimeoutMS=CONNECT_SECONDS * 1000,
            serverSelectionTimeoutMS=CONNECT_SECONDS * 1000,
            socketTimeoutMS=ANSWER_SECONDS * 1000,
        )
        with closing(client):
            try:
                yield client[self.database]
            except PyMongoError as error:
                raise BackupFault(f"the database {self.database}: {_said(error)}") from error


@contextmanager
def _transaction(session: ClientSession) -> Iterator[None]:
    # committed, though nothing was written: until then a majority need not have what was read
    with session.start_transaction(read_concern=SNAPSHOT, write_concern=DURABLE):
        yield


def _write(
    database: Database[Document], session: ClientSession, heads: Sequence[Mapping[str, Any]], target: Path
) -> None:
    """Write a copy; all that is read is of the moment of the session's first read."""
    with target.open("wb") as file:
        for head in heads:
            file.write(encode(head))
            file.writelines(_batches(database, head["collection"], session))
            file.write(_END)
        file.write(_END)


def _batches(
    database: Database[Document], name: str, session: ClientSession | None = None
) -> Iterable[bytes]:
    return cast("Iterable[bytes]", database[name].find_raw_batches({}, session=session))


def _documents(database: Database[Document], name: str) -> Iterator[bytes]:
    for batch in _batches(database, name):
        for document in decode_all(batch, _RAW):
            yield bytes(document.raw)


def _sections(file: IO[bytes], name: str) -> Iterator[Section]:
    """What is in a copy. Raises BackupFault for what is none, or only a part of one."""
    one = partial(_one, file, name)
    while (head := one()) is not None:
        yield _head(head, name), iter(one, None)


def _one(file: IO[bytes], name: str) -> bytes | None:
    """The next document; None at an end."""
    length = file.read(_LENGTH)
    if length == _END:
        return None
    size = int.from_bytes(length, "little")
    rest = file.read(max(0, size - _LENGTH))
    if size < _SMALLEST or _LENGTH + len(rest) != size:
        raise BackupFault(f"{name} ends before its end: it is no whole copy")
    return length + rest


def _head(document: bytes, name: str) -> Mapping[str, Any]:
    try:
        head = decode(document)
    except BSONError as error:
        raise BackupFault(f"{name} is no copy of a MongoDB database") from error
    if head.keys() != {"collection", "options", "indexes"}:
        raise BackupFault(f"{name} is no copy of a MongoDB database")
    return head


def _parts(documents: Iterable[bytes]) -> Iterator[list[RawBSONDocument]]:
    part: list[RawBSONDocument] = []
    size = 0
    for document in documents:
        part.append(RawBSONDocument(document))
        size += len(document)
        if size >= MOST_BYTES or len(part) >= MOST_DOCUMENTS:
            yield part
            part, size = [], 0
    if part:
        yield part


def _said(error: PyMongoError) -> str:
    """What is wrong, without what a document holds."""
    if isinstance(error, OperationFailure) and error.code == _FORGOTTEN:
        return (
            "copying took longer than the server remembers a moment: raise its "
            "minSnapshotHistoryWindowInSeconds"
        )
    return type(error).__name__ if isinstance(error, DuplicateKeyError) else str(translated(error))
