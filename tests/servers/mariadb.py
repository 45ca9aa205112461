"""A MariaDB server of our own: fresh data, free port, durable commits; nothing of the system is touched."""

from __future__ import annotations

import fcntl
import getpass
import hashlib
import os
import secrets
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import pymysql
from pymysql.connections import Connection
from pymysql.cursors import Cursor

from tests.servers.process import ROOT, Process
from tests.servers.server import Server, program

CACHE = ROOT / ".cache"
USER = "ticketing"
PASSWORD = "ticketing-test"  # of a throw-away server on the loopback address
LOG_FILE_SIZE = "32M"


class MariaDB(Server):
    """`with MariaDB() as server: url = server.new_database()`; use `kill` and `start` for crash tests.

    Commits are durable (`innodb_flush_log_at_trx_commit=1`); the isolation level is left to the client.
    """

    def __init__(
        self,
        *,
        buffer_pool: str = "64M",
        log_file_size: str = LOG_FILE_SIZE,
        data: Path | None = None,
        below: Path | None = None,
    ) -> None:
        """Sizes as MariaDB writes them (64M); it begins with a copy of `data`, else with empty databases."""
        super().__init__("mariadb", below)
        shutil.copytree(data or _prepared_data(), self.folder / "data")
        self.process = Process(self._argv(buffer_pool, log_file_size), name="mariadbd")

    def start(self) -> Self:
        """Start (again, on the same port and data), and wait until it answers queries."""
        self.process.start()
        self.process.wait_until(self._answers, seconds=60, what="answering")
        return self

    @property
    def address(self) -> str:
        """host:port, as a URL has it."""
        return f"{self.host}:{self.port}"

    def restart(self) -> None:
        """Stop cleanly and start."""
        self.stop()
        self.start()

    def new_database(self, prefix: str = "test") -> str:
        """Create an empty database and return its URL for SQLAlchemy (`mysql+pymysql://...`)."""
        name = f"{prefix}_{secrets.token_hex(6)}"
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
            cursor.execute(f"GRANT ALL ON `{name}`.* TO '{USER}'@'%' IDENTIFIED BY '{PASSWORD}'")
        return f"mysql+pymysql://{USER}:{PASSWORD}@{self.address}/{name}"

    def drop_database(self, url: str) -> None:
        """Drop a database made by `new_database`."""
        name = url.rpartition("/")[2]
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS `{name}`")

    @contextmanager
    def connect(self) -> Iterator[Connection[Cursor]]:
        """Open a connection as the server's administrator, in autocommit mode, over its unix socket."""
        connection: Connection[Cursor] = pymysql.connect(
            unix_socket=str(self.folder / "socket"),
            user="root",
            autocommit=True,
            connect_timeout=2,
            ssl_disabled=True,  # what prepares it would read all the system's certificates
        )
        try:
            yield connection
        finally:
            connection.close()

    def _answers(self) -> bool:
        """True when the server behind our port is the one on our data folder."""
        with socket.socket(socket.AF_UNIX) as probe:  # PyMySQL leaks its socket when it is refused
            if probe.connect_ex(str(self.folder / "socket")) != 0:
                return False
        try:
            with self.connect() as connection, connection.cursor() as cursor:
                cursor.execute("SELECT @@datadir, @@port")
                return cursor.fetchone() == (f"{self.folder / 'data'}/", self.port)
        except pymysql.MySQLError:
            return False

    def _argv(self, buffer_pool: str, log_file_size: str) -> list[str | Path]:
        return [
            _program("mariadbd"),
            "--no-defaults",
            f"--user={getpass.getuser()}",  # the server refuses to run as root unless told to
            f"--datadir={self.folder / 'data'}",
            f"--socket={self.folder / 'socket'}",
            f"--pid-file={self.folder / 'pid'}",
            f"--tmpdir={self.folder}",
            f"--port={self.port}",
            "--bind-address=127.0.0.1",
            "--skip-name-resolve",
            "--max-connections=600",
            "--character-set-server=utf8mb4",
            "--innodb-flush-log-at-trx-commit=1",
            f"--innodb-buffer-pool-size={buffer_pool}",
            f"--innodb-log-file-size={log_file_size}",
            "--performance-schema=OFF",
            "--loose-skip-feedback",
        ]


@contextmanager
def with_replica() -> Iterator[tuple[MariaDB, MariaDB]]:
    """A server that keeps a binary log, and one that follows it from its beginning."""
    primary, replica = MariaDB(), MariaDB()
    primary.process.argv += ["--log-bin=binlog", "--server-id=1", "--binlog-format=ROW"]
    replica.process.argv += ["--server-id=2", "--read-only"]
    with primary, replica:
        with primary.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"GRANT REPLICATION SLAVE ON *.* TO 'replica'@'%' IDENTIFIED BY '{PASSWORD}'")
        with replica.connect() as connection, connection.cursor() as cursor:
            cursor.execute(
                f"CHANGE MASTER TO MASTER_HOST='{primary.host}', MASTER_PORT={primary.port},"
                f" MASTER_USER='replica', MASTER_PASSWORD='{PASSWORD}', MASTER_USE_GTID=slave_pos"
            )
            cursor.execute("START SLAVE")
        yield primary, replica


def _prepared_data() -> Path:
    return prepared_once("mariadb", _initialise)


def prepared_once(kind: str, make: Callable[[Path], None]) -> Path:
    """A folder that `make` fills once for each version of the server; to be copied from."""
    version = subprocess.check_output([_program("mariadbd"), "--no-defaults", "--version"])
    prepared = CACHE / f"{kind}-{hashlib.sha256(version).hexdigest()[:12]}"
    CACHE.mkdir(exist_ok=True)
    with (CACHE / f"{kind}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not prepared.exists():
            making = prepared.with_name(f"{prepared.name}.{os.getpid()}")
            try:
                make(making)
                making.rename(prepared)
            finally:
                shutil.rmtree(making, ignore_errors=True)
    return prepared


def _initialise(making: Path) -> None:
    argv = [
        _program("mariadb-install-db"),
        "--no-defaults",
        f"--datadir={making}",
        f"--user={getpass.getuser()}",
        "--auth-root-authentication-method=normal",
        "--skip-test-db",
        f"--innodb-log-file-size={LOG_FILE_SIZE}",
    ]
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, f"mariadb-install-db failed:\n{done.stdout}"


def _program(name: str) -> str:
    return program(name, "mariadb-server")
