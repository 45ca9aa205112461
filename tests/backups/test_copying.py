"""What a copy of a database is, on each kind: the contract of `DatabaseCopying`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from admin_service.storage.opening import migrate as migrate_admin
from backups.plan import Place, copying, place_of
from common.backups import mariadb, mongodb
from common.backups.database import DatabaseCopying
from common.backups.digests import differences
from common.backups.faults import BackupFault
from tests.backups.test_drill import shop
from tests.beneath import open_beneath
from ticketing_service.storage.opening import migrate as migrate_ticketing

MIGRATE: dict[str, Callable[[str], bool]] = {"ticketing": migrate_ticketing, "admin": migrate_admin}
NOBODY = "127.0.0.1:9"


def copier_of(place: Place) -> tuple[str, tuple[str, ...], DatabaseCopying]:
    """Of the database that sales are in."""
    ((services, url),) = [each for each in place.databases.items() if "ticketing" in each[0]]
    return url, services, copying(url, services)


def half(content: bytes) -> bytes:
    return content[: len(content) // 2]


def all_but_the_end(content: bytes) -> bytes:
    return content[:-4]


def test_what_is_saved_is_what_is_loaded(place: Place, elsewhere: dict[str, str], tmp_path: Path) -> None:
    shop(place)
    _, services, copier = copier_of(place)
    copy = tmp_path / f"copy.{copier.ending}"
    assert copier.save(copy).server
    saved = copier.contents_of(copy)
    assert saved == copier.contents()
    assert saved.revisions.keys() == set(services)
    assert {name for name in saved.tables if not name.startswith(services)} == set()
    assert saved.tables["ticketing_bookings"].rows == 20

    url, _, there = copier_of(place_of(elsewhere))
    assert there.is_empty()
    there.load(copy)
    assert not there.is_empty()
    assert there.contents() == saved
    # tables with all that belongs to them: the services find nothing to do
    assert not any(MIGRATE[service](url) for service in services)
    there.clear(tmp_path / "aside")
    assert there.is_empty()


def test_one_changed_row_makes_another_digest_of_its_table_alone(place: Place) -> None:
    shop(place)
    url, _, copier = copier_of(place)
    before = copier.contents()
    with closing(open_beneath(url)) as beneath:
        counters = beneath.tables("capacity_counters")["capacity_counters"]
        beneath.miscount(next(each.id for each in counters if each.held))
    assert differences(before.tables, copier.contents().tables) == (
        "table ticketing_capacity_counters has other content than when it was saved",
    )


@pytest.mark.parametrize("cut", [half, all_but_the_end])
def test_a_part_of_a_copy_is_none(place: Place, tmp_path: Path, cut: Callable[[bytes], bytes]) -> None:
    _, _, copier = copier_of(place)
    copy = tmp_path / f"copy.{copier.ending}"
    copier.save(copy)
    copy.write_bytes(cut(copy.read_bytes()))
    with pytest.raises(BackupFault, match=str(copy)):
        copier.contents_of(copy)


@pytest.mark.parametrize(
    "url", ["sqlite:////nowhere/x.db", f"mysql+pymysql://a:b@{NOBODY}/x", f"mongodb://a:secret@{NOBODY}/x"]
)
def test_a_database_that_is_not_there_is_one_line(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for driver in (mariadb, mongodb):
        monkeypatch.setattr(driver, "CONNECT_SECONDS", 1)
    with pytest.raises(BackupFault) as caught:
        copying(url, ("ticketing",)).save(tmp_path / "copy")
    assert len(str(caught.value).splitlines()) == 1
    assert "secret" not in str(caught.value)
