"""Copies of MariaDB and MySQL databases, by MariaDB's own programs."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, cast

import pymysql

from common.backups.database import REVISION_TABLE, Contents, Copied, prefixes
from common.backups.digests import RowDigest
from common.backups.faults import BackupFault
from common.backups.manifest import Position
from common.database.hosts import split_hosts

CONNECT_SECONDS = 5
DUMPS = 10
"""How many are made at most, to have one that is not of the moment of a change of logs."""

HEAD_EVENTS = 16
"""Transactions begin before so many events of a log: a few say what it is."""

TRANSACTIONS = frozenset({"Gtid", "Anonymous_Gtid", "Query"})
"""The events with which one begins, in MariaDB's and in MySQL's logs."""

_CREATE = b"CREATE TABLE `"
_INSERT = b"INSERT INTO `"
_LAST_LINE = b"-- Dump completed"
_POSITION = re.compile(rb"MASTER_LOG_FILE='([^']+)', MASTER_LOG_POS=(\d+)")
_HEAD_BYTES = 16_384


class MariadbCopying:
    """See DatabaseCopying. `url`: as `common.database.engine.Database` has it."""

    kind = "mariadb"
    ending = "sql"

    def __init__(self, url: str, services: Sequence[str]) -> None:
        self._url, self._addresses = split_hosts(url)
        self._services = tuple(services)
        self.database = self._url.database or ""

    def save(self, target: Path) -> Copied:
        """See DatabaseCopying. Where the server keeps a binary log that we may ask, its position is noted."""
        with self._connected() as connection:
            tables = self._tables(connection)
            server, logs = _asked(connection, "SELECT VERSION(), @@log_bin")[0]
        if not tables:
            raise BackupFault(f"the database {self.database} has no table of {', '.join(self._services)}")
        position, said = None, ""
        with self.settings_file() as settings:
            if logs:
                position, said = self._positioned_dump(settings, target, tables)
            if not logs or "denied" in said:
                # no binary log, or no right to ask where it stands
                said = self._dump(settings, target, tables)
        if said:
            raise BackupFault(f"mariadb-dump of {self.database} failed: {said}")
        return Copied(server=str(server), database=self.database, position=position)

    def contents_of(self, copy: Path) -> Contents:
        """See DatabaseCopying."""
        with copy.open("rb") as file:
            return self._contents(file, str(copy))

    def is_empty(self) -> bool:
        """See DatabaseCopying."""
        with self._connected() as connection:
            return not self._tables(connection)

    def clear(self, aside: Path) -> None:
        """See DatabaseCopying."""
        with self._connected() as connection, connection.cursor() as cursor:
            cursor.execute("SET FOREIGN_KEY_CHECKS=0")
            for table in self._tables(connection):
                cursor.execute(f"DROP TABLE `{table}`")

    def load(self, copy: Path) -> None:
        """See DatabaseCopying."""
        with copy.open("rb") as file:
            self.feed(file)

    def feed(self, statements: IO[bytes]) -> None:
        """Let the server carry out what the file says."""
        with self.settings_file() as settings:
            words = [program("mariadb"), f"--defaults-file={settings}", "--batch", self.database]
            done = subprocess.run(words, stdin=statements, stderr=subprocess.PIPE, check=False)
        if done.returncode != 0:
            raise BackupFault(f"{self.database} did not take the copy: {_said(done.stderr)}")

    def contents(self) -> Contents:
        """See DatabaseCopying. By one more dump, so that it is read as the copy was written."""
        with self._connected() as connection:
            tables = self._tables(connection)
        if not tables:
            return Contents(tables={}, revisions={})
        with self.settings_file() as settings:
            words = [*self._dump_words(settings), self.database, *tables]
            with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as dump:
                lines, errors = cast("IO[bytes]", dump.stdout), cast("IO[bytes]", dump.stderr)
                try:
                    found = self._contents(lines, self.database)
                finally:
                    lines.close()
                said = _said(errors.read())
        if dump.returncode != 0:
            raise BackupFault(f"mariadb-dump of {self.database} failed: {said}")
        return found

    @contextmanager
    def settings_file(self) -> Iterator[Path]:
        """A private file that tells MariaDB's programs where the server is, and the password: theirs must not
        be in their arguments.
        """
        host, port = self._server()
        pairs = {
            "host": host,
            "port": str(port),
            "user": self._url.username or "",
            "password": str(self._url.password or ""),
            "default-character-set": "utf8mb4",
        }
        lines = [f"{name}={_quoted(text)}" for name, text in pairs.items()]
        with TemporaryDirectory(prefix="mariadb-") as folder:
            path = Path(folder) / "client.cnf"
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write("\n".join(["[client]", *lines, ""]))
            yield path

    def _dump_words(self, settings: Path) -> list[str]:
        return [
            program("mariadb-dump"),
            f"--defaults-file={settings}",
            "--single-transaction",
            "--quick",
            # bytes as digits: a row is then one line, whatever is in it
            "--hex-blob",
            "--no-autocommit",
            # what is not empty is not to be overwritten
            "--skip-add-drop-table",
            "--skip-dump-date",
            "--skip-triggers",
            "--no-tablespaces",
        ]

    def _dump(self, settings: Path, target: Path, tables: Sequence[str], *more: str) -> str:
        """Write a dump; what the program complains of, empty when it did as it should."""
        words = [*self._dump_words(settings), *more, self.database, *tables]
        with target.open("wb") as file:
            done = subprocess.run(words, stdout=file, stderr=subprocess.PIPE, check=False)
        return "" if done.returncode == 0 else _said(done.stderr) or f"status {done.returncode}"

    def _positioned_dump(
        self, settings: Path, target: Path, tables: Sequence[str]
    ) -> tuple[Position | None, str]:
        """Write a dump from which the binary logs lead on: where it stands in them, and what the program
        complains of.

        At a change of logs MariaDB (10.11 and others) may name the head of the new one while the last commits
        of the old one are not yet visible: that position would lead past them. So another dump is made,
        unless the one before named the same head: those commits were then visible long ago.
        """
        before = None
        for _ in range(DUMPS):
            if said := self._dump(settings, target, tables, "--master-data=2"):
                return None, said
            position = _position(target)
            if position is None or position == before or not self._is_head(position):
                return position, ""
            before = position
        return None, ""

    def _is_head(self, position: Position) -> bool:
        """Whether no transaction stands before the position in its log."""
        with self._connected() as connection:
            events = _asked(connection, f"SHOW BINLOG EVENTS IN '{position.file}' LIMIT {HEAD_EVENTS}")
        return not any(kind in TRANSACTIONS and at < position.offset for _, at, kind, *_ in events)

    def _contents(self, lines: IO[bytes], name: str) -> Contents:
        """Read a dump, in which each row is a line of its own."""
        tables: dict[str, RowDigest] = {}
        revisions: dict[str, str] = {}
        services = {f"{service}_{REVISION_TABLE}": service for service in self._services}
        last = b""
        for line in lines:
            last = line
            if line.startswith(_CREATE):
                tables[_named(line)] = RowDigest()
            elif line.startswith(_INSERT):
                if not line.endswith(b" VALUES\n"):
                    raise BackupFault(
                        f"{name}: rows are not on lines of their own, as MariaDB's mariadb-dump writes them"
                    )
                table = _named(line)
                if table in services:
                    kept = list(_rows(lines))
                    revisions[services[table]] = kept[0].split(b"'")[1].decode()
                    tables[table].add(kept)
                else:
                    tables[table].add(_rows(lines))
        if not last.startswith(_LAST_LINE):
            raise BackupFault(f"{name} ends before its end: it is no whole dump")
        return Contents(tables={each: found.facts for each, found in tables.items()}, revisions=revisions)

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        host, port = self._server()
        try:
            connection = pymysql.connect(
                host=host,
                port=port,
                user=self._url.username,
                password=str(self._url.password or ""),
                database=self.database,
                connect_timeout=CONNECT_SECONDS,
                autocommit=True,
            )
        except pymysql.MySQLError as error:
            raise BackupFault(f"the database {self.database} cannot be reached: {error}") from error
        try:
            with closing(connection):
                yield connection
        except pymysql.MySQLError as error:
            raise BackupFault(f"the database {self.database}: {error}") from error

    def _server(self) -> tuple[str, int]:
        """The server to ask: of several the first that takes connections."""
        for address in self._addresses:
            if len(self._addresses) == 1 or _takes_connections(*address):
                return address
        named = ", ".join(f"{host}:{port}" for host, port in self._addresses)
        raise BackupFault(f"the database {self.database} cannot be reached at {named}")

    def _tables(self, connection: Any) -> list[str]:
        rows = _asked(
            connection,
            "SELECT table_name FROM information_schema.tables"
            " WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' ORDER BY table_name",
        )
        return [name for (name,) in rows if name.startswith(prefixes(self._services))]


def _rows(lines: IO[bytes]) -> Iterator[bytes]:
    """The rows of one statement, without what stands between them."""
    for line in lines:
        yield line[:-2]
        if line.endswith(b";\n"):
            return


def _named(line: bytes) -> str:
    return line.split(b"`", 2)[1].decode()


def _position(dump: Path) -> Position | None:
    with dump.open("rb") as file:
        found = _POSITION.search(file.read(_HEAD_BYTES))
    return None if found is None else Position(file=found[1].decode(), offset=int(found[2]))


def _asked(connection: Any, query: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())


def _takes_connections(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), CONNECT_SECONDS).close()
    except OSError:
        return False
    return True


def program(name: str) -> str:
    """Where one of MariaDB's programs is. Raises BackupFault."""
    found = shutil.which(name)
    if found is None:
        raise BackupFault(f"{name} is missing: apt-get install mariadb-client")
    return found


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _said(errors: bytes) -> str:
    return " ".join(errors.decode(errors="replace").split())[:500]
