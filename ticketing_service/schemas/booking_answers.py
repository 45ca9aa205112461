"""Bookings: what goes out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from marshmallow import fields

from common.web.schemas import ApiSchema, Instant
from ticketing_service.actions.bookings import shown_status
from ticketing_service.domain.bookings import (
    Booking,
    BookingItem,
    BookingStatus,
    Customer,
    Payment,
    Price,
    Refund,
)
from ticketing_service.domain.local_time import with_offset
from ticketing_service.schemas.documents import Document, instant_text, money
from ticketing_service.schemas.values import Money


class CustomerOut(ApiSchema):
    name = fields.String(required=True)
    email = fields.String(required=True)
    phone = fields.String(required=True, allow_none=True)
    language = fields.String(required=True)


class UnitItemOut(ApiSchema):
    """One unit sold; `price` is before any discount."""

    id = fields.UUID(required=True)
    unit_id = fields.UUID(required=True)
    status = fields.String(required=True)
    price = fields.Nested(Money, required=True)
    admission_id = fields.UUID(required=True, allow_none=True)


class ItemOut(ApiSchema):
    id = fields.UUID(required=True)
    ticket_id = fields.UUID(required=True)
    option_id = fields.UUID(required=True)
    slot_id = fields.UUID(required=True)
    local_start = fields.String(required=True)
    local_end = fields.String(required=True)
    time_zone = fields.String(required=True)
    status = fields.String(required=True)
    units = fields.List(fields.Nested(UnitItemOut), required=True)


class IncludedTaxOut(ApiSchema):
    name = fields.String(required=True)
    rate_basis_points = fields.Integer(required=True)
    amount = fields.Nested(Money, required=True)


class PriceOut(ApiSchema):
    """`total` = `items` - `discount` + `fee`; the taxes are contained in it."""

    items = fields.Nested(Money, required=True)
    discount = fields.Nested(Money, required=True)
    fee = fields.Nested(Money, required=True)
    total = fields.Nested(Money, required=True)
    included_taxes = fields.List(fields.Nested(IncludedTaxOut), required=True)


class BookingPayment(ApiSchema):
    """`paymentUrl` is there while the booking is on hold and costs something."""

    status = fields.String(required=True)
    payment_url = fields.Url(required=True, allow_none=True, require_tld=False)


class RefundOut(ApiSchema):
    id = fields.UUID(required=True)
    amount = fields.Nested(Money, required=True)
    reason = fields.String(required=True)
    status = fields.String(required=True)
    created_at = Instant(required=True)


class ResaleOut(ApiSchema):
    """Of what the customer pays, what the reseller owes us, and what it keeps."""

    net = fields.Nested(Money, required=True)
    commission = fields.Nested(Money, required=True)


class BookingOut(ApiSchema):
    """A booking. `customer` is null for who may not see it; `resale` is there for the reseller and for staff;
    `accessToken` is there when it is made.
    """

    id = fields.UUID(required=True)
    reference = fields.String(required=True)
    status = fields.String(required=True)
    channel = fields.String(required=True)
    reseller_id = fields.UUID(required=True, allow_none=True)
    is_test = fields.Boolean(required=True)
    created_at = Instant(required=True)
    expires_at = Instant(required=True)
    customer = fields.Nested(CustomerOut, required=True, allow_none=True)
    items = fields.List(fields.Nested(ItemOut), required=True)
    price = fields.Nested(PriceOut, required=True)
    payment = fields.Nested(BookingPayment, required=True)
    refunds = fields.List(fields.Nested(RefundOut), required=True)
    resale = fields.Nested(ResaleOut)
    cancellable_until = Instant(required=True, allow_none=True)
    access_token = fields.String()


class PaymentOut(ApiSchema):
    """A session at the payment module."""

    payment_id = fields.UUID(required=True)
    status = fields.String(required=True)
    redirect_url = fields.String(required=True, allow_none=True)
    expires_at = Instant(required=True, allow_none=True)


def booking_document(
    booking: Booking,
    now: datetime,
    payment_url: str | None,
    *,
    with_contact: bool = True,
    with_resale: bool = False,
) -> Document:
    """As `BookingOut` says. `payment_url` is shown only while there is something to pay."""
    status = shown_status(booking, now)
    ended = status is not booking.status
    payable = status is BookingStatus.ON_HOLD and booking.to_pay > 0
    until = booking.cancellable_until
    document = {
        "id": booking.id,
        "reference": booking.reference,
        "status": status,
        "channel": booking.channel,
        "resellerId": booking.reseller_id,
        "isTest": booking.is_test,
        "createdAt": instant_text(booking.created_at),
        "expiresAt": instant_text(booking.expires_at),
        "customer": _customer(booking.customer) if with_contact else None,
        "items": [_item(item, booking.price.currency, status if ended else None) for item in booking.items],
        "price": price_document(booking.price),
        "payment": {"status": booking.payment_status, "paymentUrl": payment_url if payable else None},
        "refunds": [_refund(refund, booking.price.currency) for refund in booking.refunds],
        "cancellableUntil": None if until is None else instant_text(until),
    }
    if with_resale and booking.reseller_id is not None:
        kept = booking.price.total - booking.net
        document["resale"] = {
            "net": money(booking.net, booking.price.currency),
            "commission": money(kept, booking.price.currency),
        }
    return document


def price_document(price: Price) -> Document:
    """As `PriceOut` says."""
    currency = price.currency
    return {
        "items": money(price.items, currency),
        "discount": money(price.discount, currency),
        "fee": money(price.fee, currency),
        "total": money(price.total, currency),
        "includedTaxes": [
            {
                "name": tax.name,
                "rateBasisPoints": tax.rate_basis_points,
                "amount": money(tax.amount, currency),
            }
            for tax in price.included_taxes
        ],
    }


def payment_document(payment: Payment) -> Document:
    """As `PaymentOut` says."""
    ends = payment.session_ends_at
    return {
        "paymentId": payment.id,
        "status": payment.state,
        "redirectUrl": payment.redirect_url,
        "expiresAt": None if ends is None else instant_text(ends),
    }


CSV_COLUMNS = (
    "reference", "status", "channel", "createdAt", "units", "total", "discount", "fee", "currency",
    "paymentStatus", "refunded", "name", "email", "phone", "language",
)  # fmt: skip


def booking_row(booking: Booking, now: datetime, *, with_contact: bool) -> tuple[Any, ...]:
    """One line of the CSV, in the order of `CSV_COLUMNS`; amounts in minor units."""
    customer = booking.customer
    contact = (customer.name, customer.email, customer.phone or "", customer.language)
    return (
        booking.reference,
        shown_status(booking, now).value,
        booking.channel.value,
        instant_text(booking.created_at),
        len(booking.unit_items),
        booking.price.total,
        booking.price.discount,
        booking.price.fee,
        booking.price.currency,
        booking.payment_status.value,
        sum(refund.amount for refund in booking.refunds if refund.status == "refunded"),
        *(contact if with_contact else ("",) * len(contact)),
    )


def _customer(customer: Customer) -> Document:
    return {
        "name": customer.name,
        "email": customer.email,
        "phone": customer.phone,
        "language": customer.language,
    }


def _item(item: BookingItem, currency: str, ended: BookingStatus | None) -> Document:
    return {
        "id": item.id,
        "ticketId": item.ticket_id,
        "optionId": item.option_id,
        "slotId": item.slot_id,
        "localStart": with_offset(item.starts_at, item.time_zone),
        "localEnd": with_offset(item.ends_at, item.time_zone),
        "timeZone": item.time_zone,
        "status": ended or item.status,
        "units": [
            {
                "id": unit.id,
                "unitId": unit.unit_id,
                "status": ended or unit.status,
                "price": money(unit.price, currency),
                "admissionId": unit.admission_id,
            }
            for unit in item.units
        ],
    }


def _refund(refund: Refund, currency: str) -> Document:
    return {
        "id": refund.id,
        "amount": money(refund.amount, currency),
        "reason": refund.reason,
        "status": refund.status,
        "createdAt": instant_text(refund.created_at),
    }
