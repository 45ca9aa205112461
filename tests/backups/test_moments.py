"""A copy of MongoDB is of one moment, however long it takes; tried with sales between its reads."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

import pytest
from pymongo.collection import Collection
from pymongo.errors import OperationFailure

from admin_service.storage.mongo.schema import collections as admin_collections
from common.backups import mongodb
from common.backups.faults import BackupFault
from common.backups.mongodb import MongodbCopying
from common.mongo.database import MongoDatabase
from common.mongo.migrations import differences
from tests.backups.selling import sell
from tests.beneath import open_beneath
from tests.invariants.checker import check
from tests.invariants.destination import open_destination
from tests.invariants.violations import Violation
from tests.servers.secantus import MongoServer, emptied_mongodb, patient
from ticketing_service.storage.mongo.schema import collections as ticketing_collections
from ticketing_service.storage.opening import open_store

pytestmark = pytest.mark.mongodb

SERVICES = ("ticketing", "admin")
BEFORE = 10
Between = Callable[[Any], None]
"""Is told of the session of the read after which it is called."""


@pytest.fixture
def url(shared_mongodb: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database in which nothing was sold yet."""
    patient(monkeypatch)
    return emptied_mongodb(shared_mongodb)


@pytest.fixture
def target(mongodb_server: MongoServer) -> Iterator[str]:
    made = mongodb_server.new_database("restored")
    yield made
    mongodb_server.drop_database(made)


@pytest.fixture
def each_read(monkeypatch: pytest.MonkeyPatch) -> Callable[[Between], None]:
    """Have something done after each collection that is read for a copy."""
    read = Collection.find_raw_batches

    def done(between: Between) -> None:
        def watched(self: Any, condition: Any, session: Any = None) -> Iterator[bytes]:
            yield from read(self, condition, session=session)
            if session is not None:
                between(session)

        monkeypatch.setattr(Collection, "find_raw_batches", watched)

    return done


def copied_amid_sales(
    url: str, target: str, copy: Path, each_read: Callable[[Between], None]
) -> tuple[int, list[Violation]]:
    """How many bookings are in a copy that is loaded into `target`, and which invariants it breaks."""
    with closing(open_store(url)) as store:
        destination = open_destination(store, capacity=1_000_000, max_uses=5)
        chance = random.Random(7)
        for _ in range(BEFORE):
            sell(store, destination.items(chance))

        def buy(_: Any) -> None:
            sell(store, destination.items(chance))

        each_read(buy)
        MongodbCopying(url, SERVICES).save(copy)
    MongodbCopying(target, SERVICES).load(copy)
    with closing(open_beneath(target)) as beneath:
        return len(beneath.tables("bookings")["bookings"]), check(beneath)


def test_what_is_sold_between_the_reads_is_not_in_the_copy(
    url: str, target: str, tmp_path: Path, each_read: Callable[[Between], None]
) -> None:
    assert copied_amid_sales(url, target, tmp_path / "copy", each_read) == (BEFORE, [])


def test_reads_of_their_own_moments_would_be_noticed(
    url: str,
    target: str,
    tmp_path: Path,
    each_read: Callable[[Between], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mongodb, "_transaction", lambda _: nullcontext())
    _, violations = copied_amid_sales(url, target, tmp_path / "copy", each_read)
    assert "counter differs from its claims" in {each.invariant for each in violations}


def test_a_transaction_that_the_server_ends_is_followed_by_reads_of_one_moment(
    url: str, tmp_path: Path, each_read: Callable[[Between], None]
) -> None:
    ways = []

    def end(session: Any) -> None:
        ways.append(session.options.snapshot)
        if session.in_transaction:
            session.client.admin.command("killSessions", [session.session_id])

    copier = MongodbCopying(url, SERVICES)
    copier.save(tmp_path / "before")
    each_read(end)
    copier.save(tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == (tmp_path / "before").read_bytes()
    assert ways[0] is False
    assert set(ways[1:]) == {True}
    assert len(ways) == 1 + len(copier.contents().tables)


def test_a_moment_that_the_server_has_forgotten_is_named(
    url: str, tmp_path: Path, each_read: Callable[[Between], None]
) -> None:
    def forget(session: Any) -> None:
        raise OperationFailure("Read timestamp is too old", 239)

    each_read(forget)
    with pytest.raises(BackupFault, match="minSnapshotHistoryWindowInSeconds"):
        MongodbCopying(url, SERVICES).save(tmp_path / "copy")


def test_validators_and_indexes_come_back(url: str, target: str, tmp_path: Path) -> None:
    MongodbCopying(url, SERVICES).save(tmp_path / "copy")
    MongodbCopying(target, SERVICES).load(tmp_path / "copy")
    with closing(MongoDatabase(target, threads=1)) as database:
        for collections in (ticketing_collections, admin_collections):
            found = differences(database, collections)
            assert [each for each in found if each.startswith(collections.prefix)] == []


def test_a_database_in_which_nothing_of_ours_is_cannot_be_saved(target: str, tmp_path: Path) -> None:
    with pytest.raises(BackupFault, match="has no collection of ticketing, admin"):
        MongodbCopying(target, SERVICES).save(tmp_path / "copy")


@pytest.mark.parametrize("content", [b"", b"CREATE TABLE", b"\x05\0\0\0\0" + bytes(8)])
def test_another_file_is_no_copy(target: str, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "copy").write_bytes(content)
    with pytest.raises(BackupFault, match=r"no (whole )?copy"):
        MongodbCopying(target, SERVICES).load(tmp_path / "copy")
