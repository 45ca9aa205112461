"""Slots: what is on offer when, what staff change on it, and its end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from common.mongo.database import MongoDatabase
from common.mongo.transaction import Transaction
from common.mongo.values import Document
from common.web.idempotency import Idempotency
from ticketing_service.domain.bookings import BookingStatus
from ticketing_service.domain.catalogue import Ticket
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.orders import Offer
from ticketing_service.domain.slots import (
    Counter,
    PlannedSlot,
    Schedule,
    ScheduleOutcome,
    Slot,
    SlotChange,
    SlotStatus,
)
from ticketing_service.storage.mongo import counters, schedules, schema
from ticketing_service.storage.mongo.outbox import add_task
from ticketing_service.storage.mongo.slot_records import counters_of, fits, slot_of, touch_counters
from ticketing_service.storage.mongo.ticket_records import ticket_of
from ticketing_service.storage.mongo.webhook_events import tell_schedule, tell_slot
from ticketing_service.storage.mongo.writing import Writer
from ticketing_service.storage.ports.slots import CountedAgain
from ticketing_service.storage.records.schedules import schedule_of
from ticketing_service.storage.records.slots import counter_to_change

_LIVE = (BookingStatus.ON_HOLD.value, BookingStatus.CONFIRMED.value)


def offers_in(tx: Transaction, slot_ids: Iterable[UUID]) -> dict[UUID, Offer]:
    """The slots that are known, with their tickets and what is left of their counters.

    Who changes or cancels a slot changes its counters, too: a sale that takes of these afterwards was right
    about the slot, or loses.
    """
    found = tx.with_ids(schema.slots, slot_ids)
    if not found:
        return {}
    ticket_ids = sorted({each["ticket_id"] for each in found})
    tickets = {each["_id"]: ticket_of(each) for each in tx.find(schema.tickets, {"_id": {"$in": ticket_ids}})}
    drawn_on = counters_of(tx, found)
    return {
        each["_id"]: Offer(slot_of(each, drawn_on[each["_id"]]), tickets[each["ticket_id"]])
        for each in found
        if each["ticket_id"] in tickets
    }


class MongoSlots:
    """The `SlotStore` on MongoDB."""

    def __init__(self, database: MongoDatabase, writer: Writer) -> None:
        self._database, self._write = database, writer

    def between(
        self, ticket_id: UUID, day_from: date, day_to: date, option_id: UUID | None = None
    ) -> tuple[Slot, ...]:
        days = {"$gte": day_from.isoformat(), "$lt": (day_to + timedelta(days=1)).isoformat()}
        with self._database.read() as reading:
            found = reading.find(
                schema.slots,
                {"ticket_id": ticket_id, "local_start": days},
                sort=[("local_start", 1), ("option_id", 1)],
            )
            drawn_on = counters_of(reading, found) if found else {}
        return tuple(
            slot_of(each, drawn_on[each["_id"]]) for each in found if option_id in (None, each["option_id"])
        )

    def offers(self, slot_ids: Iterable[UUID]) -> dict[UUID, Offer]:
        with self._database.read() as reading:
            return offers_in(reading, slot_ids)

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
        def verb(tx: Transaction) -> ScheduleOutcome:
            outcome = schedules.put_schedule(tx, ticket.id, schedule, planned, now, extending=extending)
            if outcome.created or outcome.changed or outcome.removed:
                tell_schedule(tx, ticket.id, now)
            return outcome

        return self._write(verb, idempotency, [ticket.id])

    def schedule(self, ticket_id: UUID) -> Schedule | None:
        with self._database.read() as reading:
            return schedules.schedule_in(reading, ticket_id)

    def schedules(self, ticket_ids: Iterable[UUID]) -> dict[UUID, Schedule]:
        with self._database.read() as reading:
            found = reading.with_ids(schema.schedules, ticket_ids)
        return {each["_id"]: schedule_of(each["body"]) for each in found}

    def schedules_to_extend(self, extended_before: datetime, limit: int) -> tuple[UUID, ...]:
        with self._database.read() as reading:
            return schedules.to_extend(reading, extended_before, limit)

    def change(
        self, slot_id: UUID, change: SlotChange, now: datetime, *, idempotency: Idempotency | None = None
    ) -> Slot:
        """Besides the port's refusals: CAPACITY_SHARED when the slot draws on several shared
        counters, none of which is its own; their capacity is the schedule's business."""
        return self._write(lambda tx: _change(tx, slot_id, change, now), idempotency, self._turns(slot_id))

    def cancel(
        self,
        slot_id: UUID,
        reason: str,
        actor: str,
        now: datetime,
        *,
        idempotency: Idempotency | None = None,
    ) -> Slot:
        def verb(tx: Transaction) -> Slot:
            slot = _locked(tx, slot_id)
            if slot.status is SlotStatus.CANCELLED:
                return slot
            _set(tx, slot, status=SlotStatus.CANCELLED.value)
            payload = {"slotId": str(slot_id), "reason": reason, "actor": actor}
            add_task(tx, "slot-cancelled", payload, now)
            tell_slot(tx, slot, now)
            return _locked(tx, slot_id)

        return self._write(verb, idempotency, self._turns(slot_id))

    def count_again(self, after: UUID | None, limit: int) -> CountedAgain:
        return self._database.at_one_moment(lambda tx: counters.count_again(tx, after, limit))

    def bookings_on(self, slot_id: UUID, after: UUID | None, limit: int) -> tuple[UUID, ...]:
        live = {"items": {"$elemMatch": {"slot_id": slot_id, "units.status": {"$in": list(_LIVE)}}}}
        beyond = {} if after is None else {"_id": {"$gt": after}}
        with self._database.read() as reading:
            found = reading.find(
                schema.bookings,
                {"items.slot_id": slot_id, **live, **beyond},
                sort=[("_id", 1)],
                limit=limit,
                fields=["_id"],
            )
        return tuple(each["_id"] for each in found)

    def _turns(self, slot_id: UUID) -> list[UUID]:
        """The counters that the slot draws on."""
        with self._database.read() as reading:
            found = reading.one(schema.slots, {"_id": slot_id}, ["counter_ids"])
        return [] if found is None else found["counter_ids"]


def _locked(tx: Transaction, slot_id: UUID) -> Slot:
    """The slot, as whoever changes it finds it. Refuses SLOT_NOT_FOUND."""
    found = tx.one(schema.slots, {"_id": slot_id})
    if found is None:
        raise Refused(Code.SLOT_NOT_FOUND)
    return slot_of(found, counters_of(tx, [found])[slot_id])


def _set(tx: Transaction, slot: Slot, **values: Any) -> None:
    change: Document = {"$inc": {"version": 1}}
    if values:
        change["$set"] = values
    tx.update(schema.slots, {"_id": slot.id}, change)
    touch_counters(tx, (counter.id for counter in slot.counters))


def _change(tx: Transaction, slot_id: UUID, change: SlotChange, now: datetime) -> Slot:
    slot = _locked(tx, slot_id)
    if slot.status is SlotStatus.CANCELLED:
        raise Refused(Code.SLOT_CANCELLED)
    values: dict[str, Any] = {}
    if change.multiplier is not None:
        values["multiplier"] = str(change.multiplier)
    if change.closed is not None:
        values["status"] = (SlotStatus.CLOSED if change.closed else SlotStatus.OPEN).value
    if change.unlimited or change.capacity is not None:
        _set_capacity(tx, counter_to_change(slot), None if change.unlimited else change.capacity)
    _set(tx, slot, **values)
    tell_slot(tx, slot, now)
    return _locked(tx, slot_id)


def _set_capacity(tx: Transaction, counter: Counter, capacity: int | None) -> None:
    guarded = {"_id": counter.id, **fits(capacity)}
    if tx.update(schema.counters, guarded, {"$set": {"capacity": capacity}}) == 0:
        facts = {"taken": counter.held + counter.sold}
        raise Refused(Code.CAPACITY_BELOW_TAKEN, pointer="/capacity", facts=facts)
