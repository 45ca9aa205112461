"""All ports on one MongoDB database."""

from __future__ import annotations

from common.coordination.signal import ALONE, Signal
from common.mongo import migrations
from common.mongo.database import MongoDatabase
from common.mongo.listening import Heard
from ticketing_service.storage.mongo import schema
from ticketing_service.storage.mongo.admissions import MongoAdmissions
from ticketing_service.storage.mongo.bookings import MongoBookings
from ticketing_service.storage.mongo.catalogue import MongoCatalogue
from ticketing_service.storage.mongo.confirming import unit_redeemed
from ticketing_service.storage.mongo.ledger import MongoLedger
from ticketing_service.storage.mongo.outbox import MongoOutbox
from ticketing_service.storage.mongo.payments import MongoPayments
from ticketing_service.storage.mongo.people import MongoPeople
from ticketing_service.storage.mongo.platform import MongoPlatform
from ticketing_service.storage.mongo.resellers import MongoResellers
from ticketing_service.storage.mongo.slots import MongoSlots
from ticketing_service.storage.mongo.vouchers import MongoVouchers
from ticketing_service.storage.mongo.webhooks import MongoWebhooks
from ticketing_service.storage.mongo.writing import Expired, Writer
from ticketing_service.storage.port import Shown, Store


def open_store(
    url: str,
    threads: int = 8,
    expired: Expired | None = None,
    heard: Heard | None = None,
    signal: Signal = ALONE,
) -> Store:
    """The store on a database that was migrated; nothing is connected to before it is asked for something.

    Args:
        url: `mongodb://user:password@host:port,host:port/name`.
        threads: how many connections a server gets at most.
        expired: is told of the holds that have ended, after each commit that ended some.
        heard: is told of each command: its name, and how many seconds it took.
        signal: tells other processes of changed subscriptions, and this one of theirs.
    """
    database = MongoDatabase(url, threads, heard)
    writer = Writer(database, expired, signal)
    catalogue, slots = MongoCatalogue(database, writer), MongoSlots(database, writer)
    return Store(
        kind=database.kind,
        catalogue=catalogue,
        slots=slots,
        bookings=MongoBookings(database, writer),
        payments=MongoPayments(database, writer),
        admissions=MongoAdmissions(database, writer, unit_redeemed),
        vouchers=MongoVouchers(database, writer),
        resellers=MongoResellers(database, writer),
        webhooks=MongoWebhooks(database, writer),
        ledger=MongoLedger(database, writer),
        outbox=MongoOutbox(database, writer),
        people=MongoPeople(database, writer),
        platform=MongoPlatform(database, writer),
        shown=Shown(catalogue=catalogue, slots=slots),
        ping=database.ping,
        connections_in_use=database.connections_in_use,
        close=database.close,
    )


def migrate(url: str) -> bool:
    """Bring the database to the shape that this code expects; says whether anything was to be done.

    Raises `StoreUnavailable`, also for a deployment without replica set. Safe to run from several processes
    at a time.
    """
    database = MongoDatabase(url, threads=1)
    try:
        return migrations.upgrade(database, schema.collections, schema.STEPS)
    finally:
        database.close()
