"""Migrations: they make exactly the tables that the code expects, once, whoever runs them."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect
from sqlalchemy.dialects import mysql

from common.database import StoreUnavailable, migrations
from common.database.engine import Database
from common.database.kinds import kind_of
from common.mongo import migrations as mongo_migrations
from common.mongo.database import MongoDatabase
from tests.contract.builders import NOW, make_admissions, make_reseller, make_subscription
from tests.contract.world import World
from tests.servers.process import ROOT
from ticketing_service.storage.mongo import schema as mongo_schema
from ticketing_service.storage.opening import migrate, open_store
from ticketing_service.storage.ports.ledger import RevenueQuery
from ticketing_service.storage.sql import schema
from ticketing_service.storage.sql.store import MIGRATIONS

BY_RESELLER = RevenueQuery(day_from=NOW.date(), day_to=NOW.date(), group_by="reseller")
SAID_OTHERWISE = {
    "BLOB(16)": "TINYBLOB",
    "BLOB(32)": "TINYBLOB",
    "FLOAT(53)": "DOUBLE",
    "LONGBLOB": "LONGBLOB",
}
"""What MariaDB calls the types that it was asked for."""


def _differs(_: Any, __: Any, ___: Any, found: Any, wanted: Any) -> bool | None:
    """False for a type that only has another name; None leaves it to Alembic."""
    dialect = mysql.dialect()
    name = SAID_OTHERWISE.get(wanted.compile(dialect))
    return False if name == found.compile(dialect) else None


def test_migrations_make_the_tables_of_the_schema(store_url: str) -> None:
    if kind_of(store_url) == "mongodb":
        assert _undeclared(store_url) == []
        return
    database = Database(store_url, threads=1)
    options = {
        "target_metadata": schema.metadata,
        "version_table": schema.VERSION_TABLE,
        "compare_type": _differs,
    }
    with database.read() as connection:
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), schema.metadata)
    database.close()
    assert differences == []


def _undeclared(url: str) -> list[str]:
    """Where collections, validators and indexes are not what the code declares."""
    database = MongoDatabase(url, threads=1)
    try:
        return mongo_migrations.differences(database, mongo_schema.collections)
    finally:
        database.close()


def test_a_second_run_finds_nothing_to_do(new_url: str) -> None:
    assert migrate(new_url) is True
    began = time.monotonic()
    assert migrate(new_url) is False
    assert time.monotonic() - began < 10  # it waits for no lock


def test_a_new_database_is_at_no_revision_and_a_migrated_one_at_the_last(new_url: str) -> None:
    if kind_of(new_url) == "mongodb":
        _assert_mongodb_is_at_the_last_version(new_url)
        return
    database = Database(new_url, threads=1)
    assert migrations.current(database, schema.VERSION_TABLE) is None
    migrations.upgrade(database, MIGRATIONS, schema.VERSION_TABLE)
    assert migrations.current(database, schema.VERSION_TABLE) == "0013"
    with database.read() as connection:
        names = inspect(connection).get_table_names()
    assert all(name.startswith(schema.PREFIX) for name in names)
    database.close()


def _assert_mongodb_is_at_the_last_version(url: str) -> None:
    database = MongoDatabase(url, threads=1)
    assert mongo_migrations.current(database, mongo_schema.collections) is None
    migrate(url)
    assert mongo_migrations.current(database, mongo_schema.collections) == "0008"
    names = database.bare.list_collection_names()
    assert all(name.startswith(mongo_schema.PREFIX) for name in names)
    database.close()


@pytest.mark.mongodb
@pytest.mark.parametrize("store_url", ["mongodb"], indirect=True)
def test_bookings_of_an_older_release_are_read_after_it(store_url: str) -> None:
    store = open_store(store_url, threads=1)
    reseller = store.resellers.create(make_reseller())
    held = World(store).hold(World(store).slot(), 2)
    sold = World(store).hold(World(store).slot(), reseller=reseller)
    store.bookings.confirm_free(sold.id, make_admissions, "agency", NOW)
    hears = store.webhooks.create(make_subscription(), 1)
    books = store.ledger.revenue(BY_RESELLER)
    database = MongoDatabase(store_url, threads=1)
    bare = database.bare
    for collection, field in (
        (mongo_schema.ledger, "reseller_id"),
        (mongo_schema.webhook_subscriptions, "octo"),
    ):
        bare.command("collMod", collection.name, validator={})
        bare[collection.name].update_many({}, {"$unset": {field: ""}})
    bare.command("collMod", mongo_schema.bookings.name, validator={})
    bare.command("collMod", mongo_schema.resellers.name, validator={})
    (booking,) = bare[mongo_schema.bookings.name].find({"_id": held.id})
    for unit in booking["items"][0]["units"]:
        del unit["net"]
    for later in ("reseller_id", "is_test", "resale_uuid", "resale_reference", "resale"):
        del booking[later]
    bare[mongo_schema.bookings.name].replace_one({"_id": booking["_id"]}, booking)
    terms = {"markup_basis_points": "", "net_basis_points": "", "credit": ""}
    bare[mongo_schema.resellers.name].update_many({}, {"$unset": terms})
    bare[f"{mongo_schema.PREFIX}schema"].update_one({"_id": "version"}, {"$set": {"version": "0001"}})
    assert migrate(store_url) is True
    assert store.bookings.get(held.id) == held
    assert store.resellers.get(reseller.id) == reseller
    assert store.webhooks.get(hears.id) == hears
    assert store.ledger.revenue(BY_RESELLER) == books
    assert [row.key for row in books] == [str(reseller.id)]
    assert mongo_migrations.differences(database, mongo_schema.collections) == []
    database.close()
    store.close()


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_the_books_of_an_older_release_say_who_has_sold(store_url: str) -> None:
    store = open_store(store_url, threads=1)
    reseller = store.resellers.create(make_reseller())
    sold = World(store).hold(World(store).slot(), reseller=reseller)
    for each in (sold, World(store).hold(World(store).slot())):
        store.bookings.confirm_free(each.id, make_admissions, "agency", NOW)
    books = store.ledger.revenue(BY_RESELLER)
    assert [row.key for row in books] == ["", str(reseller.id)]
    with closing(sqlite3.connect(store_url.removeprefix("sqlite:///"))) as bare:
        bare.execute("ALTER TABLE ticketing_ledger DROP COLUMN reseller_id")
        bare.execute(f"UPDATE {schema.VERSION_TABLE} SET version_num = '0012'")
        bare.commit()
    assert migrate(store_url) is True
    assert store.ledger.revenue(BY_RESELLER) == books
    store.close()


def test_processes_that_migrate_at_the_same_time_agree(new_url: str, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "TICKETING_DATABASE_URL": new_url,
        "DATA_DIR": str(tmp_path),
        "PAYMENT_API_TOKEN": "x" * 40,
        "PAYMENT_WEBHOOK_SECRET": "y" * 40,
    }
    argv = [sys.executable, "-m", "ticketing_service.commands.migrate"]
    started = [
        subprocess.Popen(
            argv, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for _ in range(3)
    ]
    answers = sorted(process.communicate(timeout=60)[0].strip() for process in started)
    assert [process.returncode for process in started] == [0, 0, 0], answers
    assert answers == ["The database is up to date."] * 2 + ["The database was migrated."]


def test_who_cannot_have_the_lock_in_time_is_told(new_url: str) -> None:
    if kind_of(new_url) == "mongodb":
        _assert_the_lock_is_not_to_be_had_on_mongodb(new_url)
        return
    first, second = Database(new_url, threads=1), Database(new_url, threads=1)
    with (
        migrations._alone(first, schema.VERSION_TABLE, 1),
        pytest.raises(StoreUnavailable, match="another process migrates"),
    ):
        migrations.upgrade(second, MIGRATIONS, schema.VERSION_TABLE, lock_seconds=0)
    first.close()
    second.close()


def _assert_the_lock_is_not_to_be_had_on_mongodb(url: str) -> None:
    first, second = MongoDatabase(url, threads=1), MongoDatabase(url, threads=1)
    with (
        mongo_migrations._alone(first, mongo_schema.collections, 1),
        pytest.raises(StoreUnavailable, match="another process migrates"),
    ):
        mongo_migrations.upgrade(second, mongo_schema.collections, mongo_schema.STEPS, lock_seconds=0)
    first.close()
    second.close()
