"""What is to be backed up or restored, by the settings."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

import admin_service
import ticketing_service
from common.backups.bucket import Bucket
from common.backups.database import DatabaseCopying, kind_of
from common.backups.faults import BackupFault
from common.backups.mariadb import MariadbCopying
from common.backups.mongodb import MongodbCopying
from common.backups.restic import Repository
from common.backups.sftp import sftp_options
from common.backups.sqlite import SqliteCopying
from common.settings import Settings, load

TAG = "destination"
"""Of every backup of ours; a repository may hold others'."""

FOLDER = "backups"
"""In DATA_DIR: what backups need on this machine. It is in no backup."""

KEYS, MEDIA = "keys", "media"
SERVICES = ("ticketing", "admin")
_COPYING: Mapping[str, Callable[[str, tuple[str, ...]], DatabaseCopying]] = {
    each.kind: each for each in (SqliteCopying, MariadbCopying, MongodbCopying)
}
VERSIONS = {"ticketing": ticketing_service.VERSION, "admin": admin_service.VERSION}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the product's data are. `databases`: the services that share a database, and its URL."""

    data_dir: Path
    databases: Mapping[tuple[str, ...], str] = field(repr=False)
    bucket: Bucket | None = None

    @property
    def folder(self) -> Path:
        """What backups need on this machine."""
        return self.data_dir / FOLDER


def place_of(environ: Mapping[str, str]) -> Place:
    """Raises SettingError."""
    settings = {service: load(service, environ, complete=False) for service in ("ticketing", "admin")}
    urls = {service: each.database_url for service, each in settings.items()}
    shared: dict[str, list[str]] = {}
    for service, url in urls.items():
        shared.setdefault(url, []).append(service)
    admin = settings["admin"]
    return Place(
        data_dir=admin.data_dir,
        databases={tuple(services): url for url, services in shared.items()},
        bucket=_bucket(admin),
    )


def repository_of(environ: Mapping[str, str]) -> Repository:
    """Raises SettingError, and BackupFault when there is none."""
    settings = load("admin", environ, complete=False)
    if not settings.backup_repository:
        raise BackupFault(
            "BACKUP_REPOSITORY is not set: there is nowhere to put backups, nor to take them from"
        )
    keys = {
        "AWS_ACCESS_KEY_ID": settings.backup_s3_access_key_id,
        "AWS_SECRET_ACCESS_KEY": settings.backup_s3_secret_access_key,
    }
    return Repository(
        location=settings.backup_repository,
        password=settings.backup_password,
        cache=settings.data_dir / FOLDER / "cache",
        credentials={name: key for name, key in keys.items() if key},
        options=sftp_options(
            settings.backup_repository, settings.backup_sftp_identity, settings.backup_sftp_known_hosts
        ),
    )


def copying(url: str, services: tuple[str, ...]) -> DatabaseCopying:
    """How a database is copied. Raises BackupFault for a kind that cannot be."""
    return _COPYING[kind_of(url)](url, services)


def kept_password(environ: Mapping[str, str]) -> dict[str, str]:
    """`environ` without the credentials of backups: for processes that have no business with them."""
    return {name: value for name, value in environ.items() if not name.startswith("BACKUP_")}


@contextmanager
def alone(place: Place) -> Iterator[None]:
    """One at a time works in the folder. Raises BackupFault while another one does."""
    place.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = os.open(place.folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            flock(file, LOCK_EX | LOCK_NB)
        except BlockingIOError as error:
            raise BackupFault("another backup, restore or drill is under way") from error
        yield
    finally:
        os.close(file)


def _bucket(settings: Settings) -> Bucket | None:
    if not settings.media_store:
        return None
    return Bucket(
        store=settings.media_store,
        endpoint_url=settings.s3_endpoint_url,
        region=settings.s3_region,
        access_key_id=settings.s3_access_key_id,
        secret_access_key=settings.s3_secret_access_key,
    )
