"""Something that a process does again and again beside its requests."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)


class Repeated:
    """Calls `run` at once and then every `every_seconds`, in a thread of its own from `start` on. What it
    raises is logged.
    """

    def __init__(self, name: str, every_seconds: float, run: Callable[[], object]) -> None:
        self.name, self._every, self._run = name, every_seconds, run
        self._stop = threading.Event()

    def start(self) -> None:
        """Begin; after the fork, as threads do not survive one."""
        self._stop = threading.Event()
        threading.Thread(target=self._loop, args=(self._stop,), name=self.name, daemon=True).start()

    def stop(self) -> None:
        """End after what is under way."""
        self._stop.set()

    def run_once(self) -> None:
        """Do it now."""
        try:
            self._run()
        except Exception:
            log.exception("%s failed", self.name)

    def _loop(self, stop: threading.Event) -> None:
        while not stop.is_set():
            self.run_once()
            stop.wait(self._every)
