"""From events to deliveries, in their order, until each has ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, insert, or_, select, update

from common.database.engine import Database
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
from ticketing_service.storage.records.webhooks import Audience, deliveries_of
from ticketing_service.storage.sql import schema
from ticketing_service.storage.sql.webhook_events import active_subscriptions, stored_event
from ticketing_service.storage.sql.webhook_records import ACTIVE, delivery_of, delivery_row, subscription_of
from ticketing_service.storage.sql.writing import Writer

_subscriptions, _events, _deliveries = (
    schema.webhook_subscriptions,
    schema.webhook_events,
    schema.webhook_deliveries,
)
_PENDING, _WAITING = DeliveryState.PENDING.value, DeliveryState.WAITING.value


class WebhookQueue:
    """What the worker asks of a `WebhookStore`, on an SQL database."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database, self._write = database, writer

    def spread(self, now: datetime, limit: int) -> int:
        with self._database.read() as connection:
            # asked again and again, and mostly in vain
            if connection.scalar(select(_events.c.id).limit(1)) is None:
                return 0
        return self._write(lambda connection: _spread(connection, now, limit))

    def due(self, now: datetime) -> tuple[Subscription, ...]:
        mine = _deliveries.c.subscription_id == _subscriptions.c.id
        waits = exists().where(mine, _deliveries.c.state == _PENDING, _deliveries.c.due_at <= now)
        with self._database.read() as connection:
            found = connection.execute(select(_subscriptions).where(ACTIVE, waits))
            return tuple(map(subscription_of, found))

    def claim(
        self, subscription_id: UUID, now: datetime, lease_until: datetime, limit: int
    ) -> tuple[Delivery, ...]:
        table = _deliveries
        due = (
            select(table)
            .where(
                table.c.subscription_id == subscription_id,
                table.c.state == _PENDING,
                table.c.due_at <= now,
            )
            .order_by(table.c.due_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )

        def verb(connection: Connection) -> tuple[Delivery, ...]:
            ids = [row.id for row in connection.execute(due)]
            if not ids:
                return ()
            taken = update(table).where(table.c.id.in_(ids))
            connection.execute(taken.values(due_at=lease_until, attempts=table.c.attempts + 1))
            rows = connection.execute(
                select(table).where(table.c.id.in_(ids)).order_by(table.c.event_id, table.c.id)
            )
            return tuple(map(delivery_of, rows))

        return self._write(verb)

    def release(self, deliveries: Sequence[Delivery], now: datetime) -> None:
        def verb(connection: Connection) -> None:
            for each in deliveries:
                back = update(_deliveries).where(_still_claimed(each))
                connection.execute(back.values(due_at=now, attempts=each.attempts - 1))

        if deliveries:
            self._write(verb)

    def settle(self, delivery: Delivery, outcome: Outcome, now: datetime) -> None:
        self._write(partial(_settle, delivery=delivery, outcome=outcome, now=now))

    def give_up(self, now: datetime, limit: int) -> int:
        stuck = or_(_subscriptions.c.active.is_(False), _subscriptions.c.openings > 0)
        late = (
            select(_deliveries)
            .join_from(_subscriptions, _deliveries, _deliveries.c.subscription_id == _subscriptions.c.id)
            .where(stuck, _deliveries.c.state == _PENDING, _deliveries.c.until <= now)
            .limit(limit)
        )
        with self._database.read() as connection:
            found = [delivery_of(row) for row in connection.execute(late)]
        for each in found:
            outcome = Outcome(delivered=False, error=each.error or "there was nobody to send it to in time")
            self.settle(each, outcome, now)
        return len(found)

    def prune(self, delivered_before: datetime, dead_before: datetime, most: int, limit: int) -> int:
        old = {DeliveryState.DELIVERED: delivered_before, DeliveryState.DEAD: dead_before}

        def verb(connection: Connection) -> int:
            pruned = _forget_deleted(connection, limit)
            for state, before in old.items():
                finished = and_(_deliveries.c.state == state.value, _deliveries.c.finished_at <= before)
                pruned += _forget(connection, finished, limit)
            for subscription_id in connection.scalars(select(_subscriptions.c.id)).all():
                for state in old:
                    pruned += _forget_beyond(connection, subscription_id, state, most, limit)
            return pruned

        return self._write(verb)


def replayed(
    connection: Connection, subscription_id: UUID, delivery_id: UUID, now: datetime, until: datetime
) -> Delivery:
    """See WebhookStore.replay."""
    this = select(_deliveries).where(
        _deliveries.c.id == delivery_id, _deliveries.c.subscription_id == subscription_id
    )
    row = connection.execute(this.with_for_update()).one_or_none()
    if row is None:
        raise Refused(Code.DELIVERY_NOT_FOUND)
    if row.state != DeliveryState.DEAD.value:
        raise Refused(Code.DELIVERY_NOT_DEAD, facts={"state": row.state})
    first = _first(connection, delivery_of(row)) is None
    values = {
        "state": _PENDING if first else _WAITING,
        "first": True if first else None,
        "due_at": now if first else None,
        "until": until,
        "attempts": 0,
        "finished_at": None,
    }
    connection.execute(update(_deliveries).where(_deliveries.c.id == delivery_id).values(values))
    return delivery_of(connection.execute(this).one())


def _spread(connection: Connection, now: datetime, limit: int) -> int:
    audience = _audience(connection)
    events = _next_events(connection, limit)
    spread = 0
    for event in events:
        # of two workers the one that takes it away turns it into deliveries
        if connection.execute(delete(_events).where(_events.c.id == event.id)).rowcount == 0:
            continue
        spread += 1
        for each in deliveries_of(event, audience, now):
            _add(connection, each)
    return spread


def _next_events(connection: Connection, limit: int) -> list[Event]:
    """The oldest, with all that there are of the same subjects: what belongs together is never seen in part,
    so that a later one is not sent before an earlier one.
    """
    oldest = connection.scalars(select(_events.c.subject).order_by(_events.c.id).limit(limit)).all()
    if not oldest:
        return []
    rows = connection.execute(select(_events).where(_events.c.subject.in_(set(oldest))))
    return sorted(map(stored_event, rows), key=lambda each: (each.sequence, each.id))


def _audience(connection: Connection) -> Audience:
    table = schema.resellers
    listed = active_subscriptions(connection)
    owners = {each.reseller_id for each in listed if each.reseller_id is not None}
    rows = connection.execute(select(table.c.id, table.c.ticket_ids).where(table.c.id.in_(owners)))
    allowed = {
        row.id: None if row.ticket_ids is None else frozenset(map(UUID, row.ticket_ids)) for row in rows
    }
    return [(each, allowed.get(each.reseller_id) if each.reseller_id else None) for each in listed]


def _add(connection: Connection, new: Delivery) -> None:
    """Queue it behind what there is of its subject. That a slot is another one now is said once, as long as
    nobody was told: who is told looks.
    """
    first = _first(connection, new)
    row = delivery_row(new)
    if first is not None:
        if new.type is EventType.AVAILABILITY and (first.attempts == 0 or _next(connection, new) is not None):
            return
        row |= {"state": _WAITING, "first": None, "due_at": None}
    connection.execute(insert(_deliveries), row)


def _first(connection: Connection, delivery: Delivery) -> Any:
    """The row that is to be sent next of the subject, locked: it does not end meanwhile."""
    table = _deliveries
    statement = select(table).where(_same_subject(delivery), table.c.first.is_(True))
    return connection.execute(statement.with_for_update()).one_or_none()


def _next(connection: Connection, delivery: Delivery) -> Any:
    """The row that follows it."""
    table = _deliveries
    waiting = select(table.c.id).where(_same_subject(delivery), table.c.state == _WAITING)
    return connection.scalar(waiting.order_by(table.c.sequence, table.c.event_id).limit(1))


def _settle(connection: Connection, delivery: Delivery, outcome: Outcome, now: datetime) -> None:
    state = DeliveryState.DELIVERED if outcome.delivered else DeliveryState.DEAD
    ended = outcome.delivered or outcome.retry_at is None
    values = {
        "due_at": outcome.retry_at,
        "status_code": outcome.status_code,
        "error": None if outcome.error is None else outcome.error[:ERROR_LENGTH],
        "milliseconds": outcome.milliseconds,
    }
    if ended:
        values |= {"state": state.value, "first": None, "due_at": None, "finished_at": now}
    kept = connection.execute(update(_deliveries).where(_still_claimed(delivery)).values(values))
    if kept.rowcount == 0 or not ended:
        return
    following = _next(connection, delivery)
    if following is not None:
        change = update(_deliveries).where(_deliveries.c.id == following)
        connection.execute(change.values(state=_PENDING, first=True, due_at=now))


def _still_claimed(delivery: Delivery) -> ColumnElement[bool]:
    """Nobody has claimed it since."""
    table = _deliveries
    return and_(table.c.id == delivery.id, table.c.state == _PENDING, table.c.attempts == delivery.attempts)


def _same_subject(delivery: Delivery) -> ColumnElement[bool]:
    table = _deliveries
    return and_(
        table.c.subscription_id == delivery.subscription_id,
        table.c.subject == delivery.subject,
        table.c.type == delivery.type.value,
    )


def _forget(connection: Connection, condition: ColumnElement[bool], limit: int) -> int:
    ids = connection.scalars(select(_deliveries.c.id).where(condition).limit(limit)).all()
    return connection.execute(delete(_deliveries).where(_deliveries.c.id.in_(ids))).rowcount if ids else 0


def _forget_deleted(connection: Connection, limit: int) -> int:
    gone = connection.scalars(select(_subscriptions.c.id).where(_subscriptions.c.deleted_at.is_not(None)))
    pruned = 0
    for subscription_id in gone.all():
        count = _forget(connection, _deliveries.c.subscription_id == subscription_id, limit)
        pruned += count
        if count == 0:
            connection.execute(delete(_subscriptions).where(_subscriptions.c.id == subscription_id))
    return pruned


def _forget_beyond(
    connection: Connection, subscription_id: UUID, state: DeliveryState, most: int, limit: int
) -> int:
    """The oldest of those that are more than `most`."""
    table = _deliveries
    mine = and_(table.c.subscription_id == subscription_id, table.c.state == state.value)
    newest = select(table.c.id).where(mine).order_by(table.c.id.desc())
    last = connection.scalar(newest.offset(most).limit(1))
    return 0 if last is None else _forget(connection, and_(mine, table.c.id <= last), limit)
