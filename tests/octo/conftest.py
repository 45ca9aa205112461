"""One app that resellers sell through; the cases of a module share it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.http.ticketing.agency import Agency
from tests.http.ticketing.conftest import KINDS, any_shop, sandbox
from tests.http.ticketing.shop import Shop
from tests.octo.otas import Ota
from tests.sandbox.running import SandboxProcess

__all__ = ["KINDS", "any_shop", "sandbox"]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, sandbox: SandboxProcess) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("octo")
    made = Shop(folder, f"sqlite:///{folder / 'store.db'}", sandbox.url)
    yield made
    made.close()


@pytest.fixture(scope="module")
def agency(shop: Shop) -> Agency:
    credit = [{"currency": "EUR", "limit": 10_000_000}]
    return Agency(shop, credit=credit, maxHolds=500, markupBasisPoints=1000, netBasisPoints=8000)


@pytest.fixture
def ota(agency: Agency) -> Ota:
    return Ota(agency)
