"""Who subscribes to webhooks, and the log of what was sent."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, and_, case, func, insert, select, update

from common.database.engine import Database
from common.database.keyset import id_cursor, page_from
from common.pages import Page
from common.web.idempotency import Idempotency
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.webhooks import Backlog, Delivery, DeliveryState, Health, Subscription
from ticketing_service.storage.sql import schema
from ticketing_service.storage.sql.webhook_queue import WebhookQueue, replayed
from ticketing_service.storage.sql.webhook_records import (
    ACTIVE,
    THERE,
    delivery_of,
    health_row,
    subscription_of,
    subscription_row,
)
from ticketing_service.storage.sql.writing import Writer

_subscriptions, _deliveries = schema.webhook_subscriptions, schema.webhook_deliveries
_KEPT = ("id", "reseller_id", "is_test", "created_at", "created_by")


class SqlWebhooks(WebhookQueue):
    """The `WebhookStore` on an SQL database."""

    def __init__(self, database: Database, writer: Writer) -> None:
        super().__init__(database, writer)
        self._subscribed = writer.subscribed

    def create(
        self, subscription: Subscription, most: int, *, idempotency: Idempotency | None = None
    ) -> Subscription:
        def verb(connection: Connection) -> Subscription:
            _require_reseller(connection, subscription.reseller_id)
            own = (THERE, _subscriptions.c.reseller_id.is_not_distinct_from(subscription.reseller_id))
            count = connection.scalar(select(func.count()).select_from(_subscriptions).where(*own))
            if (count or 0) >= most:
                raise Refused(Code.TOO_MANY_SUBSCRIPTIONS, facts={"most": most})
            connection.execute(insert(_subscriptions), subscription_row(subscription))
            return subscription

        created = self._write(verb, idempotency)
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
        row = {name: value for name, value in subscription_row(changed).items() if name not in _KEPT}

        def verb(connection: Connection) -> Subscription:
            _change(connection, subscription.id, expected_version, row)
            return _found(connection, subscription.id) or changed

        stored = self._write(verb, idempotency)
        self._subscribed.changed()
        return stored

    def delete(self, subscription_id: UUID, expected_version: int, now: datetime) -> None:
        gone = {"deleted_at": now, "version": expected_version + 1}
        self._write(lambda connection: _change(connection, subscription_id, expected_version, gone))
        self._subscribed.changed()

    def get(self, subscription_id: UUID) -> Subscription | None:
        with self._database.read() as connection:
            return _found(connection, subscription_id)

    def page(self, owner: UUID | None, is_test: bool, limit: int, cursor: str | None) -> Page[Subscription]:
        table = _subscriptions
        statement = select(table).where(THERE).order_by(table.c.id.desc()).limit(limit + 1)
        if owner is not None:
            statement = statement.where(table.c.reseller_id == owner, table.c.is_test.is_(is_test))
        if cursor is not None:
            statement = statement.where(table.c.id < id_cursor(cursor))
        with self._database.read() as connection:
            found = [subscription_of(row) for row in connection.execute(statement)]
        return page_from(found, limit, lambda each: (str(each.id),))

    def deliveries(
        self, subscription_id: UUID, state: DeliveryState | None, limit: int, cursor: str | None
    ) -> Page[Delivery]:
        table = _deliveries
        statement = select(table).where(table.c.subscription_id == subscription_id)
        statement = statement.order_by(table.c.id.desc()).limit(limit + 1)
        if state is not None:
            statement = statement.where(table.c.state == state.value)
        if cursor is not None:
            statement = statement.where(table.c.id < id_cursor(cursor))
        with self._database.read() as connection:
            found = [delivery_of(row) for row in connection.execute(statement)]
        return page_from(found, limit, lambda each: (str(each.id),))

    def replay(self, subscription_id: UUID, delivery_id: UUID, now: datetime, until: datetime) -> Delivery:
        return self._write(lambda connection: replayed(connection, subscription_id, delivery_id, now, until))

    def report(self, subscription_id: UUID, health: Health) -> None:
        statement = update(_subscriptions).where(_subscriptions.c.id == subscription_id)
        self._write(lambda connection: connection.execute(statement.values(health_row(health))))

    def health(self) -> tuple[int, int]:
        is_open = func.sum(_subscriptions.c.openings > 0)
        with self._database.read() as connection:
            count, opened = connection.execute(select(func.count(), is_open).where(ACTIVE)).one()
        return int(count), int(opened or 0)

    def backlog(self, now: datetime) -> Backlog:
        table, states = _deliveries, DeliveryState
        waits = and_(table.c.state.in_((states.PENDING.value, states.WAITING.value)), ACTIVE)
        is_ours = and_(waits, table.c.due_at <= now, table.c.attempts == 0, _subscriptions.c.failures == 0)
        counted = (
            select(
                func.sum(case((waits, 1), else_=0)),
                func.min(case((is_ours, table.c.due_at))),
                func.sum(case((table.c.state == states.DEAD.value, 1), else_=0)),
            )
            .join_from(table, _subscriptions, table.c.subscription_id == _subscriptions.c.id)
            .where(THERE, table.c.state.in_([each.value for each in states if each is not states.DELIVERED]))
        )
        with self._database.read() as connection:
            pending, due_at, dead = connection.execute(counted).one()
            # their ids are in the order of time
            oldest_first = select(schema.webhook_events.c.at).order_by(schema.webhook_events.c.id)
            told_at = connection.scalar(oldest_first.limit(1))
        oldest = min((each for each in (due_at, told_at) if each is not None), default=now)
        late = max(0.0, (now - oldest).total_seconds())
        return Backlog(pending=int(pending or 0), oldest_seconds=late, dead=int(dead or 0))

    def close_all(self) -> None:
        statement = update(_subscriptions).where(_subscriptions.c.openings > 0)
        self._write(lambda connection: connection.execute(statement.values(health_row(Health()))))


def _found(connection: Connection, subscription_id: UUID) -> Subscription | None:
    statement = select(_subscriptions).where(_subscriptions.c.id == subscription_id, THERE)
    row = connection.execute(statement).one_or_none()
    return None if row is None else subscription_of(row)


def _change(connection: Connection, subscription_id: UUID, version: int, values: dict[str, Any]) -> None:
    this = (_subscriptions.c.id == subscription_id, THERE)
    changed = update(_subscriptions).where(*this, _subscriptions.c.version == version).values(values)
    if connection.execute(changed).rowcount:
        return
    found = connection.scalar(select(_subscriptions.c.version).where(*this))
    if found is None:
        raise Refused(Code.SUBSCRIPTION_NOT_FOUND)
    raise Refused(Code.VERSION_CONFLICT, facts={"version": found})


def _require_reseller(connection: Connection, reseller_id: UUID | None) -> None:
    table = schema.resellers
    if reseller_id is None or connection.scalar(select(table.c.id).where(table.c.id == reseller_id)):
        return
    raise Refused(Code.RESELLER_NOT_FOUND, pointer="/resellerId")
