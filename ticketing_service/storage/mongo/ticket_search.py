"""Finding tickets: words, filters, places near by, and pages of what was found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from common.database.cursors import page_from, sorted_cursor
from common.mongo.keyset import after
from common.mongo.transaction import Transaction
from common.mongo.values import Document, ms
from common.pages import Page
from ticketing_service.domain.catalogue import Point, Ticket, TicketQuery
from ticketing_service.domain.slots import SlotStatus
from ticketing_service.storage.mongo import schema
from ticketing_service.storage.mongo.ticket_records import ticket_of
from ticketing_service.storage.records.distance import kilometres, latitudes_within
from ticketing_service.storage.records.tickets import sort_title

LAST_CHARACTER = "\U0010ffff"
"""Sorts after whatever a word may go on with."""


@dataclass(frozen=True, slots=True)
class _Sort:
    """A field to sort by, and its value as a cursor keeps it."""

    field: str
    kind: type
    from_ticket: Callable[[Ticket], Any]
    descending: bool = False


_SORTS = {
    "title": _Sort("sort_title", str, lambda ticket: sort_title(ticket.title)),
    "price": _Sort("from_price", int, lambda ticket: ticket.from_price),
    "-price": _Sort("from_price", int, lambda ticket: ticket.from_price, descending=True),
    "newest": _Sort("created_at", int, lambda ticket: int(ms(ticket.created_at)), descending=True),
}


def search(reading: Transaction, query: TicketQuery) -> Page[Ticket]:
    """Raises ValidationError INVALID for a cursor of another list."""
    if query.sort == "distance":
        return _by_distance(reading, query)
    sort = _SORTS[query.sort]
    conditions = _conditions(reading, query)
    if query.near is not None and query.radius_km is not None:
        inside = [ticket_id for _, ticket_id in _distances(reading, query, query.near)]
        conditions.append({"_id": {"$in": inside}})
    if query.cursor is not None:
        key, last = sorted_cursor(query.cursor, sort.kind)
        conditions.append(after(sort.field, key, last, descending=sort.descending))
    way = -1 if sort.descending else 1
    found = reading.find(
        schema.tickets,
        {"$and": conditions},
        sort=[(sort.field, way), ("_id", way)],
        limit=query.limit + 1,
    )
    tickets = [ticket_of(each) for each in found]
    return page_from(tickets, query.limit, lambda ticket: (sort.from_ticket(ticket), str(ticket.id)))


def _by_distance(reading: Transaction, query: TicketQuery) -> Page[Ticket]:
    if query.near is None:
        raise ValueError("sorting by distance needs a point")
    found = sorted(_distances(reading, query, query.near))
    if query.cursor is not None:
        place = sorted_cursor(query.cursor, float)
        found = [pair for pair in found if pair > place]
    shown = found[: query.limit + 1]
    documents = reading.find(schema.tickets, {"_id": {"$in": [ticket_id for _, ticket_id in shown]}})
    tickets = {each["_id"]: ticket_of(each) for each in documents}
    distance = {ticket_id: kilometres_away for kilometres_away, ticket_id in shown}
    return page_from(
        # one that has gone between the two reads is left out
        [tickets[ticket_id] for _, ticket_id in shown if ticket_id in tickets],
        query.limit,
        lambda ticket: (distance[ticket.id], str(ticket.id)),
    )


def _distances(reading: Transaction, query: TicketQuery, near: Point) -> list[tuple[float, UUID]]:
    """What meets the query, radius included, and how many kilometres away it is."""
    radius = query.radius_km
    conditions = _conditions(reading, query)
    if radius is not None:
        least, greatest = latitudes_within(near, radius)
        conditions.append({"latitude": {"$gte": least, "$lte": greatest}})
    found = reading.find(schema.tickets, {"$and": conditions}, fields=["latitude", "longitude"])
    pairs = [(kilometres(near, Point(each["latitude"], each["longitude"])), each["_id"]) for each in found]
    return [pair for pair in pairs if radius is None or pair[0] <= radius]


def _conditions(reading: Transaction, query: TicketQuery) -> list[Document]:
    statuses = [status.value for status in query.statuses]
    # said as one value, so that the index gives the order too
    conditions: list[Document] = [{"status": statuses[0] if len(statuses) == 1 else {"$in": statuses}}]
    equal = {
        "type": query.type and query.type.value,
        "category": query.category,
        "city": query.city,
        "poi_id": query.poi_id,
    }
    conditions += [{name: value} for name, value in equal.items() if value is not None]
    if query.min_price is not None:
        conditions.append({"from_price": {"$gte": query.min_price}})
    if query.max_price is not None:
        conditions.append({"from_price": {"$lte": query.max_price}})
    conditions += [_has_word(word) for word in query.words]
    if query.date_from is not None or query.date_to is not None:
        conditions.append({"_id": {"$in": _with_place(reading, query.date_from, query.date_to)}})
    return conditions


def _has_word(prefix: str) -> Document:
    return {"words": {"$elemMatch": {"$gte": prefix, "$lt": prefix + LAST_CHARACTER}}}


def _with_place(reading: Transaction, date_from: str | None, date_to: str | None) -> list[UUID]:
    """Tickets that have an open slot on those local days on which a place is left."""
    days = {}
    if date_from is not None:
        days["$gte"] = date.fromisoformat(date_from).isoformat()
    if date_to is not None:
        days["$lt"] = (date.fromisoformat(date_to) + timedelta(days=1)).isoformat()
    is_full = {
        "$and": [
            {"$ne": ["$$each.capacity", None]},
            {"$gte": [{"$add": ["$$each.held", "$$each.sold"]}, "$$each.capacity"]},
        ]
    }
    full = {"$filter": {"input": "$counters", "as": "each", "cond": is_full}}
    found = reading.aggregate(
        schema.slots,
        [
            {"$match": {"status": SlotStatus.OPEN.value, "local_start": days}},
            {
                "$lookup": {
                    "from": schema.counters.name,
                    "localField": "counter_ids",
                    "foreignField": "_id",
                    "as": "counters",
                }
            },
            {"$match": {"$expr": {"$eq": [{"$size": full}, 0]}}},
            {"$group": {"_id": "$ticket_id"}},
        ],
    )
    return [each["_id"] for each in found]
