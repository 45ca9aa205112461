"""Media in a folder on this machine, from which nginx serves them at /media/."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from admin_service.clients.port import StorageUnavailable, StoredObject
from admin_service.clients.storage_keys import checked

DRAFTS = ".drafts"
DRAFT_SECONDS = 3600.0
"""After so long nobody writes to a draft any more: its process has died."""


class FolderStorage:
    """`Storage` in `folder`. The type and disposition of an object follow from its ending, in nginx."""

    def __init__(self, folder: Path, *, now: Callable[[], float] = time.time) -> None:
        self._folder, self._now = folder, now

    def put(self, key: str, stored: StoredObject) -> None:
        """See Storage."""
        path = self._path(key)
        # A draft has a name of its own, outside of what is served: a reader sees the whole object or none.
        draft = self._folder / DRAFTS / secrets.token_hex(16)
        try:
            draft.parent.mkdir(parents=True, exist_ok=True)
            path.parent.mkdir(exist_ok=True)
            try:
                _write_to_disk(draft, stored.content)
                draft.replace(path)
            finally:
                draft.unlink(missing_ok=True)
            _sync_folder(path.parent)
        except OSError as error:
            raise _unavailable(error) from error

    def get(self, key: str) -> bytes | None:
        """See Storage."""
        path = self._path(key)
        try:
            return path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise _unavailable(error) from error

    def delete(self, keys: Iterable[str]) -> None:
        """See Storage."""
        for path in [self._path(key) for key in keys]:
            try:
                path.unlink(missing_ok=True)
            except NotADirectoryError:
                continue
            except OSError as error:
                raise _unavailable(error) from error
            # Another object may be in it, or just have come.
            with contextlib.suppress(OSError):
                path.parent.rmdir()

    def ping(self) -> None:
        """See Storage. Removes what died processes were writing, on the way."""
        drafts = self._folder / DRAFTS
        try:
            drafts.mkdir(parents=True, exist_ok=True)
            _write_to_disk(drafts / f"ping-{os.getpid()}", b"")
            for draft in drafts.iterdir():
                with contextlib.suppress(FileNotFoundError):
                    if draft.stat().st_mtime < self._now() - DRAFT_SECONDS:
                        draft.unlink()
        except OSError as error:
            raise _unavailable(error) from error

    def _path(self, key: str) -> Path:
        return self._folder.joinpath(*checked(key).split("/"))


def _write_to_disk(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _unavailable(error: OSError) -> StorageUnavailable:
    return StorageUnavailable(f"the folder of media: {error.strerror or error}")
