"""Places on earth: boxes, circles, distances, and the grid by which a store finds them.

The grid is that of web maps: a square of 2^level by 2^level cells in the spherical Mercator projection
(EPSG:3857, "slippy map tiles"), numbered along the Z-order curve, so that what is near is mostly near in
number too and a box is a few runs of numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

EARTH_RADIUS_KM = 6371.0088
MERCATOR_LATITUDE = 85.05112877980659
"""What lies nearer to a pole belongs to the outermost row of cells."""

FINEST_LEVEL = 24
"""Cells of about 2.4 m at the equator; their numbers have 48 bits."""

RUNS = 16


@dataclass(frozen=True, slots=True)
class Point:
    """WGS 84, degrees."""

    latitude: float
    longitude: float

    def swapped(self) -> Point | None:
        """The point with latitude and longitude the other way round, where that is one."""
        return Point(self.longitude, self.latitude) if abs(self.longitude) <= 90 else None


@dataclass(frozen=True, slots=True)
class Box:
    """Degrees, edges included. `west` is greater than `east` for a box over the antimeridian (RFC 7946
    section 5.2).
    """

    west: float
    south: float
    east: float
    north: float

    def has(self, point: Point) -> bool:
        """Whether the point lies in it."""
        if not self.south <= point.latitude <= self.north:
            return False
        if self.west <= self.east:
            return self.west <= point.longitude <= self.east
        return point.longitude >= self.west or point.longitude <= self.east

    def parts(self) -> tuple[Box, ...]:
        """The one or two boxes that do not lie over the antimeridian."""
        if self.west <= self.east:
            return (self,)
        return (Box(self.west, self.south, 180.0, self.north), Box(-180.0, self.south, self.east, self.north))


def looks_swapped(point: Point, belongs: Callable[[Point], bool]) -> bool:
    """Whether the point is where it cannot be, and would be right with its coordinates the other way
    round.
    """
    other = point.swapped()
    return other is not None and not belongs(point) and belongs(other)


def kilometres(one: Point, other: Point) -> float:
    """The great-circle distance (haversine, mean earth radius)."""
    latitudes = math.radians(one.latitude), math.radians(other.latitude)
    across = math.radians(other.longitude - one.longitude)
    half = (
        math.sin((latitudes[1] - latitudes[0]) / 2) ** 2
        + math.cos(latitudes[0]) * math.cos(latitudes[1]) * math.sin(across / 2) ** 2
    )
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(min(1.0, half)))


def box_around(centre: Point, radius_km: float) -> Box:
    """The box that the circle touches; round the earth where a pole lies within."""
    reach = math.degrees(radius_km / EARTH_RADIUS_KM) + 1e-9
    south, north = centre.latitude - reach, centre.latitude + reach
    if south <= -90 or north >= 90:
        return Box(-180.0, max(south, -90.0), 180.0, min(north, 90.0))
    # the meridians that touch the circle (Bronstein, spherical trigonometry)
    ratio = math.sin(math.radians(reach)) / math.cos(math.radians(centre.latitude))
    across = math.degrees(math.asin(min(1.0, ratio))) + 1e-9
    if across >= 90:
        return Box(-180.0, south, 180.0, north)
    return Box(_turned(centre.longitude - across), south, _turned(centre.longitude + across), north)


def cell_at(point: Point, level: int = FINEST_LEVEL) -> int:
    """The number of the point's cell on `level`."""
    return _interleaved(*_tile(point, level))


def cell_box(cell: int, level: int) -> Box:
    """The ground that a cell covers."""
    x, y = _parted(cell)
    side = 1 << level
    return Box(
        x / side * 360 - 180, _latitude((y + 1) / side), (x + 1) / side * 360 - 180, _latitude(y / side)
    )


def tiles_across(box: Box, level: int) -> int:
    """How many cells of `level` the box touches."""
    return sum((east - west + 1) * (south - north + 1) for west, north, east, south in _edges(box, level))


def runs_of(box: Box, level: int = FINEST_LEVEL, limit: int = RUNS) -> tuple[tuple[int, int], ...]:
    """At most about `limit` runs (first, last) of cell numbers of `level`, in order, that hold all cells of
    the box, and as little else as so few can.
    """
    runs = sorted(run for part in box.parts() for run in _part_runs(part, level, limit))
    joined: list[tuple[int, int]] = []
    for first, last in runs:
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return tuple(joined)


def _part_runs(box: Box, level: int, limit: int) -> Iterator[tuple[int, int]]:
    coarse = level
    while coarse and tiles_across(box, coarse) > limit:
        coarse -= 1
    ((west, north, east, south),) = _edges(box, coarse)
    shift = 2 * (level - coarse)
    for y in range(north, south + 1):
        for x in range(west, east + 1):
            cell = _interleaved(x, y)
            yield cell << shift, ((cell + 1) << shift) - 1


def _edges(box: Box, level: int) -> Iterator[tuple[int, int, int, int]]:
    for part in box.parts():
        west, north = _tile(Point(part.north, part.west), level)
        east, south = _tile(Point(part.south, part.east), level)
        yield west, north, east, south


def _tile(point: Point, level: int) -> tuple[int, int]:
    side = 1 << level
    latitude = math.radians(max(-MERCATOR_LATITUDE, min(MERCATOR_LATITUDE, point.latitude)))
    x = (point.longitude + 180) / 360
    y = (1 - math.asinh(math.tan(latitude)) / math.pi) / 2
    return min(side - 1, max(0, int(x * side))), min(side - 1, max(0, int(y * side)))


def _latitude(y: float) -> float:
    return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * y))))


def _turned(longitude: float) -> float:
    return (longitude + 180) % 360 - 180


def _interleaved(x: int, y: int) -> int:
    return _spread(x) | _spread(y) << 1


def _parted(cell: int) -> tuple[int, int]:
    return _gathered(cell), _gathered(cell >> 1)


_MASKS = (0x0000FFFF0000FFFF, 0x00FF00FF00FF00FF, 0x0F0F0F0F0F0F0F0F, 0x3333333333333333, 0x5555555555555555)
_SHIFTS = (16, 8, 4, 2, 1)


def _spread(number: int) -> int:
    """The bits of a number below 2^32 with a zero before each (the classic "Morton" dilation)."""
    for shift, mask in zip(_SHIFTS, _MASKS, strict=True):
        number = (number | number << shift) & mask
    return number


def _gathered(number: int) -> int:
    """The even bits, put together: what undoes `_spread`."""
    number &= _MASKS[-1]
    for shift, mask in zip(reversed(_SHIFTS), reversed((0x00000000FFFFFFFF, *_MASKS[:-1])), strict=True):
        number = (number | number >> shift) & mask
    return number
