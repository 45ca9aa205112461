"""What goes round each call to the world outside: breaker, bulkhead, retries, time.

What was not asked for fails like what gave no answer: callers need not know that there is a breaker.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.outgoing.posting import NoAnswer, Poster, UrlRefused
from common.resilience.around import Around, Timed
from common.resilience.guard import Guard
from common.resilience.states import Transition
from ticketing_service.clients.port import (
    AdminUnavailable,
    DirectoryUnavailable,
    EndpointFailed,
    NotSent,
    PaymentModule,
    PaymentUnavailable,
    PlatformSource,
    PoiDirectory,
    PoiList,
)
from ticketing_service.domain.bookings import Booking, Observation, Payment
from ticketing_service.storage.ports.payments import PaymentSession

POI_API = "poi-api"
WEBHOOKS = "webhooks"
_SUCCESSES = range(200, 300)
_RESET = "reset by an operator"


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


class GuardedSender:
    """`WebhookSender` behind the breaker of all webhooks. It counts what is sent to all endpoints and is for
    operators to see and to set; by itself it opens only when the breaker of every endpoint is open.
    """

    def __init__(self, poster: Poster, guard: Guard, timed: Timed) -> None:
        self._poster, self._breaker = poster, guard.breaker
        self._around = Around(WEBHOOKS, guard, timed, NotSent, repeatable=False)
        self._reset = False
        guard.breaker.on_transition(self._on_transition)

    def check(self, url: str) -> None:
        """See WebhookSender."""
        self._poster.check(url)

    def send(self, url: str, headers: Mapping[str, str], body: bytes, *, trial: bool) -> int:
        """See WebhookSender."""
        if trial:
            self._breaker.try_now()
        return self._around(lambda: self._sent(url, headers, body))

    def endpoints(self, count: int, opened: int) -> None:
        """See WebhookSender."""
        if opened and opened == count:
            self._breaker.open_with_others(f"the breakers of all {count} endpoints are open")
        else:
            self._breaker.try_now()

    def tries_all(self) -> bool:
        """See WebhookSender."""
        return self._breaker.status().mode == "disabled"

    def was_reset(self) -> bool:
        """See WebhookSender."""
        was, self._reset = self._reset, False
        return was

    def _sent(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        try:
            answer = self._poster.post(url, headers, body)
        except (NoAnswer, UrlRefused) as error:
            raise EndpointFailed(str(error)) from error
        if answer.status not in _SUCCESSES:
            raise EndpointFailed(f"it answered {answer.status}", answer.retry_after, answer.status)
        return answer.status

    def _on_transition(self, event: Transition) -> None:
        self._reset = self._reset or event.cause == _RESET
