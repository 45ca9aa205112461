"""How far places are from each other."""

from __future__ import annotations

import math

from ticketing_service.domain.catalogue import Point

EARTH_RADIUS_KM = 6371.0088


def kilometres(one: Point, other: Point) -> float:
    """The great-circle distance (haversine, mean earth radius)."""
    latitudes = math.radians(one.latitude), math.radians(other.latitude)
    across = math.radians(other.longitude - one.longitude)
    half = (
        math.sin((latitudes[1] - latitudes[0]) / 2) ** 2
        + math.cos(latitudes[0]) * math.cos(latitudes[1]) * math.sin(across / 2) ** 2
    )
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(min(1.0, half)))


def latitudes_within(near: Point, radius_km: float) -> tuple[float, float]:
    """The least and the greatest latitude of what is no farther away, and a little more: what an index
    narrows down by them is then measured exactly.
    """
    degrees = math.degrees(radius_km / EARTH_RADIUS_KM) + 1e-6
    return near.latitude - degrees, near.latitude + degrees
