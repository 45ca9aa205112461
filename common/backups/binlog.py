"""From a copy of a MariaDB database to a later moment, by the server's binary logs."""

from __future__ import annotations

import os
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryFile

from common.backups.faults import BackupFault
from common.backups.manifest import DatabaseFacts, Position
from common.backups.mariadb import MariadbCopying, program

_NUMBERED = re.compile(r"(.+)\.(\d{6,})")


def replay(facts: DatabaseFacts, target: MariadbCopying, logs: Path, until: datetime) -> tuple[str, ...]:
    """Do again in `target`, into which the copy was loaded, what was committed from the copy on and before
    `until` (whole seconds). `logs`: the folder with the server's binary logs; the names of those that were
    read. Raises BackupFault.

    Who is signed in to the target must have the privilege BINLOG REPLAY.
    """
    if facts.position is None:
        raise BackupFault(f"the backup of {facts.database} has no position in a binary log")
    files = following(facts.position, logs)
    words = [
        program("mariadb-binlog"),
        "--no-defaults",
        f"--start-position={facts.position.offset}",
        f"--stop-datetime={until.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
        # of a row's event the filter sees the old name
        f"--database={facts.database}",
        f"--rewrite-db={facts.database}->{target.database}",
        *map(str, files),
    ]
    # into a file first: half a log must not be carried out because the other half is damaged
    with TemporaryFile() as statements:
        # it reads and writes moments in the zone of its environment
        done = subprocess.run(
            words, env={**os.environ, "TZ": "UTC"}, stdout=statements, stderr=subprocess.PIPE, check=False
        )
        if done.returncode != 0:
            raise BackupFault(
                f"mariadb-binlog: {' '.join(done.stderr.decode(errors='replace').split())[:500]}"
            )
        statements.seek(0)
        target.feed(statements)
    return tuple(path.name for path in files)


def following(position: Position, logs: Path) -> list[Path]:
    """The log of the position, and those after it, in order. Raises BackupFault when one is missing."""
    found = _NUMBERED.fullmatch(position.file)
    if found is None:
        raise BackupFault(f"{position.file} is no name of a binary log")
    base, first = found[1], int(found[2])
    numbers = {
        int(each[2]): path
        for path in logs.iterdir()
        if (each := _NUMBERED.fullmatch(path.name)) is not None and each[1] == base
    }
    wanted = range(first, max([first, *numbers]) + 1)
    for number in wanted:
        if number not in numbers:
            raise BackupFault(f"the binary log {base}.{number:06} is missing in {logs}")
    return [numbers[number] for number in wanted]
