"""What the load generator's process is told: where to go, what is sold there, how many come when."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """So many users for so many seconds, once `ramp` more of them a second have come."""

    label: str
    users: int
    seconds: float
    ramp: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`until_knee` ends the stages when a step brings no more. `words` are searched for; `rush_ticket` is
    left to the rush.
    """

    gateway: str
    samples: str
    tokens: dict[str, str]
    stages: tuple[Stage, ...]
    until_knee: bool = False
    think: float = 1.0
    words: tuple[str, ...] = ()
    rush_ticket: str = ""

    def write(self, path: Path) -> None:
        """Readable by its owner alone: it holds the staff's tokens."""
        path.touch(mode=0o600)
        path.write_bytes(orjson.dumps(asdict(self)))


def read_plan(path: Path) -> Plan:
    found: dict[str, Any] = orjson.loads(path.read_bytes())
    stages = tuple(Stage(**stage) for stage in found.pop("stages"))
    words = tuple(found.pop("words"))
    return Plan(stages=stages, words=words, **found)
