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


def largest(pids: Iterable[int]) -> float:
    """Of several processes, the one that takes most (MB)."""
    return max(map(proportional_megabytes, pids))
