"""What the figures were measured on and with; nothing that names the machine."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

PACKAGES = ("flask", "gunicorn", "marshmallow", "orjson", "pymysql", "sqlalchemy")
SYNCS = 50
BLOCK = b"\0" * 4096


def machine_facts() -> dict[str, Any]:
    """Cores, memory, processor, and what a flush to disk costs."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "processor": _processor(),
        "memoryMb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1024**2,
        "flushMs": round(flush_milliseconds(), 3),
        "loadAverage": round(os.getloadavg()[0], 2),
    }


def versions() -> dict[str, str]:
    """Of Python and where it is from, the packages on a sale's path, and the service's last commit."""
    origin = "the system's" if sys.base_prefix == "/usr" else "another build"
    found = {
        "python": f"{platform.python_version()} ({origin})",
        **{name: version(name) for name in PACKAGES},
    }
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return found | ({"commit": commit.stdout.strip()} if commit.returncode == 0 else {})


def flush_milliseconds() -> float:
    """The mean of a small write and its flush (fdatasync), where temporary files are."""
    with TemporaryFile() as file:
        begun = time.perf_counter()
        for _ in range(SYNCS):
            os.write(file.fileno(), BLOCK)
            os.fdatasync(file.fileno())
        return (time.perf_counter() - begun) * 1000 / SYNCS


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
