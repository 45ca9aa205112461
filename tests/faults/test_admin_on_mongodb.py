"""The admin store on MongoDB when its server is killed, hangs, or is not what it must be: what was
acknowledged is there whole, what was not is there whole or not at all, and what is wrong is said in one line.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest

from admin_service.domain.clusters import counted, summed
from admin_service.domain.poi import Poi
from admin_service.domain.searching import counted_as
from admin_service.storage.opening import migrate, open_store
from admin_service.storage.port import Store
from common.database import StoreUnavailable
from tests.contract.admin.looking import kept_counts
from tests.contract.admin.places import poi, write
from tests.contract.admin.test_foundation import is_chain
from tests.counts import counts
from tests.servers.process import ROOT, eventually
from tests.servers.secantus import Secantus

pytestmark = pytest.mark.mongodb

WRITERS = 4


@pytest.fixture(scope="module")
def server() -> Iterator[Secantus]:
    """Always our own: it is killed."""
    with Secantus() as started:
        yield started


@pytest.fixture
def store(server: Secantus) -> Iterator[Store]:
    url = server.new_database("faults")
    migrate(url)
    opened = open_store(url)
    yield opened
    opened.close()


class Writers:
    """Threads that create POIs until they are told to stop."""

    def __init__(self, store: Store) -> None:
        self._store, self._stopped = store, threading.Event()
        self.tried: dict[UUID, Poi] = {}
        self.acknowledged: set[UUID] = set()
        self.refused = 0
        self._threads = [threading.Thread(target=self._work) for _ in range(WRITERS)]
        for thread in self._threads:
            thread.start()

    def _work(self) -> None:
        while not self._stopped.is_set():
            made = poi()
            self.tried[made.id] = made
            try:
                self._store.pois.create(write(made))
            except StoreUnavailable:
                self.refused += 1
                self._stopped.wait(0.05)
                continue
            self.acknowledged.add(made.id)

    def have(self, acknowledged: int) -> bool:
        return len(self.acknowledged) >= acknowledged

    def have_lost(self, writes: int) -> bool:
        return self.refused >= writes

    def stop(self) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()


def test_a_killed_server_has_lost_nothing_and_left_nothing_half(server: Secantus) -> None:
    url = server.new_database("killed")
    migrate(url)
    store = open_store(url)
    writers = Writers(store)
    try:
        for round_ in range(1, counts(2, 10) + 1):
            known = len(writers.acknowledged)
            eventually(partial(writers.have, known + 5), seconds=60, what="writes")
            lost = writers.refused
            server.kill()
            eventually(partial(writers.have_lost, lost + 1), seconds=60, what=f"loss {round_}")
            server.start()
        more = len(writers.acknowledged) + 1
        eventually(partial(writers.have, more), seconds=60, what="writes again")
    finally:
        writers.stop()
    kept = [each for poi_id in writers.tried if (each := store.pois.poi(poi_id)) is not None]
    assert writers.acknowledged <= {each.id for each in kept}
    for each in kept:
        assert each == writers.tried[each.id]
        assert len(store.pois.history(each.id, 10, None).items) == 1
    entries = store.audit.after(0, 10_000)
    assert is_chain(entries)
    assert sorted(entry.event.subject for entry in entries) == sorted(str(each.id) for each in kept)
    assert kept_counts(url) == summed(counted(each.content.point, counted_as(each)) for each in kept)
    assert store.outbox.depth(kept[0].updated_at)[0] == len(kept)
    store.close()


def test_a_server_that_hangs_is_given_up_in_time(server: Secantus, store: Store) -> None:
    made = poi()
    server.pause()
    try:
        for ask in (
            lambda: store.pois.create(write(made)),
            lambda: store.pois.poi(made.id),
            store.ping,
        ):
            # no more than the time-outs of the driver, or the guard of this test would end it
            with pytest.raises(StoreUnavailable):
                ask()
    finally:
        server.resume()

    def answers() -> bool:
        try:
            store.ping()
        except StoreUnavailable:
            return False
        return True

    eventually(answers, seconds=60, what="an answer again")
    found = store.pois.poi(made.id)
    assert found is None or found == made
    if found is None:
        store.pois.create(write(made))
    assert len(store.audit.after(0, 10)) == 1


def test_a_deployment_without_a_replica_set_is_refused_in_one_line(tmp_path: Path) -> None:
    with Secantus(replica_set=False) as alone:
        environment = {
            **os.environ,
            "DATA_DIR": str(tmp_path),
            "ADMIN_DATABASE_URL": alone.new_database("alone"),
            "LOG_LEVEL": "error",
        }
        for argv in (["-m", "admin_service.commands.migrate"], ["-c", "import admin_service.wsgi"]):
            done = subprocess.run(
                [sys.executable, *argv], cwd=ROOT, env=environment, capture_output=True, text=True,
                timeout=120, check=False,
            )  # fmt: skip
            assert done.returncode == 1
            (line,) = done.stderr.splitlines()
            assert "without a replica set" in line
