"""Cached values in Redis: over all machines of a service."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any, Literal, TypeVar

from flask_caching.backends.rediscache import RedisCache
from redis.exceptions import OutOfMemoryError, RedisError

from common.caching.backends.plain import PLAIN, PlainVerbs
from common.caching.backends.port import CacheAway, Found
from common.caching.backends.redis_scripts import KEEP, LOOK_TO_LOAD, MEND
from common.caching.entries import Entry, Place, unpack
from common.caching.values import PlainSerializer
from common.clock import Clock, system_clock
from common.redis_options import RedisOptions

T = TypeVar("T")

_SCAN_COUNT = 500
_COUNT_ROUNDS = 200
_TOKEN_BYTES = 8
# Redis frees a value about when it ends by its own clock; the entry's own times decide.
_GRACE_SECONDS = 1.0


class RedisBackend(PlainVerbs, RedisCache):
    """See `Backend`. Makes no connection before it is asked; make it, or ask it first, after the fork.

    Args:
        options: the server.
        service: the first part of every key, as in `ticketing:cache:...`.
        tag_seconds: how long a tag's generation outlives the last entry that was kept with it; at least the
            longest life of an entry, which ends with it.
    """

    kind: Literal["redis"] = "redis"
    serializer: Any = PlainSerializer()

    def __init__(
        self,
        options: RedisOptions,
        service: str,
        *,
        tag_seconds: float = 2 * 86_400,
        default_timeout: int = 300,
        clock: Clock = system_clock,
    ) -> None:
        # The library's types do not know that without decoding every answer is bytes.
        self._client: Any = options.client()
        # The library waits for no further answer when it connects; this one tells a restart.
        self._client.connection_pool.connection_kwargs["redis_connect_func"] = self._connected
        self.use_clock(clock)
        prefix = f"{service}:cache:"
        RedisCache.__init__(self, self._client, default_timeout=default_timeout, key_prefix=prefix)
        self._all, self._patterns = f"{prefix}all", f"{prefix}patterns"
        self._region, self._tag, self._value = f"{prefix}region:", f"{prefix}tag:", f"{prefix}value:"
        self._probe = f"{prefix}probe"
        self._tag_milliseconds = int(tag_seconds * 1000)
        self._run = b""
        self._seen_all = b""
        self._state = threading.Lock()
        self._lost = 0
        self._away = False

    @property
    def usable(self) -> bool:
        """See Backend."""
        return not self._away and not self._lost

    @property
    def away(self) -> bool:
        """See Backend."""
        return self._away

    def look(self, place: Place) -> Found:
        """See Backend."""
        names = self._names(place)
        return self._found(self._asked(lambda: self._client.mget(names)))

    def look_to_load(self, place: Place) -> Found:
        """See Backend."""
        names, token = self._names(place), os.urandom(_TOKEN_BYTES)

        def ask() -> Any:
            if not self._run:
                self._client.ping()  # the first connection says which run of the server it is
            arguments = (self._run, token, self._tag_milliseconds)
            return self._client.eval(LOOK_TO_LOAD, len(names), *names, *arguments)

        try:
            return self._found(self._asked(ask))
        except OutOfMemoryError:
            return self.look(place)

    def keep(self, place: Place, entry: Entry, capture: Any) -> bool:
        """See Backend."""
        milliseconds = int((entry.life.dead_at - self.now() + _GRACE_SECONDS) * 1000)
        if milliseconds <= 0:
            return False
        entry.stamp = _stamp(capture)
        names = self._names(place)
        arguments = (*capture, entry.pack(), milliseconds, self._tag_milliseconds)
        try:
            return bool(self._asked(lambda: self._client.eval(KEEP, len(names), *names, *arguments)))
        except OutOfMemoryError:
            return False

    def remove(self, place: Place) -> bool:
        """See Backend."""
        return bool(self._asked(lambda: self._client.unlink(self._names(place)[-1])))

    def invalidate(self, tags: Sequence[str]) -> None:
        """See Backend."""
        if tags:
            self._ended([self._tag + tag for tag in tags])

    def flush(self, region: str | None) -> None:
        """See Backend. The memory is freed behind it."""
        self._ended([self._all if region is None else self._region + region])
        # The entries are void already: what cannot be removed now ends by its time.
        self._asked(lambda: self._unlink_all("*" if region is None else f"{region}:*"))

    def flush_matching(self, pattern: str) -> None:
        """See Backend. Loads that are under way are not kept, whatever their key."""
        self._ended([self._patterns])
        self._or_lost(lambda: self._unlink_all(pattern))

    def distrust(self) -> None:
        """See Backend."""
        with self._state:
            self._lost += 1

    def probe(self) -> None:
        """See Backend. Writes, for a replica can be read; removes, for a full server can do that."""
        self._asked(lambda: self._client.unlink(self._probe))

    def mend(self) -> None:
        """See Backend."""
        lost = self._lost
        state = "lost" if lost else "known"

        def ask() -> Any:
            return self._client.eval(MEND, 2, self._all, self._probe, self._seen_all, state)

        self._asked(ask)
        with self._state:
            self._away = False
            if self._lost == lost:  # else one more was lost meanwhile
                self._lost = 0

    def entries(self) -> Mapping[str, int]:
        """See Backend. Counts by SCAN, and no further than a hundred thousand keys of the database."""
        counts: dict[str, int] = {}

        def count() -> None:
            for number, names in enumerate(self._scanned("*")):
                for name in names:
                    region = name[len(self._value) :].partition(b":")[0].decode(errors="replace")
                    counts[region] = counts.get(region, 0) + 1
                if number >= _COUNT_ROUNDS:
                    return

        self._asked(count)
        counts.pop(PLAIN, None)
        return counts

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _names(self, place: Place) -> list[str]:
        tags = [self._tag + tag for tag in place.tags]
        value = f"{self._value}{place.region}:{place.key}"
        return [self._all, self._patterns, self._region + place.region, *tags, value]

    def _found(self, answer: Sequence[bytes | None]) -> Found:
        *tokens, packed = answer
        capture = [token for token in tokens if token is not None]
        if len(capture) != len(tokens) or not self._run or not capture[0].startswith(self._run):
            return Found(None, None)
        self._seen_all = capture[0]
        entry = None if packed is None else unpack(packed)
        return Found(entry if entry is not None and entry.stamp == _stamp(capture) else None, capture)

    def _asked(self, ask: Callable[[], T]) -> T:
        """The answer. Raises CacheAway, and OutOfMemoryError, with which a server can still be read."""
        try:
            return ask()
        except OutOfMemoryError:
            raise
        except (RedisError, OSError) as error:
            self._away = True
            raise CacheAway(str(error)) from error

    def _ended(self, names: Sequence[str]) -> None:
        self._or_lost(lambda: self._client.unlink(*names))

    def _or_lost(self, ask: Callable[[], Any]) -> None:
        try:
            self._asked(ask)
        except CacheAway:
            self.distrust()
            raise

    def _scanned(self, pattern: str) -> Iterator[list[bytes]]:
        cursor, match = 0, self._value + _escaped(pattern)
        while True:
            cursor, names = self._client.scan(cursor, match=match, count=_SCAN_COUNT)
            yield names
            if cursor == 0:
                return

    def _unlink_all(self, pattern: str) -> None:
        for names in self._scanned(pattern):
            if names:
                self._client.unlink(*names)

    def _connected(self, connection: Any) -> None:
        """A new connection: notes which run of which server it leads to."""
        connection.on_connect()
        connection.send_command("INFO", "server")
        text = connection.read_response()
        run = bytes(text).partition(b"run_id:")[2].partition(b"\r")[0]
        self._run = blake2b(run, digest_size=_TOKEN_BYTES).digest()


def _stamp(capture: Sequence[bytes]) -> bytes:
    """The generations that an entry depends on: all but that of patterns, which are unlinked."""
    return capture[0] + b"".join(capture[2:])


def _escaped(pattern: str) -> str:
    """For Redis only * and ? are left wild."""
    return "".join(f"\\{character}" if character in "[]\\^-" else character for character in pattern)
