"""A restore changes nothing that is there, and believes nothing that is not right."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from backups.plan import Place, copying, place_of
from backups.restoring import restore
from backups.taking import take
from common.backups.digests import differences
from common.backups.faults import BackupFault
from common.backups.mariadb import MariadbCopying
from common.backups.restic import Repository, Restic
from tests.backups.conftest import quiet, repository_at


@pytest.fixture
def there(tmp_path: Path) -> Place:
    return place_of({"DATA_DIR": str(tmp_path / "there")})


def one_flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(content)


def gone(path: Path) -> None:
    path.unlink()


def largest(folder: Path) -> Path:
    return max((path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)


@pytest.mark.parametrize(
    "harm, part, said",
    [
        (one_flipped, "data", "Pack ID does not match, want {name}"),
        (one_flipped, "index", "error loading index {name}"),
        (one_flipped, "snapshots", "{name:.8}"),
        (gone, "data", "pack {name}: does not exist"),
        # what it listed is missed then
        (gone, "index", "not found in repository"),
    ],
)
def test_what_the_repository_has_lost_is_found_and_named(
    small: Place, restic: Restic, repository: Repository, harm: Callable[[Path], None], part: str, said: str
) -> None:
    take(small, restic, quiet)
    victim = largest(Path(repository.location) / part)
    harm(victim)
    with pytest.raises(BackupFault, match=f"is damaged: .*{said.format(name=victim.name)}"):
        restic.check(read_data=True)


def test_a_damaged_file_is_not_restored_and_the_place_stays_empty(
    small: Place, restic: Restic, repository: Repository, there: Place
) -> None:
    take(small, restic, quiet)
    one_flipped(largest(Path(repository.location) / "data"))
    with pytest.raises(BackupFault, match="verification failed"):
        restore(there, restic, "latest", quiet)
    assert [path.name for path in there.data_dir.iterdir()] == ["backups"]


def test_a_missing_file_of_the_repository_is_named_before_anything_is_fetched(
    small: Place, restic: Restic, repository: Repository, there: Place
) -> None:
    take(small, restic, quiet)
    victim = largest(Path(repository.location) / "data")
    victim.unlink()
    with pytest.raises(BackupFault, match=f"{victim.name}: does not exist"):
        restore(there, restic, "latest", quiet)


def test_a_wrong_key_is_named(small: Place, restic: Restic, repository: Repository, there: Place) -> None:
    take(small, restic, quiet)
    other = Restic(repository_at(Path(repository.location), "another passphrase"))
    with pytest.raises(BackupFault, match="the password does not open the repository"):
        restore(there, other, "latest", quiet)
    with pytest.raises(BackupFault, match="the password does not open the repository"):
        take(small, other, quiet)


def test_a_repository_that_is_not_there_is_named(there: Place, tmp_path: Path) -> None:
    with pytest.raises(BackupFault, match="there is no repository at"):
        restore(there, Restic(repository_at(tmp_path / "nothing")), "latest", quiet)


def test_only_an_empty_place_is_restored_into_unless_forced(
    small: Place, restic: Restic, there: Place
) -> None:
    backup = take(small, restic, quiet)
    for taken in ("keys/a", "media/ab/b.png", "admin.sqlite3"):
        path = there.data_dir / taken
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((small.data_dir / "admin.sqlite3").read_bytes())
        before = path.read_bytes()
        with pytest.raises(BackupFault, match=r"the place is not empty \(.*FORCE=1"):
            restore(there, restic, "latest", quiet)
        assert path.read_bytes() == before
        assert not (there.data_dir / "ticketing.sqlite3").exists()
        if taken != "admin.sqlite3":
            path.unlink()

    restore(there, restic, backup.snapshot_id, quiet, force=True)
    assert (there.data_dir / "keys" / "x" / "1").read_text() == "first"
    (aside,) = there.data_dir.glob("before-restore-*")
    assert (aside / "admin.sqlite3").read_bytes() == before


def test_tables_of_a_server_are_left_alone_unless_forced(
    place: Place, restic: Restic, elsewhere: dict[str, str]
) -> None:
    there = place_of(elsewhere)
    take(place, restic, quiet)
    restore(there, restic, "latest", quiet)
    with pytest.raises(BackupFault, match="the place is not empty"):
        restore(there, restic, "latest", quiet)
    restore(there, restic, "latest", quiet, force=True)


def test_a_backup_does_not_go_into_another_kind_of_place(
    small: Place, restic: Restic, tmp_path: Path
) -> None:
    take(small, restic, quiet)
    shared = place_of({"DATA_DIR": str(tmp_path / "x"), "DATABASE_URL": f"sqlite:///{tmp_path}/one.db"})
    with pytest.raises(BackupFault, match="a database for each service"):
        restore(shared, restic, "latest", quiet)
    servers = place_of({
        "DATA_DIR": str(tmp_path / "x"),
        "TICKETING_DATABASE_URL": "mysql+pymysql://a:b@127.0.0.1:9/t",
        "ADMIN_DATABASE_URL": "mysql+pymysql://a:b@127.0.0.1:9/a",
    })  # fmt: skip
    with pytest.raises(
        BackupFault, match=r"of sqlite, the place is mariadb: set (TICKETING|ADMIN)_DATABASE_URL"
    ):
        restore(servers, restic, "latest", quiet)


def test_unknown_backups_are_named(small: Place, restic: Restic, there: Place) -> None:
    with pytest.raises(BackupFault, match="there is no backup in"):
        restore(there, restic, "latest", quiet)
    newest = take(small, restic, quiet)
    with pytest.raises(BackupFault, match=f"no backup ffff .* the newest is {newest.snapshot_id[:8]}"):
        restore(there, restic, "ffff", quiet)


def test_one_changed_value_makes_another_digest(small: Place, restic: Restic, there: Place) -> None:
    manifest = take(small, restic, quiet).manifest
    path = small.data_dir / "admin.sqlite3"
    connection = sqlite3.connect(path)
    connection.execute("UPDATE admin_alembic_version SET version_num = 'other'")
    connection.execute("DELETE FROM admin_audit_head")
    connection.commit()
    connection.close()
    (facts,) = [each for each in manifest.databases if each.services == ("admin",)]
    found = copying(f"sqlite:///{path}", ("admin",)).contents()
    said = differences(facts.tables, found.tables)
    assert "table admin_alembic_version has other content than when it was saved" in said
    assert len(said) == 1 + (facts.tables["admin_audit_head"].rows > 0)


def test_half_a_dump_is_no_copy(tmp_path: Path) -> None:
    dump = tmp_path / "half.sql"
    dump.write_bytes(b"CREATE TABLE `ticketing_pois` (\nINSERT INTO `ticketing_pois` VALUES\n(1),\n")
    with pytest.raises(BackupFault, match="no whole dump"):
        MariadbCopying("mysql+pymysql://a:b@127.0.0.1/x", ("ticketing",)).contents_of(dump)
