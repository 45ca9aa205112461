"""What visitors and maps ask for finds its rows by an index, and in their order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any

import pytest
from sqlalchemy import Engine, event

from admin_service.domain.geo import Box, Point
from admin_service.domain.poi import PoiStatus
from admin_service.domain.searching import PoiQuery, Sort
from admin_service.storage.port import Store
from admin_service.storage.sql import poi_lists, poi_narrowing
from common.database.engine import Database
from tests.contract.admin.places import fill, world
from tests.contract.builders import NOW

Ask = Callable[[Store], Any]
BOX = Box(4.9, 51.9, 5.1, 52.1)

INDEXED: dict[str, Ask] = {
    "by name": lambda store: store.pois.search(PoiQuery()),
    "of a category": lambda store: store.pois.search(PoiQuery(category="museum")),
    "of a group": lambda store: store.pois.search(PoiQuery(category="culture")),
    "of a city": lambda store: store.pois.search(PoiQuery(city="Gent")),
    "the newest": lambda store: store.pois.search(PoiQuery(sort=Sort.NEWEST)),
    "the last changed": lambda store: store.pois.search(PoiQuery(sort=Sort.UPDATED)),
    "in a box": lambda store: store.pois.search(PoiQuery(box=BOX, sort=Sort.PLACE)),
    "near by": lambda store: store.pois.search(PoiQuery(near=Point(52, 5), radius_km=2, sort=Sort.DISTANCE)),
    "what has changed": lambda store: store.pois.search(
        PoiQuery(changed_since=NOW, sort=Sort.UPDATED, statuses=tuple(PoiStatus))
    ),
    "what is somebody's": lambda store: store.pois.search(PoiQuery(owner="ann")),
    "what waits": lambda store: store.pois.search(PoiQuery(waiting=True)),
    "a category in a city": lambda store: store.pois.search(PoiQuery(category="museum", city="Gent")),
    "words that meet": lambda store: store.pois.search(PoiQuery(words=("museum", "gent"))),
    "a word in a city": lambda store: store.pois.search(PoiQuery(words=("tow",), city="Gent")),
    "drafts with a word": lambda store: store.pois.search(
        PoiQuery(words=("museum",), statuses=(PoiStatus.DRAFT,))
    ),
    "a rare word": lambda store: store.pois.search(PoiQuery(words=("tow",))),
    "clusters of a country": lambda store: store.pois.clusters(BOX, 7, None),
    "clusters of a street": lambda store: store.pois.clusters(BOX, 15, "museum"),
    "duplicates": lambda store: store.duplicates.found(10, None),
    "by external id": lambda store: store.pois.by_external_ids({"x", "y"}),
}


@contextmanager
def _heard() -> Iterator[list[tuple[str, Any]]]:
    """The statements that this thread sends meanwhile, with their parameters."""
    statements: list[tuple[str, Any]] = []
    thread = threading.get_ident()

    def listen(_: Any, __: Any, statement: str, parameters: Any, ___: Any, ____: Any) -> None:
        if statement.startswith("SELECT") and threading.get_ident() == thread:
            statements.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", listen)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", listen)


def _steps(url: str, ask: Callable[[], Any]) -> list[list[str]]:
    """What SQLite does for each statement of `ask`."""
    with _heard() as statements:
        ask()
    assert statements
    database = Database(url, threads=1)
    steps: list[list[str]] = []
    with database.read() as connection:
        for statement, parameters in statements:
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            steps.append([row.detail for row in rows])
    database.close()
    return steps


@pytest.mark.parametrize("name", INDEXED)
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_no_table_is_read_through_or_sorted(name: str, store: Store, store_url: str) -> None:
    fill(store, world(20))
    steps = _steps(store_url, lambda: INDEXED[name](store))
    read_through = [step for step in chain(*steps) if step.startswith("SCAN admin_")]
    assert [step for step in read_through if "USING" not in step] == [], steps
    assert not [step for step in chain(*steps) if "TEMP B-TREE" in step], steps


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_frequent_word_is_asked_of_each_in_the_order_of_the_list(
    store: Store, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(poi_narrowing, "RARE", 2)
    monkeypatch.setattr(poi_lists, "MANY_WORDS", 1)
    fill(store, world(30))
    steps = _steps(store_url, lambda: store.pois.search(PoiQuery(words=("m",))))
    walked = [step for step in steps if any("ix_admin_pois_name" in line for line in step)]
    assert walked, steps
    assert all(any("ix_admin_poi_words_poi" in line for line in step) for step in walked), steps
    assert not [line for line in chain(*steps) if "TEMP B-TREE" in line], steps
