"""Finding tickets: words, filters, places near by, and pages of what was found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, and_, exists, select

from common.database.keyset import after, page_from, sorted_cursor
from common.pages import Page
from ticketing_service.domain.catalogue import Point, Ticket, TicketQuery
from ticketing_service.domain.slots import SlotStatus
from ticketing_service.storage.records.distance import kilometres, latitudes_within
from ticketing_service.storage.records.tickets import sort_title
from ticketing_service.storage.sql import schema
from ticketing_service.storage.sql.ticket_records import COLUMNS, ticket_of

_tickets, _words = schema.tickets, schema.ticket_words
_slots, _links, _counters = schema.slots, schema.slot_counters, schema.counters

LAST_CHARACTER = "\U0010ffff"
"""Sorts after whatever a word may go on with, by bytes as by code points."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class _Sort:
    """A column to sort by, and its value as a cursor keeps it."""

    column: ColumnElement[Any]
    kind: type
    from_ticket: Callable[[Ticket], Any]
    descending: bool = False
    from_cursor: Callable[[Any], Any] = lambda value: value


_SORTS = {
    "title": _Sort(_tickets.c.sort_title, str, lambda ticket: sort_title(ticket.title)),
    "price": _Sort(_tickets.c.from_price, int, lambda ticket: ticket.from_price),
    "-price": _Sort(_tickets.c.from_price, int, lambda ticket: ticket.from_price, descending=True),
    "newest": _Sort(
        _tickets.c.created_at,
        int,
        lambda ticket: (ticket.created_at - _EPOCH) // _MILLISECOND,
        descending=True,
        from_cursor=lambda milliseconds: _EPOCH + milliseconds * _MILLISECOND,
    ),
}


def search(connection: Connection, query: TicketQuery) -> Page[Ticket]:
    """Raises ValidationError INVALID for a cursor of another list."""
    if query.sort == "distance":
        return _by_distance(connection, query)
    sort = _SORTS[query.sort]
    conditions = _conditions(query)
    if query.near is not None and query.radius_km is not None:
        inside = [ticket_id for _, ticket_id in _distances(connection, query, query.near)]
        conditions.append(_tickets.c.id.in_(inside))
    if query.cursor is not None:
        key, last = sorted_cursor(query.cursor, sort.kind)
        place = after(sort.column, _tickets.c.id, sort.from_cursor(key), last, descending=sort.descending)
        conditions.append(place)
    order = (sort.column, _tickets.c.id)
    statement = (
        select(*COLUMNS)
        .where(*conditions)
        .order_by(*(column.desc() if sort.descending else column for column in order))
        .limit(query.limit + 1)
    )
    found = [ticket_of(row) for row in connection.execute(statement)]
    return page_from(found, query.limit, lambda ticket: (sort.from_ticket(ticket), str(ticket.id)))


def _by_distance(connection: Connection, query: TicketQuery) -> Page[Ticket]:
    if query.near is None:
        raise ValueError("sorting by distance needs a point")
    found = sorted(_distances(connection, query, query.near))
    if query.cursor is not None:
        place = sorted_cursor(query.cursor, float)
        found = [pair for pair in found if pair > place]
    shown = found[: query.limit + 1]
    statement = select(*COLUMNS).where(_tickets.c.id.in_([ticket_id for _, ticket_id in shown]))
    tickets = {row.id: ticket_of(row) for row in connection.execute(statement)}
    distance = {ticket_id: kilometres_away for kilometres_away, ticket_id in shown}
    return page_from(
        [tickets[ticket_id] for _, ticket_id in shown],
        query.limit,
        lambda ticket: (distance[ticket.id], str(ticket.id)),
    )


def _distances(connection: Connection, query: TicketQuery, near: Point) -> list[tuple[float, UUID]]:
    """What meets the query, radius included, and how many kilometres away it is."""
    radius = query.radius_km
    conditions = _conditions(query)
    if radius is not None:
        conditions.append(_tickets.c.latitude.between(*latitudes_within(near, radius)))
    statement = select(_tickets.c.id, _tickets.c.latitude, _tickets.c.longitude).where(*conditions)

    def measured(row: Row[Any]) -> tuple[float, UUID]:
        return kilometres(near, Point(row.latitude, row.longitude)), row.id

    pairs = map(measured, connection.execute(statement))
    return [pair for pair in pairs if radius is None or pair[0] <= radius]


def _conditions(query: TicketQuery) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        _tickets.c.status.in_([status.value for status in query.statuses])
        if len(query.statuses) != 1
        # said as one value, so that the index gives the order too
        else _tickets.c.status == query.statuses[0].value
    ]
    equal = {
        "type": query.type and query.type.value,
        "category": query.category,
        "city": query.city,
        "poi_id": query.poi_id,
    }
    conditions += [_tickets.c[name] == value for name, value in equal.items() if value is not None]
    if query.min_price is not None:
        conditions.append(_tickets.c.from_price >= query.min_price)
    if query.max_price is not None:
        conditions.append(_tickets.c.from_price <= query.max_price)
    conditions += [_has_word(word) for word in query.words]
    if query.date_from is not None or query.date_to is not None:
        conditions.append(_has_place(query.date_from, query.date_to))
    return conditions


def _has_word(prefix: str) -> ColumnElement[bool]:
    word = _words.c.word
    matching = select(_words.c.ticket_id).where(word >= prefix, word < prefix + LAST_CHARACTER)
    return _tickets.c.id.in_(matching)


def _has_place(date_from: str | None, date_to: str | None) -> ColumnElement[bool]:
    conditions = [_slots.c.ticket_id == _tickets.c.id, _slots.c.status == SlotStatus.OPEN.value]
    if date_from is not None:
        conditions.append(_slots.c.local_start >= datetime.combine(date.fromisoformat(date_from), time()))
    if date_to is not None:
        end = datetime.combine(date.fromisoformat(date_to), time()) + timedelta(days=1)
        conditions.append(_slots.c.local_start < end)
    full = (
        exists()
        .where(_links.c.slot_id == _slots.c.id, _links.c.counter_id == _counters.c.id)
        .where(_counters.c.capacity.is_not(None), _counters.c.held + _counters.c.sold >= _counters.c.capacity)
    )
    return exists().where(and_(*conditions), ~full)
