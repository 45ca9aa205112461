"""All that the actions reach the outside through, as one value. `ticketing_service.wiring` builds it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from common.auth.keyfiles import KeyRing
from common.clock import Clock
from ticketing_service.clients.port import Mailer, PaymentModule, PoiDirectory
from ticketing_service.domain.bookings import Booking
from ticketing_service.domain.pricing import SalePolicy
from ticketing_service.storage.port import Issue, Store

BookingToken = Callable[[Booking], str]
"""The access token of a booking: derived, never stored, the same each time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """`admission_keys` sign and verify admission codes; `issue` is `actions.issuing.Issuer(admission_keys)`.
    `public_url` is where visitors reach us, without a slash at the end."""

    store: Store
    payment_module: PaymentModule
    poi_directory: PoiDirectory
    mailer: Mailer
    clock: Clock
    policy: SalePolicy
    admission_keys: KeyRing
    issue: Issue
    booking_tokens: BookingToken
    public_url: str
