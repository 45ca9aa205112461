"""Digests that do not depend on the order of rows: the same rows, read in any order, give the same one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

_SIZE = 16
_MODULUS = 1 << (8 * _SIZE)
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class TableFacts:
    """What is in a table: how many rows, and the digest of all of them as hexadecimal text."""

    rows: int
    digest: str

    def document(self) -> dict[str, Any]:
        return {"rows": self.rows, "digest": self.digest}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        return cls(int(document["rows"]), str(document["digest"]))


class RowDigest:
    """Takes up rows, each of which has one form as bytes, in as many parts as they come in; keeps none.

    The sum of the rows' hashes: a row that is missing, doubled or changed makes it another one.
    """

    def __init__(self) -> None:
        self._rows = self._total = 0

    def add(self, rows: Iterable[bytes]) -> None:
        count, total = 0, 0
        blake2b, from_bytes = hashlib.blake2b, int.from_bytes
        for row in rows:
            count += 1
            total += from_bytes(blake2b(row, digest_size=_SIZE).digest())
        self._rows += count
        self._total = (self._total + total) % _MODULUS

    @property
    def facts(self) -> TableFacts:
        """Of all rows so far."""
        return TableFacts(self._rows, f"{self._total:0{2 * _SIZE}x}")


def digest_of(rows: Iterable[bytes]) -> TableFacts:
    """The facts of a table whose rows come in one part."""
    digest = RowDigest()
    digest.add(rows)
    return digest.facts


def file_digest(path: Path) -> str:
    """The SHA-256 of a file, as hexadecimal text. Raises OSError."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            found.update(piece)
    return found.hexdigest()


def differences(expected: Mapping[str, TableFacts], found: Mapping[str, TableFacts]) -> tuple[str, ...]:
    """A line for each table that is not as expected, in the order of their names."""
    lines = []
    for name in sorted(expected.keys() | found.keys()):
        wanted, there = expected.get(name), found.get(name)
        if wanted is None or there is None:
            lines.append(f"table {name} is {'missing' if there is None else 'one too many'}")
        elif wanted.rows != there.rows:
            lines.append(f"table {name} has {there.rows} rows, not {wanted.rows}")
        elif wanted != there:
            lines.append(f"table {name} has other content than when it was saved")
    return tuple(lines)
