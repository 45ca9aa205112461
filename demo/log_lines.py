"""The services' JSON log lines, as a person reads them."""

from __future__ import annotations

import json
from typing import Any


def for_people(line: str) -> str:
    """The line in short when it is one of the services' JSON lines; any other line as it is."""
    if not line.startswith("{"):
        return line
    try:
        entry: dict[str, Any] = json.loads(line)
        # What a problem document calls its instance: only worth the space when something went wrong.
        request = f" [{entry['requestId']}]" if "requestId" in entry else ""
        if entry["logger"] == "request":
            short = f"{entry['method']} {entry['route']} {entry['status']} ({entry['durationMs']:.0f} ms)"
            return short if entry["status"] < 400 else short + request
        text = f"{entry['level']} {entry['logger']}: {entry['message']}{request}"
        return f"{text}\n{entry['exception']}" if "exception" in entry else text
    except (ValueError, KeyError, TypeError):
        return line
