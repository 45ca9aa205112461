"""What goes round each call to the world outside: breaker, bulkhead, retries, time.

What was not asked for fails like what gave no answer: callers need not know that there is a breaker.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from common.resilience.guard import Guard
from common.resilience.refusals import Refused as NotAsked
from ticketing_service.clients.port import (
    DirectoryUnavailable,
    Mail,
    Mailer,
    MailUnavailable,
    PaymentModule,
    PaymentUnavailable,
    PoiDirectory,
    PoiList,
)
from ticketing_service.domain.bookings import Booking, Observation, Payment
from ticketing_service.storage.port import PaymentSession

T = TypeVar("T")

Unavailable = Callable[[str, float | None], Exception]
"""Makes what is raised when a dependency is not asked, of why and of when it is worth asking again (s)."""

Timed = Callable[[str, float], None]
"""Is told of each call: the service, and how many seconds it took."""


class GuardedPaymentModule:
    """`PaymentModule` behind a guard. Every verb may be repeated: each has its idempotency key, or changes
    nothing."""

    def __init__(self, module: PaymentModule, guard: Guard, timed: Timed) -> None:
        self._module, self._around = module, _Round("payment-api", guard, timed, PaymentUnavailable)

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


class GuardedPoiDirectory:
    """`PoiDirectory` behind a guard."""

    def __init__(self, directory: PoiDirectory, guard: Guard, timed: Timed) -> None:
        self._directory, self._around = directory, _Round("poi-api", guard, timed, DirectoryUnavailable)

    def read(self) -> PoiList:
        """See PoiDirectory."""
        return self._around(self._directory.read)


class GuardedMailer:
    """`Mailer` behind a guard. A message may have arrived although no answer came, so none is sent twice
    within a call; the worker sends it again under the same Message-ID."""

    def __init__(self, mailer: Mailer, guard: Guard, timed: Timed) -> None:
        self._mailer, self._around = mailer, _Round("mail", guard, timed, MailUnavailable, repeatable=False)

    def send(self, mail: Mail) -> None:
        """See Mailer."""
        self._around(lambda: self._mailer.send(mail))


class _Round:
    """What is done round a call to `service`; what was not asked raises `unavailable`."""

    def __init__(
        self,
        service: str,
        guard: Guard,
        timed: Timed,
        unavailable: Unavailable,
        *,
        repeatable: bool = True,
    ) -> None:
        self._service, self._guard, self._timed = service, guard, timed
        self._unavailable, self._repeatable = unavailable, repeatable

    def __call__(self, call: Callable[[], T]) -> T:
        started = time.perf_counter()
        try:
            return self._guard.call(call, idempotent=self._repeatable)
        except NotAsked as refused:
            raise self._unavailable(str(refused), refused.retry_after_seconds) from refused
        finally:
            self._timed(self._service, time.perf_counter() - started)
