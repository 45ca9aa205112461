"""Searching points of interest: every way of finding gives what a plain look at all of them gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from admin_service.domain.categories import group_of
from admin_service.domain.geo import Box, Point, cell_at, kilometres
from admin_service.domain.poi import Poi, PoiStatus
from admin_service.domain.searching import PoiQuery, Sort, city_key, poi_words, sort_name
from admin_service.storage.mongo import poi_narrowing as mongo_narrowing
from admin_service.storage.port import Store
from admin_service.storage.sql import poi_lists, poi_narrowing
from common.pages import Page
from common.words import matches, words
from tests.contract.admin.looking import is_mongodb
from tests.contract.admin.places import CATEGORIES, CITIES, TAGS, WORDS, fill, world
from tests.contract.builders import NOW
from tests.counts import counts

BOXES = (
    Box(4.9, 51.9, 5.1, 52.1),
    Box(5.0, 52.0, 5.0, 52.0),
    Box(179.9, 51, -179.9, 53),
    Box(-180, -90, 180, 90),
    Box(0, 0, 1, 1),
)
NEAR = (Point(52, 5), Point(52, 180), Point(52, -179.999), Point(-90, 0))
QUERIES = ("can", "old tow", "museum", "ete", "strasse", "xyz", "m")
SORTS: dict[Sort, Callable[[Poi], Any]] = {
    Sort.NAME: lambda poi: (sort_name(poi.content), poi.id.bytes),
    Sort.PLACE: lambda poi: (cell_at(poi.content.point), poi.id.bytes),
    Sort.NEWEST: lambda poi: poi.id.bytes,
    Sort.UPDATED: lambda poi: (poi.updated_at, poi.id.bytes),
}


def expected(query: PoiQuery, pois: list[Poi]) -> list[Poi]:
    """The list as the query means it."""
    found = [poi for poi in pois if meets(query, poi)]
    if query.changed_since is not None:
        return sorted(found, key=lambda poi: (poi.changed_at, poi.id.bytes))
    if query.sort is Sort.DISTANCE:
        assert query.near is not None
        near = query.near
        return sorted(found, key=lambda poi: (kilometres(near, poi.content.point), poi.id))
    return sorted(found, key=SORTS[query.sort], reverse=query.sort in (Sort.NEWEST, Sort.UPDATED))


def meets(query: PoiQuery, poi: Poi) -> bool:
    content = poi.content
    return (
        poi.status in query.statuses
        and matches(query.words, poi_words(content))
        and query.category in (None, content.category, group_of(content.category))
        and (query.city is None or city_key(query.city) == city_key(content.address.city))
        and (query.tag is None or query.tag in content.tags)
        and (query.owner is None or poi.owner == query.owner or poi.id in query.places)
        and (not query.waiting or poi.status is PoiStatus.IN_REVIEW)
        and (query.box is None or query.box.has(content.point))
        and (query.near is None or kilometres(query.near, content.point) <= (query.radius_km or 0))
        and (query.changed_since is None or poi.changed_at >= query.changed_since)
    )


def every_page(store: Store, query: PoiQuery) -> Iterator[Poi]:
    while True:
        page: Page[Poi] = store.pois.search(query)
        yield from page.items
        if page.next_cursor is None:
            return
        assert len(page.items) == query.limit
        query = replace(query, cursor=page.next_cursor)


@st.composite
def queries(draw: st.DrawFn) -> PoiQuery:
    asked = draw(
        st.lists(st.sampled_from(("can", "old tow", "museum", "ete", "strasse", "xyz", "m")), max_size=2)
    )
    shape = draw(st.sampled_from(["list", "list", "box", "near", "feed"]))
    sort = draw(st.sampled_from([Sort.NAME, Sort.NEWEST, Sort.UPDATED]))
    near = draw(st.sampled_from(NEAR)) if shape == "near" else None
    statuses = draw(st.sets(st.sampled_from(list(PoiStatus)), min_size=1))
    owner = draw(st.sampled_from((None, None, "ann")))
    return PoiQuery(
        words=words(" ".join(asked)),
        category=draw(st.sampled_from((None, None, "culture", "outdoors", *CATEGORIES))),
        city=draw(st.sampled_from((None, None, "saint etienne", *CITIES))),
        tag=draw(st.sampled_from((None, None, *TAGS))),
        statuses=tuple(sorted(statuses)),
        owner=owner,
        waiting=draw(st.booleans()) and owner is None and shape == "list",
        box=draw(st.sampled_from(BOXES)) if shape == "box" else None,
        near=near,
        radius_km=draw(st.sampled_from((0.05, 1.0, 40.0, 500.0))) if near else None,
        changed_since=NOW + timedelta(minutes=draw(st.integers(0, 6))) if shape == "feed" else None,
        sort={"box": Sort.PLACE, "near": Sort.DISTANCE, "feed": Sort.UPDATED}.get(shape, sort),
        limit=draw(st.sampled_from((1, 2, 7, 100))),
    )


@pytest.mark.parametrize(
    "rare, many_words, window, looked_for",
    [(0, 0, 1, 4), (3, 2, 2, 1), (1000, 0, 256, 4), (3, 64, 1, 0), (0, 64, 5, 4), (1000, 64, 256, 4)],
)
def test_every_way_of_finding_finds_the_same(
    store: Store,
    store_url: str,
    monkeypatch: pytest.MonkeyPatch,
    rare: int,
    many_words: int,
    window: int,
    looked_for: int,
) -> None:
    monkeypatch.setattr(poi_narrowing, "RARE", rare)
    monkeypatch.setattr(mongo_narrowing, "RARE", rare)
    monkeypatch.setattr(poi_lists, "MANY_WORDS", many_words)
    monkeypatch.setattr(poi_lists, "WINDOW", window)
    monkeypatch.setattr(poi_lists, "LOOKED_FOR", looked_for)
    pois = world(60)
    fill(store, pois)
    places = frozenset(poi.id for poi in pois[:5])

    @given(queries(), st.booleans())
    @settings(
        max_examples=counts(20 if is_mongodb(store_url) else 60, 600), deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )  # fmt: skip
    def check(query: PoiQuery, named: bool) -> None:
        asked = replace(query, places=places) if query.owner and named else query
        assert [poi.id for poi in every_page(store, asked)] == [poi.id for poi in expected(asked, pois)]

    check()


def test_the_world_has_all_that_is_asked_for() -> None:
    pois = world(60)
    assert {poi.status for poi in pois} == set(PoiStatus)
    assert {poi.content.category for poi in pois} == set(CATEGORIES)
    assert any(len(poi.content.names) == 2 for poi in pois)
    assert len(WORDS) == 8


def test_a_list_of_one_cursor_is_not_that_of_another(store: Store) -> None:
    fill(store, world(10))
    query = PoiQuery(statuses=tuple(PoiStatus), limit=2)
    cursor = store.pois.search(query).next_cursor
    for sort in (Sort.UPDATED, Sort.PLACE):
        other = replace(query, sort=sort, box=BOXES[3] if sort is Sort.PLACE else None, cursor=cursor)
        with pytest.raises(Exception, match="cursor"):
            store.pois.search(other)
