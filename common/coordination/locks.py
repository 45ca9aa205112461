"""Locks that the kernel frees at any death of their holder, and that a forked child does not inherit."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import struct
import threading
import time
import weakref
from functools import lru_cache
from pathlib import Path

POLL_SECONDS = 0.001
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW

_living: weakref.WeakSet[ForkAware] = weakref.WeakSet()


class ForkAware:
    """Told in a forked child, before anything else runs there, to let go of what belongs to the parent."""

    def __init__(self) -> None:
        _living.add(self)

    def after_fork(self) -> None:
        """Forget the parent's locks and descriptors; only the forking thread exists now."""
        raise NotImplementedError


def _tell_all() -> None:
    for each in list(_living):
        each.after_fork()


os.register_at_fork(after_in_child=_tell_all)


class FileLock(ForkAware):
    """`flock` on a file, made with mode 0600 when it is missing: one holder of all threads and processes."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._thread = threading.Lock()
        self._fd = -1

    def acquire(self, wait_seconds: float) -> bool:
        """Whether the lock was had within `wait_seconds`. Raises OSError when the file cannot be used.

        It asks again and again instead of waiting in the kernel: a holder may be frozen for ever.
        """
        deadline = time.monotonic() + wait_seconds
        if not self._thread.acquire(timeout=max(0.0, wait_seconds)):
            return False
        try:
            if self._fd < 0:
                self._fd = os.open(self._path, _FLAGS, 0o600)
            while not _flock(self._fd, fcntl.LOCK_EX):
                if time.monotonic() >= deadline:
                    self._thread.release()
                    return False
                time.sleep(POLL_SECONDS / 2)
        except BaseException:
            self._thread.release()
            raise
        return True

    def release(self) -> None:
        """Let go; nothing happens in a child that was forked inside."""
        if self._fd >= 0:
            # By name, not by closing: a child that is being forked may hold a copy of the descriptor.
            fcntl.flock(self._fd, fcntl.LOCK_UN)
        with contextlib.suppress(RuntimeError):
            self._thread.release()

    def close(self) -> None:
        """Let go, and of the file too."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            fcntl.flock(fd, fcntl.LOCK_UN)
            os.close(fd)
        with contextlib.suppress(RuntimeError):
            self._thread.release()

    def after_fork(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)  # the parent keeps the lock: unlocking by name would take it from it
        self._thread = threading.Lock()


def is_locked(path: Path) -> bool:
    """Whether a living process holds the FileLock on `path`; takes nothing away from anybody but a moment.

    Raises OSError, but for a missing file.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        if not _flock(fd, fcntl.LOCK_SH):
            return True
        fcntl.flock(fd, fcntl.LOCK_UN)
        return False
    finally:
        os.close(fd)


class KeyLocks(ForkAware):
    """A lock for each key of any number, in one empty file: the byte at the key's hash (62 bits) is locked.

    Between processes alone ("open file description locks", fcntl(2)): threads that share this object must
    settle a key among themselves first.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._fd = -1
        self._opening = threading.Lock()

    def try_acquire(self, key: str) -> bool:
        """Whether the key's lock is ours now. Raises OSError."""
        try:
            fcntl.fcntl(self._descriptor(), fcntl.F_OFD_SETLK, _byte(fcntl.F_WRLCK, key))
        except BlockingIOError:
            return False
        except PermissionError:  # EACCES is the other way to say so
            return False
        return True

    def release(self, key: str) -> None:
        """Let go of the key's lock. Raises OSError."""
        if self._fd >= 0:
            fcntl.fcntl(self._fd, fcntl.F_OFD_SETLK, _byte(fcntl.F_UNLCK, key))

    def close(self) -> None:
        """Let go of all."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def after_fork(self) -> None:
        self.close()  # the parent's locks stay: it has the descriptor too
        self._opening = threading.Lock()

    def _descriptor(self) -> int:
        if self._fd < 0:
            with self._opening:
                if self._fd < 0:
                    self._fd = os.open(self._path, _FLAGS, 0o600)
        return self._fd


def _flock(fd: int, kind: int) -> bool:
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@lru_cache(maxsize=256)
def _byte(kind: int, key: str) -> bytes:
    """A `struct flock` of 64-bit Linux for one byte."""
    start = int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "little") >> 2
    return struct.pack("hhqqi0q", kind, os.SEEK_SET, start, 1, 0)
