"""Fill a store of the admin service with points of interest: alike in kind, each with a name and a place of
its own, as a country has them.
"""

from __future__ import annotations

import random
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from typing import Any
from uuid import UUID

import orjson

from admin_service.domain.clusters import CellKey, counted
from admin_service.domain.geo import Point
from admin_service.domain.poi import Address, Poi, PoiContent, PoiStatus
from admin_service.domain.searching import counted_as, poi_words, sort_name
from admin_service.storage.sql import poi_tables as tables
from admin_service.storage.sql.poi_records import milliseconds, poi_row
from benchmarks.databases import PLACES, plain_connection

CHUNK = 5_000
BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)
WEST, EAST, SOUTH, NORTH = 3.5, 7.0, 51.0, 53.4
"""About the Netherlands: a view of the whole country."""

CATEGORIES = (
    "museum", "restaurant", "park", "church", "shop", "hotel", "landmark", "cafe", "beach", "windmill",
)  # fmt: skip
CITIES = 400
FAMILIES = 4_000
SHARE_NEAR_A_CITY = 0.7
_SYLLABLES = (
    "bar", "den", "hol", "mar", "ver", "wil", "sma", "kro", "lin", "pos", "tan", "gro", "zee", "bek",
)  # fmt: skip


def word(number: int) -> str:
    """A made-up name: each number has one of its own."""
    parts = []
    for _ in range(4):
        number, rest = divmod(number, len(_SYLLABLES))
        parts.append(_SYLLABLES[rest])
    return "".join(parts).capitalize()


def places(count: int, seed: int = 1) -> Iterator[Poi]:
    """`count` points of interest, the same each time; most near a city."""
    chance = random.Random(seed)
    middles = [(chance.uniform(WEST, EAST), chance.uniform(SOUTH, NORTH)) for _ in range(CITIES)]
    for number in range(count):
        city = min(int(chance.expovariate(1 / 60)), CITIES - 1)
        longitude, latitude = middles[city]
        if chance.random() < SHARE_NEAR_A_CITY:
            longitude, latitude = longitude + chance.gauss(0, 0.03), latitude + chance.gauss(0, 0.02)
        else:
            longitude, latitude = chance.uniform(WEST, EAST), chance.uniform(SOUTH, NORTH)
        yield _poi(number, city, Point(round(latitude, 7), round(longitude, 7)), chance)


def _poi(number: int, city: int, point: Point, chance: random.Random) -> Poi:
    category = chance.choice(CATEGORIES)
    at = BEGINNING + timedelta(seconds=number)
    name = f"{word(chance.randrange(FAMILIES))} {word(chance.randrange(FAMILIES))} {category}"
    content = PoiContent(
        names={"en": name},
        category=category,
        point=point,
        time_zone="Europe/Amsterdam",
        address=Address(city=f"{word(city + 20_000)}stad", country="NL"),
        summaries={"en": "A place to be seen by everybody who comes here"},
        opening_hours="Mo-Fr 09:00-17:00",
    )
    poi_id = UUID(int=(milliseconds(at) << 80) | (7 << 76) | (0b10 << 62) | chance.getrandbits(62))
    return Poi(
        id=poi_id,
        content=content,
        status=PoiStatus.PUBLISHED,
        owner=None,
        version=1,
        created_at=at,
        updated_at=at,
        changed_at=at,
    )


def fill(url: str, count: int) -> None:
    """Add `count` places with what finds and counts them; their history is that they were made so."""
    sums: dict[CellKey, list[int]] = defaultdict(lambda: [0, 0, 0])
    with plain_connection(url) as connection:
        _relax(connection)
        cursor = connection.cursor()
        words, indexes = _aside(connection)
        made = places(count)
        while chunk := list(islice(made, CHUNK)):
            _insert(connection, cursor, tables.pois, [_values(poi) for poi in chunk])
            _insert(connection, cursor, tables.poi_words, sorted(chain(*map(_words, chunk))), into=words)
            for poi in chunk:
                for key, tally in counted(poi.content.point, counted_as(poi)).items():
                    found = sums[key]
                    found[0] += 1
                    found[1] += tally.latitudes
                    found[2] += tally.longitudes
            connection.commit()
        cells = sorted((key.level, key.category, key.cell, *tally) for key, tally in sums.items())
        _insert(connection, cursor, tables.poi_cells, cells)
        connection.commit()
        _put_back(connection, words, indexes)


def _words(poi: Poi) -> Iterator[tuple[Any, ...]]:
    name = sort_name(poi.content)
    return ((each, True, name, poi.id.bytes) for each in poi_words(poi.content))


def _values(poi: Poi) -> tuple[Any, ...]:
    """As the store writes a POI."""
    row = poi_row(poi)
    for name in ("created_at", "updated_at", "changed_at"):
        row[name] = milliseconds(row[name])
    row["id"], row["body"] = poi.id.bytes, orjson.dumps(row["body"]).decode()
    return tuple(row[column.name] for column in tables.pois.c)


def _insert(
    connection: Any, cursor: Any, table: Any, rows: Sequence[tuple[Any, ...]], into: str | None = None
) -> None:
    place = PLACES["sqlite" if isinstance(connection, sqlite3.Connection) else "mysql"]
    quote = '"' if isinstance(connection, sqlite3.Connection) else "`"
    names = ", ".join(f"{quote}{column.name}{quote}" for column in table.c)
    marks = ", ".join([place] * len(table.c))
    for begin in range(0, len(rows), CHUNK):
        sql = f"INSERT INTO {into or table.name} ({names}) VALUES ({marks})"  # names of our own tables
        cursor.executemany(sql, rows[begin : begin + CHUNK])


def _aside(connection: Any) -> tuple[str, list[str]]:
    """SQLite gets its indexes afterwards, and the words, which are one: each row at a random place of a large
    file takes ten times as long. Returns the table that takes the words, and the indexes.
    """
    words: str = tables.poi_words.name
    if not isinstance(connection, sqlite3.Connection):
        return words, []
    of_ours = "FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN (?, ?)"
    found = connection.execute(f"SELECT name, sql {of_ours}", (tables.pois.name, words)).fetchall()
    for name, _ in found:
        connection.execute(f"DROP INDEX {name}")
    connection.execute(f"CREATE TEMP TABLE filled AS SELECT * FROM {words}")
    return "filled", [sql for _, sql in found]


def _put_back(connection: Any, words: str, indexes: Sequence[str]) -> None:
    if words == tables.poi_words.name:
        return
    order = ", ".join(column.name for column in tables.poi_words.primary_key)
    connection.execute(f"INSERT INTO {tables.poi_words.name} SELECT * FROM {words} ORDER BY {order}")
    for sql in indexes:
        connection.execute(sql)
    connection.commit()


def _relax(connection: Any) -> None:
    """Nothing here needs to outlive a crash."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA cache_size=-1048576")
    else:
        connection.cursor().execute("SET SESSION foreign_key_checks=0, unique_checks=0")
