"""Measurements of the points of interest: searching and mapping many of them, and importing a file."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median

from admin_service.domain.geo import Box, Point
from admin_service.domain.searching import PoiQuery, Sort
from admin_service.schemas.public_pois import open_state, public_document
from admin_service.storage.port import Store
from admin_service.storage.sql.store import open_store
from benchmarks.figures import Aim
from benchmarks.load import Latency
from benchmarks.poi_fill import EAST, FAMILIES, NORTH, SOUTH, WEST, places, word
from common.web.documents import rendered
from common.words import words

QUERIES = 150
"""Of each kind and store; the two stores in turn, so that whatever else the machine does falls on both."""

NOW = datetime(2026, 7, 1, 8, 0, tzinfo=UTC)
COUNTRY = Box(WEST, SOUTH, EAST, NORTH)
COUNTRY_ZOOM = 7
SEARCH_AIM = Aim("ratio", "at most", 1.5)
MAP_AIM = Aim("ratio", "at most", 2.0)

Ask = Callable[[random.Random, Store], PoiQuery]


@dataclass(frozen=True, slots=True)
class Sized:
    """A store of so many places."""

    store: Store
    count: int


@contextmanager
def opened(url: str, count: int) -> Iterator[Sized]:
    """The store at `url`, which was filled with `count` places."""
    store = open_store(url)
    try:
        yield Sized(store, count)
    finally:
        store.close()


def _some_name(chance: random.Random) -> str:
    return word(chance.randrange(FAMILIES))


def _asks() -> dict[str, Callable[[random.Random], PoiQuery]]:
    """What visitors ask for; drawn anew each time."""
    (sample,) = [list(places(1000))]

    def city(chance: random.Random) -> str:
        return chance.choice(sample).content.address.city

    def point(chance: random.Random) -> Point:
        return chance.choice(sample).content.point

    def view(chance: random.Random) -> Box:
        at = point(chance)
        return Box(at.longitude - 0.02, at.latitude - 0.015, at.longitude + 0.02, at.latitude + 0.015)

    def category(chance: random.Random) -> str:
        return chance.choice(sample).content.category

    return {
        "a name": lambda chance: PoiQuery(words=words(_some_name(chance))),
        "a beginning": lambda chance: PoiQuery(words=words(_some_name(chance)[:7])),
        "a kind in words": lambda chance: PoiQuery(words=words(category(chance))),
        "a name and a kind": lambda chance: PoiQuery(words=words(f"{_some_name(chance)} {category(chance)}")),
        "a kind and a city in words": lambda chance: PoiQuery(
            words=words(f"{category(chance)} {city(chance)}")
        ),
        "a category": lambda chance: PoiQuery(category=category(chance)),
        "a category in a city": lambda chance: PoiQuery(category=category(chance), city=city(chance)),
        "the newest of a city": lambda chance: PoiQuery(city=city(chance), sort=Sort.NEWEST),
        "a view of a town": lambda chance: PoiQuery(box=view(chance), sort=Sort.PLACE),
        "nearest, 5 km": lambda chance: PoiQuery(near=point(chance), radius_km=5, sort=Sort.DISTANCE),
        "the second page": lambda chance: PoiQuery(category=category(chance), cursor=SECOND),
    }


SECOND: str | None = None


def search_once(store: Store, query: PoiQuery) -> float:
    """Milliseconds for a page, from the question to the bytes."""
    begun = time.perf_counter()
    page = store.pois.search(query)
    documents = [public_document(poi, "en", open_state(poi, NOW)) for poi in page.items]
    rendered({"data": documents, "nextCursor": page.next_cursor})
    return (time.perf_counter() - begun) * 1000


def map_once(store: Store, category: str | None) -> float:
    """Milliseconds for the clusters of the whole country."""
    begun = time.perf_counter()
    store.pois.clusters(COUNTRY, COUNTRY_ZOOM, category)
    return (time.perf_counter() - begun) * 1000


def latency_of(samples: list[float]) -> Latency:
    ordered = sorted(samples)
    return Latency(median(ordered), _percentile(ordered, 0.95), _percentile(ordered, 0.99))


def _percentile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
