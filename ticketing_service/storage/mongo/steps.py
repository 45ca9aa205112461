"""What the steps of a migration do with documents that must become others (see `common.mongo.migrations`).

The validator of the release before still stands: it is told to look away.
"""

from __future__ import annotations

from pymongo.database import Database

from common.mongo.migrations import Step
from common.mongo.values import Document

BOOKINGS, RESELLERS, KEYS = "ticketing_bookings", "ticketing_resellers", "ticketing_reseller_keys"
SUBSCRIPTIONS, LEDGER = "ticketing_webhook_subscriptions", "ticketing_ledger"


def add_reseller(bare: Database[Document]) -> None:
    """A booking says whose it is."""
    bare[BOOKINGS].update_many(
        {"reseller_id": {"$exists": False}},
        {"$set": {"reseller_id": None}},
        bypass_document_validation=True,
    )


def add_account(bare: Database[Document]) -> None:
    """A reseller has its rates and credit, a unit says what is owed for it."""
    bare[RESELLERS].update_many(
        {"credit": {"$exists": False}},
        {"$set": {"markup_basis_points": 0, "net_basis_points": 10_000, "credit": []}},
        bypass_document_validation=True,
    )
    for booking in bare[BOOKINGS].find({"items.units.net": {"$exists": False}}, ["items", "revision"]):
        items = booking["items"]
        for unit in (unit for item in items for unit in item["units"]):
            unit.setdefault("net", None)
        as_read = {"_id": booking["_id"], "revision": booking["revision"]}
        change = {"$set": {"items": items}}
        bare[BOOKINGS].update_one(as_read, change, bypass_document_validation=True)


def add_tests(bare: Database[Document]) -> None:
    """A key says whether it is for tests, a booking whether it is one."""
    for name in (KEYS, BOOKINGS):
        bare[name].update_many(
            {"is_test": {"$exists": False}}, {"$set": {"is_test": False}}, bypass_document_validation=True
        )


def add_resale(bare: Database[Document]) -> None:
    """A booking has what its reseller writes down with it."""
    bare[BOOKINGS].update_many(
        {"resale": {"$exists": False}},
        {"$set": {"resale_uuid": None, "resale_reference": None, "resale": None}},
        bypass_document_validation=True,
    )


def add_octo(bare: Database[Document]) -> None:
    """A subscription says whether it was made over OCTO."""
    bare[SUBSCRIPTIONS].update_many(
        {"octo": {"$exists": False}}, {"$set": {"octo": None}}, bypass_document_validation=True
    )


def add_reseller_of_entries(bare: Database[Document]) -> None:
    """A line of the books says which reseller sold it."""
    for booking in bare[BOOKINGS].find({"reseller_id": {"$ne": None}}, ["reseller_id"]):
        bare[LEDGER].update_many(
            {"booking_id": booking["_id"]},
            {"$set": {"reseller_id": booking["reseller_id"]}},
            bypass_document_validation=True,
        )
    bare[LEDGER].update_many(
        {"reseller_id": {"$exists": False}}, {"$set": {"reseller_id": None}}, bypass_document_validation=True
    )


STEPS = (
    Step("0001"),
    Step("0002", add_reseller),
    Step("0003", add_account),
    Step("0004", add_tests),
    Step("0005", add_resale),
    Step("0006"),
    Step("0007", add_octo),
    Step("0008", add_reseller_of_entries),
)
