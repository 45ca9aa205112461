"""What is shown may come from a replica, with all that was committed before; what is decided never does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from tests.contract.builders import FIRST_DAY, make_poi
from tests.contract.conftest import guard
from tests.contract.world import World
from tests.servers.mariadb import MariaDB, with_replica
from tests.servers.process import eventually
from tests.servers.stack import ServiceStack
from ticketing_service.domain.catalogue import Ticket, TicketQuery
from ticketing_service.domain.errors import Refused
from ticketing_service.domain.slots import Slot
from ticketing_service.storage.changes import Listeners
from ticketing_service.storage.guarded import guarded
from ticketing_service.storage.opening import migrate, open_store

pytestmark = pytest.mark.mariadb
PATIENCE = 60


@dataclass
class Pair:
    """A store whose shown reads go to a replica. `heard`: what the replica has answered."""

    primary: MariaDB
    replica: MariaDB
    url: str
    read_url: str
    world: World
    heard: list[str] = field(default_factory=list)

    def ticket(self, ticket: Ticket) -> Ticket:
        """As it is shown."""
        found = self.world.store.shown.catalogue.ticket(ticket.id)
        assert found is not None
        return found

    def slot(self, ticket: Ticket) -> Slot:
        """As it is shown."""
        (found,) = self.world.store.shown.slots.between(ticket.id, FIRST_DAY, FIRST_DAY + timedelta(days=99))
        return found

    def await_replica(self, ticket: Ticket) -> None:
        """Until it answers: on a busy machine it is behind at times, and passed over."""
        self.heard.clear()

        def answers() -> bool:
            self.ticket(ticket)
            return bool(self.heard)

        eventually(answers, seconds=PATIENCE, what="an answer of the replica")

    def on_replica(self, statement: str) -> None:
        """Change it past replication."""
        with self.replica.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"USE `{self.url.rpartition('/')[2]}`")
            cursor.execute(statement)


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with with_replica() as (primary, replica):
        url = primary.new_database("shown")
        migrate(url)
        read_url = url.replace(primary.address, replica.address)
        heard: list[str] = []
        opened = open_store(url, 4, heard=lambda name, _: heard.append(name), read_url=read_url)
        store = guarded(opened, guard(), lambda operation, seconds: None, Listeners())
        yield Pair(primary, replica, url, read_url, World(store), heard)
        opened.close()


def renamed(pair: Pair, ticket: Ticket, number: int) -> Ticket:
    changed = replace(ticket, title={"en": f"Name {number}"})
    return pair.world.store.catalogue.replace(changed, ticket.version)


def test_a_change_is_visible_to_the_next_read(pair: Pair) -> None:
    ticket = pair.world.ticket("Tower", city="Delft")
    slot = pair.world.slot(ticket, capacity=50)
    pair.await_replica(ticket)
    for number in range(20):
        ticket = renamed(pair, ticket, number)
        assert pair.ticket(ticket) == ticket
        page = pair.world.store.shown.catalogue.search(TicketQuery(words=("name", str(number)), city="Delft"))
        assert [each.id for each in page.items] == [ticket.id]
    pair.await_replica(ticket)
    assert pair.slot(ticket) == pair.world.again(slot)


def test_nothing_is_decided_on_what_a_replica_says(pair: Pair) -> None:
    ticket = pair.world.ticket()
    slot = pair.world.slot(ticket, capacity=1)
    pair.await_replica(ticket)
    pair.on_replica("UPDATE ticketing_capacity_counters SET capacity = 1000")

    def is_shown() -> bool:
        return pair.slot(ticket).capacity == 1000

    eventually(is_shown, seconds=PATIENCE, what="what the replica says")
    with pytest.raises(Refused, match="SOLD_OUT"):
        pair.world.hold(slot, 2)
    assert pair.world.again(slot).capacity == 1
    pair.world.hold(slot, 1)
    with pytest.raises(Refused, match="SOLD_OUT"):
        pair.world.hold(slot, 1)


def test_a_replica_that_stands_still_is_passed_over_until_it_follows(pair: Pair) -> None:
    ticket = pair.world.ticket()
    pair.await_replica(ticket)
    pair.on_replica("STOP SLAVE SQL_THREAD")
    ticket = renamed(pair, ticket, 1)
    pair.heard.clear()
    for number in range(2, 6):
        assert pair.ticket(ticket) == ticket
        ticket = renamed(pair, ticket, number)
    assert pair.heard == []
    pair.on_replica("START SLAVE")
    pair.await_replica(ticket)
    assert pair.ticket(ticket) == ticket


def test_a_replica_that_is_gone_takes_nothing_with_it(pair: Pair) -> None:
    ticket = pair.world.ticket()
    pair.await_replica(ticket)
    pair.replica.kill()
    ticket = renamed(pair, ticket, 1)
    assert pair.ticket(ticket) == ticket
    pair.replica.start()
    pair.await_replica(ticket)
    assert pair.ticket(ticket) == ticket


def test_visitors_are_shown_what_the_replica_has(pair: Pair, tmp_path: Path) -> None:
    pair.world.store.catalogue.put_pois([make_poi()])
    ticket = pair.world.ticket("Shown")
    pair.await_replica(ticket)
    pair.on_replica("UPDATE ticketing_tickets SET city = 'Elsewhere'")
    with (
        ServiceStack(
            tmp_path, database_url=pair.url, worker=False, env={"DATABASE_READ_URL": pair.read_url}
        ) as stack,
        httpx.Client(base_url=stack.ticketing_url, timeout=PATIENCE) as visitor,
    ):
        limits = iter(range(1, 101))

        def is_shown() -> bool:
            # another question each time: what the store itself has answered meanwhile is kept
            found = visitor.get("/api/v1/tickets", params={"limit": next(limits)})
            return found.status_code == 200 and {each["city"] for each in found.json()["data"]} == {
                "Elsewhere"
            }

        eventually(is_shown, seconds=PATIENCE, every=0.7, what="the replica's words")
        metrics = visitor.get("/api/v1/monitoring/metrics/prometheus").text
    assert 'operation="replica.read"' in metrics
