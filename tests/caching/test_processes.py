"""Two real processes and one cache."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.caching.conftest import Stage
from tests.servers.process import ROOT, eventually


class Told:
    """A process that does as it is told."""

    def __init__(self, stage: Stage) -> None:
        port = 0 if stage.server is None else stage.server.port
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "tests.caching.one_process", str(stage.folder), str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            text=True,
        )

    def ask(self, *words: Any) -> None:
        assert self.popen.stdin is not None
        self.popen.stdin.write(json.dumps(words) + "\n")
        self.popen.stdin.flush()

    def answer(self) -> Any:
        assert self.popen.stdout is not None
        return json.loads(self.popen.stdout.readline())

    def do(self, *words: Any) -> Any:
        self.ask(*words)
        return self.answer()

    def close(self) -> None:
        for pipe in (self.popen.stdin, self.popen.stdout):
            assert pipe is not None
            pipe.close()
        self.popen.wait(20)


@pytest.fixture
def two(stage: Stage) -> Iterator[tuple[Told, Told]]:
    (stage.folder / "source").write_text("first")
    (stage.folder / "loads").touch()
    processes = Told(stage), Told(stage)
    yield processes
    for process in processes:
        process.close()


def test_a_cold_key_is_loaded_once_for_64_threads_of_two_processes(two: tuple[Told, Told], stage: Stage):
    for process in two:
        process.do("stats")  # they are up
    for process in two:
        process.ask("crowd", "cold", 64)
    assert [process.answer() for process in two] == [["first"], ["first"]]
    assert (stage.folder / "loads").read_text() == "x"


def test_a_bump_in_one_process_is_seen_by_the_next_read_in_the_other(two: tuple[Told, Told], stage: Stage):
    one, other = two
    for number in range(20):
        assert other.do("read", "a") == one.do("read", "a")
        (stage.folder / "source").write_text(f"value {number}")
        one.do("invalidate", "t")
        assert other.do("read", "a") == f"value {number}"


def test_statistics_sum_over_the_processes(two: tuple[Told, Told], stage: Stage):
    one, other = two
    one.do("crowd", "a", 3)
    other.do("crowd", "a", 5)

    def summed() -> bool:
        counts = one.do("stats")["cache"]["regions"]["tickets"]
        return (counts["hits"], counts["misses"], counts["loads"]) == (7, 1, 1)

    eventually(summed, what="both are counted")


def test_what_a_killed_process_had_kept_is_good_for_the_others(two: tuple[Told, Told], stage: Stage):
    one, other = two
    one.do("crowd", "a", 1)
    one.popen.kill()
    (stage.folder / "source").write_text("second")
    assert other.do("read", "a") == "first"
    other.do("invalidate", "t")
    assert other.do("read", "a") == "second"


def test_the_folder_is_for_its_owner_alone(two: tuple[Told, Told], stage: Stage):
    two[0].do("crowd", "a", 1)
    if stage.server is None:
        folder: Path = stage.folder / "cache"
        assert folder.stat().st_mode & 0o077 == 0
        assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir())
