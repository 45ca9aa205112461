"""Brings a backup back into an empty place, and says whether all that was saved is there again."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import mkdtemp

from backups.plan import KEYS, MEDIA, TAG, Place, alone, copying
from common.backups import bucket as buckets
from common.backups.binlog import following, replay
from common.backups.database import DatabaseCopying
from common.backups.digests import differences, file_digest
from common.backups.faults import BackupFault
from common.backups.manifest import NAME, DatabaseFacts, Manifest
from common.backups.mariadb import MariadbCopying
from common.backups.restic import Restic, Snapshot
from common.backups.trees import check_tree
from common.clock import system_clock

LATEST = "latest"
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What was brought back."""

    snapshot: Snapshot
    manifest: Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """A moment after the backup. `logs`: the folder with the binary logs that lead there."""

    until: datetime
    logs: Path


def find(restic: Restic, wanted: str) -> Snapshot:
    """The backup `wanted`: `latest`, or the beginning of its id. Raises BackupFault."""
    known = restic.snapshots(TAG)
    if not known:
        raise BackupFault(f"there is no backup in {restic.shown}")
    if wanted == LATEST:
        return known[-1]
    found = [each for each in known if each.id.startswith(wanted)]
    if len(found) != 1:
        raise BackupFault(
            f"there is {'no backup' if not found else 'more than one backup'} {wanted} in {restic.shown}; "
            f"the newest is {known[-1].id[:8]} of {known[-1].at:%Y-%m-%d %H:%M} UTC"
        )
    return found[0]


def restore(
    place: Place,
    restic: Restic,
    wanted: str,
    tell: Tell,
    *,
    force: bool = False,
    later: Later | None = None,
) -> Restored:
    """Bring the backup `wanted` to `place`. Raises BackupFault: before anything is changed when the place is
    not empty or not fit for it, or when the repository is damaged.

    With `later` the databases are brought on from the backup to that moment.
    With `force` what is there makes room: files are moved to a folder beside, tables of servers are dropped.
    """
    with alone(place):
        restic.check(read_data=False)
        snapshot = find(restic, wanted)
        manifest = Manifest.of(restic.read(snapshot.id, f"/{NAME}"))
        copiers = _fitting(manifest, place)
        if later is not None:
            _must_lead_on(manifest, later)
        _must_be_empty(place, copiers, force=force)
        with _room(place) as folder:
            tell(f"fetching the backup of {manifest.finished_at} from {restic.shown}")
            restic.restore(snapshot.id, folder)
            tell("comparing what was fetched with the manifest")
            check_files(folder, manifest)
            if force:
                _make_room(place, copiers)
            for facts, copier in zip(manifest.databases, copiers, strict=True):
                tell(f"loading the database of {' and '.join(facts.services)}")
                copier.load(folder / facts.file)
            _bring(folder, place, tell)
        check_databases(manifest, copiers, tell)
        if later is not None:
            _bring_on(manifest, copiers, later, tell)
    return Restored(snapshot=snapshot, manifest=manifest)


def check_files(folder: Path, manifest: Manifest) -> None:
    """Raises BackupFault, which names the file, when one of a backup is not what the manifest says."""
    for facts in manifest.databases:
        path = folder / facts.file
        if not path.exists():
            raise BackupFault(f"the backup has no file {facts.file}")
        if path.stat().st_size != facts.size or file_digest(path) != facts.sha256:
            raise BackupFault(f"the file {facts.file} is not the one that was saved")
    for name, tree in manifest.trees.items():
        check_tree(folder / name, tree)


def check_databases(manifest: Manifest, copiers: list[DatabaseCopying], tell: Tell) -> None:
    """Raises BackupFault, which names the tables, when a database is not what the manifest says."""
    for facts, copier in zip(manifest.databases, copiers, strict=True):
        tell(f"comparing the database of {' and '.join(facts.services)}")
        contents = copier.contents()
        if wrong := differences(facts.tables, contents.tables):
            raise BackupFault(f"the database is not as it was saved: {'; '.join(wrong[:5])}")
        if contents.revisions != facts.revisions:
            raise BackupFault(f"the schema is {contents.revisions}, not {facts.revisions}")


def _must_lead_on(manifest: Manifest, later: Later) -> None:
    """Raises BackupFault when the backup and the logs do not lead to that moment."""
    if later.until < datetime.fromisoformat(manifest.finished_at):
        raise BackupFault(f"the backup of {manifest.finished_at} is newer than that: take an older one")
    for facts in manifest.databases:
        if facts.position is None:
            raise BackupFault(
                f"the backup of {' and '.join(facts.services)} has no position in a binary log: the server "
                "keeps none, or its user may not ask (BINLOG MONITOR, RELOAD)"
            )
        following(facts.position, later.logs)


def _bring_on(manifest: Manifest, copiers: list[DatabaseCopying], later: Later, tell: Tell) -> None:
    for facts, copier in zip(manifest.databases, copiers, strict=True):
        if isinstance(copier, MariadbCopying):
            tell(f"bringing {' and '.join(facts.services)} on to {later.until:%Y-%m-%d %H:%M:%S}")
            replay(facts, copier, later.logs, later.until)


def _fitting(manifest: Manifest, place: Place) -> list[DatabaseCopying]:
    """For each database of the backup that of the place. Raises BackupFault when they are not alike."""
    return [_copier(facts, place) for facts in manifest.databases]


def _copier(facts: DatabaseFacts, place: Place) -> DatabaseCopying:
    url = place.databases.get(facts.services)
    if url is None:
        together = "one database" if len(facts.services) > 1 else "a database for each service"
        raise BackupFault(
            f"the backup is of {together}: set DATABASE_URL, or both of the services' own, like that"
        )
    copier = copying(url, facts.services)
    if copier.kind != facts.kind:
        raise BackupFault(
            f"the backup of {' and '.join(facts.services)} is of {facts.kind}, the place is {copier.kind}: "
            f"set {facts.services[0].upper()}_DATABASE_URL"
        )
    return copier


def _must_be_empty(place: Place, copiers: list[DatabaseCopying], *, force: bool) -> None:
    taken = [f"the {each.kind} database" for each in copiers if not each.is_empty()]
    taken += [str(path) for name in (KEYS, MEDIA) if _has_files(path := place.data_dir / name)]
    if taken and not force:
        raise BackupFault(f"the place is not empty ({', '.join(taken)}): FORCE=1 restores all the same")


def _make_room(place: Place, copiers: list[DatabaseCopying]) -> None:
    aside = place.data_dir / f"before-restore-{system_clock():%Y%m%d-%H%M%S}"
    for copier in copiers:
        copier.clear(aside)
    for name in (KEYS, MEDIA):
        if _has_files(place.data_dir / name):
            aside.mkdir(parents=True, exist_ok=True, mode=0o700)
            (place.data_dir / name).rename(aside / name)


def _bring(folder: Path, place: Place, tell: Tell) -> None:
    """Keys and media to where they belong."""
    shutil.copytree(folder / KEYS, place.data_dir / KEYS, dirs_exist_ok=True)
    (place.data_dir / KEYS).chmod(0o700)
    if place.bucket is not None:
        tell(f"bringing media into {place.bucket.store}")
        buckets.upload(folder / MEDIA, place.bucket)
        return
    (folder / MEDIA / buckets.HEADERS).unlink(missing_ok=True)
    target = place.data_dir / MEDIA
    if target.exists():
        shutil.copytree(folder / MEDIA, target, dirs_exist_ok=True)
    else:
        (folder / MEDIA).rename(target)
    # nginx reads them as another user, perhaps
    target.chmod(0o755)


@contextmanager
def _room(place: Place) -> Iterator[Path]:
    """A private folder on the disk that the data come to."""
    folder = Path(mkdtemp(prefix="restoring-", dir=place.folder))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _has_files(folder: Path) -> bool:
    return any(names for _, _, names in os.walk(folder))
