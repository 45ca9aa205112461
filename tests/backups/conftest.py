"""A product to back up, on each kind of database, and a repository to back it up into."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from admin_service.storage.opening import migrate as migrate_admin
from admin_service.storage.sql.store import METADATA as ADMIN_TABLES
from backups.plan import Place, place_of
from common.backups.database import kind_of
from common.backups.restic import Repository, Restic
from tests.backups.cheap_key import cheapen
from tests.invariants.stores import KINDS
from tests.migrated import emptied, with_tables
from tests.servers.mariadb import PASSWORD as SERVER_PASSWORD
from tests.servers.mariadb import USER, MariaDB
from tests.servers.secantus import MongoServer, emptied_mongodb
from ticketing_service.storage.opening import migrate as migrate_ticketing
from ticketing_service.storage.sql import schema

PASSWORD = "correct horse, battery"


@pytest.fixture(scope="session")
def mongodb_server(patient_mongodb_server: MongoServer) -> MongoServer:
    return patient_mongodb_server


@contextmanager
def logging_mariadb(*, max_bytes: int) -> Iterator[MariaDB]:
    """A server that keeps a binary log, in files of about so many bytes, and may be asked about it.

    It is on the disk: in memory writers fill so many logs that nobody gets to read them.
    """
    server = MariaDB(below=Path("/var/tmp"))
    server.process.argv += [
        "--log-bin=binlog", "--server-id=1", "--binlog-format=ROW", f"--max-binlog-size={max_bytes}",
    ]  # fmt: skip
    with server:
        with server.connect() as connection, connection.cursor() as cursor:
            # what a user needs who makes backups that lead on, and who brings them on
            cursor.execute(
                "GRANT RELOAD, BINLOG MONITOR, BINLOG REPLAY ON *.*"
                f" TO '{USER}'@'%' IDENTIFIED BY '{SERVER_PASSWORD}'"
            )
        yield server


@pytest.fixture(scope="session")
def shared_mariadb(mariadb_server: MariaDB) -> str:
    """Both services in one database, to be emptied."""
    return _shared(mariadb_server.new_database("backed_up"))


@pytest.fixture(scope="session")
def shared_mongodb(mongodb_server: MongoServer) -> Iterator[str]:
    """As `shared_mariadb`."""
    url = _shared(mongodb_server.new_database("backed_up"))
    yield url
    mongodb_server.drop_database(url)


def _shared(url: str) -> str:
    migrate_ticketing(url)
    migrate_admin(url)
    return url


@pytest.fixture(params=KINDS)
def environment(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """The settings of a product: a file for each service, or one database of a server for both."""
    folder = tmp_path / "product"
    folder.mkdir()
    found = {"DATA_DIR": str(folder)}
    if request.param == "sqlite":
        return with_files(found)
    url = request.getfixturevalue(f"shared_{request.param}")
    if request.param == "mongodb":
        return {**found, "DATABASE_URL": emptied_mongodb(url)}
    return {**found, "DATABASE_URL": emptied(emptied(url, schema.metadata), ADMIN_TABLES)}


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """The settings of a product on SQLite."""
    folder = tmp_path / "product"
    folder.mkdir()
    return with_files({"DATA_DIR": str(folder)})


def with_files(environment: dict[str, str]) -> dict[str, str]:
    folder = environment["DATA_DIR"]
    with_tables(f"sqlite:///{folder}/ticketing.sqlite3", migrate_ticketing)
    with_tables(f"sqlite:///{folder}/admin.sqlite3", migrate_admin)
    return environment


@pytest.fixture
def place(environment: dict[str, str]) -> Place:
    return place_of(environment)


@pytest.fixture
def small(files: dict[str, str]) -> Place:
    """A product on SQLite with a medium and two keys."""
    place = place_of(files)
    for name, content in {"media/ab/a.png": "picture", "keys/x/1": "first", "keys/x/2": "second"}.items():
        path = place.data_dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        path.chmod(0o600 if name.startswith("keys") else 0o644)
    return place


@pytest.fixture(scope="session")
def made_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository without backups, to be copied: making one takes longer than copying it."""
    folder = tmp_path_factory.mktemp("made") / "repository"
    Restic(repository_at(folder)).create()
    cheapen(folder, PASSWORD)
    return folder


@pytest.fixture
def repository(made_repository: Path, tmp_path: Path) -> Repository:
    """An empty repository in a folder."""
    folder = tmp_path / "repository"
    shutil.copytree(made_repository, folder)
    return repository_at(folder)


@pytest.fixture
def restic(repository: Repository) -> Restic:
    return Restic(repository)


def repository_at(folder: Path, password: str = PASSWORD) -> Repository:
    return Repository(location=str(folder), password=password, cache=folder.with_name("restic-cache"))


def quiet(_: str) -> None:
    """Nobody looks on."""


def settings_of_backups(repository: Repository) -> dict[str, str]:
    """For a command: its whole environment but for the product's."""
    return {
        **os.environ,
        "BACKUP_REPOSITORY": repository.location,
        "BACKUP_PASSWORD": repository.password,
    }


@pytest.fixture
def elsewhere(
    environment: dict[str, str], tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[dict[str, str]]:
    """An empty place of the same kind."""
    found = {"DATA_DIR": str(tmp_path / "elsewhere")}
    if "DATABASE_URL" not in environment:
        yield found
        return
    kind = kind_of(environment["DATABASE_URL"])
    server: MariaDB | MongoServer = request.getfixturevalue(f"{kind}_server")
    url = server.new_database("restored")
    yield {**found, "DATABASE_URL": url}
    server.drop_database(url)
