"""Ends process groups when the one who started them is gone, however it ended: even by kill -9.

It reads lines `+<group>` and `-<group>` from its standard input, a pipe that only its starter holds. The
end of input means that the starter is gone: the groups still listed get SIGTERM, then SIGKILL.
"""

from __future__ import annotations

import os
import signal
import sys
import time

GRACE_SECONDS = 8.0
POLL_SECONDS = 0.05


def _send(groups: set[int], signum: int) -> set[int]:
    """Signal each group and return those that (still) exist."""
    there = set()
    for group in groups:
        try:
            os.killpg(group, signum)
        except (ProcessLookupError, PermissionError):
            continue
        there.add(group)
    return there


def main() -> None:
    """Read until the end of input, then end what is left."""
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        group = int(line[1:])
        if line.startswith("+"):
            groups.add(group)
        else:
            groups.discard(group)
    deadline = time.monotonic() + GRACE_SECONDS
    groups = _send(groups, signal.SIGTERM)
    while groups and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        groups = _send(groups, 0)
    _send(groups, signal.SIGKILL)


if __name__ == "__main__":
    main()
