"""Fill a store with bookings: copies of a real one, row for row, each with ids of its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from os import urandom
from typing import Any
from uuid import UUID

from benchmarks.databases import PLACES, plain_connection, rows
from ticketing_service.domain.references import ALPHABET, RANDOM_LENGTH, new_reference
from ticketing_service.storage.sql import schema

CHUNK = 2_000
_OF_A_BOOKING = (
    "bookings",
    "booking_items",
    "unit_items",
    "claims",
    "booking_history",
    "ledger",
    "admissions",
)
_KEPT_IDS = {"ticket_id", "option_id", "slot_id", "unit_id", "counter_id", "voucher_id"}
"""Columns whose ids the copies share with the original."""
_REFERENCES = len(ALPHABET) ** RANDOM_LENGTH
_SCATTERED = 10_000_000_019
"""A prime: the copies' references are all different, and in no order, as random ones are. Of a million random
ones about thirty would be there twice, which the service deals with and a filling does not.
"""
_DAY_MILLISECONDS = 86_400_000
_SPREAD_OVER_DAYS = 180


def fill(url: str, model: UUID, count: int) -> None:
    """Add `count` copies of the confirmed booking `model`, made over half a year, and count their places."""
    tables = [_Copied(url, name, model.bytes) for name in _OF_A_BOOKING]
    with plain_connection(url) as connection:
        _relax(connection)
        cursor = connection.cursor()
        numbers = iter(range(count))
        while chunk := list(islice(numbers, CHUNK)):
            copies = [_Copy(number, count) for number in chunk]
            for table in tables:
                table.write(cursor, copies)
            connection.commit()
        place = _place(connection)
        for counter_id, people in _taken(url, model):
            sql = f"UPDATE ticketing_capacity_counters SET sold = sold + {place} WHERE id = {place}"
            cursor.execute(sql, (people * count, counter_id))
        connection.commit()


def bookings_in(url: str) -> int:
    ((count,),) = rows(url, "SELECT COUNT(*) FROM ticketing_bookings")
    return int(count)


class _Copy:
    """What is new in one copy: an id for each id of the model, in their order, and when it was made."""

    __slots__ = ("age", "ids", "reference", "time")

    def __init__(self, number: int, count: int) -> None:
        # in the order of time, as bookings come, so that the index grows as it does in use
        self.age = (count - number) * _SPREAD_OVER_DAYS * _DAY_MILLISECONDS // count
        self.time = int(datetime.now(UTC).timestamp() * 1000) - self.age
        self.ids: dict[bytes, bytes] = {}
        self.reference = new_reference((number * _SCATTERED % _REFERENCES).to_bytes)

    def id_for(self, model: bytes) -> bytes:
        found = self.ids.get(model)
        if found is None:
            # as a process numbers those of one millisecond: its history is read in the order of its ids
            numbered = (7 << 12 | len(self.ids)).to_bytes(2)
            random = urandom(8)
            found = self.time.to_bytes(6) + numbered + bytes([0x80 | random[0] & 0x3F]) + random[1:]
            self.ids[model] = found
        return found


class _Copied:
    """The model's rows in one table."""

    def __init__(self, url: str, name: str, model: bytes) -> None:
        table = schema.metadata.tables[schema.PREFIX + name]
        self._columns = [column.name for column in table.columns]
        own = "id" if name == "bookings" else "booking_id"
        names = ", ".join(self._columns)
        order = ", ".join(column.name for column in table.primary_key.columns)
        sql = f"SELECT {names} FROM {table.name} WHERE {own} = ? ORDER BY {order}"
        self._rows = rows(url, sql, [model])
        place = ", ".join([PLACES["sqlite" if url.startswith("sqlite") else "mysql"]] * len(self._columns))
        self._insert = f"INSERT INTO {table.name} ({names}) VALUES ({place})"

    def write(self, cursor: Any, copies: Sequence[_Copy]) -> None:
        batch = [tuple(self._values(row, copy)) for copy in copies for row in self._rows]
        if batch:
            cursor.executemany(self._insert, batch)

    def _values(self, row: Sequence[Any], copy: _Copy) -> Iterator[Any]:
        for name, value in zip(self._columns, row, strict=True):
            if (
                isinstance(value, bytes)
                and len(value) == 16
                and name not in _KEPT_IDS
                and name.endswith("id")
            ):
                yield copy.id_for(value)
            elif name == "reference":
                yield copy.reference
            elif name in ("customer_email", "customer_email_key"):
                yield f"guest-{copy.reference.lower()}@example.com"
            elif name in ("at", "created_at", "expires_at", "updated_at") and isinstance(value, int):
                yield value - copy.age
            else:
                yield value


def _taken(url: str, model: UUID) -> list[tuple[Any, ...]]:
    sql = "SELECT counter_id, quantity FROM ticketing_claims WHERE booking_id = ? AND held_until IS NULL"
    return rows(url, sql, [model.bytes])


def _relax(connection: Any) -> None:
    """No copy needs to outlive a crash."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA cache_size=-262144")
    else:
        connection.cursor().execute("SET SESSION foreign_key_checks=0, unique_checks=0")


def _place(connection: Any) -> str:
    return PLACES["sqlite" if isinstance(connection, sqlite3.Connection) else "mysql"]
