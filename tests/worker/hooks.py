"""A store whose changes are told to endpoints, and a clock that the test owns."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.contract.builders import NOW
from tests.contract.world import World
from tests.servers.endpoint import Endpoint, Received
from tests.servers.process import eventually
from tests.worker.shop import ports_of, webhooks_guard
from ticketing_service.actions.webhook_delivery import Dispatcher
from ticketing_service.actions.webhooks import CreateSubscription, create_subscription, secret_of
from ticketing_service.domain.bookings import Booking
from ticketing_service.domain.slots import Slot
from ticketing_service.domain.webhooks import Delivery, EventType, Subscription
from ticketing_service.schemas.octo.webhooks import update_body
from ticketing_service.storage.port import Store

NOWHERE = "http://127.0.0.1:9"
WAIT = 60.0
BOOKINGS = (EventType.BOOKING,)


class Hooks:
    """`chance` is that of the jitter: in its middle there is none."""

    def __init__(self, store: Store, folder: Path, **dispatching: Any) -> None:
        self.now = NOW
        self.store, self.world = store, World(store)
        self.guard = webhooks_guard()
        self.ports = ports_of(store, folder, NOWHERE, "smtp://127.0.0.1:9", lambda: self.now, self.guard)
        self.dispatcher = Dispatcher(self.ports, update_body, **{"chance": lambda: 0.5, **dispatching})
        self._slot: Slot | None = None

    def subscribe(
        self, endpoint: Endpoint | str, events: Iterable[EventType] = BOOKINGS, **more: Any
    ) -> Subscription:
        url = endpoint if isinstance(endpoint, str) else endpoint.url
        command = CreateSubscription(url=url, events=tuple(events), actor="test", **more)
        return create_subscription(command, self.ports)

    def secret(self, subscription: Subscription, number: int = 1) -> str:
        return secret_of(subscription.id, number, self.ports)

    def held(self, **order: Any) -> Booking:
        """A new booking: an event with its first version."""
        self._slot = self._slot or self.world.slot(capacity=1000)
        return self.world.hold(self._slot, **order)

    def extended(self, booking: Booking) -> Booking:
        """Its next version."""
        return self.store.bookings.extend(booking.id, lambda it: it.expires_at + timedelta(minutes=1), NOW)

    def run(self) -> None:
        """Send what is due, each endpoint's next, and wait until that has ended."""
        self.dispatcher.run()
        eventually(self.dispatcher.idle, seconds=WAIT, what="the end of all lanes")

    def run_off(self) -> None:
        """Send all that is due now."""
        while True:
            before = self.log()
            self.run()
            if self.log() == before:
                return

    def log(self) -> list[Delivery]:
        """Of all subscriptions, in the order of their events."""
        listed = self.store.webhooks.page(None, False, 100, None).items
        pages = (self.store.webhooks.deliveries(each.id, None, 100, None) for each in listed)
        found = (delivery for page in pages for delivery in page.items)
        return sorted(found, key=lambda each: (each.event_id, each.id))

    def again(self, subscription: Subscription) -> Subscription:
        """As it is now."""
        found = self.store.webhooks.get(subscription.id)
        assert found is not None
        return found

    def change(self, subscription: Subscription, **changes: Any) -> Subscription:
        current = self.again(subscription)
        return self.store.webhooks.replace(replace(current, **changes), current.version)

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)

    def move_to(self, moment: datetime) -> None:
        self.now = max(self.now, moment)


def signatures(received: Received, secret: str) -> bool:
    """Whether one of the signatures is right: the few lines that a receiver needs."""
    signed = f"{received.headers['webhook-id']}.{received.headers['webhook-timestamp']}.".encode()
    key = base64.b64decode(secret.removeprefix("whsec_"))
    wanted = base64.b64encode(hmac.new(key, signed + received.body, hashlib.sha256).digest()).decode()
    given = received.headers["webhook-signature"].split()
    return any(hmac.compare_digest(each, f"v1,{wanted}") for each in given)
