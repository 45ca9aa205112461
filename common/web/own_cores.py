"""A core for each worker process.

Python's lock lets one thread of a process run at a time. On several cores they pass it round: whoever lets go
of it for a moment, as at each statement, finds it with a thread that was woken on another core, and has to be
woken himself. On one core that thread does not run before the first one waits (docs/decisions.md).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path


def has_own_cores(workers: int, cores: int) -> bool:
    """Whether so many workers can be shared out evenly: else one core would have more than another."""
    return workers % cores == 0


def least_taken(cores: Sequence[int], taken: Iterable[int]) -> int:
    """The first of the cores that the fewest have."""
    count = Counter(taken)
    return min(cores, key=lambda core: count[core])


def keep_to(core: int) -> None:
    """Let this process run there only: the threads that it has by now, and all that they start."""
    for task in Path("/proc/self/task").iterdir():
        with suppress(OSError):  # the core has been taken from us: any other will do
            os.sched_setaffinity(int(task.name), {core})
