"""A source of values that counts how often it was asked."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any


class Source:
    """`load` gives the present value; it can be made to wait, or to fail."""

    def __init__(self, value: Any = "first") -> None:
        self.value = value
        self.loads = 0
        self.error: Exception | None = None
        self.entered = threading.Event()
        self.go = threading.Event()
        self.go.set()
        self._lock = threading.Lock()

    def load(self) -> Any:
        with self._lock:
            self.loads += 1
        value = self.value
        self.entered.set()
        assert self.go.wait(20)
        if self.error is not None:
            raise self.error
        return value


def in_threads(count: int, work: Callable[[], Any]) -> list[Any]:
    """What `work` gave in each of `count` threads that began together; raises what any of them raised."""
    barrier = threading.Barrier(count)
    results: list[Any] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            barrier.wait(20)
            results.append(work())
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    if errors:
        raise errors[0]
    return results
