"""The files of a slot: taken over, damaged, and without a disk."""

from __future__ import annotations

import logging
import os
import resource
import struct

import pytest

from common.monitoring.metrics.definitions import counter, gauge
from common.monitoring.metrics.instruments import SlotCounter, SlotGauge, make_instrument
from common.monitoring.metrics.slot_file import Damaged, SlotFile, read_numbers
from common.monitoring.metrics.slot_files import RETRY_SECONDS, SlotFiles
from common.monitoring.metrics.totals import Totals
from tests.metrics.scraping import samples

DEFINITIONS = (
    counter("done_total", "Done", "what"),
    gauge("busy", "Busy", mode="livesum"),
    gauge("worst", "Worst", mode="livemax"),
    gauge("seen", "Seen", mode="max"),
    gauge("last", "Last"),
)


class Worker:
    """A process as far as metrics go: its own files and the totals that it would tell."""

    def __init__(self, folder, slot=None):
        self.time = 0.0
        self.files = SlotFiles(folder, monotonic=lambda: self.time)
        self.totals = Totals(self.files, "x_", DEFINITIONS)
        made = {each.name: make_instrument(each, "x_", self.files) for each in DEFINITIONS}
        self.done, self.busy, self.worst = made["done_total"], made["busy"], made["worst"]
        self.seen, self.last = made["seen"], made["last"]
        if slot is not None:
            self.files.attach(slot)

    def sums(self):
        found = self.totals.numbers(0)
        named = ((self.totals.series(key), number) for key, number in found.items())
        return {series.name: number for series, number in named if series}


@pytest.fixture
def started():
    """Makes workers, and ends them with the test."""
    workers = []

    def start(folder, slot=None):
        workers.append(Worker(folder, slot))
        return workers[-1]

    yield start
    for worker in workers:
        worker.files.detach()


def test_who_takes_a_slot_over_goes_on_with_its_counters_and_begins_its_gauges(started, folder):
    first, other = started(folder, 0), started(folder, 1)
    first.done.labels("a").inc(5)
    other.done.labels("a").inc(2)
    for worker, busy, worst in ((first, 3, 2), (other, 1, 1)):
        worker.busy.set(busy)
        worker.worst.set(worst)
    first.seen.set(70)
    first.last.set(9)
    assert other.sums() == {"x_done_total": 7, "x_busy": 4, "x_worst": 2, "x_seen": 70, "x_last": 9}
    first.files.detach()
    without = {"x_done_total": 7, "x_busy": 1, "x_worst": 1, "x_seen": 70, "x_last": 9}
    assert other.sums() == without, "what lived in the dead process is gone, what it did stays"
    heir = started(folder, 0)
    assert heir.sums() == without
    heir.done.labels("a").inc()
    assert other.sums()["x_done_total"] == 8


def test_what_a_master_counts_before_the_fork_is_no_workers(started, folder):
    worker = started(folder)
    worker.done.labels("a").inc(5)
    assert worker.sums()["x_done_total"] == 5
    assert not folder.exists()
    worker.files.attach(0)
    assert worker.sums()["x_done_total"] == 0


def test_two_processes_never_write_to_one_slot(started, folder):
    first, second = started(folder, 0), started(folder, 0)
    second.done.labels("a").inc(5)
    first.done.labels("a").inc()
    assert first.sums()["x_done_total"] == second.sums()["x_done_total"] == 1
    first.files.detach()
    second.time = RETRY_SECONDS
    second.done.labels("a").inc()
    assert second.sums()["x_done_total"] == 7


def test_a_file_grows_with_its_keys(started, folder):
    worker = started(folder, 0)
    for number in range(2000):
        worker.done.labels(f"{number:0100}").inc(number)
    assert len(worker.totals.numbers(0)) == 2000 + 3
    assert sum(worker.totals.numbers(0).values()) == sum(range(2000))


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda data: data[:3], id="cut in its head"),
        pytest.param(lambda data: data[:40], id="cut in a key"),
        pytest.param(lambda data: struct.pack("i", 1 << 30) + data[4:], id="longer than it is"),
        pytest.param(lambda data: struct.pack("i", -5) + data[4:], id="of negative length"),
        pytest.param(lambda data: data[:8] + struct.pack("i", -1_000_000) + data[12:], id="going back"),
        pytest.param(lambda data: data[:8] + struct.pack("i", 0) + data[12:], id="without a key"),
        pytest.param(lambda data: data[:12] + b"\xff\xfe" + data[14:], id="not text"),
        pytest.param(lambda data: os.urandom(5000), id="random"),
    ],
)
def test_a_damaged_file_is_dropped_and_told_of_and_breaks_no_scrape(started, folder, caplog, damage):
    dead, living = started(folder, 0), started(folder, 1)
    dead.done.labels("a").inc(5)
    living.done.labels("a").inc(2)
    dead.files.detach()
    path = folder / "counter_0.db"
    path.write_bytes(damage(path.read_bytes()))
    with caplog.at_level(logging.WARNING):
        assert [living.sums()["x_done_total"] for _ in range(3)] == [2, 2, 2]
    assert len(caplog.records) == 1, "told of once"
    heir = started(folder, 0)
    heir.done.labels("a").inc()
    assert living.sums()["x_done_total"] == 3


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -3.0])
def test_a_half_written_number_is_left_out(started, folder, number):
    dead, living = started(folder, 0), started(folder, 1)
    dead.done.labels("a").inc(5)
    dead.done.labels("b").inc(1)
    living.done.labels("a").inc(2)
    dead.files.detach()
    file = SlotFile(folder / "counter_0.db")
    cell = file.cell(next(iter(read_numbers(folder / "counter_0.db")))[0])
    cell[0] = number
    cell.release()
    file.close()
    assert sorted(living.totals.numbers(0).values())[-2:] == [1, 2]


def test_a_file_that_was_never_written_to_is_empty(tmp_path):
    (tmp_path / "counter_0.db").write_bytes(bytes(65536))
    assert list(read_numbers(tmp_path / "counter_0.db")) == []
    (tmp_path / "counter_1.db").write_bytes(b"\x01")
    with pytest.raises(Damaged):
        list(read_numbers(tmp_path / "counter_1.db"))


def test_without_a_folder_it_counts_in_memory_and_brings_that_along(started, folder, caplog):
    folder.parent.mkdir()
    folder.write_text("in the way")
    worker = started(folder, 0)
    worker.done.labels("a").inc(5)
    worker.busy.set(2)
    assert "metrics stay in memory" in caplog.text
    assert worker.sums() == {}
    folder.unlink()
    worker.time = RETRY_SECONDS
    worker.done.labels("a").inc()
    assert worker.sums()["x_done_total"] == 6
    assert worker.sums()["x_busy"] == 2


def test_a_full_disk_fails_no_recording(started, folder):
    """A limit on the size of files stands for the disk: the kernel refuses the blocks in the same call."""
    worker = started(folder, 0)
    worker.done.labels("a").inc()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, hard))
    try:
        for number in range(1500):
            worker.done.labels(f"{number:0100}").inc()
        written = len(worker.totals.numbers(0))
        assert 100 < written < 1000
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    worker.time = RETRY_SECONDS
    worker.files.retry()
    assert sum(worker.totals.numbers(0).values()) == 1501


def test_numbers_of_an_older_version_are_left_out(started, folder):
    old = SlotFiles(folder)
    definition = counter("done_total", "Done", "by", "what")
    made = make_instrument(definition, "x_", old)
    assert isinstance(made, SlotCounter)
    old.attach(0)
    made.labels("me", "a").inc()
    old.detach()
    worker = started(folder, 1)
    worker.done.labels("a").inc()
    assert worker.sums()["x_done_total"] == 1


def test_instruments_are_those_of_the_library(metrics):
    assert isinstance(metrics.counter("bookings_total"), SlotCounter)
    assert isinstance(metrics.gauge("threads_busy"), SlotGauge)
    with pytest.raises(TypeError, match="SlotGauge is no SlotCounter"):
        metrics.counter("threads_busy")
    with pytest.raises(ValueError, match="non-negative"):
        metrics.counter("bookings_total").labels("created").inc(-1)


def test_ages_go_on_growing_when_nobody_tells_of_them(metrics, clock):
    def shown(name):
        return samples(metrics.prometheus_text()[0].decode()).get(f"ticketing_{name}{{}}")

    assert shown("outbox_oldest_age_seconds") is None
    metrics.outbox(3, 20.0)
    metrics.poi_copy_current(clock())
    clock.now = clock.now.replace(minute=1)
    assert shown("outbox_oldest_age_seconds") == pytest.approx(80)
    assert shown("poi_copy_age_seconds") == pytest.approx(60)
    assert shown("outbox_pending") == 3
    metrics.outbox(0, 0.0)
    assert shown("outbox_oldest_age_seconds") == 0
