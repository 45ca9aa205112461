"""Slots: what is on offer when, what staff change on it, and its end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, and_, bindparam, exists, select, update

from common.database.engine import Database
from common.database.prepared import Prepared
from common.web.idempotency import Idempotency
from ticketing_service.domain.bookings import BookingStatus
from ticketing_service.domain.catalogue import Ticket
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.pricing import Offer
from ticketing_service.domain.slots import (
    Counter,
    PlannedSlot,
    Schedule,
    ScheduleOutcome,
    Slot,
    SlotChange,
    SlotStatus,
)
from ticketing_service.storage.ports.slots import CountedAgain
from ticketing_service.storage.records.schedules import schedule_of
from ticketing_service.storage.records.slots import counter_to_change
from ticketing_service.storage.sql import counters, schedules, schema
from ticketing_service.storage.sql.outbox import add_task
from ticketing_service.storage.sql.slot_records import (
    counters_by_slot,
    counters_of,
    counters_of_one,
    fits,
    select_counters_where,
    slot_of,
)
from ticketing_service.storage.sql.ticket_records import COLUMNS, ticket_of
from ticketing_service.storage.sql.webhook_events import tell_schedule, tell_slot
from ticketing_service.storage.sql.writing import Writer

_slots, _counters, _tickets = schema.slots, schema.counters, schema.tickets
_items, _units = schema.booking_items, schema.unit_items
_SLOT_WIDTH = len(_slots.c)
_LIVE = (BookingStatus.ON_HOLD.value, BookingStatus.CONFIRMED.value)

_SELECT_OFFER = (
    select(*_slots.c, *COLUMNS)
    .join_from(_slots, _tickets, _slots.c.ticket_id == _tickets.c.id)
    .where(_slots.c.id == bindparam("slot"))
)
_OFFER = Prepared(_SELECT_OFFER)
_in_between = and_(
    _slots.c.ticket_id == bindparam("ticket"),
    _slots.c.local_start >= bindparam("first"),
    _slots.c.local_start < bindparam("past"),
)
_BETWEEN = Prepared(select(_slots).where(_in_between).order_by(_slots.c.local_start, _slots.c.option_id))
_COUNTERS_BETWEEN = Prepared(select_counters_where(_in_between))
_SCHEDULES = select(schema.schedules).where(
    schema.schedules.c.ticket_id.in_(bindparam("ids", expanding=True))
)
_LOCKED_OFFER = Prepared(_SELECT_OFFER.with_for_update(read=True))
_LOCKED_SLOT = select(_slots).where(_slots.c.id == bindparam("id")).with_for_update()


def offers_in(connection: Connection, slot_ids: Iterable[UUID], *, lock: bool) -> dict[UUID, Offer]:
    """The slots that are known, with their tickets and what is left of their counters.

    With `lock` nobody changes or cancels the slots (nor their tickets) before this transaction ends. The
    counters are not locked: only the guarded update of a sale decides on them.
    """
    offers = {}
    # in the order of their ids, so that two sales never wait for each other in a circle
    for slot_id in sorted(set(slot_ids)):
        row = (_LOCKED_OFFER if lock else _OFFER).row(connection, slot=slot_id)
        if row is not None:
            counters = counters_of_one(connection, slot_id)
            offers[slot_id] = Offer(slot_of(row[:_SLOT_WIDTH], counters), ticket_of(row[_SLOT_WIDTH:]))
    return offers


class SqlSlots:
    """The `SlotStore` on an SQL database."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database, self._write = database, writer

    def between(
        self, ticket_id: UUID, day_from: date, day_to: date, option_id: UUID | None = None
    ) -> tuple[Slot, ...]:
        asked = {
            "ticket": ticket_id,
            "first": datetime.combine(day_from, time()),
            "past": datetime.combine(day_to, time()) + timedelta(days=1),
        }
        with self._database.read() as connection:
            rows = _BETWEEN.rows(connection, **asked)
            counters = counters_by_slot(_COUNTERS_BETWEEN.rows(connection, **asked)) if rows else {}
        return tuple(slot_of(row, counters[row.id]) for row in rows if option_id in (None, row.option_id))

    def offers(self, slot_ids: Iterable[UUID]) -> dict[UUID, Offer]:
        with self._database.read() as connection:
            return offers_in(connection, slot_ids, lock=False)

    def put_schedule(
        self,
        ticket: Ticket,
        schedule: Schedule,
        planned: Sequence[PlannedSlot],
        now: datetime,
        *,
        extending: bool = False,
        idempotency: Idempotency | None = None,
    ) -> ScheduleOutcome:
        def verb(connection: Connection) -> ScheduleOutcome:
            outcome = schedules.put_schedule(
                connection, ticket.id, schedule, planned, now, extending=extending
            )
            if outcome.created or outcome.changed or outcome.removed:
                tell_schedule(connection, ticket.id, now)
            return outcome

        return self._write(verb, idempotency)

    def schedule(self, ticket_id: UUID) -> Schedule | None:
        with self._database.read() as connection:
            return schedules.schedule_in(connection, ticket_id)

    def schedules(self, ticket_ids: Iterable[UUID]) -> dict[UUID, Schedule]:
        with self._database.read() as connection:
            rows = connection.execute(_SCHEDULES, {"ids": list(ticket_ids)}).all()
        return {row.ticket_id: schedule_of(row.body) for row in rows}

    def schedules_to_extend(self, extended_before: datetime, limit: int) -> tuple[UUID, ...]:
        with self._database.read() as connection:
            return schedules.to_extend(connection, extended_before, limit)

    def change(
        self, slot_id: UUID, change: SlotChange, now: datetime, *, idempotency: Idempotency | None = None
    ) -> Slot:
        """Besides the port's refusals: CAPACITY_SHARED when the slot draws on several shared
        counters, none of which is its own; their capacity is the schedule's business."""
        return self._write(lambda connection: _change(connection, slot_id, change, now), idempotency)

    def cancel(
        self,
        slot_id: UUID,
        reason: str,
        actor: str,
        now: datetime,
        *,
        idempotency: Idempotency | None = None,
    ) -> Slot:
        def verb(connection: Connection) -> Slot:
            slot = _locked(connection, slot_id)
            if slot.status is SlotStatus.CANCELLED:
                return slot
            _set(connection, slot, status=SlotStatus.CANCELLED.value)
            payload = {"slotId": str(slot_id), "reason": reason, "actor": actor}
            add_task(connection, "slot-cancelled", payload, now)
            tell_slot(connection, slot, now)
            return _locked(connection, slot_id)

        return self._write(verb, idempotency)

    def count_again(self, after: UUID | None, limit: int) -> CountedAgain:
        with self._database.read() as connection:
            return counters.count_again(connection, after, limit)

    def bookings_on(self, slot_id: UUID, after: UUID | None, limit: int) -> tuple[UUID, ...]:
        live = exists().where(_units.c.item_id == _items.c.id, _units.c.status.in_(_LIVE))
        statement = (
            select(_items.c.booking_id)
            .distinct()
            .where(_items.c.slot_id == slot_id, live)
            .order_by(_items.c.booking_id)
            .limit(limit)
        )
        if after is not None:
            statement = statement.where(_items.c.booking_id > after)
        with self._database.read() as connection:
            return tuple(connection.scalars(statement))


def _locked(connection: Connection, slot_id: UUID) -> Slot:
    """The slot, which nobody else changes nor sells before this transaction ends. Refuses SLOT_NOT_FOUND."""
    row = connection.execute(_LOCKED_SLOT, {"id": slot_id}).one_or_none()
    if row is None:
        raise Refused(Code.SLOT_NOT_FOUND)
    return slot_of(row, counters_of(connection, [slot_id])[slot_id])


def _set(connection: Connection, slot: Slot, **values: Any) -> None:
    connection.execute(
        update(_slots).where(_slots.c.id == slot.id).values(version=_slots.c.version + 1, **values)
    )


def _change(connection: Connection, slot_id: UUID, change: SlotChange, now: datetime) -> Slot:
    slot = _locked(connection, slot_id)
    if slot.status is SlotStatus.CANCELLED:
        raise Refused(Code.SLOT_CANCELLED)
    values: dict[str, Any] = {}
    if change.multiplier is not None:
        values["multiplier"] = str(change.multiplier)
    if change.closed is not None:
        values["status"] = (SlotStatus.CLOSED if change.closed else SlotStatus.OPEN).value
    if change.unlimited or change.capacity is not None:
        _set_capacity(connection, counter_to_change(slot), None if change.unlimited else change.capacity)
    _set(connection, slot, **values)
    tell_slot(connection, slot, now)
    return _locked(connection, slot_id)


def _set_capacity(connection: Connection, counter: Counter, capacity: int | None) -> None:
    changed = connection.execute(
        update(_counters).where(_counters.c.id == counter.id, fits(capacity)).values(capacity=capacity)
    )
    if changed.rowcount == 0:
        row = connection.execute(select(_counters).where(_counters.c.id == counter.id)).one()
        raise Refused(Code.CAPACITY_BELOW_TAKEN, pointer="/capacity", facts={"taken": row.held + row.sold})
