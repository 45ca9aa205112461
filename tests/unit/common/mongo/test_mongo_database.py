"""MongoDB: transactions, turns, retries, and what a server must be."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from pymongo.errors import DuplicateKeyError, OperationFailure

from common.database import StoreUnavailable
from common.identifiers import uuid7
from common.mongo import collections as kinds
from common.mongo import database as mongo
from common.mongo.collections import Collections, index
from common.mongo.database import MongoDatabase, NoReplicaSet, database_name
from common.mongo.failures import Conflict, ServerRefused, is_duplicate
from common.mongo.migrations import Step, upgrade
from common.mongo.transaction import Transaction
from tests.servers.process import eventually
from tests.servers.secantus import MongoServer, Secantus

COLLECTIONS = Collections("unit_")
SEATS = COLLECTIONS(
    "seats",
    {"_id": kinds.ID, "held": kinds.none_below(0), "name": kinds.text(20)},
    index("ux_name", "name", unique=True),
)
NOTES = COLLECTIONS("notes", {"_id": kinds.ID})
SLOT = uuid7()


@pytest.fixture
def database(mongodb_server: MongoServer) -> Iterator[MongoDatabase]:
    url = mongodb_server.new_database("unit")
    opened = MongoDatabase(url, threads=16)
    upgrade(opened, COLLECTIONS, [Step("0001")])
    opened.write(lambda tx: tx.insert(SEATS, [{"_id": SLOT, "held": 0, "name": "hot"}]))
    yield opened
    opened.close()
    mongodb_server.drop_database(url)


def _held(database: MongoDatabase) -> int:
    with database.read() as reading:
        found = reading.one(SEATS, {"_id": SLOT})
    assert found is not None
    return int(found["held"])


def _sell(tx: Transaction) -> None:
    tx.insert(NOTES, [{"_id": uuid7()}])
    assert tx.update(SEATS, {"_id": SLOT}, {"$inc": {"held": 1}}) == 1


def test_nothing_is_kept_of_a_verb_that_raises(database: MongoDatabase) -> None:
    def verb(tx: Transaction) -> None:
        _sell(tx)
        raise LookupError

    with pytest.raises(LookupError):
        database.write(verb)
    with database.read() as reading:
        assert reading.count(NOTES, {}) == 0
    assert _held(database) == 0


def test_sales_that_take_turns_never_lose_against_each_other(database: MongoDatabase) -> None:
    tries = []

    def verb(tx: Transaction) -> None:
        tries.append(1)
        _sell(tx)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: database.write(verb, [SLOT]), range(40)))
    assert (_held(database), len(tries)) == (40, 40)


def test_sales_of_processes_that_know_nothing_of_each_other_are_run_again(
    database: MongoDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    # as many seconds as a busy machine may need
    monkeypatch.setattr(mongo, "RETRY_SECONDS", 60)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: database.write(_sell), range(24)))
    with database.read() as reading:
        assert reading.count(NOTES, {}) == 24
    assert _held(database) == 24


def test_who_always_loses_is_told_so_in_the_end(
    database: MongoDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mongo, "RETRY_SECONDS", 0.05)

    def verb(_: Transaction) -> None:
        raise Conflict("always")

    with pytest.raises(StoreUnavailable, match="too often"):
        database.write(verb)


def test_whose_transaction_the_server_always_ends_may_come_again(
    database: MongoDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mongo, "RETRY_SECONDS", 0.05)
    ended = OperationFailure("gone", 251, {"errorLabels": ["TransientTransactionError"]})

    def verb(_: Transaction) -> None:
        raise ended

    with pytest.raises(StoreUnavailable, match="gone"):
        database.write(verb)


def test_a_turn_that_never_comes_is_not_waited_for(
    database: MongoDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mongo, "STATEMENT_SECONDS", 0.05)
    has_it, over = threading.Event(), threading.Event()

    def verb(_: Transaction) -> None:
        has_it.set()
        over.wait(60)

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(database.write, verb, [SLOT])
        assert has_it.wait(60)
        try:
            with pytest.raises(StoreUnavailable, match="turn"):
                database.write(_sell, [SLOT])
        finally:
            over.set()
        first.result()


def test_readers_at_one_moment_see_nothing_of_what_is_committed_meanwhile(database: MongoDatabase) -> None:
    def reader(tx: Transaction) -> list[int]:
        seen = []
        for _ in range(2):
            found = tx.one(SEATS, {"_id": SLOT})
            assert found is not None
            seen.append(found["held"])
            database.write(_sell)
        return seen

    assert database.at_one_moment(reader) == [0, 0]
    assert _held(database) == 2


def test_a_validator_refuses_and_no_value_of_the_document_is_told(database: MongoDatabase) -> None:
    with pytest.raises(ServerRefused, match=r"121.*held") as caught:
        database.write(lambda tx: tx.insert(SEATS, [{"_id": uuid7(), "held": -7, "name": "secret"}]))
    assert "secret" not in str(caught.value)
    with pytest.raises(ServerRefused, match="121"):
        database.write(lambda tx: tx.update(SEATS, {"_id": SLOT}, {"$inc": {"held": -1}}))


def test_a_duplicate_is_known_by_its_index(database: MongoDatabase) -> None:
    with pytest.raises(DuplicateKeyError) as caught:
        database.write(lambda tx: tx.insert(SEATS, [{"_id": uuid7(), "held": 0, "name": "hot"}]))
    assert is_duplicate(caught.value, "name")
    assert is_duplicate(caught.value, "ux_name")
    assert not is_duplicate(caught.value, "held")


def test_commands_and_connections_are_counted(mongodb_server: MongoServer) -> None:
    heard = []
    opened = MongoDatabase(
        mongodb_server.new_database("unit"), heard=lambda name, seconds: heard.append((name, seconds))
    )
    opened.ping()
    with opened.read() as reading:
        reading.one(SEATS, {})
    assert [name for name, _ in heard] == ["command.ping", "command.find"]
    assert all(seconds >= 0 for _, seconds in heard)
    assert opened.connections_in_use() == 0
    opened.close()


def test_a_server_without_replica_set_is_refused_with_one_line() -> None:
    with Secantus(replica_set=False) as server:
        opened = MongoDatabase(server.new_database())
        with pytest.raises(NoReplicaSet, match=r"^MongoDB runs without a replica set, .*rs.initiate\(\)$"):
            upgrade(opened, COLLECTIONS, [Step("0001")])
        opened.close()


def test_a_server_that_is_gone_is_unavailable_and_what_was_acknowledged_is_there_again() -> None:
    with Secantus() as server, closing(MongoDatabase(server.new_database())) as opened:
        upgrade(opened, COLLECTIONS, [Step("0001")])
        opened.write(lambda tx: tx.insert(SEATS, [{"_id": SLOT, "held": 0, "name": "hot"}]))
        opened.write(_sell)
        server.kill()
        for ask in (lambda: opened.write(_sell), opened.ping, lambda: _held(opened)):
            with pytest.raises(StoreUnavailable):
                ask()
        server.start()
        eventually(lambda: _answers(opened), seconds=60, what="the driver noticing")
        assert _held(opened) == 1


def test_who_asks_after_a_pause_waits_for_the_driver_to_look_again(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    # as seldom as it may, so that a look of its own does not come in between
    monkeypatch.setattr(mongo, "HEARTBEAT_SECONDS", 60)
    with (
        Secantus() as server,
        closing(MongoDatabase(server.new_database(), monotonic=lambda: clock[0])) as opened,
    ):
        monkeypatch.setattr(mongo, "HEARTBEAT_SECONDS", 1)
        with opened.read() as reading:
            assert reading.count(NOTES, {}) == 0
        server.kill()
        for _ in range(2):
            with pytest.raises(StoreUnavailable):
                opened.ping()
        clock[0] = 2
        assert "ServerSelection" not in _refusal(opened), "the driver's word is taken"
        server.start()
        assert _refusal(opened), "nobody waits for a server that is known to be away"
        with opened.read() as reading:
            assert reading.count(NOTES, {}) == 0


def test_in_an_outage_one_who_asks_seldom_waits_again_and_only_once() -> None:
    clock = [0.0]
    with (
        Secantus() as server,
        closing(MongoDatabase(server.new_database(), monotonic=lambda: clock[0])) as opened,
    ):
        opened.ping()
        server.kill()
        told = []
        for _ in range(5):
            with pytest.raises(StoreUnavailable) as refused, opened.read() as reading:
                reading.count(NOTES, {})
            told.append(str(refused.value))
            clock[0] += 2
        assert not any("ServerSelection" in each for each in told[-2:])


def _refusal(database: MongoDatabase) -> str:
    try:
        database.ping()
    except StoreUnavailable as error:
        return str(error)
    return ""


def _answers(database: MongoDatabase) -> bool:
    try:
        database.ping()
    except StoreUnavailable:
        return False
    return True


@pytest.mark.parametrize("url", ["mongodb://host/", "mongodb://host", "mongodb:/", "mysql://host/db"])
def test_a_url_names_a_server_and_a_database(url: str) -> None:
    with pytest.raises(ValueError, match="URL"):
        database_name(url)
    assert database_name("mongodb://a:1,b:2/name?replicaSet=rs0") == "name"


def test_what_was_begun_on_a_server_that_hung_does_not_stand_in_the_way_when_it_is_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Secantus() as server, closing(MongoDatabase(server.new_database())) as opened:
        upgrade(opened, COLLECTIONS, [Step("0001")])
        opened.write(lambda tx: tx.insert(SEATS, [{"_id": SLOT, "held": 0, "name": "hot"}]))

        def verb(tx: Transaction) -> None:
            _sell(tx)
            server.pause()
            tx.count(NOTES, {})

        with pytest.raises(StoreUnavailable):
            opened.write(verb)
        server.resume()
        eventually(lambda: _answers(opened), seconds=60, what="the driver noticing")
        # as many seconds as a busy machine may need, and fewer than a server keeps such a transaction
        monkeypatch.setattr(mongo, "RETRY_SECONDS", 20)
        opened.write(_sell)
        assert _held(opened) == 1
