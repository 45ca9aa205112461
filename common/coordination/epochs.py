"""Epochs of a few fixed names: an exact word for each, and a directory of the names in the same file."""

from __future__ import annotations

import hashlib
import logging
import secrets
from pathlib import Path

from common.coordination.trouble import Trouble
from common.coordination.words import Words, boot_id

MOST_NAMES = 1024
LONGEST_NAME = 62
_ENTRY = 64  # length, name, padding

_log = logging.getLogger(__name__)


def check_name(name: str) -> None:
    """Raises ValueError for a name that cannot be kept."""
    if not 0 < len(name.encode()) <= LONGEST_NAME:
        raise ValueError(f"a name has 1 to {LONGEST_NAME} bytes, not {name[:80]!r}")


class Epochs:
    """Counters that all processes of the machine share; reading is a look-up and a bare read of the memory.

    Word 0 holds how many names there are; name i has word i. Names are only ever added, under the lock, and
    counted last, so that a reader never sees half of one.
    """

    def __init__(self, path: Path) -> None:
        self._words = Words(path, MOST_NAMES, extra=MOST_NAMES * _ENTRY)
        self._index: dict[str, int] = {}
        self._known = 0
        self._owed: set[str] = set()
        self._trouble = Trouble(_log, "the directory of epochs")

    def get(self, name: str) -> int:
        """How often `name` was bumped, and more after a crash of the machine."""
        index = self._index.get(name)
        if index is None:
            index = self._find(name)
        words = self._words
        return words.base + words.view[index] if index else 0

    def bump(self, name: str) -> int:
        """The next epoch. Raises ValueError for a name of over 62 bytes, and for the 1,024th."""
        self.heal()
        if self._words.alone:
            self._owed.add(name)
        return self._raise(name, None)

    def raise_to(self, name: str, epoch: int) -> None:
        """Make it at least `epoch`. Raises ValueError as `bump` does."""
        if self.get(name) < epoch:
            self._raise(name, epoch)

    def all(self) -> dict[str, int]:
        """Every name that was ever bumped, with its epoch."""
        with self._words.held():
            self._read_names()
        return {name: self.get(name) for name in tuple(self._index)}

    def heal(self) -> None:
        """Go over to the file if it could not be had before: its words are raised by what was bumped here."""
        if not self._words.alone:
            return
        own = self.all()
        if self._words.heal():
            self._index, self._known = {}, 0
            owed, self._owed = self._owed, set()
            for name in owed:
                self._raise(name, None)
            for name, epoch in own.items():
                self.raise_to(name, epoch)

    def file_id(self) -> str:
        """A random name of the file on this machine; this process's own while the file cannot be had."""
        if self._words.alone:
            return secrets.token_hex(8)
        # With the boot: machines made from one image have the same file.
        return hashlib.blake2b(self._words.key + boot_id(), digest_size=8).hexdigest()

    def close(self) -> None:
        """Let go of the file's lock."""
        self._words.close()

    def _raise(self, name: str, epoch: int | None) -> int:
        words = self._words
        with words.held():
            if name not in self._index:
                self._read_names()
            index = self._index.get(name) or self._add(name)
            present = words.base + words.view[index]
            raised = present + 1 if epoch is None else max(present, epoch)
            words.view[index] = raised - words.base
            return raised

    def _find(self, name: str) -> int:
        """The index of a name that another process may have added since; 0 when it was never bumped."""
        if self._words.view[0] != self._known:
            with self._words.held():  # whoever adds is done: on some machines stores arrive in another order
                self._read_names()
        return self._index.get(name, 0)

    def _read_names(self) -> None:
        count, extra = self._words.view[0], self._words.extra
        if count >= MOST_NAMES:
            self._trouble.on("it is damaged")
            return
        for index in range(self._known + 1, count + 1):
            entry = bytes(extra[index * _ENTRY : (index + 1) * _ENTRY])
            self._index[entry[1 : 1 + entry[0]].decode(errors="replace")] = index
        self._known = count

    def _add(self, name: str) -> int:
        check_name(name)
        encoded = name.encode()
        index = self._words.view[0] + 1
        if index >= MOST_NAMES:
            raise ValueError(f"there are {MOST_NAMES - 1} names already: {name!r} is one too many")
        self._words.extra[index * _ENTRY : (index + 1) * _ENTRY] = bytes([len(encoded)]) + encoded.ljust(
            _ENTRY - 1, b"\0"
        )
        self._words.view[0] = index
        self._index[name] = index
        return index
