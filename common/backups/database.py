"""What a kind of database must be able to do to be backed up, and which kinds there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from common.backups.digests import TableFacts
from common.backups.faults import BackupFault
from common.backups.manifest import Position

REVISION_TABLE = "alembic_version"
"""With a service's prefix before it: where the schema's version is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a copy, or a database, holds: every table by name, and each service's schema version."""

    tables: Mapping[str, TableFacts]
    revisions: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """What is known of a copy that nobody has read yet. `server`: what held the database."""

    server: str
    database: str = ""
    position: Position | None = None


class DatabaseCopying(Protocol):
    """The tables of some services in one database. `services`: their names; a table begins with a service's
    name and `_`. Every verb raises BackupFault.
    """

    kind: str
    ending: str
    """That of the file of a copy."""

    def save(self, target: Path) -> Copied:
        """Write a copy, all of it as of one moment, into the file `target`, while others go on writing."""
        ...

    def contents_of(self, copy: Path) -> Contents:
        """What a copy holds."""
        ...

    def is_empty(self) -> bool:
        """Whether the services have no table here."""
        ...

    def clear(self, aside: Path) -> None:
        """Make room: what can be moved goes into the folder `aside`, the rest is removed."""
        ...

    def load(self, copy: Path) -> None:
        """Bring a copy into this database, which is empty."""
        ...

    def contents(self) -> Contents:
        """What the database holds; nobody writes to it meanwhile."""
        ...


def prefixes(services: Sequence[str]) -> tuple[str, ...]:
    """What the names of the tables of `services` begin with."""
    return tuple(f"{service}_" for service in services)


def kind_of(url: str) -> str:
    """`sqlite`, `mariadb` (MySQL too) or `mongodb`. Raises BackupFault for what cannot be backed up."""
    name = url.partition("://")[0].partition("+")[0]
    kind = {"sqlite": "sqlite", "mysql": "mariadb", "mongodb": "mongodb"}.get(name)
    if kind is None:
        raise BackupFault(f"databases of {name} cannot be backed up")
    return kind
