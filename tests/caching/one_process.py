"""One process of a service with a cache: run as a program, it does as it is told by its input, line by line.

Arguments: folder, Redis' port or 0. Lines in: JSON lists. Lines out: the answer of each.
"""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

from common.caching.cache import Caches
from tests.caching.conftest import Stage
from tests.caching.source import in_threads


class _Remote:
    """A server that somebody else started."""

    host = "127.0.0.1"

    def __init__(self, port: int) -> None:
        self.port = port


def main() -> None:
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    server: Any = _Remote(port) if port else None
    stage = Stage(folder, server)
    caches = stage.caches(started=True)
    for line in sys.stdin:
        verb, *arguments = json.loads(line)
        sys.stdout.write(json.dumps(_done(caches, folder, verb, arguments)) + "\n")
        sys.stdout.flush()
    stage.close()


def _done(caches: Caches, folder: Path, verb: str, arguments: list[Any]) -> Any:
    if verb == "crowd":
        key, threads = arguments

        def load() -> str:
            with (folder / "loads").open("a") as journal:
                journal.write("x")
            return (folder / "source").read_text()

        read = partial(caches.read, "tickets", key, ("t",), load)
        return sorted(set(in_threads(threads, read)))
    if verb == "read":
        return caches.read("tickets", arguments[0], ("t",), (folder / "source").read_text)
    if verb == "invalidate":
        return caches.invalidate(arguments)
    assert verb == "stats"
    return caches.stats()


if __name__ == "__main__":
    main()
