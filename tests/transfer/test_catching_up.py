"""What changes while a store is moved comes over as well; what was cut off is gone on with."""

from __future__ import annotations

import io
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from common.transfer.progress import Progress
from common.transfer.running import Move, Mover
from tests.contract.builders import NOW
from tests.contract.world import World
from tests.counts import counts
from tests.servers.process import eventually
from tests.transfer.conftest import Stores
from tests.transfer.moving import both_sides, content, marked, move, ranges_done
from ticketing_service.storage.opening import open_store

SMALL_BATCH = 3
PROJECT = Path(__file__).parents[2]


def in_small_batches(mover: Mover) -> Mover:
    """So that a little is moved in many ranges."""
    return replace(mover, entities=[replace(each, batch=SMALL_BATCH) for each in mover.entities])


def go_on(url: str) -> None:
    """Life on the source: a sale, one that is paid nothing for and cancelled, tasks done, holds that end."""
    with closing(open_store(url, threads=2)) as store:
        world = World(store)
        booking = world.sold(world.slot())
        store.bookings.expire_due(NOW + timedelta(days=900), 100)
        for task in store.outbox.claim(NOW + timedelta(days=900), NOW + timedelta(days=901), 5):
            store.outbox.done(task.id)
        store.admissions.put_document(booking.id, 2, b"%PDF later", NOW)


@pytest.mark.parametrize("source, target", [
    marked("sqlite", "mongodb"), marked("mongodb", "mariadb"), marked("mariadb", "sqlite"),
])  # fmt: skip
def test_what_changes_meanwhile_is_caught_up(
    ticketing_stores: Stores, source: str, target: str, progress: Path
) -> None:
    mover = in_small_batches(ticketing_stores.mover)
    # a store of its own, with the same in it: this test writes to the source
    source_url, target_url = ticketing_stores.new(source), ticketing_stores.empty(target)
    move(ticketing_stores.mover, ticketing_stores.filled("sqlite"), source_url, progress.with_name("copy.db"))
    seen = io.StringIO()
    with (
        both_sides(mover, source_url, target_url) as (one, other),
        closing(Progress(progress)) as kept,
    ):
        steps = Move(mover, one, other, kept, seen)
        first, _ = steps.one_pass()
        everything = sum(each.written for each in first)
        go_on(source_url)
        second, _ = steps.one_pass()
        caught_up = {each.entity.name: each for each in second}
        assert 0 < sum(each.written for each in second) < everything
        assert caught_up["bookings"].added == 1
        assert caught_up["outbox"].removed > 0
        # holds that ended
        assert caught_up["counters"].changed + caught_up["counters"].removed > 0
        steps.finish(source_url, target_url, is_offline=True)
    assert content(mover, target_url) == content(mover, source_url)


def test_what_somebody_changes_in_the_target_is_put_right(ticketing_stores: Stores, progress: Path) -> None:
    mover = in_small_batches(ticketing_stores.mover)
    source_url, target_url = ticketing_stores.filled("sqlite"), ticketing_stores.empty("sqlite")
    move(mover, source_url, target_url, progress)
    with closing(sqlite3.connect(target_url.removeprefix("sqlite:///"))) as file, file:
        file.execute("UPDATE ticketing_bookings SET customer_name = 'Eve' WHERE status = 'confirmed'")
    done, _ = move(mover, source_url, target_url, progress)
    assert done["bookings"].changed > 0
    assert content(mover, target_url) == content(mover, source_url)


@pytest.mark.parametrize("target", [marked("sqlite"), marked("mongodb")])
def test_killed_at_any_moment_a_rerun_completes(
    ticketing_stores: Stores, target: str, tmp_path: Path
) -> None:
    mover = ticketing_stores.mover
    source_url, target_url = ticketing_stores.filled("sqlite"), ticketing_stores.empty(target)
    before = content(mover, source_url)
    data_dir = tmp_path / "data"
    for number in counts((2, 8), (0, 1, 2, 4, 6, 8, 10, 11)):
        process = _command(source_url, target_url, data_dir)
        eventually(partial(_is_so_far, process, data_dir, number), seconds=60, what="some ranges done")
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    assert content(mover, source_url) == before
    process = _command(source_url, target_url, data_dir)
    seen, faults = process.communicate(timeout=120)
    assert process.returncode == 0, faults
    assert "verified" in seen
    assert content(mover, target_url) == before


def _command(source_url: str, target_url: str, data_dir: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "FROM": source_url, "TO": target_url, "DATA_DIR": str(data_dir)}
    return subprocess.Popen(
        [sys.executable, "-m", "ticketing_service.commands.transfer", "offline"],
        cwd=PROJECT,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def _is_so_far(process: subprocess.Popen[str], data_dir: Path, ranges: int) -> bool:
    """Or it is over already, on a machine that was busy with something else."""
    return ranges_done(data_dir) > ranges or process.poll() is not None
