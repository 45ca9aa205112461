"""The ledger: revenue by day, ticket, type, unit, channel and reseller."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from common.identifiers import uuid7
from tests.beneath import Beneath
from tests.contract.builders import NOW
from tests.contract.world import World
from ticketing_service.domain.bookings import Booking, Channel
from ticketing_service.domain.catalogue import TicketType, UnitType
from ticketing_service.storage.port import Store
from ticketing_service.storage.ports.bookings import BookingQuery
from ticketing_service.storage.ports.ledger import RevenueQuery, RevenueRow
from ticketing_service.storage.records.entries import Entry, EntryKind

DAY, NEXT = NOW.date(), NOW.date() + timedelta(days=1)
TOWER, MILL = UUID(int=1), UUID(int=2)
RESELLERS = UUID(int=3), UUID(int=4)


def _entry(booking: Booking, kind: EntryKind, amount: int, **changes: Any) -> Entry:
    of_unit: dict[str, Any] = {
        "unit_item_id": uuid7(),
        "ticket_id": TOWER,
        "ticket_type": TicketType.SINGLE,
        "unit_type": UnitType.ADULT,
    }
    values: dict[str, Any] = {
        "kind": kind,
        "at": NOW,
        "booking_id": booking.id,
        "channel": Channel.WEB,
        "currency": "EUR",
        "amount": amount,
        **({} if kind is EntryKind.FEE else of_unit),
        **changes,
    }
    return Entry(**values)


@pytest.fixture
def books(world: World, database: Beneath) -> Store:
    """Two bookings of a day, one of them refunded in part on the next."""
    slot = world.slot()
    one, two = world.hold(slot), world.hold(slot)
    mill: dict[str, Any] = {"ticket_id": MILL, "ticket_type": TicketType.COMBO, "unit_type": UnitType.CHILD}
    midnight = datetime.combine(NEXT, NOW.timetz().replace(hour=0))
    entries = [
        _entry(one, EntryKind.SALE, 1000, commission=80),
        _entry(one, EntryKind.SALE, 500, commission=40, **mill),
        _entry(one, EntryKind.FEE, 250),
        _entry(two, EntryKind.SALE, 700, commission=56, channel=Channel.STAFF),
        _entry(two, EntryKind.FEE, 250, channel=Channel.STAFF),
        _entry(one, EntryKind.REFUND, 1000, commission=80, at=midnight),
    ]
    database.add_entries(entries)
    database.add_entries([])
    return world.store


def _row(key: str, **changes: Any) -> RevenueRow:
    nothing = {"bookings": 0, "units": 0, "sales": 0, "fees": 0, "refunds": 0, "commission": 0}
    return RevenueRow(**{"key": key, "currency": "EUR", **nothing, **changes})


def _revenue(
    store: Store, group_by: str, first: date = DAY, last: date = NEXT, **more: Any
) -> list[RevenueRow]:
    query = RevenueQuery(day_from=first, day_to=last, group_by=group_by, **more)
    return list(store.ledger.revenue(query))


def test_revenue_by_day_counts_a_refund_on_the_day_it_was_given(books: Store) -> None:
    assert _revenue(books, "day") == [
        _row(DAY.isoformat(), bookings=2, units=3, sales=2200, fees=500, commission=176),
        _row(NEXT.isoformat(), refunds=1000, commission=-80),
    ]


def test_revenue_by_ticket_type_and_unit_has_fees_apart(books: Store) -> None:
    fees = _row("", fees=500)
    tower: dict[str, int] = {"bookings": 2, "units": 2, "sales": 1700, "refunds": 1000, "commission": 56}
    mill: dict[str, int] = {"bookings": 1, "units": 1, "sales": 500, "commission": 40}
    assert _revenue(books, "ticket") == [fees, _row(str(TOWER), **tower), _row(str(MILL), **mill)]
    assert _revenue(books, "type") == [fees, _row("combo", **mill), _row("single", **tower)]
    assert _revenue(books, "unit") == [fees, _row("ADULT", **tower), _row("CHILD", **mill)]


def test_revenue_by_channel(books: Store) -> None:
    assert _revenue(books, "channel") == [
        _row("staff", bookings=1, units=1, sales=700, fees=250, commission=56),
        _row("web", bookings=1, units=2, sales=1500, fees=250, refunds=1000, commission=40),
    ]


def test_only_the_days_and_the_ticket_asked_for_count(books: Store) -> None:
    assert _revenue(books, "day", last=DAY, ticket_id=MILL) == [
        _row(DAY.isoformat(), bookings=1, units=1, sales=500, commission=40)
    ]
    assert _revenue(books, "day", first=NEXT) == [_row(NEXT.isoformat(), refunds=1000, commission=-80)]
    assert _revenue(books, "day", first=NEXT + timedelta(days=1), last=NEXT + timedelta(days=2)) == []


def test_currencies_are_never_added_up(books: Store, world: World, database: Beneath) -> None:
    booking = world.hold(world.slot())
    entry = _entry(booking, EntryKind.SALE, 900, currency="GBP")
    database.add_entries([entry])
    rows = _revenue(books, "day", last=DAY)
    assert [(row.currency, row.sales) for row in rows] == [("EUR", 2200), ("GBP", 900)]


def test_revenue_by_reseller_has_what_was_sold_directly_apart(books: Store, database: Beneath) -> None:
    (first, _) = RESELLERS
    booking = next(iter(books.bookings.search(BookingQuery()).items))
    database.add_entries(
        [
            _entry(booking, EntryKind.SALE, 800, commission=64, channel=Channel.RESELLER, reseller_id=each)
            for each in RESELLERS
        ]
    )
    sold: dict[str, int] = {"bookings": 1, "units": 1, "sales": 800, "commission": 64}
    direct, *rows = _revenue(books, "reseller")
    assert (direct.key, direct.sales, direct.fees) == ("", 2200, 500)
    assert rows == [_row(str(each), **sold) for each in RESELLERS]
    assert _revenue(books, "ticket", reseller_id=first) == [_row(str(TOWER), **sold)]
    assert _revenue(books, "day", reseller_id=UUID(int=9)) == []
