"""The tests' own guard: what leaves this machine fails, whatever library tries it."""

from __future__ import annotations

import socket

import httpx
import pytest

from tests.conftest import OutsideWorldError


def test_a_connection_to_another_machine_is_refused() -> None:
    with socket.socket() as outgoing, pytest.raises(RuntimeError, match=r"socket\.connect to"):
        outgoing.connect(("192.0.2.1", 80))


def test_a_datagram_and_a_name_lookup_are_refused() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as outgoing, pytest.raises(RuntimeError, match="sendto"):
        outgoing.sendto(b"x", ("192.0.2.1", 53))
    with pytest.raises(RuntimeError, match="getaddrinfo"):
        httpx.get("http://example.org")


def test_this_machine_is_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()[:2]):
        pass
    assert OutsideWorldError.__base__ is RuntimeError
