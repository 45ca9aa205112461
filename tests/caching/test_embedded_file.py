"""The embedded backend's file damaged, locked, full, read-only or gone; and the bounds of what it takes."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from common.caching.backends.embedded import EmbeddedBackend
from common.caching.backends.level import Level
from common.caching.cache import Caches
from common.caching.entries import Entry, Life
from common.coordination.embedded import EmbeddedCoordination
from tests.caching.conftest import REGIONS, Stage
from tests.caching.source import Source, in_threads
from tests.servers.process import eventually

TAGS = ("ticket:1",)


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.close()


def the_file(stage: Stage) -> Path:
    (path,) = (stage.folder / "cache").glob("*.sqlite3")
    return path


def overwrite(path: Path) -> None:
    path.write_bytes(b"no database at all" * 1000)


def overwrite_the_middle(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(path.stat().st_size))


def truncate(path: Path) -> None:
    os.truncate(path, 1000)


def drop_the_table(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("DROP TABLE entry")
    connection.close()


def remove(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("damage", [overwrite, overwrite_the_middle, truncate, drop_the_table, remove])
def test_a_damaged_file_is_replaced(embedded: Stage, damage: Callable[[Path], None]):
    one = embedded.caches()
    for number in range(20):
        one.read("tickets", str(number), TAGS, lambda: "x" * 3000)
    one.backend.close()
    damage(the_file(embedded))
    other = embedded.caches()
    for caches in (other, one):
        for number in range(40):
            expected = "y" if caches is other and number >= 20 else None
            value = caches.read("tickets", str(number), TAGS, lambda: "y")
            assert value in ({expected} if expected else {"x" * 3000, "y"})
    third, source = embedded.caches(), Source("again")
    other.read("tickets", "new", TAGS, source.load)
    assert third.read("tickets", "new", TAGS, source.load) == "again"
    assert source.loads == 1
    assert len(list((embedded.folder / "cache").glob("*.sqlite3"))) == 1


def test_a_writer_that_holds_its_lock_is_waited_for_once_and_then_left_behind(embedded: Stage):
    caches = embedded.caches()
    caches.read("tickets", "1", TAGS, lambda: 1)
    first = the_file(embedded)
    stuck = sqlite3.connect(first, isolation_level=None)
    stuck.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    for other in range(2, 52):
        caches.read("tickets", str(other), TAGS, lambda: 2)
    assert time.monotonic() - began < 5  # fifty waits would be ten seconds
    assert caches.read("tickets", "1", TAGS, lambda: "unread") == 1
    number = iter(range(100, 10_000))

    def left_behind() -> bool:
        caches.read("tickets", str(next(number)), TAGS, lambda: 4)
        return the_file(embedded) != first

    eventually(left_behind, what="a new file")
    stuck.close()


@contextmanager
def as_somebody_without_rights() -> Iterator[None]:
    """Root may write to anything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_read_only_file_is_replaced_and_a_read_only_folder_done_without(tmp_path: Path):
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(0o777)
    for parent in home.parents:
        if parent.name.startswith(("pytest", "test_", "popen")):
            parent.chmod(0o755)
    with as_somebody_without_rights():
        coordination = EmbeddedCoordination(home / "coordination")
        folder = home / "cache"
        backend = EmbeddedBackend(folder, coordination)
        caches = Caches(backend, coordination, REGIONS)
        assert caches.read("tickets", "1", TAGS, lambda: 1) == 1
        backend.close()
        (first,) = folder.glob("*.sqlite3")
        first.chmod(0o400)
        assert caches.read("tickets", "2", TAGS, lambda: 2) == 2
        (second,) = folder.glob("*.sqlite3")
        assert second != first
        backend.close()
        second.chmod(0o400)
        folder.chmod(0o500)
        source = Source()
        for _ in range(2):
            assert caches.read("tickets", "3", TAGS, source.load) == "first"
        # In memory it is kept even so.
        assert source.loads == 1
        folder.chmod(0o700)
        caches.close()
        coordination.close()
    shutil.rmtree(home)


def test_a_flush_of_a_pattern_ends_entries_in_a_locked_file_too(embedded: Stage):
    caches = embedded.caches()
    caches.read("tickets", "list:1", TAGS, lambda: "old")
    stuck = sqlite3.connect(the_file(embedded), isolation_level=None)
    stuck.execute("BEGIN IMMEDIATE")
    caches.flush(pattern="tickets:list:*")
    assert caches.read("tickets", "list:1", TAGS, lambda: "new") == "new"
    stuck.close()


def test_a_folder_that_cannot_be_is_done_without(tmp_path: Path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    coordination = EmbeddedCoordination(tmp_path / "coordination")
    caches, source = (
        Caches(EmbeddedBackend(tmp_path / "cache", coordination), coordination, REGIONS),
        Source(),
    )
    for _ in range(2):
        assert caches.read("tickets", "1", TAGS, source.load) == "first"
    assert source.loads == 1
    assert caches.stats()["cache"]["totalKeys"] == 0
    caches.invalidate(TAGS)
    caches.flush(pattern="tick*")
    caches.read("tickets", "1", TAGS, source.load)
    assert source.loads == 2
    coordination.close()


def test_the_file_has_a_bound_and_the_oldest_leave(tmp_path: Path):
    coordination = EmbeddedCoordination(tmp_path / "coordination")
    limit = 1_000_000
    backend = EmbeddedBackend(tmp_path / "cache", coordination, limit_bytes=limit, level_entries=1)
    caches = Caches(backend, coordination, REGIONS)
    for number in range(500):
        caches.read("tickets", str(number), TAGS, lambda: "x" * 10_000)
    (path,) = (tmp_path / "cache").glob("*.sqlite3")
    assert path.stat().st_size <= limit
    counts = backend.entries()["tickets"]
    assert 40 <= counts <= 100
    source = Source()
    assert caches.read("tickets", "498", TAGS, source.load) == "x" * 10_000
    assert caches.read("tickets", "0", TAGS, source.load) == "first"
    # What is larger than a good part of the file is not kept in it.
    assert caches.read("tickets", "large", TAGS, lambda: "x" * limit) == "x" * limit
    assert backend.entries()["tickets"] >= 40
    caches.close()
    coordination.close()


def test_the_memory_of_a_process_has_a_bound():
    level = Level(limit_bytes=100_000, limit_entries=50)

    def fill() -> None:
        for number in range(200):
            level.put(str(number), _entry(1000))

    in_threads(4, fill)
    assert len(level) <= 38
    assert 0 < level.bytes <= 100_000
    for number in range(1000):
        level.put(f"small:{number}", _entry(1))
    assert len(level) == 50
    level.put("large", _entry(50_000))
    assert level.get("large") is None
    assert len(level) == 50


def test_the_least_recently_used_leaves_memory_first():
    level = Level(limit_bytes=100_000, limit_entries=2)
    level.put("a", _entry(1))
    level.put("b", _entry(1))
    assert level.get("a") is not None
    level.put("c", _entry(1))
    assert level.get("b") is None
    assert level.get("a") is not None
    level.put("a", _entry(2))
    assert len(level) == 2
    level.drop("a")
    level.clear()
    assert (len(level), level.bytes) == (0, 0)


def _entry(size: int) -> Entry:
    return Entry(b"", Life(0, 1, 2), absent=False, body=b"x" * size)


def test_a_hit_in_memory_does_not_touch_the_file(embedded: Stage):
    caches, source = embedded.caches(), Source()
    caches.read("tickets", "1", TAGS, source.load)
    caches.backend.close()
    shutil.rmtree(embedded.folder / "cache")
    assert caches.read("tickets", "1", TAGS, source.load) == "first"
    assert source.loads == 1


def test_a_forked_child_goes_on_with_files_of_its_own(embedded: Stage):
    caches, source = embedded.caches(), Source()
    caches.read("tickets", "1", TAGS, source.load)
    pid = os.fork()
    if pid == 0:
        good = caches.read("tickets", "1", TAGS, source.load) == "first"
        caches.read("tickets", "2", TAGS, lambda: "child's")
        os._exit(0 if good and source.loads == 1 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert caches.read("tickets", "2", TAGS, lambda: "own") == "child's"
