"""The catalogue: what is stored comes back; versions; POIs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from common.identifiers import uuid7
from tests.contract.builders import NOW, make_idempotency, make_option, make_poi, make_ticket, make_unit
from tests.contract.world import World
from ticketing_service.domain.catalogue import Point, RefundStep, Tax, TicketQuery, TicketStatus, TicketType
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.storage.port import Store


def test_a_ticket_comes_back_as_it_was_stored(store: Store) -> None:
    ticket = make_ticket(
        type=TicketType.GROUP,
        status=TicketStatus.DRAFT,
        title={"en": "Überblick", "nl": "Overzicht 🗼"},
        options=(
            make_option(make_unit(1250), make_unit(0, 3), price=9900, resource_ids=("boat", "guide")),
            make_option(default=False, min_units=2, max_units=30),
        ),
        refund_policy=(RefundStep(48, 100), RefundStep(24, 50)),
        taxes=(Tax("VAT", 900), Tax("City tax", 100)),
        valid_days=3,
    )
    assert store.catalogue.create(ticket) == ticket
    assert store.catalogue.ticket(ticket.id) == ticket


def test_an_unknown_ticket_is_none(store: Store) -> None:
    assert store.catalogue.ticket(uuid7()) is None


def test_a_replaced_ticket_has_the_next_version_and_is_found_by_its_new_words_alone(world: World) -> None:
    ticket = world.ticket("Tower climb")
    later = NOW + timedelta(hours=1)
    changed = replace(ticket, title={"en": "Canal cruise"}, updated_at=later, created_at=later)
    stored = world.store.catalogue.replace(changed, 1)
    assert stored == replace(changed, version=2, created_at=NOW)
    assert world.store.catalogue.ticket(ticket.id) == stored
    assert world.store.catalogue.search(TicketQuery(words=("cruise",))).items == (stored,)
    assert world.store.catalogue.search(TicketQuery(words=("tower",))).items == ()


def test_replacing_on_an_old_version_is_refused_and_changes_nothing(world: World) -> None:
    ticket = world.ticket()
    second = world.store.catalogue.replace(replace(ticket, city="Gouda"), 1)
    with pytest.raises(Refused) as refused:
        world.store.catalogue.replace(replace(ticket, city="Breda"), 1)
    assert refused.value.code is Code.VERSION_CONFLICT
    assert refused.value.facts == {"version": 2}
    assert world.store.catalogue.ticket(ticket.id) == second


def test_replacing_an_unknown_ticket_is_refused(store: Store) -> None:
    with pytest.raises(Refused) as refused:
        store.catalogue.replace(make_ticket(), 1)
    assert refused.value.code is Code.TICKET_NOT_FOUND


def test_pois_come_back_and_unknown_ones_are_left_out(store: Store) -> None:
    one, two = make_poi(), make_poi(names={"en": "Mill"}, point=Point(-33.9, 151.2))
    assert store.catalogue.put_pois([one, two]) == 2
    assert store.catalogue.pois([one.id, two.id, uuid7()]) == {one.id: one, two.id: two}
    assert store.catalogue.pois([]) == {}


def test_only_what_is_newer_of_a_poi_is_taken_over(store: Store) -> None:
    poi = make_poi(version=5)
    store.catalogue.put_pois([poi])
    assert store.catalogue.put_pois([replace(poi, city="Old", version=4), replace(poi, city="Same")]) == 0
    assert store.catalogue.pois([poi.id])[poi.id] == poi
    newer = replace(poi, city="Gouda", version=6)
    assert store.catalogue.put_pois([newer]) == 1
    assert store.catalogue.pois([poi.id])[poi.id] == newer


def test_a_changed_poi_changes_its_tickets_and_their_words(world: World) -> None:
    poi = make_poi()
    world.store.catalogue.put_pois([poi])
    ticket, other = world.ticket(poi_id=poi.id), world.ticket("Mill")
    moved = replace(poi, city="Schiedam", category="mill", point=Point(51.92, 4.4), version=2)
    world.store.catalogue.put_pois([moved])
    expected = replace(ticket, city="Schiedam", category="mill", point=moved.point, version=2)
    assert world.store.catalogue.ticket(ticket.id) == expected
    assert world.store.catalogue.search(TicketQuery(words=("schied",))).items == (expected,)
    assert world.store.catalogue.ticket(other.id) == other


def test_a_poi_that_changes_nothing_of_a_ticket_leaves_its_version(world: World) -> None:
    poi = make_poi()
    ticket = world.ticket(poi_id=poi.id)
    world.store.catalogue.put_pois([replace(poi, names={"en": "Another name"}, version=2)])
    assert world.store.catalogue.ticket(ticket.id) == ticket


def test_a_ticket_is_created_once_under_one_key(store: Store) -> None:
    ticket = make_ticket()
    store.catalogue.create(ticket, idempotency=make_idempotency())
    with pytest.raises(Exception, match="answered before"):
        store.catalogue.create(make_ticket(), idempotency=make_idempotency())
    assert store.catalogue.search(TicketQuery()).items == (ticket,)
