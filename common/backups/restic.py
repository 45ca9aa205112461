"""A repository of encrypted, compressed backups, through the program restic: a folder, S3, SFTP and more.

The password and other credentials are in the program's environment, never in its arguments: those are in the
list of processes, for everybody on the machine.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from common.backups.faults import BackupFault, RepositoryMissing

HOST = "backups"
"""Noted with every snapshot instead of the machine's name: a new machine goes on with the same backups."""

_CREDENTIALS = re.compile(r"//[^/@\s]+@")
_TELLING = re.compile(
    r"^(Fatal:|error|Pack ID|pack |ignoring error|snapshot |tree |blob |  |unable)|does not exist|not found"
)
_NO_REPOSITORY = "Is there a repository at the following location?"
_LOCKED = "repository is already locked"
_MOST_LINES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """Where backups are, as restic writes it. `cache`: a folder for what restic keeps between its runs.
    `credentials`: what its environment must have besides, such as AWS_ACCESS_KEY_ID. `options`: words that go
    before each of its commands.
    """

    location: str
    password: str = field(repr=False)
    cache: Path
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)
    options: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """The location without what may be secret in it."""
        return shown(self.location)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One backup in the repository."""

    id: str
    at: datetime
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Retention:
    """How many backups are kept: the last of so many days, weeks, months that have one."""

    daily: int = 7
    weekly: int = 4
    monthly: int = 12


def shown(text: str) -> str:
    """`text` without the credentials that an address in it may have."""
    return _CREDENTIALS.sub("//***@", text)


class Restic:
    """The verbs. Every one raises BackupFault, whose message names what is at fault."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._environment = {
            **os.environ,
            **repository.credentials,
            "RESTIC_REPOSITORY": repository.location,
            "RESTIC_PASSWORD": repository.password,
            "RESTIC_CACHE_DIR": str(repository.cache),
        }
        # any of these would go before ours
        for name in ("RESTIC_PASSWORD_FILE", "RESTIC_PASSWORD_COMMAND", "RESTIC_REPOSITORY_FILE"):
            self._environment.pop(name, None)

    @property
    def shown(self) -> str:
        """Where the repository is, for people."""
        return self._repository.shown

    def create(self) -> None:
        """Make the repository; its key is derived from the password."""
        # the second format is the one that compresses
        self._must(self._run(["init", "--repository-version", "2"]), "cannot be made")

    def save(self, folder: Path, tag: str) -> str:
        """Save all that is in `folder`; the first letters of the snapshot's id."""
        # the same files under the same path as last time are known by size and time, and not read again; a
        # hard link has another change time
        words = ["backup", ".", "--json", "--quiet", "--host", HOST, "--tag", tag, "--ignore-ctime"]
        done = self._done(words, "did not take the backup", folder)
        for line in reversed(done.stdout.splitlines()):
            message = _document(line)
            if message.get("message_type") == "summary":
                return str(message["snapshot_id"])
        raise BackupFault(f"restic did not say under which id it saved the backup in {self.shown}")

    def snapshots(self, tag: str) -> tuple[Snapshot, ...]:
        """Those with `tag`, oldest first."""
        done = self._done(["snapshots", "--json", "--tag", tag], "cannot be listed")
        found = json.loads(done.stdout or "[]") or []
        made = (
            Snapshot(
                id=each["id"], at=datetime.fromisoformat(each["time"]), tags=tuple(each.get("tags") or ())
            )
            for each in found
        )
        return tuple(sorted(made, key=lambda each: each.at))

    def read(self, snapshot_id: str, path: str) -> bytes:
        """The content of one file of a snapshot."""
        done = subprocess.run(
            ["restic", *self._repository.options, "--quiet", "dump", snapshot_id, path],
            env=self._environment,
            capture_output=True,
            check=False,
        )
        if done.returncode != 0:
            raise self._fault(done.stderr.decode(errors="replace"), f"does not give {path} of {snapshot_id}")
        return done.stdout

    def restore(self, snapshot_id: str, target: Path) -> None:
        """Bring all files of a snapshot into `target`; restic checks every piece of them on the way."""
        self._done(["restore", snapshot_id, "--target", str(target)], f"does not give back {snapshot_id[:8]}")

    def forget(self, tag: str, retention: Retention) -> None:
        """Remove the backups that are not to be kept, and what only they needed."""
        kept = {"daily": retention.daily, "weekly": retention.weekly, "monthly": retention.monthly}
        words = [word for name, number in kept.items() for word in (f"--keep-{name}", str(number))]
        self._done(
            ["forget", "--tag", tag, "--group-by", "tags", *words, "--prune", "--quiet"],
            "could not remove old backups",
        )

    def check(self, *, read_data: bool) -> None:
        """Look whether all that the snapshots need is there; with `read_data`, whether each byte is right."""
        self._done(["check", "--no-cache"], "is damaged")
        # only of what is there: it tries to read a missing file for half a minute
        if read_data:
            self._done(["check", "--no-cache", "--read-data"], "is damaged")

    def _run(self, words: Sequence[str], cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                ["restic", *self._repository.options, *words],
                env=self._environment,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
            )
        except FileNotFoundError as error:
            raise BackupFault("restic is missing: apt-get install restic") from error

    def _done(
        self, words: Sequence[str], complaint: str, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run it; once more when a run that has died left a lock. Those of living ones stay."""
        done = self._run(words, cwd)
        if done.returncode != 0 and _LOCKED in done.stderr:
            self._must(self._run(["unlock"]), "cannot be unlocked")
            done = self._run(words, cwd)
        return self._must(done, complaint)

    def _must(
        self, done: subprocess.CompletedProcess[str], complaint: str
    ) -> subprocess.CompletedProcess[str]:
        if done.returncode != 0:
            raise self._fault(done.stderr, complaint)
        return done

    def _fault(self, said: str, complaint: str) -> BackupFault:
        """What restic says at length, in one line."""
        if "wrong password or no key found" in said:
            return BackupFault(
                f"the password does not open the repository {self.shown}: is it BACKUP_PASSWORD?"
            )
        if _NO_REPOSITORY in said:
            return RepositoryMissing(f"there is no repository at {self.shown}")
        lines = list(dict.fromkeys(line.strip() for line in said.splitlines() if _TELLING.search(line)))
        # it tries a missing file ten times, and says so each time
        lines = [line for line in lines if "retrying after" not in line] or [said.strip()[-300:]]
        told = "; ".join(lines[:_MOST_LINES]).replace("\n", " ")
        return BackupFault(shown(f"the repository {self.shown} {complaint}: {told}"))


def _document(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
