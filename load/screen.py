"""What the one who waits sees: which profile, how far, and how it goes."""

from __future__ import annotations

import sys
import time

from load.findings import own_requests
from load.plots import clock
from load.samples import Second

PLAIN_PERIOD_SECONDS = 5


class Screen:
    """One line that changes on a terminal, else a line each few seconds; on standard error."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._open_line = False
        self._begun = time.monotonic()

    def say(self, text: str) -> None:
        """A line that stays."""
        if self._open_line:
            sys.stderr.write("\r\x1b[K")
            self._open_line = False
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()

    def profile(self, name: str, number: int, count: int, seconds_left: float) -> None:
        """The next profile begins."""
        left = clock(seconds_left)
        self.say(f"[{number}/{count}] {name} · {clock(self.seconds)} gone, about {left} left in all")

    def second(self, profile: str, second: Second, number: int) -> None:
        """How the present second went."""
        tally = own_requests([second])
        wrong = f", {tally.failed} wrong" if tally.failed else ""
        text = (
            f"  {clock(number)} {second.stage} · {second.users} users · {tally.count}/s · "
            f"P95 {tally.percentile(0.95):.0f} ms{wrong}"
        )
        self.progress(text, number)

    def progress(self, text: str, number: int) -> None:
        """A line that the next one replaces; `number` counts them."""
        if self._is_terminal:
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()
            self._open_line = True
        elif number % PLAIN_PERIOD_SECONDS == 0:
            self.say(text)

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self._begun
