"""Bookings as documents, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.mongo.values import Document, instant, local_text, local_time, ms
from ticketing_service.domain.bookings import (
    Booking,
    BookingItem,
    BookingStatus,
    Channel,
    Customer,
    IncludedTax,
    PaymentStatus,
    Price,
    Refund,
    UnitItem,
)
from ticketing_service.domain.catalogue import UnitType
from ticketing_service.domain.claims import email_key
from ticketing_service.storage.records.bookings import terms_document, terms_of
from ticketing_service.storage.records.resale import resale_document, resale_of


def booking_document(booking: Booking) -> Document:
    """All of the document of a booking that is new."""
    return {
        "_id": booking.id,
        **booking_fields(booking),
        "reseller_id": booking.reseller_id,
        "is_test": booking.is_test,
        "created_at": ms(booking.created_at),
        "admits_until": None,
        "next_look_at": None,
        "claims": [],
        "payments": [],
        "provider_ids": [],
        "refunds": [],
        "history": [],
        "revision": 0,
    }


def booking_fields(booking: Booking) -> Document:
    """What of the document `Booking` has to say, but for what never changes. Its units keep no end of their
    admissions.
    """
    customer, price = booking.customer, booking.price
    return {
        "reference": booking.reference,
        "status": booking.status.value,
        "channel": booking.channel.value,
        "principal": booking.principal,
        "customer": {
            "name": customer.name,
            "email": customer.email,
            "email_key": email_key(customer.email),
            "phone": customer.phone,
            "language": customer.language,
        },
        "price": {
            "currency": price.currency,
            "items": price.items,
            "discount": price.discount,
            "fee": price.fee,
            "included_taxes": [[t.name, t.rate_basis_points, t.amount] for t in price.included_taxes],
        },
        "resale_uuid": booking.resale and booking.resale.uuid,
        "resale_reference": booking.resale and booking.resale.reference,
        "resale": resale_document(booking.resale),
        "voucher_id": booking.voucher_id,
        "voucher_code": booking.voucher_code,
        "payment_status": booking.payment_status.value,
        "return_url": booking.return_url,
        "extensions": booking.extensions,
        "version": booking.version,
        "expires_at": ms(booking.expires_at),
        "updated_at": ms(booking.updated_at),
        "ends_at": max(ms(item.ends_at) for item in booking.items),
        "items": [_item_document(item) for item in booking.items],
    }


def _item_document(item: BookingItem) -> Document:
    return {
        "id": item.id,
        "ticket_id": item.ticket_id,
        "option_id": item.option_id,
        "slot_id": item.slot_id,
        "local_start": local_text(item.local_start),
        "local_end": local_text(item.local_end),
        "time_zone": item.time_zone,
        "starts_at": ms(item.starts_at),
        "ends_at": ms(item.ends_at),
        "sales_end_at": ms(item.sales_end_at),
        "terms": terms_document(item.terms),
        "units": [_unit_document(unit) for unit in item.units],
    }


def _unit_document(unit: UnitItem) -> Document:
    return {
        "id": unit.id,
        "unit_id": unit.unit_id,
        "unit_type": unit.unit_type.value,
        "title": dict(unit.title),
        "pax_count": unit.pax_count,
        "price": unit.price,
        "discount": unit.discount,
        "commission": unit.commission,
        "net": unit.net,
        "status": unit.status.value,
        "admission_id": unit.admission_id,
        "admits_until": None,
    }


def booking_of(document: Mapping[str, Any]) -> Booking:
    """The booking in a document."""
    customer, price = document["customer"], document["price"]
    return Booking(
        id=document["_id"],
        reference=document["reference"],
        status=BookingStatus(document["status"]),
        channel=Channel(document["channel"]),
        principal=document["principal"],
        reseller_id=document["reseller_id"],
        is_test=document["is_test"],
        resale=resale_of(document["resale"]),
        customer=Customer(
            name=customer["name"],
            email=customer["email"],
            phone=customer["phone"],
            language=customer["language"],
        ),
        items=tuple(map(_item_of, document["items"])),
        price=Price(
            currency=price["currency"],
            items=price["items"],
            discount=price["discount"],
            fee=price["fee"],
            included_taxes=tuple(IncludedTax(*tax) for tax in price["included_taxes"]),
        ),
        voucher_id=document["voucher_id"],
        voucher_code=document["voucher_code"],
        payment_status=PaymentStatus(document["payment_status"]),
        refunds=tuple(map(_refund_of, document["refunds"])),
        return_url=document["return_url"],
        extensions=document["extensions"],
        version=document["version"],
        created_at=instant(document["created_at"]),
        expires_at=instant(document["expires_at"]),
        updated_at=instant(document["updated_at"]),
    )


def _refund_of(document: Mapping[str, Any]) -> Refund:
    return Refund(
        id=document["id"],
        payment_id=document["payment_id"],
        amount=document["amount"],
        reason=document["reason"],
        status=document["status"],
        created_at=instant(document["created_at"]),
    )


def _item_of(document: Mapping[str, Any]) -> BookingItem:
    return BookingItem(
        id=document["id"],
        ticket_id=document["ticket_id"],
        option_id=document["option_id"],
        slot_id=document["slot_id"],
        local_start=local_time(document["local_start"]),
        local_end=local_time(document["local_end"]),
        time_zone=document["time_zone"],
        starts_at=instant(document["starts_at"]),
        ends_at=instant(document["ends_at"]),
        sales_end_at=instant(document["sales_end_at"]),
        terms=terms_of(document["terms"]),
        units=tuple(map(_unit_of, document["units"])),
    )


def _unit_of(document: Mapping[str, Any]) -> UnitItem:
    return UnitItem(
        id=document["id"],
        unit_id=document["unit_id"],
        unit_type=UnitType(document["unit_type"]),
        title=document["title"],
        pax_count=document["pax_count"],
        price=document["price"],
        discount=document["discount"],
        commission=document["commission"],
        net=document["net"],
        status=BookingStatus(document["status"]),
        admission_id=document["admission_id"],
    )
