"""What the admin service asks, and what it is answered."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from marshmallow import fields

from common.web.documents import Document
from common.web.schemas import ApiSchema
from common.web.values import Day, EmailAddress
from ticketing_service.domain.bookings import Booking
from ticketing_service.schemas.booking_answers import booking_document
from ticketing_service.storage.ports.ledger import RevenueRow
from ticketing_service.storage.ports.people import Erasure


class PersonIn(ApiSchema):
    email = EmailAddress(required=True)


class SalesFilter(ApiSchema):
    """Days of the books, both included."""

    day_from = Day(required=True, data_key="from")
    day_to = Day(required=True, data_key="to")


class SalesRowOut(ApiSchema):
    """Minor units of `currency`."""

    currency = fields.String(required=True)
    bookings = fields.Integer(required=True)
    units = fields.Integer(required=True)
    sales = fields.Integer(required=True)
    fees = fields.Integer(required=True)
    refunds = fields.Integer(required=True)


class SalesOut(ApiSchema):
    data = fields.List(fields.Nested(SalesRowOut), required=True)


class PersonOut(ApiSchema):
    bookings = fields.List(fields.Dict(), required=True)


class ErasedOut(ApiSchema):
    bookings = fields.Integer(required=True)
    open_bookings = fields.Integer(required=True)


_ADDED = ("bookings", "units", "sales", "fees", "refunds")


def sales_document(rows: Iterable[RevenueRow]) -> Document:
    """By currency: as `SalesOut` says."""
    totals: dict[str, dict[str, Any]] = {}
    for row in rows:
        total = totals.setdefault(row.currency, dict.fromkeys(_ADDED, 0))
        for name in _ADDED:
            total[name] += getattr(row, name)
    return {"data": [{"currency": currency, **totals[currency]} for currency in sorted(totals)]}


def person_document(bookings: Iterable[Booking], now: datetime) -> Document:
    """As `PersonOut` says."""
    return {"bookings": [booking_document(booking, now, None, with_contact=True) for booking in bookings]}


def erased_document(erasure: Erasure) -> Document:
    return {"bookings": erasure.bookings, "openBookings": erasure.open_bookings}
