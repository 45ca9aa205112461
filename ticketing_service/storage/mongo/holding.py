"""Taking places: a new hold, and a hold that is exchanged for another."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from common.mongo.transaction import Transaction
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
from ticketing_service.domain.vouchers import Voucher
from ticketing_service.storage.foresight import Foreseen
from ticketing_service.storage.mongo import schema
from ticketing_service.storage.mongo.booking_file import BookingFile, apply_moves
from ticketing_service.storage.mongo.counters import claim, give_back, leave, take
from ticketing_service.storage.mongo.endings import expire_on_counter, void_open_payments
from ticketing_service.storage.mongo.slots import offers_in
from ticketing_service.storage.mongo.vouchers import voucher_in
from ticketing_service.storage.ports.calls import Pricing
from ticketing_service.storage.records.bookings import booked


def hold_places(
    tx: Transaction,
    *,
    order: HoldOrder,
    price: Pricing,
    limits: GuestLimits,
    expires_at: datetime,
    now: datetime,
    foreseen: Foreseen | None = None,
    seen: dict[UUID, Offer],
) -> Booking:
    """`BookingStore.hold`. The counters come last: theirs are the documents that all sales want.

    `foreseen` is taken as it is if it still holds, else what was on offer is added to `seen`.
    """
    voucher = None
    if foreseen is not None and still_holds(tx, foreseen):
        offers, booking = foreseen.offers, foreseen.booking
    else:
        found = offers_in(tx, (item.slot_id for item in order.items))
        seen.update(found)
        offers = found
        voucher = voucher_of(tx, order.voucher_code)
        booking = booked(order, price(offers, voucher), voucher, expires_at, now)
    file = BookingFile.begun(booking)
    file.note(None, booking.status, order.principal or "guest", "held", now)
    on_demand = [*voucher_claims(voucher, order.customer), *standing_claims(order, limits)]
    claims = [
        *seat_claims(booking.items, offers),
        *(claim for claim, _ in on_demand),
        *credit_claims(booking),
    ]
    claim(file, kept_claims(booking, claims), expires_at)
    file.insert(tx)
    take(
        tx,
        claims,
        lambda counter_id: expire_on_counter(tx, counter_id, now),
        {counter.id: counter for _, counter in on_demand if counter.id != booking.voucher_id},
    )
    if booking.is_test:
        leave(tx, [each for each in claims if each.kind in SCARCE])
    return booking


def exchange_items(
    tx: Transaction,
    file: BookingFile,
    amended: Booking,
    items: tuple[ItemOrder, ...],
    price: Pricing,
    now: datetime,
) -> Booking:
    """Give the places of the booking back and take those of `items`, all or nothing: `amended` with them.

    An open payment of another amount is voided. The caller saves the file.
    """
    before = file.booking
    offers = offers_in(tx, (item.slot_id for item in items))
    priced = price(offers, voucher_of(tx, before.voucher_code))
    after = file.keep(replace(amended, items=priced.items, price=priced.price))
    file.takes_places, file.left = True, before
    give_back(file, [ClaimKind.SEAT, ClaimKind.CREDIT])
    apply_moves(tx, [file])
    claims = [*seat_claims(after.items, offers), *credit_claims(after)]
    claim(file, kept_claims(after, claims), before.expires_at)
    take(tx, claims, lambda counter_id: expire_on_counter(tx, counter_id, now))
    if after.is_test:
        leave(tx, claims)
    if after.price.total != before.price.total:
        void_open_payments(tx, file, now)
    return file.booking


def kept_claims(booking: Booking, claims: list[Claim]) -> list[Claim]:
    """A test takes what is scarce only to give it back."""
    return [each for each in claims if not (booking.is_test and each.kind in SCARCE)]


def still_holds(tx: Transaction, foreseen: Foreseen) -> bool:
    """Whether slots and tickets are as they were. Who changes a slot afterwards changes its counters, too,
    and the sale loses.
    """
    ticket_ids = {offer.ticket.id for offer in foreseen.offers.values()}
    slots = tx.with_ids(schema.slots, foreseen.offers, ["version"])
    tickets = tx.with_ids(schema.tickets, ticket_ids, ["version"])
    versions = {each["_id"]: each["version"] for each in (*slots, *tickets)}
    return all(
        (versions.get(slot_id), versions.get(offer.ticket.id)) == (offer.slot.version, offer.ticket.version)
        for slot_id, offer in foreseen.offers.items()
    )


def voucher_of(tx: Transaction, code: str | None) -> Voucher | None:
    if code is None:
        return None
    voucher = voucher_in(tx, code)
    if voucher is None:
        raise Refused(Code.VOUCHER_UNKNOWN, pointer="/voucherCode")
    return voucher
