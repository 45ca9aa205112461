"""Things to put into a store; each call makes new ones, changed by keyword where a test cares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from common.identifiers import uuid7
from common.web.idempotency import Answer, Idempotency, fingerprint_of, hashed_key
from ticketing_service.domain.admissions import Admission, Scan
from ticketing_service.domain.bookings import Booking, Channel, Customer
from ticketing_service.domain.catalogue import (
    AvailabilityType,
    Option,
    Poi,
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
from ticketing_service.domain.orders import HoldOrder, ItemOrder, UnitQuantity
from ticketing_service.domain.recurrence import plan_slots
from ticketing_service.domain.references import new_reference
from ticketing_service.domain.resellers import Reseller, ResellerKey, Scope
from ticketing_service.domain.slots import PlannedSlot, Schedule, ScheduleRule
from ticketing_service.domain.vouchers import Voucher
from ticketing_service.domain.webhooks import EventType, SigningSecret, Subscription

NOW = datetime(2026, 6, 1, 8, tzinfo=UTC)
ZONE = "Europe/Amsterdam"
FIRST_DAY = date(2026, 7, 1)
DELFT = Point(52.0116, 4.3571)


def make_poi(**changes: Any) -> Poi:
    built = Poi(
        id=uuid7(),
        names={"en": "Old Church", "nl": "Oude Kerk"},
        city="Delft",
        category="monument",
        point=DELFT,
        time_zone=ZONE,
        version=1,
    )
    return replace(built, **changes)


def make_unit(price: int = 0, pax_count: int = 1, **changes: Any) -> Unit:
    built = Unit(
        id=uuid7(),
        type=UnitType.ADULT,
        title={"en": "Adult"},
        pax_count=pax_count,
        price=price,
        restrictions=Restrictions(min_age=18, accompanied_by=(uuid7(),)),
    )
    return replace(built, **changes)


def make_option(*units: Unit, **changes: Any) -> Option:
    built = Option(id=uuid7(), title={"en": "Standard"}, default=True, units=units or (plain_unit(),))
    return replace(built, **changes)


def plain_unit(price: int = 0, pax_count: int = 1) -> Unit:
    """An adult without any restriction."""
    return make_unit(price, pax_count, restrictions=Restrictions())


def make_ticket(name: str = "Tower climb", **changes: Any) -> Ticket:
    """On sale and free of charge, with one option of one unit."""
    poi_id = uuid7()
    built = Ticket(
        id=uuid7(),
        poi_id=poi_id,
        poi_ids=(poi_id,),
        type=TicketType.SINGLE,
        status=TicketStatus.ACTIVE,
        availability_type=AvailabilityType.START_TIME,
        title={"en": name},
        description={"en": "A fine view"},
        city="Delft",
        category="monument",
        point=DELFT,
        time_zone=ZONE,
        currency="EUR",
        options=(make_option(),),
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


def make_schedule(
    ticket: Ticket,
    *,
    days: int = 1,
    start_times: Sequence[str] = ("10:00",),
    capacity: int | None = 10,
    first_day: date = FIRST_DAY,
    **changes: Any,
) -> Schedule:
    """Every day for `days` days, the first option of the ticket."""
    rule = ScheduleRule(
        option_id=ticket.options[0].id,
        rrule="FREQ=DAILY",
        date_from=first_day,
        date_to=first_day + timedelta(days=days - 1),
        start_times=tuple(start_times),
        capacity=capacity,
    )
    return Schedule((replace(rule, **changes),))


def planned(ticket: Ticket, schedule: Schedule, now: datetime = NOW) -> tuple[PlannedSlot, ...]:
    return plan_slots(ticket, schedule, now.date())


def make_voucher(code: str = "Summer", **changes: Any) -> Voucher:
    built = Voucher(
        id=uuid7(),
        code=code,
        percent_basis_points=1000,
        amount=None,
        currency=None,
        valid_from=NOW - timedelta(days=1),
        valid_until=NOW + timedelta(days=365),
        max_uses=5,
        max_uses_per_customer=None,
        ticket_ids=(),
        active=True,
        used=0,
        version=1,
        created_at=NOW,
    )
    return replace(built, **changes)


def make_reseller(name: str = "City Trips", **changes: Any) -> Reseller:
    """One that may sell everything."""
    built = Reseller(
        id=uuid7(), name=name, ticket_ids=None, max_holds=10, active=True, version=1, created_at=NOW
    )
    return replace(built, **changes)


def make_reseller_key(reseller: Reseller, **changes: Any) -> ResellerKey:
    """A key of no text, good for a month."""
    key_id = uuid7()
    built = ResellerKey(
        id=key_id,
        reseller_id=reseller.id,
        name="production",
        start="otk_abcdef",
        hash=key_id.hex * 2,
        scopes=(Scope.READ, Scope.WRITE),
        created_at=NOW,
        created_by="access:ann",
        expires_at=NOW + timedelta(days=30),
    )
    return replace(built, **changes)


def make_subscription(reseller: Reseller | None = None, **changes: Any) -> Subscription:
    """One to everything: a reseller's, or the destination's own."""
    built = Subscription(
        id=uuid7(),
        reseller_id=None if reseller is None else reseller.id,
        url="https://hooks.example.org/in",
        events=tuple(EventType),
        secrets=(SigningSecret(1, "k.sealed"),),
        created_at=NOW,
        created_by="access:ann",
    )
    return replace(built, **changes)


def make_order(*items: tuple[UUID, UUID, int], **changes: Any) -> HoldOrder:
    """A guest's order of (slot, unit, quantity) each."""
    built = HoldOrder(
        booking_id=uuid7(),
        reference=new_reference(),
        items=tuple(ItemOrder(slot, (UnitQuantity(unit, quantity),)) for slot, unit, quantity in items),
        customer=Customer(name="Ann", email="ann@example.org"),
        voucher_code=None,
        return_url=None,
        channel=Channel.WEB,
        principal=None,
        guest_network=None,
    )
    return replace(built, **changes)


def make_admissions(booking: Booking) -> list[Admission]:
    """One for each unit item, good on the day of its slot."""
    return [
        Admission(
            id=uuid7(),
            booking_id=booking.id,
            item_id=item.id,
            unit_item_id=unit.id,
            ticket_id=item.ticket_id,
            ticket_type=item.terms.ticket_type,
            title=item.terms.ticket_title,
            unit_title=unit.title,
            poi_ids=item.terms.poi_ids,
            pax_count=unit.pax_count,
            time_zone=item.time_zone,
            first_day=item.local_start.date(),
            valid_days=item.terms.valid_days,
            valid_from=item.starts_at,
            valid_until=item.ends_at,
            code=f"ADM1.{unit.id.hex}",
        )
        for item in booking.items
        for unit in item.units
    ]


def make_scan(admission: Admission, **changes: Any) -> Scan:
    built = Scan(
        scan_id=uuid7(),
        admission_id=admission.id,
        poi_id=admission.poi_ids[0],
        scanned_at=admission.valid_from,
        gate="north",
    )
    return replace(built, **changes)


def make_idempotency(key: str = "a" * 16, request: Any = None) -> Idempotency:
    """Under `key`; the answer tells the result."""
    return Idempotency(
        scope="guest POST /things",
        key=hashed_key(key),
        fingerprint=fingerprint_of("POST", "/things", request),
        created_at=NOW,
        render=lambda result: Answer(201, repr(result).encode(), (("Location", "/things/1"),)),
    )
