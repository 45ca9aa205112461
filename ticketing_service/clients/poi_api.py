"""The POI directory as the admin service's public list of what has changed."""

from __future__ import annotations

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from common.service_client import ServiceClient
from ticketing_service.clients.poi_directory import read_features
from ticketing_service.clients.port import DirectoryUnavailable, PoiList

PATH = "/api/platform/pois"
PAGE = 100
OVERLAP = timedelta(seconds=10)
"""A change is seen when it is committed, a moment after the instant that it bears: so a little is read again,
and what we have already changes nothing.
"""

EVER = "1970-01-01T00:00:00Z"


class HttpPoiDirectory:
    """`PoiDirectory` at the admin service's `base_url`: a page at each reading, the oldest change first, from
    where the last one ended. A new process begins anew.

    What visitors do not see any more stays in our copy: tickets that were sold for it name it.
    """

    def __init__(self, base_url: str) -> None:
        self._client = ServiceClient(base_url, None, DirectoryUnavailable)
        self._since = self._newest = EVER
        self._cursor: str | None = None
        self._last = PoiList(())

    def read(self) -> PoiList:
        """The next page; the same object while there is nothing new. Raises DirectoryUnavailable."""
        query = {"updatedSince": self._since, "limit": str(PAGE)}
        if self._cursor is not None:
            query["cursor"] = self._cursor
        answer = self._client.ask("GET", PATH, query=query)
        if answer.status != HTTPStatus.OK:
            # a cursor of another release, perhaps: begin anew rather than ask the same for ever
            self._since, self._cursor = EVER, None
            raise DirectoryUnavailable(f"answered {answer.status}")
        items, cursor = _page(answer.document)
        found = read_features(map(_feature, items))
        self._go_on(items, cursor)
        found = PoiList(found.pois, found.faults, more=cursor is not None)
        if found != self._last:
            self._last = found
        return self._last

    def _go_on(self, items: list[Any], cursor: str | None) -> None:
        """The end of the list is where the next one begins."""
        moments = [item["updatedAt"] for item in items if _is_moment(item)]
        self._newest = max([self._newest, *moments])
        self._cursor = cursor
        if cursor is None and self._newest != EVER:
            since = datetime.fromisoformat(self._newest) - OVERLAP
            self._since = since.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _page(document: Any) -> tuple[list[Any], str | None]:
    items = document.get("data") if isinstance(document, dict) else None
    cursor = document.get("nextCursor") if isinstance(document, dict) else None
    if not isinstance(items, list) or not (cursor is None or isinstance(cursor, str)):
        raise DirectoryUnavailable("the answer is no page of points of interest")
    return items, cursor


def _feature(item: Any) -> Any:
    """An item as a directory's file would have it."""
    if not isinstance(item, dict):
        return None
    return {"type": "Feature", "geometry": item.get("location"), "properties": item}


def _is_moment(item: Any) -> bool:
    """Whether it has an instant in UTC as all of ours are written, which sorts as text."""
    moment = item.get("updatedAt") if isinstance(item, dict) else None
    try:
        return isinstance(moment, str) and moment.endswith("Z") and bool(datetime.fromisoformat(moment))
    except ValueError:
        return False
