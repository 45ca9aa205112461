"""The history of a client: one JSON line for each answer, or the lack of one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

OK, REFUSED, UNKNOWN = "ok", "refused", "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One try of one operation. `start` and `end` are seconds (Unix).

    `kind` is ok (the store acknowledged), refused (`code` says why) or unknown (no answer; it may or may not
    have happened). Tries of one operation share its `key`. An acknowledged one has the booking and the status
    that the answer gave it.
    """

    client: str
    operation: str
    key: str
    start: float
    end: float
    kind: str
    params: dict[str, Any]
    code: str | None = None
    booking: str | None = None
    status: str | None = None
    body: str | None = None
    replayed: bool = False

    @property
    def booking_id(self) -> UUID | None:
        return None if self.booking is None else UUID(self.booking)

    def to_line(self) -> bytes:
        return orjson.dumps(asdict(self), option=orjson.OPT_APPEND_NEWLINE)


def read_histories(paths: Iterable[Path]) -> list[Record]:
    """The records of all clients, by the time of their answer."""
    records = [Record(**orjson.loads(line)) for path in paths for line in path.read_bytes().splitlines()]
    return sorted(records, key=lambda record: record.end)
