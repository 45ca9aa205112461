"""MongoDB: collections are what the code declares, whoever brings them there, and however often."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from common.database import StoreUnavailable
from common.mongo import collections as kinds
from common.mongo import migrations
from common.mongo.collections import Collections, index
from common.mongo.database import MongoDatabase
from common.mongo.migrations import Step, current, differences, upgrade
from common.mongo.values import Document
from tests.servers.secantus import MongoServer


@pytest.fixture
def database(mongodb_server: MongoServer) -> Iterator[MongoDatabase]:
    url = mongodb_server.new_database("unit")
    opened = MongoDatabase(url)
    yield opened
    opened.close()
    mongodb_server.drop_database(url)


def _declared(*names: str, longest: int = 5) -> Collections:
    made = Collections("unit_")
    fields = {"_id": kinds.ID, "name": kinds.text(longest), "age": kinds.INTEGER}
    made("things", fields, *(index(name, *name.split()) for name in names))
    return made


def test_what_is_declared_is_what_is_there(database: MongoDatabase) -> None:
    declared = _declared("name")
    assert differences(database, declared)
    assert upgrade(database, declared, [Step("0001")]) is True
    assert (differences(database, declared), current(database, declared)) == ([], "0001")
    assert upgrade(database, declared, [Step("0001")]) is False


def test_a_later_version_changes_validators_indexes_and_documents(database: MongoDatabase) -> None:
    upgrade(database, _declared("name"), [Step("0001")])
    later = _declared("name age", "age", longest=9)
    ran = []
    steps = [Step("0001", lambda bare: ran.append("first")), Step("0002", lambda bare: ran.append("second"))]
    assert upgrade(database, later, steps) is True
    assert (ran, differences(database, later), current(database, later)) == (["second"], [], "0002")
    assert differences(database, _declared("name", "age")) == [
        "unit_things: its validator",
        "unit_things: its indexes",
    ]


def test_what_was_cut_off_is_begun_again(database: MongoDatabase) -> None:
    def cut_off(_: object) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        upgrade(database, _declared("name"), [Step("0001", cut_off)])
    assert current(database, _declared("name")) is None
    assert upgrade(database, _declared("name"), [Step("0001")], lock_seconds=0) is True


def test_of_several_that_migrate_one_does(database: MongoDatabase) -> None:
    runs: list[Document] = []
    steps = [Step("0001", lambda bare: runs.append({}))]
    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(lambda _: upgrade(database, _declared("name"), steps), range(3)))
    assert (sorted(done), len(runs)) == ([False, False, True], 1)


def test_who_cannot_have_the_lock_in_time_is_told(database: MongoDatabase) -> None:
    with (
        migrations._alone(database, _declared(), 1),
        pytest.raises(StoreUnavailable, match="another process migrates"),
    ):
        upgrade(database, _declared(), [Step("0001")], lock_seconds=0)
