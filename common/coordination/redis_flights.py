"""One caller of all machines does the work for a key: the first of its machine, and then of all."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time

from common.coordination import redis_scripts as scripts
from common.coordination.flights import Flights
from common.coordination.locks import ForkAware
from common.coordination.redis_link import Away, RedisLink

LEASE_SECONDS = 2.0
_LANDING_SECONDS = 60.0
_POLL_SECONDS = 0.01


class RedisFlights(ForkAware):
    """`join` and `leave`, as `Flights` has them; with Redis away they are those of the machine alone.

    A leader's lock in Redis is leased, and renewed as long as its process lives (`keep`); so a dead leader on
    another machine is followed within 2 s. A landing leaves a token; who waits for another machine and sees a
    new one goes without the work, who gets the lock without one leads.
    """

    def __init__(self, link: RedisLink, local: Flights) -> None:
        super().__init__()
        self._link = link
        self._local = local
        self._leading: dict[str, tuple[list[str], str]] = {}
        self._guard = threading.Lock()

    def join(self, key: str, wait_seconds: float) -> bool:
        """Whether the caller leads; if not, a leader has left, or the time is up. Raises nothing."""
        deadline = time.monotonic() + wait_seconds
        if not self._local.join(key, wait_seconds):
            return False
        leads = landed = False
        try:
            leads, landed = self._against_machines(key, deadline)
        except Away:
            leads = True
        finally:
            if not leads:
                self._local.leave(key, landed=landed)
        return leads

    def leave(self, key: str) -> None:
        """The leader is done."""
        with self._guard:
            keys, token = self._leading.pop(key, ([], ""))
        if token:
            self._land(keys, token, landed=True)
        self._local.leave(key)

    def keep(self) -> None:
        """Renew the leases of this process's leaders. Raises Away."""
        with self._guard:
            leading = list(self._leading.values())
        if leading:
            locks = [keys[0] for keys, _ in leading]
            tokens = [token for _, token in leading]
            self._link.ask(scripts.KEEP_FLYING, locks, int(LEASE_SECONDS * 1000), *tokens)

    def after_fork(self) -> None:
        self._guard = threading.Lock()
        self._leading = {}

    def _against_machines(self, key: str, deadline: float) -> tuple[bool, bool]:
        """Whether we lead, and whether another machine landed. Raises Away."""
        digest = hashlib.blake2b(key.encode(), digest_size=16).hexdigest()
        keys, token = [f"flight:{digest}", f"landing:{digest}"], secrets.token_hex(8)
        first = None
        while True:
            taken, landing = self._link.ask(scripts.TAKE_OFF, keys, token, int(LEASE_SECONDS * 1000))
            first = landing if first is None else first
            landed = bool(landing) and landing != first
            if taken and not landed:
                with self._guard:
                    self._leading[key] = (keys, token)
                return True, False
            if taken:
                self._land(keys, token, landed=False)
            if landed or time.monotonic() >= deadline:
                return False, landed
            time.sleep(_POLL_SECONDS)

    def _land(self, keys: list[str], token: str, *, landed: bool) -> None:
        try:
            self._link.ask(scripts.LAND, keys, token, int(_LANDING_SECONDS * 1000), int(landed))
        except Away:
            return  # the lease ends by itself
