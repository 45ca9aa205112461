"""A MongoDB server in a scratch place."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from secrets import token_bytes, token_urlsafe
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from backups.scratch import Scratch, free_port, program
from common.backups.faults import BackupFault

NAME = "mongod"
USER = "drill"
_ANSWER_MS = 5_000
_KEY_BYTES = 48


class ScratchMongodb:
    """A replica set of one, which only who knows its password gets into, with empty databases."""

    def __init__(self, scratch: Scratch) -> None:
        """Makes its data, starts it and waits until it can be written to. Raises BackupFault."""
        self._scratch = scratch
        self._data, self._key = scratch.folder / "mongodb", scratch.folder / "mongodb.key"
        self._port, self._password = free_port(), token_urlsafe(24)
        self._data.mkdir(mode=0o700)
        # members of a set that asks for passwords need one between them, also when there is a single one
        with os.fdopen(os.open(self._key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(b64encode(token_bytes(_KEY_BYTES)))
        scratch.start(NAME, self._words())
        scratch.wait_until(NAME, self._answers)
        self._make_user()

    def new_database(self, name: str) -> str:
        """An empty database; its URL."""
        return f"mongodb://{USER}:{self._password}@127.0.0.1:{self._port}/{name}?authSource=admin"

    def _words(self) -> list[str]:
        return [
            program(NAME, "MongoDB", "mongodb-org-server, from MongoDB's own packages"),
            "--quiet",
            f"--dbpath={self._data}",
            f"--port={self._port}",
            "--bind_ip=127.0.0.1",
            "--nounixsocket",
            "--replSet=drill",
            f"--keyFile={self._key}",
            "--oplogSize=990",
            "--wiredTigerCacheSizeGB=0.25",
        ]

    def _answers(self) -> bool:
        """Whether it is the primary of its set, which is made when it first answers."""
        try:
            with self._connected() as client:
                said = client.admin.command("hello")
                if "setName" not in said:
                    member = {"_id": 0, "host": f"127.0.0.1:{self._port}"}
                    client.admin.command("replSetInitiate", {"_id": "drill", "members": [member]})
                return bool(said.get("isWritablePrimary"))
        except OperationFailure as error:
            raise BackupFault(f"{NAME} made no replica set: {error.code}") from error
        except PyMongoError:
            return False

    def _make_user(self) -> None:
        """The first one: while there is none, whoever is on this machine may make it, and nothing else."""
        try:
            with self._connected() as client:
                client.admin.command("createUser", USER, pwd=self._password, roles=["root"])
        except PyMongoError as error:
            raise BackupFault(f"{NAME} took no user: {type(error).__name__}") from error

    @contextmanager
    def _connected(self) -> Iterator[MongoClient[dict[str, Any]]]:
        with MongoClient[dict[str, Any]](
            "127.0.0.1", self._port, directConnection=True, serverSelectionTimeoutMS=_ANSWER_MS
        ) as client:
            yield client
