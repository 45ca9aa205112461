"""How each entity that is moved lies in the collections."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from common.mongo import migrations
from common.mongo.database import MongoDatabase
from common.mongo.values import Document
from common.transfer.mongo import MongoSide
from common.transfer.mongo_documents import Beside, Kept, json_text, texts, uuids, with_longs
from common.transfer.port import Side
from ticketing_service.domain.bookings import BookingStatus
from ticketing_service.storage.mongo import checking, schema
from ticketing_service.storage.mongo.transfer_bookings import booking_out, stored_booking


def open_side(url: str, *, writable: bool) -> Side:
    """The database as one that is moved from or to."""
    return MongoSide(url, LAYOUT)


def is_current(url: str) -> bool:
    """Whether the database has the shape that this code expects. Raises `StoreUnavailable`."""
    database = MongoDatabase(url, threads=1)
    try:
        database.require_replica_set()
        return migrations.current(database, schema.collections) == schema.STEPS[-1].version
    finally:
        database.close()


def violations(url: str) -> list[str]:
    """A line for each invariant of the business that the database breaks. Raises `StoreUnavailable`."""
    side = open_side(url, writable=False)
    try:
        return list(checking.violations(side))
    finally:
        side.close()


def _point(document: Document) -> Document:
    """A coordinate is a float, also where somebody wrote a whole number."""
    return {**document, "latitude": float(document["latitude"]), "longitude": float(document["longitude"])}


def _ticket_out(document: Document) -> Document:
    return {**_point(document), "words": sorted(document["words"])}


def _slot_out(document: Document) -> Document:
    return {**document, "counter_ids": sorted(document["counter_ids"])}


def _without_changes(document: Document) -> Document:
    return {name: value for name, value in document.items() if name != "changes"}


def _admission_out(document: Document) -> Document:
    admission = {**document, "poi_ids": texts(document["poi_ids"])}
    del admission["booking_id"], admission["uses"]
    return admission


def _admission_back(booking: Document, item: Document) -> Document:
    admission = {**item, "booking_id": booking["id"], "poi_ids": uuids(item["poi_ids"])}
    admission["_id"] = admission.pop("id")
    used = {
        unit["admission_id"]
        for each in booking["items"]
        for unit in each["units"]
        if unit["status"] == BookingStatus.REDEEMED.value
    }
    # whether it was used is what is asked of it, and its unit says so
    admission["uses"] = int(admission["_id"] in used)
    return with_longs(schema.admissions, admission)


def _voucher_out(document: Document) -> Document:
    return {**document, "ticket_ids": texts(document["ticket_ids"])}


def _voucher_back(document: Document) -> Document:
    return {**document, "ticket_ids": uuids(document["ticket_ids"])}


def _reseller_out(document: Document) -> Document:
    tickets = document["ticket_ids"]
    return {**document, "ticket_ids": None if tickets is None else texts(tickets)}


def _reseller_back(document: Document) -> Document:
    tickets = document["ticket_ids"]
    return {**document, "ticket_ids": None if tickets is None else uuids(tickets)}


def _task_out(document: Document) -> Document:
    return {**document, "payload": orjson.loads(document["payload"])}


def _task_back(document: Document) -> Document:
    return {**document, "payload": json_text(document["payload"])}


def _event_out(document: Document) -> Document:
    return {**document, "body": orjson.loads(document["body"])}


def _event_back(document: Document) -> Document:
    return {**document, "body": json_text(document["body"])}


def _data_out(document: Document) -> Document:
    return _without_changes({**document, "data": orjson.loads(document["data"])})


def _data_back(document: Document) -> Document:
    return {**document, "data": json_text(document["data"]), "changes": 0}


def _platform_out(document: Document) -> Document:
    return {**document, "document": orjson.loads(document["document"])}


def _platform_back(document: Document) -> Document:
    return {**document, "document": json_text(document["document"])}


LAYOUT: Mapping[str, Kept] = {
    "pois": Kept(collection=schema.pois, out=_point),
    "tickets": Kept(collection=schema.tickets, out=_ticket_out),
    "schedules": Kept(collection=schema.schedules, members=("ticket_id",)),
    "counters": Kept(
        collection=schema.counters,
        out=_without_changes,
        back=lambda document: {**document, "changes": 0},
        stamped=("capacity", "held", "sold", "transient"),
    ),
    "slots": Kept(collection=schema.slots, out=_slot_out),
    "vouchers": Kept(collection=schema.vouchers, out=_voucher_out, back=_voucher_back),
    "resellers": Kept(collection=schema.resellers, out=_reseller_out, back=_reseller_back),
    "reseller_keys": Kept(collection=schema.reseller_keys),
    "webhook_subscriptions": Kept(collection=schema.webhook_subscriptions),
    "bookings": Kept(
        collection=schema.bookings,
        out=booking_out,
        back=stored_booking,
        beside=Beside(
            collection=schema.admissions,
            field="admissions",
            link="booking_id",
            out=_admission_out,
            back=_admission_back,
        ),
    ),
    "redemptions": Kept(collection=schema.redemptions, members=("admission_id", "entry_key")),
    "documents": Kept(collection=schema.documents, members=("booking_id",), unstamped=("pdf",)),
    "ledger": Kept(collection=schema.ledger),
    "webhook_events": Kept(collection=schema.webhook_events, out=_event_out, back=_event_back),
    "webhook_deliveries": Kept(collection=schema.webhook_deliveries, out=_data_out, back=_data_back),
    "outbox": Kept(collection=schema.outbox, out=_task_out, back=_task_back),
    "idempotency": Kept(collection=schema.idempotency, members=("scope", "key"), unstamped=("body",)),
    "platform": Kept(collection=schema.platform, out=_platform_out, back=_platform_back),
}
