"""Who subscribes to webhooks, and what is on its way to them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from common.pages import Page
from common.web.idempotency import Idempotency
from ticketing_service.domain.webhooks import Backlog, Delivery, DeliveryState, Health, Outcome, Subscription


class WebhookStore(Protocol):
    """Events are written by the verbs that change something, in their commits, where a subscription is known
    to want them: other processes know of a new one at once, those of other machines within a second.
    """

    def create(
        self, subscription: Subscription, most: int, *, idempotency: Idempotency | None = None
    ) -> Subscription:
        """Refuses TOO_MANY_SUBSCRIPTIONS when its owner has `most`, RESELLER_NOT_FOUND."""
        ...

    def replace(
        self,
        subscription: Subscription,
        expected_version: int,
        *,
        idempotency: Idempotency | None = None,
    ) -> Subscription:
        """With its health, which else `report` keeps. Refuses SUBSCRIPTION_NOT_FOUND, VERSION_CONFLICT."""
        ...

    def delete(self, subscription_id: UUID, expected_version: int, now: datetime) -> None:
        """It is gone at once; its deliveries are swept up. Refuses as `replace`."""
        ...

    def get(self, subscription_id: UUID) -> Subscription | None: ...

    def page(self, owner: UUID | None, is_test: bool, limit: int, cursor: str | None) -> Page[Subscription]:
        """Those of a reseller's tests, or of its other keys; all there are for None. Newest first."""
        ...

    def deliveries(
        self, subscription_id: UUID, state: DeliveryState | None, limit: int, cursor: str | None
    ) -> Page[Delivery]:
        """Newest first."""
        ...

    def replay(self, subscription_id: UUID, delivery_id: UUID, now: datetime, until: datetime) -> Delivery:
        """Try a dead one again until then. Refuses DELIVERY_NOT_FOUND, DELIVERY_NOT_DEAD."""
        ...

    def spread(self, now: datetime, limit: int) -> int:
        """Turn up to so many events (and those of the same subjects) into deliveries; says how many."""
        ...

    def due(self, now: datetime) -> tuple[Subscription, ...]:
        """Active subscriptions that something is to be sent to; also those whose breaker is open."""
        ...

    def claim(
        self, subscription_id: UUID, now: datetime, lease_until: datetime, limit: int
    ) -> tuple[Delivery, ...]:
        """Due deliveries, leased to the caller; each is the first of its subject. `attempts`
        counts this one.
        """
        ...

    def release(self, deliveries: Sequence[Delivery], now: datetime) -> None:
        """Give claimed ones back that were not tried."""
        ...

    def settle(self, delivery: Delivery, outcome: Outcome, now: datetime) -> None:
        """What came of the attempt; the next of its subject follows one that has ended. Changes nothing when
        the lease is another one's by now.
        """
        ...

    def report(self, subscription_id: UUID, health: Health) -> None:
        """How the endpoint is doing."""
        ...

    def health(self) -> tuple[int, int]:
        """How many active subscriptions there are, and of how many the breaker is open."""
        ...

    def backlog(self, now: datetime) -> Backlog:
        """What there is still to be sent, and what was given up."""
        ...

    def close_all(self) -> None:
        """Close the breakers of all endpoints."""
        ...

    def give_up(self, now: datetime, limit: int) -> int:
        """End what is past its time and has nobody to be sent to: the breaker is open, or the subscription
        is not active; says how many.
        """
        ...

    def prune(self, delivered_before: datetime, dead_before: datetime, most: int, limit: int) -> int:
        """Forget up to `limit` deliveries that ended before then, or are more than `most` of a subscription
        in one state, and those of deleted subscriptions; says how many.
        """
        ...
