"""The floor of a sale does what the service does, and the check of the books can see what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
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
from benchmarks.recording import Sale, record_sale, template
from tests.servers.process import ROOT
from ticketing_service.storage.sql import schema

RECORDED = 3
"""Sales that a recording makes in the store: one to warm up, and two to compare."""


@dataclass(frozen=True)
class Recorded:
    """A store in which a recording has sold, and what it recorded."""

    databases: Databases
    url: str
    sells: Destination
    sale: Sale
    rows_made: dict[str, int]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    folder = tmp_path_factory.mktemp("recorded")
    databases = Databases(SQLITE, folder, None)
    url = databases.new()
    sells = destination.build(url)
    before = row_counts(url)
    sale = record_sale(settings(url, folder), sells.free.hot, sells.free.unit_id)
    return Recorded(databases, url, sells, sale, gained(row_counts(url), before))


@pytest.fixture
def url(recorded: Recorded) -> str:
    """A copy of the recorded store, to be changed."""
    return recorded.databases.copy(recorded.url)


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
    recorded: Recorded, url: str
) -> None:
    slot, before = recorded.sells.free.spread[0], row_counts(url)
    driver = SqliteDriver(url)
    for _ in range(RECORDED):
        assert driver.sell(recorded.sale, slot)
    driver.close()

    made = gained(row_counts(url), before)
    assert made == recorded.rows_made
    assert made["ticketing_bookings"] == made["ticketing_admissions"] == RECORDED
    sold = "SELECT held, sold FROM ticketing_capacity_counters WHERE id = ?"
    assert rows(url, sold, [slot.bytes]) == [(0, RECORDED)]
    assert check_books(url, 2 * RECORDED).confirmed == 2 * RECORDED


def test_a_floor_counts_what_it_has_sold(recorded: Recorded, url: str) -> None:
    before = bookings_in(url)
    floor = Floor(url, recorded.sale)
    per_second = floor.per_second(recorded.sells.free.spread, 0.5, processes=2, threads=1)
    assert bookings_in(url) > before
    assert per_second > 0


def test_copies_of_a_booking_are_as_consistent_as_the_booking(url: str) -> None:
    ((model,),) = rows(url, "SELECT MIN(id) FROM ticketing_bookings")
    fill(url, UUID(bytes=model), 50)
    assert check_books(url, RECORDED + 50).confirmed == RECORDED + 50
    assert rows(url, "PRAGMA foreign_key_check") == []


def test_the_history_of_each_copy_is_in_the_order_in_which_it_happened(url: str) -> None:
    ((model,),) = rows(url, "SELECT MIN(id) FROM ticketing_bookings")
    fill(url, UUID(bytes=model), 50)
    told: dict[bytes, list[str]] = {}
    for booking, status in rows(
        url, "SELECT booking_id, to_status FROM ticketing_booking_history ORDER BY id"
    ):
        told.setdefault(booking, []).append(status)
    assert len(told) == RECORDED + 50
    assert set(map(tuple, told.values())) == {("on_hold", "confirmed")}


def test_a_counter_that_lost_a_sale_is_seen(url: str) -> None:
    with plain_connection(url) as connection:
        connection.execute("UPDATE ticketing_capacity_counters SET sold = sold - 1 WHERE sold > 0")
        connection.commit()
    with pytest.raises(Inconsistent, match="counted"):
        check_books(url, RECORDED)


def test_a_sale_that_was_acknowledged_and_is_not_there_is_seen(url: str) -> None:
    with pytest.raises(Inconsistent, match="acknowledged"):
        check_books(url, RECORDED + 1)


def test_a_capacity_below_what_was_sold_counts_as_oversold(url: str) -> None:
    with plain_connection(url) as connection:
        connection.execute("UPDATE ticketing_capacity_counters SET capacity = 1 WHERE sold > 0")
        connection.commit()
    assert check_books(url, RECORDED).oversold == RECORDED - 1


def test_sales_that_executed_different_statements_make_no_floor(recorded: Recorded) -> None:
    with pytest.raises(ValueError, match="different statements"):
        template([("SELECT 1", [()], False)], [("SELECT 2", [()], False)], recorded.sells.free.hot)


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
