"""What a cache asks of that which carries its values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol

from common.caching.entries import Entry, Place


class CacheAway(Exception):
    """The carrier cannot be asked now: go to the source."""


class Found(NamedTuple):
    """`entry`: what is kept and still valid. `capture`: the generations as they are now, to be handed to
    `keep` after a load that begins after this; None: what is loaded cannot be kept.
    """

    entry: Entry | None
    capture: Any


class Backend(Protocol):
    """Carries entries. Safe for threads. Verbs that do I/O raise CacheAway, after one time-out at most."""

    @property
    def kind(self) -> Literal["embedded", "redis"]: ...

    @property
    def usable(self) -> bool:
        """False: it was found away, and has to be mended before it is asked again."""
        ...

    @property
    def away(self) -> bool:
        """True: it did not answer when it was asked last."""
        ...

    def look(self, place: Place) -> Found:
        """What is kept at `place`, in one round trip; `capture` may be None."""
        ...

    def look_to_load(self, place: Place) -> Found:
        """`look` by one who will load: the generations that are missing are begun, so that `capture` is
        there if it can be.
        """
        ...

    def keep(self, place: Place, entry: Entry, capture: Any) -> bool:
        """Keep what was loaded (its stamp is set here), unless a generation has changed since `capture`;
        whether it was kept.
        """
        ...

    def remove(self, place: Place) -> bool:
        """Whether there was an entry, which is no more."""
        ...

    def invalidate(self, tags: Sequence[str]) -> None:
        """End all entries that carry one of `tags`. When it raises CacheAway the carrier is not used again
        before everything in it has been ended.
        """
        ...

    def flush(self, region: str | None) -> None:
        """End all entries, or those of `region`, at once. A failure is made up for as with `invalidate`."""
        ...

    def flush_matching(self, pattern: str) -> None:
        """End the entries whose `region:key` matches `pattern`, in which * and ? are wild. A failure is made
        up for as with `invalidate`.
        """
        ...

    def distrust(self) -> None:
        """An invalidation was lost somewhere: nothing kept until now may be served."""
        ...

    def probe(self) -> None:
        """Find out whether it can be used, and tidy up; called now and then while it can."""
        ...

    def mend(self) -> None:
        """When it was away and is back: end what may be stale, then let it be used."""
        ...

    def entries(self) -> Mapping[str, int]:
        """How many entries each region has, about."""
        ...

    def close(self) -> None: ...
