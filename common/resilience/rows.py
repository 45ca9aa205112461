"""A process's breakers as the others read them: one JSON row a process."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from common.resilience.states import Status, Transition

Row = Mapping[str, Any]
"""One breaker of one process; instants as text with Z."""

_LIMIT_BYTES = 64_000  # a little under what the coordination takes
_FORMAT = 1  # changes with the keys below, so that an older process leaves a newer one's rows alone


def instant_text(moment: datetime | None) -> str | None:
    """RFC 3339, UTC with Z and milliseconds."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def row_of(status: Status, events: int) -> dict[str, Any]:
    """The row of one breaker with its last `events` events."""
    error = status.last_error
    return {
        "state": status.state.upper(),
        "mode": status.mode,
        "modeReason": status.mode_reason,
        "modeUntil": instant_text(status.mode_until),
        "calls": status.counts.calls,
        "failures": status.counts.failures,
        "successes": status.counts.successes,
        "slow": status.counts.slow,
        "generation": status.generation,
        "openings": status.openings,
        "ownEvidence": status.own_evidence,
        "openedAt": instant_text(status.opened_at),
        "nextAttemptTime": instant_text(status.next_attempt_at),
        "lastError": None if error is None else {"at": instant_text(error.at), "text": error.text},
        "events": [_event(event) for event in status.events[-events:]] if events else [],
    }


def packed(process: str, pid: int, statuses: Iterable[Status]) -> bytes:
    """The row of a process, with as many of the last events as there is room for."""
    statuses = tuple(statuses)
    row = b""
    for events in (25, 10, 3, 0):
        breakers = {status.name: row_of(status, events) for status in statuses}
        row = orjson.dumps({"format": _FORMAT, "process": process, "pid": pid, "breakers": breakers})
        if len(row) <= _LIMIT_BYTES:
            break
    return row


def unpacked(row: bytes) -> Mapping[str, Any] | None:
    """What `packed` made, or None when it is something else (another version's, cut short)."""
    try:
        found = orjson.loads(row)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) and found.get("format") == _FORMAT else None


def _event(event: Transition) -> dict[str, str | None]:
    return {
        "at": instant_text(event.at),
        "from": event.from_condition,
        "to": event.to_condition,
        "cause": event.cause,
    }
