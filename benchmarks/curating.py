"""Measurements of the points of interest: searching and mapping many of them, and importing a file."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from secrets import token_hex
from statistics import median

from admin_service.domain.geo import Box, Point
from admin_service.domain.searching import PoiQuery, Sort
from admin_service.schemas.public_pois import open_state, public_document
from admin_service.storage.port import Store
from admin_service.storage.sql.store import migrate, open_store
from benchmarks.databases import Databases
from benchmarks.figures import Aim, Figure
from benchmarks.load import Latency
from benchmarks.poi_fill import EAST, FAMILIES, NORTH, SOUTH, WEST, fill, places, word
from common.web.documents import rendered
from common.words import words
from tests.servers.process import ROOT

QUERIES, WARMING = 60, 5
"""Of each kind and store; the stores in turn, so that whatever else the machine does falls on all alike."""

FEW, SOME = 1_000, 10_000
NOW = datetime(2026, 7, 1, 8, 0, tzinfo=UTC)
COUNTRY, COUNTRY_ZOOM = Box(WEST, SOUTH, EAST, NORTH), 7
SEARCH_AIM, MAP_AIM = Aim("ratio", "at most", 1.5), Aim("ratio", "at most", 2.0)

Ask = Callable[[random.Random], PoiQuery]
Timed = Callable[[Store], None]


def measure_pois(databases: Databases, many: int) -> list[Figure]:
    """Search among `many` places against 1,000, and the map of a country against 10,000."""
    with _filled(databases, FEW) as few, _filled(databases, SOME) as some, _filled(databases, many) as most:
        return [_searching({FEW: few, many: most}, many), _mapping({SOME: some, many: most}, many)]


def measure_import(databases: Databases, count: int) -> list[Figure]:
    """A CSV file of `count` rows, from its first byte to the last commit, in a process of its own."""
    url = new_database(databases)
    argv = [sys.executable, "-m", "benchmarks.importing", url, str(count)]
    done = subprocess.run(argv, cwd=ROOT, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout.splitlines()[-1])
    return [
        Figure(name=f"POI import, {count:,} rows", value=found["rowsPerSecond"], unit="rows/s", facts=found),
        Figure(
            name="memory that the import took",
            value=found["peakMegabytes"] - found["baseMegabytes"],
            unit="MB",
            aim=Aim("value", "at most", 60),
            facts=found,
        ),
    ]


def asks() -> Mapping[str, Ask]:
    """What visitors ask for, drawn anew each time from what there is."""
    sample = list(places(FEW))

    def name(chance: random.Random) -> str:
        return word(chance.randrange(FAMILIES))

    def city(chance: random.Random) -> str:
        return chance.choice(sample).content.address.city

    def point(chance: random.Random) -> Point:
        return chance.choice(sample).content.point

    def category(chance: random.Random) -> str:
        return chance.choice(sample).content.category

    def view(chance: random.Random) -> Box:
        at = point(chance)
        return Box(at.longitude - 0.02, at.latitude - 0.015, at.longitude + 0.02, at.latitude + 0.015)

    def spoken(*parts: Callable[[random.Random], str]) -> Ask:
        return lambda chance: PoiQuery(words=words(" ".join(part(chance) for part in parts)))

    return {
        "a name": spoken(name),
        "the beginning of a name": spoken(lambda chance: name(chance)[:7]),
        "a kind, in words": spoken(category),
        "a name and a kind": spoken(name, category),
        "a kind and a city, in words": spoken(category, city),
        "a category": lambda chance: PoiQuery(category=category(chance)),
        "a city": lambda chance: PoiQuery(city=city(chance)),
        "a category in a city": lambda chance: PoiQuery(category=category(chance), city=city(chance)),
        "a view of a town": lambda chance: PoiQuery(box=view(chance), sort=Sort.PLACE),
        "the nearest in 5 km": lambda chance: PoiQuery(near=point(chance), radius_km=5, sort=Sort.DISTANCE),
    }


def search_once(store: Store, query: PoiQuery) -> None:
    """A page, from the question to the bytes of the answer."""
    page = store.pois.search(query)
    documents = [public_document(poi, "en", open_state(poi, NOW)) for poi in page.items]
    rendered({"data": documents, "nextCursor": page.next_cursor})


def map_once(store: Store, category: str | None) -> None:
    """The clusters of the whole country."""
    store.pois.clusters(COUNTRY, COUNTRY_ZOOM, category)


def _searching(stores: Mapping[int, Store], many: int) -> Figure:
    samples: dict[int, list[float]] = {count: [] for count in stores}
    kinds: dict[str, dict[str, float]] = {}
    for name, ask in asks().items():
        chance = random.Random(name)
        queries = [ask(chance) for _ in range(QUERIES + WARMING)]
        timed: list[Timed] = [lambda store, query=query: search_once(store, query) for query in queries]  # type: ignore[misc]
        found = in_turn(stores, timed)
        kinds[name] = {f"{count:,}": round(latency_of(taken).p95, 2) for count, taken in found.items()}
        for count, taken in found.items():
            samples[count] += taken
    return Figure(
        name=f"POI search among {many:,}, P95",
        value=latency_of(samples[many]).p95,
        unit="ms",
        floor=latency_of(samples[FEW]).p95,
        floor_is=f"the same questions among {FEW:,}",
        latency=latency_of(samples[many]),
        aim=SEARCH_AIM,
        facts={"p95Ms": kinds},
    )


def _mapping(stores: Mapping[int, Store], many: int) -> Figure:
    categories = (None, "museum", "culture")
    timed: list[Timed] = [
        lambda store, category=category: map_once(store, category)  # type: ignore[misc]
        for _ in range(QUERIES + WARMING)
        for category in categories
    ]
    found = in_turn(stores, timed)
    return Figure(
        name=f"map of a country with {many:,} POIs, P95",
        value=latency_of(found[many]).p95,
        unit="ms",
        floor=latency_of(found[SOME]).p95,
        floor_is=f"the same map of {SOME:,}",
        latency=latency_of(found[many]),
        aim=MAP_AIM,
    )


def in_turn(stores: Mapping[int, Store], timed: list[Timed]) -> dict[int, list[float]]:
    """Milliseconds of each, by store; the first ones only warm up."""
    samples: dict[int, list[float]] = {count: [] for count in stores}
    for number, call in enumerate(timed):
        for count, store in stores.items():
            begun = time.perf_counter()
            call(store)
            if number >= WARMING:
                samples[count].append((time.perf_counter() - begun) * 1000)
    return samples


def latency_of(samples: list[float]) -> Latency:
    """Of samples in milliseconds."""
    ordered = sorted(samples)

    def percentile(share: float) -> float:
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    return Latency(median(ordered), percentile(0.95), percentile(0.99))


def new_database(databases: Databases) -> str:
    """The URL of a new database with the admin service's tables."""
    if databases.server is not None:
        url = databases.server.new_database("admin")
    else:
        url = f"sqlite:///{databases.folder}/{token_hex(4)}.sqlite3"
    migrate(url)
    return url


@contextmanager
def _filled(databases: Databases, count: int) -> Iterator[Store]:
    url = new_database(databases)
    fill(url, count)
    databases.settle(url)
    store = open_store(url)
    try:
        yield store
    finally:
        store.close()
