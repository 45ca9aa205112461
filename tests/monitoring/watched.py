"""A running service as its operators see it: each of its processes is asked by itself."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults.running import Running
from tests.servers.process import eventually

PREFIX = "/api/v1/monitoring"
KEY = "a-key-for-the-operators-of-this-test"
OPERATOR = {"Authorization": f"Bearer {KEY}"}
GUEST: Mapping[str, str] = {}
HANG_SECONDS = 30.0
PROMISED_SECONDS = 1.0
_BURST = 24


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)


class Watched:
    """Asks the web processes of `running`; `keys` are sent with what only operators may do."""

    def __init__(self, running: Running) -> None:
        self.running, self.stack = running, running.stack
        self._port = self.stack.ticketing_port
        self._connections: dict[int, http.client.HTTPConnection] = {}

    def ask(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] = OPERATOR) -> Answer:
        """Ask whichever process takes it; `path` below the monitoring prefix, or whole."""
        connection = self.connect()
        try:
            return _answered(connection, method, path, body, headers)
        finally:
            connection.close()

    def everywhere(self, path: str, headers: Mapping[str, str] = OPERATOR) -> dict[int, Answer]:
        """The answer of each web process to GET, by process id."""
        return {
            pid: _answered(connection, "GET", path, None, headers) for pid, connection in self.each().items()
        }

    def agreed(self, path: str, what: Callable[[Any], Any], headers: Mapping[str, str] = OPERATOR) -> Any:
        """`what` of the document, on which all processes agree before long."""
        found: list[Any] = []

        def agree() -> bool:
            found[:] = [what(answer.json) for answer in self.everywhere(path, headers).values()]
            return all(each == found[0] for each in found)

        eventually(agree, seconds=HANG_SECONDS, what=f"{path} being the same everywhere")
        return found[0]

    def rows(self, name: str) -> dict[int, Any]:
        """The rows of all processes of one breaker, the worker's too, by process id."""
        answer = self.ask("GET", "/circuit-breakers").json
        return {row["pid"]: row for row in answer["circuitBreakers"][name]["processes"].values()}

    def check(self, name: str) -> Any:
        """One check of health."""
        return self.ask("GET", "/health").json["checks"][name]

    def wait_for_check(self, name: str, status: str) -> None:
        """Until every process says so."""

        def is_so() -> bool:
            answers = self.everywhere("/health").values()
            return all(answer.json["checks"][name]["status"] == status for answer in answers)

        eventually(is_so, seconds=HANG_SECONDS, what=f"{name} being {status}")

    def pids(self) -> set[int]:
        """Those of the web processes and of the worker."""
        return {*self.stack.web_worker_pids(), self.stack.worker.pid}

    def lines(self, *names: str) -> Iterator[dict[str, Any]]:
        """The log lines of web processes and worker that have all of the members `names`."""
        for process in (self.stack.ticketing, self.stack.worker):
            for line in process.output().splitlines():
                if line.startswith("{"):
                    found = json.loads(line)
                    if found.keys() >= set(names):
                        yield found

    def close(self) -> None:
        for connection in self._connections.values():
            connection.close()
        self._connections = {}

    def connect(self) -> http.client.HTTPConnection:
        """A new connection, with whichever process takes it."""
        return http.client.HTTPConnection("127.0.0.1", self._port, timeout=HANG_SECONDS)

    def each(self) -> dict[int, http.client.HTTPConnection]:
        """A connection to each web process that lives now: a connection stays with who has accepted it."""
        pids = set(self.stack.web_worker_pids())
        for pid in self._connections.keys() - pids:
            self._connections.pop(pid).close()
        give_up = time.monotonic() + HANG_SECONDS
        while self._connections.keys() != pids:
            assert time.monotonic() < give_up, f"only {sorted(self._connections)} of {sorted(pids)} answer"
            self._connect_many(pids)
        return self._connections

    def _connect_many(self, pids: set[int]) -> None:
        # Many at once, so that no process takes them all.
        burst = [self.connect() for _ in range(_BURST)]
        for connection in burst:
            connection.request("GET", f"{PREFIX}/live")
        for connection in burst:
            connection.getresponse().read()
            pid = _accepted_by(connection.sock, pids)
            if pid is None or pid in self._connections:
                connection.close()
            else:
                self._connections[pid] = connection


def quickest(act: Callable[[int], object], reached: Callable[[int], bool], rounds: int = 3) -> float:
    """The shortest time, over some rounds, from the end of `act` until `reached`: of what a busy machine
    adds, not every round has a part. Both are told the number of the round.
    """
    times = []
    for number in range(rounds):
        act(number)
        started = time.monotonic()
        while not reached(number):
            assert time.monotonic() < started + HANG_SECONDS, "it was never reached"
            time.sleep(0.01)
        times.append(time.monotonic() - started)
    return min(times)


def _answered(
    connection: http.client.HTTPConnection, method: str, path: str, body: Any, headers: Mapping[str, str]
) -> Answer:
    content = None if body is None else json.dumps(body)
    sent = {**headers, **({"Content-Type": "application/json"} if content is not None else {})}
    whole = path if path.startswith("/api/") else f"{PREFIX}{path}"
    connection.request(method, whole, content, sent)
    response = connection.getresponse()
    return Answer(response.status, dict(response.getheaders()), response.read())


def _accepted_by(client: socket.socket, pids: set[int]) -> int | None:
    """Which process has the other end of a connection over the loopback address."""
    ends = [
        f"{socket.htonl(0x7F000001):08X}:{port:04X}"
        for port in (client.getpeername()[1], client.getsockname()[1])
    ]
    for line in Path("/proc/net/tcp").read_text().splitlines():
        words = line.split()
        if words[1:3] == ends:
            name = f"socket:[{words[9]}]"
            return next((pid for pid in pids if name in _files(pid)), None)
    return None


def _files(pid: int) -> Iterator[str]:
    for path in Path(f"/proc/{pid}/fd").iterdir():
        try:
            yield str(path.readlink())
        except OSError:  # closed meanwhile
            continue
