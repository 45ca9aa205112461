"""What is asked all day long finds its rows by an index, and in their order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any

import pytest
from sqlalchemy import Engine, event

from tests.beneath.sql import SqlBeneath
from tests.contract.builders import FIRST_DAY, NOW
from tests.contract.world import World
from ticketing_service.domain.bookings import Booking, BookingStatus
from ticketing_service.domain.catalogue import TicketQuery
from ticketing_service.domain.slots import Slot
from ticketing_service.domain.webhooks import DeliveryState
from ticketing_service.storage.port import Store
from ticketing_service.storage.ports.bookings import BookingQuery

Ask = Callable[[Store, Slot, Booking], Any]
DEAD = DeliveryState.DEAD

INDEXED: dict[str, Ask] = {
    "tickets by title": lambda store, _, __: store.catalogue.search(TicketQuery()),
    "tickets by price": lambda store, _, __: store.catalogue.search(TicketQuery(sort="price")),
    "dearest tickets": lambda store, _, __: store.catalogue.search(TicketQuery(sort="-price")),
    "newest tickets": lambda store, _, __: store.catalogue.search(TicketQuery(sort="newest")),
    "one ticket": lambda store, slot, _: store.catalogue.ticket(slot.ticket_id),
    "slots of a day": lambda store, slot, _: store.slots.between(slot.ticket_id, FIRST_DAY, FIRST_DAY),
    "bookings on a slot": lambda store, slot, _: store.slots.bookings_on(slot.id, None, 10),
    "newest bookings": lambda store, _, __: store.bookings.search(BookingQuery()),
    "bookings of a status": lambda store, _, __: store.bookings.search(
        BookingQuery(status=BookingStatus.ON_HOLD)
    ),
    "bookings of a customer": lambda store, _, __: store.bookings.search(BookingQuery(email="a@example.org")),
    "vouchers": lambda store, _, __: store.vouchers.page(10, None),
    "resellers": lambda store, _, __: store.resellers.page(10, None),
    "keys of a reseller": lambda store, slot, _: store.resellers.keys(slot.id, 10, None),
    "bookings of a reseller": lambda store, slot, _: store.bookings.search(BookingQuery(reseller_id=slot.id)),
    "subscriptions": lambda store, _, __: store.webhooks.page(None, False, 10, None),
    "subscriptions of a reseller": lambda store, slot, _: store.webhooks.page(slot.id, False, 10, None),
    "backlog of webhooks": lambda store, _, __: store.webhooks.backlog(NOW),
    "deliveries": lambda store, slot, _: store.webhooks.deliveries(slot.id, None, 10, None),
    "dead deliveries": lambda store, slot, _: store.webhooks.deliveries(slot.id, DEAD, 10, None),
    "deliveries to claim": lambda store, slot, _: store.webhooks.claim(slot.id, NOW, NOW, 10),
    "bookings by a reseller's reference": lambda store, slot, _: store.bookings.search(
        BookingQuery(reseller_id=slot.id, resale_reference="R-1")
    ),
    "bookings of a reseller's days": lambda store, slot, _: store.bookings.search(
        BookingQuery(reseller_id=slot.id, local_from=FIRST_DAY, local_to=FIRST_DAY)
    ),
    "a booking by its reseller's uuid": lambda store, slot, _: store.bookings.by_resale_uuid(
        slot.id, slot.id, is_test=False
    ),
    "what became of bookings": lambda store, _, booking: store.bookings.courses([booking]),
    "schedules": lambda store, slot, _: store.slots.schedules([slot.ticket_id]),
    "a voucher's code": lambda store, _, __: store.vouchers.by_code("X"),
    "revocations": lambda store, _, __: store.admissions.revocations(NOW, 10, None),
}


@contextmanager
def _heard() -> Iterator[list[tuple[str, Any]]]:
    """The statements that this thread sends meanwhile, with their parameters."""
    statements: list[tuple[str, Any]] = []
    thread = threading.get_ident()

    def listen(_: Any, __: Any, statement: str, parameters: Any, ___: Any, ____: Any) -> None:
        if statement.startswith("SELECT") and threading.get_ident() == thread:
            statements.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", listen)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", listen)


def _steps(database: SqlBeneath, ask: Callable[[], Any]) -> list[list[str]]:
    """What SQLite does for each statement of `ask`."""
    with _heard() as statements:
        ask()
    assert statements
    steps: list[list[str]] = []
    with database.database.read() as connection:
        for statement, parameters in statements:
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            steps.append([row.detail for row in rows])
    return steps


@pytest.fixture
def asked(world: World) -> tuple[Store, Slot, Booking]:
    slot = world.slot()
    return world.store, slot, world.hold(slot)


@pytest.mark.parametrize("name", INDEXED)
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_no_table_is_read_through_or_sorted(
    name: str, asked: tuple[Store, Slot, Booking], database: SqlBeneath
) -> None:
    steps = _steps(database, lambda: INDEXED[name](*asked))
    read_through = [step for step in chain(*steps) if step.startswith("SCAN") and "USING" not in step]
    assert read_through == [], steps
    # the list itself; the few rows that belong to one entry of it may be sorted
    assert "USE TEMP B-TREE FOR ORDER BY" not in steps[0], steps


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_words_are_looked_up_and_not_compared_with_every_ticket(world: World, database: SqlBeneath) -> None:
    world.ticket()
    steps = _steps(database, lambda: world.store.catalogue.search(TicketQuery(words=("tower", "cl"))))
    looked_up = [step for step in chain(*steps) if "ticketing_ticket_words" in step]
    assert len(looked_up) == 2, steps
    assert all(step.startswith("SEARCH") for step in looked_up), steps
    assert [step for step in chain(*steps) if step.startswith("SCAN ticketing_tickets")] == [], steps
