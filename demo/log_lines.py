"""The services' JSON log lines, as a person reads them."""

from __future__ import annotations

import json
from typing import Any

AMONG_SERVICES = ("/api/admin/auth/changes", "/api/admin/internal/", "/api/v1/internal/")
"""Beginnings of routes that the services ask each other for, again and again."""


def for_people(line: str) -> str | None:
    """The line in short when it is one of the services' JSON lines; any other line as it is.

    None for one that would only hide the others: a service has asked another, and was answered.
    """
    if not line.startswith("{"):
        return line
    try:
        entry: dict[str, Any] = json.loads(line)
        # What a problem document calls its instance: only worth the space when something went wrong.
        request = f" [{entry['requestId']}]" if "requestId" in entry else ""
        if entry["logger"] == "request":
            if entry["status"] < 400 and entry["route"].startswith(AMONG_SERVICES):
                return None
            status = f"{entry['status']} {entry['code']}" if "code" in entry else entry["status"]
            short = f"{entry['method']} {entry['route']} {status} ({entry['durationMs']:.0f} ms)"
            return short if entry["status"] < 400 else short + request
        text = f"{entry['level']} {entry['logger']}: {entry['message']}{request}"
        return f"{text}\n{entry['exception']}" if "exception" in entry else text
    except (ValueError, KeyError, TypeError, AttributeError):
        return line
