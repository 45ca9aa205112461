"""Bringing a ticket's future slots in line with its schedule, in bulk: a season is thousands of slots."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from common.identifiers import uuid7
from common.mongo.transaction import IDS_AT_ONCE, Transaction
from common.mongo.values import Document, instant, local_text, ms
from ticketing_service.domain.slots import (
    Counter,
    PlannedSlot,
    Schedule,
    ScheduleOutcome,
    Slot,
    SlotStatus,
)
from ticketing_service.storage.mongo import schema
from ticketing_service.storage.mongo.slot_records import (
    counters_of,
    new_counter,
    planned_fields,
    slot_of,
    touch_counters,
)
from ticketing_service.storage.records.schedules import schedule_json, schedule_of

T = TypeVar("T")
Key = tuple[UUID, str]
Counters = Mapping[UUID, tuple[Counter, ...]]

FARTHEST_ZONES = timedelta(days=2)
"""More than two local times of one instant can differ."""


@dataclass(slots=True)
class _Work:
    """What is to be written, gathered before anything is."""

    created: list[Document] = field(default_factory=list)
    changed: dict[UUID, Document] = field(default_factory=dict)
    aligned: set[UUID] = field(default_factory=set)
    removed: list[UUID] = field(default_factory=list)
    relinked: list[UUID] = field(default_factory=list)
    touched: set[UUID] = field(default_factory=set)
    conflicts: set[UUID] = field(default_factory=set)
    capacities: dict[UUID, int | None] = field(default_factory=dict)
    drawn_on: dict[UUID, list[UUID]] = field(default_factory=lambda: defaultdict(list))


def schedule_in(reading: Transaction, ticket_id: UUID) -> Schedule | None:
    found = reading.one(schema.schedules, {"_id": ticket_id})
    return None if found is None else schedule_of(found["body"])


def to_extend(reading: Transaction, extended_before: datetime, limit: int) -> tuple[UUID, ...]:
    due = {"open_ended": True, "extended_at": {"$lt": ms(extended_before)}}
    found = reading.find(schema.schedules, due, sort=[("extended_at", 1)], limit=limit, fields=["_id"])
    return tuple(each["_id"] for each in found)


def put_schedule(
    tx: Transaction,
    ticket_id: UUID,
    schedule: Schedule,
    planned: Sequence[PlannedSlot],
    now: datetime,
    *,
    extending: bool,
) -> ScheduleOutcome:
    """`SlotStore.put_schedule`. Besides what the port says is a conflict: a slot with bookings that would
    move to another instant (its zone changed) or draw on other counters. It stays as it is and is closed.

    A slot that staff or an earlier conflict closed is opened when it is planned, unless only `extending`; a
    cancelled one stays so.
    """
    if extending and schedule_in(tx, ticket_id) != schedule:
        return ScheduleOutcome(created=0, changed=0, removed=0, conflicts=())
    if tx.one(schema.tickets, {"_id": ticket_id}, ["_id"]) is None:
        raise LookupError("there is no such ticket")
    _keep(tx, ticket_id, schedule, now)
    since = local_text(now.replace(tzinfo=None) - FARTHEST_ZONES)
    rows = tx.find(schema.slots, {"ticket_id": ticket_id, "local_start": {"$gte": since}})
    counters = counters_of(tx, rows) if rows else {}
    plan = {
        (slot.option_id, local_text(slot.local_start)): slot for slot in planned if slot.sales_end_at > now
    }
    work = _added(ticket_id, rows, plan)
    if not extending:
        _compare(tx, work, rows, counters, plan, now)
    _write(tx, work)
    crowded = _apply_capacities(tx, work)
    work.conflicts.update(slot_id for counter_id in crowded for slot_id in work.drawn_on[counter_id])
    # a sale under way on what was closed, changed or taken away loses, and then sees it
    touch_counters(tx, work.touched)
    return ScheduleOutcome(
        created=len(work.created),
        changed=len(work.aligned),
        removed=len(work.removed),
        conflicts=_slots_of(tx, work.conflicts),
    )


def _keep(tx: Transaction, ticket_id: UUID, schedule: Schedule, now: datetime) -> None:
    """Store the schedule; of two that change one ticket's schedule at the same time one loses by it."""
    kept = {
        "_id": ticket_id,
        "body": schedule_json(schedule),
        "open_ended": any(rule.date_to is None for rule in schedule.rules),
        "extended_at": ms(now),
    }
    if not tx.insert_new(schema.schedules, kept):
        tx.replace(schema.schedules, {"_id": ticket_id}, kept)


def _added(ticket_id: UUID, rows: Sequence[Document], plan: Mapping[Key, PlannedSlot]) -> _Work:
    work = _Work()
    known = set(map(_key, rows))
    for key, planned in plan.items():
        if key not in known:
            _create(work, ticket_id, planned)
    return work


def _compare(
    tx: Transaction,
    work: _Work,
    rows: Sequence[Document],
    counters: Counters,
    plan: Mapping[Key, PlannedSlot],
    now: datetime,
) -> None:
    # what is still sold: a day ticket's slot is until the evening, long after it began
    future = [
        row
        for row in rows
        if instant(row["sales_end_at"]) > now and row["status"] != SlotStatus.CANCELLED.value
    ]
    leaving = [row for row in future if _key(row) not in plan]
    staying = [(row, plan[_key(row)]) for row in future if _key(row) in plan]
    moving = [row for row, planned in staying if _moves(row, planned)]
    booked = _booked(tx, [*leaving, *moving], counters)
    for row in leaving:
        if row["_id"] in booked:
            _close(work, row)
        else:
            work.removed.append(row["_id"])
            work.touched.update(row["counter_ids"])
    for row, planned in staying:
        if row["_id"] in booked:
            _close(work, row)
        else:
            _align(work, row, counters[row["_id"]], planned)


def _create(work: _Work, ticket_id: UUID, planned: PlannedSlot) -> None:
    slot_id = uuid7()
    work.created.append(
        {
            "_id": slot_id,
            "ticket_id": ticket_id,
            "option_id": planned.option_id,
            "local_start": local_text(planned.local_start),
            "version": 1,
            "counter_ids": _counter_ids(slot_id, planned),
            **planned_fields(planned),
        }
    )
    _ask_capacity(work, slot_id, planned)


def _align(work: _Work, row: Document, counters: tuple[Counter, ...], planned: PlannedSlot) -> None:
    slot_id = row["_id"]
    wanted = {**planned_fields(planned), "counter_ids": _counter_ids(slot_id, planned)}
    if any(row[name] != value for name, value in wanted.items()):
        work.changed[slot_id] = {**row, **wanted, "version": row["version"] + 1}
        work.aligned.add(slot_id)
        work.touched.update(row["counter_ids"])
    if row["counter_ids"] != wanted["counter_ids"]:
        work.relinked.append(slot_id)
    elif all(counter.capacity == planned.capacity for counter in counters):
        return
    work.aligned.add(slot_id)
    _ask_capacity(work, slot_id, planned)


def _close(work: _Work, row: Document) -> None:
    work.conflicts.add(row["_id"])
    if row["status"] == SlotStatus.OPEN.value:
        closed = {"status": SlotStatus.CLOSED.value, "version": row["version"] + 1}
        work.changed[row["_id"]] = {**row, **closed}
        work.touched.update(row["counter_ids"])


def _moves(row: Document, planned: PlannedSlot) -> bool:
    """Whether the slot would start at another instant or draw on other counters."""
    other_counters = row["counter_ids"] != _counter_ids(row["_id"], planned)
    return other_counters or instant(row["starts_at"]) != planned.starts_at


def _booked(tx: Transaction, rows: Sequence[Document], counters: Counters) -> set[UUID]:
    """Slots that a booking refers to, or whose own counter counts something."""
    booked = {
        row["_id"]
        for row in rows
        for counter in counters[row["_id"]]
        if counter.id == row["_id"] and counter.held + counter.sold > 0
    }
    for some in _chunks([row["_id"] for row in rows]):
        of_these = {"items.slot_id": {"$in": list(some)}}
        stages: list[Mapping[str, Any]] = [
            {"$match": of_these},
            {"$unwind": "$items"},
            {"$match": of_these},
            {"$group": {"_id": "$items.slot_id"}},
        ]
        booked.update(each["_id"] for each in tx.aggregate(schema.bookings, stages))
    return booked


def _counter_ids(slot_id: UUID, planned: PlannedSlot) -> list[UUID]:
    return sorted(set(planned.shared_counter_ids)) or [slot_id]


def _ask_capacity(work: _Work, slot_id: UUID, planned: PlannedSlot) -> None:
    for counter_id in _counter_ids(slot_id, planned):
        work.capacities[counter_id] = planned.capacity
        work.drawn_on[counter_id].append(slot_id)


def _write(tx: Transaction, work: _Work) -> None:
    for ids in _chunks([*work.removed, *work.relinked]):
        tx.delete(schema.counters, {"_id": {"$in": list(ids)}, "held": 0, "sold": 0})
    for ids in _chunks(work.removed):
        tx.delete(schema.slots, {"_id": {"$in": list(ids)}})
    for rows in _chunks(work.created):
        tx.insert(schema.slots, rows)
    for rows in _chunks(list(work.changed.values())):
        tx.put_each(schema.slots, rows)


def _apply_capacities(tx: Transaction, work: _Work) -> set[UUID]:
    """Set what was asked for, never below what is taken; the counters for which that was too little. A sale
    that takes of one meanwhile changes it, and one of the two transactions loses.
    """
    crowded: set[UUID] = set()
    for ids in _chunks(list(work.capacities)):
        kept = tx.with_ids(schema.counters, ids, ["capacity", "held", "sold"])
        changes: dict[UUID, int | None] = {}
        for each in kept:
            wanted, taken = work.capacities[each["_id"]], each["held"] + each["sold"]
            if wanted is not None and taken > wanted:
                crowded.add(each["_id"])
                wanted = taken
            if wanted != each["capacity"]:
                changes[each["_id"]] = wanted
        tx.update_each(
            schema.counters,
            [({"_id": key}, {"$set": {"capacity": capacity}}) for key, capacity in changes.items()],
        )
        known = {each["_id"] for each in kept}
        new = (new_counter(each, work.capacities[each]) for each in ids if each not in known)
        tx.insert_or_lose(schema.counters, new)
    return crowded


def _slots_of(tx: Transaction, slot_ids: Iterable[UUID]) -> tuple[Slot, ...]:
    rows = tx.with_ids(schema.slots, slot_ids)
    counters = counters_of(tx, rows)
    found = [slot_of(row, counters[row["_id"]]) for row in rows]
    return tuple(sorted(found, key=lambda slot: (slot.starts_at, slot.option_id)))


def _key(row: Document) -> Key:
    return row["option_id"], row["local_start"]


def _chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[start : start + IDS_AT_ONCE] for start in range(0, len(items), IDS_AT_ONCE))
