"""All ports on one SQL database."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from common.coordination.signal import ALONE, Signal
from common.database import migrations
from common.database.engine import Database
from common.database.prepared import compile_all
from common.database.replica import Replica, Replicas
from ticketing_service.storage.port import Shown, Store
from ticketing_service.storage.sql import schema
from ticketing_service.storage.sql.admissions import SqlAdmissions
from ticketing_service.storage.sql.bookings import SqlBookings
from ticketing_service.storage.sql.catalogue import SqlCatalogue
from ticketing_service.storage.sql.confirming import unit_redeemed
from ticketing_service.storage.sql.ledger import SqlLedger
from ticketing_service.storage.sql.outbox import SqlOutbox
from ticketing_service.storage.sql.payments import SqlPayments
from ticketing_service.storage.sql.people import SqlPeople
from ticketing_service.storage.sql.platform import SqlPlatform
from ticketing_service.storage.sql.resellers import SqlResellers
from ticketing_service.storage.sql.shown import ShownCatalogue, ShownSlots
from ticketing_service.storage.sql.slots import SqlSlots
from ticketing_service.storage.sql.vouchers import SqlVouchers
from ticketing_service.storage.sql.webhooks import SqlWebhooks
from ticketing_service.storage.sql.writing import Expired, Writer

MIGRATIONS = Path(__file__).with_name("migrations")


def open_store(
    url: str,
    threads: int = 8,
    expired: Expired | None = None,
    signal: Signal = ALONE,
    heard: Callable[[str, float], None] | None = None,
    read_url: str = "",
) -> Store:
    """The store on a database that was migrated; nothing is connected to before it is asked for something.

    Args:
        url: `sqlite:///path` or `mysql+pymysql://user:password@host:port/name`.
        threads: how many requests read at the same time.
        expired: is told of the holds that have ended, after each commit that ended some.
        signal: tells other processes of changed subscriptions, and this one of theirs.
        heard: is told of each read that a replica has answered.
        read_url: of a replica, or nothing.
    """
    database = Database(url, threads)
    writer = Writer(database, expired, signal)
    catalogue, slots = SqlCatalogue(database, writer), SqlSlots(database, writer)
    shown, databases = Shown(catalogue=catalogue, slots=slots), [database]
    if read_url:
        replica, replicas = Replica(read_url, database, threads), Replicas(heard)
        databases.append(replica)
        shown = Shown(
            catalogue=ShownCatalogue(replicas, SqlCatalogue(replica, writer), catalogue),
            slots=ShownSlots(replicas, SqlSlots(replica, writer), slots),
        )

    def close() -> None:
        for each in databases:
            each.close()

    return Store(
        kind=database.kind,
        catalogue=catalogue,
        slots=slots,
        bookings=SqlBookings(database, writer),
        payments=SqlPayments(database, writer),
        admissions=SqlAdmissions(database, writer, unit_redeemed),
        vouchers=SqlVouchers(database, writer),
        resellers=SqlResellers(database, writer),
        webhooks=SqlWebhooks(database, writer),
        ledger=SqlLedger(database, writer),
        outbox=SqlOutbox(database, writer),
        people=SqlPeople(database, writer),
        platform=SqlPlatform(database, writer),
        shown=shown,
        ping=database.ping,
        connections_in_use=lambda: sum(each.connections_in_use() for each in databases),
        close=close,
    )


def migrate(url: str) -> bool:
    """Bring the database to the shape that this code expects; says whether anything was to be done.

    Raises `StoreUnavailable`. Safe to run from several processes at a time.
    """
    database = Database(url, threads=1)
    try:
        return migrations.upgrade(database, MIGRATIONS, schema.VERSION_TABLE)
    finally:
        database.close()


def prepare(url: str) -> None:
    """Compile the statements of a sale. Raises `StoreUnavailable`."""
    database = Database(url, threads=1)
    try:
        compile_all(database)
    finally:
        database.close()
