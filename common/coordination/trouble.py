"""A line in the log when something goes away, and one when it is back; nothing in between."""

from __future__ import annotations

import logging


class Trouble:
    """One thing that others do without while it is away. Safe for threads: at worst a line comes twice."""

    def __init__(self, log: logging.Logger, what: str) -> None:
        self._log = log
        self._what = what
        self.is_on = False

    def on(self, cause: BaseException | str) -> None:
        """It failed: written the first time."""
        if not self.is_on:
            self.is_on = True
            self._log.warning("%s is away, this process goes on alone: %s", self._what, cause)

    def off(self) -> None:
        """It works: written when it had failed before."""
        if self.is_on:
            self.is_on = False
            self._log.warning("%s is back", self._what)
