"""Everything that a search finds, read a page at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from admin_service.actions.ports import Ports
from admin_service.domain.poi import Poi
from admin_service.domain.searching import PoiQuery, Sort

PAGE = 200


def every(query: PoiQuery, ports: Ports) -> Iterator[Poi]:
    """The POIs, the newest first: whatever is made or renamed meanwhile, none comes twice or is left out."""
    page = ports.store.pois.search(replace(query, sort=Sort.NEWEST, limit=PAGE))
    yield from page.items
    while page.next_cursor is not None:
        page = ports.store.pois.search(replace(query, sort=Sort.NEWEST, limit=PAGE, cursor=page.next_cursor))
        yield from page.items
