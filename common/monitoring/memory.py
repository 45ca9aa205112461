"""How much memory the service has and uses: its web processes and workers together, against their limit."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterable
from pathlib import Path

from common.coordination.port import Coordination
from common.monitoring.checks import MEMORY_DEGRADED, Check, Result, Status

MEGABYTE = 1024 * 1024
WORKERS = "workers"
_ROW = struct.Struct("<QQ")  # process id, and the namespace in which it is one
_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def announce_worker(coordination: Coordination) -> None:
    """Let the service's health count this process in, for as long as it lives."""
    coordination.publish(WORKERS, _ROW.pack(os.getpid(), _namespace()))


def workers_here(coordination: Coordination) -> tuple[int, ...]:
    """The process ids of the announced workers that share this process's machine or container, and so its
    limit.
    """
    rows = (_ROW.unpack(row) for row in coordination.rows(WORKERS).values())
    return tuple(pid for pid, namespace in rows if namespace == _namespace())


def memory_check(master_pid: int, workers: Callable[[], Iterable[int]]) -> Check:
    """The memory of process `master_pid`, its children and the `workers` (process ids) against the
    container's or the machine's limit.
    """

    def run() -> Result:
        used = used_bytes(master_pid) + sum(map(_proportional, workers()))
        limit = limit_bytes()
        status: Status = "degraded" if used > MEMORY_DEGRADED * limit else "healthy"
        return Result(status, {"heapUsed": megabytes(used), "heapTotal": megabytes(limit)})

    return Check(
        name="memory", run=run, first={"heapUsed": "0 MB", "heapTotal": "0 MB"}, interval_seconds=5.0
    )


def used_bytes(master_pid: int) -> int:
    """The proportional set size of the process and its children: pages that they share count once."""
    pids = {master_pid, *_children(master_pid)}
    return sum(_proportional(pid) for pid in pids)


def limit_bytes() -> int:
    """The control group's limit, else the machine's memory."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for path in _LIMITS:
        try:
            text = path.read_text().strip()
        except OSError:
            continue
        if text.isdigit():
            return min(int(text), machine)
    return machine


def megabytes(count: int) -> str:
    """`45 MB`."""
    return f"{round(count / MEGABYTE)} MB"


def _namespace() -> int:
    return Path("/proc/self/ns/pid").stat().st_ino


def _children(pid: int) -> list[int]:
    try:
        texts = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:
        return []
    return [int(child) for text in texts for child in text.split()]


def _proportional(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # it ended meanwhile
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
