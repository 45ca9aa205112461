"""Bookings as rows, and back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, Connection, Row, and_, bindparam, insert, select, update

from common.database.prepared import Prepared, Target
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
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.storage.records.bookings import terms_document, terms_of
from ticketing_service.storage.records.resale import resale_document, resale_of
from ticketing_service.storage.sql import schema

_items, _units, _refunds = schema.booking_items, schema.unit_items, schema.refunds
_ids: BindParameter[list[UUID]] = bindparam("ids", expanding=True)
_SELECT_ITEMS = (
    select(_items).where(_items.c.booking_id.in_(_ids)).order_by(_items.c.booking_id, _items.c.position)
)
_SELECT_UNITS = (
    select(_units).where(_units.c.booking_id.in_(_ids)).order_by(_units.c.booking_id, _units.c.position)
)
_SELECT_REFUNDS = select(_refunds).where(_refunds.c.booking_id.in_(_ids)).order_by(_refunds.c.id)

_INSERT_BOOKING = Prepared(insert(schema.bookings))
_INSERT_ITEM = Prepared(insert(_items))
_INSERT_UNIT = Prepared(insert(_units))
_is_asked = schema.bookings.c.id == bindparam("booking")
_BOOKING = Prepared(select(schema.bookings).where(_is_asked))
_is_resold = and_(
    schema.bookings.c.reseller_id == bindparam("reseller"),
    schema.bookings.c.is_test == bindparam("test"),
    schema.bookings.c.resale_uuid == bindparam("uuid"),
)
_RESOLD = Prepared(select(schema.bookings).where(_is_resold))
_RESOLD_ID = Prepared(select(schema.bookings.c.id).where(_is_resold))
_LOCKED_BOOKING = Prepared(select(schema.bookings).where(_is_asked).with_for_update())
_TOLD = (
    "resale_uuid", "resale_reference", "resale", "customer_name", "customer_email", "customer_email_key",
    "customer_phone", "language",
)  # fmt: skip
_UPDATE_TOLD = Prepared(
    update(schema.bookings).where(_is_asked).values({name: bindparam(f"to_{name}") for name in _TOLD})
)
_ITEMS = Prepared(
    select(_items).where(_items.c.booking_id == bindparam("booking")).order_by(_items.c.position)
)
_UNITS = Prepared(
    select(_units).where(_units.c.booking_id == bindparam("booking")).order_by(_units.c.position)
)
_REFUNDS = Prepared(
    select(_refunds).where(_refunds.c.booking_id == bindparam("booking")).order_by(_refunds.c.id)
)


def insert_booking(target: Target, booking: Booking) -> None:
    """Write the booking with its items and unit items."""
    _INSERT_BOOKING.run_all(target, [booking_row(booking)])
    insert_items(target, booking)


def update_told(target: Target, booking: Booking) -> None:
    """Write what was told of the booking: its customer, and what its reseller has written down."""
    row = booking_row(booking)
    told = {f"to_{name}": row[name] for name in _TOLD}
    _UPDATE_TOLD.run_all(target, [{"booking": booking.id, **told}])


def insert_items(target: Target, booking: Booking) -> None:
    """Write the items and unit items alone."""
    _INSERT_ITEM.run_all(
        target, (item_row(booking.id, position, item) for position, item in enumerate(booking.items))
    )
    pairs = enumerate((item.id, unit) for item in booking.items for unit in item.units)
    _INSERT_UNIT.run_all(
        target, (unit_row(booking.id, item_id, position, unit) for position, (item_id, unit) in pairs)
    )


def booking_in(connection: Connection, booking_id: UUID, *, lock: bool = False) -> Booking | None:
    """The booking; with `lock` nobody else changes it before this transaction ends."""
    row = (_LOCKED_BOOKING if lock else _BOOKING).row(connection, booking=booking_id)
    return None if row is None else _booking_with_parts(connection, row)


def resold_booking_in(
    connection: Connection, reseller_id: UUID, uuid: UUID, *, is_test: bool
) -> Booking | None:
    """The booking that the reseller calls so."""
    row = _RESOLD.row(connection, reseller=reseller_id, test=is_test, uuid=uuid)
    return None if row is None else _booking_with_parts(connection, row)


def resold_id_in(connection: Connection, reseller_id: UUID, uuid: UUID, *, is_test: bool) -> UUID | None:
    """Its id alone."""
    row = _RESOLD_ID.row(connection, reseller=reseller_id, test=is_test, uuid=uuid)
    return None if row is None else row.id


def _booking_with_parts(connection: Connection, row: Any) -> Booking:
    parts = (each.rows(connection, booking=row.id) for each in (_ITEMS, _UNITS, _REFUNDS))
    return _assembled([row], *parts)[0]


def locked_booking(connection: Connection, booking_id: UUID) -> Booking:
    """The booking, locked. Raises BOOKING_NOT_FOUND."""
    booking = booking_in(connection, booking_id, lock=True)
    if booking is None:
        raise Refused(Code.BOOKING_NOT_FOUND)
    return booking


def bookings_of(connection: Connection, rows: Sequence[Row[Any]]) -> list[Booking]:
    """The bookings of `rows` in their order, in three statements however many there are."""
    if not rows:
        return []
    ids = {"ids": [row.id for row in rows]}
    parts = (connection.execute(each, ids) for each in (_SELECT_ITEMS, _SELECT_UNITS, _SELECT_REFUNDS))
    return _assembled(rows, *parts)


def _assembled(
    rows: Iterable[Any], item_rows: Iterable[Any], unit_rows: Iterable[Any], refund_rows: Iterable[Any]
) -> list[Booking]:
    units: dict[UUID, list[UnitItem]] = defaultdict(list)
    for row in unit_rows:
        units[row.item_id].append(_unit_of(row))
    items: dict[UUID, list[BookingItem]] = defaultdict(list)
    for row in item_rows:
        items[row.booking_id].append(_item_of(row, units[row.id]))
    refunds: dict[UUID, list[Refund]] = defaultdict(list)
    for row in refund_rows:
        refunds[row.booking_id].append(
            Refund(
                id=row.id,
                payment_id=row.payment_id,
                amount=row.amount,
                reason=row.reason,
                status=row.status,
                created_at=row.created_at,
            )
        )
    return [_booking_of(row, items[row.id], refunds[row.id]) for row in rows]


def booking_row(booking: Booking) -> dict[str, Any]:
    """The columns of the booking itself."""
    customer, price = booking.customer, booking.price
    return {
        "id": booking.id,
        "reference": booking.reference,
        "status": booking.status.value,
        "channel": booking.channel.value,
        "principal": booking.principal,
        "reseller_id": booking.reseller_id,
        "is_test": booking.is_test,
        "resale_uuid": booking.resale and booking.resale.uuid,
        "resale_reference": booking.resale and booking.resale.reference,
        "resale": resale_document(booking.resale),
        "customer_name": customer.name,
        "customer_email": customer.email,
        "customer_email_key": customer.email.strip().casefold(),
        "customer_phone": customer.phone,
        "language": customer.language,
        "currency": price.currency,
        "items_amount": price.items,
        "discount_amount": price.discount,
        "fee_amount": price.fee,
        "included_taxes": [[t.name, t.rate_basis_points, t.amount] for t in price.included_taxes],
        "voucher_id": booking.voucher_id,
        "voucher_code": booking.voucher_code,
        "payment_status": booking.payment_status.value,
        "return_url": booking.return_url,
        "extensions": booking.extensions,
        "version": booking.version,
        "created_at": booking.created_at,
        "expires_at": booking.expires_at,
        "updated_at": booking.updated_at,
        "admits_until": None,
    }


def item_row(booking_id: UUID, position: int, item: BookingItem) -> dict[str, Any]:
    return {
        "id": item.id,
        "booking_id": booking_id,
        "position": position,
        "ticket_id": item.ticket_id,
        "option_id": item.option_id,
        "slot_id": item.slot_id,
        "local_start": item.local_start,
        "local_end": item.local_end,
        "time_zone": item.time_zone,
        "starts_at": item.starts_at,
        "ends_at": item.ends_at,
        "sales_end_at": item.sales_end_at,
        "terms": terms_document(item.terms),
    }


def unit_row(booking_id: UUID, item_id: UUID, position: int, unit: UnitItem) -> dict[str, Any]:
    return {
        "id": unit.id,
        "item_id": item_id,
        "booking_id": booking_id,
        "position": position,
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
    }


def _booking_of(row: Any, items: Iterable[BookingItem], refunds: Iterable[Refund]) -> Booking:
    return Booking(
        id=row.id,
        reference=row.reference,
        status=BookingStatus(row.status),
        channel=Channel(row.channel),
        principal=row.principal,
        reseller_id=row.reseller_id,
        is_test=row.is_test,
        resale=resale_of(row.resale),
        customer=Customer(
            name=row.customer_name, email=row.customer_email, phone=row.customer_phone, language=row.language
        ),
        items=tuple(items),
        price=Price(
            currency=row.currency,
            items=row.items_amount,
            discount=row.discount_amount,
            fee=row.fee_amount,
            included_taxes=tuple(IncludedTax(*tax) for tax in row.included_taxes),
        ),
        voucher_id=row.voucher_id,
        voucher_code=row.voucher_code,
        payment_status=PaymentStatus(row.payment_status),
        refunds=tuple(refunds),
        return_url=row.return_url,
        extensions=row.extensions,
        version=row.version,
        created_at=row.created_at,
        expires_at=row.expires_at,
        updated_at=row.updated_at,
    )


def _item_of(row: Any, units: Iterable[UnitItem]) -> BookingItem:
    return BookingItem(
        id=row.id,
        ticket_id=row.ticket_id,
        option_id=row.option_id,
        slot_id=row.slot_id,
        local_start=row.local_start,
        local_end=row.local_end,
        time_zone=row.time_zone,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        sales_end_at=row.sales_end_at,
        terms=terms_of(row.terms),
        units=tuple(units),
    )


def _unit_of(row: Any) -> UnitItem:
    return UnitItem(
        id=row.id,
        unit_id=row.unit_id,
        unit_type=UnitType(row.unit_type),
        title=row.title,
        pax_count=row.pax_count,
        price=row.price,
        discount=row.discount,
        commission=row.commission,
        net=row.net,
        status=BookingStatus(row.status),
        admission_id=row.admission_id,
    )
