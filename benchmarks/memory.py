"""Memory of processes, as the kernel shares it out."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

KILOBYTES = 1024


def proportional_megabytes(pid: int) -> float:
    """The proportional set size (PSS): a page that n processes share counts 1/n for each."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / KILOBYTES
    raise ValueError(f"process {pid} has no proportional set size")


def peak_megabytes(pid: int | str = "self") -> float:
    """The largest resident set that the process has had since it began its program; `ru_maxrss` has in it
    what its parent had then. Raises OSError when the process has ended.
    """
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / KILOBYTES
    raise ProcessLookupError(f"process {pid} has ended")


def largest(pids: Iterable[int]) -> float:
    """Of several processes, the one that takes most (MB)."""
    return max(map(proportional_megabytes, pids))
