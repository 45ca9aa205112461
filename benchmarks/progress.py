"""Says which measurement is under way, which of how many, and when all will be done."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """A measurement and the seconds it is expected to take."""

    name: str
    seconds: float


class Progress:
    """One line a step, on standard error, so that the tables can be kept by themselves."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = steps
        self._done = 0
        self._begun = time.monotonic()

    @contextmanager
    def step(self) -> Iterator[Step]:
        """The next step; shows how long is left before it and how long it took after it."""
        current = self._steps[self._done]
        left = sum(step.seconds for step in self._steps[self._done :])
        place = f"[{self._done + 1:>2}/{len(self._steps)}]"
        self._say(f"{place} {current.name} ... about {_minutes(left)} left in all", end="")
        begun = time.monotonic()
        yield current
        self._done += 1
        self._say(f" · {time.monotonic() - begun:.0f} s")

    def finish(self) -> None:
        self._say(f"{self._done} measurements in {_minutes(time.monotonic() - self._begun)}")

    @staticmethod
    def _say(text: str, end: str = "\n") -> None:
        print(text, end=end, file=sys.stderr, flush=True)


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02} min"
