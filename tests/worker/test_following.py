"""The platform's configuration is followed, kept, and stands while the admin service is away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from common.database import StoreUnavailable
from tests.contract.builders import NOW
from tests.migrated import with_tables
from ticketing_service.actions.following import Followed, Follower
from ticketing_service.clients.admin import NoPlatformSource
from ticketing_service.clients.port import AdminUnavailable
from ticketing_service.domain.platform import Mode, Platform
from ticketing_service.storage.port import Store
from ticketing_service.storage.sql.store import migrate, open_store


class Admin:
    """Says what it is told to say, or nothing."""

    def __init__(self) -> None:
        self.says: Any = None

    def read(self) -> Mapping[str, Any]:
        if self.says is None:
            raise AdminUnavailable("away")
        said: Mapping[str, Any] = self.says
        return said


class Watched:
    """The store's part, which can be away, and counts what is kept."""

    def __init__(self, store: Store) -> None:
        self.store, self.away, self.kept_times = store, False, 0

    def kept(self) -> Mapping[str, Any] | None:
        self._ask()
        return self.store.platform.kept()

    def keep(self, document: Mapping[str, Any], now: Any) -> None:
        self._ask()
        self.kept_times += 1
        self.store.platform.keep(document, now)

    def _ask(self) -> None:
        if self.away:
            raise StoreUnavailable("away")


class Process:
    """One process that follows."""

    def __init__(self, admin: Admin, kept: Watched) -> None:
        self.followed = Followed()
        self.follower = Follower(self.followed, admin, kept, lambda: NOW)

    def look(self) -> Platform:
        self.follower.look()
        return self.followed.platform


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Watched]:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    with_tables(url, migrate)
    store = open_store(url)
    yield Watched(store)
    store.close()


def said(fee: int, mode: str = "normal") -> dict[str, Any]:
    return {"revision": fee, "values": {"sales.bookingFee": fee}, "mode": mode}


def test_before_anybody_said_anything_our_own_defaults_hold(kept: Watched) -> None:
    assert Process(Admin(), kept).look() == Platform()


def test_what_is_said_holds_from_then_on(kept: Watched) -> None:
    admin = Admin()
    process = Process(admin, kept)
    admin.says = said(300, "read_only")
    assert (process.look().policy.fee, process.look().mode) == (300, Mode.READ_ONLY)
    admin.says = said(400)
    assert (process.look().policy.fee, process.look().mode) == (400, Mode.NORMAL)


def test_while_the_admin_service_is_away_the_last_word_stands_also_after_a_start(kept: Watched) -> None:
    admin = Admin()
    process = Process(admin, kept)
    admin.says = said(300, "maintenance")
    process.look()
    admin.says = None
    assert process.look().policy.fee == 300
    new = Process(admin, kept)
    assert (new.look().policy.fee, new.look().mode) == (300, Mode.MAINTENANCE)
    admin.says = said(500)
    assert new.look().policy.fee == 500


@pytest.mark.parametrize("nonsense", [{}, {"values": 5}, said(-1), said(300, "off"), [], "text"])
def test_nonsense_is_not_followed(kept: Watched, nonsense: Any) -> None:
    admin = Admin()
    process = Process(admin, kept)
    admin.says = said(300)
    process.look()
    admin.says = nonsense
    assert process.look().policy.fee == 300
    assert kept.store.platform.kept() == said(300)


def test_what_does_not_change_is_kept_once(kept: Watched) -> None:
    admin = Admin()
    process = Process(admin, kept)
    admin.says = said(300)
    for _ in range(5):
        process.look()
    assert kept.kept_times == 1
    Process(admin, kept).look()
    assert kept.kept_times == 2  # another process does not know; it is the same document


def test_it_is_followed_while_the_store_is_away_and_kept_when_it_is_back(kept: Watched) -> None:
    admin = Admin()
    process = Process(admin, kept)
    admin.says, kept.away = said(300), True
    assert process.look().policy.fee == 300
    kept.away = False
    process.look()
    assert kept.store.platform.kept() == said(300)


def test_what_was_kept_is_read_when_the_store_is_back(kept: Watched) -> None:
    kept.store.platform.keep(said(300), NOW)
    process = Process(Admin(), kept)
    kept.away = True
    assert process.look() == Platform()
    kept.away = False
    assert process.look().policy.fee == 300


def test_what_was_kept_by_another_version_and_cannot_be_used_is_left_alone(kept: Watched) -> None:
    kept.store.platform.keep({"other": "shape"}, NOW)
    process = Process(Admin(), kept)
    assert process.look() == Platform()
    assert process.look() == Platform()


def test_where_there_is_no_admin_service_nobody_is_told_that_it_is_away(
    kept: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    followed = Followed()
    Follower(followed, NoPlatformSource(), kept, lambda: NOW).look()
    assert followed.platform == Platform()
    assert caplog.records == []
