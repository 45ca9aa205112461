"""What a service may do instead of answering, connection by connection."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Misbehave = Callable[[socket.socket], None]


def hang(connection: socket.socket) -> None:
    connection.recv(9999)
    time.sleep(1.5)


def trickle_the_body(connection: socket.socket) -> None:
    connection.recv(9999)
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n{"status":"healthy"}')
    for _ in range(15):
        connection.sendall(b" ")
        time.sleep(0.1)


def trickle_the_head(connection: socket.socket) -> None:
    connection.recv(9999)
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Endless: ")
    for _ in range(15):
        connection.sendall(b"x")
        time.sleep(0.1)


def pour(connection: socket.socket) -> None:
    connection.recv(9999)
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(1000):
        connection.sendall(b"x" * 100_000)


def say(text: bytes) -> Misbehave:
    def answer(connection: socket.socket) -> None:
        connection.recv(9999)
        connection.sendall(text)

    return answer


MISBEHAVIOURS: dict[str, Misbehave] = {
    "hangs": hang,
    "trickles its body": trickle_the_body,
    "trickles its head": trickle_the_head,
    "pours": pour,
    "closes": say(b""),
    "speaks no HTTP": say(bytes(range(256)) * 20),
    "half a head": say(b"HTTP/1.1 200 OK\r\nContent-"),
    "half a body": say(b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"status":"healthy"}'),
    "negative length": say(b'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{"status":"healthy"}'),
    "bad chunks": say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"),
    "endless chunk": say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffff\r\n{}"),
    "status of its own": say(b"HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n"),
    "many headers": say(b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 20_000 + b"\r\n"),
}


@contextmanager
def misbehaving(how: Misbehave) -> Iterator[int]:
    """A port whose every connection is treated like that."""
    threads: list[threading.Thread] = []

    def treat(connection: socket.socket) -> None:
        with connection:
            try:
                how(connection)
            except OSError:
                return

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=treat, args=(connection,)))
            threads[-1].start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join()
    for thread in threads:
        thread.join()
