"""The store that a URL is of. Only its own driver is imported."""

from __future__ import annotations

from collections.abc import Callable

from common.coordination.signal import ALONE, Signal
from common.database.kinds import kind_of
from ticketing_service.storage.port import Store


def open_store(
    url: str,
    threads: int = 8,
    expired: Callable[[int], None] | None = None,
    heard: Callable[[str, float], None] | None = None,
    signal: Signal = ALONE,
    read_url: str = "",
) -> Store:
    """The store on a database that was migrated; nothing is connected to before it is asked for something.

    Args:
        url: see the setting DATABASE_URL.
        threads: how many requests use it at the same time.
        expired: is told of the holds that have ended, after each commit that ended some.
        heard: is told of each command of MongoDB's: `command.` and its name, and its seconds; and
            of each read that a replica has answered: `replica.read`.
        signal: tells other processes of changed subscriptions to webhooks, and this one of theirs.
        read_url: see the setting DATABASE_READ_URL.
    """
    if kind_of(url) == "mongodb":
        from ticketing_service.storage.mongo import store as mongo  # noqa: PLC0415

        return mongo.open_store(url, threads, expired, heard, signal)
    from ticketing_service.storage.sql import store as sql  # noqa: PLC0415

    return sql.open_store(url, threads, expired, signal, heard, read_url)


def migrate(url: str) -> bool:
    """Bring the database to the shape that this code expects; says whether anything was to be done.

    Raises `StoreUnavailable`. Safe to run from several processes at a time.
    """
    if kind_of(url) == "mongodb":
        from ticketing_service.storage.mongo import store as mongo  # noqa: PLC0415

        return mongo.migrate(url)
    from ticketing_service.storage.sql import store as sql  # noqa: PLC0415

    return sql.migrate(url)


def prepare(url: str) -> None:
    """Do for all processes that are forked from this one what else each does in its first sale, while others
    wait for it. Raises `StoreUnavailable`.
    """
    if kind_of(url) != "mongodb":
        from ticketing_service.storage.sql import store as sql  # noqa: PLC0415

        sql.prepare(url)
