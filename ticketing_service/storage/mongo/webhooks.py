"""Who subscribes to webhooks, and the log of what was sent."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from common.database.cursors import id_cursor, page_from
from common.mongo.database import MongoDatabase
from common.mongo.failures import Conflict
from common.mongo.transaction import Transaction
from common.mongo.values import Document, instant, ms
from common.pages import Page
from common.web.idempotency import Idempotency
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.webhooks import Backlog, Delivery, DeliveryState, Health, Subscription
from ticketing_service.storage.mongo import schema
from ticketing_service.storage.mongo.webhook_queue import WebhookQueue, replayed
from ticketing_service.storage.mongo.webhook_records import (
    ACTIVE,
    THERE,
    delivery_of,
    health_fields,
    subscription_document,
    subscription_of,
)
from ticketing_service.storage.mongo.writing import Writer

_subscriptions, _deliveries = schema.webhook_subscriptions, schema.webhook_deliveries
_KEPT = ("_id", "reseller_id", "is_test", "created_at", "created_by")


class MongoWebhooks(WebhookQueue):
    """The `WebhookStore` on MongoDB."""

    def __init__(self, database: MongoDatabase, writer: Writer) -> None:
        super().__init__(database, writer)
        self._subscribed = writer.subscribed

    def create(
        self, subscription: Subscription, most: int, *, idempotency: Idempotency | None = None
    ) -> Subscription:
        def verb(tx: Transaction) -> Subscription:
            _require_reseller(tx, subscription.reseller_id)
            own = {"reseller_id": subscription.reseller_id, **THERE}
            if tx.count(_subscriptions, own) >= most:
                raise Refused(Code.TOO_MANY_SUBSCRIPTIONS, facts={"most": most})
            tx.insert(_subscriptions, [{**subscription_document(subscription), "deleted_at": None}])
            return subscription

        created = self._write(verb, idempotency, [("subscriptions", subscription.reseller_id)])
        self._subscribed.changed()
        return created

    def replace(
        self,
        subscription: Subscription,
        expected_version: int,
        *,
        idempotency: Idempotency | None = None,
    ) -> Subscription:
        changed = replace(subscription, version=expected_version + 1)
        document = subscription_document(changed)
        fields = {name: value for name, value in document.items() if name not in _KEPT}

        def verb(tx: Transaction) -> Subscription:
            _change(tx, subscription.id, expected_version, fields)
            return _found(tx, subscription.id) or changed

        stored = self._write(verb, idempotency, [subscription.id])
        self._subscribed.changed()
        return stored

    def delete(self, subscription_id: UUID, expected_version: int, now: datetime) -> None:
        gone = {"deleted_at": ms(now), "version": expected_version + 1}
        self._write(lambda tx: _change(tx, subscription_id, expected_version, gone), None, [subscription_id])
        self._subscribed.changed()

    def get(self, subscription_id: UUID) -> Subscription | None:
        with self._database.read() as reading:
            return _found(reading, subscription_id)

    def page(self, owner: UUID | None, is_test: bool, limit: int, cursor: str | None) -> Page[Subscription]:
        condition: Document = dict(THERE)
        if owner is not None:
            condition |= {"reseller_id": owner, "is_test": is_test}
        if cursor is not None:
            condition["_id"] = {"$lt": id_cursor(cursor)}
        with self._database.read() as reading:
            found = reading.find(_subscriptions, condition, sort=[("_id", -1)], limit=limit + 1)
        return page_from([subscription_of(each) for each in found], limit, lambda each: (str(each.id),))

    def deliveries(
        self, subscription_id: UUID, state: DeliveryState | None, limit: int, cursor: str | None
    ) -> Page[Delivery]:
        condition: Document = {"subscription_id": subscription_id}
        if state is not None:
            condition["state"] = state.value
        if cursor is not None:
            condition["_id"] = {"$lt": id_cursor(cursor)}
        with self._database.read() as reading:
            found = reading.find(_deliveries, condition, sort=[("_id", -1)], limit=limit + 1)
        return page_from([delivery_of(each) for each in found], limit, lambda each: (str(each.id),))

    def replay(self, subscription_id: UUID, delivery_id: UUID, now: datetime, until: datetime) -> Delivery:
        return self._write(
            lambda tx: replayed(tx, subscription_id, delivery_id, now, until), None, [subscription_id]
        )

    def report(self, subscription_id: UUID, health: Health) -> None:
        change = {"$set": health_fields(health)}
        self._write(lambda tx: tx.update(_subscriptions, {"_id": subscription_id}, change))

    def health(self) -> tuple[int, int]:
        with self._database.read() as reading:
            found = reading.find(_subscriptions, ACTIVE, fields=["openings"])
        return len(found), sum(each["openings"] > 0 for each in found)

    def backlog(self, now: datetime) -> Backlog:
        states = DeliveryState
        waits = {"$in": [states.PENDING.value, states.WAITING.value]}
        with self._database.read() as reading:
            there = reading.find(_subscriptions, THERE, fields=["active", "failures"])
            active = [each["_id"] for each in there if each["active"]]
            well = [each["_id"] for each in there if each["active"] and not each["failures"]]
            ours = {"subscription_id": {"$in": well}, "state": states.PENDING.value, "attempts": 0}
            pending = reading.count(_deliveries, {"subscription_id": {"$in": active}, "state": waits})
            dead = {"subscription_id": {"$in": [each["_id"] for each in there]}, "state": states.DEAD.value}
            given_up = reading.count(_deliveries, dead)
            first = reading.find(_deliveries, ours, sort=[("due_at", 1)], limit=1, fields=["due_at"])
            event = reading.find(schema.webhook_events, {}, sort=[("_id", 1)], limit=1, fields=["at"])
        moments = [instant(each["due_at"]) for each in first] + [instant(each["at"]) for each in event]
        late = max(0.0, (now - min(moments, default=now)).total_seconds())
        return Backlog(pending=pending, oldest_seconds=late, dead=given_up)

    def close_all(self) -> None:
        change = {"$set": health_fields(Health())}
        self._write(lambda tx: tx.update_all(_subscriptions, ACTIVE, change))


def _found(tx: Transaction, subscription_id: UUID) -> Subscription | None:
    found = tx.one(_subscriptions, {"_id": subscription_id, **THERE})
    return None if found is None else subscription_of(found)


def _change(tx: Transaction, subscription_id: UUID, version: int, values: Document) -> None:
    found = tx.one(_subscriptions, {"_id": subscription_id, **THERE}, ["version"])
    if found is None:
        raise Refused(Code.SUBSCRIPTION_NOT_FOUND)
    if found["version"] != version:
        raise Refused(Code.VERSION_CONFLICT, facts={"version": found["version"]})
    if tx.update(_subscriptions, {"_id": subscription_id, "version": version}, {"$set": values}) == 0:
        raise Conflict(_subscriptions.name)


def _require_reseller(tx: Transaction, reseller_id: UUID | None) -> None:
    if reseller_id is None or tx.one(schema.resellers, {"_id": reseller_id}, ["_id"]) is not None:
        return
    raise Refused(Code.RESELLER_NOT_FOUND, pointer="/resellerId")
