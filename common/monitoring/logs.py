"""Log lines as JSON on standard output: one line a record, whatever a record says."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from typing import TextIO

import orjson

_OWN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
# JSON leaves these as they are, and some readers of logs begin a new line at them.
_UNICODE_BREAKS = {0x85: "\\u0085", 0x2028: "\\u2028", 0x2029: "\\u2029"}


class JsonFormatter(logging.Formatter):
    """A record as one JSON object; what `extra` brought becomes members. Every line break is escaped."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line."""
        moment = datetime.fromtimestamp(record.created, UTC)
        members: dict[str, object] = {
            "timestamp": moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z",
            "level": record.levelname.lower(),
            "service": self._service,
            "logger": record.name,
            "message": record.getMessage(),
        }
        members.update((name, value) for name, value in record.__dict__.items() if name not in _OWN)
        if record.exc_info:
            members["exception"] = self.formatException(record.exc_info)
        line = orjson.dumps(members, default=repr, option=orjson.OPT_NON_STR_KEYS).decode()
        return line if line.isascii() else line.translate(_UNICODE_BREAKS)


def install(service: str, level: str, stream: TextIO | None = None) -> None:
    """Send all log records of this process, as JSON lines, to `stream` (default: standard output)."""
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(JsonFormatter(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # Each would say with every request, and with the address, what the request log says without it.
    for chatty in ("httpx", "httpcore", "werkzeug"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
