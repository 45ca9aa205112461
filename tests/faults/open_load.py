"""Clients who come at a rate of their own, whether or not the ones before them were answered."""

from __future__ import annotations

import http.client
import threading
import time
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Outcome:
    """`status` 0: connected and not answered; -1: refused. `began` and `ended`: monotonic seconds."""

    path: str
    status: int
    began: float
    ended: float
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def seconds(self) -> float:
        return self.ended - self.began


def send(port: int, path: str, method: str = "GET", headers: dict[str, str] | None = None) -> Outcome:
    """One request on a connection of its own."""
    began = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.connect()
    except OSError as error:
        return Outcome(path, -1, began, time.monotonic(), body=repr(error).encode())
    try:
        connection.request(method, path, headers=headers or {})
        answer = connection.getresponse()
        body = answer.read()
        names = {name.lower(): value for name, value in answer.getheaders()}
        return Outcome(path, answer.status, began, time.monotonic(), names, body)
    except (OSError, http.client.HTTPException) as error:
        return Outcome(path, 0, began, time.monotonic(), body=repr(error).encode())
    finally:
        connection.close()


def arrive(port: int, paths: list[str], per_second: float, method: str = "GET") -> list[Outcome]:
    """A request for each of `paths`, `per_second` of them, each in a thread of its own; all outcomes."""
    outcomes: list[Outcome] = []
    begin = time.monotonic()

    def one(path: str) -> None:
        outcomes.append(send(port, path, method))

    threads = []
    for number, path in enumerate(paths):
        wait = begin + number / per_second - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        thread = threading.Thread(target=one, args=(path,))
        thread.start()
        threads.append(thread)
    for thread in threads:
        thread.join()
    return outcomes
