"""Reads through a cache: single flight, old values while one reloads, and no harm when the cache is away."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import Any, Literal, NamedTuple

from common.caching.backends.port import Backend, CacheAway, Found
from common.caching.carrier import Carrier, Guard
from common.caching.entries import ABSENT, Entry, Loaded, Place
from common.caching.flights import LocalFlights
from common.caching.regions import Region
from common.caching.statistics import Record, Statistics, overall_rate, summed
from common.caching.values import JSON_OR_BYTES, Codec, UnreadableValue
from common.clock import Clock, system_clock
from common.coordination.port import Coordination

TABLE = "cache"
PUBLISH_SECONDS = 0.5
ROUNDS = 3
# Who leads a flight at once has waited for nobody; longer than this, and it was a Redis that does not answer.
PROMPT_SECONDS = 0.15
_NOTHING = object()

_log = logging.getLogger(__name__)


class Looked(NamedTuple):
    """What a look into the cache gave. `value`: where it is fresh or old."""

    place: Place
    state: Literal["fresh", "old", "nothing", "away"]
    value: Any


class Caches:
    """The cache of one process. Make it after the fork.

    Args:
        backend: carries the values.
        coordination: of the same processes.
        regions: those that there are.
        guard: stands before every call of a backend over the network.
        record: told (region, result) of each read, for metrics.
        wait_seconds: the longest that a caller waits for another that loads the same.
    """

    def __init__(
        self,
        backend: Backend,
        coordination: Coordination,
        regions: Iterable[Region],
        *,
        guard: Guard | None = None,
        clock: Clock = system_clock,
        record: Record | None = None,
        wait_seconds: float = 5.0,
    ) -> None:
        self.backend = backend
        self.regions = {region.name: region for region in regions}
        self._coordination = coordination
        self._carrier = Carrier(backend, coordination, guard)
        self.use_clock(clock)
        self._wait = wait_seconds
        self._statistics = Statistics(self.regions, record)
        self._alone = LocalFlights()
        self._publish_at = 0.0

    def use_clock(self, clock: Clock) -> None:
        """Whose time decides what is fresh."""
        self._clock = clock
        # The system's clock cuts to milliseconds, which takes its time.
        self._now = time.time if clock is system_clock else lambda: clock().timestamp()

    def start(self) -> None:
        """Publish statistics and look after the backend in a thread of its own, from now on."""
        self._carrier.start(self._publish_changes)

    def close(self) -> None:
        """End the thread and let go of the backend."""
        self._carrier.close()

    def read(
        self,
        region: str,
        key: str,
        tags: Iterable[str],
        load: Callable[[], Any],
        *,
        codec: Codec = JSON_OR_BYTES,
        looked: Looked | None = None,
    ) -> Any:
        """The value of `key`: as kept, else as `load` gives it, in the form in which it would be kept.

        `load` returns the value (JSON or bytes), `Loaded` with more about it, or ABSENT, which is kept for a
        short while and returned as it is. Raises what `load` raises, which is never kept, unless there is an
        old value to give instead. Raises KeyError for an unknown region. `looked`: what `look` has just given
        for this place, which is then not looked for again.
        """
        read = _Read(self.regions[region], Place(region, key, tuple(tags)), load, codec)
        if looked is None or looked.place != read.place:
            looked = self.look(read.place, codec)
        if looked.state == "fresh":
            return looked.value
        if looked.state == "away":
            return self._without(read)
        if looked.state == "nothing":
            return self._missed(read)
        return self._refreshed(read, looked.value)

    def look(self, place: Place, codec: Codec = JSON_OR_BYTES) -> Looked:
        """What is kept at `place`, without loading anything; a fresh value counts as a hit. Never raises."""
        try:
            entry = self._carrier.ask(partial(self.backend.look, place)).entry
        except CacheAway:
            return Looked(place, "away", None)
        if entry is None or (now := self._now()) >= entry.life.dead_at:
            return Looked(place, "nothing", None)
        try:
            value = _value(entry, codec)
        except UnreadableValue:
            return Looked(place, "nothing", None)
        if now >= entry.life.fresh_until:
            return Looked(place, "old", value)
        self._statistics.count(place.region, "hit")
        return Looked(place, "fresh", value)

    def invalidate(self, tags: Iterable[str]) -> None:
        """End every entry that carries one of `tags`. Call it when the change is committed; never raises for
        the carrier's sake, and never loses what the carrier did not take.
        """
        wanted = tuple(tags)
        self._carrier.tell(lambda: self.backend.invalidate(wanted))

    def flush(self, region: str | None = None, pattern: str | None = None) -> None:
        """End the entries of `region`, or those whose `region:key` matches `pattern` (* and ? are wild), or
        all. Raises KeyError for an unknown region, ValueError for both.
        """
        if region is not None and pattern is not None:
            raise ValueError("a region or a pattern, not both")
        if region is not None and region not in self.regions:
            raise KeyError(region)
        whole = region if pattern is None else pattern.removesuffix(":*")
        if pattern is not None and pattern != "*" and whole not in self.regions:
            self._carrier.tell(lambda: self.backend.flush_matching(pattern))
        else:
            self._carrier.tell(lambda: self.backend.flush(None if pattern == "*" else whole))

    def stats(self) -> dict[str, Any]:
        """The document of `cache/stats`, over all processes."""
        self._publish()
        regions = summed(self._coordination.rows(TABLE).values(), self.regions)
        entries: dict[str, int] = {}
        with suppress(CacheAway):
            entries = dict(self._carrier.ask(self.backend.entries))
        for name, counts in regions.items():
            counts["entries"] = entries.get(name, 0)
            counts["ttlSeconds"] = self.regions[name].ttl_seconds
        return {
            "timestamp": self._clock().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "cache": {
                "connected": self.backend.usable,
                "backend": self.backend.kind,
                "totalKeys": sum(entries.values()),
                "hitRate": overall_rate(regions.values()),
                "regions": regions,
            },
        }

    # --- a read, step by step

    def _missed(self, read: _Read) -> Any:
        """Nothing usable is kept: one caller loads, the others wait for what he keeps."""
        deadline = time.monotonic() + self._wait
        for _ in range(ROUNDS):
            began = time.monotonic()
            with self._coordination.flight(read.name, max(0.0, deadline - began)) as leads:
                if leads:
                    return self._led(read, since=began)
            try:
                entry = self._carrier.ask(lambda: self.backend.look(read.place)).entry
            except CacheAway:
                return self._without(read)
            value = self._fresh(entry, read)
            if value is not _NOTHING:
                return value
            if time.monotonic() >= deadline:
                break
        return self._led(read, since=time.monotonic())

    def _refreshed(self, read: _Read, old: Any) -> Any:
        """An old value is kept: one caller reloads, the others take the old one, and he too if it fails."""
        began = time.monotonic()
        with self._coordination.flight(read.name, 0.0) as leads:
            if leads:
                try:
                    return self._led(read, since=began)
                except Exception as error:
                    facts = {"region": read.region.name}
                    _log.warning("an old value is given, loading failed: %s", error, extra=facts)
        self._statistics.count(read.region.name, "stale")
        return old

    def _led(self, read: _Read, *, since: float) -> Any:
        """Load and keep, unless another has meanwhile. `since`: when this caller asked for the lead."""
        found = Found(None, None)
        if self._coordination.kind == "embedded" or time.monotonic() - since < PROMPT_SECONDS:
            try:
                found = self._carrier.ask(lambda: self.backend.look_to_load(read.place))
            except CacheAway:
                self._statistics.count(read.region.name, "error")
        value = self._fresh(found.entry, read)
        if value is not _NOTHING:
            return value
        made = self._made(read)
        self._statistics.count(read.region.name, "miss")
        entry = made.entry
        if entry is not None and found.capture is not None and entry.life.dead_at > self._now():
            try:
                self._carrier.ask(lambda: self.backend.keep(read.place, entry, found.capture))
            except CacheAway:
                self._statistics.count(read.region.name, "error")
        return made.value(read.codec)

    def _without(self, read: _Read) -> Any:
        """The carrier is away: the source answers, at most one call at a time for a key in this process."""
        self._statistics.count(read.region.name, "error")
        made, own = self._alone.run(read.name, lambda: self._made(read), self._wait)
        if made.entry is None and not own:
            made = self._made(read)  # what is not to be kept is not to be shared either
        self._statistics.count(read.region.name, "miss")
        return made.value(read.codec)

    def _made(self, read: _Read) -> _Made:
        """What the loader gives. Raises what it raises."""
        now = self._now()
        self._statistics.count(read.region.name, "load")
        try:
            loaded = read.load()
        except Exception:
            self._statistics.count(read.region.name, "error")
            raise
        if not isinstance(loaded, Loaded):
            loaded = Loaded(value=loaded)
        absent = loaded.value is ABSENT
        if not loaded.keep:
            return _Made(None, loaded.value)
        until = None if loaded.fresh_until is None else loaded.fresh_until.timestamp()
        life = read.region.life(now, fresh_until=until, absent=absent)
        entry = Entry(b"", life, absent, b"" if absent else read.codec.dumps(loaded.value))
        if read.codec.shareable:
            entry.decoded = loaded.value
        return _Made(entry, None)

    def _fresh(self, entry: Entry | None, read: _Read) -> Any:
        if entry is None or self._now() >= entry.life.fresh_until:
            return _NOTHING
        try:
            value = _value(entry, read.codec)
        except UnreadableValue:
            return _NOTHING
        self._statistics.count(read.region.name, "hit")
        return value

    def _publish_changes(self) -> None:
        if time.monotonic() >= self._publish_at:
            self._publish_at = time.monotonic() + PUBLISH_SECONDS
            self._publish(only_changed=True)

    def _publish(self, *, only_changed: bool = False) -> None:
        row = self._statistics.row(only_changed=only_changed)
        if row is not None:
            self._coordination.publish(TABLE, row)


class _Read:
    """One read's facts."""

    __slots__ = ("codec", "load", "place", "region")

    def __init__(self, region: Region, place: Place, load: Callable[[], Any], codec: Codec) -> None:
        self.region, self.place, self.load, self.codec = region, place, load, codec

    @property
    def name(self) -> str:
        return f"cache:{self.place.region}:{self.place.key}"


class _Made:
    """What a loader gave: as an entry to keep, or a value to hand on."""

    __slots__ = ("_raw", "entry")

    def __init__(self, entry: Entry | None, raw: Any) -> None:
        self.entry, self._raw = entry, raw

    def value(self, codec: Codec) -> Any:
        """The value, the caller's own where it could be changed."""
        return self._raw if self.entry is None else _value(self.entry, codec)


def _value(entry: Entry, codec: Codec) -> Any:
    """Raises UnreadableValue."""
    if entry.absent:
        return ABSENT
    if not codec.shareable:
        return codec.loads(entry.body)
    if entry.decoded is None:
        entry.decoded = codec.loads(entry.body)
    return entry.decoded
