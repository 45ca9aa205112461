"""The check that operators have finds what the tests' own checker finds."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from sqlalchemy import Update, func, select, update

from common.database.limits import STATEMENT_SECONDS
from tests.backups.selling import sell
from tests.beneath import Beneath
from tests.beneath.sql import SqlBeneath
from tests.counts import counts
from tests.invariants.checker import check as check_by_hand
from tests.invariants.destination import open_destination
from tests.invariants.load import run_clients
from tests.invariants.stores import SQL_KINDS
from ticketing_service.commands import verify
from ticketing_service.storage.port import Store
from ticketing_service.storage.sql import checking, schema
from ticketing_service.storage.transfer import violations

OPERATIONS = counts(150, 400)
_ANY_UNIT = select(func.min(schema.unit_items.c.id)).scalar_subquery()
_IS_CREDIT = schema.claims.c.kind == "credit"
# What an accident, or somebody at the database, might do; the invariants that it must not go unseen by.
HARMS: tuple[tuple[str, Update], ...] = (
    ("credit differs from its units", update(schema.unit_items).values(net=7)),
    ("oversold", update(schema.counters).values(capacity=0)),
    ("counter differs from its claims", update(schema.counters).values(held=schema.counters.c.held + 1)),
    ("counter differs from its bookings", update(schema.unit_items).values(status="cancelled")),
    ("negative counter", update(schema.counters).values(sold=-1)),
    ("claims do not fit the status", update(schema.claims).values(held_until=None)),
    ("history does not end in the status", update(schema.history).values(to_status="redeemed")),
    ("admission of what was not sold", update(schema.unit_items).values(status="expired")),
    ("two admissions of one unit item", update(schema.admissions).values(unit_item_id=_ANY_UNIT)),
    ("refunded more than was captured", update(schema.refunds).values(amount=10_000_000)),
    ("ledger differs from captures", update(schema.ledger).values(amount=schema.ledger.c.amount + 1)),
    ("ledger differs from refunds", update(schema.refunds).values(amount=schema.refunds.c.amount + 1)),
    ("credit differs from the books", update(schema.claims).where(_IS_CREDIT).values(quantity=1)),
    ("sold without payment", update(schema.payments).values(accepted=False)),
)


@pytest.mark.parametrize("store_url", SQL_KINDS, indirect=True)
def test_what_breaks_is_named_by_both_checkers(
    store_url: str, store: Store, database: SqlBeneath, tmp_path: Path
) -> None:
    destination = open_destination(store, capacity=100, max_uses=20)
    configuration = {
        "url": store_url,
        "seed": 5,
        "threads": 4,
        "operations": OPERATIONS,
        "destination": destination.document(),
        "guard": True,
    }
    run_clients(tmp_path, "tests.invariants.client", [configuration], None)
    assert violations(store_url) == []

    for invariant, harm in HARMS:
        with database.database.engine.connect() as connection:
            changed = connection.execute(harm)
            assert changed.rowcount, f"nothing was there for: {invariant}"
            connection.commit()
        found = {line.split(":")[0] for line in violations(store_url)}
        assert invariant in found, f"{invariant}: only {found}"
        assert found <= {violation.invariant for violation in check_by_hand(database)}


def test_the_command_names_what_breaks_on_every_store(
    store_url: str,
    store: Store,
    database: Beneath,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("TICKETING_DATABASE_URL", store_url)
    destination = open_destination(store, capacity=100, max_uses=20)
    sell(store, destination.items(random.Random(1)))
    assert verify.main() == 0
    assert "Counters are what their bookings add up to" in capsys.readouterr().out
    counters = database.tables("capacity_counters")["capacity_counters"]
    wrong = next(each.id for each in counters if each.held)
    database.miscount(wrong)
    assert verify.main() == 1
    assert f"counter differs from its claims: {wrong}" in capsys.readouterr().out


@pytest.mark.mariadb
def test_a_question_may_take_longer_than_a_statement_of_a_service(
    ticketing_mariadb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A million bookings are not added up in the seconds that a sale may take."""
    slow = select(func.sleep(STATEMENT_SECONDS + 0.5))
    monkeypatch.setattr(checking, "_questions", lambda: [("slow", slow)])
    assert violations(ticketing_mariadb) == ["slow: 0"]
