"""A backup that is taken while everybody buys is one moment of the shop, on each kind of database."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from backups.plan import Place, place_of
from backups.restoring import restore
from backups.taking import take
from common.backups.faults import BackupFault
from common.backups.mariadb import MariadbCopying
from common.backups.restic import Restic
from tests.backups.conftest import quiet
from tests.backups.selling import Selling
from tests.beneath import open_beneath
from tests.counts import counts
from tests.invariants.checker import check, explain
from tests.servers.mariadb import MariaDB

BEFORE, AFTER = counts((40, 20), (5000, 500))


def test_a_backup_amid_sales_is_one_moment(
    place: Place, restic: Restic, tmp_path: Path, elsewhere: dict[str, str]
) -> None:
    with Selling(ticketing_url(place)) as selling:
        selling.go_on_for(BEFORE)
        taken = take(place, restic, quiet)
        selling.go_on_for(AFTER)
    began = datetime.fromisoformat(taken.manifest.started_at).timestamp()

    there = place_of(elsewhere)
    restore(there, restic, "latest", quiet)

    beneath = open_beneath(ticketing_url(there))
    try:
        violations = check(beneath)
        assert not violations, explain(violations)
        found = {row.id for row in beneath.tables("bookings")["bookings"]}
    finally:
        beneath.close()
    # the manifest knows whole milliseconds
    assert len(selling.sold_by(began + 0.001)) >= BEFORE
    assert selling.sold_by(began) <= found
    # sales went on after it, or this would prove nothing
    assert len(selling.sold) > len(found)


def ticketing_url(place: Place) -> str:
    (url,) = [url for services, url in place.databases.items() if "ticketing" in services]
    return url


@pytest.mark.mariadb
def test_of_several_servers_the_first_that_answers_is_asked(mariadb_server: MariaDB) -> None:
    port = mariadb_server.port
    url = mariadb_server.new_database("one_of_two").replace(
        f"127.0.0.1:{port}", f"127.0.0.1:9,127.0.0.1:{port}"
    )
    assert MariadbCopying(url, ("ticketing",)).is_empty()
    with pytest.raises(BackupFault, match=r"cannot be reached at 127.0.0.1:9, 127.0.0.1:9"):
        MariadbCopying(url.replace(str(port), "9"), ("ticketing",)).is_empty()
