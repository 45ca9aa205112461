"""Stores to move from and to. Each kind is filled once, and never written to afterwards; the
targets are emptied for each test.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from admin_service.commands import transfer as admin
from admin_service.storage.sql import schema as admin_schema
from common.transfer.running import Mover
from tests.migrated import emptied
from tests.servers.mariadb import MariaDB
from tests.servers.secantus import MongoServer, emptied_mongodb
from tests.transfer.admin_data import fill_admin
from tests.transfer.ticketing_data import fill_ticketing
from ticketing_service.commands import transfer as ticketing
from ticketing_service.storage.sql import schema as ticketing_schema

_FILL = {"ticketing": fill_ticketing, "admin": fill_admin}
_TABLES = {"ticketing": ticketing_schema.metadata, "admin": admin_schema.metadata}


@dataclass(slots=True)
class Stores:
    """Of one service, by kind: `filled` ones to be read alone, and `empty` ones to be moved to."""

    mover: Mover
    new_url: Callable[[str], str]
    made: dict[str, str] = field(default_factory=dict)

    def filled(self, kind: str) -> str:
        """A store with a little of everything, the same one each time."""
        name = f"filled {kind}"
        if name not in self.made:
            url = self.new(kind)
            _FILL[self.mover.name](url)
            self.made[name] = url
        return self.made[name]

    def empty(self, kind: str) -> str:
        """A migrated store in which nothing is."""
        if kind == "sqlite":
            return self.new(kind)
        name = f"empty {kind}"
        if name not in self.made:
            self.made[name] = self.new(kind)
        elif kind == "mongodb":
            emptied_mongodb(self.made[name])
        else:
            emptied(self.made[name], _TABLES[self.mover.name])
        return self.made[name]

    def new(self, kind: str) -> str:
        """A migrated store of its own."""
        url = self.new_url(kind)
        self.mover.migrate(url)
        return url


@pytest.fixture(scope="session")
def new_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Makes a database of a kind; servers start when the first of theirs is asked for."""
    folder = tmp_path_factory.mktemp("stores")
    numbers = iter(range(1_000_000))

    def make(kind: str) -> str:
        if kind == "sqlite":
            return f"sqlite:///{folder / f'{next(numbers)}.db'}"
        server: MariaDB | MongoServer = request.getfixturevalue(f"{kind}_server")
        return server.new_database("moved")

    return make


@pytest.fixture(scope="session")
def ticketing_stores(new_url: Callable[[str], str]) -> Stores:
    return Stores(ticketing.MOVER, new_url)


@pytest.fixture(scope="session")
def admin_stores(new_url: Callable[[str], str]) -> Stores:
    return Stores(admin.MOVER, new_url)


@pytest.fixture
def progress(tmp_path: Path) -> Path:
    """Where a move keeps how far it is."""
    return tmp_path / "progress.db"
