"""A copy and its position in the binary log are of one moment, also while the server goes from log to log."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from common.backups.binlog import following
from common.backups.manifest import Position
from common.backups.mariadb import MariadbCopying
from tests.backups.conftest import logging_mariadb
from tests.servers.mariadb import MariaDB

pytestmark = pytest.mark.mariadb

COPIES = 25
CONTROL_COPIES = 400
WRITERS = 3
ROW_BYTES = 1500
_ROW = re.compile(rb"^\(\d+,'x", re.MULTILINE)


@pytest.fixture
def server() -> Iterator[MariaDB]:
    """The smallest logs there are: a few commits and the next one begins."""
    with logging_mariadb(max_bytes=4096) as started:
        yield started


@pytest.fixture
def copying(server: MariaDB) -> MariadbCopying:
    url = server.new_database("rows")
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TABLE {_name(url)}.ticketing_rows "
            f"(id INT AUTO_INCREMENT PRIMARY KEY, pad VARCHAR({ROW_BYTES}))"
        )
        cursor.execute("RESET MASTER")
    return MariadbCopying(url, ("ticketing",))


def test_it_has_what_was_committed_before_its_position_and_nothing_else(
    server: MariaDB, copying: MariadbCopying, tmp_path: Path
) -> None:
    def copy() -> Position:
        position = copying.save(tmp_path / "copy").position
        assert position is not None
        return position

    with _writing(server, copying):
        copies = [(copy(), _rows(tmp_path / "copy")) for _ in range(COPIES)]
    assert [rows for _, rows in copies] == [_commits(server, position) for position, _ in copies]


def test_the_programs_own_word_is_not_enough(
    server: MariaDB, copying: MariadbCopying, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: what is guarded against happens."""
    is_head = MariadbCopying._is_head
    monkeypatch.setattr(MariadbCopying, "_is_head", lambda self, position: False)
    for _ in range(CONTROL_COPIES):
        with _writing(server, copying):
            position = copying.save(tmp_path / "copy").position
        assert position is not None
        if is_head(copying, position) and _rows(tmp_path / "copy") != _commits(server, position):
            return
    raise AssertionError(f"{CONTROL_COPIES} copies, all good")


def test_where_nobody_writes_the_head_of_a_log_is_a_position(
    server: MariaDB, copying: MariadbCopying, tmp_path: Path
) -> None:
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {copying.database}.ticketing_rows (pad) VALUES ('x')")
        cursor.execute("FLUSH BINARY LOGS")
    position = copying.save(tmp_path / "copy").position
    assert position is not None
    assert position.file.endswith("000002")
    assert _rows(tmp_path / "copy") == _commits(server, position) == 1


@contextmanager
def _writing(server: MariaDB, copying: MariadbCopying) -> Iterator[None]:
    """Writers whose every commit is one row."""
    stop = threading.Event()

    def write() -> None:
        with server.connect() as connection, connection.cursor() as cursor:
            while not stop.is_set():
                cursor.execute(
                    f"INSERT INTO {copying.database}.ticketing_rows (pad) VALUES (REPEAT('x', {ROW_BYTES}))"
                )

    with ThreadPoolExecutor(WRITERS) as pool:
        writers = [pool.submit(write) for _ in range(WRITERS)]
        try:
            yield
        finally:
            stop.set()
    for writer in writers:
        writer.result()


def _rows(copy: Path) -> int:
    return len(_ROW.findall(copy.read_bytes()))


def _commits(server: MariaDB, position: Position) -> int:
    """What the logs say was committed up to a position."""
    first = Position(file=position.file.rpartition(".")[0] + ".000001", offset=4)
    found = 0
    with server.connect() as connection, connection.cursor() as cursor:
        for log in following(first, server.folder / "data"):
            if log.name > position.file:
                break
            cursor.execute(f"SHOW BINLOG EVENTS IN '{log.name}'")
            found += sum(
                kind == "Xid" and (log.name < position.file or end <= position.offset)
                for _, _, kind, _, end, _ in cursor.fetchall()
            )
    return found


def _name(url: str) -> str:
    return url.rpartition("/")[2]
