"""What the store has of a run, asked for past the service; in documents or in rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from benchmarks import mongodb
from benchmarks.databases import rows
from common.clock import system_clock
from common.database.kinds import kind_of

_SOLD = ("confirmed", "redeemed", "no_show")
_STANDING = ("on_hold", *_SOLD)
_COUNT_SOLD = "SELECT COUNT(*) FROM ticketing_bookings WHERE status IN (?, ?, ?)"
_COUNT_DUE = "SELECT COUNT(*) FROM ticketing_outbox WHERE due_at <= ?"
_ON_SLOT = """
SELECT bookings.id, bookings.customer_email, SUM(units.pax_count) FROM ticketing_unit_items units
JOIN ticketing_booking_items items ON items.id = units.item_id
JOIN ticketing_bookings bookings ON bookings.id = items.booking_id
WHERE items.slot_id = ? AND units.status IN (?, ?, ?, ?)
GROUP BY bookings.id, bookings.customer_email
"""

Stored = Sequence[tuple[UUID, str, int]]
"""Of each standing booking: id, whose it is, how many people."""


def sold(url: str) -> int:
    """How many bookings are confirmed, or were until they were used."""
    if kind_of(url) == "mongodb":
        return _counted(url, "ticketing_bookings", {"status": {"$in": list(_SOLD)}})
    return int(rows(url, _COUNT_SOLD, _SOLD)[0][0])


def backlog(url: str) -> int:
    """How many tasks are due: money to collect, codes to make, mail to send."""
    now = round(system_clock().timestamp() * 1000)
    if kind_of(url) == "mongodb":
        return _counted(url, "ticketing_outbox", {"due_at": {"$lte": now}})
    return int(rows(url, _COUNT_DUE, (now,))[0][0])


def standing(url: str, slot: UUID) -> Stored:
    """The bookings that have a place on a slot."""
    if kind_of(url) != "mongodb":
        found = rows(url, _ON_SLOT, (slot.bytes, *_STANDING))
        return [(UUID(bytes=bytes(key)), str(email), int(people)) for key, email, people in found]
    with mongodb.client(url) as client:
        bookings = client.get_default_database()["ticketing_bookings"].find({"items.slot_id": slot})
        on_slot = [(each, _people(each, slot)) for each in bookings]
    return [(each["_id"], each["customer"]["email"], people) for each, people in on_slot if people]


def _people(booking: dict[str, Any], slot: UUID) -> int:
    return sum(
        unit["pax_count"]
        for item in booking["items"]
        if item["slot_id"] == slot
        for unit in item["units"]
        if unit["status"] in _STANDING
    )


def _counted(url: str, collection: str, condition: dict[str, Any]) -> int:
    with mongodb.client(url) as client:
        return int(client.get_default_database()[collection].count_documents(condition))
