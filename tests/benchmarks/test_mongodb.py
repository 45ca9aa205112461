"""The floor over MongoDB's wire protocol does what the service does, and its books are checked as well."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest

from benchmarks import destination, mongodb, recording_mongodb
from benchmarks.checking import Inconsistent, check_books
from benchmarks.databases import MONGODB, Databases
from benchmarks.destination import Destination
from benchmarks.floors import Floor, MongoDriver
from benchmarks.memory import peak_megabytes
from benchmarks.moving import move
from benchmarks.recording_mongodb import MongoSale, record_sale
from tests.benchmarks.test_floor import RECORDED, gained, settings
from tests.servers.process import ROOT
from tests.servers.secantus import Secantus
from ticketing_service.storage.opening import migrate

pytestmark = pytest.mark.mongodb


@dataclass(frozen=True)
class Recorded:
    """A store in which a recording has sold, and what it recorded."""

    databases: Databases
    url: str
    sells: Destination
    sale: MongoSale
    made: dict[str, int]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    folder = tmp_path_factory.mktemp("recorded")
    with Secantus() as server:
        databases = Databases(MONGODB, folder, None, server)
        url = databases.new()
        sells = destination.build(url)
        before = documents(url)
        sale = record_sale(settings(url, folder), sells.free.hot, sells.free.unit_id)
        yield Recorded(databases, url, sells, sale, gained(documents(url), before))


@pytest.fixture
def url(recorded: Recorded) -> str:
    """A copy of the recorded store, to be changed."""
    return recorded.databases.copy(recorded.url)


def documents(url: str) -> dict[str, int]:
    """How many there are of each collection."""
    with mongodb.client(url) as client:
        database = client.get_default_database()
        return {name: database[name].count_documents({}) for name in database.list_collection_names()}


def test_a_sale_of_the_floor_leaves_what_a_sale_of_the_service_leaves(recorded: Recorded, url: str) -> None:
    slot, before = recorded.sells.free.spread[0], documents(url)
    driver = MongoDriver(url)
    for _ in range(RECORDED):
        assert driver.sell(recorded.sale, slot)
    driver.close()

    made = gained(documents(url), before)
    assert made == recorded.made
    assert made["ticketing_bookings"] == made["ticketing_admissions"] == RECORDED
    with mongodb.client(url) as client:
        counter = client.get_default_database()["ticketing_capacity_counters"].find_one({"_id": slot})
    assert counter is not None
    assert (counter["held"], counter["sold"]) == (0, RECORDED)
    assert check_books(url, 2 * RECORDED).confirmed == 2 * RECORDED


def test_a_floor_counts_what_it_has_sold(recorded: Recorded, url: str) -> None:
    before = mongodb.confirmed(url)
    assert Floor(url, recorded.sale).per_second(recorded.sells.free.spread, 0.5, processes=1, threads=1) > 0
    assert mongodb.confirmed(url) > before


def test_a_counter_that_lost_a_sale_is_seen_and_one_below_what_was_sold(recorded: Recorded, url: str) -> None:
    with mongodb.client(url) as client:
        counters = client.get_default_database()["ticketing_capacity_counters"]
        counters.update_one({"_id": recorded.sells.free.hot}, {"$set": {"capacity": 1}})
        assert check_books(url, RECORDED).oversold == RECORDED - 1
        with pytest.raises(Inconsistent, match="acknowledged"):
            check_books(url, RECORDED + 1)
        counters.update_one({"_id": recorded.sells.free.hot}, {"$inc": {"sold": -1}})
    with pytest.raises(Inconsistent):
        check_books(url, RECORDED)


def test_sales_that_sent_different_commands_make_no_floor() -> None:
    one, other = {"find": "a", "filter": {"x": 1}}, {"find": "a", "filter": {"y": 1}}
    with pytest.raises(ValueError, match="different commands"):
        recording_mongodb.template([one], [other], UUID(int=0))


def test_a_measured_move_is_a_verified_one(recorded: Recorded, tmp_path: Path) -> None:
    target = f"sqlite:///{tmp_path}/moved.sqlite3"
    moved = move(recorded.url, target)
    assert moved.rows > documents(recorded.url)["ticketing_slots"]
    assert moved.seconds > 0
    assert moved.megabytes > 20


def test_a_peak_is_the_processs_own() -> None:
    held = b"x" * 200_000_000
    look = "from benchmarks.memory import peak_megabytes; print(peak_megabytes())"
    seen = subprocess.check_output([sys.executable, "-c", look], cwd=ROOT)
    assert 5 < float(seen) < 100 < len(held) / 1024**2 < peak_megabytes()


def test_a_move_that_does_not_verify_is_no_figure(tmp_path: Path) -> None:
    source = f"sqlite:///{tmp_path}/source.sqlite3"
    migrate(source)
    with pytest.raises(AssertionError, match="the move ended with 1"):
        move(source, source)
