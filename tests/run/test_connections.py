"""How connections are shared out among the workers of a service."""

from __future__ import annotations

import socket
import sys
from collections import Counter
from contextlib import ExitStack, closing
from pathlib import Path

import httpx

from tests.servers.process import ROOT, Process, eventually, free_port

WORKERS, THREADS = 2, 4


def test_a_burst_of_connections_is_shared_by_the_workers(tmp_path: Path) -> None:
    port, release = free_port(), tmp_path / "release"
    env = {
        "TICKETING_PORT": str(port),
        "WEB_WORKERS": str(WORKERS),
        "WEB_THREADS": str(THREADS),
        "RELEASE_FILE": str(release),
    }
    argv = [
        sys.executable,
        "-m",
        "gunicorn",
        "-c",
        str(ROOT / "gunicorn.conf.py"),
        "tests.run.blocking_app:app",
    ]
    gunicorn = Process(argv, env=env, name="gunicorn")
    with closing(gunicorn), ExitStack() as opened:
        gunicorn.start()
        gunicorn.wait_for_port(port)
        up: set[str] = set()
        eventually(lambda: _both_up(port, up), what="both workers serving")
        connections = [
            opened.enter_context(socket.create_connection(("127.0.0.1", port), 20))
            for _ in range(WORKERS * THREADS)
        ]
        for connection in connections:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        eventually(lambda: _waiting(port) == 0, what="every connection being accepted")
        release.touch()
        answered = Counter(map(_body, connections))
    assert sorted(answered.values()) == [THREADS] * WORKERS


def _both_up(port: int, up: set[str]) -> bool:
    up.add(httpx.get(f"http://127.0.0.1:{port}/up", headers={"Connection": "close"}).text)
    return len(up) == WORKERS


def _waiting(port: int) -> int:
    """How many connections lie in the listening socket's queue (its receive queue in /proc/net/tcp)."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1].endswith(f":{port:04X}") and fields[3] == "0A":
            return int(fields[4].partition(":")[2], 16)
    return 0


def _body(connection: socket.socket) -> bytes:
    received = b""
    while chunk := connection.recv(65536):
        received += chunk
    return received.partition(b"\r\n\r\n")[2]
