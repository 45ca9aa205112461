"""What opening a connection to MySQL or MariaDB costs."""

from __future__ import annotations

import ssl

import pytest

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
