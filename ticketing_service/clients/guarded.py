"""What goes round each call to the world outside: breaker, bulkhead, retries, time.

What was not asked for fails like what gave no answer: callers need not know that there is a breaker.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.resilience.around import Around, Timed
from common.resilience.guard import Guard
from ticketing_service.clients.port import (
    AdminUnavailable,
    DirectoryUnavailable,
    PaymentModule,
    PaymentUnavailable,
    PlatformSource,
    PoiDirectory,
    PoiList,
)
from ticketing_service.domain.bookings import Booking, Observation, Payment
from ticketing_service.storage.ports.payments import PaymentSession

POI_API = "poi-api"


class GuardedPaymentModule:
    """`PaymentModule` behind a guard. Every verb may be repeated: each has its idempotency key, or changes
    nothing."""

    def __init__(self, module: PaymentModule, guard: Guard, timed: Timed) -> None:
        self._module, self._around = module, Around("payment-api", guard, timed, PaymentUnavailable)

    def create(self, payment: Payment, booking: Booking) -> PaymentSession:
        """See PaymentModule."""
        return self._around(lambda: self._module.create(payment, booking))

    def state(self, provider_id: str) -> tuple[Observation, Mapping[str, str]]:
        """See PaymentModule."""
        return self._around(lambda: self._module.state(provider_id))

    def capture(self, provider_id: str, key: str) -> None:
        """See PaymentModule."""
        self._around(lambda: self._module.capture(provider_id, key))

    def void(self, provider_id: str, key: str) -> None:
        """See PaymentModule."""
        self._around(lambda: self._module.void(provider_id, key))

    def refund(self, provider_id: str, amount: int, reason: str, key: str) -> str:
        """See PaymentModule."""
        return self._around(lambda: self._module.refund(provider_id, amount, reason, key))


class GuardedPlatformSource:
    """`PlatformSource` behind a guard: that of the POIs, as both are the admin service's."""

    def __init__(self, source: PlatformSource, guard: Guard, timed: Timed) -> None:
        self._source, self._around = source, Around(POI_API, guard, timed, AdminUnavailable)

    def read(self) -> Mapping[str, Any]:
        """See PlatformSource."""
        return self._around(self._source.read)


class GuardedPoiDirectory:
    """`PoiDirectory` behind a guard."""

    def __init__(self, directory: PoiDirectory, guard: Guard, timed: Timed) -> None:
        self._directory, self._around = directory, Around(POI_API, guard, timed, DirectoryUnavailable)

    def read(self) -> PoiList:
        """See PoiDirectory."""
        return self._around(self._directory.read)
