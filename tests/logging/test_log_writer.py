"""Standard output that nobody reads, that is closed or full: the work goes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from common.monitoring.log_writer import PIECE_BYTES, LineWriter
from tests.servers.process import ROOT

LINES = 15_000
HANG_SECONDS = 60


def chatty(count: int, output: int | None) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-m", "tests.logging.chatty", str(count)]
    return subprocess.Popen(argv, cwd=ROOT, stdout=output, stderr=subprocess.PIPE)


def test_a_reader_that_stops_reading_holds_nothing_up() -> None:
    with chatty(LINES, subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        # The pipe is full now and stays so until the process has ended by itself.
        assert process.stderr.readline().startswith(b"done ")
        assert process.wait(HANG_SECONDS) == 0
        assert len(process.stdout.read()) < 300 * LINES


@pytest.mark.parametrize("output", ["closed", "no reader", "/dev/full"])
def test_output_that_cannot_be_written_holds_nothing_up(output: str) -> None:
    if output == "closed":
        argv = ["sh", "-c", f"exec {sys.executable} -m tests.logging.chatty 1000 >&-"]
        process = subprocess.Popen(argv, cwd=ROOT, stderr=subprocess.PIPE)
    elif output == "no reader":
        reading, writing = os.pipe()
        process = chatty(1000, writing)
        os.close(reading)
        os.close(writing)
    else:
        full = os.open(output, os.O_WRONLY)
        process = chatty(1000, full)
        os.close(full)
    with process:
        assert process.stderr is not None
        assert b"done " in process.stderr.read()
        assert process.wait(HANG_SECONDS) == 0


def test_all_lines_arrive_in_order_also_at_the_end_and_from_a_child(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as output, chatty(3000, output.fileno()) as process:
        assert process.wait(HANG_SECONDS) == 0
    numbers = [json.loads(line)["number"] for line in (tmp_path / "out").read_bytes().splitlines()]
    assert [number for number in numbers if number >= 0] == list(range(3000))
    assert numbers.count(-1) == 1


def test_what_was_lost_is_counted_once_somebody_reads_again() -> None:
    reading, writing = os.pipe()
    writer = LineWriter(writing, lambda count: b"lost %d\n" % count, kept=100)
    total, sent = 2000, threading.Event()
    found: list[bytes] = []

    def read() -> None:
        sent.wait(HANG_SECONDS)
        with os.fdopen(reading, "rb") as file:
            found.extend(file.readlines())

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(total):
        writer.write(b"%d %s\n" % (number, b"x" * 1000))
    sent.set()
    assert writer.flush(HANG_SECONDS)
    writer.write(b"at last\n")
    assert writer.flush(HANG_SECONDS)
    os.close(writing)
    reader.join()
    lost = sum(int(line.split()[1]) for line in found if line.startswith(b"lost "))
    assert lost > 0
    assert lost + sum(line.endswith(b"x\n") for line in found) == total
    assert found[-1] == b"at last\n"


def test_lines_of_many_processes_are_never_mixed() -> None:
    reading, writing = os.pipe()
    processes = [chatty(500, writing) for _ in range(4)]
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        lines = file.readlines()
    check_whole(processes, lines, 4 * 501)


@pytest.mark.parametrize("mode", ["wb", "ab"])
def test_nor_are_they_in_a_file_into_which_more_is_written_at_once(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "out"
    with path.open(mode) as output:
        processes = [chatty(5000, output.fileno()) for _ in range(4)]
        for process in processes:
            process.wait(HANG_SECONDS)
    check_whole(processes, path.read_bytes().splitlines(keepends=True), 4 * 5001)


def check_whole(processes: list[subprocess.Popen[bytes]], lines: list[bytes], count: int) -> None:
    for process in processes:
        with process:
            assert process.wait(HANG_SECONDS) == 0
    assert len(lines) == count
    assert all(len(line) <= PIECE_BYTES and json.loads(line)["service"] == "chatty" for line in lines)
