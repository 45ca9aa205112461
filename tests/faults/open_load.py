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


Idle = list[http.client.HTTPConnection]


def send(
    port: int,
    path: str,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    idle: Idle | None = None,
) -> Outcome:
    """One request, on a connection out of `idle` if there is one; afterwards it is kept there."""
    began = time.monotonic()
    connection = _connection(port, idle)
    try:
        if connection.sock is None:
            connection.connect()
    except OSError as error:
        return Outcome(path, -1, began, time.monotonic(), body=repr(error).encode())
    try:
        connection.request(method, path, headers=headers or {})
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        return Outcome(path, 0, began, time.monotonic(), body=repr(error).encode())
    if idle is None:
        connection.close()
    else:
        idle.append(connection)
    names = {name.lower(): value for name, value in answer.getheaders()}
    return Outcome(path, answer.status, began, time.monotonic(), names, body)


def arrive(
    port: int, paths: list[str], per_second: float, method: str = "GET", *, keep: bool = False
) -> list[Outcome]:
    """A request for each of `paths`, `per_second` of them, each in a thread of its own; all outcomes.

    `keep`: on connections that are used again, as a gateway does.
    """
    outcomes: list[Outcome] = []
    idle: Idle | None = [] if keep else None
    begin = time.monotonic()

    def one(path: str) -> None:
        outcomes.append(send(port, path, method, idle=idle))

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
    for connection in idle or ():
        connection.close()
    return outcomes


def _connection(port: int, idle: Idle | None) -> http.client.HTTPConnection:
    try:
        return (idle or []).pop()
    except IndexError:
        return http.client.HTTPConnection("127.0.0.1", port, timeout=60)
