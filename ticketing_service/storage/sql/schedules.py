"""Bringing a ticket's future slots in line with its schedule, in bulk: a season is thousands of slots."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Connection, Row, and_, delete, insert, select, update
from sqlalchemy.dialects.mysql import insert as mysql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.sql.dml import Insert

from common.database.inserting import insert_new
from common.identifiers import uuid7
from ticketing_service.domain.slots import (
    Counter,
    PlannedSlot,
    Schedule,
    ScheduleOutcome,
    Slot,
    SlotStatus,
)
from ticketing_service.storage.records.schedules import schedule_json, schedule_of
from ticketing_service.storage.sql import schema
from ticketing_service.storage.sql.slot_records import (
    counters_of,
    counters_where,
    fits,
    planned_row,
    slot_of,
)

_slots, _counters, _links = schema.slots, schema.counters, schema.slot_counters
_schedules, _items = schema.schedules, schema.booking_items
T = TypeVar("T")
Key = tuple[UUID, datetime]

CHUNK = 1000
"""Rows a statement: each stays far below the time limit of a statement."""

FARTHEST_ZONES = timedelta(days=2)
"""More than two local times of one instant can differ."""


@dataclass(slots=True)
class _Work:
    """What is to be written, gathered before anything is."""

    created: list[dict[str, Any]] = field(default_factory=list)
    changed: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    touched: set[UUID] = field(default_factory=set)
    links: list[dict[str, UUID]] = field(default_factory=list)
    relinked: list[UUID] = field(default_factory=list)
    removed: list[UUID] = field(default_factory=list)
    conflicts: set[UUID] = field(default_factory=set)
    capacities: dict[UUID, int | None] = field(default_factory=dict)
    drawn_on: dict[UUID, list[UUID]] = field(default_factory=lambda: defaultdict(list))


def schedule_in(connection: Connection, ticket_id: UUID, *, lock: bool = False) -> Schedule | None:
    statement = select(_schedules.c.body).where(_schedules.c.ticket_id == ticket_id)
    body = connection.scalar(statement.with_for_update() if lock else statement)
    return None if body is None else schedule_of(body)


def to_extend(connection: Connection, extended_before: datetime, limit: int) -> tuple[UUID, ...]:
    due = and_(_schedules.c.open_ended.is_(True), _schedules.c.extended_at < extended_before)
    statement = select(_schedules.c.ticket_id).where(due).order_by(_schedules.c.extended_at).limit(limit)
    return tuple(connection.scalars(statement))


def put_schedule(
    connection: Connection,
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
    if extending and schedule_in(connection, ticket_id, lock=True) != schedule:
        return ScheduleOutcome(created=0, changed=0, removed=0, conflicts=())
    _keep(connection, ticket_id, schedule, now)
    coming = and_(_slots.c.ticket_id == ticket_id, _slots.c.local_start >= _naive(now) - FARTHEST_ZONES)
    # locked: no sale on these slots is under way from here on, so what is found free stays free
    rows = connection.execute(select(_slots).where(coming).with_for_update()).all()
    counters = counters_where(connection, coming) if rows else {}
    plan = {(slot.option_id, slot.local_start): slot for slot in planned if slot.sales_end_at > now}
    work = _added(ticket_id, rows, plan)
    if not extending:
        _compare(connection, work, rows, counters, plan, now)
    _write(connection, work)
    crowded = _apply_capacities(connection, work)
    work.conflicts.update(slot_id for counter_id in crowded for slot_id in work.drawn_on[counter_id])
    return ScheduleOutcome(
        created=len(work.created),
        changed=len(work.touched),
        removed=len(work.removed),
        conflicts=_slots_of(connection, work.conflicts),
    )


def _keep(connection: Connection, ticket_id: UUID, schedule: Schedule, now: datetime) -> None:
    """Store the schedule; its row is the lock that lets changes of one ticket's schedule take turns."""
    values = {
        "body": schedule_json(schedule),
        "open_ended": any(rule.date_to is None for rule in schedule.rules),
        "extended_at": now,
    }
    made = connection.execute(insert_new(connection, _schedules).values(ticket_id=ticket_id, **values))
    if made.rowcount == 0:
        connection.execute(update(_schedules).where(_schedules.c.ticket_id == ticket_id).values(**values))


def _added(ticket_id: UUID, rows: Sequence[Row[Any]], plan: dict[Key, PlannedSlot]) -> _Work:
    work = _Work()
    known = {(row.option_id, row.local_start) for row in rows}
    for key, planned in plan.items():
        if key not in known:
            _create(work, ticket_id, planned)
    return work


def _compare(
    connection: Connection,
    work: _Work,
    rows: Sequence[Row[Any]],
    counters: dict[UUID, tuple[Counter, ...]],
    plan: dict[Key, PlannedSlot],
    now: datetime,
) -> None:
    # what is still sold: a day ticket's slot is until the evening, long after it began
    future = [row for row in rows if row.sales_end_at > now and row.status != SlotStatus.CANCELLED.value]
    leaving = [row for row in future if (row.option_id, row.local_start) not in plan]
    staying = [(row, plan[key]) for row in future if (key := (row.option_id, row.local_start)) in plan]
    moving = [row for row, planned in staying if _moves(row, counters[row.id], planned)]
    booked = _booked(connection, [row.id for row in (*leaving, *moving)], counters)
    for row in leaving:
        if row.id in booked:
            _close(work, row)
        else:
            work.removed.append(row.id)
    for row, planned in staying:
        if row.id in booked:
            _close(work, row)
        else:
            _align(work, row, counters[row.id], planned)


def _create(work: _Work, ticket_id: UUID, planned: PlannedSlot) -> None:
    slot_id = uuid7()
    work.created.append(
        {
            "id": slot_id,
            "ticket_id": ticket_id,
            "option_id": planned.option_id,
            "local_start": planned.local_start,
            "version": 1,
            **planned_row(planned),
        }
    )
    _link(work, slot_id, planned)
    _ask_capacity(work, slot_id, planned)


def _align(work: _Work, row: Row[Any], counters: tuple[Counter, ...], planned: PlannedSlot) -> None:
    wanted = planned_row(planned)
    relinked = {counter.id for counter in counters} != set(_counter_ids(row.id, planned))
    if relinked or any(getattr(row, name) != value for name, value in wanted.items()):
        work.changed[row.id] = {**row._mapping, **wanted, "version": row.version + 1}  # noqa: SLF001
        work.touched.add(row.id)
    if relinked:
        work.relinked.append(row.id)
        _link(work, row.id, planned)
        work.touched.add(row.id)
    elif all(counter.capacity == planned.capacity for counter in counters):
        return
    else:
        work.touched.add(row.id)
    _ask_capacity(work, row.id, planned)


def _close(work: _Work, row: Row[Any]) -> None:
    work.conflicts.add(row.id)
    if row.status == SlotStatus.OPEN.value:
        closed = {"status": SlotStatus.CLOSED.value, "version": row.version + 1}
        work.changed[row.id] = {**row._mapping, **closed}  # noqa: SLF001


def _moves(row: Row[Any], counters: tuple[Counter, ...], planned: PlannedSlot) -> bool:
    """Whether the slot would start at another instant or draw on other counters."""
    other_counters = {counter.id for counter in counters} != set(_counter_ids(row.id, planned))
    return other_counters or row.starts_at != planned.starts_at


def _booked(
    connection: Connection, slot_ids: Sequence[UUID], counters: dict[UUID, tuple[Counter, ...]]
) -> set[UUID]:
    """Slots that a booking refers to, or whose own counter counts something."""
    booked = {
        slot_id
        for slot_id in slot_ids
        for counter in counters[slot_id]
        if counter.id == slot_id and counter.held + counter.sold > 0
    }
    for ids in _chunks(slot_ids):
        booked.update(
            connection.scalars(select(_items.c.slot_id).distinct().where(_items.c.slot_id.in_(ids)))
        )
    return booked


def _counter_ids(slot_id: UUID, planned: PlannedSlot) -> tuple[UUID, ...]:
    return planned.shared_counter_ids or (slot_id,)


def _link(work: _Work, slot_id: UUID, planned: PlannedSlot) -> None:
    ids = _counter_ids(slot_id, planned)
    work.links.extend({"slot_id": slot_id, "counter_id": counter_id} for counter_id in ids)


def _ask_capacity(work: _Work, slot_id: UUID, planned: PlannedSlot) -> None:
    for counter_id in _counter_ids(slot_id, planned):
        work.capacities[counter_id] = planned.capacity
        work.drawn_on[counter_id].append(slot_id)


def _write(connection: Connection, work: _Work) -> None:
    for ids in _chunks([*work.removed, *work.relinked]):
        connection.execute(delete(_links).where(_links.c.slot_id.in_(ids)))
        free = and_(_counters.c.held == 0, _counters.c.sold == 0)
        connection.execute(delete(_counters).where(_counters.c.id.in_(ids), free))
    for ids in _chunks(work.removed):
        connection.execute(delete(_slots).where(_slots.c.id.in_(ids)))
    for rows in _chunks([*work.created, *work.changed.values()]):
        connection.execute(_put_slots(connection), rows)
    nothing_taken = {"held": 0, "sold": 0, "transient": False}
    new = [{"id": key, "capacity": capacity, **nothing_taken} for key, capacity in work.capacities.items()]
    for rows in _chunks(new):
        connection.execute(insert_new(connection, _counters), rows)
    for rows in _chunks(work.links):
        connection.execute(insert(_links), rows)


def _put_slots(connection: Connection) -> Insert:
    """New slots and new values of old ones, many in one statement."""
    names = [column.name for column in _slots.c if column.name != "id"]
    if connection.dialect.name == "mysql":
        on_mysql = mysql_insert(_slots)
        return on_mysql.on_duplicate_key_update({name: on_mysql.inserted[name] for name in names})
    on_sqlite = sqlite_insert(_slots)
    return on_sqlite.on_conflict_do_update(
        index_elements=["id"], set_={name: on_sqlite.excluded[name] for name in names}
    )


def _apply_capacities(connection: Connection, work: _Work) -> set[UUID]:
    """Set what was asked for, never below what is taken; the counters for which that was too little."""
    by_capacity: dict[int | None, list[UUID]] = defaultdict(list)
    for counter_id, capacity in work.capacities.items():
        by_capacity[capacity].append(counter_id)
    taken = _counters.c.held + _counters.c.sold
    crowded: set[UUID] = set()
    for capacity, counter_ids in by_capacity.items():
        for ids in _chunks(counter_ids):
            listed = _counters.c.id.in_(ids)
            done = connection.execute(
                update(_counters).where(listed, fits(capacity)).values(capacity=capacity)
            )
            if done.rowcount < len(ids):
                connection.execute(update(_counters).where(listed, ~fits(capacity)).values(capacity=taken))
                crowded.update(connection.scalars(select(_counters.c.id).where(listed, taken > capacity)))
    return crowded


def _slots_of(connection: Connection, slot_ids: Iterable[UUID]) -> tuple[Slot, ...]:
    found: list[Slot] = []
    for ids in _chunks(list(slot_ids)):
        counters = counters_of(connection, ids)
        rows = connection.execute(select(_slots).where(_slots.c.id.in_(ids)))
        found.extend(slot_of(row, counters[row.id]) for row in rows)
    return tuple(sorted(found, key=lambda slot: (slot.starts_at, slot.option_id)))


def _chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))


def _naive(moment: datetime) -> datetime:
    return moment.replace(tzinfo=None)
