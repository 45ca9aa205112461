"""Documents as the predecessor wrote them: a little of everything that can be taken over."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

from bson import ObjectId
from pymongo import MongoClient
from pymongo.database import Database

Document = dict[str, Any]
MADE = datetime(2026, 5, 1, 9, 30, tzinfo=UTC)
DAY = datetime(2026, 7, 1, tzinfo=UTC)
MIDNIGHT_AT_THE_PLACE = datetime(2026, 7, 1, 22, tzinfo=UTC)
"""Of 2 July, by the clocks of Madrid."""


def oid(number: int) -> ObjectId:
    """An id of its own; the greater the number the later it was made."""
    return ObjectId(f"66{number:06x}aabbccddee{number:06x}")


def number_of(identifier: ObjectId) -> int:
    """What `oid` was given."""
    return int(str(identifier)[2:8], 16)


def poi(number: int = 1, **changes: Any) -> Document:
    return changed(
        {
            "_id": oid(number),
            "name": "Lighthouse",
            "category": "attractions",
            "subcategory": "towers",
            "description": "High & white.\nOpen <all> year.",
            "shortDescription": "A tower",
            "location": {
                "city": "Calpe",
                "region": "Costa Blanca",
                "country": "Spain",
                "address": "Calle del Mar 1",
                "postalCode": "03710",
                "coordinates": {"type": "Point", "coordinates": [0.0781, 38.6347]},
            },
            "contact": {
                "phone": "+34 965 836 920",
                "email": "faro@example.org",
                "website": "https://example.org",
            },
            "hours": {
                "regular": [
                    {"_id": ObjectId(), "day": "monday", "open": "09:00", "close": "13:00", "closed": False},
                    {"_id": ObjectId(), "day": "monday", "open": "15:00", "close": "18:00"},
                    {"_id": ObjectId(), "day": "tuesday", "closed": True},
                ],
                "timezone": "Europe/Madrid",
            },
            "pricing": {"category": "€€", "range": {"min": 7.5, "max": 15, "currency": "EUR"}},
            "rating": {"average": 4.7, "count": 12},
            "features": ["wheelchair_accessible", "family_friendly"],
            "aiTags": ["hidden_gem"],
            "official": {"dmoVerified": True, "touristBoard": "Turismo", "lastVerified": MADE},
            "status": "active",
            "quality": {"needsReview": False},
            "translations": {"es": {"name": "Faro", "description": "Alto.", "shortDescription": "Una torre"}},
            "createdAt": MADE,
            "updatedAt": MADE + timedelta(days=1),
            "__v": 0,
        },
        changes,
    )


def availability(number: int = 101, **changes: Any) -> Document:
    return changed(
        {
            "_id": oid(number),
            "poiId": oid(1),
            "date": DAY,
            "timeslot": "10:00-11:30",
            "capacity": {"total": 20, "booked": 5, "reserved": 3, "available": 12},
            "pricing": {
                "basePrice": 12.5,
                "currency": "EUR",
                "dynamicPriceMultiplier": 1.1,
                "finalPrice": 13.75,
            },
            "restrictions": {"minBooking": 1, "maxBooking": 10, "cutoffHours": 2},
            "isActive": True,
            "isSoldOut": False,
            "metadata": {"createdBy": "system"},
            "createdAt": MADE,
            "updatedAt": MADE,
            "__v": 0,
        },
        changes,
    )


def booking(number: int = 1001, **changes: Any) -> Document:
    """Two adults and a child, 37.50 with 3.38 of tax and 2.50 of fee: 43.38; confirmed."""
    return changed(
        {
            "_id": oid(number),
            "bookingReference": f"BK-2026-{number:06}",
            "userId": ObjectId(),
            "poiId": oid(1),
            "status": "confirmed",
            "details": {"date": DAY, "time": "10:00", "guests": {"adults": 2, "children": 1, "infants": 0}},
            "pricing": {
                "basePrice": 12.5, "taxes": 3.38, "fees": 2.5, "discount": 0, "totalPrice": 43.38,
                "currency": "EUR", "commission": 3.0,
            },
            "payment": {"status": "paid", "method": "ideal", "transactionId": f"tx-{number}", "paidAt": MADE},
            "tickets": {"ticketIds": [], "deliveryMethod": "email"},
            "experience": {"productType": "ticket", "language": "nl"},
            "cancellation": {
                "allowCancellation": True, "refundPolicy": "full",
                "cancellationDeadline": DAY - timedelta(hours=24),
            },
            "reservation": {"isLocked": False, "lockedUntil": None},
            "guestInfo": {"name": "Zoë Jansen", "email": "Zoe@example.org", "phone": "+31 6 12345678"},
            "metadata": {"source": "mobile", "ipAddress": "192.0.2.1"},
            "createdAt": MADE - timedelta(minutes=10),
            "updatedAt": MADE + timedelta(hours=1),
            "__v": 0,
        },
        changes,
    )  # fmt: skip


def ticket(number: int, of: int = 1001, **changes: Any) -> Document:
    return changed(
        {
            "_id": oid(number),
            "ticketNumber": f"HB-2026-{number:06}",
            "bookingId": oid(of),
            "userId": ObjectId(),
            "poiId": oid(1),
            "type": "single",
            "validity": {
                "validFrom": DAY,
                "validUntil": DAY + timedelta(days=1),
                "timezone": "Europe/Amsterdam",
            },
            "qrCode": {"data": "eyJ", "format": "QR"},
            "holder": {"name": "Zoë Jansen", "email": "zoe@example.org"},
            "details": {"productName": "Lighthouse", "quantity": 1, "language": "nl"},
            "validation": {"isValidated": False},
            "status": "active",
            "metadata": {"source": "mobile", "isTransferred": False},
            "createdAt": MADE,
            "updatedAt": MADE,
            "__v": 0,
        },
        changes,
    )


def used(number: int, of: int) -> Document:
    validation = {"isValidated": True, "validatedAt": DAY + timedelta(hours=9), "validatedBy": "gate 2"}
    return ticket(number, of, status="used", validation=validation)


UNPAID = {"payment": {"status": "pending"}}
FREE = {"basePrice": 0, "taxes": 0, "fees": 0, "totalPrice": 0, "commission": 0}


def everything() -> dict[str, list[Document]]:
    """By collection. Of the first availability 3 are on hold and 13 are sold."""
    cancelled = {"cancelledAt": MADE + timedelta(hours=1), "cancellationReason": "ill"}
    bookings = [
        booking(1001),
        booking(1002, status="completed"),
        booking(1003, status="no-show"),
        booking(1004, status="pending", reservation={"lockedUntil": MADE}, **UNPAID),
        booking(1005, status="expired", **UNPAID),
        booking(1006, status="cancelled", cancellation=cancelled),
        booking(1007, status="cancelled", cancellation=cancelled, payment__status="refunded"),
        booking(1008, payment__status="partially_refunded", cancellation__partialRefundPercentage=50),
        booking(1009, poiId=oid(2), details={
            "date": MIDNIGHT_AT_THE_PLACE, "guests": {"adults": 1, "children": 0, "infants": 1},
        }, pricing={**FREE, "basePrice": 0}, payment={"status": "pending"}),
        booking(1010, details__guests={"adults": 1, "children": 0, "infants": 0}, voucher={"code": "TENOFF"},
                pricing={"basePrice": 12.5, "taxes": 1.13, "fees": 2.5, "discount": 1.25, "totalPrice": 14.88,
                         "currency": "EUR", "commission": 1.0}),
    ]  # fmt: skip
    tickets = [
        ticket(2000 + 10 * number + each, 1000 + number) for number in (1, 6, 7, 8) for each in range(3)
    ]
    tickets += [used(2020, 1002), ticket(2021, 1002), ticket(2022, 1002, status="expired")]
    tickets += [ticket(2030 + each, 1003, status="expired") for each in range(3)]
    tickets += [ticket(2090 + each, 1009, poiId=oid(2)) for each in range(2)]
    tickets += [used(2100, 1010)]
    for each in tickets:
        if each["bookingId"] in (oid(1006), oid(1007)):
            each["status"] = "cancelled"
    return {
        "pois": [
            poi(),
            poi(2, name="Salt flats", category="nature", status="closed_temporarily", official={},
                translations={}),
            poi(3, name="Old inn", category="hotels", location__country="NL", status="pending",
                location__coordinates__coordinates=[4.8, 53.06], hours={"timezone": "Europe/Amsterdam"}),
        ],
        "availabilities": [
            availability(101),
            availability(102, timeslot="14:00-15:00", isActive=False),
            availability(103, poiId=oid(2), date=MIDNIGHT_AT_THE_PLACE, timeslot=None,
                         pricing={"basePrice": 0}),
            availability(104, date=DAY + timedelta(days=1), pricing={"basePrice": 20}),
        ],
        "bookings": bookings,
        "tickets": tickets,
    }  # fmt: skip


def changed(document: Document, changes: Document) -> Document:
    """With other members; `a__b` is the member b of a."""
    made = deepcopy(document)
    for path, value in changes.items():
        *above, name = path.split("__")
        inner = made
        for each in above:
            inner = inner[each]
        inner[name] = value
    return made


def fill(url: str, documents: dict[str, list[Document]]) -> str:
    """The URL, in whose database they are now."""
    with opened(url) as database:
        for collection, some in documents.items():
            if some:
                database[collection].insert_many(deepcopy(some))
    return url


@contextmanager
def opened(url: str) -> Iterator[Database[Document]]:
    client: MongoClient[Document] = MongoClient(
        url, timeoutMS=60_000, w="majority", journal=True, tz_aware=True
    )
    with client:
        yield client.get_default_database()
