"""What is measured and checked over MongoDB's wire protocol, through the bare driver."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pymongo import MongoClient
from pymongo.database import Database

BATCH = 1_000

Document = dict[str, Any]


def client(url: str) -> MongoClient[Document]:
    """The driver with what the service asks of every write: a majority, and the journal."""
    return MongoClient(url, uuidRepresentation="standard", w="majority", journal=True, timeoutMS=30_000)


def copy(source: str, target: str) -> None:
    """Write every document of `source` into `target`, which is migrated and otherwise empty."""
    with client(source) as reading, client(target) as writing:
        there, here = reading.get_default_database(), writing.get_default_database()
        for name in there.list_collection_names():
            if here[name].find_one({}, ["_id"]) is not None:
                continue  # what migrations wrote
            found = list(there[name].find({}))
            for start in range(0, len(found), BATCH):
                here[name].insert_many(found[start : start + BATCH])


def oversold(url: str) -> int:
    """People taken beyond a capacity, over all counters."""
    with _database(url) as database:
        counters = database["ticketing_capacity_counters"].find({"capacity": {"$ne": None}})
        return sum(max(0, each["held"] + each["sold"] - each["capacity"]) for each in counters)


def confirmed(url: str) -> int:
    """How many bookings are confirmed."""
    with _database(url) as database:
        return int(database["ticketing_bookings"].count_documents({"status": "confirmed"}))


@contextmanager
def _database(url: str) -> Iterator[Database[Document]]:
    with client(url) as connected:
        yield connected.get_default_database()
