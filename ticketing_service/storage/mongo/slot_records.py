"""Slots and their counters as documents, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from common.mongo.transaction import Transaction
from common.mongo.values import Document, instant, local_text, local_time, ms
from ticketing_service.domain.slots import Counter, OpeningHours, PlannedSlot, Slot, SlotStatus
from ticketing_service.storage.mongo import schema
from ticketing_service.storage.records.schedules import hours_json


def counters_of(tx: Transaction, slots: Iterable[Document]) -> dict[UUID, tuple[Counter, ...]]:
    """The counters of each slot, in the order of their ids."""
    listed = list(slots)
    ids = (counter_id for slot in listed for counter_id in slot["counter_ids"])
    found = {each["_id"]: counter_of(each) for each in tx.with_ids(schema.counters, ids)}
    return {
        slot["_id"]: tuple(found[each] for each in slot["counter_ids"] if each in found) for slot in listed
    }


def counter_of(document: Mapping[str, Any]) -> Counter:
    """The counter in a document."""
    return Counter(
        id=document["_id"], capacity=document["capacity"], held=document["held"], sold=document["sold"]
    )


def new_counter(
    counter_id: UUID, capacity: int | None, held: int = 0, *, transient: bool = False
) -> Document:
    """The document of a counter that is new."""
    return {
        "_id": counter_id,
        "capacity": capacity,
        "held": held,
        "sold": 0,
        "transient": transient,
        "changes": 0,
    }


def fits(capacity: int | None) -> Document:
    """The guard of a change of capacity: what is taken of the counter does not exceed the new one."""
    return {} if capacity is None else {"$expr": {"$lte": [{"$add": ["$held", "$sold"]}, capacity]}}


def touch_counters(tx: Transaction, counter_ids: Iterable[UUID]) -> None:
    """Let no sale on what draws on them be under way: one that began before loses, or this transaction."""
    changed = {"$inc": {"changes": 1}}
    tx.update_each(schema.counters, [({"_id": each}, changed) for each in sorted(set(counter_ids))])


def slot_of(document: Mapping[str, Any], counters: tuple[Counter, ...]) -> Slot:
    """The slot in a document."""
    return Slot(
        id=document["_id"],
        ticket_id=document["ticket_id"],
        option_id=document["option_id"],
        local_start=local_time(document["local_start"]),
        local_end=local_time(document["local_end"]),
        time_zone=document["time_zone"],
        all_day=document["all_day"],
        opening_hours=tuple(OpeningHours(*hours) for hours in document["opening_hours"]),
        starts_at=instant(document["starts_at"]),
        ends_at=instant(document["ends_at"]),
        sales_end_at=instant(document["sales_end_at"]),
        status=SlotStatus(document["status"]),
        multiplier=Decimal(document["multiplier"]),
        counters=counters,
        version=document["version"],
    )


def planned_fields(planned: PlannedSlot) -> Document:
    """What of a slot's document its schedule decides."""
    return {
        "local_end": local_text(planned.local_end),
        "time_zone": planned.time_zone,
        "all_day": planned.all_day,
        "opening_hours": hours_json(planned.opening_hours),
        "starts_at": ms(planned.starts_at),
        "ends_at": ms(planned.ends_at),
        "sales_end_at": ms(planned.sales_end_at),
        "status": SlotStatus.OPEN.value,
        "multiplier": str(planned.multiplier),
    }
