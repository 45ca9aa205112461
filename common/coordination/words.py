"""64-bit words in a file that all processes of the machine map into their memory."""

from __future__ import annotations

import logging
import math
import mmap
import os
import secrets
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from common.coordination.locks import FileLock, ForkAware
from common.coordination.trouble import Trouble

_MAGIC = b"COORDWD1"
_HEADER = struct.Struct("<8sQ16s40s")  # magic, base, hash key, boot
_BODY = 128
_LOCK_SECONDS = 1.0
_IMPATIENT_SECONDS = 0.02
_HEAL_SECONDS = 1.0
_LEAP_BITS = 20
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

_log = logging.getLogger(__name__)


class Words(ForkAware):
    """`count` words, and `extra` bytes behind them; aligned words are read and written whole without a lock.

    What a word counts is `base + view[index]`. A crash of the machine may bring older words back from the
    disk; so the first that maps the file after a start of the machine, or finds it damaged, raises `base`
    beyond all that was ever counted. Where the file cannot be had (read-only, full disk) the words are this
    process's own, `alone` is true, and every second a call of `heal` tries again.
    """

    def __init__(self, path: Path, count: int, *, extra: int = 0) -> None:
        super().__init__()
        self._path = path
        self._count = count
        self._size = _BODY + 8 * count + extra
        self._lock = FileLock(path.with_name(f"{path.name}.lock"))
        self._threads = threading.Lock()
        self._next_try = 0.0
        self._impatient_until = 0.0
        self._trouble = Trouble(_log, f"the file {path.name}")
        self.alone = True
        self._use(mmap.mmap(-1, self._size))
        self.heal()

    def heal(self) -> bool:
        """Map the file if it is not; whether it came to be so just now. The own words are left behind."""
        if not self.alone or time.monotonic() < self._next_try:
            return False
        with self._threads:
            if time.monotonic() < self._next_try:
                return False  # another thread has just tried
            self._next_try = time.monotonic() + _HEAL_SECONDS
            try:
                self._use(self._mapped())
            except (OSError, ValueError) as error:
                self._trouble.on(error)
                return False
            self._next_try = math.inf
            self.alone = False
            self._trouble.off()
            return True

    @contextmanager
    def held(self) -> Iterator[None]:
        """Alone among all threads and processes while inside.

        A holder that is frozen is waited for a second, and then hardly for the next ten: two bumps may count
        as one while it is, but all see that there was one.
        """
        with self._threads:
            got = self._acquire()
            try:
                yield
            finally:
                if got:
                    self._lock.release()

    def close(self) -> None:
        """Let go of the lock's file; the words can be read still."""
        self._lock.close()

    def after_fork(self) -> None:
        self._threads = threading.Lock()  # the mapping itself is shared with the child, as it should be

    def _acquire(self) -> bool:
        if self.alone:
            return False
        wait = _LOCK_SECONDS if time.monotonic() > self._impatient_until else _IMPATIENT_SECONDS
        try:
            if self._lock.acquire(wait):
                return True
            self._impatient_until = time.monotonic() + 10
            return False
        except OSError as error:
            self._trouble.on(error)
            return False

    def _use(self, memory: mmap.mmap) -> None:
        whole = memoryview(memory)
        end = _BODY + 8 * self._count
        _, base, key, _ = _HEADER.unpack_from(memory)
        self.base: int = base
        self.key: bytes = key
        self.extra = whole[end:]
        self.view = whole[_BODY:end].cast("Q")

    def _mapped(self) -> mmap.mmap:
        if not self._lock.acquire(_LOCK_SECONDS):
            raise TimeoutError("another process holds its lock")
        try:
            fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                is_new = os.fstat(fd).st_size == 0
                # All blocks now: storing into a hole of a full disk would end the process (SIGBUS).
                os.posix_fallocate(fd, 0, self._size)
                memory = mmap.mmap(fd, self._size)
            finally:
                os.close(fd)
            _entitle(memory, is_new=is_new)
            return memory
        finally:
            self._lock.release()


def _entitle(memory: mmap.mmap, *, is_new: bool) -> None:
    """Make the header right, and raise the base where words may have been lost."""
    magic, base, key, boot = _HEADER.unpack_from(memory)
    now = boot_id()
    if magic == _MAGIC and boot == now:
        return
    if magic != _MAGIC:
        base, key = 0, secrets.token_bytes(16)
        memory[_BODY:] = bytes(len(memory) - _BODY)
    if not is_new:
        base = max(base + (1 << _LEAP_BITS), int(time.time()) << _LEAP_BITS)
    _HEADER.pack_into(memory, 0, _MAGIC, base, key, now)


def boot_id() -> bytes:
    """What the kernel calls this run of the machine, 40 bytes."""
    try:
        return _BOOT_ID.read_bytes().strip()[:40].ljust(40, b"\0")
    except OSError:
        return bytes(40)
