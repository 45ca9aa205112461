"""The numbers of one process, in files that are named by its slot and outlive it."""

from __future__ import annotations

import logging
import threading
import time
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from common.coordination.locks import FileLock, ForkAware, is_locked
from common.monitoring.metrics.slot_file import Damaged, SlotFile, read_numbers

log = logging.getLogger(__name__)

RETRY_SECONDS = 10.0
# A scrape that looks who lives holds the lock of a slot for some microseconds.
CLAIM_SECONDS = 0.5
GUARD_SECONDS = 1.0


class Value:
    """A number as prometheus_client's metrics want it. `kind`: counter, histogram, or gauge_ and its mode.

    It never raises: without its file it counts in memory, and brings that along when the file is there.
    `cell` is where the number stands, and its stamp behind it. Whoever changes several numbers at once takes
    the lock `SlotFiles.counting`, which costs more than the change, and adds to their cells.
    """

    __slots__ = ("_counting", "_files", "cell", "is_in_memory", "key", "kind")

    def __init__(self, files: SlotFiles, kind: str, key: str) -> None:
        self.kind, self.key = kind, key
        self._files, self._counting = files, files.counting
        self.cell, self.is_in_memory = _in_memory(), True

    def inc(self, amount: float) -> None:
        """Add `amount`."""
        with self._counting:
            self.cell[0] += amount
        if self.is_in_memory:
            self._files.retry()

    def set(self, number: float, timestamp: float | None = None) -> None:
        """Be `number`, as of `timestamp` (Unix seconds)."""
        with self._counting:
            self.cell[0], self.cell[1] = number, timestamp or 0.0
        if self.is_in_memory:
            self._files.retry()

    def get(self) -> float:
        """The number of this process."""
        return self.cell[0]

    def reading(self) -> tuple[str, float, float]:
        """As `read_numbers` gives it."""
        return self.key, self.cell[0], self.cell[1]

    def get_exemplar(self) -> None:
        """There are none."""

    def set_exemplar(self, exemplar: object) -> None:
        """They are not kept."""

    def forget(self) -> None:
        """Start anew, without a file: what was counted was another process's."""
        with self._counting:
            self.cell, self.is_in_memory = _in_memory(), True

    def after_fork(self) -> None:
        """As `forget`, whoever of the parent's threads held the lock."""
        self._counting = self._files.counting
        self.forget()

    def connect(self, file: SlotFile) -> None:
        """Go on from what `file` has, with what was counted in memory. May raise OSError."""
        cell = file.cell(self.key)
        with self._counting:
            number, stamp = self.cell
            if not self.kind.startswith("gauge"):
                cell[0] += number
            elif number or stamp:  # else it was not set yet
                cell[0], cell[1] = number, stamp
            self.cell, self.is_in_memory = cell, False


def _in_memory() -> memoryview[float]:
    return memoryview(array("d", (0.0, 0.0)))


class SlotFiles(ForkAware):
    """The files of one process below `folder`. Until `attach` it counts in memory only: a master that
    is yet to fork must not write where a worker does.
    """

    def __init__(self, folder: Path, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.folder = folder
        self.slot: int | None = None
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self.counting = threading.Lock()
        self._values: list[Value] = []
        self._files: dict[str, SlotFile] = {}
        self._claim: FileLock | None = None
        self._complete, self._retry_at = True, 0.0

    def attach(self, slot: int) -> None:
        """Take over the files of `slot`, which no other living process has: counters go on, gauges of the
        living begin at 0. What was counted before is dropped: it was counted before the fork.
        """
        with self._lock:
            for value in self._values:
                value.forget()
            self._let_go()
            self.slot = slot
            self._connect(self._values)

    def detach(self) -> None:
        """Let go of the slot."""
        with self._lock:
            for value in self._values:
                value.forget()
            self._let_go()
            self.slot = None

    def value(self, kind: str, key: str) -> Value:
        """A new number of this process."""
        made = Value(self, kind, key)
        with self._lock:
            self._values.append(made)
            if self.slot is not None and self._complete:
                self._connect([made])
        return made

    def retry(self) -> None:
        """After a failure try again now and then to bring what is in memory into the files."""
        if self._complete or self._monotonic() < self._retry_at or not self._lock.acquire(blocking=False):
            return
        try:
            self._connect([value for value in self._values if value.is_in_memory])
        finally:
            self._lock.release()

    def after_fork(self) -> None:
        """The child counts in memory until it attaches to a slot of its own."""
        self._lock, self.counting = threading.Lock(), threading.Lock()
        for value in self._values:
            value.after_fork()
        # The parent's lock lets go in the child by itself.
        self._files, self._claim, self.slot, self._complete = {}, None, None, True

    def readings(self) -> list[tuple[str, tuple[str, float, float]]]:
        """The numbers of this process alone, each with its kind."""
        with self._lock:
            return [(value.kind, value.reading()) for value in self._values]

    def _connect(self, values: list[Value]) -> None:
        try:
            if self._claim is None:
                self._take_over()
            for value in values:
                value.connect(self._file(value.kind))
        except OSError as error:
            self._complete, self._retry_at = False, self._monotonic() + RETRY_SECONDS
            log.warning("metrics stay in memory for now: %s: %s", type(error).__name__, error)
        else:
            self._complete = True

    def _take_over(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        claim = FileLock(self.folder / f"{self.slot}.lock")
        if not claim.acquire(CLAIM_SECONDS):
            claim.close()
            raise BlockingIOError(f"slot {self.slot} is another process's")
        self._claim = claim
        for path in self.folder.glob(f"*_{self.slot}.db"):
            if path.name.startswith("gauge_live"):
                path.unlink()
                continue
            try:
                for _ in read_numbers(path):
                    pass
            except Damaged as error:
                log.warning("metrics are dropped: %s", error)
                path.unlink()

    def _file(self, kind: str) -> SlotFile:
        file = self._files.get(kind)
        if file is None:
            file = self._files[kind] = SlotFile(self.folder / f"{kind}_{self.slot}.db")
        return file

    def _let_go(self) -> None:
        for file in self._files.values():
            file.close()  # type: ignore[no-untyped-call]
        self._files.clear()
        if self._claim is not None:
            self._claim.close()
            self._claim = None
        self._complete = True


def living_slots(folder: Path) -> set[int]:
    """The slots whose process lives, as the kernel knows it. Raises OSError."""
    return {int(path.stem) for path in folder.glob("*.lock") if path.stem.isdecimal() and is_locked(path)}


@contextmanager
def exclusively(path: Path) -> Iterator[None]:
    """Hold the lock file `path` against all processes. Raises OSError, and TimeoutError after a second."""
    lock = FileLock(path)
    if not lock.acquire(GUARD_SECONDS):
        lock.close()
        raise TimeoutError(f"{path.name} is held by another process")
    try:
        yield
    finally:
        lock.close()
