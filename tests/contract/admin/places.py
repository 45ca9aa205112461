"""Points of interest as the store takes them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from admin_service.actions.pois import By, write_of
from admin_service.domain.audit import Origin
from admin_service.domain.geo import Point
from admin_service.domain.poi import Address, Poi, PoiContent, PoiStatus
from admin_service.domain.workflow import Actor
from admin_service.storage.port import Store
from admin_service.storage.ports.pois import PoiWrite
from common.identifiers import uuid7
from tests.contract.builders import NOW

BY = By(actor=Actor(name="access:ann", account="ann", reviewed=False), origin=Origin(actor="access:ann"),
        sees_all=True)  # fmt: skip
CATEGORIES = ("museum", "gallery", "park", "restaurant")
CITIES = ("Gent", "Brugge", "Den Haag", "Saint-Étienne")
WORDS = ("canal", "canals", "old", "tower", "museum", "été", "straße", "new")
TAGS = ("water", "old", "two words")


def content(**changes: Any) -> PoiContent:
    return PoiContent(
        **{
            "names": {"en": "Tower"},
            "category": "museum",
            "point": Point(52.0, 5.0),
            "time_zone": "Europe/Amsterdam",
            "address": Address(city="Gent"),
            **changes,
        }
    )


def poi(made: PoiContent | None = None, **changes: Any) -> Poi:
    return Poi(
        **{
            "id": uuid7(),
            "content": made or content(),
            "status": PoiStatus.PUBLISHED,
            "owner": None,
            "version": 1,
            "created_at": NOW,
            "updated_at": NOW,
            "changed_at": NOW,
            **changes,
        }
    )


def write(after: Poi, before: Poi | None = None, action: str = "created") -> PoiWrite:
    return write_of(before, after, action, BY)


def fill(store: Store, pois: Sequence[Poi]) -> None:
    """Create them all."""
    for each in pois:
        store.pois.create(write(each))


def world(count: int, seed: int = 1) -> list[Poi]:
    """Various places: names of few words, few cities, some over the antimeridian."""
    chance = random.Random(seed)
    return [_any(chance, number) for number in range(count)]


def _any(chance: random.Random, number: int) -> Poi:
    name = " ".join(chance.choice(WORDS) for _ in range(chance.randint(1, 3)))
    made = content(
        names={"en": name, **({"fr": chance.choice(WORDS)} if chance.random() < 0.3 else {})},
        category=chance.choice(CATEGORIES),
        tags=tuple(sorted({chance.choice(TAGS) for _ in range(chance.randint(0, 2))})),
        point=_place(chance),
        address=Address(city=chance.choice(CITIES)),
    )
    moment = NOW + timedelta(minutes=chance.randint(0, 5))
    # ids in an order of their own, so that ties in a list are seen
    poi_id = UUID(int=chance.getrandbits(128))
    owner = chance.choice((None, "ann", "bob"))
    return poi(
        made, id=poi_id, status=chance.choice(tuple(PoiStatus)), owner=owner, changed_at=moment,
        updated_at=later(moment, chance),
    )  # fmt: skip


def later(moment: datetime, chance: random.Random) -> datetime:
    return moment + timedelta(minutes=chance.randint(0, 3))


def _place(chance: random.Random) -> Point:
    longitude = chance.choice((5.0, 5.01, 5.3, 179.99, -179.99)) + chance.choice((0, 0.001))
    return Point(52 + chance.choice((0, 0.002, 0.3)), longitude)
