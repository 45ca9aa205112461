"""Documents that all processes of the machine read: a file each, re-read only when its epoch moved."""

from __future__ import annotations

import contextlib
import logging
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from common.coordination import files
from common.coordination.epochs import Epochs, check_name
from common.coordination.locks import FileLock, ForkAware
from common.coordination.trouble import Trouble

_HEAD = struct.Struct("<Q?")  # version, whether there is a document
_LOCK_SECONDS = 1.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Versioned:
    """A document, or with `there` false its removal. The greater version stands, wherever it meets another:
    milliseconds since 1970, and more than any version seen before.
    """

    version: int = 0
    there: bool = False
    content: bytes = b""

    @property
    def document(self) -> bytes | None:
        """What was shared."""
        return self.content if self.there else None


def _unpacked(packed: bytes | None) -> Versioned:
    if packed is None or len(packed) < _HEAD.size:
        return Versioned()
    version, there = _HEAD.unpack_from(packed)
    return Versioned(version, there, packed[_HEAD.size :])


class Documents(ForkAware):
    """Documents by name. One that cannot be written to the disk is seen by this process alone."""

    def __init__(self, folder: Path, epochs: Epochs) -> None:
        """`epochs`, for these alone, tell what changed: so reading a document costs no look at the disk."""
        super().__init__()
        self._folder = folder
        self._epochs = epochs
        self._lock = FileLock(folder / ".lock")
        self._threads = threading.RLock()
        self._read: dict[str, tuple[int, Versioned]] = {}
        self._trouble = Trouble(_log, f"the folder of shared documents {folder}")

    def share(self, name: str, document: bytes | None) -> Versioned:
        """Set (None: remove) a document. Raises ValueError beyond 64 kB and for a name of over 62 bytes."""
        files.check_size(document or b"")
        check_name(name)
        with self._held():
            version = max(time.time_ns() // 1_000_000, self._on_disk(name).version + 1)
            return self._put(name, Versioned(version, document is not None, document or b""))

    def merge(self, name: str, other: Versioned) -> None:
        """Take what was shared elsewhere, unless what is here is greater."""
        with self._held():
            here = self._on_disk(name)
            if other.version >= here.version and other != here:
                self._put(name, other)

    def get(self, name: str) -> Versioned:
        """What was shared last."""
        epoch = self._epochs.get(name)
        known = self._read.get(name)
        if known is not None and known[0] == epoch:
            return known[1]
        # The epoch was taken first: a document that is newer than it is merely read once more.
        found = self._on_disk(name)
        self._read[name] = (epoch, found)
        return found

    def all(self) -> dict[str, Versioned]:
        """Every document that was ever shared, removed ones included."""
        names = set(self._read)
        with contextlib.suppress(OSError):
            names.update(files.name_of(each.name) for each in self._folder.iterdir() if each.name[0] != ".")
        return {name: self.get(name) for name in names}

    def heal(self) -> None:
        """Try to go over to the files if they could not be had."""
        self._epochs.heal()

    def close(self) -> None:
        """Let go of the files."""
        self._lock.close()
        self._epochs.close()

    def after_fork(self) -> None:
        self._threads = threading.RLock()

    def _put(self, name: str, document: Versioned) -> Versioned:
        packed = _HEAD.pack(document.version, document.there) + document.content
        try:
            files.replace(self._folder / files.file_name(name), packed, durable=True)
            self._trouble.off()
        except OSError as error:
            self._trouble.on(error)
        epoch = self._epochs.bump(name)
        self._read[name] = (epoch, document)
        return document

    def _on_disk(self, name: str) -> Versioned:
        own = self._read.get(name, (0, Versioned()))[1]
        try:
            found = _unpacked(files.read(self._folder / files.file_name(name)))
        except OSError as error:
            self._trouble.on(error)
            return own
        return found if found.version >= own.version else own

    @contextlib.contextmanager
    def _held(self) -> Iterator[None]:
        with self._threads:
            got = False
            try:
                got = self._lock.acquire(_LOCK_SECONDS)
            except OSError as error:
                self._trouble.on(error)
            try:
                yield
            finally:
                if got:
                    self._lock.release()
