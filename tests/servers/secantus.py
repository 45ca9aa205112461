"""SecantusDB, which speaks MongoDB's wire protocol as a replica set of one: fresh data, free port, durable
commits.

A stand-in, as no MongoDB server is to be had from the package registries: what tests learn from it is
behaviour, never speed or query plans. With `MONGODB_TEST_URL` in the environment the same tests run on that
server instead.
"""

from __future__ import annotations

import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, Self
from urllib.parse import urlsplit, urlunsplit

import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from tests.servers.process import Process
from tests.servers.server import Server

REAL = "MONGODB_TEST_URL"
PATIENCE_SECONDS = 30

MONGOD = """#!/bin/sh
for word; do
  case $word in
    --dbpath=*) data=${word#*=} ;;
    --port=*) port=${word#*=} ;;
  esac
done
cd "$data"
exec PYTHON -m secantus --host 127.0.0.1 --port "$port" --storage-path "$data/data" --cache-size 256M
"""


class MongoServer(Protocol):
    """Where tests have their databases."""

    def new_database(self, prefix: str = "test") -> str:
        """The `mongodb://` URL of a database in which nothing is."""
        ...

    def drop_database(self, url: str) -> None:
        """Drop a database made by `new_database`."""
        ...


class Secantus(Server):
    """`with Secantus() as server: url = server.new_database()`; use `kill` and `start` for crash tests.

    `patient`: a transaction may take a minute, and change some hundred megabytes. One that does not fit into
    the cache stops this server for good. Otherwise it has seconds: a test does not wait for the minute that a
    server gives one whose client is gone.
    """

    def __init__(self, *, replica_set: bool = True, patient: bool = False) -> None:
        super().__init__("secantus")
        self.process = Process(
            [
                sys.executable,
                "-m",
                "tests.servers.secantus_daemon",
                "60" if patient else "5",
                "--host",
                self.host,
                "--port",
                str(self.port),
                "--storage-path",
                self.folder / "data",
                "--sync-on-commit",
                "--cache-size",
                "1G" if patient else "256M",
                *([] if replica_set else ["--standalone"]),
            ],
            name="secantusd",
        )

    def start(self) -> Self:
        """Start (again, on the same port and data), and wait until it answers commands."""
        self.process.start()
        self.process.wait_until(self._answers, seconds=60, what="answering")
        return self

    def new_database(self, prefix: str = "test") -> str:
        """See MongoServer."""
        return f"mongodb://{self.host}:{self.port}/{prefix}_{secrets.token_hex(6)}"

    def drop_database(self, url: str) -> None:
        """It goes with the server: dropping takes longer than most tests."""

    def _answers(self) -> bool:
        try:
            with _client(f"mongodb://{self.host}:{self.port}/") as client:
                client.admin.command("ping")
        except PyMongoError:
            return False
        return True


class RealServer:
    """The server that `MONGODB_TEST_URL` names."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)

    def new_database(self, prefix: str = "test") -> str:
        """See MongoServer."""
        return urlunsplit(self._url._replace(path=f"/{prefix}_{secrets.token_hex(6)}"))

    def drop_database(self, url: str) -> None:
        """See MongoServer."""
        _drop(url)


@contextmanager
def running_mongodb(*, patient: bool = False) -> Iterator[MongoServer]:
    """The real server when there is one, else one of our own; `patient`: see Secantus."""
    if url := os.environ.get(REAL):
        yield RealServer(url)
        return
    with Secantus(patient=patient) as server:
        yield server


def path_with_mongod(folder: Path) -> str:
    """PATH for who starts a `mongod`: the real one where there is one, else the stand-in by that name."""
    path = os.environ.get("PATH", os.defpath)
    if shutil.which("mongod") is not None:
        return path
    script = folder / "mongod"
    script.write_text(MONGOD.replace("PYTHON", sys.executable))
    script.chmod(0o755)
    return f"{folder}:{path}"


def is_stand_in(url: str) -> bool:
    """Whether a store is on one, which does some tens of transactions a second, however many ask."""
    return url.startswith("mongodb://") and REAL not in os.environ


def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is no server that is away: statements and turns may take longer than in a service."""
    for name in ("STATEMENT_SECONDS", "RETRY_SECONDS", "CONNECT_SECONDS"):
        monkeypatch.setattr(f"common.mongo.database.{name}", PATIENCE_SECONDS)


def emptied_mongodb(url: str) -> str:
    """`url`, a migrated database, without any document but its version."""
    with _client(url) as client:
        database = client.get_default_database()
        for name in database.list_collection_names():
            if not name.endswith("_schema") and database[name].find_one({}, ["_id"]) is not None:
                database[name].delete_many({})
    return url


def _drop(url: str) -> None:
    with _client(url) as client:
        client.drop_database(client.get_default_database().name)


def _client(url: str) -> MongoClient[dict[str, Any]]:
    return MongoClient(url, timeoutMS=20_000, serverSelectionTimeoutMS=2_000, w="majority", journal=True)
