"""Bringing a database to the shape that the code expects: Alembic, run by one process at a time."""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, column, inspect, select, table, text
from sqlalchemy.exc import SQLAlchemyError

from common.database.engine import Database
from common.database.failures import is_unavailable
from common.database.unavailable import StoreUnavailable

LOCK_SECONDS = 60.0
POLL_SECONDS = 0.02


def upgrade(
    database: Database, script_location: Path, version_table: str, *, lock_seconds: float = LOCK_SECONDS
) -> bool:
    """Run the migrations that are missing; says whether there were any.

    The `env.py` beside them finds `connection` and `version_table` in `context.config.attributes`. Other
    processes that want the same wait for up to `lock_seconds`, and then find nothing to do.

    Raises `StoreUnavailable` when the database is not there or the lock is not to be had in that time.
    """
    newest = _newest(script_location)
    if current(database, version_table) == newest:
        return False
    # Not at the top: a library of this size is only wanted where there is something to migrate.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(script_location).replace("%", "%%"))
    try:
        with _alone(database, version_table, lock_seconds) as connection:
            if _revision(connection, version_table) == newest:
                return False
            connection.rollback()
            config.attributes.update(connection=connection, version_table=version_table)
            command.upgrade(config, "head")
            connection.commit()
    except SQLAlchemyError as error:
        if is_unavailable(error):
            raise StoreUnavailable(str(error.__cause__ or error)) from error
        raise
    return True


def current(database: Database, version_table: str) -> str | None:
    """The revision that the database is at; None before the first. Raises `StoreUnavailable`."""
    with database.read() as connection:
        return _revision(connection, version_table)


def is_current(database: Database, script_location: Path, version_table: str) -> bool:
    """Whether no migration is missing. Raises `StoreUnavailable`."""
    return current(database, version_table) == _newest(script_location)


def _newest(script_location: Path) -> str:
    """The revision that the migrations lead to: their files are numbered by it."""
    return max(path.name.partition("_")[0] for path in (script_location / "versions").glob("[0-9]*_*.py"))


def _revision(connection: Connection, version_table: str) -> str | None:
    if not inspect(connection).has_table(version_table):
        return None
    found: str | None = connection.scalar(select(column("version_num")).select_from(table(version_table)))
    return found


@contextmanager
def _alone(database: Database, version_table: str, seconds: float) -> Iterator[Connection]:
    """A connection for the migrations, while no other process has one."""
    if database.kind == "sqlite":
        path = Path(f"{database.engine.url.database}.migrating")
        with _file_lock(path, seconds), database.engine.connect() as connection:
            yield connection
        return
    # a connection of its own: changing a large table may take longer than any statement of a request
    with database.unhurried().connect() as connection, _named_lock(connection, version_table, seconds):
        yield connection


@contextmanager
def _file_lock(path: Path, seconds: float) -> Iterator[None]:
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + seconds
        while not _taken(file):
            if time.monotonic() > deadline:
                raise StoreUnavailable("another process migrates the database for too long")
            time.sleep(POLL_SECONDS)
        yield
    finally:
        os.close(file)


def _taken(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _named_lock(connection: Connection, version_table: str, seconds: float) -> Iterator[None]:
    """A lock of the server's, which lets go of it when the connection ends."""
    # names are the whole server's, and at most 64 characters long
    database = connection.engine.url.database or ""
    name = hashlib.sha256(f"{database}.{version_table}".encode()).hexdigest()
    taken = connection.scalar(text("SELECT GET_LOCK(:name, :seconds)"), {"name": name, "seconds": seconds})
    if taken != 1:
        raise StoreUnavailable("another process migrates the database for too long")
    connection.rollback()
    try:
        yield
    finally:
        connection.rollback()
        connection.execute(text("SELECT RELEASE_LOCK(:name)"), {"name": name})
