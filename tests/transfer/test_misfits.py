"""What does not fit is named, keeps nothing else back, and stops the switch."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest

from common.transfer.port import TransferFault
from common.transfer.running import run, urls_of
from tests.transfer.conftest import Stores
from tests.transfer.moving import content, marked, move


def spoiled(stores: Stores, *statements: str) -> str:
    """A filled file that SQLite lets have what no other store takes."""
    url = stores.new("sqlite")
    source = Path(stores.filled("sqlite").removeprefix("sqlite:///"))
    with (
        closing(sqlite3.connect(source)) as file,
        closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as other,
    ):
        file.backup(other)
        other.execute("PRAGMA foreign_keys=OFF")
        for statement in statements:
            other.execute(statement)
        other.commit()
    return url


def one_booking(url: str) -> UUID:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file:
        return UUID(bytes=file.execute("SELECT MIN(id) FROM ticketing_bookings").fetchone()[0])


FIRST = "id = (SELECT MIN(id) FROM ticketing_bookings)"
TOO_LONG = f"UPDATE ticketing_bookings SET customer_name = '{'Zoë ' * 90}' WHERE {FIRST}"
TOO_LARGE = f"UPDATE ticketing_bookings SET fee_amount = 9000000000 WHERE {FIRST}"


@pytest.mark.parametrize("target, statement", [
    pytest.param("mariadb", TOO_LONG, marks=pytest.mark.mariadb, id="long-mariadb"),
    pytest.param("mariadb", TOO_LARGE, marks=pytest.mark.mariadb, id="large-mariadb"),
    pytest.param("mongodb", TOO_LONG, marks=pytest.mark.mongodb, id="long-mongodb"),
    pytest.param("sqlite", TOO_LONG, id="long-sqlite"),
])  # fmt: skip
def test_a_booking_that_does_not_fit_is_named_and_stops_the_switch(
    ticketing_stores: Stores, target: str, statement: str, progress: Path
) -> None:
    mover = ticketing_stores.mover
    source_url, target_url = spoiled(ticketing_stores, statement), ticketing_stores.empty(target)
    with pytest.raises(TransferFault, match="nothing was switched") as fault:
        move(mover, source_url, target_url, progress)
    assert "bookings" in str(fault.value)
    before, after = content(mover, source_url), content(mover, target_url)
    assert after["bookings"].count == before["bookings"].count - 1
    assert after["ledger"] == before["ledger"]


def stopped(
    stores: Stores, source_url: str, target_url: str, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command says that nothing was switched."""
    monkeypatch.setenv("FROM", source_url)
    monkeypatch.setenv("TO", target_url)
    assert run(stores.mover, "offline", data_dir) == 1


def test_the_lines_name_the_booking_and_show_nothing_of_it(
    ticketing_stores: Stores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    source_url, target_url = spoiled(ticketing_stores, TOO_LONG), ticketing_stores.empty("sqlite")
    stopped(ticketing_stores, source_url, target_url, tmp_path, monkeypatch)
    shown = capsys.readouterr()
    assert f"does not fit: bookings {one_booking(source_url)}: " in shown.out
    assert "customer_name" in shown.out
    assert "Zoë" not in shown.out + shown.err
    assert "nothing was switched" in shown.err


WRONG = {
    "a counter": (
        "UPDATE ticketing_capacity_counters SET sold = sold + 1, capacity = NULL "
        "WHERE id IN (SELECT counter_id FROM ticketing_claims)",
        "does not hold: counter differs from its claims",
    ),
    "the books": (
        "UPDATE ticketing_ledger SET amount = amount + 1 WHERE kind = 'sale'",
        "does not hold: ledger differs from captures",
    ),
    "the history": (
        "UPDATE ticketing_booking_history SET to_status = 'expired' WHERE to_status = 'confirmed'",
        "does not hold: history does not end in the status",
    ),
}


@pytest.mark.parametrize("what", WRONG)
@pytest.mark.parametrize("target", [marked("sqlite"), marked("mongodb")])
def test_what_breaks_an_invariant_stops_the_switch(
    ticketing_stores: Stores, target: str, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    statement, line = WRONG[what]
    source_url, target_url = spoiled(ticketing_stores, statement), ticketing_stores.empty(target)
    stopped(ticketing_stores, source_url, target_url, tmp_path, monkeypatch)
    assert line in capsys.readouterr().out


def test_what_refers_to_nothing_stops_the_switch(
    ticketing_stores: Stores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    source_url = spoiled(ticketing_stores, f"UPDATE ticketing_ledger SET booking_id = x'{'07' * 16}'")
    stopped(ticketing_stores, source_url, ticketing_stores.empty("sqlite"), tmp_path, monkeypatch)
    assert "booking_id leads to nothing in ticketing_bookings" in capsys.readouterr().out


def test_a_part_of_nothing_stops_the_move(
    ticketing_stores: Stores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    source_url = spoiled(ticketing_stores, "DELETE FROM ticketing_tickets")
    stopped(ticketing_stores, source_url, ticketing_stores.empty("sqlite"), tmp_path, monkeypatch)
    assert "ticketing_ticket_words: a row belongs to" in capsys.readouterr().err


def test_a_source_of_another_release_is_refused(
    ticketing_stores: Stores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    source_url = f"sqlite:///{tmp_path / 'nothing.db'}"
    stopped(ticketing_stores, source_url, ticketing_stores.empty("sqlite"), tmp_path, monkeypatch)
    assert "not at the schema of this release" in capsys.readouterr().err


def test_a_move_without_two_stores_is_refused() -> None:
    for environment in ({}, {"FROM": "sqlite:///a.db"}, {"FROM": "sqlite:///a", "TO": "sqlite:///a"},
                        {"FROM": "sqlite:///a", "TO": "redis://h/1"}):  # fmt: skip
        with pytest.raises(TransferFault, match=r"FROM|TO"):
            urls_of("ticketing", environment)
    urls = urls_of("admin", {"FROM": "sqlite:////d/{service}.db", "TO": "mongodb://h/d"})
    assert urls == ("sqlite:////d/admin.db", "mongodb://h/d")
