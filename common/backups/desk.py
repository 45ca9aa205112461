"""What the processes of a service tell each other about backups, by what they share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from common.coordination.port import Coordination

What = Literal["take", "drill"]
STATE, ASKED = "backups", "backups-asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupDesk:
    """`repository`: where backups go, as people may see it; empty where there are none. `hour`: of the day,
    in UTC, after which one is made.
    """

    coordination: Coordination
    repository: str
    hour: int

    @property
    def configured(self) -> bool:
        return bool(self.repository)

    def state(self) -> dict[str, Any]:
        """What is known, as `common.backups.state` has it, and what is `underWay`; empty before the worker
        has looked.
        """
        found = _read(self.coordination.shared(STATE))
        return found if isinstance(found, dict) else {}

    def publish(self, state: Mapping[str, Any]) -> None:
        """Let all processes know."""
        content = json.dumps(state).encode()
        if content != self.coordination.shared(STATE):
            self.coordination.share(STATE, content)

    def ask(self, what: What) -> None:
        """Have the worker do it now."""
        self.coordination.share(ASKED, what.encode())

    def asked(self) -> What | None:
        """What was asked for last and was not begun."""
        found = self.coordination.shared(ASKED)
        if found == b"take":
            return "take"
        return "drill" if found == b"drill" else None

    def begun(self) -> None:
        """What was asked for is under way."""
        self.coordination.share(ASKED, None)


def _read(content: bytes | None) -> Any:
    try:
        return None if content is None else json.loads(content)
    except ValueError:
        return None
