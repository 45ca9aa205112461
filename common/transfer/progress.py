"""How far a move has come: a file, which can be lost. Then all is compared anew; nothing is moved twice."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from common.transfer.documents import Entity, Facts, Key, key_from, key_text


@dataclass(frozen=True, slots=True)
class Done:
    """A range that was the same on both sides when the two had these stamps."""

    after: Key | None
    upto: Key
    source: str
    target: str
    facts: Facts


class Progress:
    """The ranges that are done, by entity."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # keys of people's things are in it
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        self._file = sqlite3.connect(path, isolation_level=None)
        # what is lost is only compared once more
        self._file.execute("PRAGMA synchronous=OFF")
        self._file.execute("PRAGMA journal_mode=WAL")
        self._file.execute(
            "CREATE TABLE IF NOT EXISTS done (entity TEXT, upto TEXT, after TEXT, source TEXT, target TEXT,"
            " count INTEGER, total TEXT, PRIMARY KEY (entity, upto))"
        )

    @classmethod
    def between(cls, folder: Path, service: str, source_url: str, target_url: str) -> Self:
        """That of the move of a service from one URL to another, in `folder`."""
        name = hashlib.sha256(f"{source_url}\n{target_url}".encode()).hexdigest()[:16]
        return cls(folder / f"{service}-{name}.db")

    def of(self, entity: Entity) -> list[Done]:
        """The ranges of the entity. Where the process died between two writes, one may not begin where the
        one before it ends.
        """
        rows = self._file.execute(
            "SELECT after, upto, source, target, count, total FROM done WHERE entity = ?", (entity.name,)
        )
        return sorted(_read(rows), key=lambda done: done.upto)

    def keep(self, entity: Entity, done: Done) -> None:
        """The range is done."""
        facts = done.facts
        row = (key_text(done.upto), key_text(done.after), done.source, done.target, facts.count, facts.digest)
        self._file.execute("INSERT OR REPLACE INTO done VALUES (?, ?, ?, ?, ?, ?, ?)", (entity.name, *row))

    def forget(self, entity: Entity, upto: Key) -> None:
        """The range that ends there is not done."""
        self._file.execute("DELETE FROM done WHERE entity = ? AND upto = ?", (entity.name, key_text(upto)))

    def close(self) -> None:
        self._file.close()


def _read(rows: sqlite3.Cursor) -> Iterator[Done]:
    for after, upto, source, target, count, total in rows:
        last = key_from(upto)
        if last is not None:
            yield Done(key_from(after), last, source, target, Facts(count, int(total, 16)))
