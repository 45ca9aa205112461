"""From events to deliveries, in their order, until each has ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

from common.mongo.database import MongoDatabase
from common.mongo.transaction import Transaction
from common.mongo.values import Document, ms
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.webhooks import (
    ERROR_LENGTH,
    Delivery,
    DeliveryState,
    Event,
    EventType,
    Outcome,
    Subscription,
)
from ticketing_service.storage.mongo import schema
from ticketing_service.storage.mongo.webhook_events import active_subscriptions
from ticketing_service.storage.mongo.webhook_records import (
    THERE,
    delivery_document,
    delivery_of,
    stored_event,
)
from ticketing_service.storage.mongo.writing import Writer
from ticketing_service.storage.records.webhooks import Audience, deliveries_of

_subscriptions, _events, _deliveries = (
    schema.webhook_subscriptions,
    schema.webhook_events,
    schema.webhook_deliveries,
)
_PENDING, _WAITING = DeliveryState.PENDING.value, DeliveryState.WAITING.value
_TURN = "webhook deliveries"


class WebhookQueue:
    """What the worker asks of a `WebhookStore`, on MongoDB."""

    def __init__(self, database: MongoDatabase, writer: Writer) -> None:
        self._database, self._write = database, writer

    def spread(self, now: datetime, limit: int) -> int:
        with self._database.read() as reading:
            # asked again and again, and mostly in vain
            if not reading.find(_events, {}, sort=[("_id", 1)], limit=1, fields=["_id"]):
                return 0
        return self._write(lambda tx: _spread(tx, now, limit), None, [_TURN])

    def due(self, now: datetime) -> tuple[Subscription, ...]:
        with self._database.read() as reading:
            return tuple(
                each
                for each in active_subscriptions(reading)
                if reading.one(_deliveries, _due(each.id, now), ["_id"]) is not None
            )

    def claim(
        self, subscription_id: UUID, now: datetime, lease_until: datetime, limit: int
    ) -> tuple[Delivery, ...]:
        def verb(tx: Transaction) -> tuple[Delivery, ...]:
            due = _due(subscription_id, now)
            found = tx.find(_deliveries, due, sort=[("due_at", 1)], limit=limit, fields=["_id"])
            ids = [each["_id"] for each in found]
            if not ids:
                return ()
            taken = {"$set": {"due_at": ms(lease_until)}, "$inc": {"attempts": 1}}
            tx.update_all(_deliveries, {"_id": {"$in": ids}}, taken)
            claimed = map(delivery_of, tx.with_ids(_deliveries, ids))
            return tuple(sorted(claimed, key=lambda each: (each.event_id, each.id)))

        return self._write(verb, None, [_TURN])

    def release(self, deliveries: Sequence[Delivery], now: datetime) -> None:
        def verb(tx: Transaction) -> None:
            for each in deliveries:
                back = {"due_at": ms(now), "attempts": each.attempts - 1}
                tx.update(_deliveries, _still_claimed(each), {"$set": back})

        if deliveries:
            self._write(verb, None, [_TURN])

    def settle(self, delivery: Delivery, outcome: Outcome, now: datetime) -> None:
        self._write(partial(_settle, delivery=delivery, outcome=outcome, now=now), None, [_TURN])

    def give_up(self, now: datetime, limit: int) -> int:
        stuck = {"$or": [{"active": False}, {"openings": {"$gt": 0}}]}
        late: list[Delivery] = []
        with self._database.read() as reading:
            for each in reading.find(_subscriptions, {**THERE, **stuck}, fields=["_id"]):
                past = {"subscription_id": each["_id"], "state": _PENDING, "until": {"$lte": ms(now)}}
                late += map(delivery_of, reading.find(_deliveries, past, limit=limit))
        for delivery in late[:limit]:
            error = delivery.error or "there was nobody to send it to in time"
            self.settle(delivery, Outcome(delivered=False, error=error), now)
        return len(late[:limit])

    def prune(self, delivered_before: datetime, dead_before: datetime, most: int, limit: int) -> int:
        old = {DeliveryState.DELIVERED: delivered_before, DeliveryState.DEAD: dead_before}

        def verb(tx: Transaction) -> int:
            pruned = 0
            for state, before in old.items():
                pruned += _forget(tx, {"state": state.value, "finished_at": {"$lte": ms(before)}}, limit)
            for each in tx.find(_subscriptions, {}, sort=[("_id", 1)], fields=["_id", "deleted_at"]):
                mine = {"subscription_id": each["_id"]}
                if each["deleted_at"] is None:
                    pruned += sum(_forget_beyond(tx, mine, state, most, limit) for state in old)
                    continue
                count = _forget(tx, mine, limit)
                pruned += count
                if count == 0:
                    tx.delete(_subscriptions, {"_id": each["_id"]})
            return pruned

        return self._write(verb, None, [_TURN])


def replayed(
    tx: Transaction, subscription_id: UUID, delivery_id: UUID, now: datetime, until: datetime
) -> Delivery:
    """See WebhookStore.replay."""
    this = {"_id": delivery_id, "subscription_id": subscription_id}
    found = tx.one(_deliveries, this)
    if found is None:
        raise Refused(Code.DELIVERY_NOT_FOUND)
    if found["state"] != DeliveryState.DEAD.value:
        raise Refused(Code.DELIVERY_NOT_DEAD, facts={"state": found["state"]})
    first = _first(tx, delivery_of(found)) is None
    found |= {
        "state": _PENDING if first else _WAITING,
        "first": True if first else None,
        "due_at": ms(now) if first else None,
        "until": ms(until),
        "attempts": 0,
        "finished_at": None,
    }
    tx.replace(_deliveries, {**this, "state": DeliveryState.DEAD.value}, found)
    return delivery_of(found)


def _spread(tx: Transaction, now: datetime, limit: int) -> int:
    audience = _audience(tx)
    spread = 0
    for event in _next_events(tx, limit):
        # of two workers the one that takes it away turns it into deliveries
        if tx.delete(_events, {"_id": event.id}) == 0:
            continue
        spread += 1
        for each in deliveries_of(event, audience, now):
            _add(tx, each)
    return spread


def _next_events(tx: Transaction, limit: int) -> list[Event]:
    """The oldest, with all that there are of the same subjects: what belongs together is never seen in part,
    so that a later one is not sent before an earlier one.
    """
    oldest = tx.find(_events, {}, sort=[("_id", 1)], limit=limit, fields=["subject"])
    subjects = list({each["subject"] for each in oldest})
    found = tx.find(_events, {"subject": {"$in": subjects}}) if subjects else []
    return sorted(map(stored_event, found), key=lambda each: (each.sequence, each.id))


def _audience(tx: Transaction) -> Audience:
    listed = active_subscriptions(tx)
    owners = {each.reseller_id for each in listed if each.reseller_id is not None}
    found = tx.with_ids(schema.resellers, owners, ["ticket_ids"])
    allowed = {
        each["_id"]: None if each["ticket_ids"] is None else frozenset(each["ticket_ids"]) for each in found
    }
    return [(each, allowed.get(each.reseller_id) if each.reseller_id else None) for each in listed]


def _add(tx: Transaction, new: Delivery) -> None:
    """Queue it behind what there is of its subject. That a slot is another one now is said once, as long as
    nobody was told: who is told looks.
    """
    first = _first(tx, new)
    document = delivery_document(new)
    if first is not None:
        if new.type is EventType.AVAILABILITY and (first["attempts"] == 0 or _next(tx, new) is not None):
            return
        document |= {"state": _WAITING, "first": None, "due_at": None}
        tx.update(_deliveries, {"_id": first["_id"]}, {"$inc": {"changes": 1}})
    tx.insert_or_lose(_deliveries, [document])


def _first(tx: Transaction, delivery: Delivery) -> Document | None:
    """The one that is to be sent next of the subject."""
    return tx.one(_deliveries, {**_same_subject(delivery), "first": True})


def _next(tx: Transaction, delivery: Delivery) -> UUID | None:
    """The one that follows it."""
    waiting = {**_same_subject(delivery), "state": _WAITING}
    order = [("sequence", 1), ("event_id", 1)]
    found = tx.find(_deliveries, waiting, sort=order, limit=1, fields=["_id"])
    return found[0]["_id"] if found else None


def _settle(tx: Transaction, delivery: Delivery, outcome: Outcome, now: datetime) -> None:
    state = DeliveryState.DELIVERED if outcome.delivered else DeliveryState.DEAD
    ended = outcome.delivered or outcome.retry_at is None
    values: Document = {
        "due_at": ms(outcome.retry_at),
        "status_code": outcome.status_code,
        "error": None if outcome.error is None else outcome.error[:ERROR_LENGTH],
        "milliseconds": outcome.milliseconds,
    }
    if ended:
        values |= {"state": state.value, "first": None, "due_at": None, "finished_at": ms(now)}
    if tx.update(_deliveries, _still_claimed(delivery), {"$set": values}) == 0 or not ended:
        return
    following = _next(tx, delivery)
    if following is not None:
        change = {"$set": {"state": _PENDING, "first": True, "due_at": ms(now)}}
        tx.update(_deliveries, {"_id": following}, change)


def _due(subscription_id: UUID, now: datetime) -> Document:
    return {"subscription_id": subscription_id, "state": _PENDING, "due_at": {"$lte": ms(now)}}


def _still_claimed(delivery: Delivery) -> Document:
    """Nobody has claimed it since."""
    return {"_id": delivery.id, "state": _PENDING, "attempts": delivery.attempts}


def _same_subject(delivery: Delivery) -> Document:
    return {
        "subscription_id": delivery.subscription_id,
        "subject": delivery.subject,
        "type": delivery.type.value,
    }


def _forget(tx: Transaction, condition: Document, limit: int) -> int:
    ids = [each["_id"] for each in tx.find(_deliveries, condition, limit=limit, fields=["_id"])]
    return tx.delete(_deliveries, {"_id": {"$in": ids}}) if ids else 0


def _forget_beyond(tx: Transaction, mine: Document, state: DeliveryState, most: int, limit: int) -> int:
    """The oldest of those that are more than `most`."""
    condition = {**mine, "state": state.value}
    newest = tx.find(_deliveries, condition, sort=[("_id", -1)], limit=most + 1, fields=["_id"])
    if len(newest) <= most:
        return 0
    return _forget(tx, {**condition, "_id": {"$lte": newest[-1]["_id"]}}, limit)
