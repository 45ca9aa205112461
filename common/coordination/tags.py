"""Epochs of any number of names, such as the tags of cached values: in a fixed space, by hash."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Protocol

from common.coordination.words import Words

TAG_WORDS = 65_536
_REMEMBERED = 16_384
_MOST_OWED = 100_000


class TagEpochs(Protocol):
    """How often each of any number of tags was bumped, at least: two tags may share a word.

    What was kept with `tag_epochs(tags)` is good as long as they are the same. Take them before loading what
    is to be kept: then an invalidation in between makes it void.
    """

    def tag_epochs(self, tags: Sequence[str]) -> tuple[int, ...]:
        """The present epochs, one for each tag, in order. They never go back."""
        ...

    def bump_tags(self, tags: Iterable[str]) -> None:
        """Begin new epochs, which all processes see at once."""
        ...


class MappedTagEpochs:
    """TagEpochs in a mapped file of 512 kB, for the processes of one machine; safe for threads and forks.

    While the file cannot be had (`Words.alone`) every answer is a new one, so that nothing kept is good: a
    process that does not see the invalidations of others must not keep anything. Its own are made up for
    when the file is there.
    """

    def __init__(self, path: Path) -> None:
        self._words = Words(path, TAG_WORDS)
        self._index = lru_cache(_REMEMBERED)(self._hashed)
        # Below every base and word: no file ever gives these.
        self._never = count(-1, -1)
        self._owed: set[str] = set()

    def tag_epochs(self, tags: Sequence[str]) -> tuple[int, ...]:
        """See TagEpochs."""
        if self._words.alone and not self._heal():
            return tuple(next(self._never) for _ in tags)
        base, view, index = self._words.base, self._words.view, self._index
        return tuple([base + view[index(tag)] for tag in tags])

    def bump_tags(self, tags: Iterable[str]) -> None:
        """See TagEpochs."""
        if self._words.alone and not self._heal():
            self._owe(tags)
            return
        indexes = {self._index(tag) for tag in tags}
        if indexes:
            self._bump(indexes)

    def close(self) -> None:
        """Let go of the file's lock."""
        self._words.close()

    def _heal(self) -> bool:
        if self._words.heal():
            self._index.cache_clear()  # the hash's key is the file's
            owed, self._owed = self._owed, set()
            self._bump(
                {self._index(tag) for tag in tuple(owed)} if len(owed) < _MOST_OWED else range(TAG_WORDS)
            )
        return not self._words.alone

    def _owe(self, tags: Iterable[str]) -> None:
        if len(self._owed) < _MOST_OWED:  # beyond it all words are bumped
            self._owed.update(tags)

    def _bump(self, indexes: Iterable[int]) -> None:
        with self._words.held():
            view = self._words.view
            for index in indexes:
                view[index] += 1

    def _hashed(self, tag: str) -> int:
        digest = hashlib.blake2b(tag.encode(), digest_size=4, key=self._words.key).digest()
        return int.from_bytes(digest, "little") % TAG_WORDS
