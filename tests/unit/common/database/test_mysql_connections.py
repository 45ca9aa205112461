"""What opening a connection to MySQL or MariaDB costs, and which of its refusals mean that it is away."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import pytest

from common.database import StoreUnavailable
from common.database.engine import Database
from tests.servers.mariadb import MariaDB


@pytest.mark.mariadb
def test_a_connection_reads_no_certificates(mariadb_server: MariaDB, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_: object, **__: object) -> None:
        raise AssertionError("the certificates of the system")

    monkeypatch.setattr(ssl, "create_default_context", read)
    database = Database(mariadb_server.new_database(), threads=1)
    database.ping()
    database.close()


@pytest.fixture
def database(mariadb_server: MariaDB) -> Iterator[Database]:
    opened = Database(mariadb_server.new_database(), threads=1)
    yield opened
    opened.close()


def signal(number: int, message: str) -> str:
    """The statement that the server answers with this error."""
    return f"SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = {number}, MESSAGE_TEXT = '{message}'"


@pytest.mark.mariadb
@pytest.mark.parametrize(
    "number, message",
    [(1047, "WSREP has not yet prepared node"), (1205, "Lock wait timeout"), (1213, "Deadlock found")],
)
def test_a_read_that_waited_in_vain_for_the_cluster_finds_the_store_away(
    database: Database, number: int, message: str
) -> None:
    with pytest.raises(StoreUnavailable, match=message), database.read() as connection:
        connection.exec_driver_sql(signal(number, message))
    database.ping()


@pytest.mark.mariadb
@pytest.mark.parametrize(
    "number, message",
    [(1180, "Got error 5 during COMMIT"), (1317, "was interrupted"), (1927, "Connection was killed")],
)
def test_what_a_node_that_goes_away_says_to_a_write_is_that_the_store_is_away(
    database: Database, number: int, message: str
) -> None:
    with pytest.raises(StoreUnavailable, match=message):
        database.write(lambda connection: connection.exec_driver_sql(signal(number, message)))
