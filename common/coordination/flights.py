"""One of many callers does the work for a key, the others wait for it: threads first, then processes."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from common.coordination.locks import POLL_SECONDS, ForkAware, KeyLocks
from common.coordination.trouble import Trouble
from common.coordination.words import Words

_WORDS = 65_536

_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Key:
    """What the threads of this process know of one key, while any of them wants it."""

    users: int = 0
    busy: bool = False  # a thread leads, or waits for another process on behalf of all
    landed: int = 0  # how often the work was done since
    changed: threading.Condition = field(default_factory=threading.Condition)


class Flights(ForkAware):
    """`join` a flight, and `leave` it when `join` said that one leads.

    Among processes the leader holds a lock for the key (KeyLocks). Each key also has a word, by hash, that a
    leader sets to a new value when it leaves, before it unlocks. Who waits has looked at the word first: when
    it has changed the work was done; when the lock can be had and the word is the same the leader died
    without doing it, and the one that got the lock leads. (Were a leader to die while another key with the
    same word, one of 65,536, lands, a waiting caller would go without the work being done.)
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._locks = KeyLocks(folder / "flights.lock")
        self._words = Words(folder / "flights", _WORDS)
        self._keys: dict[str, _Key] = {}
        self._guard = threading.Lock()
        self._trouble = Trouble(_log, "the lock of flights")

    def join(self, key: str, wait_seconds: float) -> bool:
        """Whether the caller leads; if not, a leader has left, or the time is up. Raises nothing."""
        deadline = time.monotonic() + wait_seconds
        self._words.heal()
        word = _word(key)
        seen = self._words.view[word]
        with self._guard:
            known = self._keys.setdefault(key, _Key())
            known.users += 1
        if not self._is_first(known, deadline):
            self._drop(key, known)
            return False
        leads = landed = False
        try:
            leads, landed = self._against_processes(key, word, seen, deadline)
        finally:
            if not leads:
                self._next(key, known, landed=landed)
        return leads

    def leave(self, key: str, *, landed: bool = True) -> None:
        """The leader is done; with `landed` false the next that waits leads."""
        known = self._keys.get(key)
        if known is None:
            return  # in a child that was forked inside
        try:
            if landed:
                self._words.view[_word(key)] = time.monotonic_ns()
            self._locks.release(key)
        except OSError as error:
            self._trouble.on(error)
        self._next(key, known, landed=landed)

    def close(self) -> None:
        """Let go of everything."""
        self._locks.close()
        self._words.close()

    def after_fork(self) -> None:
        self._keys = {}
        self._guard = threading.Lock()

    def _is_first(self, known: _Key, deadline: float) -> bool:
        """Wait among the threads; whether this one goes on for all of them (else: landed, or out of time)."""
        with known.changed:
            before = known.landed
            known.changed.wait_for(
                lambda: known.landed != before or not known.busy, max(0.0, deadline - time.monotonic())
            )
            if known.landed != before or known.busy:
                return False
            known.busy = True
            return True

    def _against_processes(self, key: str, word: int, seen: int, deadline: float) -> tuple[bool, bool]:
        """Whether we lead, and whether another process landed."""
        view = self._words.view
        try:
            while view[word] == seen:
                if self._locks.try_acquire(key):
                    if view[word] == seen:
                        return True, False
                    self._locks.release(key)  # landed between our look and our lock
                    break
                if time.monotonic() >= deadline:
                    return False, False
                time.sleep(POLL_SECONDS)
        except OSError as error:
            self._trouble.on(error)
            return True, False
        return False, True

    def _next(self, key: str, known: _Key, *, landed: bool) -> None:
        with known.changed:
            known.busy = False
            known.landed += landed
            known.changed.notify_all()
        self._drop(key, known)

    def _drop(self, key: str, known: _Key) -> None:
        with self._guard:
            known.users -= 1
            if not known.users and self._keys.get(key) is known:
                del self._keys[key]


def _word(key: str) -> int:
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=2).digest(), "little")
