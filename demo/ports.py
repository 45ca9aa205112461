"""Who listens where: a busy port is said in one line, with the name of its process when it can be told."""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Mapping
from pathlib import Path


def busy_port(name: str, host: str, port: int) -> str | None:
    """Return one line on why `host:port` (setting `name`) cannot be listened on; None when it can be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                return f"cannot listen on {host} port {port} ({name}): {error.strerror}"
            return f"port {port} ({name}) is in use{_by_whom(port)}: stop that, or set {name} to another port"
    return None


def clash(ports: Mapping[str, int]) -> str | None:
    """Return one line when two settings name the same port."""
    seen: dict[int, str] = {}
    for name, port in ports.items():
        if port in seen:
            return f"{seen[port]} and {name} are both {port}: they must differ"
        seen[port] = name
    return None


def _by_whom(port: int) -> str:
    inodes = _listening_inodes(port)
    for process in Path("/proc").iterdir():
        if not process.name.isdecimal():
            continue
        with contextlib.suppress(OSError):
            for descriptor in (process / "fd").iterdir():
                with contextlib.suppress(OSError):
                    if str(descriptor.readlink()) in inodes:
                        name = (process / "comm").read_text().strip()
                        return f" by {name} (process {process.name})"
    return ""


def _listening_inodes(port: int) -> set[str]:
    """Return `socket:[inode]` of everything that listens on a TCP port, from the kernel's tables."""
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:  # 0A: listening
                    found.add(f"socket:[{fields[9]}]")
    return found
