"""Where a test run keeps its files: in memory, where the machine has enough of it.

The servers of the tests wait for the disk at each commit, many thousand times. A killed process loses what
it had not written, wherever the file is; that a machine loses power is in no test.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from multiprocessing.util import Finalize
from pathlib import Path

MEMORY = Path("/dev/shm")
CONTAINER = Path("/sys/fs/cgroup")
"""Whose limit of memory is another one than the machine's, where there is one."""
MINIMUM_FREE_BYTES = 4 << 30
PREFIX = "tests-"


def begin() -> Callable[[], None] | None:
    """Let temporary files be made in memory from here on, by all that is started too.

    Returns what removes them in the end; None, and nothing is changed, where TMPDIR says where they belong
    (to look at them afterwards), or memory is scarce.
    """
    if os.environ.get("TMPDIR") or not _has_room():
        return None
    for left in MEMORY.glob(f"{PREFIX}*"):
        if not Path(f"/proc/{left.name.removeprefix(PREFIX)}").exists():
            shutil.rmtree(left, ignore_errors=True)  # of a run that was killed
    folder = MEMORY / f"{PREFIX}{os.getpid()}"
    folder.mkdir(mode=0o755)
    os.environ["TMPDIR"] = str(folder)
    tempfile.tempdir = None  # what was chosen before

    def end() -> None:
        del os.environ["TMPDIR"]
        tempfile.tempdir = None
        # multiprocessing has a folder in it, which it removes at the end of the process, with priority -100
        Finalize(None, shutil.rmtree, (folder, True), exitpriority=-200)

    return end


def _has_room() -> bool:
    try:
        there = os.statvfs(MEMORY)
        available = _available_bytes()
    except OSError:
        return False
    free = there.f_bavail * there.f_frsize
    return min(free, available) >= MINIMUM_FREE_BYTES and not there.f_flag & os.ST_NOEXEC


def _available_bytes() -> int:
    lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    available = int(lines["MemAvailable"].split()[0]) * 1024
    limit = CONTAINER / "memory.max"
    if limit.exists() and (most := limit.read_text().strip()) != "max":
        available = min(available, int(most) - int((CONTAINER / "memory.current").read_text()))
    return available
