"""The orders in which POIs are listed: by which field, along which index, and what a cursor keeps of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from admin_service.domain.geo import FINEST_LEVEL
from admin_service.domain.poi import Poi
from admin_service.domain.searching import PoiQuery, Sort
from admin_service.storage.mongo.poi_records import poi_of
from common.database.cursors import page_from, sorted_cursor
from common.mongo.keyset import after
from common.mongo.values import Document, instant, ms
from common.pages import Page
from common.web.field_errors import coded


@dataclass(frozen=True, slots=True)
class Order:
    """A field to sort by, the index that has this order within each status, and the field's value as a cursor
    keeps it.
    """

    field: str
    index: str
    kind: type
    descending: bool = False
    of: Callable[[Any], Any] = lambda value: value
    from_cursor: Callable[[Any], Any] = lambda value: value

    @property
    def sort(self) -> list[tuple[str, int]]:
        """As `Transaction.find` takes it."""
        way = -1 if self.descending else 1
        return [(name, way) for name in dict.fromkeys((self.field, "_id"))]

    def key(self, found: Document) -> tuple[Any, bytes]:
        """Documents in the order of this are in the order of the list, or of its reverse."""
        return self.of(found[self.field]), found["_id"].bytes


def _moment(count: int) -> int:
    try:
        return ms(instant(count))
    except OverflowError as error:
        raise coded("INVALID", "Not a cursor of this list.") from error


def _cell(number: int) -> int:
    if not 0 <= number < 1 << 2 * FINEST_LEVEL:
        raise coded("INVALID", "Not a cursor of this list.")
    return number


CHANGED = Order("changed_at", "changed", int, from_cursor=_moment)
ORDERS = {
    Sort.NAME: Order("sort_name", "name", str),
    # ids are made in the order of time
    Sort.NEWEST: Order("_id", "newest", str, descending=True, of=str),
    Sort.UPDATED: Order("updated_at", "updated", int, descending=True, from_cursor=_moment),
    Sort.PLACE: Order("cell", "cell", int, from_cursor=_cell),
}


def order_of(query: PoiQuery) -> Order:
    """The order of a list that is not one by distance."""
    return CHANGED if query.changed_since is not None else ORDERS[query.sort]


def start_of(query: PoiQuery, order: Order) -> list[dict[str, Any]]:
    """Where the page begins. Raises ValidationError INVALID for a cursor of another list."""
    if query.cursor is None:
        return []
    key, last = sorted_cursor(query.cursor, order.kind)
    if order.field == "_id":
        return [{"_id": {"$lt": last}}]
    return [after(order.field, order.from_cursor(key), last, descending=order.descending)]


def page_of(found: Sequence[Document], limit: int, order: Order) -> Page[Poi]:
    """The page of at most `limit`; `found` has one more when there is a next page."""
    page = page_from(found, limit, lambda each: (order.of(each[order.field]), str(each["_id"])))
    return Page(tuple(map(poi_of, page.items)), page.next_cursor)
