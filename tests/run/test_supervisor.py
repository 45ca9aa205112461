"""The supervisor behind `make run`, with real processes: whatever ends it, nothing stays behind."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.run.processes import carrying, nothing_left
from tests.servers.process import HEEDING, ROOT, Process, eventually

STEADY = ("sh", "-c", "sleep 1000 & echo second is up; wait")
STUBBORN = ("sh", "-c", "trap '' TERM HUP INT; echo second is up; while true; do sleep 0.1; done")
DRIVER = (sys.executable, "-m", "tests.run.two_children")


@contextmanager
def supervised(second: tuple[str, ...], lines: int = 2) -> Iterator[tuple[Process, str]]:
    mark = uuid.uuid4().hex
    with Process([*DRIVER, *second], env={"MARK": mark}, name="supervisor") as process:
        process.wait_until(lambda: process.output().count(" is up") == lines, what="showing both children")
        yield process, mark


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_children_and_their_children_and_is_no_failure(signum: signal.Signals) -> None:
    with supervised(STEADY) as (process, mark):
        assert len(carrying(mark)) >= 5  # itself, two shells, two sleeps
        process.send(signum)
        assert process.wait() == 0
        assert f"asked to stop by {signum.name}" in process.output()
        nothing_left(mark, seconds=5)


def test_a_child_that_ignores_sigterm_is_killed_after_the_grace_time() -> None:
    with supervised(STUBBORN) as (process, mark):
        process.send(signal.SIGTERM)
        assert process.wait(seconds=20) == 0
        nothing_left(mark, seconds=5)


def test_ctrl_c_twice_does_not_wait_for_a_stubborn_child() -> None:
    with supervised(STUBBORN) as (process, mark):
        began = time.monotonic()
        process.send(signal.SIGINT)
        eventually(lambda: len(carrying(mark)) < 5, what="the first child's end")
        process.send(signal.SIGINT)
        assert process.wait() == 0
        assert time.monotonic() - began < 8, "it waited for the whole grace time"
        nothing_left(mark, seconds=5)


def finished(second: str) -> tuple[int, str]:
    """Run the driver with a second child that ends by itself; return its status and output."""
    mark = uuid.uuid4().hex
    with Process([*DRIVER, "sh", "-c", second], env={"MARK": mark}, name="supervisor") as process:
        status = process.wait()
        nothing_left(mark, seconds=5)
        return status, process.output()


def test_one_child_ending_ends_all_and_shows_its_last_twenty_lines() -> None:
    status, output = finished("for i in $(seq 1 30); do echo line $i; done; exit 7")
    assert status == 1
    end = output.partition("second ended with status 7. Its last lines:\n")[2].splitlines()
    assert [line.strip() for line in end] == [f"line {i}" for i in range(11, 31)]


def test_a_killed_child_is_named_with_its_signal() -> None:
    status, output = finished("kill -KILL $$")
    assert status == 1
    assert "second was killed by SIGKILL. Its last lines:\n    (it wrote nothing)\n" in output


def test_a_program_that_is_not_there_is_the_end_too() -> None:
    status, output = finished("exec /nowhere/program")
    assert status == 1
    assert "second ended with status 127" in output


@pytest.mark.parametrize("second", [STEADY, STUBBORN])
def test_kill_9_of_the_supervisor_leaves_nothing(second: tuple[str, ...]) -> None:
    with supervised(second) as (process, mark):
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        nothing_left(mark)


def test_a_terminal_that_goes_away_ends_all() -> None:
    mark = uuid.uuid4().hex
    terminal, inner = pty.openpty()
    env = {**os.environ, "MARK": mark}
    # setsid --ctty: the driver's session gets the terminal, so that closing it hangs it up.
    process = subprocess.Popen(
        [*HEEDING, "setsid", "--ctty", "--wait", *DRIVER, *STEADY],
        stdin=inner,
        stdout=inner,
        stderr=inner,
        env=env,
        cwd=ROOT,
    )
    os.close(inner)
    shown = b""
    while shown.count(b" is up") < 2:
        shown += os.read(terminal, 4096)
    assert b"\033[36msteady" in shown, "lines on a terminal have a coloured name in front"
    os.close(terminal)
    process.wait(20)
    nothing_left(mark)


def test_lines_in_a_file_have_the_name_in_front_and_no_colours() -> None:
    with supervised(STEADY) as (process, _):
        assert "steady           | steady is up\n" in process.output()
        assert "\033" not in process.output()
