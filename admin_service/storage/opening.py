"""Which store a URL stands for: one place that decides, and only the driver of that one is imported."""

from __future__ import annotations

from collections.abc import Callable

from admin_service.storage.port import Store
from common.database.kinds import kind_of

Heard = Callable[[str, float], None]
"""Is told of a command of the driver and how many seconds it took, where the driver tells."""


def open_store(url: str, threads: int = 8, heard: Heard | None = None) -> Store:
    """The store on a database that was migrated; nothing is connected to before it is asked for something.

    Args:
        url: `sqlite:///path`, `mysql+pymysql://user:password@host/name` or `mongodb://user:password@host/name`.
        threads: how many requests read at the same time.
        heard: see `Heard`.
    """
    if kind_of(url) == "mongodb":
        from admin_service.storage.mongo import store as mongo  # noqa: PLC0415

        return mongo.open_store(url, threads, heard)
    from admin_service.storage.sql import store as sql  # noqa: PLC0415

    return sql.open_store(url, threads)


def migrate(url: str) -> bool:
    """Bring the database to the shape that this code expects; says whether anything was to be done.

    Raises `StoreUnavailable`. Safe to run from several processes at a time.
    """
    if kind_of(url) == "mongodb":
        from admin_service.storage.mongo import store as mongo  # noqa: PLC0415

        return mongo.migrate(url)
    from admin_service.storage.sql import store as sql  # noqa: PLC0415

    return sql.migrate(url)
