"""The thread that keeps what this machine knows and what Redis knows the same, five times a second."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from common.coordination import redis_scripts as scripts
from common.coordination.documents import Versioned
from common.coordination.embedded import EmbeddedCoordination
from common.coordination.locks import ForkAware
from common.coordination.redis_flights import RedisFlights
from common.coordination.redis_link import (
    Away,
    RedisLink,
    kind_of,
    packed_rows,
    stamp_of,
    unpacked_rows,
    versioned_of,
)

PERIOD_SECONDS = 0.2
LEASE_SECONDS = 2.0

_SYNC_KEYS = ("epochs", "epochs-by", "stamps", "rows", "leases", "documents")

_log = logging.getLogger(__name__)


class RedisSync(ForkAware):
    """Epochs and documents go both ways, the greater stands; own rows go out with a lease, others' come in.

    What was bumped or shared while Redis was away, or before it was emptied, is put there again.
    """

    def __init__(self, link: RedisLink, local: EmbeddedCoordination, flights: RedisFlights) -> None:
        super().__init__()
        self._link = link
        self._local = local
        self._flights = flights
        self.machine = local.machine_id()
        self._rows: tuple[float, dict[str, dict[str, bytes]]] = (0.0, {})
        self._owed: set[str] = set()
        self._strange: set[bytes] = set()
        self._owing = threading.Lock()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="coordination-sync", daemon=True)

    @property
    def process(self) -> str:
        """This process's name among all machines."""
        return self._name(self._local.slot)

    def start(self) -> None:
        """Exchange once, at most twice Redis's time-out, then go on in a thread."""
        self.once()
        self._thread.start()

    def close(self) -> None:
        """End the thread, and this process's rows."""
        self._end.set()
        if self._thread.ident is not None:
            self._thread.join()
        try:
            self._link.ask(scripts.LEAVE, ("rows", "leases"), self.process)
        except Away:
            return  # the lease ends by itself

    def owe(self, name: str) -> None:
        """An epoch was bumped that Redis has not heard of."""
        with self._owing:
            self._owed.add(name)

    def rows(self, table: str) -> dict[str, bytes]:
        """The rows of living processes on all machines, by `process`; other machines' are 2 s old at most."""
        found = {self._name(slot): row for slot, row in self._local.own_rows.all(table).items()}
        as_of, processes = self._rows
        if time.monotonic() - as_of < LEASE_SECONDS:
            for process, tables in processes.items():
                if table in tables and not process.startswith(f"{self.machine}:"):
                    found[process] = tables[table]
        return found

    def once(self) -> None:
        """One exchange. Raises nothing."""
        try:
            self._exchange()
        except Away:
            return
        except Exception as error:  # the thread must go on, whatever somebody put into Redis
            self._link.lost(error)

    def after_fork(self) -> None:
        self._owing = threading.Lock()

    def _run(self) -> None:
        due = time.monotonic()
        while not self._end.is_set():
            due = max(due + PERIOD_SECONDS, time.monotonic())
            if self._end.wait(due - time.monotonic()):
                return
            self.once()

    def _exchange(self) -> None:
        with self._owing:
            owed = frozenset(self._owed)
        epochs, documents = self._local.epochs.all(), self._local.documents.all()
        arguments: list[str | int | bytes] = [self.process, self.machine, int(LEASE_SECONDS * 1000)]
        arguments += [packed_rows(self._local.own_rows.own()), len(epochs)]
        for name, epoch in epochs.items():
            arguments += [name, epoch, int(name in owed)]
        arguments.append(len(documents))
        for name, document in documents.items():
            arguments += [name, stamp_of(document)]
        theirs, differing, wanted, rows = self._link.probe(scripts.SYNC, _SYNC_KEYS, *arguments)
        with self._owing:
            self._owed -= owed
        for key, value in _groups(theirs, 2):
            with self._entry(key):
                self._local.epochs.raise_to(key.decode(), int(value))
        for key, stamp, content in _groups(differing, 3):
            with self._entry(key):
                self._local.documents.merge(key.decode(), versioned_of(stamp, content))
        found = {}
        for key, packed in _groups(rows, 2):
            with self._entry(key):
                found[key.decode()] = unpacked_rows(packed)
        self._rows = time.monotonic(), found
        for key in wanted:
            self.give(key.decode(), documents[key.decode()], newest=False)
        self._flights.keep()

    def give(self, name: str, document: Versioned, *, newest: bool) -> None:
        """Put a document into Redis; `newest`: as the newest whatever version is there. Raises Away."""
        arguments = (name, document.version, kind_of(document), document.content, int(newest))
        version = self._link.ask(scripts.SHARE, ("stamps", "documents"), *arguments)
        if version is not None and int(version) != document.version:
            self._local.documents.merge(name, Versioned(int(version), document.there, document.content))

    @contextmanager
    def _entry(self, key: bytes) -> Iterator[None]:
        """Pass over an entry that is none of ours."""
        try:
            yield
        except ValueError as error:
            if key not in self._strange:
                self._strange.add(key)
                _log.warning("The entry %r in Redis is none of ours: %s", key, error)

    def _name(self, slot: int) -> str:
        return f"{self.machine}:{slot}"


def _groups(flat: Sequence[bytes], size: int) -> Iterator[tuple[bytes, ...]]:
    return zip(*[iter(flat)] * size, strict=True)
