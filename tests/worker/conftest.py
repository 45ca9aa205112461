"""One sandbox for all tests here; a store, a mail server and a shop for each."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox.running import SandboxProcess, running_sandbox
from tests.servers.process import free_port
from tests.servers.smtp import SmtpServer
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


@pytest.fixture(scope="package")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "store.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def store_url(migrated: Path, tmp_path: Path) -> str:
    return f"sqlite:///{shutil.copy(migrated, tmp_path / 'store.db')}"


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
