"""The floor of a sale does what the service does, and the check of the books can see what is wrong."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from benchmarks import destination
from benchmarks.checking import Inconsistent, check_books
from benchmarks.databases import SQLITE, Databases, plain_connection, rows
from benchmarks.destination import Destination
from benchmarks.figures import Aim, Figure
from benchmarks.fill import bookings_in, fill
from benchmarks.floors import Floor, SqliteDriver
from benchmarks.recording import record_sale, template
from tests.servers.process import ROOT
from ticketing_service.storage.sql import schema

RECORDED = 3
"""Sales that a recording makes in the store: one to warm up, and two to compare."""


@pytest.fixture
def databases(tmp_path: Path) -> Databases:
    return Databases(SQLITE, tmp_path, None)


@pytest.fixture
def url(databases: Databases) -> str:
    return databases.new()


@pytest.fixture
def sells(url: str) -> Destination:
    return destination.build(url)


def settings(url: str, folder: Path) -> dict[str, str]:
    return {
        "DATABASE_URL": url,
        "DATA_DIR": str(folder),
        "BIND_HOST": "127.0.0.1",
        "LOG_LEVEL": "warning",
        "PAYMENT_API_TOKEN": "token-of-a-benchmark",
        "PAYMENT_WEBHOOK_SECRET": "secret-of-a-benchmark",
        "POI_DIRECTORY": str(ROOT / "demo" / "pois.geojson"),
    }


def row_counts(url: str) -> dict[str, int]:
    return {name: rows(url, f"SELECT COUNT(*) FROM {name}")[0][0] for name in schema.metadata.tables}


def gained(after: dict[str, int], before: dict[str, int]) -> dict[str, int]:
    return {name: after[name] - before[name] for name in after}


def test_a_sale_of_the_floor_leaves_the_rows_and_the_counts_that_a_sale_of_the_service_leaves(
    databases: Databases, url: str, sells: Destination, tmp_path: Path
) -> None:
    free, empty = sells.free, row_counts(url)
    sale = record_sale(settings(url, tmp_path), free.hot, free.unit_id)
    by_service = gained(row_counts(url), empty)
    copy = databases.copy(url)
    before = row_counts(copy)

    driver = SqliteDriver(copy)
    for _ in range(RECORDED):
        assert driver.sell(sale, free.spread[0])
    driver.close()

    assert gained(row_counts(copy), before) == by_service
    assert by_service["ticketing_bookings"] == by_service["ticketing_admissions"] == RECORDED
    sold = "SELECT held, sold FROM ticketing_capacity_counters WHERE id = ?"
    assert rows(copy, sold, [free.spread[0].bytes]) == [(0, RECORDED)]
    assert check_books(copy, 2 * RECORDED).confirmed == 2 * RECORDED


def test_a_floor_counts_what_it_has_sold(
    databases: Databases, url: str, sells: Destination, tmp_path: Path
) -> None:
    sale = record_sale(settings(url, tmp_path), sells.free.hot, sells.free.unit_id)
    before = bookings_in(url)
    per_second = Floor(url, sale).per_second(sells.free.spread, 0.5, processes=2, threads=1)
    assert per_second == pytest.approx((bookings_in(url) - before) / 0.5, rel=0.5)
    assert bookings_in(url) > before


def test_copies_of_a_booking_are_as_consistent_as_the_booking(
    url: str, sells: Destination, tmp_path: Path
) -> None:
    record_sale(settings(url, tmp_path), sells.free.hot, sells.free.unit_id)
    ((model,),) = rows(url, "SELECT MIN(id) FROM ticketing_bookings")
    fill(url, UUID(bytes=model), 50)
    assert check_books(url, RECORDED + 50).confirmed == RECORDED + 50
    assert rows(url, "PRAGMA foreign_key_check") == []


def test_a_counter_that_lost_a_sale_is_seen(url: str, sells: Destination, tmp_path: Path) -> None:
    record_sale(settings(url, tmp_path), sells.free.hot, sells.free.unit_id)
    with plain_connection(url) as connection:
        connection.execute("UPDATE ticketing_capacity_counters SET sold = sold - 1 WHERE sold > 0")
        connection.commit()
    with pytest.raises(Inconsistent, match="counted"):
        check_books(url, RECORDED)


def test_a_sale_that_was_acknowledged_and_is_not_there_is_seen(url: str, sells: Destination) -> None:
    with pytest.raises(Inconsistent, match="acknowledged"):
        check_books(url, 1)


def test_a_capacity_below_what_was_sold_counts_as_oversold(
    url: str, sells: Destination, tmp_path: Path
) -> None:
    record_sale(settings(url, tmp_path), sells.free.hot, sells.free.unit_id)
    with plain_connection(url) as connection:
        connection.execute("UPDATE ticketing_capacity_counters SET capacity = 1 WHERE sold > 0")
        connection.commit()
    assert check_books(url, RECORDED).oversold == RECORDED - 1


def test_sales_that_executed_different_statements_make_no_floor(sells: Destination) -> None:
    slot = sells.free.hot
    with pytest.raises(ValueError, match="different statements"):
        template([("SELECT 1", [()], False)], [("SELECT 2", [()], False)], slot)


@pytest.mark.parametrize(
    "aim, value, floor, met",
    [
        (Aim("ratio", "at least", 0.5), 50.0, 100.0, True),
        (Aim("ratio", "at least", 0.5), 49.0, 100.0, False),
        (Aim("ratio", "at most", 1.25), 126.0, 100.0, False),
        (Aim("value", "at most", 0), 0.0, None, True),
        (Aim("value", "at most", 0), 1.0, None, False),
    ],
)
def test_an_aim_is_met_at_its_bound_and_missed_beyond(
    aim: Aim, value: float, floor: float | None, met: bool
) -> None:
    assert Figure(name="it", value=value, unit="/s", floor=floor, aim=aim).met is met
