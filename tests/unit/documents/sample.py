"""A booking with its admissions, to be printed and written about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from common.auth.keyfiles import KeyRing
from common.identifiers import uuid7
from ticketing_service.actions.issuing import issue_admissions
from ticketing_service.domain.admissions import Admission
from ticketing_service.domain.bookings import (
    Booking,
    BookingItem,
    BookingStatus,
    Channel,
    Customer,
    PaymentStatus,
    Price,
    SaleTerms,
    UnitItem,
)
from ticketing_service.domain.catalogue import RefundStep, TicketType, UnitType

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
URL = "https://tickets.example.org"
START = datetime(2026, 7, 1, 8, tzinfo=UTC)


def make_item(pois: int = 1, units: int = 2, **changes: Any) -> BookingItem:
    """A guided tour on 1 July 2026, 10:00 in Amsterdam."""
    title = changes.pop("title", {"en": "Canal tour", "nl": "Rondvaart"})
    terms = SaleTerms(
        ticket_type=TicketType.COMBO if pois > 1 else TicketType.GUIDED_TOUR,
        ticket_title=title,
        option_title={"en": "Morning", "nl": "Ochtend"},
        poi_ids=tuple(uuid7() for _ in range(pois)),
        refund_policy=(RefundStep(24, 100),),
        taxes=(),
        valid_days=changes.pop("valid_days", 1),
        all_day=changes.pop("all_day", False),
    )
    built = BookingItem(
        id=uuid7(),
        ticket_id=uuid7(),
        option_id=uuid7(),
        slot_id=uuid7(),
        local_start=datetime(2026, 7, 1, 10),  # noqa: DTZ001 - local
        local_end=datetime(2026, 7, 1, 11, 30),  # noqa: DTZ001 - local
        time_zone="Europe/Amsterdam",
        starts_at=START,
        ends_at=START + timedelta(minutes=90),
        sales_end_at=START - timedelta(hours=2),
        terms=terms,
        units=tuple(make_unit_item() for _ in range(units)),
    )
    return replace(built, **changes)


def make_unit_item(status: BookingStatus = BookingStatus.CONFIRMED) -> UnitItem:
    return UnitItem(
        id=uuid7(),
        unit_id=uuid7(),
        unit_type=UnitType.ADULT,
        title={"en": "Adult", "nl": "Volwassene"},
        pax_count=1,
        price=1250,
        discount=0,
        commission=0,
        status=status,
    )


def make_booking(*items: BookingItem, language: str = "en", name: str = "Ann Lee", **changes: Any) -> Booking:
    built = Booking(
        id=uuid7(),
        reference="K7QF-2MHP",
        status=BookingStatus.CONFIRMED,
        channel=Channel.WEB,
        principal=None,
        customer=Customer(name=name, email="ann@example.org", language=language),
        items=items or (make_item(),),
        price=Price(currency="EUR", items=2500, discount=0, fee=250),
        voucher_id=None,
        voucher_code=None,
        payment_status=PaymentStatus.CAPTURED,
        refunds=(),
        return_url=None,
        extensions=0,
        version=3,
        created_at=NOW,
        expires_at=NOW + timedelta(minutes=15),
        updated_at=NOW,
    )
    return replace(built, **changes)


def names_of(booking: Booking) -> Mapping[UUID, str]:
    """A name for each POI of the booking."""
    poi_ids = [poi_id for item in booking.items for poi_id in item.terms.poi_ids]
    return {poi_id: f"Old Church {number}" for number, poi_id in enumerate(poi_ids, start=1)}


def admit(booking: Booking, folder: Path) -> tuple[Admission, ...]:
    """Signed admissions of the booking."""
    return issue_admissions(booking, KeyRing(folder / "keys"))
