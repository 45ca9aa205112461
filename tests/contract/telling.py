"""What subscriptions to webhooks are told, and when."""

from __future__ import annotations

from datetime import timedelta

from tests.contract.builders import NOW
from ticketing_service.domain.webhooks import Delivery, Subscription
from ticketing_service.storage.port import Store

MOST, EVERYTHING = 20, 100
LATER = NOW + timedelta(minutes=1)
AFTER = NOW + timedelta(hours=1)


def told(store: Store, subscription: Subscription) -> list[Delivery]:
    """All that the subscription is told, the first first."""
    while store.webhooks.spread(NOW, EVERYTHING):
        pass
    page = store.webhooks.deliveries(subscription.id, None, EVERYTHING, None)
    return sorted(page.items, key=lambda each: each.event_id)
