"""What holds for every test: nothing leaves this machine, none fails because it is busy; shared servers."""

from __future__ import annotations

import gc
import ipaddress
import socket
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import settings

from admin_service.storage.opening import migrate as migrate_admin
from tests import scratch
from tests.counts import at_full_counts
from tests.servers.mariadb import MariaDB
from tests.servers.process import Process
from tests.servers.secantus import MongoServer, running_mongodb
from ticketing_service.storage.opening import migrate as migrate_ticketing

LONGEST_FIRST = (
    "types", "demo", "monitoring", "run", "faults", "load", "cluster", "invariants", "http", "coordination",
    "gateway", "security", "caching", "contract", "resilience", "metrics", "clients", "worker",
)  # fmt: skip
"""Folders whose tests are begun first where several processes share them: nobody is to wait for a long one
at the end. Those that compute are among those that wait."""
LOADS = ("cluster", "invariants")
"""Folders of which every test is a `load`."""


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


def pytest_configure(config: pytest.Config) -> None:
    """Installed here, not by a fixture: imports and collection stay on this machine too."""
    if not hasattr(config, "workerinput") and (end := scratch.begin()) is not None:
        config.add_cleanup(end)
    gc.disable()
    sys.addaudithook(_stay_here)
    Process.warm = True
    settings.register_profile("any machine", deadline=None)
    settings.load_profile("any machine")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    """What thousands of tests are made of stays to the end: to look for garbage among it took a quarter of
    the time.
    """
    gc.freeze()
    gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of several test processes, one has all tests of a file: what they share is made once. At full counts
    one has all loads, when the others have finished: beside those nothing would happen in time.
    """
    if not hasattr(config, "workerinput"):
        return
    for item in items:
        if _is_load(item):
            item.add_marker(pytest.mark.xdist_group("loads"), append=False)
        elif item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.location[0]))
    items.sort(key=_place)


def _folder(item: pytest.Item) -> str:
    return item.location[0].split("/")[1]


def _is_load(item: pytest.Item) -> bool:
    return at_full_counts() and (_folder(item) in LOADS or item.get_closest_marker("load") is not None)


def _place(item: pytest.Item) -> int:
    folder = _folder(item)
    if _is_load(item):
        return len(LONGEST_FIRST) + 1
    return LONGEST_FIRST.index(folder) if folder in LONGEST_FIRST else len(LONGEST_FIRST)


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[MariaDB]:
    """Started when the first test asks for it, and never stopped or frozen by any."""
    with MariaDB() as server:
        yield server


@pytest.fixture(scope="session")
def ticketing_mariadb(mariadb_server: MariaDB) -> str:
    """A migrated database of ticketing, to be `emptied` by each test: migrating takes longer than most."""
    url = mariadb_server.new_database("ticketing")
    migrate_ticketing(url)
    return url


@pytest.fixture(scope="session")
def admin_mariadb(mariadb_server: MariaDB) -> str:
    """The same of admin."""
    url = mariadb_server.new_database("admin")
    migrate_admin(url)
    return url


@pytest.fixture(scope="session")
def mongodb_server() -> Iterator[MongoServer]:
    """As `mariadb_server`."""
    with running_mongodb() as server:
        yield server


@pytest.fixture(scope="session")
def patient_mongodb_server() -> Iterator[MongoServer]:
    """For long transactions: a copy of a store is one, and so is a year of slots."""
    with running_mongodb(patient=True) as server:
        yield server


@pytest.fixture(scope="session")
def ticketing_mongodb(mongodb_server: MongoServer) -> Iterator[str]:
    """As `ticketing_mariadb`."""
    yield from _migrated(mongodb_server, "ticketing", migrate_ticketing)


@pytest.fixture(scope="session")
def admin_mongodb(mongodb_server: MongoServer) -> Iterator[str]:
    """As `admin_mariadb`."""
    yield from _migrated(mongodb_server, "admin", migrate_admin)


def _migrated(server: MongoServer, prefix: str, migrate: Callable[[str], object]) -> Iterator[str]:
    url = server.new_database(prefix)
    migrate(url)
    yield url
    server.drop_database(url)
