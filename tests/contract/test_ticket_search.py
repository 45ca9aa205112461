"""Finding tickets: the same answer from every store."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from marshmallow import ValidationError

from common.identifiers import uuid7
from common.pages import Page
from tests.contract.builders import DELFT, FIRST_DAY, NOW, make_option, plain_unit
from tests.contract.world import World
from ticketing_service.domain.catalogue import Point, Ticket, TicketQuery, TicketStatus, TicketType
from ticketing_service.domain.slots import SlotChange

SORTS = ["title", "price", "-price", "newest", "distance"]


def _found(world: World, **query: Any) -> list[str]:
    return [ticket.title["en"] for ticket in world.store.catalogue.search(TicketQuery(**query)).items]


@pytest.mark.parametrize(
    "words, titles",
    [
        ((), ["Canal cruise", "Tower climb", "Tower tour"]),
        (("tower",), ["Tower climb", "Tower tour"]),
        (("tow",), ["Tower climb", "Tower tour"]),
        (("tow", "cl"), ["Tower climb"]),
        (("tower", "cruise"), []),
        (("ower",), []),
        (("%",), []),
        (("delft", "canal"), ["Canal cruise"]),
    ],
)
def test_every_word_begins_some_word_of_what_is_found(
    world: World, words: tuple[str, ...], titles: list[str]
) -> None:
    for title in ("Tower tour", "Canal cruise", "Tower climb"):
        world.ticket(title)
    assert _found(world, words=words) == titles


def test_words_of_other_scripts_are_found_by_their_beginning(world: World) -> None:
    world.ticket("塔登り 🗼")
    world.ticket("Крепость")
    assert _found(world, words=("塔",)) == ["塔登り 🗼"]
    assert _found(world, words=("креп",)) == ["Крепость"]


def test_each_filter_leaves_out_what_it_does_not_fit(world: World) -> None:
    poi = uuid7()
    world.ticket(
        "Wanted",
        type=TicketType.COMBO,
        category="mill",
        city="Gouda",
        poi_id=poi,
        options=(make_option(plain_unit(1500)),),
    )
    world.ticket("Other", options=(make_option(plain_unit(500)),))
    for wanted in (
        {"type": TicketType.COMBO},
        {"category": "mill"},
        {"city": "Gouda"},
        {"poi_id": poi},
        {"min_price": 501},
        {"min_price": 1500, "max_price": 1500},
    ):
        assert _found(world, **wanted) == ["Wanted"], wanted
    assert _found(world, max_price=1499) == ["Other"]
    assert _found(world, city="Gouda", category="monument") == []


def test_only_the_statuses_that_the_caller_may_see_are_found(world: World) -> None:
    for status in TicketStatus:
        world.ticket(status.value, status=status)
    assert _found(world) == ["active"]
    assert _found(world, statuses=(TicketStatus.DRAFT, TicketStatus.ARCHIVED)) == ["archived", "draft"]
    assert _found(world, statuses=()) == []


def test_the_order_is_that_of_the_sort(world: World) -> None:
    for title, price, age, north in (("Bé", 300, 2, 0.2), ("ba", 100, 3, 0.3), ("C", 200, 1, 0.1)):
        world.ticket(
            title,
            options=(make_option(plain_unit(price)),),
            created_at=NOW - timedelta(days=age),
            point=Point(DELFT.latitude + north, DELFT.longitude),
        )
    assert _found(world, sort="title") == ["ba", "Bé", "C"]
    assert _found(world, sort="price") == ["ba", "C", "Bé"]
    assert _found(world, sort="-price") == ["Bé", "C", "ba"]
    assert _found(world, sort="newest") == ["C", "Bé", "ba"]
    assert _found(world, sort="distance", near=DELFT) == ["C", "Bé", "ba"]


@pytest.mark.parametrize("sort", SORTS)
def test_pages_show_everything_once_and_in_order_with_equal_keys_too(world: World, sort: str) -> None:
    for number in range(7):
        world.ticket(
            f"Title {number // 3}",
            options=(make_option(plain_unit(number // 3)),),
            created_at=NOW + timedelta(seconds=number // 3),
            point=Point(DELFT.latitude + number // 3, DELFT.longitude),
        )
    options: dict[str, Any] = {"sort": sort, "near": DELFT}
    everything = world.store.catalogue.search(TicketQuery(limit=100, **options))
    assert everything.next_cursor is None
    seen: list[Ticket] = []
    cursor = None
    for size in (2, 2, 2, 1):
        page: Page[Ticket] = world.store.catalogue.search(TicketQuery(limit=2, cursor=cursor, **options))
        assert len(page.items) == size
        seen += page.items
        cursor = page.next_cursor
    assert cursor is None
    assert seen == list(everything.items)
    assert len({ticket.id for ticket in seen}) == 7


def test_a_page_that_ends_with_the_list_has_no_next(world: World) -> None:
    world.ticket()
    world.ticket()
    assert world.store.catalogue.search(TicketQuery(limit=2)).next_cursor is None


@pytest.mark.parametrize("cursor", ["rubbish!", "e30", "W10", "WyJhIl0", "WzEsICJ4Il0"])
@pytest.mark.parametrize("sort", SORTS)
def test_a_cursor_of_another_list_is_refused(world: World, cursor: str, sort: str) -> None:
    with pytest.raises(ValidationError):
        world.store.catalogue.search(TicketQuery(cursor=cursor, sort=sort, near=DELFT))


def test_a_radius_is_measured_along_the_great_circle(world: World) -> None:
    world.ticket("Amsterdam", point=Point(52.3702, 4.8952))
    world.ticket("Delft", point=DELFT)
    # 54.2 km from Delft to Amsterdam
    assert _found(world, near=DELFT, radius_km=54.0) == ["Delft"]
    assert _found(world, near=DELFT, radius_km=54.4) == ["Amsterdam", "Delft"]
    assert _found(world, near=DELFT, radius_km=54.4, sort="distance") == ["Delft", "Amsterdam"]
    assert _found(world, near=DELFT, radius_km=0.001) == ["Delft"]


def test_a_radius_reaches_across_the_date_line_and_the_pole(world: World) -> None:
    world.ticket("Fiji", point=Point(-17.0, 179.95))
    world.ticket("North", point=Point(89.9, 0.0))
    assert _found(world, near=Point(-17.0, -179.95), radius_km=15) == ["Fiji"]
    assert _found(world, near=Point(89.9, 180.0), radius_km=25) == ["North"]


def test_days_ask_for_an_open_slot_with_a_place_left(world: World) -> None:
    day = FIRST_DAY.isoformat()
    next_day = (FIRST_DAY + timedelta(days=1)).isoformat()
    free, unlimited, full, closed = (world.ticket(title) for title in ("free", "unlimited", "full", "shut"))
    world.slot(free, capacity=1)
    world.slot(unlimited, capacity=None)
    world.hold(world.slot(full, capacity=2), 2)
    slot = world.slot(closed)
    world.store.slots.change(slot.id, SlotChange(closed=True), NOW)
    world.ticket("no slots")
    assert _found(world, date_from=day, date_to=day) == ["free", "unlimited"]
    assert _found(world, date_from=day) == ["free", "unlimited"]
    assert _found(world, date_to=day) == ["free", "unlimited"]
    assert _found(world, date_from=next_day) == []
    assert _found(world, date_to=(FIRST_DAY - timedelta(days=1)).isoformat()) == []
