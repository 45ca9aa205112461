"""Slots, their counters and schedules as rows, and back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, bindparam, select, true

from common.database.prepared import Prepared
from ticketing_service.domain.slots import (
    Counter,
    OpeningHours,
    PlannedSlot,
    Slot,
    SlotStatus,
)
from ticketing_service.storage.records.schedules import hours_json
from ticketing_service.storage.sql import schema

_slots, _counters, _links = schema.slots, schema.counters, schema.slot_counters
COUNTER_COLUMNS = (
    _links.c.slot_id, _counters.c.id, _counters.c.capacity, _counters.c.held, _counters.c.sold
)  # fmt: skip
"""What `counters_by_slot` reads."""
_SELECT_COUNTERS = select(*COUNTER_COLUMNS).join_from(
    _links, _counters, _links.c.counter_id == _counters.c.id
)
_COUNTERS_OF_IDS = _SELECT_COUNTERS.where(_links.c.slot_id.in_(bindparam("ids", expanding=True)))
_COUNTERS_OF_ONE = Prepared(_SELECT_COUNTERS.where(_links.c.slot_id == bindparam("slot")))


def counters_of(connection: Connection, slot_ids: Sequence[UUID]) -> dict[UUID, tuple[Counter, ...]]:
    """The counters of each slot, in the order of their ids."""
    return counters_by_slot(connection.execute(_COUNTERS_OF_IDS, {"ids": slot_ids}))


def counters_of_one(connection: Connection, slot_id: UUID) -> tuple[Counter, ...]:
    """The counters of a slot, in the order of their ids."""
    rows = _COUNTERS_OF_ONE.rows(connection, slot=slot_id)
    return tuple(Counter(id=row.id, capacity=row.capacity, held=row.held, sold=row.sold) for row in rows)


def counters_where(connection: Connection, condition: ColumnElement[bool]) -> dict[UUID, tuple[Counter, ...]]:
    """The counters of each slot for which the condition on `slots` holds."""
    return counters_by_slot(connection.execute(select_counters_where(condition)))


def select_counters_where(condition: ColumnElement[bool]) -> Select[Any]:
    """The statement of `counters_where`."""
    return _SELECT_COUNTERS.join(_slots, _slots.c.id == _links.c.slot_id).where(condition)


def fits(capacity: int | None) -> ColumnElement[bool]:
    """The guard of a change of capacity: what is taken of the counter does not exceed the new one."""
    return true() if capacity is None else _counters.c.held + _counters.c.sold <= capacity


def counters_by_slot(rows: Iterable[Any]) -> dict[UUID, tuple[Counter, ...]]:
    """The counters in rows of (slot, counter, capacity, held, sold)."""
    found: dict[UUID, list[Counter]] = defaultdict(list)
    for slot_id, counter_id, capacity, held, sold in rows:
        found[slot_id].append(Counter(id=counter_id, capacity=capacity, held=held, sold=sold))
    # sorted here: nearly every slot has one counter, and a database would sort them all
    return {slot_id: tuple(sorted(counters, key=_by_id)) for slot_id, counters in found.items()}


def _by_id(counter: Counter) -> UUID:
    return counter.id


def slot_of(values: Sequence[Any], counters: tuple[Counter, ...]) -> Slot:
    """The slot of a row, or the part of a row, that holds the columns of `slots`."""
    (
        slot_id,
        ticket_id,
        option_id,
        local_start,
        local_end,
        time_zone,
        all_day,
        opening_hours,
        starts_at,
        ends_at,
        sales_end_at,
        status,
        multiplier,
        version,
    ) = values
    return Slot(
        id=slot_id,
        ticket_id=ticket_id,
        option_id=option_id,
        local_start=local_start,
        local_end=local_end,
        time_zone=time_zone,
        all_day=all_day,
        opening_hours=tuple(OpeningHours(*hours) for hours in opening_hours),
        starts_at=starts_at,
        ends_at=ends_at,
        sales_end_at=sales_end_at,
        status=SlotStatus(status),
        multiplier=Decimal(multiplier),
        counters=counters,
        version=version,
    )


def planned_row(planned: PlannedSlot) -> dict[str, Any]:
    """The columns of a slot's row that its schedule decides, in the form that `slots` gives them back."""
    return {
        "local_end": planned.local_end,
        "time_zone": planned.time_zone,
        "all_day": planned.all_day,
        "opening_hours": hours_json(planned.opening_hours),
        "starts_at": planned.starts_at,
        "ends_at": planned.ends_at,
        "sales_end_at": planned.sales_end_at,
        "status": SlotStatus.OPEN.value,
        "multiplier": str(planned.multiplier),
    }
