"""What holds for every test: nothing leaves this machine, and none fails because the machine is busy."""

from __future__ import annotations

import ipaddress
import socket
import sys
from typing import Any

from hypothesis import settings


class OutsideWorldError(RuntimeError):
    """A test reached for an address that is not on this machine."""


def _is_here(host: object) -> bool:
    if host is None or host in ("", "localhost"):
        return True
    text = host.decode() if isinstance(host, bytes) else str(host)
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _stay_here(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse connections, datagrams and name look-ups that go elsewhere (a hook that every library meets)."""
    if event in ("socket.connect", "socket.sendto"):
        connection, address = arguments
        if connection.family in (socket.AF_INET, socket.AF_INET6) and not _is_here(address[0]):
            raise OutsideWorldError(f"{event} to {address}")
    elif event in ("socket.getaddrinfo", "socket.gethostbyname") and not _is_here(arguments[0]):
        raise OutsideWorldError(f"{event} of {arguments[0]!r}")


def pytest_configure() -> None:
    """Installed here, not by a fixture: imports and collection stay on this machine too."""
    sys.addaudithook(_stay_here)
    settings.register_profile("any machine", deadline=None)
    settings.load_profile("any machine")
