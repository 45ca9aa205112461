"""One sandbox for all tests here; a store, a mail server and a shop for each."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from tests.migrated import with_tables
from tests.sandbox.running import SandboxProcess, running_sandbox
from tests.servers.endpoint import Endpoint, Received
from tests.servers.process import free_port
from tests.servers.smtp import SmtpServer
from tests.worker.hooks import WAIT, Hooks
from tests.worker.shop import Shop
from ticketing_service.storage.port import Store
from ticketing_service.storage.sql.store import migrate, open_store


@pytest.fixture(scope="package")
def shared_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """Its webhooks go where nobody listens: the worker must do without them."""
    nobody = f"http://127.0.0.1:{free_port()}/hook"
    with running_sandbox(tmp_path_factory.mktemp("sandbox"), nobody) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared_sandbox: SandboxProcess) -> SandboxProcess:
    shared_sandbox.behave()
    return shared_sandbox


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    with_tables(url, migrate)
    return url


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    opened = open_store(store_url)
    yield opened
    opened.close()


@pytest.fixture
def smtp() -> Iterator[SmtpServer]:
    with SmtpServer() as server:
        yield server


@pytest.fixture
def shop(store: Store, tmp_path: Path, sandbox: SandboxProcess, smtp: SmtpServer) -> Iterator[Shop]:
    opened = Shop(store, tmp_path, sandbox, smtp, time.time())
    yield opened
    opened.ports.payment_module.close()  # type: ignore[attr-defined]


@pytest.fixture
def hooks(store: Store, tmp_path: Path) -> Iterator[Hooks]:
    made = Hooks(store, tmp_path)
    yield made
    made.dispatcher.close()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as running:
        yield running


@pytest.fixture
def other() -> Iterator[Endpoint]:
    with Endpoint() as running:
        yield running


@pytest.fixture
def hanging(endpoint: Endpoint) -> Iterator[Endpoint]:
    """It takes requests and answers none before the test is over."""
    over = threading.Event()

    def hang(_: Received, __: BaseHTTPRequestHandler) -> None:
        over.wait(WAIT)

    endpoint.behave = hang
    yield endpoint
    over.set()
