"""What is asked of MongoDB finds its documents by an index: by the declarations, whatever server it is; and
by the plans of a real one, where there is one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from common.identifiers import uuid7
from common.mongo.collections import Collection
from tests.contract.builders import FIRST_DAY, NOW
from tests.contract.test_query_plans import INDEXED
from tests.contract.world import World
from tests.servers.secantus import REAL
from ticketing_service.domain.bookings import Booking
from ticketing_service.domain.catalogue import Point, TicketQuery
from ticketing_service.domain.slots import Slot
from ticketing_service.storage.mongo import schema
from ticketing_service.storage.mongo.store import open_store
from ticketing_service.storage.port import Store
from ticketing_service.storage.ports.bookings import BookingQuery
from ticketing_service.storage.ports.ledger import RevenueQuery

pytestmark = pytest.mark.parametrize(
    "store_url", [pytest.param("mongodb", marks=pytest.mark.mongodb)], indirect=True
)

Ask = Callable[[Store, Slot, Booking], Any]
LATER = NOW + timedelta(days=1)
ASKED: dict[str, Ask] = {
    **INDEXED,
    "tickets by a word": lambda store, _, __: store.catalogue.search(TicketQuery(words=("tow", "cl"))),
    "tickets near by": lambda store, _, __: store.catalogue.search(
        TicketQuery(near=Point(50, 4), radius_km=5, sort="distance")
    ),
    "tickets with a place": lambda store, _, __: store.catalogue.search(
        TicketQuery(date_from=FIRST_DAY.isoformat(), date_to=FIRST_DAY.isoformat())
    ),
    "a booking": lambda store, _, booking: store.bookings.get(booking.id),
    "a booking's reference": lambda store, _, booking: store.bookings.by_reference(booking.reference),
    "bookings of a ticket": lambda store, slot, _: store.bookings.search(
        BookingQuery(ticket_id=slot.ticket_id)
    ),
    "bookings of some days": lambda store, _, __: store.bookings.search(
        BookingQuery(created_from=NOW, created_to=LATER)
    ),
    "holds that have ended": lambda store, _, __: store.bookings.expire_due(LATER, 10),
    "admissions that have ended": lambda store, _, __: store.bookings.mark_no_shows(LATER, 10),
    "a payment": lambda store, _, __: store.payments.get(uuid7()),
    "a refund": lambda store, _, __: store.payments.refund(uuid7()),
    "payments that wait": lambda store, _, __: store.payments.unsettled(LATER, 10),
    "admissions of a booking": lambda store, _, booking: store.admissions.of_booking(booking.id),
    "counters that are checked": lambda store, _, __: store.slots.count_again(None, 10),
    "schedules to extend": lambda store, _, __: store.slots.schedules_to_extend(LATER, 10),
    "revenue": lambda store, _, __: store.ledger.revenue(RevenueQuery(day_from=FIRST_DAY, day_to=FIRST_DAY)),
    "tasks": lambda store, _, __: store.outbox.claim(LATER, LATER, 10),
    "tasks that were given up": lambda store, _, __: store.outbox.given_up(10, None),  # type: ignore[attr-defined]
    "a person's bookings": lambda store, _, __: store.people.erase("ann@example.org", LATER),
    "what webhooks are to be told": lambda store, _, __: store.webhooks.spread(LATER, 10),
    "endpoints with something due": lambda store, _, __: store.webhooks.due(LATER),
    "deliveries that are too late": lambda store, _, __: store.webhooks.give_up(LATER, 10),
    "deliveries to forget": lambda store, _, __: store.webhooks.prune(LATER, LATER, 10, 10),
    "how endpoints are": lambda store, _, __: store.webhooks.health(),
    "what is swept up": lambda store, _, __: store.outbox.purge(LATER, 10),
    "a sale": lambda store, slot, _: World(store).hold(slot, guest_network="192.0.2.9"),
}


class _Listener(CommandListener):
    def __init__(self) -> None:
        self.commands: list[Mapping[str, Any]] = []

    def started(self, event: CommandStartedEvent) -> None:
        self.commands.append(dict(event.command))

    def succeeded(self, event: CommandSucceededEvent) -> None:
        pass

    def failed(self, event: CommandFailedEvent) -> None:
        pass


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> _Listener:
    listener = _Listener()
    monkeypatch.setattr("common.mongo.database.Commands", lambda _: listener)
    return listener


@pytest.fixture
def store(store_url: str, heard: _Listener) -> Iterator[Store]:
    opened = open_store(store_url, 4, heard=lambda name, seconds: None)
    yield opened
    opened.close()


@pytest.mark.parametrize("name", ASKED)
def test_every_condition_begins_an_index(name: str, store: Store, heard: _Listener, store_url: str) -> None:
    world = World(store)
    slot = world.slot()
    booking = world.hold(slot)
    heard.commands.clear()
    ASKED[name](store, slot, booking)
    asked = [each for command in heard.commands for each in _conditions(command)]
    assert asked
    for collection, condition, sort in asked:
        assert _leads(collection, {*_fields(condition), *sort}), (collection.name, condition)
    if os.environ.get(REAL):
        _explain(store_url, heard.commands)


def _conditions(command: Mapping[str, Any]) -> Iterator[tuple[Collection, Mapping[str, Any], list[str]]]:
    """What a command looks for, and in which order it wants it."""
    by_name = {each.name: each for each in schema.collections.made}
    if "find" in command:
        yield by_name[command["find"]], command.get("filter", {}), list(command.get("sort", {}))[:1]
    elif "aggregate" in command:
        first = command["pipeline"][0]
        yield by_name[command["aggregate"]], first.get("$match", {}), []
    for verb, part in (("update", "updates"), ("delete", "deletes")):
        for each in command.get(part, ()):
            yield by_name[command[verb]], each["q"], []


def _fields(condition: Mapping[str, Any], within: str = "") -> Iterator[str]:
    """The fields by which an index may narrow down: those that are compared with a value or lie in `$and`."""
    for name, value in condition.items():
        if name == "$and":
            for each in value:
                yield from _fields(each, within)
        elif not name.startswith("$"):
            yield within + name
            if isinstance(value, Mapping) and "$elemMatch" in value:
                yield from _fields(value["$elemMatch"], f"{within}{name}.")


def _leads(collection: Collection, fields: set[str]) -> bool:
    """Whether one of the fields is the first of an index, or the `_id`."""
    return bool(fields & {"_id", *(each.keys[0][0] for each in collection.indexes)})


def _explain(url: str, commands: list[Mapping[str, Any]]) -> None:
    """A real server's plan reads no collection through."""
    from pymongo import MongoClient  # noqa: PLC0415

    with MongoClient[dict[str, Any]](url, uuidRepresentation="standard") as client:
        database = client.get_default_database()
        for command in commands:
            if "find" not in command:
                continue
            plain = {name: command[name] for name in ("find", "filter", "sort", "limit") if name in command}
            plan = str(database.command("explain", plain, verbosity="queryPlanner")["queryPlanner"])
            assert "COLLSCAN" not in plan, plain
