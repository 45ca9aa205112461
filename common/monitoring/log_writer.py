"""Writes log lines without ever making a request wait: a thread takes them from a queue that is bounded."""

from __future__ import annotations

import atexit
import os
import select
import stat
import threading
import time
from collections import deque
from collections.abc import Callable

LINES_KEPT = 10_000
"""How many lines wait for a reader that does not read; later ones are dropped, and counted."""

# Up to this size a write into a pipe is not mixed with those of other processes (POSIX, PIPE_BUF on Linux).
PIECE_BYTES = 4096
# A write into a file is never mixed with others: the kernel locks the file for each.
FILE_PIECE_BYTES = 65_536
GATHER_SECONDS = 0.02
EXIT_SECONDS = 1.0
_POLL_MILLISECONDS = 100


class LineWriter:
    """Lines to a file descriptor, in order. Safe for threads and across forks; each process has its thread.

    Args:
        descriptor: where to write; it is never made non-blocking, as others may share it.
        lost_line: the line that tells how many were dropped before it.
    """

    def __init__(self, descriptor: int, lost_line: Callable[[int], bytes], *, kept: int = LINES_KEPT) -> None:
        self._descriptor, self._lost_line, self._kept = descriptor, lost_line, kept
        self._piece_bytes = FILE_PIECE_BYTES if _is_file(descriptor) else PIECE_BYTES
        self._begin()
        # What waited in the parent is written by the parent.
        os.register_at_fork(after_in_child=self._begin)
        atexit.register(self.flush, EXIT_SECONDS)

    def _begin(self) -> None:
        self._lines: deque[bytes] = deque()
        self._lost, self._writing = 0, False
        self._wake, self._starting = threading.Event(), threading.Lock()
        self._thread: threading.Thread | None = None

    def write(self, line: bytes) -> None:
        """Have `line` written soon. It ends with a line feed. Neither waits nor raises."""
        if len(self._lines) >= self._kept:
            self._lost += 1
            return
        self._lines.append(line)
        if not self._wake.is_set():
            self._wake.set()
        if self._thread is None:
            self._start()

    def flush(self, seconds: float) -> bool:
        """Wait until everything is written, for `seconds` at most; whether it is."""
        deadline = time.monotonic() + seconds
        while self._lines or self._writing:
            if time.monotonic() > deadline:
                return False
            self._wake.set()
            time.sleep(GATHER_SECONDS / 4)
        return True

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
                thread.start()
                self._thread = thread

    def _run(self) -> None:
        while True:
            self._wake.wait()
            # A busy process writes many lines at once, instead of waking this thread for each.
            time.sleep(GATHER_SECONDS)
            self._wake.clear()
            self._writing = True
            try:
                self._write_all()
            finally:
                self._writing = False

    def _write_all(self) -> None:
        lines = self._lines
        while lines:
            if self._lost and len(lines) < self._kept:
                lost, self._lost = self._lost, 0
                lines.appendleft(self._lost_line(lost))
            piece, count = bytearray(lines.popleft()), 1
            while lines and len(piece) + len(lines[0]) <= self._piece_bytes:
                piece += lines.popleft()
                count += 1
            if not self._written(piece):
                self._lost += count

    def _written(self, piece: bytearray) -> bool:
        """Whether it could be written. A pipe that nobody reads holds this thread up, and nobody else."""
        rest = memoryview(piece)
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:
                poll = select.poll()
                poll.register(self._descriptor, select.POLLOUT)
                poll.poll(_POLL_MILLISECONDS)
            except OSError:  # closed, its reader gone, the disk full
                return False
        return True


def _is_file(descriptor: int) -> bool:
    try:
        return stat.S_ISREG(os.fstat(descriptor).st_mode)
    except OSError:  # closed: nothing will be written there
        return False
