"""Makes one backup: copies beside the running product, a manifest, and all of it into the repository."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from backups.plan import KEYS, MEDIA, TAG, VERSIONS, Place, alone, copying
from common.backups import bucket as buckets
from common.backups.database import Copied, DatabaseCopying
from common.backups.digests import file_digest
from common.backups.faults import BackupFault, RepositoryMissing
from common.backups.manifest import NAME, DatabaseFacts, Manifest
from common.backups.restic import Restic, Retention
from common.backups.state import read_state
from common.backups.trees import copy_tree, link_tree, tree_facts
from common.clock import Clock, system_clock
from common.web.schemas import instant_text

STAGING = "staging"
MIRROR = "bucket"
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A backup that is in the repository."""

    snapshot_id: str
    manifest: Manifest
    seconds: float

    def document(self) -> dict[str, Any]:
        """For the state, and for who asks."""
        return {
            "ok": True,
            "at": self.manifest.finished_at,
            "startedAt": self.manifest.started_at,
            "snapshot": self.snapshot_id,
            "seconds": round(self.seconds, 1),
            "rows": self.manifest.rows,
            "bytes": sum(each.size for each in self.manifest.databases)
            + sum(tree.size for tree in self.manifest.trees.values()),
            "files": sum(tree.count for tree in self.manifest.trees.values()),
            "versions": dict(self.manifest.versions),
            "fault": "",
        }


def take(place: Place, restic: Restic, tell: Tell, *, clock: Clock = system_clock) -> Taken:
    """Make a backup and remove those that are not to be kept. Raises BackupFault; then nothing was saved, or
    what was saved is whole and only older ones were not removed.
    """
    started = clock()
    with alone(place), _staging(place) as staging:
        manifest = stage(place, staging, started, tell, clock=clock)
        tell(f"saving into {restic.shown}")
        saved = _save(place, restic, staging, tell)
        tell("removing old backups")
        restic.forget(TAG, Retention())
    return Taken(snapshot_id=saved, manifest=manifest, seconds=(clock() - started).total_seconds())


def stage(
    place: Place, staging: Path, started: datetime, tell: Tell, *, clock: Clock = system_clock
) -> Manifest:
    """Bring all that belongs into a backup into the empty folder `staging`. Raises BackupFault."""
    # Before and after the databases: what a row names is there, whether it came or went meanwhile.
    _media(place, staging)
    copies = {}
    for services, url in place.databases.items():
        copier = copying(url, services)
        path = staging / f"{'-'.join(services)}.{copier.ending}"
        tell(f"copying the {copier.kind} database of {' and '.join(services)}")
        copies[services] = (copier, path, copier.save(path))
    _media(place, staging)
    # keys are added before they are first used, so the newest are in it
    copy_tree(place.data_dir / KEYS, staging / KEYS)
    tell("counting")
    manifest = Manifest(
        started_at=instant_text(started),
        finished_at=instant_text(clock()),
        versions=VERSIONS,
        databases=tuple(_facts(services, *copy) for services, copy in copies.items()),
        trees={name: tree_facts(staging / name) for name in (KEYS, MEDIA)},
        media_store="" if place.bucket is None else place.bucket.store,
    )
    (staging / NAME).write_bytes(manifest.to_bytes())
    return manifest


@contextmanager
def _staging(place: Place) -> Any:
    """An empty folder, private, on the disk of the media; always the same: restic knows the files again."""
    folder = place.folder / STAGING
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _save(place: Place, restic: Restic, staging: Path, tell: Tell) -> str:
    """Into the repository, which is made for the first backup. An empty mount point must not become one."""
    try:
        return restic.save(staging, TAG)
    except RepositoryMissing as error:
        good = (read_state(place.folder) or {}).get("good")
        if good and good.get("repository") == restic.shown:
            raise BackupFault(
                f"the repository {restic.shown}, which held backups until {good['at']}, is gone"
            ) from error
    tell(f"making the repository {restic.shown}")
    restic.create()
    return restic.save(staging, TAG)


def _media(place: Place, staging: Path) -> None:
    source = place.data_dir / MEDIA
    if place.bucket is not None:
        source = place.folder / MIRROR
        buckets.mirror(place.bucket, source)
    link_tree(source, staging / MEDIA)


def _facts(services: tuple[str, ...], copier: DatabaseCopying, path: Path, copied: Copied) -> DatabaseFacts:
    with ThreadPoolExecutor(1) as beside:
        digest = beside.submit(file_digest, path)
        contents = copier.contents_of(path)
    if missing := set(services) - contents.revisions.keys():
        raise BackupFault(f"the database of {' and '.join(sorted(missing))} was never migrated")
    return DatabaseFacts(
        services=services,
        kind=copier.kind,
        server=copied.server,
        file=path.name,
        size=path.stat().st_size,
        sha256=digest.result(),
        revisions=contents.revisions,
        tables=contents.tables,
        database=copied.database,
        position=copied.position,
    )
