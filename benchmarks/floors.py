"""The floor of a sale: the bare driver doing the service's statements, one durable transaction a booking."""

from __future__ import annotations

import multiprocessing
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from typing import Any, Protocol
from urllib.parse import urlsplit
from uuid import UUID

import pymysql
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern
from pymysql.cursors import Cursor

from benchmarks import mongodb
from benchmarks.recording import Sale
from benchmarks.recording_mongodb import MongoSale
from common.database.kinds import kind_of

CANDIDATES = {
    "sqlite": ((1, 1), (2, 1), (1, 4)),
    "mysql": ((2, 1), (2, 4), (2, 8)),
    "mongodb": ((1, 1), (2, 1), (2, 4)),
}
"""Processes and threads a process to try, by kind of store."""

_LOST = (1213, 1205)
_spawn = multiprocessing.get_context("spawn")


class Driver(Protocol):
    def sell(self, sale: Any, slot_id: UUID) -> bool:
        """Book in one transaction; False when it lost against another one."""
        ...

    def close(self) -> None: ...


class SqliteDriver:
    """The standard library's module, with the service's durability (WAL, full sync)."""

    def __init__(self, url: str) -> None:
        self._connection = sqlite3.connect(
            url.removeprefix("sqlite:///"), isolation_level=None, timeout=30, check_same_thread=False
        )
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-8000"):
            self._connection.execute(f"PRAGMA {pragma}")

    def sell(self, sale: Sale, slot_id: UUID) -> bool:
        execute, execute_many = self._connection.execute, self._connection.executemany
        execute("BEGIN IMMEDIATE")
        for sql, rows, many in sale.filled(slot_id):
            if many:
                execute_many(sql, rows)
            else:
                execute(sql, rows[0]).fetchall()
        execute("COMMIT")
        return True

    def close(self) -> None:
        self._connection.close()


class MySqlDriver:
    """PyMySQL on the same server."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._connection: pymysql.connections.Connection[Cursor] = pymysql.connect(
            host=parts.hostname or "",
            port=parts.port or 3306,
            user=parts.username,
            password=parts.password or "",
            database=parts.path.lstrip("/"),
            charset="utf8mb4",
            init_command="SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
        )
        self._cursor = self._connection.cursor()

    def sell(self, sale: Sale, slot_id: UUID) -> bool:
        cursor = self._cursor
        try:
            for sql, rows, many in sale.filled(slot_id):
                if many:
                    cursor.executemany(sql, rows)
                else:
                    cursor.execute(sql, rows[0])
                    cursor.fetchall()
            self._connection.commit()
        except pymysql.err.OperationalError as error:
            self._connection.rollback()
            if error.args[0] not in _LOST:
                raise
            return False
        return True

    def close(self) -> None:
        self._connection.close()


class MongoDriver:
    """PyMongo on the same server, with what the service asks of every commit."""

    def __init__(self, url: str) -> None:
        self._client = mongodb.client(url)
        self._database = self._client.get_default_database()
        self._session = self._client.start_session()

    def sell(self, sale: MongoSale, slot_id: UUID) -> bool:
        session = self._session
        session.start_transaction(ReadConcern("snapshot"))
        try:
            for command in sale.filled(slot_id):
                said = self._database.command(
                    command, session=session, codec_options=self._client.codec_options
                )
                if wrong := said.get("writeErrors"):
                    raise AssertionError(f"the floor's {next(iter(command))} was refused: {wrong}")
            session.commit_transaction()
        except PyMongoError as error:
            if session.in_transaction:
                session.abort_transaction()
            if not error.has_error_label("TransientTransactionError"):
                raise
            return False
        return True

    def close(self) -> None:
        self._session.end_session()
        self._client.close()


DRIVERS: dict[str, Callable[[str], Driver]] = {
    "sqlite": SqliteDriver,
    "mysql": MySqlDriver,
    "mongodb": MongoDriver,
}


@dataclass(frozen=True, slots=True)
class Floor:
    """A sale to be repeated on a database of its own."""

    url: str
    sale: Sale | MongoSale

    @property
    def kind(self) -> str:
        return kind_of(self.url)

    def per_second(self, slots: Sequence[UUID], seconds: float, processes: int, threads: int) -> float:
        """Bookings a second by so many processes and threads, going round `slots`."""
        barrier = _spawn.Barrier(processes)
        results: Queue[float] = _spawn.Queue()
        running = [
            _spawn.Process(
                target=_work, args=(self, tuple(slots), seconds, threads, barrier, results), daemon=True
            )
            for _ in range(processes)
        ]
        for process in running:
            process.start()
        try:
            return sum(results.get(timeout=seconds + 60) for _ in running)
        finally:
            for process in running:
                process.join()

    def best(self, slots: Sequence[UUID], seconds: float) -> tuple[int, int]:
        """The candidate that serves this floor best."""
        return max(CANDIDATES[self.kind], key=lambda candidate: self.per_second(slots, seconds, *candidate))


def _work(
    floor: Floor,
    slots: Sequence[UUID],
    seconds: float,
    threads: int,
    barrier: Barrier,
    results: Queue[float],
) -> None:
    """One process of a floor: puts its bookings a second into `results`."""
    counts: list[int] = []
    begin = threading.Barrier(threads + 1)

    def sell(first: int) -> None:
        driver = DRIVERS[floor.kind](floor.url)
        begin.wait()
        end, sold, turn = time.monotonic() + seconds, 0, first
        while time.monotonic() < end:
            turn += 1
            sold += driver.sell(floor.sale, slots[turn % len(slots)])
        counts.append(sold)
        driver.close()

    running = [threading.Thread(target=sell, args=(number * 7,)) for number in range(threads)]
    for thread in running:
        thread.start()
    barrier.wait()
    begun = time.monotonic()
    begin.wait()
    for thread in running:
        thread.join()
    results.put(sum(counts) / (time.monotonic() - begun))
