"""What a verb of the store calls back for, inside its transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

from ticketing_service.domain.admissions import Admission
from ticketing_service.domain.bookings import (
    Booking,
)
from ticketing_service.domain.orders import Offer
from ticketing_service.domain.pricing import PricedBooking
from ticketing_service.domain.refunds import CancellationPlan
from ticketing_service.domain.vouchers import Voucher

Pricing = Callable[[Mapping[UUID, Offer], Voucher | None], PricedBooking]
"""Prices and checks an order against what the store found for it; raises `Refused`. Called inside the verb.
"""

Issue = Callable[[Booking], Sequence[Admission]]
"""Makes the signed admissions of a paid booking. Called inside the verb."""

Plan = Callable[[Booking], CancellationPlan]
"""Decides what of a booking is cancelled and what is given back; raises `Refused`. Called inside the verb."""
