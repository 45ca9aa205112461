"""What is known on this machine of backups and drills: a small file, for whoever watches over them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

NAME = "state.json"

LATE = timedelta(hours=26)
"""Older than that, the last good backup is too old: a day, and time to make one."""

Document = Mapping[str, Any]


def moment_of(outcome: Document | None) -> datetime | None:
    """When a backup or drill ended."""
    return None if not outcome else datetime.fromisoformat(outcome["at"])


def read_state(folder: Path) -> dict[str, Any] | None:
    """What was noted last: `last` is the outcome of the last backup, `good` that of the last good one,
    `drill` and `goodDrill` the same of drills. None before anything was noted, or when it cannot be read.
    """
    try:
        found = json.loads((folder / NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def note_backup(folder: Path, outcome: Document) -> None:
    """Keep the outcome of a backup: `ok` says whether it is a good one. Raises OSError."""
    _note(folder, {"last": outcome, **({"good": outcome} if outcome["ok"] else {})})


def note_drill(folder: Path, report: Document) -> None:
    """Keep the report of a drill, in the same way."""
    _note(folder, {"drill": report, **({"goodDrill": report} if report["ok"] else {})})


def _note(folder: Path, changes: Document) -> None:
    state = {
        "last": None,
        "good": None,
        "drill": None,
        "goodDrill": None,
        **(read_state(folder) or {}),
        **changes,
    }
    part = folder / f".{NAME}.{os.getpid()}"
    part.write_text(json.dumps(state), encoding="utf-8")
    part.replace(folder / NAME)
