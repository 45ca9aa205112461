"""Opening an SQL database for a move."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, NullPool, create_engine, event, make_url

from common.database.engine import Database
from common.database.kinds import kind_of

LOCK_SECONDS = 60
_STRICT = "SET SESSION sql_mode='STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ENGINE_SUBSTITUTION', time_zone='+00:00'"


def opened(url: str, *, writable: bool) -> Engine:
    """Connections that wait as long as it takes, without the checks of references. Unless it is `writable`
    the database refuses every change.
    """
    if kind_of(url) == "mysql":
        database = Database(url, threads=1)
        engine = database.unhurried()
        engine.hide_parameters = True

        def prepare(connection: Any, _: Any) -> None:
            with connection.cursor() as cursor:
                cursor.execute(_STRICT)
                cursor.execute("SET SESSION foreign_key_checks=0")
                cursor.execute(
                    f"SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, "
                    f"{'READ WRITE' if writable else 'READ ONLY'}"
                )

        event.listen(engine, "connect", prepare)
        return engine
    engine = create_engine(
        make_url(url),
        poolclass=NullPool,
        hide_parameters=True,
        connect_args={"timeout": LOCK_SECONDS, "isolation_level": None},
    )

    def prepare_sqlite(connection: Any, _: Any) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=OFF", "cache_size=-16000"):
            connection.execute(f"PRAGMA {pragma}")
        if not writable:
            connection.execute("PRAGMA query_only=ON")

    event.listen(engine, "connect", prepare_sqlite)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine
