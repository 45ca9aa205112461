"""`python -m backups take | restore FROM TO [--force] | drill | status`; with the settings of the services.

Exit status: 0; 1 when something is wrong with a backup, told in one line; 2 for a setting that is.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backups import taking
from backups.drill import drill
from backups.plan import TAG, Place, place_of, repository_of
from backups.restoring import LATEST, Later, restore
from common.backups.faults import BackupFault
from common.backups.manifest import NAME, Manifest
from common.backups.restic import Restic
from common.backups.state import note_backup, note_drill
from common.clock import system_clock
from common.settings import SettingError
from common.web.schemas import instant_text


class Progress:
    """Tells a person at a terminal, or a log, how far it is."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def __call__(self, text: str) -> None:
        sys.stderr.write(f"{time.monotonic() - self._began:7.1f} s  {text}\n")
        sys.stderr.flush()


def take(environ: Mapping[str, str]) -> None:
    """Make a backup, and note how it went: for the admin worker, which watches over that."""
    place, repository = place_of(environ), repository_of(environ)
    restic, tell = Restic(repository), Progress()
    began = system_clock()
    try:
        taken = taking.take(place, restic, tell)
    except (BackupFault, OSError) as error:
        fault = {"ok": False, "at": instant_text(system_clock()), "startedAt": instant_text(began)}
        _note(place, {**fault, "fault": str(error)}, repository.shown)
        raise
    outcome = taken.document()
    _note(place, outcome, repository.shown)
    tell(
        f"backup {taken.snapshot_id[:8]}: {outcome['rows']} rows, {outcome['files']} files, "
        f"{outcome['bytes'] / 1e6:.1f} MB"
    )


def bring_back(environ: Mapping[str, str], arguments: argparse.Namespace) -> None:
    """Restore into a folder, which becomes the DATA_DIR, and into the databases that the settings name."""
    later = None
    if arguments.until is not None:
        if arguments.binlogs is None:
            raise BackupFault("UNTIL= needs BINLOGS=, the folder with the server's binary logs")
        later = Later(until=arguments.until, logs=arguments.binlogs)
    repository = repository_of(environ)
    place = place_of({**environ, "DATA_DIR": str(arguments.target)})
    # what is learnt of the repository is this machine's, not the restored place's
    restic, tell = Restic(replace(repository, cache=place.folder / "cache")), Progress()
    found = restore(place, restic, arguments.backup, tell, force=arguments.force, later=later)
    tell(
        f"restored {found.snapshot.id[:8]} of {found.manifest.finished_at}: {found.manifest.rows} rows, as "
        "they were saved"
    )


def prove(environ: Mapping[str, str]) -> None:
    """Restore the newest backup into a scratch place and sell there; the report is printed and noted."""
    place, repository = place_of(environ), repository_of(environ)
    place.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    report = drill(place, Restic(repository), Progress())
    note_drill(place.folder, {**report, "repository": repository.shown})
    for step in report["steps"]:
        mark = "ok  " if step["ok"] else "FAIL"
        sys.stdout.write(f"{mark} {step['seconds']:6.1f} s  {step['name']}: {step['result']}\n")
    if not report["ok"]:
        raise BackupFault(report["fault"])


def show(environ: Mapping[str, str]) -> None:
    """List the backups, and note the newest as the last good one where nothing is known of any."""
    place, repository = place_of(environ), repository_of(environ)
    restic = Restic(repository)
    found = restic.snapshots(TAG)
    for snapshot in found:
        sys.stdout.write(f"{snapshot.id[:8]}  {instant_text(snapshot.at)}\n")
    place.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if found:
        manifest = Manifest.of(restic.read(found[-1].id, f"/{NAME}"))
        known = taking.Taken(snapshot_id=found[-1].id, manifest=manifest, seconds=0.0)
        _note(place, known.document(), repository.shown)


def _note(place: Place, outcome: dict[str, Any], repository: str) -> None:
    place.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    note_backup(place.folder, {**outcome, "repository": repository})


def main() -> int:
    """See above. SIGTERM ends it in an orderly way: what was begun is removed, what was started is ended."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    # the worker, which begins this, holds its signals back
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGINT})
    arguments = _arguments()
    try:
        if arguments.command == "take":
            take(os.environ)
        elif arguments.command == "restore":
            bring_back(os.environ, arguments)
        elif arguments.command == "drill":
            prove(os.environ)
        else:
            show(os.environ)
    except SettingError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except (BackupFault, OSError) as error:
        sys.stderr.write(f"{arguments.command}: {error}\n")
        return 1
    return 0


def _moment(text: str) -> datetime:
    """Without a zone it is UTC."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="backups", description="Backups of the whole product.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("take", help="make a backup now")
    commands.add_parser("drill", help="restore the newest into a scratch place, and sell there")
    commands.add_parser("status", help="list the backups that there are")
    restoring = commands.add_parser("restore", help="bring a backup back")
    restoring.add_argument("backup", nargs="?", default=LATEST, help=f"its id (default: {LATEST})")
    restoring.add_argument("target", type=Path, help="the folder that becomes the DATA_DIR")
    restoring.add_argument(
        "--until", type=_moment, help="then go on to this moment, such as 2026-05-01T03:12:00Z"
    )
    restoring.add_argument("--binlogs", type=Path, help="the folder with the binary logs that lead there")
    restoring.add_argument("--force", action="store_true", help="also where something is already")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
