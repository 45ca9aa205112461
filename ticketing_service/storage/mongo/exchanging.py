"""Other places for what was sold on account, all or nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

from common.mongo.transaction import Transaction
from ticketing_service.domain.bookings import Booking
from ticketing_service.domain.claims import ClaimKind, seat_claims
from ticketing_service.domain.exchanges import exchanged, require_exchangeable
from ticketing_service.storage.mongo.admissions import add_admissions, cancel_admissions
from ticketing_service.storage.mongo.booking_file import BookingFile, apply_moves
from ticketing_service.storage.mongo.counters import claim, give_back, give_back_credit, leave, settle, take
from ticketing_service.storage.mongo.endings import expire_on_counter
from ticketing_service.storage.mongo.holding import kept_claims, voucher_of
from ticketing_service.storage.mongo.ledger import add_entries
from ticketing_service.storage.mongo.slots import offers_in
from ticketing_service.storage.ports.bookings import Amendment
from ticketing_service.storage.ports.calls import Pricing
from ticketing_service.storage.records.bookings import living_items, with_admissions
from ticketing_service.storage.records.entries import exchange_entries

A_MOMENT = timedelta(minutes=1)
"""How long the new places are held: until the end of the transaction."""


def exchange_sold(
    tx: Transaction,
    file: BookingFile,
    amended: Booking,
    amendment: Amendment,
    price: Pricing,
    now: datetime,
) -> None:
    """Give the places of the booking back and take those of the amendment: `amended` with them. What is owed
    less is given back; admissions that go on stand, the others are void, and new ones are issued. The caller
    saves the file.
    """
    before = file.booking
    require_exchangeable(before, now)
    items, issue = amendment.items or (), amendment.issue
    if issue is None:
        raise ValueError("nobody issues the admissions")
    offers = offers_in(tx, (item.slot_id for item in items))
    exchange = exchanged(before, amended, price(offers, voucher_of(tx, before.voucher_code)), amendment.names)
    admissions = [each for each in issue(exchange.after) if each.unit_item_id in exchange.admitted]
    after = file.keep(with_admissions(exchange, admissions))
    file.readmitted(exchange.admitted)
    cancel_admissions(tx, exchange.void, now)
    add_admissions(tx, admissions)
    for each in admissions:
        file.admitted(each.unit_item_id, each.id, each.valid_until)
    add_entries(tx, exchange_entries(exchange, now))
    file.takes_places, file.left = True, before
    give_back(file, [ClaimKind.SEAT])
    give_back_credit(file, exchange.given_back)
    apply_moves(tx, [file])
    claims = seat_claims(living_items(after), offers)
    claim(file, kept_claims(after, claims), now + A_MOMENT)
    take(tx, claims, lambda counter_id: expire_on_counter(tx, counter_id, now))
    if after.is_test:
        leave(tx, claims)
    settle(file)
