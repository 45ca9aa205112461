"""Sending webhooks: events become deliveries, and each endpoint gets its own in a lane of its own.

Only the worker runs this. At least once: what a killed worker had sent, or was about to send, is sent again
when its lease ends, under the same id.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import UUID

import orjson

from common.auth.sealing import SealBroken
from common.database.unavailable import StoreUnavailable
from common.outgoing.signing import signed_headers
from ticketing_service.actions.ports import Ports
from ticketing_service.clients.port import EndpointFailed, NotSent
from ticketing_service.domain.webhooks import Delivery, Health, Outcome, Subscription

log = logging.getLogger(__name__)

LANES = 8
SUSPECTS = 4
"""Of the lanes, how many endpoints may have whose last delivery failed: slow ones leave room for others."""
EVENTS, BATCH, BATCHES = 50, 5, 40
LEASE = timedelta(seconds=60)
"""Longer than a batch may take, each delivery at its time limit."""
DELIVERED_KEPT, DEAD_KEPT = timedelta(days=7), timedelta(days=30)
MOST_KEPT = 10_000
"""Of a subscription, delivered and dead ones each."""


Translated = Callable[[Subscription, Delivery, Ports], bytes | None]
"""The body for a subscription that was made over OCTO; None when there is nothing to be said there."""


class Dispatcher:
    """Sends what there is to send, again and again. `chance` is 0 to 1, for jitter."""

    def __init__(
        self,
        ports: Ports,
        translated: Translated,
        *,
        chance: Callable[[], float] = random.random,
        lanes: int = LANES,
        lease: timedelta = LEASE,
    ) -> None:
        self._ports, self._translated = ports, translated
        self._chance, self._lease = chance, lease
        self._most, self._most_suspects = lanes, max(1, lanes * SUSPECTS // LANES)
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None
        self._lanes: dict[UUID, bool] = {}
        """Endpoints that are being sent to, and whether they are suspects."""
        self._begun: dict[UUID, float] = {}
        self._closing = threading.Event()

    def run(self) -> None:
        """Once: turn events into deliveries, and begin a lane for each endpoint that has none."""
        store, sender = self._ports.store.webhooks, self._ports.webhook_sender
        while store.spread(self._ports.clock(), EVENTS) >= EVENTS and not self._closing.is_set():
            pass
        if sender.was_reset():
            store.close_all()
        sender.endpoints(*store.health())
        now = self._ports.clock()
        due = store.due(now)
        self._begun = {each.id: self._begun.get(each.id, 0.0) for each in due}
        # who was served longest ago is next
        for subscription in sorted(due, key=lambda each: self._begun[each.id]):
            if sender.tries_all() or not subscription.health.rests(now):
                self._begin(subscription)

    def idle(self) -> bool:
        """Whether nothing is being sent."""
        with self._lock:
            return not self._lanes

    def close(self) -> None:
        """Begin nothing more, and wait for what was begun."""
        self._closing.set()
        if self._pool is not None:
            self._pool.shutdown()

    def _begin(self, subscription: Subscription) -> None:
        suspect = subscription.health.failures > 0
        with self._lock:
            suspects = sum(self._lanes.values())
            if (
                self._closing.is_set()
                or subscription.id in self._lanes
                or len(self._lanes) >= self._most
                or (suspect and suspects >= self._most_suspects)
            ):
                return
            self._lanes[subscription.id] = suspect
            self._begun[subscription.id] = time.monotonic()
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self._most, "webhooks")
        self._pool.submit(self._lane, subscription.id)

    def _lane(self, subscription_id: UUID) -> None:
        try:
            for _ in range(BATCHES):
                if self._closing.is_set() or not self._batch(subscription_id):
                    break
        except StoreUnavailable as error:
            log.warning("webhooks of %s: the store is away: %s", subscription_id, error)
        except Exception:
            log.exception("webhooks of %s could not be sent", subscription_id)
        finally:
            with self._lock:
                del self._lanes[subscription_id]

    def _batch(self, subscription_id: UUID) -> bool:
        """Send the next few; whether it is worth going on."""
        store = self._ports.store.webhooks
        subscription = store.get(subscription_id)
        if subscription is None or not subscription.active:
            return False
        # of one that fails a single one is tried
        size = 1 if subscription.health.failures else BATCH
        now = self._ports.clock()
        claimed = store.claim(subscription_id, now, now + self._lease, size)
        health = subscription.health
        for index, delivery in enumerate(claimed):
            after = self._send(subscription, delivery, health)
            if after is None or after.failures or self._closing.is_set():
                store.release(claimed[index + 1 :], self._ports.clock())
                return False
            health = after
        return len(claimed) == size

    def _send(self, subscription: Subscription, delivery: Delivery, health: Health) -> Health | None:
        """How the endpoint is after it; None when it was not tried."""
        store, began, clock = self._ports.store.webhooks, time.monotonic(), self._ports.clock
        error: EndpointFailed | None = None
        status: int | None = None
        try:
            status = self._sent(subscription, delivery, clock(), trial=health.is_open)
        except NotSent:
            store.release([delivery], clock())
            return None
        except EndpointFailed as failed:
            error, status = failed, failed.status_code
        now, milliseconds = clock(), round((time.monotonic() - began) * 1000)
        if error is None:
            outcome = Outcome(delivered=True, status_code=status, milliseconds=milliseconds)
            after = health.succeeded()
        else:
            retry_at = delivery.retry_at(now, self._chance(), error.retry_after_seconds)
            outcome = Outcome(
                delivered=False,
                retry_at=retry_at,
                status_code=status,
                error=str(error),
                milliseconds=milliseconds,
            )
            after = health.failed(str(error), now, self._chance())
            log.log(
                logging.INFO if retry_at else logging.WARNING,
                "webhook %s of %s, attempt %d: %s", delivery.id, subscription.id, delivery.attempts, error,
            )  # fmt: skip
        store.settle(delivery, outcome, now)
        if after != health:
            store.report(subscription.id, after)
        return after

    def _sent(
        self, subscription: Subscription, delivery: Delivery, now: datetime, *, trial: bool
    ) -> int | None:
        """The status of the answer; None when there was nothing to be said."""
        body = self._body(subscription, delivery)
        if body is None:
            return None
        try:
            keys = [
                self._ports.webhook_seals.open(each.sealed, str(subscription.id))
                for each in subscription.signing(now)
            ]
        except SealBroken as broken:
            log.exception("the secret of subscription %s cannot be opened", subscription.id)
            raise EndpointFailed("the secret cannot be opened: renew it") from broken
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "webhooks",
            "Connection": "close",
            **signed_headers(str(delivery.id), int(now.timestamp()), body, keys),
        }
        return self._ports.webhook_sender.send(subscription.url, headers, body, trial=trial)

    def _body(self, subscription: Subscription, delivery: Delivery) -> bytes | None:
        if subscription.octo is None:
            return _body(delivery)
        try:
            return self._translated(subscription, delivery, self._ports)
        except StoreUnavailable:
            raise
        except Exception as error:
            # what cannot be written does not hold up for ever what follows it
            log.exception("webhook %s of %s cannot be written", delivery.id, subscription.id)
            raise EndpointFailed("the message cannot be written") from error


def tidy_up(ports: Ports) -> None:
    """End what is past its time, and forget what ended long ago."""
    now = ports.clock()
    while ports.store.webhooks.give_up(now, EVENTS):
        pass
    while ports.store.webhooks.prune(now - DELIVERED_KEPT, now - DEAD_KEPT, MOST_KEPT, EVENTS * 2):
        pass


def _body(delivery: Delivery) -> bytes:
    return orjson.dumps(
        {
            "type": delivery.type.value,
            "timestamp": _instant(delivery.created_at),
            "data": delivery.data,
        }
    )


def _instant(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
