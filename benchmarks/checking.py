"""After the load: does what the store counts agree with what it sold?"""

from __future__ import annotations

import time
from dataclasses import dataclass

from benchmarks import mongodb
from benchmarks.databases import snapshot
from common.database.kinds import kind_of
from ticketing_service.storage.transfer import violations

SETTLE_SECONDS = 5.0
_TAKEN = """
SELECT items.slot_id, bookings.status, SUM(units.pax_count)
FROM ticketing_unit_items units
JOIN ticketing_booking_items items ON items.id = units.item_id
JOIN ticketing_bookings bookings ON bookings.id = units.booking_id
WHERE units.status IN ('on_hold', 'confirmed') GROUP BY items.slot_id, bookings.status
"""
_COUNTED = """
SELECT links.slot_id, counters.held, counters.sold, counters.capacity
FROM ticketing_slot_counters links JOIN ticketing_capacity_counters counters ON counters.id = links.counter_id
"""
_CONFIRMED = "SELECT COUNT(*) FROM ticketing_bookings WHERE status = 'confirmed'"


class Inconsistent(Exception):
    """The store's counters and bookings disagree, or a sale is lost: the figures would be worthless."""


@dataclass(frozen=True, slots=True)
class Books:
    """People taken beyond a capacity, and confirmed bookings in the store."""

    oversold: int
    confirmed: int


def check_books(url: str, acknowledged: int) -> Books:
    """Compare every slot's counter (one a slot here) with its bookings. Raises Inconsistent."""
    if kind_of(url) == "mongodb":
        return _check_mongodb(url, acknowledged)
    sums, counters, ((confirmed,),) = snapshot(url, _TAKEN, _COUNTED, _CONFIRMED)
    taken: dict[bytes, dict[str, int]] = {}
    for slot, status, people in sums:
        taken.setdefault(bytes(slot), {})[status] = int(people)
    oversold = 0
    for slot, held, sold, capacity in counters:
        here = taken.get(bytes(slot), {})
        booked = here.get("on_hold", 0), here.get("confirmed", 0)
        if (held, sold) != booked:
            raise Inconsistent(
                f"slot {bytes(slot).hex()}: counted {held}+{sold}, booked {booked[0]}+{booked[1]}"
            )
        oversold += max(0, sum(booked) - (capacity if capacity is not None else sum(booked)))
    return _with_all(acknowledged, Books(oversold, confirmed))


def _check_mongodb(url: str, acknowledged: int) -> Books:
    """The same of documents, by the service's own check, which is right once nobody writes any more: whoever
    made the load has gone, but what was accepted last may still be under way.
    """
    end = time.monotonic() + SETTLE_SECONDS
    # what is oversold is counted, and held to the aim
    while found := [line for line in violations(url) if not line.startswith("oversold")]:
        if time.monotonic() > end:
            raise Inconsistent("; ".join(found[:5]))
        time.sleep(0.1)
    return _with_all(acknowledged, Books(mongodb.oversold(url), mongodb.confirmed(url)))


def _with_all(acknowledged: int, books: Books) -> Books:
    if books.confirmed < acknowledged:
        raise Inconsistent(f"{acknowledged} sales were acknowledged, {books.confirmed} are in the store")
    return books
