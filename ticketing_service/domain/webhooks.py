"""Outgoing webhooks: who wants to hear of what, what there is to tell, and when it is tried again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

KEPT_TRYING = timedelta(hours=24)
OLD_SECRET_SIGNS = timedelta(hours=24)
MOST_SECRETS = 5
FAILURES_TO_OPEN = 5
FIRST_PAUSE, LONGEST_PAUSE = 30.0, 300.0
FIRST_RETRY, LONGEST_RETRY = 10.0, 3600.0
JITTER = 0.2
ERROR_LENGTH = 200


class EventType(StrEnum):
    """What a subscription may ask for."""

    BOOKING = "booking.updated"
    AVAILABILITY = "availability.updated"
    PRODUCT = "product.updated"


class DeliveryState(StrEnum):
    """WAITING is behind an earlier one of the same subject, PENDING is to be sent, DEAD was given up."""

    WAITING = "waiting"
    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class SigningSecret:
    """`sealed`: as it is stored. One that was replaced signs beside the newest one until `until`."""

    number: int
    sealed: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The breaker of an endpoint: `failures` in a row, how often in a row it has opened (`openings`), and
    until when nothing is sent to it. After that one delivery is tried, and decides.
    """

    failures: int = 0
    openings: int = 0
    closed_until: datetime | None = None
    last_error: str | None = None
    last_failure_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether it has opened, and no delivery has succeeded since."""
        return self.openings > 0

    def rests(self, now: datetime) -> bool:
        """Whether nothing is to be sent at `now`."""
        return self.closed_until is not None and now < self.closed_until

    def failed(self, error: str, now: datetime, chance: float) -> Health:
        """After one more failure; `chance` is 0 to 1."""
        failures, openings, until = self.failures + 1, self.openings, self.closed_until
        if failures >= FAILURES_TO_OPEN or self.is_open:
            pause = min(FIRST_PAUSE * 2.0 ** min(openings, 30), LONGEST_PAUSE)
            openings, until = openings + 1, now + timedelta(seconds=_jittered(pause, chance))
        return Health(
            failures=failures,
            openings=openings,
            closed_until=until,
            last_error=error[:ERROR_LENGTH],
            last_failure_at=now,
        )

    def succeeded(self) -> Health:
        """After a success: all is well."""
        return replace(self, failures=0, openings=0, closed_until=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """Who wants to hear of `events`, and where. Without `reseller_id` it is the destination's own. That of a
    reseller hears of its own bookings and of the tickets that it may sell: of tests alone if its key was one
    for tests, else of none. `secrets`: the newest first. `octo`: of one that was made over OCTO the
    capabilities with which it is told; None: it is told in our own words.
    """

    id: UUID
    reseller_id: UUID | None
    is_test: bool = False
    url: str
    events: tuple[EventType, ...]
    secrets: tuple[SigningSecret, ...]
    octo: tuple[str, ...] | None = None
    active: bool = True
    health: Health = Health()
    version: int = 1
    created_at: datetime
    created_by: str

    def signing(self, now: datetime) -> tuple[SigningSecret, ...]:
        """The secrets that sign at `now`, the newest first."""
        return tuple(each for each in self.secrets if each.until is None or now < each.until)

    def hears_of_bookings(self, reseller_id: UUID | None, is_test: bool) -> bool:
        """Whether it is told of the bookings of a reseller, or of nobody's."""
        if EventType.BOOKING not in self.events:
            return False
        return self.reseller_id is None or (self.reseller_id, self.is_test) == (reseller_id, is_test)


def with_secret(subscription: Subscription, sealed: str, now: datetime) -> Subscription:
    """The subscription with a new secret; those before sign for another day, so that nobody misses one."""
    until = now + OLD_SECRET_SIGNS
    newest = SigningSecret(subscription.secrets[0].number + 1, sealed)
    old = (replace(each, until=each.until or until) for each in subscription.signing(now))
    return replace(subscription, secrets=(newest, *old)[:MOST_SECRETS])


@dataclass(frozen=True, slots=True)
class Place:
    """A slot whose availability is another now; without `slot_id`, any of the ticket's."""

    ticket_id: UUID
    option_id: UUID | None = None
    slot_id: UUID | None = None
    local_start: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What was written in the commit of a change. `subject` is the booking or ticket that `booking` or
    `product` tells of, as it is after the change; `sequence` its version. `places`: what of the availability
    changed.
    """

    id: UUID
    subject: UUID
    sequence: int = 0
    reseller_id: UUID | None = None
    is_test: bool = False
    booking: Mapping[str, Any] | None = None
    product: Mapping[str, Any] | None = None
    places: tuple[Place, ...] = ()
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event on its way to one subscription. Those of one `type` and `subject` go one after the other, by
    `sequence` and then by the time-ordered id of their event. It is given up after `until`.
    """

    id: UUID
    subscription_id: UUID
    event_id: UUID
    type: EventType
    subject: UUID
    sequence: int
    data: Mapping[str, Any]
    state: DeliveryState = DeliveryState.PENDING
    attempts: int = 0
    due_at: datetime | None
    until: datetime
    status_code: int | None = None
    error: str | None = None
    milliseconds: int | None = None
    created_at: datetime
    finished_at: datetime | None = None

    def retry_at(self, now: datetime, chance: float, asked_seconds: float | None = None) -> datetime | None:
        """When to try again what has just failed; None when it is given up. The waits double, up to an hour;
        an endpoint may ask for more, but for no more than that.
        """
        doubled = min(FIRST_RETRY * 2.0 ** min(self.attempts - 1, 30), LONGEST_RETRY)
        seconds = max(_jittered(doubled, chance), min(asked_seconds or 0.0, LONGEST_RETRY))
        again = now + timedelta(seconds=seconds)
        return again if again < self.until else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of an attempt. `retry_at` of one that failed: None gives it up."""

    delivered: bool
    retry_at: datetime | None = None
    status_code: int | None = None
    error: str | None = None
    milliseconds: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """`pending` deliveries to active subscriptions; how long the oldest of those waits that nobody's failure
    holds up: never tried, to an endpoint that answers, or not even addressed; `dead` ones, to be replayed.
    """

    pending: int = 0
    oldest_seconds: float = 0.0
    dead: int = 0


def _jittered(seconds: float, chance: float) -> float:
    return seconds * (1 - JITTER + 2 * JITTER * chance)
