"""What narrows a search: words, tags, cities, categories; and which of it is rare, and so leads.

Among a million POIs a planner that guesses may walk all of them for a word that ten have, or fetch half a
million for one that all have. So it is not left to guess: of what few POIs have, those few are fetched by its
index and sorted; otherwise the list is walked along the index that has its order, and the rest is asked of
each POI on the way.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from admin_service.domain.categories import is_group
from admin_service.domain.searching import PoiQuery, city_key, tag_word
from admin_service.storage.mongo.poi_collections import pois
from common.mongo.transaction import Transaction

RARE = 5000
"""So many POIs can be fetched and sorted for a page: among a million, what is not as rare comes by once in
200 that are walked, and a page of 20 is full after 4,000.
"""


@dataclass(frozen=True, slots=True)
class Narrowing:
    """One thing that a POI must have, and the index that finds who has it; `ordered`: by name."""

    condition: dict[str, Any]
    index: str
    ordered: bool = False


def narrowings(query: PoiQuery) -> list[Narrowing]:
    """All that the query narrows by, its statuses, places and times aside."""
    # a prefix in this form is a range of the index, of one and the same word
    found = [Narrowing({"words": {"$regex": f"^{re.escape(prefix)}"}}, "words") for prefix in query.words]
    if query.tag is not None:
        found.append(Narrowing({"words": tag_word(query.tag)}, "words"))
    if query.city is not None:
        found.append(Narrowing({"city_key": city_key(query.city)}, "city", ordered=True))
    if query.category is not None:
        if is_group(query.category):
            found.append(Narrowing({"category_group": query.category}, "group", ordered=True))
        else:
            found.append(Narrowing({"category": query.category}, "category", ordered=True))
    return found


def rarest(tx: Transaction, query: PoiQuery, wanted: Sequence[Narrowing]) -> Narrowing | None:
    """The one that fewest POIs have; None when none is rare."""
    statuses = {"status": {"$in": [status.value for status in query.statuses]}}
    counts = [
        tx.count(pois, {**each.condition, **statuses}, limit=RARE + 1, hint=each.index) for each in wanted
    ]
    if not counts or min(counts) > RARE:
        return None
    return wanted[counts.index(min(counts))]
