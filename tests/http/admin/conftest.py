"""The admin app over an empty store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from admin_service.storage.sql import schema
from tests.http.admin.desk import Desk
from tests.migrated import emptied
from tests.servers.secantus import emptied_mongodb, patient

KINDS = [
    "sqlite",
    pytest.param("mariadb", marks=pytest.mark.mariadb),
    pytest.param("mongodb", marks=pytest.mark.mongodb),
]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path, f"sqlite:///{tmp_path / 'store.db'}")
    yield made
    made.close()


@pytest.fixture(params=KINDS)
def any_desk(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    """The same on each database."""
    url = f"sqlite:///{tmp_path / 'store.db'}"
    if request.param == "mariadb":
        url = emptied(request.getfixturevalue("admin_mariadb"), schema.metadata)
    if request.param == "mongodb":
        patient(monkeypatch)
        url = emptied_mongodb(request.getfixturevalue("admin_mongodb"))
    made = Desk(tmp_path, url)
    yield made
    made.close()
