"""Backups go to another machine over SFTP, and come back; a machine that is not the known one gets none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from backups.plan import Place, place_of, repository_of
from backups.restoring import restore
from backups.taking import take
from common.backups.faults import BackupFault
from common.backups.restic import Restic
from common.backups.sftp import sftp_options
from tests.backups.conftest import PASSWORD, quiet
from tests.servers.sshd import Sshd


@pytest.fixture(scope="module")
def server() -> Iterator[Sshd]:
    with Sshd() as found:
        yield found


def settings(server: Sshd, place: Place, name: str, **more: str) -> dict[str, str]:
    """Those of a product whose backups go into a folder `name` of the server."""
    return {
        "DATA_DIR": str(place.data_dir),
        "BACKUP_REPOSITORY": f"sftp://{server.user}@{server.host}:{server.port}/{server.files / name}",
        "BACKUP_PASSWORD": PASSWORD,
        "BACKUP_SFTP_IDENTITY": str(server.identity),
        "BACKUP_SFTP_KNOWN_HOSTS": str(server.known_hosts),
        **more,
    }


def test_backups_go_over_sftp_and_come_back(server: Sshd, small: Place, tmp_path: Path) -> None:
    restic = Restic(repository_of(settings(server, small, "backups")))
    taken = take(small, restic, quiet)
    assert (server.files / "backups" / "config").exists()
    restic.check(read_data=True)
    there = place_of({"DATA_DIR": str(tmp_path / "there")})
    restore(there, restic, taken.snapshot_id, quiet)
    assert (there.data_dir / "keys" / "x" / "2").read_text() == "second"
    assert (there.data_dir / "media" / "ab" / "a.png").read_text() == "picture"


def test_a_host_that_is_not_the_known_one_gets_nothing(server: Sshd, small: Place, tmp_path: Path) -> None:
    wrong = tmp_path / "known_hosts"
    other = server.identity.with_suffix(".pub").read_text()
    wrong.write_text(f"[{server.host}]:{server.port} {other}")
    given = settings(server, small, "elsewhere", BACKUP_SFTP_KNOWN_HOSTS=str(wrong))
    with pytest.raises(BackupFault):
        take(small, Restic(repository_of(given)), quiet)
    assert not (server.files / "elsewhere").exists()


def test_a_key_that_may_not_sign_in_is_a_fault(server: Sshd, small: Place) -> None:
    host_key = str(server.folder / "host")
    given = settings(server, small, "denied", BACKUP_SFTP_IDENTITY=host_key)
    with pytest.raises(BackupFault):
        take(small, Restic(repository_of(given)), quiet)
    assert not (server.files / "denied").exists()


@pytest.mark.parametrize(
    "location, words",
    [
        ("sftp:me@vault:/a/b", "me@vault"),
        ("sftp:vault:b", "vault"),
        ("sftp://me@vault:2222//a/b", "-p 2222 me@vault"),
    ],
)
def test_ssh_is_told_where_to_and_with_what(location: str, words: str) -> None:
    told = "ssh -o BatchMode=yes -o StrictHostKeyChecking=yes -o IdentitiesOnly=yes -i '/k/a key'"
    assert sftp_options(location, "/k/a key", "") == ("-o", f"sftp.command={told} {words} -s sftp")


def test_without_settings_of_ours_ssh_follows_the_users_own() -> None:
    assert sftp_options("sftp:me@vault:/a", "", "") == ()
    assert sftp_options("/a/folder", "/key", "/hosts") == ()


@pytest.mark.parametrize(
    "location", ["sftp::/a", "sftp:///a", "sftp:-oProxyCommand=x:/a", "sftp://vault:99999/a"]
)
def test_a_location_that_names_no_host_is_refused(location: str) -> None:
    with pytest.raises(BackupFault, match="BACKUP_REPOSITORY"):
        sftp_options(location, "/key", "")
