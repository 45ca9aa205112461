"""Likely duplicates: near to each other, alike by name and of a like kind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from rapidfuzz import fuzz

from admin_service.domain.categories import group_of
from admin_service.domain.geo import Point, kilometres
from common.texts import Texts
from common.words import folded

NEAR_KM = 0.3
ALIKE = 0.8
_NAME_SHARE, _DISTANCE_SHARE, _KIND_SHARE = 0.6, 0.25, 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """What of a POI is compared."""

    id: UUID
    names: Texts
    category: str
    point: Point


@dataclass(frozen=True, slots=True, kw_only=True)
class Resemblance:
    """Of two POIs; `score` is 0 to 1, `name` how alike the names are, `one` the smaller id."""

    one: UUID
    other: UUID
    score: float
    name: float
    metres: int


def resemblance(one: Sketch, other: Sketch) -> Resemblance | None:
    """How the two resemble each other; None when they are no likely duplicates."""
    if one.id == other.id or group_of(one.category) != group_of(other.category):
        return None
    distance = kilometres(one.point, other.point)
    if distance > NEAR_KM:
        return None
    alike = name_likeness(one.names, other.names)
    if alike < ALIKE:
        return None
    kind = 1.0 if one.category == other.category else 0.5
    score = _NAME_SHARE * alike + _DISTANCE_SHARE * (1 - distance / NEAR_KM) + _KIND_SHARE * kind
    first, second = sorted((one.id, other.id))
    return Resemblance(
        one=first, other=second, score=round(score, 3), name=round(alike, 3), metres=round(distance * 1000)
    )


def name_likeness(one: Texts, other: Texts) -> float:
    """0 to 1: of the two most alike names in any language, order of words aside."""
    pairs = ((_plain(a), _plain(b)) for a in one.values() for b in other.values())
    return max((fuzz.token_sort_ratio(a, b) / 100 for a, b in pairs), default=0.0)


def resemblances(sketch: Sketch, near: Iterable[Sketch]) -> Sequence[Resemblance]:
    """Those of `near` that may be the same place, the likeliest first."""
    found = (resemblance(sketch, other) for other in near)
    return sorted((each for each in found if each is not None), key=lambda each: (-each.score, each.other))


def _plain(name: str) -> str:
    # a name is as long as a schema lets it be; what is compared is kept short, as the cost is quadratic
    return " ".join("".join(char if char.isalnum() else " " for char in folded(name)).split())[:80]
