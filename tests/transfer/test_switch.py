"""The switch: the platform is closed on the source, the last passes are made, and the target is opened."""

from __future__ import annotations

import io
import os
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from admin_service.commands import transfer as admin
from admin_service.domain.modes import Mode
from admin_service.storage import opening as admin_opening
from common.transfer import running
from common.transfer.port import TransferFault
from common.transfer.progress import Progress
from common.transfer.running import Move
from tests.contract.builders import NOW
from tests.servers.process import ROOT
from tests.transfer.conftest import Stores
from tests.transfer.moving import both_sides, content, move
from ticketing_service.storage.opening import open_store


def copied(stores: Stores, folder: Path) -> str:
    """A file of its own with a little of everything."""
    url = stores.new("sqlite")
    move(stores.mover, stores.filled("sqlite"), url, folder / "copy.db")
    return url


def switch(stores: Stores, source_url: str, target_url: str, progress: Path) -> None:
    """The steps of SWITCH=read_only for one service."""
    with (
        both_sides(stores.mover, source_url, target_url) as (source, target),
        closing(Progress(progress)) as kept,
    ):
        steps = Move(stores.mover, source, target, kept, io.StringIO())
        steps.copy()
        steps.finish(source_url, target_url, is_offline=False)


def test_a_service_that_goes_on_writing_is_not_switched(
    ticketing_stores: Stores, progress: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "FREEZE_SECONDS", 0.0)
    with pytest.raises(TransferFault, match="stop ticketing and ticketing-worker, and use SWITCH=offline"):
        switch(
            ticketing_stores, ticketing_stores.filled("sqlite"), ticketing_stores.empty("sqlite"), progress
        )


def test_a_service_that_has_heard_of_read_only_is_switched(
    ticketing_stores: Stores, progress: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "IN_FLIGHT_SECONDS", 0.0)
    source_url, target_url = copied(ticketing_stores, progress.parent), ticketing_stores.empty("sqlite")
    with closing(open_store(source_url, threads=1)) as store:
        store.platform.keep({"revision": 4, "values": {}, "mode": "read_only"}, NOW)
    switch(ticketing_stores, source_url, target_url, progress)
    assert content(ticketing_stores.mover, target_url) == content(ticketing_stores.mover, source_url)


def test_the_target_is_opened_and_the_source_stays_closed(
    admin_stores: Stores, progress: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "IN_FLIGHT_SECONDS", 0.0)
    source_url, target_url = copied(admin_stores, progress.parent), admin_stores.empty("sqlite")
    monkeypatch.setenv("FROM", source_url)
    monkeypatch.setenv("TO", target_url)
    assert admin.main(["freeze"]) == 0
    assert admin.is_frozen(source_url)
    switch(admin_stores, source_url, target_url, progress)
    assert admin.main(["open"]) == 0
    with closing(admin_opening.open_store(target_url, threads=1)) as store:
        assert store.config.mode().mode is Mode.NORMAL
    assert admin.is_frozen(source_url)
    assert admin.main(["thaw"]) == 0
    assert not admin.is_frozen(source_url)


def test_the_command_moves_both_services(
    ticketing_stores: Stores, admin_stores: Stores, tmp_path: Path
) -> None:
    for stores in (ticketing_stores, admin_stores):
        name = stores.mover.name
        source = Path(stores.filled("sqlite").removeprefix("sqlite:///"))
        (tmp_path / f"{name}.db").write_bytes(source.read_bytes())
        log = source.with_name(source.name + "-wal")
        if log.exists():
            (tmp_path / f"{name}.db-wal").write_bytes(log.read_bytes())
    environment = {
        **os.environ,
        "FROM": f"sqlite:///{tmp_path}/{{service}}.db",
        "TO": f"sqlite:///{tmp_path}/new-{{service}}.db",
        "DATA_DIR": str(tmp_path / "data"),
        "SWITCH": "offline",
    }
    done = subprocess.run(
        ["deploy/migrate-store.sh"], cwd=ROOT, env=environment, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("verified") == 2
    for stores in (ticketing_stores, admin_stores):
        moved = content(stores.mover, f"sqlite:///{tmp_path}/new-{stores.mover.name}.db")
        assert moved == content(stores.mover, stores.filled("sqlite"))
