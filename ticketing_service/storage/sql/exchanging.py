"""Other places for what was sold on account, all or nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, update

from ticketing_service.domain.bookings import Booking
from ticketing_service.domain.claims import ClaimKind, seat_claims
from ticketing_service.domain.exchanges import exchanged, require_exchangeable
from ticketing_service.storage.ports.bookings import Amendment
from ticketing_service.storage.ports.calls import Pricing
from ticketing_service.storage.records.bookings import living_items, with_admissions
from ticketing_service.storage.records.entries import exchange_entries
from ticketing_service.storage.sql import schema
from ticketing_service.storage.sql.admissions import add_admissions, cancel_admissions
from ticketing_service.storage.sql.booking_records import item_row, unit_row
from ticketing_service.storage.sql.confirming import set_admits_until
from ticketing_service.storage.sql.counters import give_back, give_back_credit, settle, take
from ticketing_service.storage.sql.endings import expire_on_counter
from ticketing_service.storage.sql.holding import voucher_of
from ticketing_service.storage.sql.ledger import add_entries
from ticketing_service.storage.sql.slots import offers_in

_items, _units = schema.booking_items, schema.unit_items
A_MOMENT = timedelta(minutes=1)
"""How long the new places are held: until the end of the transaction."""


def exchange_sold(
    connection: Connection,
    booking: Booking,
    amended: Booking,
    amendment: Amendment,
    price: Pricing,
    now: datetime,
) -> Booking:
    """Give the places of `booking` back and take those of the amendment: `amended` with them. What is owed
    less is given back; admissions that go on stand, the others are void, and new ones are issued.
    """
    require_exchangeable(booking, now)
    items, issue = amendment.items or (), amendment.issue
    if issue is None:
        raise ValueError("nobody issues the admissions")
    offers = offers_in(connection, (item.slot_id for item in items), lock=True)
    priced = price(offers, voucher_of(connection, booking.voucher_code))
    exchange = exchanged(booking, amended, priced, amendment.names)
    admissions = [each for each in issue(exchange.after) if each.unit_item_id in exchange.admitted]
    after = with_admissions(exchange, admissions)
    _rewrite_item(connection, booking, after)
    cancel_admissions(connection, exchange.void, now)
    add_admissions(connection, admissions)
    set_admits_until(connection, booking.id)
    add_entries(connection, exchange_entries(exchange, now))
    give_back(connection, [booking.id], [ClaimKind.SEAT])
    give_back_credit(connection, booking.id, exchange.given_back)
    take(
        connection,
        booking.id,
        seat_claims(living_items(after), offers),
        now + A_MOMENT,
        lambda counter_id: expire_on_counter(connection, counter_id, now),
    )
    if after.is_test:
        give_back(connection, [booking.id], [ClaimKind.SEAT])
    else:
        settle(connection, booking.id)
    return after


def _rewrite_item(connection: Connection, before: Booking, after: Booking) -> None:
    """Its only item stays the same row; unit items may be new."""
    item = after.items[0]
    row = item_row(after.id, 0, item)
    connection.execute(update(_items).where(_items.c.id == item.id).values(row))
    there, new = {unit.id for unit in before.unit_items}, []
    for position, unit in enumerate(item.units):
        row = unit_row(after.id, item.id, position, unit)
        if unit.id in there:
            connection.execute(update(_units).where(_units.c.id == unit.id).values(row))
        else:
            new.append(row)
    if new:
        connection.execute(insert(_units), new)
