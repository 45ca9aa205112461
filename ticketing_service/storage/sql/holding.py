"""Taking places: a new hold, and other places for one that stands."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, delete

from ticketing_service.domain.bookings import Booking
from ticketing_service.domain.claims import (
    SCARCE,
    ClaimKind,
    GuestLimits,
    credit_claims,
    seat_claims,
    standing_claims,
    voucher_claims,
)
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.orders import HoldOrder, ItemOrder, Offer
from ticketing_service.domain.vouchers import Voucher
from ticketing_service.storage.foresight import Foreseen
from ticketing_service.storage.ports.calls import Pricing
from ticketing_service.storage.records.bookings import booked
from ticketing_service.storage.sql import schema
from ticketing_service.storage.sql.booking_records import insert_booking, insert_items
from ticketing_service.storage.sql.counters import give_back, take
from ticketing_service.storage.sql.endings import (
    expire_on_counter,
    void_open_payments,
    write_history,
)
from ticketing_service.storage.sql.foresight import still_holds
from ticketing_service.storage.sql.slots import offers_in
from ticketing_service.storage.sql.vouchers import voucher_in
from ticketing_service.storage.sql.webhook_events import tell_booking

_items, _units = schema.booking_items, schema.unit_items


def hold_places(
    connection: Connection,
    *,
    order: HoldOrder,
    price: Pricing,
    limits: GuestLimits,
    expires_at: datetime,
    now: datetime,
    foreseen: Foreseen | None = None,
    seen: dict[UUID, Offer],
) -> Booking:
    """`BookingStore.hold`. The counters come last: theirs are the rows that all sales want.

    `foreseen` is taken as it is if it still holds, else what was on offer is added to `seen`.
    """
    voucher = None
    if foreseen is not None and still_holds(connection, foreseen):
        offers, booking = foreseen.offers, foreseen.booking
    else:
        offers = offers_in(connection, (item.slot_id for item in order.items), lock=True)
        seen.update(offers)
        voucher = voucher_of(connection, order.voucher_code)
        booking = booked(order, price(offers, voucher), voucher, expires_at, now)
    insert_booking(connection, booking)
    write_history(
        connection,
        [booking.id],
        now,
        actor=order.principal or "guest",
        from_status=None,
        to_status=booking.status.value,
        reason="held",
    )
    tell_booking(connection, booking, now, places=True)
    on_demand = [*voucher_claims(voucher, order.customer), *standing_claims(order, limits)]
    take(
        connection,
        booking.id,
        [
            *seat_claims(booking.items, offers),
            *(claim for claim, _ in on_demand),
            *credit_claims(booking),
        ],
        expires_at,
        lambda counter_id: expire_on_counter(connection, counter_id, now),
        {counter.id: counter for _, counter in on_demand if counter.id != booking.voucher_id},
    )
    if booking.is_test:
        give_back(connection, [booking.id], SCARCE)
    return booking


def exchange_items(
    connection: Connection,
    booking: Booking,
    amended: Booking,
    items: tuple[ItemOrder, ...],
    price: Pricing,
    now: datetime,
) -> Booking:
    """Give the places of `booking` back and take those of `items`, all or nothing: `amended` with them.

    An open payment of another amount is voided.
    """
    offers = offers_in(connection, (item.slot_id for item in items), lock=True)
    priced = price(offers, voucher_of(connection, booking.voucher_code))
    amended = replace(amended, items=priced.items, price=priced.price)
    give_back(connection, [booking.id], [ClaimKind.SEAT, ClaimKind.CREDIT])
    connection.execute(delete(_units).where(_units.c.booking_id == booking.id))
    connection.execute(delete(_items).where(_items.c.booking_id == booking.id))
    insert_items(connection, amended)
    take(
        connection,
        booking.id,
        [*seat_claims(amended.items, offers), *credit_claims(amended)],
        booking.expires_at,
        lambda counter_id: expire_on_counter(connection, counter_id, now),
    )
    if amended.is_test:
        give_back(connection, [booking.id], SCARCE)
    if amended.price.total != booking.price.total:
        void_open_payments(connection, [booking.id], now)
    return amended


def voucher_of(connection: Connection, code: str | None) -> Voucher | None:
    """The voucher of that code. Raises VOUCHER_UNKNOWN."""
    if code is None:
        return None
    voucher = voucher_in(connection, code)
    if voucher is None:
        raise Refused(Code.VOUCHER_UNKNOWN, pointer="/voucherCode")
    return voucher
