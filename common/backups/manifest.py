"""The manifest of a backup: what is in it, as of the moment of the copy. It lies in the backup itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from common.backups.digests import TableFacts
from common.backups.faults import BackupFault

NAME = "manifest.json"
FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where the binary log stood at the moment of the copy: what was committed after it comes from there."""

    file: str
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseFacts:
    """One database, which may hold several services. `file`: its copy within the backup, of `size` bytes.
    `revisions`: each service's schema version. `position`: None where there is no binary log.
    """

    services: tuple[str, ...]
    kind: str
    server: str
    file: str
    size: int
    sha256: str
    revisions: Mapping[str, str]
    tables: Mapping[str, TableFacts]
    database: str = ""
    position: Position | None = None

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        position = document["position"]
        return cls(
            services=tuple(document["services"]),
            kind=document["kind"],
            server=document["server"],
            file=document["file"],
            size=document["size"],
            sha256=document["sha256"],
            revisions=dict(document["revisions"]),
            tables={name: TableFacts.of(each) for name, each in document["tables"].items()},
            database=document["database"],
            position=None if position is None else Position(**position),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeFacts:
    """A folder of files: how many, and how many bytes. `files`: the size of each, by its path within."""

    count: int
    size: int
    files: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """All of a backup. Moments are texts (RFC 3339, UTC); `versions` are those of the services."""

    started_at: str
    finished_at: str
    versions: Mapping[str, str]
    databases: tuple[DatabaseFacts, ...]
    trees: Mapping[str, TreeFacts]
    media_store: str = ""

    @property
    def rows(self) -> int:
        """How many rows there are in all."""
        return sum(table.rows for database in self.databases for table in database.tables.values())

    def to_bytes(self) -> bytes:
        """The manifest as it is written into a backup."""
        document = {"format": FORMAT, **asdict(self)}
        return json.dumps(document, indent=1, sort_keys=True).encode() + b"\n"

    @classmethod
    def of(cls, content: bytes) -> Self:
        """Raises BackupFault for what is no manifest, or one of another format."""
        try:
            document = json.loads(content)
            if document.pop("format") != FORMAT:
                raise BackupFault(f"{NAME} is of another format than {FORMAT}: a newer release wrote it")
            document["databases"] = tuple(DatabaseFacts.of(each) for each in document["databases"])
            document["trees"] = {name: TreeFacts(**each) for name, each in document["trees"].items()}
            return cls(**document)
        except (ValueError, KeyError, TypeError) as error:
            raise BackupFault(f"{NAME} cannot be read: {type(error).__name__}: {error}") from error
