"""What operators do, one log line each."""

from __future__ import annotations

import logging
from typing import Protocol

from common.auth.policy import Caller

log = logging.getLogger("audit")
# Whatever LOG_LEVEL says: these lines are always written.
log.setLevel(logging.INFO)


class Audit(Protocol):
    """Is told what was done and by whom, after it was done; its failure must not show."""

    def __call__(self, action: str, caller: Caller, **facts: str | None) -> None: ...


def log_line(action: str, caller: Caller, **facts: str | None) -> None:
    """The audit line of an operator's act, with what of `facts` there is."""
    said = {name: value for name, value in facts.items() if value is not None}
    log.info("operator: %s", action, extra={**said, "audit": action, "actor": caller.principal})
