"""Folders of files in a backup."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from common.backups.faults import BackupFault
from common.backups.manifest import TreeFacts


def link_tree(source: Path, target: Path) -> None:
    """Bring every file of `source` that is not hidden into `target`, unless it is there: as a hard link, or
    as a copy across disks. For files that are never changed, only made and removed; one that vanishes
    meanwhile is left out. What there is in `target` stays, so a second call adds what has come since.
    """
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    for path in _files(source):
        place = target / path
        if place.exists():
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            _linked(source / path, place)
        except FileNotFoundError:
            continue


def copy_tree(source: Path, target: Path) -> None:
    """Copy every file of `source`, and its mode; one that vanishes meanwhile is left out."""
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    for path in _files(source):
        (target / path).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            shutil.copy2(source / path, target / path)
        except FileNotFoundError:
            continue


def tree_facts(folder: Path) -> TreeFacts:
    """What is in `folder`; nothing when it is not there."""
    files = {str(path): (folder / path).stat().st_size for path in _files(folder)}
    return TreeFacts(count=len(files), size=sum(files.values()), files=dict(sorted(files.items())))


def check_tree(folder: Path, expected: TreeFacts) -> None:
    """Raises BackupFault, which names the files, when `folder` is not as expected."""
    found = tree_facts(folder).files
    missing = [f"{name} is missing" for name in expected.files.keys() - found.keys()]
    other = [
        f"{name} has {found[name]} bytes, not {size}"
        for name, size in expected.files.items()
        if name in found and found[name] != size
    ]
    if wrong := sorted(missing + other):
        raise BackupFault(f"{folder.name}: {'; '.join(wrong[:5])}{' and more' if len(wrong) > 5 else ''}")


def _files(folder: Path) -> Iterator[Path]:
    """The path of each file, relative to `folder`; hidden folders are drafts."""
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        for name in sorted(names):
            path = Path(root, name)
            if not name.startswith(".") and not path.is_symlink():
                yield path.relative_to(folder)


def _linked(source: Path, target: Path) -> None:
    try:
        target.hardlink_to(source)
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP):
            raise
        shutil.copy2(source, target)
