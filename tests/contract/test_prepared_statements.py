"""Where statements are compiled: before the fork, not by each process in its first sale."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from common.database import prepared
from tests.contract.builders import make_idempotency, make_voucher
from tests.contract.world import World
from tests.migrated import emptied, with_tables
from tests.servers.process import ROOT
from ticketing_service.storage.opening import migrate, open_store, prepare
from ticketing_service.storage.sql import schema


def _refuse(*_: Any) -> None:
    raise AssertionError("compiled in a sale")


@pytest.fixture(params=["sqlite", pytest.param("mariadb", marks=pytest.mark.mariadb)])
def url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Of an empty database; what other tests have had compiled is forgotten."""
    for each in prepared._written:
        monkeypatch.setattr(each, "_forms", {})
    if request.param == "mariadb":
        return emptied(request.getfixturevalue("ticketing_mariadb"), schema.metadata)
    url = f"sqlite:///{tmp_path / 'sold.db'}"
    with_tables(url, migrate)
    return url


def test_a_sale_compiles_nothing(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(url)
    monkeypatch.setattr(prepared, "_Form", _refuse)
    with closing(open_store(url)) as store:
        world = World(store)
        slot = world.slot()
        world.sold(slot, 2)
        store.vouchers.create(make_voucher(), idempotency=make_idempotency())
        assert world.again(slot).counters[0].sold == 2


def test_unprepared_it_would(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared, "_Form", _refuse)
    with closing(open_store(url)) as store, pytest.raises(AssertionError, match="compiled in a sale"):
        World(store).slot()


def test_the_server_compiles_them_before_it_forks(tmp_path: Path) -> None:
    program = (
        "from ticketing_service.wsgi import app; from common.database import prepared; "
        "print({bool(each._forms) for each in prepared._written})"
    )
    env = {
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": f"sqlite:///{tmp_path / 'new.db'}",
        "PAYMENT_API_TOKEN": "t" * 16,
        "PAYMENT_WEBHOOK_SECRET": "w" * 16,
    }
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "{True}"
