"""The number of a process on its machine: the lowest that no living process has."""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path

from common.coordination.locks import FileLock, ForkAware
from common.coordination.trouble import Trouble

SLOTS = 256

_log = logging.getLogger(__name__)


class Slot(ForkAware):
    """A number from 0 to 255, held by a `flock` that the kernel frees at any death of the process.

    A forked child does not share its parent's number: it takes one of its own when it first asks. Where none
    can be had (all taken, or a folder that cannot be written to) the number is 256 + process id: unique
    still, but not the next process's after a death.
    """

    def __init__(self, folder: Path) -> None:
        """`folder` (the same for all processes that count together) gets at most 256 empty files."""
        super().__init__()
        self._folder = folder
        self._taking = threading.Lock()
        self._number: int | None = None
        self._lock: FileLock | None = None
        self._trouble = Trouble(_log, f"the folder of slots {folder}")

    @property
    def number(self) -> int:
        """This process's number. Raises nothing."""
        if self._number is None:
            with self._taking:
                if self._number is None:
                    self._number = self._take()
        return self._number

    def close(self) -> None:
        """Give the number back."""
        with self._taking:
            lock, self._lock, self._number = self._lock, None, None
            if lock is not None:
                lock.close()

    def after_fork(self) -> None:
        self._taking = threading.Lock()
        self._number = self._lock = None  # the lock lets go by itself

    def _take(self) -> int:
        try:
            for number in range(SLOTS):
                lock = FileLock(self._folder / str(number))
                if lock.acquire(0):
                    self._lock = lock
                    return number
                lock.close()
            self._trouble.on(f"all {SLOTS} are taken")
        except OSError as error:
            self._trouble.on(error)
        return SLOTS + os.getpid()
