"""A small destination to price, schedule and scan; each function makes one thing a test cares about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

from ticketing_service.domain.admissions import Admission
from ticketing_service.domain.bookings import (
    Booking,
    BookingItem,
    BookingStatus,
    Channel,
    Customer,
    Observation,
    Payment,
    PaymentState,
    PaymentStatus,
)
from ticketing_service.domain.catalogue import (
    AvailabilityType,
    Option,
    Point,
    RefundStep,
    Restrictions,
    Tax,
    Ticket,
    TicketStatus,
    TicketType,
    Unit,
    UnitType,
)
from ticketing_service.domain.pricing import ItemOrder, Offer, SalePolicy, UnitQuantity, price_booking
from ticketing_service.domain.slots import Slot, SlotStatus
from ticketing_service.domain.vouchers import Voucher

NOW = datetime(2026, 6, 1, 8, tzinfo=UTC)
START = datetime(2026, 7, 1, 8, tzinfo=UTC)
ZONE = "Europe/Amsterdam"
POLICY = SalePolicy()


def uid(name: str) -> UUID:
    """The same id for the same name, in every test."""
    return uuid5(UUID(int=0), name)


def unit(name: str, price: int, pax: int = 1, **restrictions: Any) -> Unit:
    return Unit(
        id=uid(name),
        type=UnitType.ADULT,
        title={"en": name},
        pax_count=pax,
        price=price,
        restrictions=Restrictions(**restrictions),
    )


def option(name: str, units: Iterable[Unit], **changes: Any) -> Option:
    return replace(Option(id=uid(name), title={"en": name}, default=True, units=tuple(units)), **changes)


def ticket(name: str = "tower", options: Iterable[Option] = (), **changes: Any) -> Ticket:
    built = Ticket(
        id=uid(name),
        poi_id=uid("poi"),
        poi_ids=(uid("poi"),),
        type=TicketType.SINGLE,
        status=TicketStatus.ACTIVE,
        availability_type=AvailabilityType.START_TIME,
        title={"en": name},
        description={"en": "A fine view"},
        city="Delft",
        category="monument",
        point=Point(52.0, 4.36),
        time_zone=ZONE,
        currency="EUR",
        options=tuple(options) or (option("standard", [unit("adult", 1250), unit("child", 625)]),),
        cutoff_minutes=120,
        refund_policy=(RefundStep(24, 100),),
        taxes=(Tax("VAT", 900),),
        commission_basis_points=800,
        valid_days=1,
        version=1,
        created_at=NOW,
        updated_at=NOW,
    )
    return replace(built, **changes)


def slot(of: Ticket, name: str = "slot", multiplier: str = "1", **changes: Any) -> Slot:
    """Two hours from 1 July 2026, 10:00 in Amsterdam."""
    built = Slot(
        id=uid(f"{of.id}/{name}"),
        ticket_id=of.id,
        option_id=of.options[0].id,
        local_start=datetime(2026, 7, 1, 10),  # noqa: DTZ001 - local times are naive
        local_end=datetime(2026, 7, 1, 12),  # noqa: DTZ001
        time_zone=ZONE,
        all_day=False,
        opening_hours=(),
        starts_at=START,
        ends_at=START + timedelta(hours=2),
        sales_end_at=START - timedelta(hours=2),
        status=SlotStatus.OPEN,
        multiplier=Decimal(multiplier),
        counters=(),
    )
    return replace(built, **changes)


def offer(of: Ticket | None = None, **slot_changes: Any) -> Offer:
    of = of or ticket()
    return Offer(slot(of, **slot_changes), of)


def order(of: Offer, **quantities: int) -> ItemOrder:
    return ItemOrder(of.slot.id, tuple(UnitQuantity(uid(name), n) for name, n in quantities.items()))


def voucher(**changes: Any) -> Voucher:
    built = Voucher(
        id=uid("voucher"),
        code="SUMMER",
        percent_basis_points=1000,
        amount=None,
        currency=None,
        valid_from=NOW - timedelta(days=1),
        valid_until=NOW + timedelta(days=1),
        max_uses=None,
        max_uses_per_customer=None,
        ticket_ids=(),
        active=True,
        used=0,
        version=1,
        created_at=NOW,
    )
    return replace(built, **changes)


def booking(status: BookingStatus = BookingStatus.CONFIRMED, items: int = 1, **changes: Any) -> Booking:
    """`items` times two adults and a child at 10:00 on 1 July 2026, all in `status`."""
    offers = [offer(name=f"slot {index}") for index in range(items)]
    priced = price_booking([order(each, adult=2, child=1) for each in offers], offers, None, POLICY, NOW)
    built = Booking(
        id=uid("booking"),
        reference="2222-2222",
        status=status,
        channel=Channel.WEB,
        principal=None,
        customer=Customer(name="Ada", email="ada@example.org"),
        items=tuple(with_status(item, status) for item in priced.items),
        price=priced.price,
        voucher_id=None,
        voucher_code=None,
        payment_status=PaymentStatus.NONE,
        refunds=(),
        return_url=None,
        extensions=0,
        version=1,
        created_at=NOW,
        expires_at=NOW + timedelta(minutes=15),
        updated_at=NOW,
    )
    return replace(built, **changes)


def with_status(item: BookingItem, *statuses: BookingStatus) -> BookingItem:
    """`item` with one status for all its units, or one for each."""
    each = statuses if len(statuses) > 1 else statuses * len(item.units)
    units = (replace(unit, status=status) for unit, status in zip(item.units, each, strict=True))
    return replace(item, units=tuple(units))


def payment(of: Booking, state: PaymentState = PaymentState.PENDING, **changes: Any) -> Payment:
    built = Payment(
        id=uid("payment"),
        booking_id=of.id,
        provider_id="pay_1",
        amount=of.price.total,
        currency=of.price.currency,
        state=state,
        captured=0,
        accepted=False,
        redirect_url=None,
        return_url="http://localhost/return",
        session_ends_at=None,
        created_at=NOW,
    )
    return replace(built, **changes)


def observation(of: Booking, state: PaymentState, **changes: Any) -> Observation:
    had_money = state in (PaymentState.CAPTURED, PaymentState.PARTIALLY_REFUNDED, PaymentState.REFUNDED)
    built = Observation(
        provider_id="pay_1",
        resource_id=str(of.id),
        state=state,
        amount=of.price.total,
        currency=of.price.currency,
        captured=of.price.total if had_money else 0,
        refunded=of.price.total if state is PaymentState.REFUNDED else 0,
    )
    return replace(built, **changes)


def admission(**changes: Any) -> Admission:
    built = Admission(
        id=uid("admission"),
        booking_id=uid("booking"),
        item_id=uid("item"),
        unit_item_id=uid("unit item"),
        ticket_id=uid("tower"),
        ticket_type=TicketType.SINGLE,
        title={"en": "Tower"},
        unit_title={"en": "Adult"},
        poi_ids=(uid("poi"),),
        pax_count=1,
        time_zone=ZONE,
        first_day=date(2026, 7, 1),
        valid_days=1,
        valid_from=START - timedelta(hours=1),
        valid_until=START + timedelta(hours=2),
        code="",
    )
    return replace(built, **changes)
