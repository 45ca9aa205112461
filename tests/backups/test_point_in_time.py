"""From last night's backup to a moment of today, by the binary logs of the server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from admin_service.storage.sql.store import migrate as migrate_admin
from backups.plan import Place, place_of
from backups.restoring import Later, restore
from backups.taking import take
from common.backups.binlog import following
from common.backups.faults import BackupFault
from common.backups.manifest import Position
from common.backups.restic import Restic
from tests.backups.conftest import logging_mariadb, quiet
from tests.backups.selling import Selling
from tests.beneath.sql import SqlBeneath
from tests.invariants.checker import check, explain
from tests.servers.mariadb import MariaDB
from tests.servers.process import eventually
from ticketing_service.storage.sql.store import migrate as migrate_ticketing

pytestmark = pytest.mark.mariadb


@pytest.fixture
def logging_server() -> Iterator[MariaDB]:
    with logging_mariadb(max_bytes=65536) as server:
        yield server


@pytest.fixture
def shop(logging_server: MariaDB, tmp_path: Path) -> Place:
    url = logging_server.new_database("shop")
    migrate_ticketing(url)
    migrate_admin(url)
    return place_of({"DATA_DIR": str(tmp_path / "shop"), "DATABASE_URL": url})


def a_full_second(server: MariaDB) -> datetime:
    """The beginning of the next second of the server's clock, once it is there: logs know whole seconds."""

    def now() -> datetime:
        with server.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT UTC_TIMESTAMP()")
            (moment,) = cursor.fetchone() or (None,)
            assert isinstance(moment, datetime)
            return moment.replace(tzinfo=UTC)

    until = now() + timedelta(seconds=1)
    eventually(lambda: now() >= until, what="the next second")
    return until


def test_what_was_sold_before_the_moment_is_there_and_nothing_later(
    shop: Place, logging_server: MariaDB, restic: Restic, tmp_path: Path
) -> None:
    (url,) = shop.databases.values()
    with Selling(url) as selling:
        selling.go_on_for(30)
        taken = take(shop, restic, quiet)
        selling.go_on_for(60)
        until = a_full_second(logging_server)
        selling.go_on_for(60)
    position = taken.manifest.databases[0].position
    assert position is not None
    logs = following(position, logging_server.folder / "data")
    assert len(logs) > 1

    there = place_of({
        "DATA_DIR": str(tmp_path / "there"), "DATABASE_URL": logging_server.new_database("restored")
    })  # fmt: skip
    restore(there, restic, "latest", quiet, later=Later(until=until, logs=logging_server.folder / "data"))

    (url,) = there.databases.values()
    beneath = SqlBeneath(url)
    try:
        violations = check(beneath)
        assert not violations, explain(violations)
        rows = beneath.tables("bookings")["bookings"]
    finally:
        beneath.close()
    found = {row.id for row in rows}
    began = datetime.fromisoformat(taken.manifest.started_at).timestamp()
    assert selling.sold_by(until.timestamp()) <= found
    assert selling.sold_by(until.timestamp()) > selling.sold_by(began)
    # a booking bears the moment before its commit
    assert all(row.created_at < until for row in rows)
    assert len(found) < len(selling.sold)


def test_a_log_that_is_missing_is_named(tmp_path: Path) -> None:
    for number in (3, 5):
        (tmp_path / f"binlog.{number:06}").touch()
    (tmp_path / "binlog.index").touch()
    assert [path.name for path in following(Position(file="binlog.000005", offset=4), tmp_path)] == [
        "binlog.000005"
    ]
    for first, missing in ((3, 4), (2, 2), (6, 6)):
        with pytest.raises(BackupFault, match=rf"binlog.{missing:06} is missing"):
            following(Position(file=f"binlog.{first:06}", offset=4), tmp_path)


def test_a_backup_without_a_position_leads_nowhere(small: Place, restic: Restic, tmp_path: Path) -> None:
    take(small, restic, quiet)
    there = place_of({"DATA_DIR": str(tmp_path / "there")})
    later = Later(until=datetime.now(UTC) + timedelta(hours=1), logs=tmp_path)
    with pytest.raises(BackupFault, match="has no position in a binary log"):
        restore(there, restic, "latest", quiet, later=later)
    assert not (there.data_dir / "ticketing.sqlite3").exists()
