"""Taking places: a new hold, and other places for one that stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, delete

from common.database.prepared import Script, Target
from ticketing_service.domain.bookings import Booking
from ticketing_service.domain.claims import (
    SCARCE,
    Claim,
    ClaimKind,
    GuestLimits,
    credit_claims,
    seat_claims,
    standing_claims,
    voucher_claims,
)
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.orders import HoldOrder, ItemOrder, Offer
from ticketing_service.domain.slots import Counter
from ticketing_service.domain.vouchers import Voucher
from ticketing_service.storage.foresight import Foreseen
from ticketing_service.storage.ports.calls import Pricing
from ticketing_service.storage.records.bookings import booked
from ticketing_service.storage.sql import schema
from ticketing_service.storage.sql.booking_records import insert_booking, insert_items
from ticketing_service.storage.sql.counters import draw, give_back, take, write_claims
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


@dataclass(frozen=True, slots=True)
class _Claims:
    """What a hold takes of counters; those of `on_demand` come into being with it."""

    claims: Sequence[Claim]
    on_demand: Mapping[UUID, Counter]


@dataclass(frozen=True, slots=True)
class ForeseenHold:
    """A hold that is right if `offers` still are, and all that is written for it but the counters."""

    booking: Booking
    offers: Mapping[UUID, Offer]
    claims: _Claims
    script: Script


def hold_places(
    connection: Connection,
    *,
    order: HoldOrder,
    price: Pricing,
    limits: GuestLimits,
    expires_at: datetime,
    now: datetime,
    foreseen: ForeseenHold | None = None,
    seen: dict[UUID, Offer],
) -> Booking:
    """`BookingStore.hold`. The counters come last: theirs are the rows that all sales want.

    `foreseen` is taken as it is if it still holds, else what was on offer is added to `seen`.
    """
    if foreseen is not None and still_holds(connection, foreseen.offers):
        booking, claims = foreseen.booking, foreseen.claims
        foreseen.script.play(connection)
    else:
        offers = offers_in(connection, (item.slot_id for item in order.items), lock=True)
        seen.update(offers)
        voucher = voucher_of(connection, order.voucher_code)
        booking = booked(order, price(offers, voucher), voucher, expires_at, now)
        claims = _claims_of(booking, order, offers, voucher, limits)
        _write(connection, booking, claims, order, now)
    draw(
        connection,
        claims.claims,
        lambda counter_id: expire_on_counter(connection, counter_id, now),
        claims.on_demand,
    )
    if booking.is_test:
        give_back(connection, [booking.id], SCARCE)
    return booking


def foresee_hold(
    foreseen: Foreseen, order: HoldOrder, limits: GuestLimits, now: datetime, script: Script
) -> ForeseenHold:
    """The rows of a hold, made before its turn."""
    claims = _claims_of(foreseen.booking, order, foreseen.offers, None, limits)
    _write(script, foreseen.booking, claims, order, now)
    return ForeseenHold(foreseen.booking, foreseen.offers, claims, script)


def _claims_of(
    booking: Booking,
    order: HoldOrder,
    offers: Mapping[UUID, Offer],
    voucher: Voucher | None,
    limits: GuestLimits,
) -> _Claims:
    on_demand = [*voucher_claims(voucher, order.customer), *standing_claims(order, limits)]
    return _Claims(
        [
            *seat_claims(booking.items, offers),
            *(claim for claim, _ in on_demand),
            *credit_claims(booking),
        ],
        {counter.id: counter for _, counter in on_demand if counter.id != booking.voucher_id},
    )


def _write(target: Target, booking: Booking, claims: _Claims, order: HoldOrder, now: datetime) -> None:
    """All rows of a new hold, but for the counters."""
    insert_booking(target, booking)
    write_history(
        target,
        [booking.id],
        now,
        actor=order.principal or "guest",
        from_status=None,
        to_status=booking.status.value,
        reason="held",
    )
    tell_booking(target, booking, now, places=True)
    write_claims(target, booking.id, claims.claims, booking.expires_at)


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
