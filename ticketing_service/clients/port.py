"""What the actions ask of the world outside, and how it can fail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from common.resilience.unavailable import DependencyUnavailable
from ticketing_service.domain.bookings import Booking, Observation, Payment
from ticketing_service.domain.catalogue import Poi
from ticketing_service.storage.ports.payments import PaymentSession


class PaymentUnavailable(DependencyUnavailable):
    """The payment module gave no answer that can be relied on. What was asked for may have happened: the same
    call under the same key finds out."""


class PaymentRefused(Exception):
    """The payment module said no. `permanent`: the same call will never succeed.

    A refusal that depends on the state of the payment or on our credentials is not permanent.
    """

    def __init__(self, code: str, permanent: bool) -> None:
        super().__init__(f"the payment module refused: {code}")
        self.code = code
        self.permanent = permanent


class PaymentModule(Protocol):
    """The external payment module. Every verb may raise PaymentUnavailable and PaymentRefused.

    `key` is the idempotency key, 16 to 64 visible characters: a repeated call under one key has one effect.
    """

    def create(self, payment: Payment, booking: Booking) -> PaymentSession:
        """Open a session for the payment; repeated for the same payment it answers the same session."""
        ...

    def state(self, provider_id: str) -> tuple[Observation, Mapping[str, str]]:
        """The payment as it is now, and the states of its refunds by id: processing, refunded, failed."""
        ...

    def capture(self, provider_id: str, key: str) -> None:
        """Take the authorised money."""
        ...

    def void(self, provider_id: str, key: str) -> None:
        """Give up a payment that is not captured."""
        ...

    def refund(self, provider_id: str, amount: int, reason: str, key: str) -> str:
        """Give back `amount` minor units of what was captured; the module's id of the refund."""
        ...


class AdminUnavailable(DependencyUnavailable):
    """The admin service gave no answer that can be relied on."""


class NoAdmin(AdminUnavailable):
    """There is no admin service, and none is missed."""


class PlatformSource(Protocol):
    """Where the platform's configuration and mode are to be had."""

    def read(self) -> Mapping[str, Any]:
        """What holds now, as `domain.platform.platform_of` reads it. Raises AdminUnavailable."""
        ...


class EndpointFailed(DependencyUnavailable):
    """The endpoint of a webhook did not take what was sent. `status_code` is what it answered, if it did."""

    def __init__(
        self, message: str, retry_after_seconds: float | None = None, status_code: int | None = None
    ) -> None:
        super().__init__(message, retry_after_seconds)
        self.status_code = status_code


class NotSent(DependencyUnavailable):
    """Nothing was sent, as the breaker of all webhooks is open: that says nothing about the endpoint."""


class WebhookSender(Protocol):
    """Sends to the endpoints of webhooks."""

    def check(self, url: str) -> None:
        """Whether anything is ever sent there, as far as the text says. Raises UrlRefused."""
        ...

    def send(self, url: str, headers: Mapping[str, str], body: bytes, *, trial: bool) -> int:
        """The status of the success that the endpoint answered. `trial`: its own breaker is open, and this
        decides. Raises EndpointFailed, NotSent.
        """
        ...

    def endpoints(self, count: int, opened: int) -> None:
        """Of how many endpoints the breakers are open: that of all webhooks is when there is none left."""
        ...

    def tries_all(self) -> bool:
        """Whether an operator has disabled the breakers of webhooks."""
        ...

    def was_reset(self) -> bool:
        """Whether an operator has reset them since this was asked last."""
        ...


class DirectoryUnavailable(DependencyUnavailable):
    """The POI directory cannot be read now."""


@dataclass(frozen=True, slots=True)
class PoiFault:
    """An entry of the directory that cannot be used: its place (from 0) and why."""

    index: int
    reason: str


@dataclass(frozen=True, slots=True)
class PoiList:
    """Usable entries of the directory, and the others. `more`: the next reading goes on from here."""

    pois: tuple[Poi, ...]
    faults: tuple[PoiFault, ...] = ()
    more: bool = False


class PoiDirectory(Protocol):
    """Where points of interest come from."""

    def read(self) -> PoiList:
        """What may be new since the last reading, or the whole directory; the same object while nothing has
        changed. Raises DirectoryUnavailable.
        """
        ...
