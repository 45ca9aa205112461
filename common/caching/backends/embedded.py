"""Cached values without a server: SQLite in a folder that processes share, and memory before it."""

from __future__ import annotations

import struct
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol
from zlib import crc32

from common.caching.backends.level import Level
from common.caching.backends.plain import PLAIN, PlainVerbs
from common.caching.backends.port import Found
from common.caching.backends.value_file import ValueFile
from common.caching.entries import Entry, Place, unpack
from common.clock import Clock, system_clock
from common.coordination.tags import TagEpochs

FLUSH = "cache.flush"
_PATTERNS, _FILE, _REGION = "cache.patterns", "cache.file", "cache.region."
_TIDY_SECONDS = 60.0


class Epochs(TagEpochs, Protocol):
    """What is needed of the coordination of a machine's processes: see Coordination and TagEpochs."""

    def epoch(self, name: str) -> int: ...

    def bump(self, name: str) -> int: ...


class EmbeddedBackend(PlainVerbs):
    """See `Backend`. Never away: without its file it keeps what fits into memory. Opens the file when asked.

    Args:
        folder: for its file alone; on a local disk.
        epochs: shared by the processes that share `folder`.
        limit_bytes: the largest size of the file. level_bytes, level_entries: of each process's memory.
    """

    kind: Literal["embedded"] = "embedded"
    usable = True
    away = False

    def __init__(
        self,
        folder: Path,
        epochs: Epochs,
        *,
        limit_bytes: int = 256_000_000,
        level_bytes: int = 16_000_000,
        level_entries: int = 8_192,
        default_timeout: int = 300,
        clock: Clock = system_clock,
    ) -> None:
        super().__init__(default_timeout)
        self.use_clock(clock)
        self._epochs = epochs
        self._level = Level(limit_bytes=level_bytes, limit_entries=level_entries)
        self._file = ValueFile(
            folder,
            number=lambda: epochs.epoch(_FILE),
            advance=lambda: epochs.bump(_FILE),
            limit_bytes=limit_bytes,
        )
        self._tidy_at = time.monotonic() + _TIDY_SECONDS

    def look(self, place: Place) -> Found:
        """See Backend."""
        patterns = self._epochs.epoch(_PATTERNS)
        stamp = self._stamp(place)
        name = f"{place.region}:{place.key}"
        entry = self._level.get(name)
        if entry is not None and (entry.stamp != stamp or entry.seen != patterns):
            entry = None
        if entry is None or entry.life.fresh_until <= self.now():
            # Another process may have loaded it meanwhile.
            entry = self._read(name, stamp, patterns) or entry
        return Found(entry, (patterns, stamp))

    look_to_load = look

    def keep(self, place: Place, entry: Entry, capture: Any) -> bool:
        """See Backend."""
        entry.seen, entry.stamp = capture
        name = f"{place.region}:{place.key}"

        def unchanged() -> bool:
            return (entry.seen, entry.stamp) == (self._epochs.epoch(_PATTERNS), self._stamp(place))

        if not unchanged():
            return False
        # Without a file it is kept in memory alone.
        self._file.put(name, place.region, entry.life.dead_at, entry.pack(), unchanged)
        self._level.put(name, entry)
        return True

    def remove(self, place: Place) -> bool:
        """See Backend."""
        found = self.look(place).entry is not None
        name = f"{place.region}:{place.key}"
        self._end("key = ?", name)
        return found

    def invalidate(self, tags: Sequence[str]) -> None:
        """See Backend."""
        self._epochs.bump_tags(tags)

    def flush(self, region: str | None) -> None:
        """See Backend."""
        if region is None:
            self._epochs.bump(FLUSH)
            self._file.remove("true")
        else:
            self._epochs.bump(_REGION + region)
            self._file.remove("region = ?", region)

    def flush_matching(self, pattern: str) -> None:
        """See Backend. Every process forgets all that it has in memory."""
        self._end("key GLOB ?", pattern.replace("[", "[[]"))

    def distrust(self) -> None:
        """See Backend: what was lost was a bump of the same words."""
        self._epochs.bump(FLUSH)

    def probe(self) -> None:
        """See Backend."""
        if time.monotonic() >= self._tidy_at:
            self._tidy_at = time.monotonic() + _TIDY_SECONDS
            self._file.remove("dead_at <= ?", self.now())

    def mend(self) -> None:
        """See Backend: it is never away."""

    def entries(self) -> Mapping[str, int]:
        """See Backend."""
        counts = dict(self._file.counts(self.now()))
        counts.pop(PLAIN, None)
        return counts

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _end(self, condition: str, value: str) -> None:
        # Before: no load that is under way is kept. After: what memory took from the file meanwhile is void.
        self._epochs.bump(_PATTERNS)
        if not self._file.remove(condition, value):
            self._epochs.bump(FLUSH)  # better too much than too little
        self._epochs.bump(_PATTERNS)

    def _read(self, name: str, stamp: bytes, patterns: int) -> Entry | None:
        packed = self._file.get(name)
        entry = None if packed is None else unpack(packed)
        if entry is None or entry.stamp != stamp:
            return None
        entry.seen = patterns
        self._level.put(name, entry)
        return entry

    def _stamp(self, place: Place) -> bytes:
        """The generations that an entry depends on, and which they are the generations of."""
        region, _, tags = place
        epochs = self._epochs
        generations = epochs.tag_epochs(tags)
        return struct.pack(
            f"<I{len(tags) + 2}q",
            crc32("\0".join(tags).encode()),
            epochs.epoch(FLUSH),
            epochs.epoch(_REGION + region),
            *generations,
        )
