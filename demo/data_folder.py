"""The folder that holds all that a run writes: ours alone, locked while in use, emptied on request."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

MARKER = ".made-by-make-run"
SECRETS_FILE = "secrets.env"
SECRETS = ("PAYMENT_API_TOKEN", "PAYMENT_WEBHOOK_SECRET")


class FolderError(Exception):
    """The folder cannot be used; the message is one line."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Make the folder when it is not there, and keep it for this run alone. Raises FolderError."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        is_ours = (folder / MARKER).exists() or not any(folder.iterdir())
        lock = (folder / MARKER if is_ours else folder / ".run.lock").open("w")
    except OSError as error:
        raise FolderError(f"DATA_DIR={folder} cannot be used: {error.strerror}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderError(f"DATA_DIR={folder} is in use by another `make run`") from None
        yield


def empty(folder: Path) -> None:
    """Remove all in the folder but the marker. Raises FolderError for a folder that no run has made."""
    if not (folder / MARKER).exists():
        raise FolderError(
            f"RESET=1 refused: DATA_DIR={folder} was not made by `make run`; remove it yourself"
        )
    for entry in folder.iterdir():
        if entry.name == MARKER:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def run_secrets(folder: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the run's secrets, made once and kept in a 0600 file; not those that are set already."""
    path = folder / SECRETS_FILE
    kept = (
        dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)
        if path.exists()
        else {}
    )
    missing = {name: secrets.token_urlsafe(32) for name in SECRETS if name not in kept}
    if missing:
        kept |= missing
        write_private(path, "".join(f"{name}={value}\n" for name, value in kept.items()))
    return {name: kept[name] for name in SECRETS if name not in environ and f"{name}_FILE" not in environ}


def write_private(path: Path, text: str) -> None:
    """Write a file that its owner alone can read, whole or not at all."""
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    part.replace(path)
