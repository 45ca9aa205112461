"""How connections are shared out among the workers of a service, and among a worker's threads."""

from __future__ import annotations

import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from subprocess import DEVNULL, Popen

import httpx
import pytest

from tests.servers.gunicorn import Gunicorn
from tests.servers.process import connections_to, eventually

WORKERS, THREADS = 2, 4
REQUESTS = 40
BUSY_SECONDS = 5
GRACEFUL_SECONDS = 15  # as in gunicorn.conf.py
COUNTING = "tests.run.counting_worker"
LAST = {"Connection": "close"}
ASK_AND_CLOSE = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def test_a_burst_of_connections_is_shared_by_the_workers(tmp_path: Path) -> None:
    release = tmp_path / "release"
    env = {"RELEASE_FILE": str(release)}
    blocking = Gunicorn("tests.run.blocking_app", workers=WORKERS, threads=THREADS, env=env)
    with blocking, ExitStack() as opened:
        port = blocking.port
        up: set[str] = set()
        eventually(lambda: _both_up(port, up), what="both workers serving")
        connections = [opened.enter_context(_connected(port)) for _ in range(WORKERS * THREADS)]
        eventually(lambda: _waiting(port) == 0, what="every connection being accepted")
        for connection in connections:
            connection.sendall(ASK_AND_CLOSE)
        release.touch()
        answered = Counter(map(_body, connections))
    assert sorted(answered.values()) == [THREADS] * WORKERS


def test_requests_that_follow_at_once_are_served_by_the_same_thread() -> None:
    with (
        _counting() as counting,
        _connected(counting.port) as connection,
    ):
        counts = [_asked(connection) for _ in range(REQUESTS)]
    assert len(set(counts)) == 1


def test_who_asks_without_a_pause_keeps_no_connection_waiting() -> None:
    with _counting() as counting, httpx.Client(base_url=counting.url, timeout=20) as connected:
        assert connected.get("/").status_code == 200
        parked = f"{counting.url}/parked"
        eventually(lambda: httpx.get(parked, headers=LAST).text == "1", what="its thread leaving it")
        with _busy(counting.port) as busy:
            for _ in range(3):
                assert connected.get("/").status_code == 200
            assert busy.poll() is None


def test_who_asks_without_a_pause_keeps_nobody_from_connecting() -> None:
    with _counting() as counting, _busy(counting.port) as busy:
        for _ in range(3):
            assert httpx.get(f"{counting.url}/", timeout=20).status_code == 200
        assert busy.poll() is None


@pytest.mark.parametrize("length", [1_000, 70_000, 900_000])
@pytest.mark.parametrize("chunked", [False, True], ids=["whole", "in chunks"])
def test_who_was_promised_a_connection_keeps_it_whatever_of_the_body_was_read(
    length: int, chunked: bool
) -> None:
    body = bytes(length)
    with _counting() as counting, httpx.Client(base_url=counting.url, timeout=20) as client:
        for _ in range(3):
            answer = client.post("/unread", content=iter([body]) if chunked else body)
            assert answer.text == "refused, whatever it is"
            assert answer.headers["Connection"] == ("close" if chunked or length > 1_000 else "keep-alive")


@pytest.mark.parametrize(
    "chunks, status",
    [
        (b"3\r\nabc\r\n0\r\n\r\n", 200),
        (b"5\r\nabc", 400),
        (b"3\r\nabc", 400),
        (b"3\r\nabcde", 400),
        (b"zz\r\nabc\r\n", 400),
        (b"0\r\nno trailer\r\n\r\n", 400),
    ],
    ids=["whole", "broken off", "no line break", "longer", "no size", "no trailer"],
)
def test_chunks_that_are_not_what_they_say_are_a_bad_request(chunks: bytes, status: int) -> None:
    with (
        _counting() as counting,
        _connected(counting.port) as connection,
    ):
        connection.sendall(
            b"POST /read HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks
        )
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as answer:
            assert int(answer.readline().split()[1]) == status


def test_who_says_nothing_has_no_thread_and_is_answered_when_he_does() -> None:
    with (
        _counting() as counting,
        httpx.Client(base_url=counting.url, timeout=20) as client,
        ExitStack() as opened,
    ):
        assert client.get("/").status_code == 200
        silent = [opened.enter_context(_connected(counting.port)) for _ in range(8 * THREADS)]
        # To each of whom a thread would be lent for five seconds.
        for _ in range(3):
            assert client.get("/").status_code == 200
        assert httpx.get(counting.url, timeout=20).status_code == 200
        assert all(map(_asked, silent))


def test_who_says_nothing_does_not_hold_up_the_end() -> None:
    with _counting() as counting, _connected(counting.port):
        assert httpx.get(counting.url, timeout=20).status_code == 200
        begun = time.monotonic()
        counting.stop()
        assert time.monotonic() - begun < GRACEFUL_SECONDS


def test_who_does_not_close_his_side_keeps_nobody_waiting_and_is_let_go() -> None:
    with _counting() as counting, ExitStack() as opened:
        lazy = [opened.enter_context(_connected(counting.port)) for _ in range(4 * THREADS)]
        for connection in lazy:
            connection.sendall(ASK_AND_CLOSE)
        # Of whom each could take two seconds of the main thread's time.
        assert httpx.get(counting.url, timeout=10).status_code == 200
        for connection in lazy:
            assert _body(connection).isdigit()
        eventually(lambda: all(map(_is_gone, lazy)), what="all being closed")


@contextmanager
def _busy(port: int) -> Iterator[Popen[bytes]]:
    """Who has as many connections as there are threads, and asks on each as soon as it is answered."""
    before = connections_to(port)
    words = ["wrk", "-t1", f"-c{THREADS}", f"-d{BUSY_SECONDS}", f"http://127.0.0.1:{port}/"]
    with Popen(words, stdout=DEVNULL) as busy:
        eventually(lambda: connections_to(port) >= before + THREADS, what="all being connected")
        yield busy
        busy.terminate()


def _counting() -> Gunicorn:
    return Gunicorn(COUNTING, "--worker-class", f"{COUNTING}.CountingWorker", threads=THREADS)


def _connected(port: int) -> socket.socket:
    """A connection, to be used in a `with`."""
    return socket.create_connection(("127.0.0.1", port), 20)


def _asked(connection: socket.socket) -> int:
    """The number in the answer to a request on a connection that is kept."""
    connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    with connection.makefile("rb") as answer:
        while line := answer.readline().strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        return int(answer.read(length))


def _both_up(port: int, up: set[str]) -> bool:
    up.add(httpx.get(f"http://127.0.0.1:{port}/up", headers=LAST).text)
    return len(up) == WORKERS


def _waiting(port: int) -> int:
    """How many connections lie in the listening socket's queue (its receive queue in /proc/net/tcp)."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1].endswith(f":{port:04X}") and fields[3] == "0A":
            return int(fields[4].partition(":")[2], 16)
    return 0


def _is_gone(connection: socket.socket) -> bool:
    """Whether what is sent there is refused by now."""
    try:
        connection.send(b" ")
    except OSError:
        return True
    return False


def _body(connection: socket.socket) -> bytes:
    received = b""
    while chunk := connection.recv(65536):
        received += chunk
    return received.partition(b"\r\n\r\n")[2]
