"""Group commit: shared transactions, separate outcomes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from pymysql.err import OperationalError
from sqlalchemy import Column, Connection, Integer, MetaData, Table, event, insert, select

from common.database import StoreUnavailable
from common.database.engine import Database
from common.database.group_commit import GroupCommit, no_turns
from tests.servers.process import eventually

notes = Table("notes", MetaData(), Column("id", Integer, primary_key=True))


class Refusal(Exception):
    """What a verb says no with."""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'notes.sqlite'}")
    notes.metadata.create_all(opened.engine)
    yield opened
    opened.close()


def write(number: int) -> Any:
    def verb(connection: Connection) -> int:
        connection.execute(insert(notes).values(id=number))
        return number

    return verb


def written(database: Database) -> list[int]:
    with database.read() as connection:
        return list(connection.scalars(select(notes.c.id).order_by(notes.c.id)))


def commits_of(database: Database) -> list[None]:
    seen: list[None] = []
    event.listen(database.engine, "commit", lambda _: seen.append(None))
    return seen


class Gate:
    """A verb, or what is done in a turn, that holds the lead until it is let go, so that others queue up."""

    def __init__(self) -> None:
        self.entered, self.go = threading.Event(), threading.Event()

    def __call__(self, connection: Connection | None = None) -> None:
        self.entered.set()
        assert self.go.wait(10)


def waiting(group: GroupCommit, count: int) -> None:
    eventually(lambda: len(group._queue) == count)


def test_verbs_that_queue_up_share_one_commit(database: Database) -> None:
    commits, gate = commits_of(database), Gate()
    with ThreadPoolExecutor(12) as pool:
        leader = pool.submit(database.write, gate)
        assert gate.entered.wait(10)
        others = [pool.submit(database.write, write(number)) for number in range(10)]
        waiting(database._group, 10)
        gate.go.set()
        leader.result(10)
        assert [each.result(10) for each in others] == list(range(10))
    assert written(database) == list(range(10))
    assert len(commits) == 2


def test_what_is_queued_while_the_turn_is_awaited_shares_its_commit(database: Database) -> None:
    commits, gate = commits_of(database), Gate()

    @contextmanager
    def turn() -> Iterator[None]:
        gate()
        yield

    group = GroupCommit(database.engine, turn, wait_seconds=10)
    with ThreadPoolExecutor(12) as pool:
        leader = pool.submit(group.run, write(10))
        assert gate.entered.wait(10)
        others = [pool.submit(group.run, write(number)) for number in range(10)]
        waiting(group, 11)
        gate.go.set()
        leader.result(10)
        assert [each.result(10) for each in others] == list(range(10))
    assert written(database) == list(range(11))
    assert len(commits) == 1


@pytest.mark.parametrize("order", ["rw", "wrw", "rrwrwr", "rr"])
def test_a_refusal_undoes_its_own_verb_alone(database: Database, order: str) -> None:
    def refused(connection: Connection) -> None:
        connection.execute(insert(notes).values(id=99))
        raise Refusal

    commits, gate = commits_of(database), Gate()
    with ThreadPoolExecutor(len(order) + 1) as pool:
        leader = pool.submit(database.write, gate)
        assert gate.entered.wait(10)
        verbs: list[Future[int | None]] = []
        for number, kind in enumerate(order):
            verbs.append(pool.submit(database.write, write(number) if kind == "w" else refused))
            waiting(database._group, number + 1)
        gate.go.set()
        leader.result(10)
        for number, kind in enumerate(order):
            if kind == "w":
                assert verbs[number].result(10) == number
            else:
                with pytest.raises(Refusal):
                    verbs[number].result(10)
    assert written(database) == [number for number, kind in enumerate(order) if kind == "w"]
    assert len(commits) == 2


def test_nobody_is_answered_before_the_commit(database: Database) -> None:
    answered = threading.Event()
    order: list[str] = []
    event.listen(database.engine, "commit", lambda _: order.append(f"commit answered={answered.is_set()}"))
    database.write(write(1))
    answered.set()
    assert order == ["commit answered=False"]


def test_a_failing_commit_fails_every_verb_of_the_group(database: Database) -> None:
    def full(_: Any) -> None:
        raise OperationalError(2013, "Lost connection to MySQL server during query")

    event.listen(database.engine, "commit", full)
    with pytest.raises(StoreUnavailable):
        database.write(write(1))
    event.remove(database.engine, "commit", full)
    assert written(database) == []


def test_what_failed_while_committing_is_undone(database: Database) -> None:
    def fail(_: Any) -> None:
        raise Refusal

    event.listen(database.engine, "commit", fail)
    with pytest.raises(Refusal):
        database.write(write(1))
    event.remove(database.engine, "commit", fail)
    assert database.write(write(2)) == 2
    assert written(database) == [2]


def test_who_waits_too_long_is_refused_and_writes_nothing(database: Database) -> None:
    group = GroupCommit(database.engine, no_turns, wait_seconds=0.05)
    gate = Gate()
    with ThreadPoolExecutor(2) as pool:
        leader = pool.submit(group.run, gate)
        assert gate.entered.wait(10)
        with pytest.raises(StoreUnavailable):
            group.run(write(1))
        gate.go.set()
        leader.result(10)
    assert group.run(write(2)) == 2
    assert written(database) == [2]


def test_a_deadlock_is_run_again_one_by_one(database: Database) -> None:
    attempts: list[int] = []

    def unlucky(connection: Connection) -> int:
        attempts.append(1)
        connection.execute(insert(notes).values(id=len(attempts)))
        if len(attempts) < 3:
            raise OperationalError(1213, "Deadlock found when trying to get lock")
        return len(attempts)

    assert database.write(unlucky) == 3
    assert written(database) == [3]


def test_a_verb_that_never_wins_ends_as_unavailable(database: Database) -> None:
    def hopeless(_: Connection) -> None:
        raise OperationalError(1205, "Lock wait timeout exceeded")

    with pytest.raises(StoreUnavailable):
        database.write(hopeless)


def test_a_turn_that_is_refused_is_told_to_all_that_wait(database: Database) -> None:
    gate = Gate()

    def no_turn() -> AbstractContextManager[None]:
        gate()
        raise StoreUnavailable("another process holds the database for too long")

    group = GroupCommit(database.engine, no_turn, wait_seconds=10)
    with ThreadPoolExecutor(3) as pool:
        leader = pool.submit(group.run, write(1))
        assert gate.entered.wait(10)
        gate.entered.clear()
        others = [pool.submit(group.run, write(number)) for number in (2, 3)]
        waiting(group, 3)
        gate.go.set()
        for each in (leader, *others):
            with pytest.raises(StoreUnavailable):
                each.result(10)
    assert not gate.entered.is_set()
    assert written(database) == []


def test_many_threads_lose_and_double_nothing(database: Database) -> None:
    with ThreadPoolExecutor(16) as pool:
        results = list(pool.map(lambda number: database.write(write(number)), range(400)))
    assert results == list(range(400))
    assert written(database) == list(range(400))


def test_a_closed_database_holds_no_file_open(tmp_path: Path) -> None:
    opened = Database(f"sqlite:///{tmp_path / 'notes.sqlite'}")
    notes.metadata.create_all(opened.engine)
    opened.write(write(1))
    opened.close()
    files = [path.readlink() for path in Path("/proc/self/fd").iterdir() if path.exists()]
    assert not [file for file in files if file.is_relative_to(tmp_path)]
    assert opened.write(write(2)) == 2  # it may be used again
    opened.close()
