"""In what state the whole platform is: open, closed to the public, or not to be written to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Mode(StrEnum):
    """`maintenance`: public writes are refused; staff, gates, webhooks and workers go on. `read_only`: every
    write is refused and the workers pause.
    """

    NORMAL = "normal"
    MAINTENANCE = "maintenance"
    READ_ONLY = "read_only"


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemMode:
    """The mode, why, since when and by whom. `version` counts its changes."""

    mode: Mode = Mode.NORMAL
    reason: str = ""
    changed_at: datetime | None = None
    changed_by: str = ""
    version: int = 0
