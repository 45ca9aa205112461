"""One sandbox and one receiver for all tests here; each test finds them behaving well."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sandbox.running import Receiver, SandboxProcess, running_sandbox


@pytest.fixture(scope="package")
def shared_receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture(scope="package")
def shared_sandbox(
    shared_receiver: Receiver, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SandboxProcess]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox"), shared_receiver.url) as sandbox:
        yield sandbox


@pytest.fixture
def receiver(shared_receiver: Receiver) -> Receiver:
    shared_receiver.status = 200
    return shared_receiver


@pytest.fixture
def sandbox(shared_sandbox: SandboxProcess) -> SandboxProcess:
    shared_sandbox.behave()
    return shared_sandbox
