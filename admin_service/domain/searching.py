"""How POIs are found: the words of each, the order of lists, and what can be asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from admin_service.domain.categories import CATEGORIES, group_of
from admin_service.domain.geo import Box, Point
from admin_service.domain.markup import plain
from admin_service.domain.poi import SHOWN, Poi, PoiContent, PoiStatus
from common.texts import text_in
from common.words import WORD_LENGTH, folded, words

POI_WORDS = 2000
SORT_NAME_LENGTH = 120
CITY_LENGTH = 120


class Sort(StrEnum):
    """`PLACE` is the order of the grid: what is near in the list is near on the map."""

    NAME = "name"
    NEWEST = "newest"
    UPDATED = "updated"
    PLACE = "place"
    DISTANCE = "distance"


@dataclass(frozen=True, slots=True, kw_only=True)
class PoiQuery:
    """A search. `category` may be a group. `owner`: only what is that account's, or one of `places`. `near`
    goes with `radius_km`. `changed_since`: those whose public face changed at that instant or later, in the
    order of the changes.
    """

    words: tuple[str, ...] = ()
    category: str | None = None
    city: str | None = None
    tag: str | None = None
    statuses: tuple[PoiStatus, ...] = SHOWN
    owner: str | None = None
    places: frozenset[UUID] = frozenset()
    waiting: bool = False
    box: Box | None = None
    near: Point | None = None
    radius_km: float | None = None
    changed_since: datetime | None = None
    sort: Sort = Sort.NAME
    limit: int = 20
    cursor: str | None = None


def poi_words(content: PoiContent) -> frozenset[str]:
    """The words by which a POI is found: its texts in all languages, its city, its tags and the names of its
    category.
    """
    category = CATEGORIES.get(content.category)
    texts = (
        *content.names.values(),
        content.address.city,
        content.category.replace("_", " "),
        *(category.names.values() if category is not None else ()),
        *content.tags,
        *content.summaries.values(),
        *(plain(text) for text in content.descriptions.values()),
    )
    return frozenset(words(" ".join(texts), POI_WORDS))


def tag_word(tag: str) -> str:
    """The word that finds a tag as a whole; no word of a text begins like it."""
    return "#" + " ".join(folded(tag).split())[:WORD_LENGTH]


def sort_name(content: PoiContent) -> str:
    """The name as lists are ordered by it: case and accents folded, single blanks."""
    return " ".join(folded(text_in(content.names, "en")).split())[:SORT_NAME_LENGTH].rstrip()


def city_key(city: str) -> str:
    """The city as filters compare it: case and accents folded, single blanks."""
    return " ".join(folded(city).split())[:CITY_LENGTH].rstrip()


def counted_as(poi: Poi) -> tuple[str, ...]:
    """The categories under which the maps count the POI: its own and its group; none when it is not shown."""
    return (poi.content.category, group_of(poi.content.category)) if poi.shown else ()
